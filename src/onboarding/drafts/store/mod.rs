//! All SQL of drafts. Here: one draft and its counts.
//!
//! Every function works inside the caller's tenant transaction. A draft whose rows weren't all written and checked isn't there yet.

mod check;
mod rows;
mod start;
#[cfg(test)]
mod tests;
mod write;

use time::OffsetDateTime;

use super::{
    groups::Counts,
    model::{Draft, DraftNumber, Finding, Source},
};
use crate::db::TenantTx;

pub use self::{
    check::check_rows,
    rows::{Correction, Part, correct, list_rows, rejected_rows},
    start::{Wish, refresh_statistics, start},
    write::{add_rows, begin, discard, draft_selection, forget_old},
};

struct DraftRow {
    batch_number: i64,
    member_id: i64,
    source: String,
    file_name: Option<String>,
    checked_at: Option<OffsetDateTime>,
    is_started: bool,
}

impl DraftRow {
    fn read(self) -> Option<Draft> {
        Some(Draft {
            number: DraftNumber(self.batch_number),
            member_id: self.member_id,
            source: [Source::Selection, Source::List].into_iter().find(|source| source.as_str() == self.source)?,
            file_name: self.file_name,
            checked_at: self.checked_at?,
            is_started: self.is_started,
        })
    }
}

/// A draft, or the batch it became. `None`: there is none of that number, or it's another partner's.
pub async fn find_draft(tx: &mut TenantTx, number: DraftNumber) -> sqlx::Result<Option<Draft>> {
    let partner = tx.partner().clone();
    let row = sqlx::query_as!(
        DraftRow,
        r#"
        SELECT batch_number, member_id, source, file_name, checked_at, started_at IS NOT NULL AS "is_started!"
        FROM batches WHERE partner_id = $1 AND batch_number = $2
        "#,
        partner.as_str(),
        number.0,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.and_then(DraftRow::read))
}

/// As [`find_draft`], and nobody else changes or starts it until the transaction ends.
pub async fn hold_draft(tx: &mut TenantTx, number: DraftNumber) -> sqlx::Result<Option<Draft>> {
    let partner = tx.partner().clone();
    let row = sqlx::query_as!(
        DraftRow,
        r#"
        SELECT batch_number, member_id, source, file_name, checked_at, started_at IS NOT NULL AS "is_started!"
        FROM batches WHERE partner_id = $1 AND batch_number = $2 FOR NO KEY UPDATE
        "#,
        partner.as_str(),
        number.0,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.and_then(DraftRow::read))
}

/// How many rows there are of each finding.
pub async fn count_rows(tx: &mut TenantTx, number: DraftNumber) -> sqlx::Result<Counts> {
    let partner = tx.partner().clone();
    let rows = sqlx::query!(
        r#"
        SELECT finding, left_out, count(*) AS "rows!" FROM batch_rows
        WHERE partner_id = $1 AND batch_number = $2 GROUP BY finding, left_out
        "#,
        partner.as_str(),
        number.0,
    )
    .fetch_all(&mut **tx)
    .await?;
    let known = rows.into_iter().filter_map(|row| {
        Some((Finding::from_stored(&row.finding)?, row.left_out, u64::try_from(row.rows).unwrap_or_default()))
    });
    Ok(Counts(known.collect()))
}
