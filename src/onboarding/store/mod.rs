//! All SQL of requests and batches. Here: one request with its story and its calls.
//!
//! Every function works inside the caller's tenant transaction. After each change of state the businesses touched get their
//! standing refreshed in the same transaction, so that a list and a request's page never disagree.

mod dispatch;
mod paces;
mod polls;
mod progress;
mod story;
mod wishes;

use time::OffsetDateTime;

use super::model::{AttemptCall, Request, RequestEvent, RequestNumber, State};
use crate::{
    businesses,
    db::TenantTx,
    graph::{BusinessId, SolutionId},
};

#[cfg(test)]
pub use self::dispatch::claim_due;
pub use self::{
    dispatch::{Claimed, Outcome, Picked, Room, claim, interrupted, next_due, pick, resume_after_sign_in, save},
    paces::{find_start, save_pace},
    polls::{
        Asked, Due, Waits, Wanted, dispatch_has_work, due, enrol, forget, is_polled, keep_request_statuses,
        last_polled, make_due, next_poll, open_meta_ids, reschedule,
    },
    progress::{advance, behind},
    story::story_of_requests,
    wishes::{Queued, cancel, hold_starts, queue, stop_overtaken},
};

async fn refresh_standing(tx: &mut TenantTx, touched: &[String]) -> sqlx::Result<()> {
    let touched: Vec<BusinessId> = touched.iter().cloned().map(BusinessId::from_stored).collect();
    businesses::refresh_standing(tx, &touched).await
}

/// One request; `None` when there is none of that number, or it's another partner's.
pub async fn find_request(tx: &mut TenantTx, number: RequestNumber) -> sqlx::Result<Option<Request>> {
    let partner = tx.partner().clone();
    let row = sqlx::query!(
        r#"
        SELECT r.number, r.business_id::text AS "business_id!", b.name AS "business_name?", r.solution_id::text,
            s.name AS "solution_name?", r.member_id, m.name AS member_name, r.state, r.attempts, r.doubtful, r.cause,
            r.meta_request_id, r.meta_request_status, r.queued_at, r.retry_at, r.changed_at, r.answered_at,
            t.member_id IS NOT NULL AND t.problem IS NULL AS "token_works!", t.expires_at AS "token_expires_at?"
        FROM requests r
        JOIN members m ON m.member_id = r.member_id
        LEFT JOIN tokens t ON t.partner_id = r.partner_id AND t.member_id = r.member_id
        LEFT JOIN businesses b ON b.partner_id = r.partner_id AND b.business_id = r.business_id
        LEFT JOIN LATERAL (
            SELECT s.name FROM solutions s WHERE s.partner_id = r.partner_id AND s.solution_id = r.solution_id LIMIT 1
        ) s ON TRUE
        WHERE r.partner_id = $1 AND r.number = $2
        "#,
        partner.as_str(),
        number.0,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.and_then(|row| {
        Some(Request {
            number: RequestNumber(row.number),
            business_name: row.business_name.unwrap_or_else(|| row.business_id.clone()),
            business_id: BusinessId::from_stored(row.business_id),
            solution_id: row.solution_id.map(SolutionId::from_stored),
            solution_name: row.solution_name,
            member_id: row.member_id,
            member_name: row.member_name,
            token_works: row.token_works,
            token_expires_at: row.token_expires_at,
            state: row.state.parse().ok()?,
            attempts: row.attempts,
            doubtful: row.doubtful,
            cause: row.cause,
            meta_request_id: row.meta_request_id,
            meta_request_status: row.meta_request_status,
            queued_at: row.queued_at,
            retry_at: row.retry_at,
            changed_at: row.changed_at,
            answered_at: row.answered_at,
        })
    }))
}

/// The state alone: what a click waits for.
pub async fn state_of(tx: &mut TenantTx, number: RequestNumber) -> sqlx::Result<Option<State>> {
    let partner = tx.partner().clone();
    let state = sqlx::query_scalar!(
        "SELECT state FROM requests WHERE partner_id = $1 AND number = $2",
        partner.as_str(),
        number.0
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(state.and_then(|state| state.parse().ok()))
}

/// The newest request for a business after that one, and how it stands.
pub async fn newer_request(
    tx: &mut TenantTx,
    business: &BusinessId,
    than: RequestNumber,
) -> sqlx::Result<Option<(RequestNumber, State)>> {
    let partner = tx.partner().clone();
    let row = sqlx::query!(
        "SELECT number, state FROM requests WHERE partner_id = $1 AND business_id = $2 AND number > $3 ORDER BY number DESC LIMIT 1",
        partner.as_str(),
        business.as_str(),
        than.0,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.and_then(|row| Some((RequestNumber(row.number), row.state.parse().ok()?))))
}

/// A line of `request_events` with the name of whoever did it.
struct EventRow {
    number: i64,
    at: OffsetDateTime,
    state: String,
    attempt: i32,
    cause: Option<String>,
    retry_at: Option<OffsetDateTime>,
    member_name: Option<String>,
}

impl EventRow {
    fn read(self) -> Option<RequestEvent> {
        Some(RequestEvent {
            number: RequestNumber(self.number),
            at: self.at,
            state: self.state.parse().ok()?,
            attempt: self.attempt,
            cause: self.cause,
            retry_at: self.retry_at,
            member_name: self.member_name,
        })
    }
}

/// Everything a request has been, oldest first.
pub async fn events_of(tx: &mut TenantTx, number: RequestNumber) -> sqlx::Result<Vec<RequestEvent>> {
    let partner = tx.partner().clone();
    let rows = sqlx::query_as!(
        EventRow,
        r#"
        SELECT e.number, e.at, e.state, e.attempt, e.cause, e.retry_at, m.name AS "member_name?"
        FROM request_events e LEFT JOIN members m ON m.member_id = e.member_id
        WHERE e.partner_id = $1 AND e.number = $2
        ORDER BY e.event_id
        "#,
        partner.as_str(),
        number.0,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().filter_map(EventRow::read).collect())
}

/// The calls made for a request, newest first, from the record support keeps.
pub async fn calls_of(tx: &mut TenantTx, number: RequestNumber) -> sqlx::Result<Vec<AttemptCall>> {
    let partner = tx.partner().clone();
    sqlx::query_as!(
        AttemptCall,
        r#"
        SELECT call_id, coalesce(attempt, 0) AS "attempt!", operation, started_at, duration_ms, http_status, failure,
            error_code AS code, error_subcode AS subcode, error_message AS message, error_user_title AS user_title,
            error_user_message AS user_message, coalesce(fbtrace_id, x_fb_trace_id) AS fbtrace_id, x_fb_request_id,
            graph_version, app_id, body, body_dropped_at IS NOT NULL AS "is_body_dropped!"
        FROM graph_calls
        WHERE partner_id = $1 AND number = $2
        ORDER BY call_id DESC
        LIMIT 100
        "#,
        partner.as_str(),
        number.0,
    )
    .fetch_all(&mut **tx)
    .await
}
