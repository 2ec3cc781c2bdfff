//! The SQL of forms that didn't go through.

use serde_json::Value;
use sqlx::Result;
use time::OffsetDateTime;

use crate::{db::TenantTx, sign_in::unsent::Unsent};

/// Keeps a form in the place of the member's last one.
pub(in crate::sign_in) async fn keep_unsent(
    tx: &mut TenantTx,
    member_id: i64,
    session: &[u8],
    page: &str,
    unsent: &Unsent,
    now: OffsetDateTime,
) -> Result<()> {
    let partner = tx.partner().clone();
    let fields: Value =
        unsent.fields.iter().map(|(name, value)| Value::from([name.as_str(), value].to_vec())).collect();
    sqlx::query!(
        "INSERT INTO unsent_forms (partner_id, member_id, session, page, door, fields, kept_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (partner_id, member_id) DO UPDATE SET session = $3, page = $4, door = $5, fields = $6, kept_at = $7",
        partner.as_str() as _,
        member_id,
        session,
        page,
        unsent.door,
        fields,
        now,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// The member's form, where it was sent from one of these sessions since then.
pub(in crate::sign_in) async fn find_unsent(
    tx: &mut TenantTx,
    member_id: i64,
    sessions: &[Vec<u8>],
    since: OffsetDateTime,
) -> Result<Option<Unsent>> {
    let partner = tx.partner().clone();
    let row = sqlx::query!(
        "SELECT door, fields FROM unsent_forms WHERE partner_id = $1 AND member_id = $2 AND session = ANY($3) AND kept_at >= $4",
        partner.as_str() as _,
        member_id,
        sessions,
        since,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|row| Unsent::new(row.door, serde_json::from_value(row.fields).unwrap_or_default())))
}

/// Forgets the member's form, where it was for that door.
pub(in crate::sign_in) async fn forget_unsent(tx: &mut TenantTx, member_id: i64, door: &str) -> Result<()> {
    let partner = tx.partner().clone();
    sqlx::query!(
        "DELETE FROM unsent_forms WHERE partner_id = $1 AND member_id = $2 AND door = $3",
        partner.as_str() as _,
        member_id,
        door,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// Forgets what was kept before then.
pub(in crate::sign_in) async fn clear_unsent(tx: &mut TenantTx, before: OffsetDateTime) -> Result<()> {
    let partner = tx.partner().clone();
    sqlx::query!("DELETE FROM unsent_forms WHERE partner_id = $1 AND kept_at < $2", partner.as_str() as _, before)
        .execute(&mut **tx)
        .await
        .map(drop)
}
