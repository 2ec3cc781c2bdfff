//! What is shown of each request: joined for the rows of a page alone.

use time::OffsetDateTime;

use super::numbers::walk_in_order;
use crate::{
    db::TenantTx,
    onboarding::model::{RequestNumber, State},
};

/// One row of the list of requests.
#[derive(Clone, Debug)]
pub struct RequestRow {
    pub number: RequestNumber,
    pub business_id: String,
    pub business_name: String,
    pub country: Option<String>,
    pub state: State,
    pub meta_request_id: Option<String>,
    pub solution_id: Option<String>,
    /// The solution's name, while we know it.
    pub solution_name: Option<String>,
    pub member_name: String,
    pub batch_number: i64,
    pub attempts: i32,
    pub queued_at: OffsetDateTime,
    pub answered_at: Option<OffsetDateTime>,
    pub changed_at: OffsetDateTime,
    /// A WABA of a business that signed lacks a payment method.
    pub needs_payment: bool,
    /// One is being set up by Meta.
    pub setting_up: bool,
    pub cause: Option<String>,
    /// Of the last error Graph gave.
    pub code: Option<i64>,
    pub subcode: Option<i64>,
    pub fbtrace_id: Option<String>,
}

/// When a request was asked for; of a number that is none's, when the next one before was.
pub async fn when_asked(tx: &mut TenantTx, number: RequestNumber) -> sqlx::Result<Option<OffsetDateTime>> {
    let partner = tx.partner().clone();
    sqlx::query_scalar!(
        "SELECT queued_at FROM requests WHERE partner_id = $1 AND number <= $2 ORDER BY partner_id, number DESC LIMIT 1",
        partner.as_str() as _,
        number.0,
    )
    .fetch_optional(&mut **tx)
    .await
}

/// These requests, newest first.
pub async fn rows_of(tx: &mut TenantTx, numbers: &[i64]) -> sqlx::Result<Vec<RequestRow>> {
    let partner = tx.partner().clone();
    walk_in_order(tx, true).await?;
    let rows = sqlx::query!(
        r#"
        SELECT r.number, r.business_id::text AS "business_id!", b.name AS "business_name?", b.country AS "country?", r.state,
            r.meta_request_id, r.solution_id::text, s.name AS "solution_name?", m.name AS member_name, r.batch_number, r.attempts,
            r.queued_at, r.answered_at, r.changed_at, coalesce(r.state = 'accepted' AND b.needs_payment, FALSE) AS "needs_payment!",
            coalesce(r.state = 'accepted' AND b.setting_up, FALSE) AS "setting_up!", r.cause, c.error_code AS "code?", c.error_subcode AS "subcode?",
            c.trace AS "fbtrace_id?"
        FROM unnest($2::bigint[]) AS asked (number), LATERAL (
            SELECT * FROM requests q WHERE q.partner_id = $1 AND q.number = asked.number OFFSET 0
        ) AS r
        JOIN members m ON m.member_id = r.member_id
        LEFT JOIN LATERAL (
            SELECT name, country, needs_payment, setting_up FROM businesses x WHERE x.partner_id = $1 AND x.business_id = r.business_id OFFSET 0
        ) AS b ON TRUE
        LEFT JOIN solutions s ON s.partner_id = r.partner_id AND s.solution_id = r.solution_id
        LEFT JOIN LATERAL (
            SELECT error_code, error_subcode, coalesce(fbtrace_id, x_fb_trace_id) AS trace FROM graph_calls g
            WHERE g.partner_id = $1 AND g.number IS NOT NULL AND g.number = r.number AND r.state IN ('failed', 'waiting_to_retry', 'taken_by_another_partner')
            ORDER BY g.call_id DESC LIMIT 1
        ) AS c ON TRUE
        ORDER BY r.number DESC
        "#,
        partner.as_str() as _,
        numbers,
    )
    .fetch_all(&mut **tx)
    .await?;
    walk_in_order(tx, false).await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            Some(RequestRow {
                number: RequestNumber(row.number),
                business_name: row.business_name.unwrap_or_else(|| row.business_id.clone()),
                business_id: row.business_id,
                country: row.country,
                state: row.state.parse().ok()?,
                meta_request_id: row.meta_request_id,
                solution_id: row.solution_id,
                solution_name: row.solution_name,
                member_name: row.member_name,
                batch_number: row.batch_number,
                attempts: row.attempts,
                queued_at: row.queued_at,
                answered_at: row.answered_at,
                changed_at: row.changed_at,
                needs_payment: row.needs_payment,
                setting_up: row.setting_up,
                cause: row.cause,
                code: row.code,
                subcode: row.subcode,
                fbtrace_id: row.fbtrace_id,
            })
        })
        .collect())
}
