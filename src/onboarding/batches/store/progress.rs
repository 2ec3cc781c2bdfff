//! How far a batch is: counts, pace, failures, the latest answers.

use time::{Duration, OffsetDateTime};

use super::{
    super::{
        model::{Answered, BatchNumber, Counts, Example, Failures, Pulse, RETRIES_COUNTED},
        pace::{MINUTES, Minutes},
    },
    count, find_batch, limit,
};
use crate::{db::TenantTx, onboarding::model::RequestNumber};

/// Everything by which a page knows that it is out of date, and what stands on top of it.
pub async fn pulse(tx: &mut TenantTx, number: BatchNumber, now: OffsetDateTime) -> sqlx::Result<Option<Pulse>> {
    let Some(batch) = find_batch(tx, number, now).await? else { return Ok(None) };
    let partner = tx.partner().clone();
    // Counted last: what is older than the counts is counted again when somebody tells of it.
    let answered_at = sqlx::query_scalar!(
        "SELECT max(changed_at) FROM requests
         WHERE partner_id = $1 AND batch_number = $2 AND NOT alone AND state NOT IN ('queued', 'sending', 'cancelled')",
        partner.as_str(),
        number.0,
    )
    .fetch_one(&mut **tx)
    .await?;
    let limit = limit(tx, now).await?;
    Ok(Some(Pulse { counts: counts(tx, number).await?, batch, limit, answered_at }))
}

/// Requests by state.
async fn counts(tx: &mut TenantTx, number: BatchNumber) -> sqlx::Result<Counts> {
    let partner = tx.partner().clone();
    let rows = sqlx::query!(
        r#"SELECT state, count(*) AS "n!" FROM requests WHERE partner_id = $1 AND batch_number = $2 GROUP BY state"#,
        partner.as_str(),
        number.0,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(Counts::new(rows.into_iter().filter_map(|row| Some((row.state.parse().ok()?, count(row.n))))))
}

/// Answers of the last minutes.
pub async fn minutes(tx: &mut TenantTx, number: BatchNumber, now: OffsetDateTime) -> sqlx::Result<Minutes> {
    let partner = tx.partner().clone();
    let since = now - Duration::minutes(i64::try_from(MINUTES).unwrap_or(i64::MAX));
    // A row changes again when its business signs, so its last change only bounds when it was answered.
    let rows = sqlx::query!(
        r#"
        SELECT greatest(floor(extract(epoch FROM $4 - at) / 60), 0)::int AS "ago!", count(*) AS "n!"
        FROM (
            SELECT coalesce(answered_at, failed_at, accepted_at) AS at FROM requests
            WHERE partner_id = $1 AND batch_number = $2 AND NOT alone AND state NOT IN ('queued', 'sending', 'cancelled')
              AND state <> 'waiting_to_retry' AND changed_at > $3
        ) AS answered
        WHERE at > $3
        GROUP BY 1
        "#,
        partner.as_str(),
        number.0,
        since,
        now,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(Minutes::new(rows.into_iter().map(|row| (usize::try_from(row.ago).unwrap_or_default(), count(row.n)))))
}

/// Failures by cause, the most frequent first.
pub async fn failures(tx: &mut TenantTx, number: BatchNumber) -> sqlx::Result<Vec<Failures>> {
    let partner = tx.partner().clone();
    let rows = sqlx::query!(
        r#"
        SELECT f.cause AS "cause!", f.n AS "n!", again.n AS "retriable!", c.call_id AS "call_id?", c.error_code AS "code?",
            c.error_subcode AS "subcode?", c.error_message AS "message?", c.error_user_message AS "user_message?",
            coalesce(c.fbtrace_id, c.x_fb_trace_id) AS "fbtrace_id?"
        FROM (
            SELECT cause, count(*) AS n, max(number) AS newest FROM requests
            WHERE partner_id = $1 AND batch_number = $2 AND state = 'failed' AND cause IS NOT NULL
            GROUP BY cause
        ) f
        CROSS JOIN LATERAL (
            SELECT count(*) AS n FROM (
                SELECT FROM requests r
                JOIN businesses b ON b.partner_id = r.partner_id AND b.business_id = r.business_id
                WHERE r.partner_id = $1 AND r.batch_number = $2 AND r.state = 'failed' AND r.cause = f.cause
                  AND b.last_request_number = r.number AND b.left_at IS NULL
                  AND b.standing NOT IN ('not_eligible', 'taken_by_another_partner', 'accepted', 'ready')
                LIMIT $3
            ) AS found
        ) again
        LEFT JOIN LATERAL (
            SELECT * FROM graph_calls g
            WHERE g.partner_id = $1 AND g.number = f.newest AND (g.error_code IS NOT NULL OR g.error_message IS NOT NULL)
            ORDER BY g.call_id DESC LIMIT 1
        ) c ON TRUE
        ORDER BY f.n DESC, f.cause
        "#,
        partner.as_str(),
        number.0,
        i64::try_from(RETRIES_COUNTED).unwrap_or(i64::MAX),
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Failures {
            cause: row.cause,
            count: count(row.n),
            retriable: count(row.retriable),
            example: row.call_id.map(|_| Example {
                code: row.code,
                subcode: row.subcode,
                message: row.message,
                user_message: row.user_message,
                fbtrace_id: row.fbtrace_id,
            }),
        })
        .collect())
}

/// What was answered last, or put off, newest first.
pub async fn latest(tx: &mut TenantTx, number: BatchNumber, most: i64) -> sqlx::Result<Vec<Answered>> {
    let partner = tx.partner().clone();
    let rows = sqlx::query!(
        r#"
        SELECT r.number, r.business_id::text AS "business_id!", b.name AS "business_name?", r.state, r.meta_request_id,
            r.cause, r.changed_at
        FROM (
            SELECT * FROM requests
            WHERE partner_id = $1 AND batch_number = $2 AND NOT alone AND state NOT IN ('queued', 'sending', 'cancelled')
            ORDER BY changed_at DESC
            LIMIT $3
        ) r
        LEFT JOIN businesses b ON b.partner_id = r.partner_id AND b.business_id = r.business_id
        ORDER BY r.changed_at DESC, r.number DESC
        "#,
        partner.as_str(),
        number.0,
        most,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            Some(Answered {
                number: RequestNumber(row.number),
                business_name: row.business_name.unwrap_or_else(|| row.business_id.clone()),
                business_id: row.business_id,
                state: row.state.parse().ok()?,
                meta_request_id: row.meta_request_id,
                cause: row.cause,
                changed_at: row.changed_at,
            })
        })
        .collect())
}

/// The last batches in which failures of this one were tried again, oldest first.
pub async fn retries_of(tx: &mut TenantTx, number: BatchNumber) -> sqlx::Result<Vec<BatchNumber>> {
    let partner = tx.partner().clone();
    let numbers = sqlx::query_scalar!(
        "SELECT batch_number FROM batches
         WHERE partner_id = $1 AND retry_of = $2 AND batch_number > $2 AND source <> 'click'
         ORDER BY batch_number DESC LIMIT 50",
        partner.as_str(),
        number.0,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(numbers.into_iter().rev().map(BatchNumber).collect())
}
