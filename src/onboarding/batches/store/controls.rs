//! Pausing, going on, stopping the rest, trying failures again.

use time::OffsetDateTime;

use super::super::model::{Batch, BatchNumber};
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
    refresh_standing(tx, &stopped).await?;
    Ok(stopped.len())
}

/// What became of the wish to try failures again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retried {
    /// A batch of so many requests was started.
    Started(BatchNumber, usize),
    /// Nothing is left to try again; the last batch that did, if there is one.
    Nothing(Option<BatchNumber>),
}

/// Starts a batch with a new request for each business of `batch` whose request failed for that cause and is its newest one, and
/// which may be asked. Each keeps its solution. Two at the same time come one after the other: the second finds nothing left.
pub async fn retry(
    tx: &mut TenantTx,
    batch: &Batch,
    cause: &str,
    member_id: i64,
    now: OffsetDateTime,
) -> sqlx::Result<Retried> {
    let partner = tx.partner().clone();
    let tried = sqlx::query!(
        r#"
        SELECT (
            SELECT max(r.batch_number) FROM batches r
            WHERE r.partner_id = $1 AND r.retry_of = b.batch_number AND r.batch_number > b.batch_number AND r.source <> 'click'
        ) AS last
        FROM batches b WHERE b.partner_id = $1 AND b.batch_number = $2
        FOR UPDATE OF b
        "#,
        partner.as_str(),
        batch.number.0,
    )
    .fetch_optional(&mut **tx)
    .await?;
    let made_for = sqlx::query_scalar!(
        r#"
        SELECT r.number
        FROM requests r
        JOIN businesses b ON b.partner_id = r.partner_id AND b.business_id = r.business_id
        WHERE r.partner_id = $1 AND r.batch_number = $2 AND r.state = 'failed' AND r.cause = $3
          AND b.last_request_number = r.number AND b.left_at IS NULL
          AND b.standing NOT IN ('not_eligible', 'taken_by_another_partner', 'accepted', 'ready')
        "#,
        partner.as_str(),
        batch.number.0,
        cause,
    )
    .fetch_all(&mut **tx)
    .await?;
    let nothing = Retried::Nothing(tried.and_then(|row| row.last).map(BatchNumber));
    if made_for.is_empty() {
        return Ok(nothing);
    }
    let name: String = format!("Retry of {}", lower_first(&batch.title())).chars().take(80).collect();
    let number = sqlx::query_scalar!(
        "INSERT INTO batches (partner_id, member_id, solution_id, started_at, source, name, size, retry_of)
         VALUES ($1, $2, $3, $4, 'retry', $5, 0, $6) RETURNING batch_number",
        partner.as_str(),
        member_id,
        batch.solution_id.as_ref().map(crate::graph::SolutionId::as_str),
        now,
        name,
        batch.number.0,
    )
    .fetch_one(&mut **tx)
    .await?;
    let made = sqlx::query_scalar!(
        r#"
        WITH made AS (
            INSERT INTO requests (partner_id, batch_number, business_id, member_id, solution_id, state, queued_at, changed_at, alone)
            SELECT partner_id, $3, business_id, $4, solution_id, 'queued', $5, $5, FALSE
            FROM requests WHERE partner_id = $1 AND number = ANY($2)
            ORDER BY business_id
            ON CONFLICT (partner_id, business_id)
                WHERE state IN ('queued', 'sending', 'waiting_to_retry', 'requested', 'already_requested', 'accepted')
                DO NOTHING
            RETURNING number, business_id
        ), told AS (
            INSERT INTO request_events (partner_id, number, at, state, attempt, member_id)
            SELECT $1, number, $5, 'queued', 0, $4 FROM made ORDER BY number
        )
        SELECT business_id::text AS "business_id!" FROM made
        "#,
        partner.as_str(),
        &made_for,
        number,
        member_id,
        now,
    )
    .fetch_all(&mut **tx)
    .await?;
    if made.is_empty() {
        // The caller gives the transaction up, and with it the empty batch.
        return Ok(nothing);
    }
    sqlx::query!(
        "UPDATE batches SET size = $3 WHERE partner_id = $1 AND batch_number = $2",
        partner.as_str(),
        number,
        i32::try_from(made.len()).unwrap_or(i32::MAX),
    )
    .execute(&mut **tx)
    .await?;
    refresh_standing(tx, &made).await?;
    Ok(Retried::Started(BatchNumber(number), made.len()))
}

/// A batch without a name stands in the middle of one here; one with a name keeps its capitals.
fn lower_first(title: &str) -> String {
    title.strip_prefix("Batch ").map_or_else(|| title.to_owned(), |rest| format!("batch {rest}"))
}

async fn refresh_standing(tx: &mut TenantTx, touched: &[String]) -> sqlx::Result<()> {
    let touched: Vec<BusinessId> = touched.iter().cloned().map(BusinessId::from_stored).collect();
    businesses::refresh_standing(tx, &touched).await
}
