//! `GET /batches/{number}/results.csv`: what became of each business, streamed, however many there are.

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use futures::TryStreamExt;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    request::Parts,
};
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

use super::{
    model::{BatchNumber, Source},
    routes::Rooms,
    store::{self, ResultLine},
};
use crate::{
    db::TenantTx,
    onboarding::exports::{Broken, Writer},
    sign_in::{Act, Presence, audit},
    telemetry::mishap,
    ui::{AppError, csv},
};

/// As much is gathered before it is handed on.
const PIECE: usize = 64 * 1024;

/// Pieces that may wait for a slow reader; then Postgres waits, too.
const PIECES: usize = 2;

const HEADINGS: [&str; 12] = [
    "business_id",
    "business_name",
    "state",
    "meta_request_id",
    "request",
    "cause",
    "code",
    "subcode",
    "fbtrace_id",
    "queued_at",
    "answered_at",
    "attempts",
];

pub(super) async fn results(State(rooms): State<Rooms>, Path(number): Path<String>, parts: Parts) -> Response {
    let presence = match Presence::of(&rooms.sign_in, &parts) {
        Ok(presence) => presence,
        Err(refusal) => return *refusal,
    };
    let place = match rooms.exports.enter() {
        Ok(place) => place,
        Err(refusal) => return *refusal,
    };
    let opened = async {
        let number: BatchNumber = number.parse().map_err(|_| AppError::NotFound)?;
        let mut tx = rooms.live.db.tenant(&presence.viewer.partner).await.map_err(mishap)?;
        let batch = store::find_batch(&mut tx, number, rooms.live.clock.now()).await.map_err(mishap)?;
        let batch = batch.filter(|batch| batch.source != Source::Click && batch.started_at.is_some());
        let batch = batch.ok_or(AppError::NotFound)?;
        let entry = presence.entry(Act::Exported, format!("Results of {} (CSV)", batch.long_title()));
        audit(&mut tx, &entry).await.map_err(mishap)?;
        tx.commit().await.map_err(mishap)?;
        // One connection at a time: see the other exports.
        let tx = rooms.live.db.tenant(&presence.viewer.partner).await.map_err(mishap)?;
        Ok::<_, AppError>((tx, batch))
    };
    let (mut tx, batch) = match opened.await {
        Ok(opened) => opened,
        Err(error) => {
            let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return (status, format!("{}. {}\n", error.title(), error.text())).into_response();
        }
    };
    let (writer, body) = Writer::open(PIECES);
    tokio::spawn(async move {
        let written = write(&mut tx, batch.number, &writer).await;
        drop((tx, place));
        writer.close(written);
    });
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    let named = format!("attachment; filename=\"{}\"", file_name(&batch.name, batch.number));
    if let Ok(named) = HeaderValue::from_str(&named) {
        headers.insert(CONTENT_DISPOSITION, named);
    }
    (headers, body).into_response()
}

/// Writes the whole file.
async fn write(tx: &mut TenantTx, number: BatchNumber, writer: &Writer) -> Result<(), Broken> {
    let mut lines = std::pin::pin!(store::results(tx, number));
    let mut piece = csv::line(HEADINGS);
    while let Some(line) = writer.pull(lines.try_next()).await? {
        piece.push_str(&text_of(&line));
        if piece.len() >= PIECE {
            writer.put(std::mem::take(&mut piece)).await?;
        }
    }
    writer.put(piece).await
}

fn text_of(line: &ResultLine) -> String {
    let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let cells = [
        line.business_id.clone(),
        text(&line.business_name),
        line.state.clone(),
        text(&line.meta_request_id),
        line.number.map(|number| format!("LB-{number}")).unwrap_or_default(),
        text(&line.cause),
        number(line.code),
        number(line.subcode),
        text(&line.fbtrace_id),
        line.queued_at.map(iso).unwrap_or_default(),
        line.answered_at.map(iso).unwrap_or_default(),
        number(line.attempts.map(i64::from)),
    ];
    csv::line(cells.iter().map(String::as_str))
}

/// UTC, to the second.
fn iso(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    at.replace_nanosecond(0).unwrap_or(at).format(&Rfc3339).unwrap_or_default()
}

/// A name that every file system takes, whatever the batch is called.
fn file_name(name: &str, number: BatchNumber) -> String {
    let mut short = String::new();
    for letter in name.chars().take(60) {
        if letter.is_ascii_alphanumeric() {
            short.push(letter.to_ascii_lowercase());
        } else if !short.is_empty() && !short.ends_with('-') {
            short.push('-');
        }
    }
    let short = short.trim_matches('-');
    if short.is_empty() { format!("batch-{number}.csv") } else { format!("batch-{number}-{short}.csv") }
}

#[cfg(test)]
pub(super) mod tests {
    use time::macros::datetime;

    use super::*;

    /// The whole file.
    pub(in crate::onboarding::batches) async fn whole(tx: &mut TenantTx, number: BatchNumber) -> String {
        let (writer, body) = Writer::open(1_000);
        let written = write(tx, number, &writer).await;
        writer.close(written);
        String::from_utf8(axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap()
    }

    #[test]
    fn a_file_name_holds_nothing_that_could_end_it() {
        for (name, file) in [
            ("India and Brazil, November", "batch-118-india-and-brazil-november.csv"),
            ("", "batch-118.csv"),
            ("../..\\\"\r\n", "batch-118.csv"),
            ("नवंबर", "batch-118.csv"),
            ("a\";filename=x.exe", "batch-118-a-filename-x-exe.csv"),
        ] {
            assert_eq!(file_name(name, BatchNumber(118)), file, "{name:?}");
        }
    }

    #[test]
    fn a_line_has_a_cell_for_each_heading_and_no_formula() {
        let line = ResultLine {
            business_id: "1745093316208854".into(),
            business_name: Some("=HYPERLINK(\"x\")".into()),
            state: "failed".into(),
            meta_request_id: None,
            number: Some(1001),
            cause: Some("access_denied".into()),
            code: Some(-1),
            subcode: None,
            fbtrace_id: Some("-AbC".into()),
            queued_at: Some(datetime!(2026-11-24 10:42:09.345 +1)),
            answered_at: None,
            attempts: Some(1),
        };
        assert_eq!(
            text_of(&line),
            "1745093316208854,\"'=HYPERLINK(\"\"x\"\")\",failed,,LB-1001,access_denied,'-1,,'-AbC,2026-11-24T09:42:09Z,,1\r\n"
        );
        assert_eq!(text_of(&line).matches(',').count(), HEADINGS.len() - 1);
    }
}
