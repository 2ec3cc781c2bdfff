//! A draft's rows: listed a page at a time, corrected, and those that aren't sent.

use time::OffsetDateTime;

use super::super::{
    groups::Group,
    model::{DraftNumber, Finding, ListedRow},
    reader::read_id,
};
use crate::{db::TenantTx, graph::BusinessId};

/// Which part of a list of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The rows after this line; after line 0: the first.
    After(i32),
    /// The rows before it.
    Before(i32),
}

/// A row as the queries below select it.
struct RowFound {
    line: i32,
    given: String,
    entered: Option<String>,
    given_solution: Option<String>,
    finding: String,
    same_as: Option<i32>,
    left_out: bool,
    business_id: Option<String>,
    business_name: Option<String>,
    waiting_since: Option<OffsetDateTime>,
    waba_name: Option<String>,
}

impl RowFound {
    fn read(self) -> Option<ListedRow> {
        Some(ListedRow {
            line: self.line,
            given: self.given,
            entered: self.entered,
            given_solution: self.given_solution,
            finding: Finding::from_stored(&self.finding)?,
            same_as: self.same_as,
            left_out: self.left_out,
            business: self.business_id.map(BusinessId::from_stored).zip(self.business_name),
            waba_name: self.waba_name,
            waiting_since: self.waiting_since,
        })
    }
}

/// Rows of a group in the order of their lines, `most` of them, as near to where the part begins as there are.
pub async fn list_rows(
    tx: &mut TenantTx,
    number: DraftNumber,
    group: Group,
    part: Part,
    most: i64,
) -> sqlx::Result<Vec<ListedRow>> {
    let (findings, left_out) = group.findings();
    let (line, backwards) = match part {
        Part::After(line) => (line, false),
        Part::Before(line) => (line, true),
    };
    let mut rows = rows(tx, number, &findings, left_out, (line, backwards), most).await?;
    if backwards {
        rows.reverse();
    }
    Ok(rows)
}

/// Rows that nothing is sent for, from after `line` on, `most` of them.
pub async fn rejected_rows(
    tx: &mut TenantTx,
    number: DraftNumber,
    line: i32,
    most: i64,
) -> sqlx::Result<Vec<ListedRow>> {
    let partner = tx.partner().clone();
    let rows = sqlx::query_as!(
        RowFound,
        r#"
        SELECT r.line, r.given, r.entered, r.given_solution, r.finding, r.same_as, r.left_out, r.business_id::text, b.name AS "business_name?",
            b.waiting_since AS "waiting_since?", NULL::text AS waba_name
        FROM batch_rows r LEFT JOIN businesses b ON b.partner_id = r.partner_id AND b.business_id = r.business_id
        WHERE r.partner_id = $1 AND r.batch_number = $2 AND r.line > $3
            AND (r.left_out OR r.finding NOT IN ('eligible', 'unsaid', 'waba_id'))
        ORDER BY r.line LIMIT $4
        "#,
        partner.as_str(),
        number.0,
        line,
        most,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().filter_map(RowFound::read).collect())
}

async fn rows(
    tx: &mut TenantTx,
    number: DraftNumber,
    findings: &[&str],
    left_out: Option<bool>,
    (line, backwards): (i32, bool),
    most: i64,
) -> sqlx::Result<Vec<ListedRow>> {
    let partner = tx.partner().clone();
    let rows = sqlx::query_as!(
        RowFound,
        r#"
        WITH page AS MATERIALIZED (
            SELECT * FROM batch_rows
            WHERE partner_id = $1 AND batch_number = $2 AND finding = ANY ($3) AND ($4::boolean IS NULL OR left_out = $4)
                AND CASE WHEN $6 THEN line < $5 ELSE line > $5 END
            ORDER BY CASE WHEN $6 THEN -line ELSE line END LIMIT $7
        )
        SELECT r.line, r.given, r.entered, r.given_solution, r.finding, r.same_as, r.left_out, r.business_id::text, b.name AS "business_name?",
            b.waiting_since AS "waiting_since?", w.name AS "waba_name?"
        FROM page r
        LEFT JOIN LATERAL (
            SELECT o.name, o.waiting_since FROM businesses o
            WHERE o.partner_id = $1 AND o.business_id = r.business_id OFFSET 0
        ) AS b ON TRUE
        LEFT JOIN LATERAL (
            SELECT a.name FROM wabas a
            WHERE a.partner_id = $1 AND a.waba_id = r.given_id AND r.given_id IS DISTINCT FROM r.business_id OFFSET 0
        ) AS w ON TRUE
        ORDER BY CASE WHEN $6 THEN -r.line ELSE r.line END
        "#,
        partner.as_str(),
        number.0,
        findings as _,
        left_out,
        line,
        backwards,
        most,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().filter_map(RowFound::read).collect())
}

/// What a member says of the rows of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Correction {
    /// Lines with a box to tick.
    pub shown: Vec<i32>,
    /// Those whose box is ticked.
    pub kept: Vec<i32>,
    /// What stands in the field of a line.
    pub entered: Vec<(i32, String)>,
}

/// Leaves rows out or takes them in again, and reads what was entered for others. They are to be checked after it.
pub async fn correct(tx: &mut TenantTx, number: DraftNumber, correction: &Correction) -> sqlx::Result<()> {
    let partner = tx.partner().clone();
    sqlx::query!(
        "UPDATE batch_rows SET left_out = NOT left_out
        WHERE partner_id = $1 AND batch_number = $2 AND line = ANY ($3) AND left_out = (line = ANY ($4))",
        partner.as_str(),
        number.0,
        &correction.shown,
        &correction.kept,
    )
    .execute(&mut **tx)
    .await?;
    let lines: Vec<i32> = correction.entered.iter().map(|(line, _)| *line).collect();
    let known = sqlx::query!(
        "SELECT line, given, entered FROM batch_rows WHERE partner_id = $1 AND batch_number = $2 AND line = ANY ($3)",
        partner.as_str(),
        number.0,
        &lines,
    )
    .fetch_all(&mut **tx)
    .await?;
    let (mut lines, mut entered, mut ids, mut unreadable) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for row in known {
        let Some((_, text)) = correction.entered.iter().find(|(line, _)| *line == row.line) else { continue };
        let text: String = text.replace('\0', "\u{FFFD}").trim().chars().take(200).collect();
        if text == row.entered.as_deref().unwrap_or_default() {
            continue;
        }
        // Emptied, what stands in the list holds again.
        let text = Some(text).filter(|text| !text.is_empty() && *text != row.given);
        let id = read_id(text.as_deref().unwrap_or(&row.given));
        lines.push(row.line);
        unreadable.push(id.as_ref().err().map(|why| why.as_str()));
        ids.push(id.ok());
        entered.push(text);
    }
    sqlx::query!(
        "UPDATE batch_rows r SET entered = c.entered, given_id = c.given_id, unreadable = c.unreadable, left_out = FALSE
        FROM unnest($3::integer[], $4::text[], $5::text[], $6::text[]) AS c (line, entered, given_id, unreadable)
        WHERE r.partner_id = $1 AND r.batch_number = $2 AND r.line = c.line",
        partner.as_str(),
        number.0,
        &lines,
        &entered as _,
        &ids as _,
        &unreadable as _,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}
