//! The SQL of the system user's token, and of what the settings page shows of tokens.

use sqlx::Result;
use time::OffsetDateTime;

use super::check::CheckedToken;
use crate::{db::TenantTx, vault::Sealed};

/// Whose token requests are sent with, and how it stands. No token is in it.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The system user's, if one is stored.
    pub system_user: Option<SystemUserToken>,
    /// The member's who asks, if they have one.
    pub own: Option<OwnToken>,
}

/// What is known of the system user's token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemUserToken {
    /// Meta's id of the system user.
    pub id: String,
    /// Its name at Meta.
    pub name: String,
    /// The permissions it was given.
    pub scopes: Vec<String>,
    /// `None`: never, as far as Meta says.
    pub expires_at: Option<OffsetDateTime>,
    pub stored_at: OffsetDateTime,
    /// The admin's name.
    pub stored_by: String,
    /// Why it can't be used (`expired`, `revoked`, ..); `None` while it can.
    pub problem: Option<String>,
}

/// What is known of a member's own token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnToken {
    /// The permissions it was given.
    pub scopes: Vec<String>,
    /// `None`: never, as far as Meta says.
    pub expires_at: Option<OffsetDateTime>,
    pub stored_at: OffsetDateTime,
    /// Why it can't be used; `None` while it can.
    pub problem: Option<String>,
}

/// What a member is shown of the tokens.
///
/// # Errors
/// When Postgres is gone.
pub async fn connection(tx: &mut TenantTx, member_id: i64, now: OffsetDateTime) -> Result<Connection> {
    let system_user = sqlx::query_as!(
        SystemUserToken,
        r#"SELECT s.system_user_id::text AS "id!", s.system_user_name AS name, s.scopes, s.expires_at, s.stored_at, m.name AS stored_by,
               CASE WHEN s.problem IS NULL AND s.expires_at <= $1 THEN 'expired' ELSE s.problem END AS problem
           FROM system_user_tokens s JOIN members m ON m.member_id = s.stored_by"#,
        now,
    )
    .fetch_optional(&mut **tx)
    .await?;
    let own = sqlx::query_as!(
        OwnToken,
        "SELECT scopes, expires_at, stored_at,
             CASE WHEN problem IS NULL AND expires_at <= $2 THEN 'expired' ELSE problem END AS problem
         FROM tokens WHERE member_id = $1",
        member_id,
        now,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(Connection { system_user, own })
}

/// Keeps the token in place of any earlier one, whose problem goes with it.
pub(super) async fn save(
    tx: &mut TenantTx,
    checked: &CheckedToken,
    sealed: &Sealed,
    stored_by: i64,
    now: OffsetDateTime,
) -> Result<()> {
    let partner = tx.partner().clone();
    let (id, name) = (checked.system_user.id.as_str(), checked.system_user.name.as_str());
    sqlx::query!(
        "INSERT INTO system_user_tokens (partner_id, system_user_id, system_user_name, sealed, key_id, scopes, expires_at, stored_at, stored_by)
         VALUES ($1::text, $2::text, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (partner_id) DO UPDATE SET system_user_id = EXCLUDED.system_user_id,
             system_user_name = EXCLUDED.system_user_name, sealed = EXCLUDED.sealed, key_id = EXCLUDED.key_id,
             scopes = EXCLUDED.scopes, expires_at = EXCLUDED.expires_at, stored_at = EXCLUDED.stored_at,
             stored_by = EXCLUDED.stored_by, problem = NULL, problem_at = NULL",
        partner.as_str(),
        id,
        if name.is_empty() { id } else { name },
        sealed.bytes,
        sealed.key_id,
        &checked.scopes,
        checked.expires_at,
        now,
        stored_by,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// Forgets the token, and says whether there was one.
pub(super) async fn remove(tx: &mut TenantTx) -> Result<bool> {
    let done = sqlx::query!("DELETE FROM system_user_tokens").execute(&mut **tx).await?;
    Ok(done.rows_affected() > 0)
}
