//! All SQL of batches once they are started. Here: one batch, the list of them, and what Meta said of the limits.

mod controls;
mod progress;
mod results;
mod retry;

use time::OffsetDateTime;

use super::model::{Batch, BatchNumber, Deed, Hold, KeptLimit, Limit, ListedBatch, Phase, Source, Standing, Wait};
use crate::{db::TenantTx, graph::SolutionId, onboarding::model::RequestNumber};

pub use self::{
    controls::{cancel_rest, pause, resume, stoppable},
    progress::{failures, latest, minutes, pulse, retries_of},
    results::{ResultLine, results},
    retry::{Retried, retry},
};

fn count(n: i64) -> u64 {
    u64::try_from(n).unwrap_or_default()
}

/// One batch, draft or started; `None` when there is none of that number, or it's another partner's.
pub async fn find_batch(tx: &mut TenantTx, number: BatchNumber, now: OffsetDateTime) -> sqlx::Result<Option<Batch>> {
    let partner = tx.partner().clone();
    let row = sqlx::query!(
        r#"
        SELECT b.batch_number, b.source, b.name, b.member_id, m.name AS member_name, b.solution_id::text,
            s.name AS "solution_name?", b.started_at, b.size, b.retry_of, b.paused_at, p.name AS "paused_by?",
            b.cancelled_at, c.name AS "cancelled_by?",
            NOT EXISTS (SELECT FROM senders($3) AS s WHERE s.member = b.member_id) AS "lacks_token!"
        FROM batches b
        JOIN members m ON m.member_id = b.member_id
        LEFT JOIN members p ON p.member_id = b.paused_by
        LEFT JOIN members c ON c.member_id = b.cancelled_by
        LEFT JOIN LATERAL (
            SELECT s.name FROM solutions s WHERE s.partner_id = b.partner_id AND s.solution_id = b.solution_id LIMIT 1
        ) s ON TRUE
        WHERE b.partner_id = $1 AND b.batch_number = $2
        "#,
        partner.as_str(),
        number.0,
        now,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|row| Batch {
        number: BatchNumber(row.batch_number),
        source: Source::from_stored(&row.source),
        name: row.name,
        member_id: row.member_id,
        member_name: row.member_name,
        solution_id: row.solution_id.map(SolutionId::from_stored),
        solution_name: row.solution_name,
        started_at: row.started_at,
        size: count(row.size.into()),
        retry_of: row.retry_of.map(BatchNumber),
        paused: row.paused_at.zip(row.paused_by).map(|(at, by)| Deed { at, by }),
        cancelled: row.cancelled_at.zip(row.cancelled_by).map(|(at, by)| Deed { at, by }),
        lacks_token: row.lacks_token,
    }))
}

