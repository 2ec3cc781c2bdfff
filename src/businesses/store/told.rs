//! What Meta said when it was asked of many at once (4.11): kept, with a line in the timeline for each change.
//!
//! Rows are looked up by their whole key and written by their place in the table, as `refresh_standing` does it: of a partner that
//! came a minute ago the planner thinks it has one row, and would walk through all of them.

use time::OffsetDateTime;

use super::{lock_businesses, lock_wabas, refresh_standing, start_of};
use crate::{
    db::TenantTx,
    graph::{BusinessId, BusinessStatus, WabaId},
};

/// Whether something was new in what was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    None,
    Some,
}

/// Keeps what Meta said of businesses and of WABAs of theirs, and brings them up to date. What Meta didn't say changes nothing.
///
/// Each WABA is one of a business in `statuses`: all of these are locked first, in the order of their ids.
pub async fn keep_told(
    tx: &mut TenantTx,
    statuses: &[(BusinessId, BusinessStatus)],
    eligibilities: &[(WabaId, Option<String>)],
    now: OffsetDateTime,
) -> sqlx::Result<News> {
    let mut ids: Vec<BusinessId> = statuses.iter().map(|(id, _)| id.clone()).collect();
    ids.sort_unstable();
    lock_businesses(tx, &ids.iter().map(BusinessId::as_str).collect::<Vec<_>>()).await?;
    let changed = keep_statuses(tx, statuses, now).await? + keep_eligibilities(tx, eligibilities, now).await?;
    if changed == 0 {
        return Ok(News::None);
    }
    refresh_standing(tx, &ids).await?;
    Ok(News::Some)
}

/// How many of them Meta says something else of than before.
async fn keep_statuses(
    tx: &mut TenantTx,
    statuses: &[(BusinessId, BusinessStatus)],
    now: OffsetDateTime,
) -> sqlx::Result<i64> {
    let partner = tx.partner().clone();
    let mut statuses: Vec<_> = statuses.iter().collect();
    statuses.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    let ids: Vec<_> = statuses.iter().map(|(id, _)| id.as_str()).collect();
    let words: Vec<_> = statuses.iter().map(|(_, said)| said.status.as_deref()).collect();
    let dates: Vec<_> = statuses.iter().map(|(_, said)| said.date.as_deref()).collect();
    let since: Vec<_> = statuses.iter().map(|(_, said)| said.date.as_deref().and_then(start_of)).collect();
    sqlx::query_scalar!(
        r#"WITH given AS (
            SELECT * FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[]) AS given (business_id, status, date, since)
        ), past AS MATERIALIZED (
            SELECT given.*, b.row_at, b.meta_status, b.meta_status_date, b.meta_status_since,
                -- Terms once signed stay signed: a webhook may tell before an answer shows it.
                coalesce(upper(b.meta_status) = 'TERM_OF_SERVICE_SIGNED' AND upper(given.status) <> 'TERM_OF_SERVICE_SIGNED', FALSE) AS is_older
            FROM given, LATERAL (
                SELECT o.ctid AS row_at, o.meta_status, o.meta_status_date, o.meta_status_since FROM businesses o
                WHERE o.partner_id = $1 AND o.business_id = given.business_id OFFSET 0
            ) AS b
        ), written AS (
            UPDATE businesses b SET checked_at = $6,
                meta_status = CASE WHEN past.is_older THEN past.meta_status ELSE past.status END,
                meta_status_date = CASE WHEN past.is_older THEN past.meta_status_date ELSE coalesce(past.date, past.meta_status_date) END,
                meta_status_since = CASE
                    WHEN past.is_older THEN past.meta_status_since
                    ELSE coalesce(past.since, CASE WHEN past.meta_status = past.status THEN past.meta_status_since END, $6)
                END
            FROM past WHERE b.ctid = past.row_at AND past.status IS NOT NULL
        ), noted AS (
            INSERT INTO business_events (partner_id, business_id, at, kind, detail, heard_from)
            SELECT $1, business_id, $6, 'meta_status_changed', status, 'poll' FROM past
            WHERE status IS NOT NULL AND status IS DISTINCT FROM meta_status AND NOT is_older
            ORDER BY business_id
            RETURNING event_id
        )
        SELECT count(*) AS "changed!" FROM noted"#,
        partner.as_str() as _,
        &ids as _,
        &words as _,
        &dates as _,
        &since as _,
        now,
    )
    .fetch_one(&mut **tx)
    .await
}

/// How many of them Meta says something else of than before.
async fn keep_eligibilities(
    tx: &mut TenantTx,
    eligibilities: &[(WabaId, Option<String>)],
    now: OffsetDateTime,
) -> sqlx::Result<i64> {
    let mut told: Vec<_> =
        eligibilities.iter().filter_map(|(id, word)| Some((id.as_str(), word.as_deref()?))).collect();
    if told.is_empty() {
        return Ok(0);
    }
    told.sort_unstable();
    let (ids, words): (Vec<_>, Vec<_>) = told.into_iter().unzip();
    lock_wabas(tx, &ids).await?;
    let partner = tx.partner().clone();
    sqlx::query_scalar!(
        r#"WITH given AS (
            SELECT * FROM unnest($2::text[], $3::text[]) AS given (waba_id, word)
        ), past AS MATERIALIZED (
            SELECT given.*, w.row_at, w.business_id
            FROM given, LATERAL (
                SELECT o.ctid AS row_at, o.business_id, o.eligibility FROM wabas o
                WHERE o.partner_id = $1 AND o.waba_id = given.waba_id AND o.gone_at IS NULL OFFSET 0
            ) AS w
            WHERE w.eligibility IS DISTINCT FROM given.word
        ), written AS (
            UPDATE wabas w SET eligibility = past.word, changed_at = $4 FROM past WHERE w.ctid = past.row_at
        ), noted AS (
            INSERT INTO business_events (partner_id, business_id, at, kind, waba_id, detail, heard_from)
            SELECT $1, business_id, $4, 'eligibility_changed', waba_id, word, 'poll' FROM past ORDER BY waba_id
            RETURNING event_id
        )
        SELECT count(*) AS "changed!" FROM noted"#,
        partner.as_str() as _,
        &ids as _,
        &words as _,
        now,
    )
    .fetch_one(&mut **tx)
    .await
}

/// The WABAs of these businesses that we can see.
pub async fn wabas_in(tx: &mut TenantTx, ids: &[BusinessId]) -> sqlx::Result<Vec<WabaId>> {
    let partner = tx.partner().clone();
    let ids: Vec<&str> = ids.iter().map(BusinessId::as_str).collect();
    let rows = sqlx::query_scalar!(
        r#"SELECT w.waba_id AS "waba_id!: String"
        FROM unnest($2::text[]) AS asked (id), LATERAL (
            SELECT waba_id FROM wabas WHERE partner_id = $1 AND business_id = asked.id AND gone_at IS NULL OFFSET 0
        ) AS w"#,
        partner.as_str() as _,
        &ids as _,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(WabaId::from_stored).collect())
}
