//! All SQL of this room. Here: one business, and what is kept about where businesses stand.

mod counts;
mod list;
mod managed;
mod named;
mod search;
mod selection;
mod syncs;
#[cfg(test)]
mod tests;
mod told;
mod upsert;

use std::collections::HashSet;

use time::{Date, OffsetDateTime, Time, macros::format_description};

use super::model::{Business, LastRequest, Link, Standing, Waba};
use crate::{
    db::TenantTx,
    graph::{BusinessId, WabaId},
};

pub use self::{
    counts::{Count, Counts, HeadCount, count_all, count_found, fold_counts, head_count},
    list::{Listed, list},
    managed::{count_managed, list_managed},
    named::{businesses_called, departed, first_businesses},
    search::{Found, find, find_asked, name_like},
    selection::{Selected, clear_selection, keep_ticks, select_matching, selected},
    syncs::{
        EndedSync, OpenSync, Part, Progress, Refusal, ask_for_sync, begin_sync, fail_sync, finish_sync, last_ended,
        open_sync, put_off, record_pages, refresh_statistics, sync_state,
    },
    told::{News, keep_told, wabas_in},
    upsert::{Reading, mark_vanished, upsert},
};

/// A business as the queries of this room select it.
#[derive(Debug)]
struct BusinessRow {
    business_id: String,
    name: String,
    name_key: String,
    country: Option<String>,
    verification_status: Option<String>,
    meta_status: Option<String>,
    meta_status_date: Option<String>,
    checked_at: Option<OffsetDateTime>,
    wabas: i32,
    eligible_wabas: i32,
    ready_wabas: i32,
    standing: String,
    needs_payment: bool,
    setting_up: bool,
    waiting_since: Option<OffsetDateTime>,
    last_request_number: Option<i64>,
    last_requested_at: Option<OffsetDateTime>,
    last_requested_by: Option<String>,
    first_seen_at: OffsetDateTime,
    left_at: Option<OffsetDateTime>,
}

impl From<BusinessRow> for Business {
    fn from(row: BusinessRow) -> Self {
        let last_request = match (row.last_request_number, row.last_requested_at, row.last_requested_by) {
            (Some(number), Some(at), Some(by)) => Some(LastRequest { number, at, by }),
            _ => None,
        };
        Self {
            id: BusinessId::from_stored(row.business_id),
            name: row.name,
            country: row.country,
            verification_status: row.verification_status,
            meta_status: row.meta_status,
            meta_status_date: row.meta_status_date,
            checked_at: row.checked_at,
            wabas: row.wabas,
            eligible_wabas: row.eligible_wabas,
            ready_wabas: row.ready_wabas,
            standing: Standing::from_stored(&row.standing),
            needs_payment: row.needs_payment,
            setting_up: row.setting_up,
            waiting_since: row.waiting_since,
            last_request,
            first_seen_at: row.first_seen_at,
            left_at: row.left_at,
        }
    }
}

/// One business of the transaction's partner, also one that has left.
pub async fn find_business(tx: &mut TenantTx, id: &BusinessId) -> sqlx::Result<Option<Business>> {
    let partner = tx.partner().clone();
    let row = sqlx::query_as!(
        BusinessRow,
        r#"SELECT business_id AS "business_id!: String", name, name_key, country, verification_status, meta_status, meta_status_date,
            checked_at, wabas, eligible_wabas, ready_wabas, standing, needs_payment, setting_up, waiting_since,
            last_request_number, last_requested_at, last_requested_by, first_seen_at, left_at
        FROM businesses WHERE partner_id = $1 AND business_id = $2"#,
        partner.as_str() as _,
        id.as_str() as _,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(Business::from))
}