/// The request a click made: its batch has no page of its own.
pub async fn only_request(tx: &mut TenantTx, batch: BatchNumber) -> sqlx::Result<Option<RequestNumber>> {
    let partner = tx.partner().clone();
    let number = sqlx::query_scalar!(
        "SELECT number FROM requests WHERE partner_id = $1 AND batch_number = $2 LIMIT 1",
        partner.as_str(),
        batch.0,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(number.map(RequestNumber))
}

/// What Meta last said of the partner's limit and of its app's.
pub async fn limit(tx: &mut TenantTx, now: OffsetDateTime) -> sqlx::Result<Limit> {
    let partner = tx.partner().clone();
    let rows = sqlx::query!(
        r#"
        SELECT floor(least(greatest(used_percent, 0), 100))::int AS used_percent, used_at, wait_until, told_at, cause
        FROM paces WHERE partner_id = $1
        UNION ALL
        SELECT floor(least(greatest(used_percent, 0), 100))::int, used_at, wait_until, told_at, 'throttled'
        FROM app_paces
        "#,
        partner.as_str(),
    )
    .fetch_all(&mut **tx)
    .await?;
    let kept: Vec<KeptLimit> = rows
        .into_iter()
        .map(|row| KeptLimit {
            used: row.used_percent.and_then(|percent| u8::try_from(percent).ok()).zip(row.used_at),
            wait: row.wait_until.zip(row.told_at).map(|(until, since)| Wait {
                until,
                since,
                hold: Hold::from_stored(row.cause.as_deref().unwrap_or_default()),
            }),
        })
        .collect();
    Ok(Limit::of(&kept, now))
}

/// How many batches still have something to claim and aren't paused or cancelled.
pub async fn running(tx: &mut TenantTx) -> sqlx::Result<u64> {
    let partner = tx.partner().clone();
    // From one batch to the next along the index, as a claim does.
    let running = sqlx::query_scalar!(
        r#"
        WITH RECURSIVE open_batches AS (
            (
                SELECT r.batch_number FROM requests r
                WHERE r.partner_id = $1 AND NOT r.alone AND r.state IN ('queued', 'waiting_to_retry')
                ORDER BY r.batch_number LIMIT 1
            )
            UNION ALL
            SELECT (
                SELECT r.batch_number FROM requests r
                WHERE r.partner_id = $1 AND NOT r.alone AND r.state IN ('queued', 'waiting_to_retry')
                  AND r.batch_number > b.batch_number
                ORDER BY r.batch_number LIMIT 1
            )
            FROM open_batches b WHERE b.batch_number IS NOT NULL
        )
        SELECT count(*) AS "running!" FROM open_batches o
        JOIN batches b ON b.batch_number = o.batch_number AND b.paused_at IS NULL AND b.cancelled_at IS NULL
        "#,
        partner.as_str(),
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(count(running))
}

/// Which part of the list of batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// The newest.
    Newest,
    /// Those next older than this one.
    OlderThan(BatchNumber),
    /// Those next newer than this one.
    NewerThan(BatchNumber),
}

/// Batches but for single clicks, drafts included, newest first, `most` of them.
pub async fn list(tx: &mut TenantTx, window: Window, most: i64, now: OffsetDateTime) -> sqlx::Result<Vec<ListedBatch>> {
    let partner = tx.partner().clone();
    let waits = limit(tx, now).await?.wait.is_some();
    let (above, below, ascending) = match window {
        Window::Newest => (0, i64::MAX, false),
        Window::OlderThan(number) => (0, number.0, false),
        Window::NewerThan(number) => (number.0, i64::MAX, true),
    };
    // What is left is counted, not what is done: of a batch that is over, that is nothing.
    let rows = sqlx::query!(
        r#"
        WITH shown AS (
            (SELECT * FROM batches WHERE partner_id = $1 AND source <> 'click' AND batch_number < $2 AND NOT $4
             ORDER BY batch_number DESC LIMIT $5)
            UNION ALL
            (SELECT * FROM batches WHERE partner_id = $1 AND source <> 'click' AND batch_number > $3 AND $4
             ORDER BY batch_number LIMIT $5)
        )
        SELECT b.batch_number AS "batch_number!", b.name AS "name!", b.size AS "size!", b.started_at, b.drafted_at,
            m.name AS member_name, p.name AS "paused_by?", b.cancelled_at, o.n AS "open!", c.n AS "cancelled!",
            NOT EXISTS (SELECT FROM senders($6) AS s WHERE s.member = b.member_id) AS "lacks_token!"
        FROM shown b
        JOIN members m ON m.member_id = b.member_id
        LEFT JOIN members p ON p.member_id = b.paused_by
        CROSS JOIN LATERAL (
            SELECT count(*) AS n FROM requests r WHERE r.partner_id = $1 AND r.batch_number = b.batch_number
                AND r.state IN ('queued', 'sending', 'waiting_to_retry')
        ) o
        CROSS JOIN LATERAL (
            SELECT count(*) AS n FROM requests r WHERE r.partner_id = $1 AND r.batch_number = b.batch_number
                AND r.state = 'cancelled'
        ) c
        ORDER BY b.batch_number DESC
        "#,
        partner.as_str(),
        below,
        above,
        ascending,
        most,
        now,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| ListedBatch {
            number: BatchNumber(row.batch_number),
            name: row.name,
            phase: Phase::of(&Standing {
                started: row.started_at.is_some(),
                open: count(row.open),
                paused_by: row.paused_by.as_deref(),
                cancelled: row.cancelled_at.is_some(),
                lacks_token: row.lacks_token,
                waits,
            }),
            size: count(row.size.into()),
            answered: count(i64::from(row.size) - row.open - row.cancelled),
            member_name: row.member_name,
            at: row.started_at.or(row.drafted_at),
        })
        .collect())
}
