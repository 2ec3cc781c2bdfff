//! All SQL of support. Here: the record of Graph calls.

mod failures;
mod look;
mod look_ups;
mod retention;

pub use self::{
    failures::{
        Alike, Counted, Fact, Group, GroupBusiness, Key, MOST_COUNTED, Window, alike, businesses_of, find_group,
        list_groups, save_counts, take_uncounted,
    },
    look::{
        Known, MOST_FOUND, RequestLine, calls_by_traces, calls_of_request, calls_to, known_businesses, requests_by_ids,
    },
    look_ups::{LookUp, keep_look_up, look_ups_of},
    retention::drop_old_bodies,
};

use sqlx::PgExecutor;
use time::OffsetDateTime;

use crate::{
    db::{Db, PartnerId, TenantTx},
    graph::{self, Call, Cause, GraphError, Operation},
    onboarding::RequestNumber,
};

/// Writes the calls of one partner, in their order, and commits. Calls of a sign-in before the partner is known have none:
/// they are written outside of any tenant and shown to nobody.
pub async fn insert(db: &Db, partner: Option<&PartnerId>, calls: &[&Call]) -> sqlx::Result<()> {
    match partner {
        Some(partner) => {
            let mut tx = db.tenant(partner).await?;
            insert_rows(&mut *tx, Some(partner), calls).await?;
            tx.commit().await
        }
        None => insert_rows(db.pool(), None, calls).await,
    }
}

async fn insert_rows(executor: impl PgExecutor<'_>, partner: Option<&PartnerId>, calls: &[&Call]) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO graph_calls (partner_id, member_id, number, attempt, operation, method, path, query, subject_id, solution_id,
            graph_version, app_id, started_at, duration_ms, http_status, failure, failure_detail, error_code, error_subcode,
            error_type, error_message, error_user_title, error_user_message, error_data, is_transient, fbtrace_id, x_fb_trace_id,
            x_fb_request_id, x_fb_rev, x_fb_debug, app_usage, business_use_case_usage, retry_after, content_type, body)
        SELECT $1, member_id, number, attempt, operation, method, path, query, subject_id, solution_id,
            graph_version, app_id, started_at, duration_ms, http_status, failure, failure_detail, error_code, error_subcode,
            error_type, error_message, error_user_title, error_user_message, error_data, is_transient, fbtrace_id, x_fb_trace_id,
            x_fb_request_id, x_fb_rev, x_fb_debug, app_usage, business_use_case_usage, retry_after, content_type, body
        FROM unnest($2::bigint[], $3::bigint[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
            $11::text[], $12::text[], $13::timestamptz[], $14::int[], $15::smallint[], $16::text[], $17::text[], $18::bigint[],
            $19::bigint[], $20::text[], $21::text[], $22::text[], $23::text[], $24::text[], $25::bool[], $26::text[], $27::text[],
            $28::text[], $29::text[], $30::text[], $31::text[], $32::text[], $33::text[], $34::text[], $35::text[])
            WITH ORDINALITY
            AS c(member_id, number, attempt, operation, method, path, query, subject_id, solution_id,
            graph_version, app_id, started_at, duration_ms, http_status, failure, failure_detail, error_code, error_subcode,
            error_type, error_message, error_user_title, error_user_message, error_data, is_transient, fbtrace_id, x_fb_trace_id,
            x_fb_request_id, x_fb_rev, x_fb_debug, app_usage, business_use_case_usage, retry_after, content_type, body, place)
        ORDER BY place
        "#,
        partner.map(PartnerId::as_str) as _,
        &column(calls, |call| call.origin.member) as &[Option<i64>],
        &column(calls, |call| call.origin.request) as &[Option<i64>],
        &column(calls, |call| call.origin.attempt) as &[Option<i32>],
        &column(calls, |call| call.operation.as_str()) as &[&str],
        &column(calls, |call| call.method) as &[&str],
        &column(calls, |call| call.path.as_str()) as &[&str],
        &column(calls, |call| call.query.as_str()) as &[&str],
        &column(calls, |call| call.subject.as_deref()) as &[Option<&str>],
        &column(calls, |call| call.solution_id.as_ref().map(AsRef::as_ref)) as &[Option<&str>],
        &column(calls, |call| call.graph_version.as_str()) as &[&str],
        &column(calls, |call| call.app_id.as_str()) as &[&str],
        &column(calls, |call| call.started_at) as &[OffsetDateTime],
        &column(calls, |call| i32::try_from(call.duration.as_millis()).unwrap_or(i32::MAX)) as &[i32],
        &column(calls, |call| call.status.and_then(|status| i16::try_from(status).ok())) as &[Option<i16>],
        &column(calls, |call| call.failure) as &[Option<&str>],
        &column(calls, |call| call.failure_detail.as_deref()) as &[Option<&str>],
        &column(calls, |call| call.error.as_ref()?.code) as &[Option<i64>],
        &column(calls, |call| call.error.as_ref()?.subcode) as &[Option<i64>],
        &column(calls, |call| call.error.as_ref()?.kind.as_deref()) as &[Option<&str>],
        &column(calls, |call| call.error.as_ref()?.message.as_deref()) as &[Option<&str>],
        &column(calls, |call| call.error.as_ref()?.user_title.as_deref()) as &[Option<&str>],
        &column(calls, |call| call.error.as_ref()?.user_message.as_deref()) as &[Option<&str>],
        &column(calls, |call| call.error.as_ref()?.error_data.as_deref()) as &[Option<&str>],
        &column(calls, |call| call.error.as_ref()?.is_transient) as &[Option<bool>],
        &column(calls, |call| call.trace_id()) as &[Option<&str>],
        &column(calls, |call| call.x_fb_trace_id.as_deref()) as &[Option<&str>],
        &column(calls, |call| call.x_fb_request_id.as_deref()) as &[Option<&str>],
        &column(calls, |call| call.x_fb_rev.as_deref()) as &[Option<&str>],
        &column(calls, |call| call.x_fb_debug.as_deref()) as &[Option<&str>],
        &column(calls, |call| call.app_usage.as_deref()) as &[Option<&str>],
        &column(calls, |call| call.business_use_case_usage.as_deref()) as &[Option<&str>],
        &column(calls, |call| call.retry_after.as_deref()) as &[Option<&str>],
        &column(calls, |call| call.content_type.as_deref()) as &[Option<&str>],
        &column(calls, |call| call.body.as_str()) as &[&str],
    )
    .execute(executor)
    .await
    .map(drop)
}

