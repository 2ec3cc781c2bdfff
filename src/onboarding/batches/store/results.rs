//! What became of each row of a batch, as a stream: any number of rows, one after the other.

use futures::{Stream, TryStreamExt};
use time::OffsetDateTime;

use super::super::model::BatchNumber;
use crate::db::TenantTx;

/// One line of the results.
#[derive(Clone, Debug)]
pub struct ResultLine {
    /// As given, where it's no business we know.
    pub business_id: String,
    pub business_name: Option<String>,
    /// A state of a request, or `skipped`.
    pub state: String,
    pub meta_request_id: Option<String>,
    /// Our number; `None` for what was skipped.
    pub number: Option<i64>,
    /// Why it failed, waits or was skipped.
    pub cause: Option<String>,
    pub code: Option<i64>,
    pub subcode: Option<i64>,
    pub fbtrace_id: Option<String>,
    pub queued_at: Option<OffsetDateTime>,
    /// When it was settled one way or the other.
    pub answered_at: Option<OffsetDateTime>,
    pub attempts: Option<i32>,
}

/// The requests by number, then the rows that made none, by line. The whole comes from one statement, and so from one moment.
pub fn results(
    tx: &mut TenantTx,
    number: BatchNumber,
) -> impl Stream<Item = sqlx::Result<ResultLine>> + Send + use<'_> {
    let partner = tx.partner().clone();
    sqlx::query_as!(
        ResultLine,
        r#"
        SELECT business_id AS "business_id!", business_name, state AS "state!", meta_request_id, number, cause, code, subcode,
            fbtrace_id, queued_at, answered_at, attempts
        FROM (
            SELECT 1 AS part, r.number AS place, r.business_id::text AS business_id, b.name AS business_name, r.state,
                r.meta_request_id, r.number, r.cause, c.error_code AS code, c.error_subcode AS subcode,
                coalesce(c.fbtrace_id, c.x_fb_trace_id) AS fbtrace_id, r.queued_at,
                coalesce(r.answered_at, r.failed_at, r.accepted_at) AS answered_at, r.attempts
            FROM requests r
            LEFT JOIN businesses b ON b.partner_id = r.partner_id AND b.business_id = r.business_id
            LEFT JOIN LATERAL (
                SELECT g.error_code, g.error_subcode, g.fbtrace_id, g.x_fb_trace_id FROM graph_calls g
                WHERE g.partner_id = r.partner_id AND g.number = r.number
                  AND r.state IN ('failed', 'waiting_to_retry', 'taken_by_another_partner')
                ORDER BY g.call_id DESC LIMIT 1
            ) c ON TRUE
            WHERE r.partner_id = $1 AND r.batch_number = $2
            UNION ALL
            SELECT 2, w.line, coalesce(w.business_id::text, w.given), b.name, 'skipped', NULL, NULL,
                CASE WHEN w.left_out THEN 'left_out' ELSE w.finding END, NULL, NULL, NULL, NULL, NULL, NULL
            FROM batch_rows w
            LEFT JOIN businesses b ON b.partner_id = w.partner_id AND b.business_id = w.business_id
            WHERE w.partner_id = $1 AND w.batch_number = $2
              AND (w.left_out OR w.finding NOT IN ('eligible', 'unsaid', 'waba_id'))
        ) AS lines
        ORDER BY part, place
        "#,
        partner.as_str().to_owned(),
        number.0,
    )
    .fetch(&mut **tx)
    .map_ok(|line| line)
}
