//! What ids mean: calls, requests and businesses, each kind asked for once however many ids there are.

use time::OffsetDateTime;

use super::CallLine;
use crate::{db::TenantTx, graph::BusinessId, onboarding::RequestNumber};

/// The most of a kind that are listed. One more is looked for, so that it is known whether there are.
pub const MOST_FOUND: i64 = 50;

/// Calls that Meta named so, by `fbtrace_id` or `x-fb-request-id`, newest first, at most one more than [`MOST_FOUND`].
pub async fn calls_by_traces(tx: &mut TenantTx, traces: &[String]) -> sqlx::Result<Vec<CallLine>> {
    let partner = tx.partner().clone();
    sqlx::query_as!(
        CallLine,
        r#"
        SELECT call_id, attempt, operation, fbtrace_id, started_at, http_status, failure, error_code AS code, error_message AS message
        FROM graph_calls
        WHERE partner_id = $1 AND call_id IN (
            SELECT call_id FROM graph_calls WHERE partner_id = $1 AND fbtrace_id = ANY($2)
            UNION
            SELECT call_id FROM graph_calls WHERE partner_id = $1 AND x_fb_request_id = ANY($2)
        )
        ORDER BY call_id DESC
        LIMIT $3
        "#,
        partner.as_str() as _,
        traces,
        MOST_FOUND + 1,
    )
    .fetch_all(&mut **tx)
    .await
}

/// Calls to these nodes, newest first, at most ten.
pub async fn calls_to(tx: &mut TenantTx, subjects: &[String]) -> sqlx::Result<Vec<CallLine>> {
    let partner = tx.partner().clone();
    sqlx::query_as!(
        CallLine,
        r#"
        SELECT c.call_id AS "call_id!", c.attempt, c.operation AS "operation!", c.fbtrace_id, c.started_at AS "started_at!", c.http_status, c.failure,
            c.code, c.message
        FROM unnest($2::text[]) AS subject, LATERAL (
            SELECT call_id, attempt, operation, fbtrace_id, started_at, http_status, failure, error_code AS code, error_message AS message
            FROM graph_calls
            WHERE partner_id = $1 AND subject_id = subject
            ORDER BY call_id DESC
            LIMIT 10
        ) AS c
        ORDER BY c.call_id DESC
        LIMIT 10
        "#,
        partner.as_str() as _,
        subjects,
    )
    .fetch_all(&mut **tx)
    .await
}

/// The calls made for a request, newest first, at most a hundred.
pub async fn calls_of_request(tx: &mut TenantTx, number: RequestNumber) -> sqlx::Result<Vec<CallLine>> {
    let partner = tx.partner().clone();
    sqlx::query_as!(
        CallLine,
        r#"
        SELECT call_id, attempt, operation, fbtrace_id, started_at, http_status, failure, error_code AS code, error_message AS message
        FROM graph_calls
        WHERE partner_id = $1 AND number = $2
        ORDER BY call_id DESC
        LIMIT 100
        "#,
        partner.as_str() as _,
        number.0,
    )
    .fetch_all(&mut **tx)
    .await
}

/// A request as one line of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestLine {
    pub number: RequestNumber,
    pub business_id: BusinessId,
    /// The business's name; `None` if we don't know the business any more.
    pub business_name: Option<String>,
    /// Its stable name.
    pub state: String,
    pub queued_at: OffsetDateTime,
}

/// Requests of these numbers of ours or with these ids of Meta's, newest first, at most one more than [`MOST_FOUND`]. Meta gives one id to every request for the
/// same business, so there may be several.
pub async fn requests_by_ids(
    tx: &mut TenantTx,
    numbers: &[RequestNumber],
    meta_request_ids: &[String],
) -> sqlx::Result<Vec<RequestLine>> {
    let partner = tx.partner().clone();
    let numbers: Vec<i64> = numbers.iter().map(|number| number.0).collect();
    let rows = sqlx::query!(
        r#"
        SELECT r.number, r.business_id AS "business_id!: String", b.name AS "business_name?", r.state, r.queued_at
        FROM requests r
        LEFT JOIN businesses b ON b.partner_id = r.partner_id AND b.business_id = r.business_id
        WHERE r.partner_id = $1 AND r.number IN (
            SELECT number FROM requests WHERE partner_id = $1 AND number = ANY($2)
            UNION
            SELECT number FROM requests WHERE partner_id = $1 AND meta_request_id = ANY($3)
        )
        ORDER BY r.number DESC
        LIMIT $4
        "#,
        partner.as_str() as _,
        &numbers,
        meta_request_ids,
        MOST_FOUND + 1,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| RequestLine {
            number: RequestNumber(row.number),
            business_id: BusinessId::from_stored(row.business_id),
            business_name: row.business_name,
            state: row.state,
            queued_at: row.queued_at,
        })
        .collect())
}

/// Which of the ids are a business's or a WABA's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub business_id: String,
    /// The WABA's id that was asked for; `None`: it was the business's own.
    pub waba_id: Option<String>,
}

/// Businesses with these ids, or whose WABA has one of them: those found by their own id first, each once; at most one
/// more than [`MOST_FOUND`].
pub async fn known_businesses(tx: &mut TenantTx, ids: &[String]) -> sqlx::Result<Vec<Known>> {
    let partner = tx.partner().clone();
    sqlx::query_as!(
        Known,
        r#"
        SELECT DISTINCT ON (business_id) business_id AS "business_id!: String", waba_id AS "waba_id?: String"
        FROM (
            SELECT business_id, NULL AS waba_id FROM businesses WHERE partner_id = $1 AND business_id = ANY($2)
            UNION ALL
            SELECT business_id, waba_id FROM wabas WHERE partner_id = $1 AND waba_id = ANY($2)
        ) AS either
        ORDER BY business_id, waba_id NULLS FIRST
        LIMIT $3
        "#,
        partner.as_str() as _,
        ids as _,
        MOST_FOUND + 1,
    )
    .fetch_all(&mut **tx)
    .await
}