/// One field of each call, in order: what UNNEST takes.
fn column<'a, T>(calls: &[&'a Call], field: impl Fn(&'a Call) -> T) -> Vec<T> {
    calls.iter().map(|call| field(call)).collect()
}

/// A call as support reads it, with the names around it as far as we know them.
#[derive(Clone, Debug)]
pub struct KeptCall {
    /// Ours.
    pub call_id: i64,
    /// The request it was an attempt of.
    pub number: Option<RequestNumber>,
    /// Which POST of that request.
    pub attempt: Option<i32>,
    /// Whose action or token it was.
    pub member_name: Option<String>,
    /// The node called.
    pub subject_id: Option<String>,
    /// The node's name, where it is a business we know.
    pub business_name: Option<String>,
    pub solution_id: Option<String>,
    /// `graph::Operation` by name.
    pub operation: String,
    pub method: String,
    pub path: String,
    /// With a marker for each secret.
    pub query: String,
    pub graph_version: String,
    pub app_id: String,
    pub started_at: OffsetDateTime,
    pub duration_ms: i32,
    pub http_status: Option<i16>,
    /// `graph::Failure` by name.
    pub failure: Option<String>,
    pub failure_detail: Option<String>,
    pub code: Option<i64>,
    pub subcode: Option<i64>,
    /// Meta's category of the error.
    pub kind: Option<String>,
    pub message: Option<String>,
    pub user_title: Option<String>,
    pub user_message: Option<String>,
    pub error_data: Option<String>,
    pub is_transient: Option<bool>,
    pub fbtrace_id: Option<String>,
    pub x_fb_request_id: Option<String>,
    pub x_fb_rev: Option<String>,
    pub x_fb_debug: Option<String>,
    /// `X-App-Usage` as it came.
    pub app_usage: Option<String>,
    /// `X-Business-Use-Case-Usage` as it came.
    pub business_usage: Option<String>,
    /// `Retry-After` as it came.
    pub retry_after: Option<String>,
    pub body: String,
    /// Whether the body was dropped for its age.
    pub is_body_dropped: bool,
}

impl KeptCall {
    /// Whether Meta answered with an error.
    pub fn is_refused(&self) -> bool {
        is_refused(self.http_status, self.code, self.message.as_deref())
    }

