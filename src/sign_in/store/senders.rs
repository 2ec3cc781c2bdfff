//! The SQL of the tokens that requests are sent with.

use sqlx::Result;
use time::OffsetDateTime;

use super::super::sending::Holder;
use crate::{db::TenantTx, vault::Sealed};

/// A token that a member's requests may be sent with, as it is kept.
#[derive(Debug)]
pub(in super::super) struct SenderRow {
    pub(in super::super) holder: Holder,
    /// Meta's id of the system user, where it is theirs.
    pub(in super::super) system_user: Option<String>,
    pub(in super::super) sealed: Sealed,
    /// Why it can't be used; `None` while it can.
    pub(in super::super) problem: Option<String>,
    pub(in super::super) stored_at: OffsetDateTime,
}

/// The same as the queries below select it.
struct Row {
    system_user_id: Option<String>,
    member_id: Option<i64>,
    sealed: Vec<u8>,
    key_id: String,
    problem: Option<String>,
    stored_at: OffsetDateTime,
}

impl From<Row> for SenderRow {
    fn from(row: Row) -> Self {
        Self {
            holder: row.member_id.map_or(Holder::SystemUser, Holder::Member),
            system_user: row.system_user_id,
            sealed: Sealed { key_id: row.key_id, bytes: row.sealed },
            problem: row.problem,
            stored_at: row.stored_at,
        }
    }
}

/// The tokens that a member's requests may be sent with, the one to take first.
pub(in super::super) async fn list_senders(
    tx: &mut TenantTx,
    member_id: i64,
    now: OffsetDateTime,
) -> Result<Vec<SenderRow>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT c.system_user_id::text, c.member_id, c.sealed AS "sealed!", c.key_id AS "key_id!", c.problem, c.stored_at AS "stored_at!"
        FROM (
            SELECT 1 AS place, s.system_user_id, NULL::bigint AS member_id, s.sealed, s.key_id,
                CASE WHEN s.problem IS NULL AND s.expires_at <= $2 THEN 'expired' ELSE s.problem END AS problem, s.stored_at
            FROM system_user_tokens s
            UNION ALL
            SELECT CASE WHEN t.member_id = $1 THEN 2 ELSE 3 END, NULL, t.member_id, t.sealed, t.key_id,
                CASE WHEN t.problem IS NULL AND t.expires_at <= $2 THEN 'expired' ELSE t.problem END, t.stored_at
            FROM tokens t
            JOIN members m ON m.member_id = t.member_id
            WHERE m.removed_at IS NULL AND (
                t.member_id = $1
                OR m.role <> 'support'
                AND EXISTS (SELECT FROM members a WHERE a.member_id = $1 AND (a.removed_at IS NOT NULL OR a.role = 'support'))
            )
        ) AS c
        ORDER BY c.place, c.stored_at DESC
        LIMIT 20
        "#,
        member_id,
        now,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(SenderRow::from).collect())
}

/// The tokens that can be read with for the partner as a whole, the one to take first.
pub(in super::super) async fn list_readers(tx: &mut TenantTx, now: OffsetDateTime) -> Result<Vec<SenderRow>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT c.system_user_id::text, c.member_id, c.sealed AS "sealed!", c.key_id AS "key_id!", c.problem, c.stored_at AS "stored_at!"
        FROM (
            SELECT CASE WHEN m.role = 'support' THEN 2 ELSE 1 END AS place, NULL::text AS system_user_id, t.member_id, t.sealed, t.key_id,
                CASE WHEN t.problem IS NULL AND t.expires_at <= $1 THEN 'expired' ELSE t.problem END AS problem, t.stored_at
            FROM tokens t JOIN members m ON m.member_id = t.member_id
            WHERE m.removed_at IS NULL
            UNION ALL
            SELECT 3, s.system_user_id, NULL, s.sealed, s.key_id,
                CASE WHEN s.problem IS NULL AND s.expires_at <= $1 THEN 'expired' ELSE s.problem END, s.stored_at
            FROM system_user_tokens s
        ) AS c
        ORDER BY c.problem IS NOT NULL, c.place, c.stored_at DESC
        LIMIT 20
        "#,
        now,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(SenderRow::from).collect())
}

/// Whether one of these works.
pub(in super::super) async fn is_sender(tx: &mut TenantTx, member_id: i64, now: OffsetDateTime) -> Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM senders($2) AS s WHERE s.member = $1) AS "is_one!""#,
        member_id,
        now,
    )
    .fetch_one(&mut **tx)
    .await
}

/// Notes that Graph refused a member's token, if it's still the one that was stored then. The first reason stays, and the last
/// time: `senders` holds it against the requests that were refused.
pub(in super::super) async fn mark_dead(
    tx: &mut TenantTx,
    member_id: i64,
    stored_at: OffsetDateTime,
    problem: &str,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query!(
        "UPDATE tokens SET problem = coalesce(problem, $3), problem_at = $4 WHERE member_id = $1 AND stored_at = $2",
        member_id,
        stored_at,
        problem,
        now,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// As [`mark_dead`], of the system user's.
pub(in super::super) async fn mark_system_user_dead(
    tx: &mut TenantTx,
    stored_at: OffsetDateTime,
    problem: &str,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query!(
        "UPDATE system_user_tokens SET problem = coalesce(problem, $2), problem_at = $3 WHERE stored_at = $1",
        stored_at,
        problem,
        now,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}
