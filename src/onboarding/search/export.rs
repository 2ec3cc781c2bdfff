//! `GET /requests/export.csv` and `.json`: everything that a search finds, streamed, however much it is.
//!
//! The rows come in pieces by number, all from one snapshot, and a piece is only fetched when the one before was taken: memory stays
//! flat, and a reader that goes away ends it.

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    request::Parts,
};
use serde::Serialize;
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

use super::{
    address,
    form::search,
    page::Search,
    store::{self, CallRow, Filter, RequestRow, Window},
    suggest::suggest,
};
use crate::{
    clock::Clock,
    db::{Db, TenantTx},
    onboarding::{
        exports::{Broken, Exports, Writer},
        model::RequestNumber,
    },
    sign_in::{Act, Visit, audit, refuse_request},
    telemetry::mishap,
    ui::{AppError, csv},
};

/// What the routes of this folder need.
#[derive(Clone)]
pub(super) struct Needs {
    pub(super) db: Db,
    pub(super) clock: Clock,
    exports: Exports,
}

/// The routes that are no pages, ready to be merged into the application's. They belong inside the session's layer.
pub fn search_routes<S: Clone + Send + Sync + 'static>(db: Db, clock: Clock, exports: Exports) -> Router<S> {
    Router::new()
        .route("/requests/export.csv", get(export_csv))
        .route("/requests/export.json", get(export_json))
        .route("/requests/suggest", post(suggest))
        .route("/requests", post(search))
        .with_state(Needs { db, clock, exports })
}

/// Rows of the first piece, which somebody waits for, and of the others.
const FIRST_PIECE: i64 = 100;
const PIECE: i64 = 2_000;

/// Pieces that may wait for a slow reader.
const PIECES: usize = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Csv,
    Json,
}

impl Format {
    const fn word(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::Json => "JSON",
        }
    }
}

async fn export_csv(State(needs): State<Needs>, parts: Parts) -> Response {
    export(needs, parts, Format::Csv).await
}

async fn export_json(State(needs): State<Needs>, parts: Parts) -> Response {
    export(needs, parts, Format::Json).await
}

async fn export(needs: Needs, parts: Parts, format: Format) -> Response {
    let visit = match Visit::of_request(&parts, needs.db, needs.clock) {
        Ok(visit) => visit,
        Err(error) => return refuse_request(&parts, &error),
    };
    let place = match needs.exports.enter() {
        Ok(place) => place,
        Err(refusal) => return *refusal,
    };
    let search = match read_and_note(&visit, format).await {
        Ok(search) => search,
        Err(error) => return refuse_request(&parts, &error),
    };
    if !search.terms.problems.is_empty() {
        let words: Vec<String> = search.terms.problems.iter().map(super::terms::Problem::words).collect();
        return (StatusCode::BAD_REQUEST, format!("This search can not be read. {}\n", words.join(" ")))
            .into_response();
    }
    let mut tx = match visit.db.tenant_snapshot(&visit.viewer.partner).await.map_err(mishap) {
        Ok(tx) => tx,
        Err(error) => return refuse_request(&parts, &error),
    };
    let (writer, body) = Writer::open(PIECES);
    let filter = search.filter;
    let calls = filter.asked.calls;
    tokio::spawn(async move {
        let written = write(&mut tx, &filter, format, &writer).await;
        drop((tx, place));
        writer.close(written);
    });
    (headers(format, calls, visit.clock.now()), body).into_response()
}

/// Reads the search, and keeps in the audit log who takes out what, if it can be read. In a transaction of its own: the export's only
/// reads, and begins when this one has given its connection back.
async fn read_and_note(visit: &Visit, format: Format) -> Result<Search, AppError> {
    let mut tx = visit.tenant().await?;
    let text = address::text(|name| visit.query(name));
    let search = Search::read(&mut tx, text, visit).await.map_err(mishap)?;
    if search.terms.problems.is_empty() {
        let what = format!("Requests ({}): {}", format.word(), search.terms);
        audit(&mut tx, &visit.entry(Act::Exported, what)).await.map_err(mishap)?;
    }
    tx.commit().await.map_err(mishap)?;
    Ok(search)
}

fn headers(format: Format, calls: bool, now: OffsetDateTime) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let (ending, kind) = match format {
        Format::Csv => ("csv", "text/csv; charset=utf-8"),
        Format::Json => ("json", "application/json"),
    };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    let what = if calls { "calls" } else { "requests" };
    let named = format!("attachment; filename=\"{what}-{}.{ending}\"", now.to_offset(UtcOffset::UTC).date());
    if let Ok(named) = HeaderValue::from_str(&named) {
        headers.insert(CONTENT_DISPOSITION, named);
    }
    headers
}

