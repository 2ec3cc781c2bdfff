//! The list of requests, paged by number.

use time::OffsetDateTime;

use super::super::model::{RequestNumber, State};
use crate::{
    db::TenantTx,
    graph::{Cause, SolutionId},
};

/// One row of the list of requests.
#[derive(Clone, Debug)]
pub struct ListedRequest {
    pub number: RequestNumber,
    pub business_name: String,
    pub state: State,
    pub meta_request_id: Option<String>,
    pub solution_id: Option<SolutionId>,
    /// The solution's name, while we know it.
    pub solution_name: Option<String>,
    pub member_name: String,
    pub queued_at: OffsetDateTime,
    pub answered_at: Option<OffsetDateTime>,
    /// A WABA of a business that signed lacks a payment method.
    pub needs_payment: bool,
    /// One is being set up by Meta.
    pub setting_up: bool,
    pub cause: Option<String>,
    /// Code of the last error Graph gave.
    pub code: Option<i64>,
}

/// Which part of the list of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// The newest.
    Newest,
    /// Those next older than this one.
    OlderThan(RequestNumber),
    /// Those next newer than this one.
    NewerThan(RequestNumber),
}

/// Which requests are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter<'a> {
    /// All of them.
    All,
    /// Those in one of these states, and those that wait for an admin since before then.
    Any { states: &'a [State], stalled_before: Option<OffsetDateTime> },
}

/// Whose requests are listed, whatever their state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Within {
    /// Only those of this batch.
    pub batch: Option<i64>,
    /// Only those that wait or failed for this reason.
    pub cause: Option<Cause>,
}

/// Requests that pass the filter, newest first, `most` of them.
pub async fn list_requests(
    tx: &mut TenantTx,
    filter: Filter<'_>,
    within: Within,
    window: Window,
    most: i64,
) -> sqlx::Result<Vec<ListedRequest>> {
    let partner = tx.partner().clone();
    let numbers = match within {
        Within { batch: None, cause: None } => window_of(tx, filter, window, most).await?,
        _ => window_within(tx, filter, within, window, most).await?,
    };
    let rows = sqlx::query!(
        r#"
        SELECT r.number, r.business_id::text AS "business_id!", b.name AS "business_name?", r.state, r.meta_request_id,
            r.solution_id::text, s.name AS "solution_name?", m.name AS member_name, r.queued_at, r.answered_at,
            coalesce(r.state = 'accepted' AND b.needs_payment, FALSE) AS "needs_payment!",
            coalesce(r.state = 'accepted' AND b.setting_up, FALSE) AS "setting_up!", r.cause, c.error_code AS "code?"
        FROM requests r
        JOIN members m ON m.member_id = r.member_id
        LEFT JOIN businesses b ON b.partner_id = r.partner_id AND b.business_id = r.business_id
        LEFT JOIN solutions s ON s.partner_id = r.partner_id AND s.solution_id = r.solution_id
        LEFT JOIN LATERAL (
            SELECT error_code FROM graph_calls c
            WHERE c.partner_id = r.partner_id AND c.number = r.number AND r.state IN ('failed', 'waiting_to_retry')
            ORDER BY c.call_id DESC LIMIT 1
        ) c ON TRUE
        WHERE r.partner_id = $1 AND r.number = ANY($2)
        ORDER BY r.number DESC
        "#,
        partner.as_str(),
        &numbers,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            Some(ListedRequest {
                number: RequestNumber(row.number),
                business_name: row.business_name.unwrap_or(row.business_id),
                state: row.state.parse().ok()?,
                meta_request_id: row.meta_request_id,
                solution_id: row.solution_id.map(SolutionId::from_stored),
                solution_name: row.solution_name,
                member_name: row.member_name,
                queued_at: row.queued_at,
                answered_at: row.answered_at,
                needs_payment: row.needs_payment,
                setting_up: row.setting_up,
                cause: row.cause,
                code: row.code,
            })
        })
        .collect())
}

/// The numbers of one window: found by index, so that only the rows shown are joined.
async fn window_of(tx: &mut TenantTx, filter: Filter<'_>, window: Window, most: i64) -> sqlx::Result<Vec<i64>> {
    let partner = tx.partner().clone();
    let (all, states, stalled_before) = match filter {
        Filter::All => (true, &[] as &[State], None),
        Filter::Any { states, stalled_before } => (false, states, stalled_before),
    };
    let states: Vec<String> = states.iter().map(|state| state.as_str().to_owned()).collect();
    if let Window::NewerThan(number) = window {
        return sqlx::query_scalar!(
            "SELECT number FROM requests
             WHERE partner_id = $1 AND number > $2
               AND ($3 OR state = ANY($4::text[]) OR (state IN ('requested', 'already_requested') AND answered_at < $5))
             ORDER BY number LIMIT $6",
            partner.as_str(),
            number.0,
            all,
            &states,
            stalled_before,
            most,
        )
        .fetch_all(&mut **tx)
        .await;
    }
    let below = if let Window::OlderThan(number) = window { number.0 } else { i64::MAX };
    sqlx::query_scalar!(
        "SELECT number FROM requests
         WHERE partner_id = $1 AND number < $2
           AND ($3 OR state = ANY($4::text[]) OR (state IN ('requested', 'already_requested') AND answered_at < $5))
         ORDER BY number DESC LIMIT $6",
        partner.as_str(),
        below,
        all,
        &states,
        stalled_before,
        most,
    )
    .fetch_all(&mut **tx)
    .await
}

/// The same within a batch, or for one cause: found by the batch's index, or among the states asked for.
async fn window_within(
    tx: &mut TenantTx,
    filter: Filter<'_>,
    within: Within,
    window: Window,
    most: i64,
) -> sqlx::Result<Vec<i64>> {
    let partner = tx.partner().clone();
    let (states, stalled_before) = match filter {
        Filter::All => (&State::ALL[..], None),
        Filter::Any { states, stalled_before } => (states, stalled_before),
    };
    let states: Vec<String> = states.iter().map(|state| state.as_str().to_owned()).collect();
    let (above, below, ascending) = match window {
        Window::Newest => (0, i64::MAX, false),
        Window::OlderThan(number) => (0, number.0, false),
        Window::NewerThan(number) => (number.0, i64::MAX, true),
    };
    sqlx::query_scalar!(
        "SELECT number FROM requests
         WHERE partner_id = $1 AND ($2::bigint IS NULL OR batch_number = $2) AND ($3::text IS NULL OR cause = $3)
           AND number > $4 AND number < $5
           AND (state = ANY($6::text[]) OR (state IN ('requested', 'already_requested') AND answered_at < $7))
         ORDER BY CASE WHEN $8 THEN number ELSE -number END LIMIT $9",
        partner.as_str(),
        within.batch,
        within.cause.map(Cause::as_str),
        above,
        below,
        &states,
        stalled_before,
        ascending,
        most,
    )
    .fetch_all(&mut **tx)
    .await
}