    /// What kind of call it was; `None`: one of a newer version.
    pub fn operation(&self) -> Option<Operation> {
        Operation::named(&self.operation)
    }

    /// Why it failed; `None`: it didn't.
    pub fn cause(&self) -> Option<Cause> {
        let error = self.is_refused().then(|| GraphError {
            message: self.message.clone(),
            kind: self.kind.clone(),
            code: self.code,
            subcode: self.subcode,
            user_title: self.user_title.clone(),
            user_message: self.user_message.clone(),
            fbtrace_id: self.fbtrace_id.clone(),
            is_transient: self.is_transient,
            error_data: self.error_data.clone(),
        });
        let status = self.http_status.and_then(|status| u16::try_from(status).ok());
        let writes = self.operation().is_some_and(Operation::writes);
        graph::cause_of(error.as_ref(), self.failure.as_deref(), status, writes)
    }
}

/// An error may lack a code or a message, and may come with a 200.
fn is_refused(http_status: Option<i16>, code: Option<i64>, message: Option<&str>) -> bool {
    code.is_some() || message.is_some() || http_status.is_some_and(|status| status >= 400)
}

/// One call by our id; `None` when there is none, or it's another partner's.
pub async fn find_call(tx: &mut TenantTx, call_id: i64) -> sqlx::Result<Option<KeptCall>> {
    let row = sqlx::query!(
        r#"
        SELECT c.call_id, c.number, c.attempt, m.name AS "member_name?", c.subject_id,
            b.name AS "business_name?", c.solution_id, c.operation, c.method, c.path, c.query, c.graph_version, c.app_id, c.started_at,
            c.duration_ms, c.http_status, c.failure, c.failure_detail, c.error_code, c.error_subcode, c.error_type,
            c.error_message, c.error_user_title, c.error_user_message, c.error_data, c.is_transient, c.fbtrace_id,
            c.x_fb_request_id, c.x_fb_rev, c.x_fb_debug, c.app_usage,
            c.business_use_case_usage, c.retry_after, c.body, c.body_dropped_at IS NOT NULL AS "is_body_dropped!"
        FROM graph_calls c
        LEFT JOIN members m ON m.partner_id = c.partner_id AND m.member_id = c.member_id
        LEFT JOIN businesses b ON b.partner_id = c.partner_id AND b.business_id = c.subject_id
        WHERE c.partner_id = $1 AND c.call_id = $2
        "#,
        tx.partner().as_str().to_owned() as _,
        call_id,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|row| KeptCall {
        call_id: row.call_id,
        number: row.number.map(RequestNumber),
        attempt: row.attempt,
        member_name: row.member_name,
        subject_id: row.subject_id,
        business_name: row.business_name,
        solution_id: row.solution_id,
        operation: row.operation,
        method: row.method,
        path: row.path,
        query: row.query,
        graph_version: row.graph_version,
        app_id: row.app_id,
        started_at: row.started_at,
        duration_ms: row.duration_ms,
        http_status: row.http_status,
        failure: row.failure,
        failure_detail: row.failure_detail,
        code: row.error_code,
        subcode: row.error_subcode,
        kind: row.error_type,
        message: row.error_message,
        user_title: row.error_user_title,
        user_message: row.error_user_message,
        error_data: row.error_data,
        is_transient: row.is_transient,
        fbtrace_id: row.fbtrace_id,
        x_fb_request_id: row.x_fb_request_id,
        x_fb_rev: row.x_fb_rev,
        x_fb_debug: row.x_fb_debug,
        app_usage: row.app_usage,
        business_usage: row.business_use_case_usage,
        retry_after: row.retry_after,
        body: row.body,
        is_body_dropped: row.is_body_dropped,
    }))
}

/// A call as one line of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallLine {
    pub call_id: i64,
    /// Which POST of its request it belongs to.
    pub attempt: Option<i32>,
    pub operation: String,
    pub fbtrace_id: Option<String>,
    pub started_at: OffsetDateTime,
    pub http_status: Option<i16>,
    pub failure: Option<String>,
    pub code: Option<i64>,
    pub message: Option<String>,
}

impl CallLine {
    /// Whether Meta answered with an error.
    pub fn is_refused(&self) -> bool {
        is_refused(self.http_status, self.code, self.message.as_deref())
    }
}