/// One line of an export: its fields by name, and as cells in the same order.
trait Line: Serialize {
    const HEADINGS: &'static [&'static str];
    fn cells(&self) -> Vec<String>;
}

macro_rules! line {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Serialize)]
        struct $name {
            $($field: $kind,)+
        }

        impl Line for $name {
            const HEADINGS: &'static [&'static str] = &[$(stringify!($field),)+];

            fn cells(&self) -> Vec<String> {
                vec![$(Cell::text(&self.$field),)+]
            }
        }
    };
}

/// What can stand in a cell.
trait Cell {
    fn text(&self) -> String;
}

impl Cell for String {
    fn text(&self) -> String {
        self.clone()
    }
}

impl Cell for i64 {
    fn text(&self) -> String {
        self.to_string()
    }
}

impl<T: Cell> Cell for Option<T> {
    fn text(&self) -> String {
        self.as_ref().map(Cell::text).unwrap_or_default()
    }
}

line! {
    /// A request. Ids are texts: no number type of JavaScript holds them.
    RequestLine {
        request: String, business_id: String, business_name: String, country: Option<String>, state: String,
        meta_request_id: Option<String>, solution_id: Option<String>, solution_name: Option<String>, requested_by: String,
        batch: i64, attempts: i64, cause: Option<String>, code: Option<i64>, subcode: Option<i64>, fbtrace_id: Option<String>,
        queued_at: String, answered_at: Option<String>, changed_at: String,
    }
}

line! {
    /// A call. Without a request it was made for none; without a business it was about none.
    CallLine {
        request: Option<String>, call: i64, business_id: Option<String>, business_name: Option<String>, requested_by: Option<String>, operation: String, attempt: i64,
        http_status: Option<i64>, failure: Option<String>, code: Option<i64>, subcode: Option<i64>, message: Option<String>,
        fbtrace_id: Option<String>, x_fb_request_id: Option<String>, duration_ms: i64, started_at: String,
    }
}

impl From<RequestRow> for RequestLine {
    fn from(row: RequestRow) -> Self {
        Self {
            request: row.number.to_string(),
            business_id: row.business_id,
            business_name: row.business_name,
            country: row.country,
            state: row.state.to_string(),
            meta_request_id: row.meta_request_id,
            solution_id: row.solution_id,
            solution_name: row.solution_name,
            requested_by: row.member_name,
            batch: row.batch_number,
            attempts: row.attempts.into(),
            cause: row.cause,
            code: row.code,
            subcode: row.subcode,
            fbtrace_id: row.fbtrace_id,
            queued_at: iso(row.queued_at),
            answered_at: row.answered_at.map(iso),
            changed_at: iso(row.changed_at),
        }
    }
}

impl From<CallRow> for CallLine {
    fn from(row: CallRow) -> Self {
        Self {
            request: row.number.map(|number| RequestNumber(number).to_string()),
            call: row.call_id,
            business_id: row.business_id,
            business_name: row.business_name,
            requested_by: row.member_name,
            operation: row.operation,
            attempt: row.attempt.into(),
            http_status: row.http_status.map(i64::from),
            failure: row.failure,
            code: row.code,
            subcode: row.subcode,
            message: row.message,
            fbtrace_id: row.fbtrace_id,
            x_fb_request_id: row.x_fb_request_id,
            duration_ms: row.duration_ms.into(),
            started_at: iso(row.started_at),
        }
    }
}

/// UTC, to the second.
fn iso(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    at.replace_nanosecond(0).unwrap_or(at).format(&Rfc3339).unwrap_or_default()
}

/// Writes the whole file.
async fn write(tx: &mut TenantTx, filter: &Filter, format: Format, writer: &Writer) -> Result<(), Broken> {
    if filter.asked.calls {
        write_calls(tx, filter, format, writer).await
    } else {
        write_requests(tx, filter, format, writer).await
    }
}

