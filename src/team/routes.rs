//! `GET /settings/audit.csv`: the audit log as a file, streamed, with the filters of its page. Admins only; taking it is in the log.

use std::collections::VecDeque;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use futures::stream;
use http::{
    HeaderValue,
    header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    request::Parts,
};
use time::{UtcOffset, format_description::well_known::Rfc3339};
use url::form_urlencoded;

use super::{
    model::{Filter, Row, Window},
    store,
};
use crate::{
    clock::Clock,
    db::{Db, PartnerId},
    sign_in::{Act, Role, Visit, audit, refuse_request},
    telemetry::mishap,
    ui::{AppError, csv},
};

/// Rows fetched at once.
const PIECE: i64 = 2_000;

/// Excel reads UTF-8 only where it's told by this mark.
const BEGINNING: &str = "\u{FEFF}at,who,act,detail,address,browser\r\n";

/// What the file needs.
#[derive(Clone)]
struct Needs {
    db: Db,
    clock: Clock,
}

/// These routes, ready to be merged into the application's. They belong inside the session's layer.
pub fn routes<S: Clone + Send + Sync + 'static>(db: Db, clock: Clock) -> Router<S> {
    Router::new().route("/settings/audit.csv", get(audit_csv)).with_state(Needs { db, clock })
}

async fn audit_csv(State(needs): State<Needs>, parts: Parts) -> Response {
    let opened = async {
        let visit = Visit::of_request(&parts, needs.db, needs.clock)?;
        if visit.viewer.role != Role::Admin {
            return Err(AppError::Forbidden);
        }
        let query = parts.uri.query().unwrap_or_default();
        let filter = Filter::read(|name| {
            let pair = form_urlencoded::parse(query.as_bytes()).find(|(known, _)| known == name);
            pair.map(|(_, value)| value.into_owned())
        });
        let mut tx = visit.tenant().await?;
        audit(&mut tx, &visit.entry(Act::Exported, "Audit log (CSV)")).await.map_err(mishap)?;
        tx.commit().await.map_err(mishap)?;
        Ok((visit, filter))
    };
    match opened.await {
        Err(error) => refuse_request(&parts, &error),
        Ok((visit, filter)) => {
            let headers = [
                (CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
                (CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"audit-log.csv\"")),
            ];
            (headers, file(visit.db.clone(), visit.viewer.partner.clone(), filter)).into_response()
        }
    }
}

/// The file as it's read from the table, a piece at a time: it's never held as a whole.
fn file(db: Db, partner: PartnerId, filter: Filter) -> Body {
    let pieces = stream::try_unfold(Some((Window::Newest, VecDeque::from([BEGINNING.to_owned()]))), move |state| {
        let (db, partner) = (db.clone(), partner.clone());
        async move {
            let Some((window, mut ready)) = state else { return Ok::<_, sqlx::Error>(None) };
            if let Some(piece) = ready.pop_front() {
                return Ok(Some((Bytes::from(piece), Some((window, ready)))));
            }
            let mut tx = db.tenant(&partner).await?;
            let rows = store::list_audit(&mut tx, &filter, window, PIECE).await?;
            let piece: String = rows.iter().map(record).collect();
            let rest = |row: &Row| Some((Window::OlderThan(row.id), VecDeque::new()));
            Ok(rows.last().map(|row| (Bytes::from(piece), rest(row))))
        }
    });
    Body::from_stream(pieces)
}

fn record(row: &Row) -> String {
    let at = row.at.to_offset(UtcOffset::UTC);
    let at = at.replace_nanosecond(0).unwrap_or(at).format(&Rfc3339).unwrap_or_default();
    let address = row.whence.address.map(|address| address.to_string()).unwrap_or_default();
    csv::line([&at, &row.who, &row.act, &row.detail, &address, &row.whence.agent].map(String::as_str))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::sign_in::Whence;

    #[test]
    fn a_line_has_a_cell_for_each_heading_and_no_formula() {
        let row = Row {
            id: 1,
            at: datetime!(2026-11-25 11:42:09.345 +1),
            act: "role_changed".into(),
            who: "=cmd()".into(),
            detail: "Jonas, Support to Admin".into(),
            whence: Whence { address: Some([198, 51, 100, 7].into()), agent: "curl/8.5.0".into() },
        };
        let line = "2026-11-25T10:42:09Z,'=cmd(),role_changed,\"Jonas, Support to Admin\",198.51.100.7,curl/8.5.0\r\n";
        assert_eq!(record(&row), line);
    }
}
