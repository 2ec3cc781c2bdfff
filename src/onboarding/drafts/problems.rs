//! The rows that nothing is sent for, as a CSV file: each with its reason, so that it can be put right and imported again.

use std::collections::VecDeque;

use axum::body::{Body, Bytes};
use futures::stream;

use super::{
    model::{DraftNumber, Finding, ListedRow},
    store,
};
use crate::{
    db::{Db, PartnerId},
    ui::csv,
};

/// Rows fetched at once.
const PIECE: i64 = 2_000;

/// Excel reads UTF-8 only where it's told by this mark.
const BEGINNING: &str = "\u{FEFF}row,business_id,solution_id,reason,explanation,business_name\r\n";

/// The file as it's read from the table, a piece at a time: it's never held as a whole.
pub fn problem_rows(db: Db, partner: PartnerId, number: DraftNumber) -> Body {
    let pieces = stream::try_unfold(Some((0, VecDeque::from([BEGINNING.to_owned()]))), move |state| {
        let (db, partner) = (db.clone(), partner.clone());
        async move {
            let Some((line, mut ready)) = state else { return Ok::<_, sqlx::Error>(None) };
            if let Some(piece) = ready.pop_front() {
                return Ok(Some((Bytes::from(piece), Some((line, ready)))));
            }
            let mut tx = db.tenant(&partner).await?;
            let rows = store::rejected_rows(&mut tx, number, line, PIECE).await?;
            let piece: String = rows.iter().map(record).collect();
            Ok(rows.last().map(|row| (Bytes::from(piece), Some((row.line, VecDeque::new())))))
        }
    });
    Body::from_stream(pieces)
}

fn record(row: &ListedRow) -> String {
    let (reason, words) = if row.finding.is_sent() && row.left_out {
        ("left_out", "You left it out.".to_owned())
    } else {
        let words = match (row.finding, row.same_as) {
            (Finding::Duplicate, Some(line)) => format!("Row {line} names the same business. It is sent once."),
            (finding, _) => finding.words().to_owned(),
        };
        (row.finding.as_str(), words)
    };
    let name = row.business.as_ref().map_or("", |(_, name)| name);
    let given = row.entered.as_deref().unwrap_or(&row.given);
    csv::line([&row.line.to_string(), given, row.given_solution.as_deref().unwrap_or_default(), reason, &words, name])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_why_and_what_was_entered_last() {
        let row = ListedRow {
            line: 47,
            given: "2.2E+15".into(),
            entered: Some("3318402975561208".into()),
            given_solution: None,
            finding: Finding::Duplicate,
            same_as: Some(12),
            left_out: false,
            business: Some(("3318402975561208".parse().unwrap(), "Gulmohar, Opticals".into())),
            waba_name: None,
            waiting_since: None,
        };
        assert_eq!(
            record(&row),
            "47,3318402975561208,,duplicate,Row 12 names the same business. It is sent once.,\"Gulmohar, Opticals\"\r\n"
        );
        let row = ListedRow { finding: Finding::Eligible, left_out: true, entered: None, business: None, ..row };
        assert_eq!(record(&row), "47,2.2E+15,,left_out,You left it out.,\r\n");
    }
}
