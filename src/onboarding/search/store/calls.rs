//! The calls made for requests: those of the newest request first, and of a request the newest first.

use sqlx::FromRow;
use time::OffsetDateTime;

use super::{
    Filter, Window,
    conditions::{Sql, push_call_conditions},
    numbers_of_page,
};
use crate::{db::TenantTx, onboarding::model::RequestNumber};

/// One row of the list of calls.
#[derive(Clone, Debug, FromRow)]
pub struct CallRow {
    pub number: i64,
    pub call_id: i64,
    pub business_id: String,
    pub business_name: String,
    pub started_at: OffsetDateTime,
    pub operation: String,
    pub attempt: i32,
    pub http_status: Option<i16>,
    pub failure: Option<String>,
    pub code: Option<i64>,
    pub subcode: Option<i64>,
    pub message: Option<String>,
    pub fbtrace_id: Option<String>,
    pub x_fb_request_id: Option<String>,
    pub duration_ms: i32,
    pub member_name: String,
}

/// A page of calls: older than the call at `after`, or the newest, at most `most`.
pub async fn calls_of_page(
    tx: &mut TenantTx,
    filter: &Filter,
    after: Option<(RequestNumber, i64)>,
    most: i64,
) -> sqlx::Result<Vec<CallRow>> {
    let window =
        after.map_or(Window::Newest, |(number, _)| Window::OlderThan(RequestNumber(number.0.saturating_add(1))));
    // Each of these has a call that fits; the request that the last page ended in may have no more of them.
    let numbers = numbers_of_page(tx, filter, window, most + 1).await?;
    let mut q = Sql::new(
        "SELECT c.number, c.call_id, r.business_id::text, coalesce(b.name, r.business_id) AS business_name, c.started_at, c.operation,
            coalesce(c.attempt, 0) AS attempt, c.http_status, c.failure, c.error_code AS code, c.error_subcode AS subcode,
            c.error_message AS message, coalesce(c.fbtrace_id, c.x_fb_trace_id) AS fbtrace_id, c.x_fb_request_id, c.duration_ms,
            m.name AS member_name
        FROM graph_calls c
        JOIN requests r ON r.number = c.number AND r.partner_id = c.partner_id
        JOIN members m ON m.member_id = r.member_id
        LEFT JOIN businesses b ON b.partner_id = r.partner_id AND b.business_id = r.business_id
        WHERE c.partner_id = ",
    );
    q.push_bind(tx.partner().as_str().to_owned()).push(" AND c.number = ANY(").push_bind(numbers).push(")");
    if let Some((number, call)) = after {
        q.push(" AND (c.number, c.call_id) < (").push_bind(number.0).push(", ").push_bind(call).push(")");
    }
    push_call_conditions(&mut q, filter, true);
    q.push(" ORDER BY c.number DESC, c.call_id DESC LIMIT ").push_bind(most);
    q.build_query_as().fetch_all(&mut **tx).await
}