async fn write_requests(tx: &mut TenantTx, filter: &Filter, format: Format, writer: &Writer) -> Result<(), Broken> {
    let mut text = begin::<RequestLine>(format);
    let (mut window, mut most, mut first) = (Window::Newest, FIRST_PIECE, true);
    loop {
        let numbers = writer.pull(store::numbers_of_page(tx, filter, window, most)).await?;
        let more = i64::try_from(numbers.len()).unwrap_or_default() == most;
        for row in writer.pull(store::rows_of(tx, &numbers)).await? {
            put(&mut text, format, &RequestLine::from(row), &mut first);
        }
        let last = numbers.last().copied().filter(|_| more);
        if last.is_none() {
            text.push_str(end(format));
        }
        writer.put(std::mem::take(&mut text)).await?;
        let Some(last) = last else { return Ok(()) };
        (window, most) = (Window::OlderThan(RequestNumber(last)), PIECE);
    }
}

async fn write_calls(tx: &mut TenantTx, filter: &Filter, format: Format, writer: &Writer) -> Result<(), Broken> {
    let mut text = begin::<CallLine>(format);
    let (mut after, mut most, mut first) = (None, FIRST_PIECE, true);
    loop {
        let rows = writer.pull(store::calls_of_page(tx, filter, after, most)).await?;
        let more = i64::try_from(rows.len()).unwrap_or_default() == most;
        let last = rows.last().map(CallRow::place).filter(|_| more);
        for row in rows {
            put(&mut text, format, &CallLine::from(row), &mut first);
        }
        if last.is_none() {
            text.push_str(end(format));
        }
        writer.put(std::mem::take(&mut text)).await?;
        if last.is_none() {
            return Ok(());
        }
        (after, most) = (last, PIECE);
    }
}

/// Excel reads UTF-8 only where it's told by a mark.
fn begin<L: Line>(format: Format) -> String {
    match format {
        Format::Csv => format!("\u{FEFF}{}", csv::line(L::HEADINGS.iter().copied())),
        Format::Json => "[".to_owned(),
    }
}

fn put<L: Line>(text: &mut String, format: Format, line: &L, first: &mut bool) {
    match format {
        Format::Csv => text.push_str(&csv::line(line.cells().iter().map(String::as_str))),
        Format::Json => {
            text.push_str(if *first { "\n" } else { ",\n" });
            // Texts and numbers by name: there is nothing that JSON has no form for.
            text.push_str(&serde_json::to_string(line).unwrap_or_default());
        }
    }
    *first = false;
}

const fn end(format: Format) -> &'static str {
    match format {
        Format::Csv => "",
        Format::Json => "\n]\n",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> RequestLine {
        RequestLine {
            request: "LB-1001".into(),
            business_id: "1745093316208854".into(),
            business_name: "=HYPERLINK(\"x\")".into(),
            country: Some("BR".into()),
            state: "failed".into(),
            meta_request_id: None,
            solution_id: None,
            solution_name: None,
            requested_by: "Ana, \"A\"".into(),
            batch: 7,
            attempts: 1,
            cause: Some("access_denied".into()),
            code: Some(-1),
            subcode: None,
            fbtrace_id: Some("-AbC".into()),
            queued_at: iso(time::macros::datetime!(2026-11-24 10:42:09.345 +1)),
            answered_at: None,
            changed_at: iso(time::macros::datetime!(2026-11-24 10:42 UTC)),
        }
    }

    #[test]
    fn no_cell_is_a_formula_and_each_heading_has_one() {
        let mut text = String::new();
        put(&mut text, Format::Csv, &line(), &mut true);
        assert_eq!(
            text,
            "LB-1001,1745093316208854,\"'=HYPERLINK(\"\"x\"\")\",BR,failed,,,,\"Ana, \"\"A\"\"\",7,1,access_denied,'-1,,'-AbC,2026-11-24T09:42:09Z,,2026-11-24T10:42:00Z\r\n"
        );
        assert_eq!(line().cells().len(), RequestLine::HEADINGS.len());
    }

    #[test]
    fn json_has_the_names_of_the_headings_and_ids_as_texts() {
        let mut text = begin::<RequestLine>(Format::Json);
        let mut first = true;
        put(&mut text, Format::Json, &line(), &mut first);
        put(&mut text, Format::Json, &line(), &mut first);
        text.push_str(end(Format::Json));
        let read: Vec<serde_json::Map<String, serde_json::Value>> = serde_json::from_str(&text).unwrap();
        assert_eq!(read.len(), 2);
        let mut names: Vec<&str> = read[0].keys().map(String::as_str).collect();
        let mut headings = RequestLine::HEADINGS.to_vec();
        names.sort_unstable();
        headings.sort_unstable();
        assert_eq!(names, headings);
        assert_eq!((&read[0]["business_id"], &read[0]["code"]), (&"1745093316208854".into(), &(-1).into()));
    }
}
