//! Writing drafts, and throwing them away.

use time::{Duration, OffsetDateTime};

use super::super::{
    model::{DraftNumber, Source},
    reader::{MOST_ROWS, Row},
};
use crate::db::TenantTx;

/// A list that is still being read after so long was given up.
const UNFINISHED: Duration = Duration::hours(1);
/// A draft that nobody started in so long isn't wanted any more.
const UNSTARTED: Duration = Duration::days(30);

/// Begins a draft, which is there once its rows are checked. A file's name is cut to 200 characters.
pub async fn begin(
    tx: &mut TenantTx,
    member_id: i64,
    source: Source,
    file_name: Option<&str>,
    now: OffsetDateTime,
) -> sqlx::Result<DraftNumber> {
    let partner = tx.partner().clone();
    sqlx::query_scalar!(
        r#"
        INSERT INTO batches (partner_id, member_id, source, file_name, drafted_at, size)
        VALUES ($1, $2, $3, left($4, 200), $5, 0) RETURNING batch_number
        "#,
        partner.as_str(),
        member_id,
        source.as_str(),
        file_name,
        now,
    )
    .fetch_one(&mut **tx)
    .await
    .map(DraftNumber)
}

/// Adds rows of a list. They aren't checked yet.
pub async fn add_rows(tx: &mut TenantTx, number: DraftNumber, rows: &[Row]) -> sqlx::Result<()> {
    let partner = tx.partner().clone();
    let lines: Vec<i32> = rows.iter().map(|row| i32::try_from(row.line).unwrap_or(i32::MAX)).collect();
    let given: Vec<&str> = rows.iter().map(|row| row.given.as_str()).collect();
    let ids: Vec<Option<&str>> = rows.iter().map(|row| row.id.as_deref().ok()).collect();
    let unreadable: Vec<Option<&str>> = rows.iter().map(|row| row.id.as_ref().err().map(|why| why.as_str())).collect();
    let given_solutions: Vec<Option<&str>> =
        rows.iter().map(|row| row.solution.as_ref().map(|(given, _)| given.as_str())).collect();
    let solutions: Vec<Option<&str>> =
        rows.iter().map(|row| row.solution.as_ref().and_then(|(_, id)| id.as_deref().ok())).collect();
    sqlx::query!(
        "INSERT INTO batch_rows (partner_id, batch_number, line, given, given_id, unreadable, given_solution, solution_id)
        SELECT $1, $2, line, given, given_id, unreadable, given_solution, solution_id
        FROM unnest($3::integer[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
            AS read (line, given, given_id, unreadable, given_solution, solution_id)",
        partner.as_str(),
        number.0,
        &lines,
        &given as _,
        &ids as _,
        &unreadable as _,
        &given_solutions as _,
        &solutions as _,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// A draft of what a member has ticked, by name, as it is at this moment. `None`: nothing is ticked. Its rows aren't checked yet.
pub async fn draft_selection(
    tx: &mut TenantTx,
    member_id: i64,
    now: OffsetDateTime,
) -> sqlx::Result<Option<DraftNumber>> {
    let partner = tx.partner().clone();
    let number = begin(tx, member_id, Source::Selection, None, now).await?;
    let written = sqlx::query!(
        "INSERT INTO batch_rows (partner_id, batch_number, line, given, given_id)
        SELECT $1, $2, row_number() OVER (ORDER BY b.name_key, b.business_id), b.business_id, b.business_id
        FROM selected_businesses s, LATERAL (
            SELECT o.business_id, o.name_key FROM businesses o
            WHERE o.partner_id = $1 AND o.business_id = s.business_id OFFSET 0
        ) AS b
        WHERE s.partner_id = $1 AND s.member_id = $3
        ORDER BY b.name_key, b.business_id
        LIMIT $4",
        partner.as_str(),
        number.0,
        member_id,
        i64::from(MOST_ROWS),
    )
    .execute(&mut **tx)
    .await?;
    if written.rows_affected() == 0 {
        discard(tx, number).await?;
        return Ok(None);
    }
    Ok(Some(number))
}

/// Throws a draft away. `false`: it was started, or it's not there.
pub async fn discard(tx: &mut TenantTx, number: DraftNumber) -> sqlx::Result<bool> {
    let partner = tx.partner().clone();
    let gone = sqlx::query!(
        "DELETE FROM batches WHERE partner_id = $1 AND batch_number = $2 AND started_at IS NULL",
        partner.as_str(),
        number.0,
    )
    .execute(&mut **tx)
    .await?;
    Ok(gone.rows_affected() > 0)
}

/// Throws away what a member began and never came back to.
pub async fn forget_old(tx: &mut TenantTx, member_id: i64, now: OffsetDateTime) -> sqlx::Result<()> {
    let partner = tx.partner().clone();
    sqlx::query!(
        "DELETE FROM batches
        WHERE partner_id = $1 AND member_id = $2 AND started_at IS NULL
            AND (drafted_at < $3 OR (checked_at IS NULL AND drafted_at < $4))",
        partner.as_str(),
        member_id,
        now - UNSTARTED,
        now - UNFINISHED,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}
