//! Calls to Meta by their own time, the newest first: those made for requests and, where nothing is asked of a request, those of syncs,
//! polls and sign-ins beside them.
//!
//! As with requests a page costs a bounded number of rows: [`look_at_calls`] says how far it came.

use sqlx::FromRow;
use time::OffsetDateTime;

use super::{
    FILE_BUDGET, Filter,
    conditions::{Sql, push_call_conditions, push_parts, push_request_conditions},
    numbers::walk_in_order,
};
use crate::db::TenantTx;

/// One row of the list of calls.
#[derive(Clone, Debug, FromRow)]
pub struct CallRow {
    /// The request it was made for.
    pub number: Option<i64>,
    pub call_id: i64,
    /// The business and its name, as the next, are the request's.
    pub business_id: Option<String>,
    pub business_name: Option<String>,
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
    pub member_name: Option<String>,
}

impl CallRow {
    /// Where it stands in the list.
    pub fn place(&self) -> CallPlace {
        CallPlace { at: self.started_at, call_id: self.call_id }
    }
}

/// A place in the list of calls: when a call left, and which of that instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct CallPlace {
    #[sqlx(rename = "started_at")]
    pub at: OffsetDateTime,
    pub call_id: i64,
}

/// What was found of a page.
#[derive(Clone, Debug)]
pub struct LookedAtCalls {
    pub rows: Vec<CallRow>,
    /// The page isn't full, and there are calls that weren't looked at: this is the last one that was.
    pub looked_to: Option<CallPlace>,
}

/// A page of calls: older than `after`, or the newest, at most `most`, for which at most about `budget` calls are looked at.
pub async fn look_at_calls(
    tx: &mut TenantTx,
    filter: &Filter,
    after: Option<CallPlace>,
    most: i64,
    budget: i64,
) -> sqlx::Result<LookedAtCalls> {
    if filter.asked.standings.parts().next().is_none() {
        return Ok(LookedAtCalls { rows: Vec::new(), looked_to: None });
    }
    let few = match (&filter.only, &filter.only_calls) {
        (Some(only), _) => Some(Source::Requests(only)),
        (None, Some(only)) => Some(Source::Calls(only)),
        (None, None) => None,
    };
    if let Some(few) = few {
        let rows = rows_among(tx, filter, after, most, few).await?;
        return Ok(LookedAtCalls { rows, looked_to: None });
    }
    walk_in_order(tx, true).await?;
    let rows = rows_among(tx, filter, after, most, Source::Newest(budget)).await?;
    let full = i64::try_from(rows.len()).unwrap_or(i64::MAX) >= most;
    let looked_to = if full { None } else { last_seen(tx, filter, after, budget).await? };
    walk_in_order(tx, false).await?;
    Ok(LookedAtCalls { rows, looked_to })
}

/// The same, however far it has to go for a full page: for files, which nobody waits in front of.
pub async fn calls_of_page(
    tx: &mut TenantTx,
    filter: &Filter,
    after: Option<CallPlace>,
    most: i64,
) -> sqlx::Result<Vec<CallRow>> {
    let (mut found, mut after) = (Vec::new(), after);
    loop {
        let wanted = most - i64::try_from(found.len()).unwrap_or(most);
        let looked = look_at_calls(tx, filter, after, wanted, FILE_BUDGET).await?;
        found.extend(looked.rows);
        let Some(place) = looked.looked_to else { return Ok(found) };
        after = Some(place);
    }
}

