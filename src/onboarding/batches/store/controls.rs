//! Pausing, going on, stopping the rest.

use time::OffsetDateTime;

use super::super::model::BatchNumber;
use crate::{businesses, db::TenantTx, graph::BusinessId};

/// Sends nothing of a batch until further notice. What is in flight finishes.
pub async fn pause(tx: &mut TenantTx, number: BatchNumber, member_id: i64, now: OffsetDateTime) -> sqlx::Result<()> {
    let partner = tx.partner().clone();
    sqlx::query!(
        "UPDATE batches SET paused_at = $3, paused_by = $4
         WHERE partner_id = $1 AND batch_number = $2 AND started_at IS NOT NULL AND paused_at IS NULL AND cancelled_at IS NULL",
        partner.as_str(),
        number.0,
        now,
        member_id,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// Lets a batch go on.
pub async fn resume(tx: &mut TenantTx, number: BatchNumber) -> sqlx::Result<()> {
    let partner = tx.partner().clone();
    sqlx::query!(
        "UPDATE batches SET paused_at = NULL, paused_by = NULL WHERE partner_id = $1 AND batch_number = $2",
        partner.as_str(),
        number.0,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// Requests that can still be stopped, and those that can't though they wait: Meta may hold them already.
pub async fn stoppable(tx: &mut TenantTx, number: BatchNumber) -> sqlx::Result<(u64, u64)> {
    let partner = tx.partner().clone();
    let row = sqlx::query!(
        r#"
        SELECT count(*) FILTER (WHERE NOT doubtful) AS "unsent!", count(*) FILTER (WHERE doubtful) AS "doubtful!"
        FROM requests WHERE partner_id = $1 AND batch_number = $2 AND state IN ('queued', 'waiting_to_retry')
        "#,
        partner.as_str(),
        number.0,
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok((super::count(row.unsent), super::count(row.doubtful)))
}

/// Stops every request of a batch that `decide::may_cancel` lets stop, and keeps the rest from being sent. Says how many.
pub async fn cancel_rest(
    tx: &mut TenantTx,
    number: BatchNumber,
    member_id: i64,
    now: OffsetDateTime,
) -> sqlx::Result<usize> {
    let partner = tx.partner().clone();
    sqlx::query!(
        "UPDATE batches SET cancelled_at = $3, cancelled_by = $4
         WHERE partner_id = $1 AND batch_number = $2 AND started_at IS NOT NULL AND cancelled_at IS NULL",
        partner.as_str(),
        number.0,
        now,
        member_id,
    )
    .execute(&mut **tx)
    .await?;
    let stopped = sqlx::query_scalar!(
        r#"
        WITH stopped AS (
            UPDATE requests SET state = 'cancelled', cancelled_at = $3, retry_at = NULL, changed_at = $3
            WHERE partner_id = $1 AND batch_number = $2 AND state IN ('queued', 'waiting_to_retry') AND NOT doubtful
            RETURNING number, business_id, attempts
        ), told AS (
            INSERT INTO request_events (partner_id, number, at, state, attempt, member_id)
            SELECT $1, number, $3, 'cancelled', attempts, $4 FROM stopped ORDER BY number
        )
        SELECT business_id::text AS "business_id!" FROM stopped
        "#,
        partner.as_str(),
        number.0,
        now,
        member_id,
    )
    .fetch_all(&mut **tx)
    .await?;
    let touched: Vec<BusinessId> = stopped.into_iter().map(BusinessId::from_stored).collect();
    businesses::refresh_standing(tx, &touched).await?;
    Ok(touched.len())
}
