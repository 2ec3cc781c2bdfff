//! What happened to requests, with what Meta answered and where each came from: for timelines.

use super::{
    super::model::{Answered, RequestEvent, RequestNumber, Told, Wished},
    EventRow,
};
use crate::{
    businesses::{Mark, Span},
    db::TenantTx,
    graph::BusinessId,
};

/// A part of what happened to the requests for a business, or to one of them, newest first. Of what Meta answered each event has the
/// answer that made it so.
pub async fn story_of_requests(
    tx: &mut TenantTx,
    business: &BusinessId,
    number: Option<RequestNumber>,
    span: Span,
) -> sqlx::Result<Vec<(Mark, Told)>> {
    let (partner, edge) = (tx.partner().clone(), span.edge());
    let rows = sqlx::query!(
        r#"
        SELECT e.event_id, e.number, e.at, e.state, e.attempt, e.cause, e.retry_at, m.name AS "member_name?",
            CASE WHEN b.source <> 'click' THEN b.batch_number END AS batch, e.solution_id, s.name AS "solution_name?",
            c.call_id AS "call_id?", c.error_code AS "code?", c.error_message AS "message?", c.fbtrace_id AS "fbtrace_id?"
        FROM (
            SELECT e.*, r.batch_number, r.solution_id::text
            FROM requests r JOIN request_events e ON e.partner_id = r.partner_id AND e.number = r.number
            WHERE r.partner_id = $1 AND r.business_id = $2 AND ($3::bigint IS NULL OR r.number = $3)
                AND (e.at, $4::smallint, e.event_id) < ($5, $6, $7) AND e.at >= $8
            ORDER BY e.at DESC, e.event_id DESC
            LIMIT $9
        ) AS e
        LEFT JOIN batches b ON b.batch_number = e.batch_number AND e.state = 'queued'
        LEFT JOIN members m ON m.member_id = e.member_id
        LEFT JOIN LATERAL (
            SELECT name FROM solutions WHERE partner_id = $1 AND solution_id = e.solution_id AND e.state = 'queued' LIMIT 1
        ) AS s ON TRUE
        LEFT JOIN LATERAL (
            SELECT call_id, error_code, error_message, coalesce(fbtrace_id, x_fb_trace_id) AS fbtrace_id FROM graph_calls
            WHERE partner_id = $1 AND number = e.number AND attempt = e.attempt
                AND e.state IN ('requested', 'already_requested', 'taken_by_another_partner', 'waiting_to_retry', 'failed')
            ORDER BY call_id DESC LIMIT 1
        ) AS c ON TRUE
        ORDER BY e.at DESC, e.event_id DESC
        "#,
        partner.as_str(),
        business.as_str(),
        number.map(|number| number.0),
        Mark::REQUEST,
        edge.at,
        edge.rank,
        edge.id,
        span.since(),
        span.most,
    )
    .fetch_all(&mut **tx)
    .await?;
    let story = rows.into_iter().filter_map(|row| {
        let mark = Mark { at: row.at, rank: Mark::REQUEST, id: row.event_id };
        let event = EventRow {
            number: row.number,
            at: row.at,
            state: row.state,
            attempt: row.attempt,
            cause: row.cause,
            retry_at: row.retry_at,
            member_name: row.member_name,
        };
        let event: RequestEvent = event.read()?;
        let wished = Wished { batch: row.batch, solution: row.solution_name.or(row.solution_id) };
        let answer = row.call_id.map(|call_id| Answered {
            call_id,
            code: row.code,
            message: row.message,
            fbtrace_id: row.fbtrace_id,
        });
        Some((mark, Told { event, wished, answer }))
    });
    Ok(story.collect())
}
