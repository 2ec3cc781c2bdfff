//! Trying failures again.

use time::OffsetDateTime;

use super::super::model::{Batch, BatchNumber};
use crate::{
    businesses,
    db::TenantTx,
    graph::{BusinessId, SolutionId},
    onboarding::store::{hold_starts, stop_overtaken},
    solutions,
};

/// What became of the wish to try failures again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retried {
    /// A batch was started.
    Started {
        batch: BatchNumber,
        /// Its requests.
        size: usize,
        /// So many were left as they are, since their solution can't be used any more.
        left: usize,
    },
    /// The solution of everything there was to try again can't be used any more.
    SolutionUnusable,
    /// Nothing is left to try again; the last batch that did, if there is one.
    Nothing(Option<BatchNumber>),
}

/// Starts a batch with a new request for each business of `batch` whose request failed for that cause and is its newest one, and
/// which may be asked. Each keeps its solution, if it may still be used. Two at the same time come one after the other: the second
/// finds nothing left. The caller gives the transaction up unless a batch was started.
pub async fn retry(
    tx: &mut TenantTx,
    batch: &Batch,
    cause: &str,
    member_id: i64,
    now: OffsetDateTime,
) -> sqlx::Result<Retried> {
    hold_starts(tx).await?;
    let (retriable, left) = retriable(tx, batch.number, cause).await?;
    if retriable.is_empty() {
        return if left > 0 { Ok(Retried::SolutionUnusable) } else { nothing(tx, batch.number).await };
    }
    let number = begin(tx, batch, member_id, now).await?;
    let made = ask_again(tx, number, &retriable, member_id, now).await?;
    if made.is_empty() {
        return nothing(tx, batch.number).await;
    }
    let touched: Vec<BusinessId> = made.iter().cloned().map(BusinessId::from_stored).collect();
    businesses::refresh_standing(tx, &touched).await?;
    stop_overtaken(tx, number.0, member_id, now).await?;
    Ok(Retried::Started { batch: number, size: made.len(), left })
}

async fn nothing(tx: &mut TenantTx, batch: BatchNumber) -> sqlx::Result<Retried> {
    Ok(Retried::Nothing(super::retries_of(tx, batch).await?.pop()))
}

/// The requests that may be tried again as they are, and how many can't for their solution.
async fn retriable(tx: &mut TenantTx, batch: BatchNumber, cause: &str) -> sqlx::Result<(Vec<i64>, usize)> {
    let partner = tx.partner().clone();
    let offered = solutions::offered(tx).await?;
    let usable: Vec<&str> = offered.iter().filter(|one| one.usable.is_ok()).map(|one| one.id.as_str()).collect();
    let rows = sqlx::query!(
        r#"
        SELECT r.number, r.solution_id IS NULL OR r.solution_id = ANY ($4::text[]) AS "as_it_is!"
        FROM requests r
        JOIN businesses b ON b.partner_id = r.partner_id AND b.business_id = r.business_id
        WHERE r.partner_id = $1 AND r.batch_number = $2 AND r.state = 'failed' AND r.cause = $3
          AND b.last_request_number = r.number AND b.left_at IS NULL
          AND b.standing NOT IN ('not_eligible', 'taken_by_another_partner', 'accepted', 'ready')
        "#,
        partner.as_str(),
        batch.0,
        cause,
        &usable as &[&str],
    )
    .fetch_all(&mut **tx)
    .await?;
    let found = rows.len();
    let numbers: Vec<i64> = rows.into_iter().filter(|row| row.as_it_is).map(|row| row.number).collect();
    let left = found - numbers.len();
    Ok((numbers, left))
}

/// A batch without requests yet.
async fn begin(tx: &mut TenantTx, of: &Batch, member_id: i64, now: OffsetDateTime) -> sqlx::Result<BatchNumber> {
    let partner = tx.partner().clone();
    let name: String = format!("Retry of {}", lower_first(&of.title())).chars().take(80).collect();
    let number = sqlx::query_scalar!(
        "INSERT INTO batches (partner_id, member_id, solution_id, started_at, source, name, size, retry_of)
         VALUES ($1, $2, $3, $4, 'retry', $5, 0, $6) RETURNING batch_number",
        partner.as_str(),
        member_id,
        of.solution_id.as_ref().map(SolutionId::as_str),
        now,
        name,
        of.number.0,
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(BatchNumber(number))
}

/// A new request in `batch` like each of these, but for businesses that somebody else has asked meanwhile. Says for which.
async fn ask_again(
    tx: &mut TenantTx,
    batch: BatchNumber,
    requests: &[i64],
    member_id: i64,
    now: OffsetDateTime,
) -> sqlx::Result<Vec<String>> {
    let partner = tx.partner().clone();
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
        requests,
        batch.0,
        member_id,
        now,
    )
    .fetch_all(&mut **tx)
    .await?;
    sqlx::query!(
        "UPDATE batches SET size = $3 WHERE partner_id = $1 AND batch_number = $2",
        partner.as_str(),
        batch.0,
        i32::try_from(made.len()).unwrap_or(i32::MAX),
    )
    .execute(&mut **tx)
    .await?;
    Ok(made)
}

/// A batch without a name stands in the middle of one here; one with a name keeps its capitals.
fn lower_first(title: &str) -> String {
    title.strip_prefix("Batch ").map_or_else(|| title.to_owned(), |rest| format!("batch {rest}"))
}
