//! Dropping raw answers for their age.

use time::OffsetDateTime;

use crate::db::TenantTx;

/// Drops the raw answers of the oldest calls before `due`, `most` at a time; gives how many there were.
pub async fn drop_old_bodies(
    tx: &mut TenantTx,
    due: OffsetDateTime,
    most: i64,
    now: OffsetDateTime,
) -> sqlx::Result<u64> {
    let partner = tx.partner().clone();
    let dropped = sqlx::query!(
        "UPDATE graph_calls SET body = '', body_dropped_at = $4
         WHERE partner_id = $1 AND call_id = ANY (ARRAY (
            SELECT call_id FROM graph_calls
            WHERE partner_id = $1 AND body_dropped_at IS NULL AND started_at < $2
            ORDER BY started_at LIMIT $3
         ))",
        partner.as_str() as _,
        due,
        most,
        now,
    )
    .execute(&mut **tx)
    .await?;
    Ok(dropped.rows_affected())
}