/// Which calls are looked at.
enum Source<'a> {
    /// Those of these requests, asked for one by one.
    Requests(&'a [i64]),
    /// These.
    Calls(&'a [i64]),
    /// So many, along their time.
    Newest(i64),
}

async fn rows_among(
    tx: &mut TenantTx,
    filter: &Filter,
    after: Option<CallPlace>,
    most: i64,
    source: Source<'_>,
) -> sqlx::Result<Vec<CallRow>> {
    let partner = tx.partner().as_str().to_owned();
    let mut q = Sql::new(
        "SELECT c.number, c.call_id, r.business_id::text AS business_id, coalesce(b.name, r.business_id) AS business_name, c.started_at, c.operation,
            coalesce(c.attempt, 0) AS attempt, c.http_status, c.failure, c.error_code AS code, c.error_subcode AS subcode,
            c.error_message AS message, coalesce(c.fbtrace_id, c.x_fb_trace_id) AS fbtrace_id, c.x_fb_request_id, c.duration_ms,
            m.name AS member_name
        FROM ",
    );
    match source {
        Source::Requests(only) => {
            q.push("unnest(")
                .push_bind(only.to_vec())
                .push(") AS asked (wanted), LATERAL (SELECT * FROM graph_calls WHERE partner_id = ");
            q.push_bind(partner.clone()).push(" AND number IS NOT NULL AND number = wanted OFFSET 0) AS c");
        }
        Source::Calls(only) => {
            q.push("(SELECT * FROM graph_calls WHERE partner_id = ").push_bind(partner.clone());
            q.push(" AND call_id = ANY(").push_bind(only.to_vec()).push(")) AS c");
        }
        Source::Newest(budget) => {
            q.push("(SELECT * FROM graph_calls");
            push_way(&mut q, filter, &partner, after);
            q.push(" LIMIT ").push_bind(budget).push(") AS c");
        }
    }
    // Each row asks for the one request it was made for.
    q.push(" LEFT JOIN LATERAL (SELECT * FROM requests WHERE partner_id = ").push_bind(partner);
    q.push(
        " AND number = c.number OFFSET 0) AS r ON TRUE
        LEFT JOIN LATERAL (SELECT name FROM businesses WHERE partner_id = r.partner_id AND business_id = r.business_id OFFSET 0) AS b ON TRUE
        LEFT JOIN LATERAL (SELECT name FROM members WHERE member_id = r.member_id OFFSET 0) AS m ON TRUE
        WHERE TRUE",
    );
    if let Some(after) = after {
        q.push(" AND (c.started_at, c.call_id) < (").push_bind(after.at).push(", ").push_bind(after.call_id).push(")");
    }
    push_times(&mut q, filter);
    push_call_conditions(&mut q, filter, true);
    push_parts(&mut q, filter);
    push_request_conditions(&mut q, filter);
    if filter.asked.is_about_requests() {
        q.push(" AND r.number IS NOT NULL");
    }
    q.push(" ORDER BY c.started_at DESC, c.call_id DESC LIMIT ").push_bind(most);
    q.build_query_as().fetch_all(&mut **tx).await
}

/// The last call that the budget allowed, if there are more.
async fn last_seen(
    tx: &mut TenantTx,
    filter: &Filter,
    after: Option<CallPlace>,
    budget: i64,
) -> sqlx::Result<Option<CallPlace>> {
    let partner = tx.partner().as_str().to_owned();
    let mut q = Sql::new("SELECT started_at, call_id FROM graph_calls");
    push_way(&mut q, filter, &partner, after);
    q.push(" OFFSET ").push_bind(budget - 1).push(" LIMIT 2");
    let ends: Vec<CallPlace> = q.build_query_as().fetch_all(&mut **tx).await?;
    Ok(if let [last, _] = ends.as_slice() { Some(*last) } else { None })
}

/// ` WHERE` what an index has in order, and that order.
fn push_way(q: &mut Sql, filter: &Filter, partner: &str, after: Option<CallPlace>) {
    q.push(" AS c WHERE partner_id = ").push_bind(partner.to_owned());
    if filter.asked.asks_for_refusals() {
        // As the index on them has it.
        q.push(" AND (error_code IS NOT NULL OR http_status IS NULL OR http_status >= 400)");
    }
    if let Some(after) = after {
        q.push(" AND (started_at, call_id) < (").push_bind(after.at).push(", ").push_bind(after.call_id).push(")");
    }
    push_times(q, filter);
    q.push(" ORDER BY started_at DESC, call_id DESC");
}

/// ` AND` the times asked for: of the call itself.
fn push_times(q: &mut Sql, filter: &Filter) {
    if let Some(from) = filter.asked.from {
        q.push(" AND c.started_at >= ").push_bind(from);
    }
    if let Some(below) = filter.asked.below {
        q.push(" AND c.started_at < ").push_bind(below);
    }
}