/// The WABAs of a business: those we can see first, then those that are gone, each by name.
pub async fn wabas_of(tx: &mut TenantTx, id: &BusinessId) -> sqlx::Result<Vec<Waba>> {
    let partner = tx.partner().clone();
    let rows = sqlx::query!(
        r#"SELECT waba_id AS "waba_id!: String", name, link, eligibility, country, changed_at, gone_at
        FROM wabas WHERE partner_id = $1 AND business_id = $2
        ORDER BY gone_at IS NOT NULL, name COLLATE "C", waba_id"#,
        partner.as_str() as _,
        id.as_str() as _,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Waba {
            id: WabaId::from_stored(row.waba_id),
            name: row.name,
            link: Link::from_stored(&row.link),
            eligibility: row.eligibility,
            country: row.country,
            changed_at: row.changed_at,
            gone_at: row.gone_at,
        })
        .collect())
}

/// Keeps that a member asked for a check at Meta.
pub async fn note_check(tx: &mut TenantTx, id: &BusinessId, member_id: i64, now: OffsetDateTime) -> sqlx::Result<()> {
    let partner = tx.partner().clone();
    sqlx::query!(
        "INSERT INTO business_events (partner_id, business_id, at, kind, member_id) VALUES ($1, $2, $3, 'check_asked', $4)",
        partner.as_str() as _,
        id.as_str() as _,
        now,
        member_id,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// Whose WABA this is, for when a WABA's id is given where a business's belongs: the two can't be told apart by their digits.
pub async fn whose_waba(tx: &mut TenantTx, id: &WabaId) -> sqlx::Result<Option<(BusinessId, String)>> {
    let partner = tx.partner().clone();
    let row = sqlx::query!(
        r#"SELECT b.business_id AS "business_id!: String", b.name
        FROM wabas w JOIN businesses b ON b.partner_id = w.partner_id AND b.business_id = w.business_id
        WHERE w.partner_id = $1 AND w.waba_id = $2"#,
        partner.as_str() as _,
        id.as_str() as _,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|row| (BusinessId::from_stored(row.business_id), row.name)))
}

/// Locks businesses until the end of the transaction, in the order of their ids, as `refresh_standing` does, and returns those we know.
///
/// Whoever changes rows by what they hold now locks them by this first: a statement that waits for a lock goes on with what it saw
/// before it waited, and only the next one sees what was written meanwhile.
pub async fn lock_businesses(tx: &mut TenantTx, ids: &[&str]) -> sqlx::Result<HashSet<String>> {
    let partner = tx.partner().clone();
    let known = sqlx::query_scalar!(
        r#"SELECT b.business_id::text AS "id!" FROM (SELECT DISTINCT unnest($2::text[]) AS id ORDER BY id) AS asked, LATERAL (
            SELECT o.business_id FROM businesses o WHERE o.partner_id = $1 AND o.business_id = asked.id FOR NO KEY UPDATE
        ) AS b"#,
        partner.as_str() as _,
        ids as _,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(known.into_iter().collect())
}

/// The same for WABAs; after their businesses, where both are changed.
pub async fn lock_wabas(tx: &mut TenantTx, ids: &[&str]) -> sqlx::Result<()> {
    let partner = tx.partner().clone();
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "locked!" FROM (SELECT DISTINCT unnest($2::text[]) AS id ORDER BY id) AS asked, LATERAL (
            SELECT FROM wabas o WHERE o.partner_id = $1 AND o.waba_id = asked.id FOR NO KEY UPDATE
        ) AS w"#,
        partner.as_str() as _,
        ids as _,
    )
    .fetch_one(&mut **tx)
    .await
    .map(drop)
}

/// Recomputes where businesses stand. Whoever changes a request, a WABA or Meta's status calls this in the same transaction, once, with
/// all the businesses concerned: a second call could wait for another transaction that waits for this one.
pub async fn refresh_standing(tx: &mut TenantTx, ids: &[BusinessId]) -> sqlx::Result<()> {
    let ids: Vec<&str> = ids.iter().map(BusinessId::as_str).collect();
    sqlx::query!("SELECT FROM refresh_standing($1)", &ids as _).execute(&mut **tx).await.map(drop)
}

/// The beginning of a day as Meta writes it (`2025-10-07`); `None` for anything else.
fn start_of(date: &str) -> Option<OffsetDateTime> {
    let day = Date::parse(date.get(..10)?, format_description!("[year]-[month]-[day]")).ok()?;
    Some(day.with_time(Time::MIDNIGHT).assume_utc())
}
