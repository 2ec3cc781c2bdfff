//! Keeps what a page of a sync tells: any number of businesses and WABAs in three statements, with a line in the timeline for each
//! change.
//!
//! Rows are looked up by their whole key in a LATERAL of their own: of a partner that came a minute ago the planner thinks it has one
//! row, and would walk through all of them.

use time::OffsetDateTime;

use super::{lock_businesses, lock_wabas, start_of};
use crate::{
    businesses::{
        name_key::{key_of, words_of},
        sync::{Seen, SeenBusiness},
    },
    db::TenantTx,
    graph::WabaId,
};

/// What a business is called until Meta names it.
const NAMELESS: &str = "No name";

/// Which sync a page belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// The sync.
    pub sync_id: i64,
    /// When it began: a business first seen since then has its line in the timeline, and its WABAs need none.
    pub began_at: OffsetDateTime,
    /// The hour.
    pub now: OffsetDateTime,
}

/// Keeps a page and brings the businesses it touched up to date. Returns how many businesses were new. Doing it twice changes nothing.
pub async fn upsert(tx: &mut TenantTx, reading: Reading, seen: &Seen) -> sqlx::Result<u64> {
    lock(tx, seen).await?;
    let fresh = upsert_businesses(tx, &seen.businesses, reading.now).await?;
    let moved_from = upsert_wabas(tx, reading, seen).await?;
    touch(tx, reading.sync_id, &seen.ownerless).await?;
    let mut ids: Vec<String> = seen.businesses.iter().map(|business| business.id.to_string()).collect();
    ids.extend(moved_from);
    refresh_and_note(tx, &ids, reading).await?;
    Ok(fresh)
}

/// Locks what a page is about: its businesses and those its WABAs have belonged to, then the WABAs.
async fn lock(tx: &mut TenantTx, seen: &Seen) -> sqlx::Result<()> {
    let partner = tx.partner().clone();
    let wabas: Vec<&str> =
        seen.wabas.iter().map(|waba| waba.id.as_str()).chain(seen.ownerless.iter().map(WabaId::as_str)).collect();
    let hosts = sqlx::query_scalar!(
        r#"SELECT DISTINCT w.business_id::text AS "id!" FROM unnest($2::text[]) AS given (id), LATERAL (
            SELECT business_id FROM wabas WHERE partner_id = $1 AND waba_id = given.id OFFSET 0
        ) AS w"#,
        partner.as_str() as _,
        &wabas as _,
    )
    .fetch_all(&mut **tx)
    .await?;
    let businesses: Vec<&str> =
        seen.businesses.iter().map(|business| business.id.as_str()).chain(hosts.iter().map(String::as_str)).collect();
    lock_businesses(tx, &businesses).await?;
    lock_wabas(tx, &wabas).await
}

async fn upsert_businesses(tx: &mut TenantTx, businesses: &[SeenBusiness], now: OffsetDateTime) -> sqlx::Result<u64> {
    let partner = tx.partner().clone();
    let column = |read: fn(&SeenBusiness) -> Option<String>| businesses.iter().map(read).collect::<Vec<_>>();
    let names = column(|business| business.name.clone());
    let keys: Vec<_> = names.iter().map(|name| name.as_deref().map(key_of)).collect();
    let words: Vec<_> = names.iter().map(|name| name.as_deref().map(|name| words_of(&partner, name))).collect();
    let since: Vec<_> =
        businesses.iter().map(|business| business.meta_status_date.as_deref().and_then(start_of)).collect();
    // Nothing is written where nothing is new, but for the time of the check, which no index holds.
    let fresh = sqlx::query_scalar!(
        r#"WITH listed AS (
            SELECT * FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::timestamptz[])
            AS listed (business_id, name, name_key, words, country, verification_status, meta_status, meta_status_date, meta_status_since)
        ), past AS MATERIALIZED (
            SELECT b.* FROM listed, LATERAL (
                SELECT business_id, left_at, meta_status FROM businesses WHERE partner_id = $1 AND business_id = listed.business_id OFFSET 0
            ) AS b
        ), given AS MATERIALIZED (
            -- Terms once signed stay signed: a webhook may tell before a list shows it.
            SELECT business_id, name, name_key, words, country, verification_status, meta_status_date, meta_status_since,
                CASE WHEN upper(past.meta_status) = 'TERM_OF_SERVICE_SIGNED' AND upper(listed.meta_status) <> 'TERM_OF_SERVICE_SIGNED' THEN NULL
                    ELSE listed.meta_status
                END AS meta_status,
                CASE WHEN listed.meta_status IS NOT NULL THEN $11::timestamptz END AS checked_at
            FROM listed LEFT JOIN past USING (business_id)
        ), written AS (
            INSERT INTO businesses AS b (partner_id, business_id, name, name_key, country, verification_status, meta_status,
                meta_status_date, meta_status_since, checked_at, first_seen_at)
            SELECT $1, business_id, coalesce(name, $12), coalesce(name_key, ''), country, verification_status,
                meta_status, meta_status_date, CASE WHEN meta_status IS NOT NULL THEN coalesce(meta_status_since, $11) END,
                checked_at, $11
            FROM given ORDER BY business_id
            ON CONFLICT (partner_id, business_id) DO UPDATE SET
                name = CASE WHEN excluded.name_key = '' AND excluded.name = $12 THEN b.name ELSE excluded.name END,
                name_key = CASE WHEN excluded.name_key = '' AND excluded.name = $12 THEN b.name_key ELSE excluded.name_key END,
                country = coalesce(excluded.country, b.country),
                verification_status = coalesce(excluded.verification_status, b.verification_status),
                meta_status = coalesce(excluded.meta_status, b.meta_status),
                meta_status_date = CASE WHEN excluded.meta_status IS NULL THEN b.meta_status_date ELSE excluded.meta_status_date END,
                meta_status_since = CASE
                    WHEN excluded.meta_status IS NULL THEN b.meta_status_since
                    WHEN excluded.meta_status = b.meta_status AND excluded.meta_status_date IS NOT DISTINCT FROM b.meta_status_date
                        THEN b.meta_status_since
                    ELSE excluded.meta_status_since
                END,
                checked_at = coalesce(excluded.checked_at, b.checked_at),
                left_at = NULL
            RETURNING business_id
        ), found_by AS (
            INSERT INTO business_words AS w (partner_id, business_id, name_key, words)
            SELECT $1, business_id, name_key, words::tsvector FROM given WHERE name IS NOT NULL ORDER BY business_id
            ON CONFLICT (partner_id, business_id) DO UPDATE SET name_key = excluded.name_key, words = excluded.words
            WHERE (w.name_key, w.words) IS DISTINCT FROM (excluded.name_key, excluded.words)
        ), noted AS (
            INSERT INTO business_events (partner_id, business_id, at, kind, detail, heard_from)
            SELECT $1, given.business_id, $11, note.kind, note.detail, 'sync'
            FROM given LEFT JOIN past USING (business_id), LATERAL (VALUES
                ('first_seen', NULL, past.business_id IS NULL),
                ('returned', NULL, past.left_at IS NOT NULL),
                ('meta_status_changed', given.meta_status,
                    past.business_id IS NOT NULL AND given.meta_status IS NOT NULL AND given.meta_status IS DISTINCT FROM past.meta_status)
            ) AS note (kind, detail, so)
            WHERE note.so
            ORDER BY given.business_id
        )
        SELECT (SELECT count(*) FROM written) - (SELECT count(*) FROM past) AS "fresh!""#,
        partner.as_str() as _,
        &column(|business| Some(business.id.to_string())) as _,
        &names as _,
        &keys as _,
        &words as _,
        &column(|business| business.country.clone()) as _,
        &column(|business| business.verification_status.clone()) as _,
        &column(|business| business.meta_status.clone()) as _,
        &column(|business| business.meta_status_date.clone()) as _,
        &since as _,
        now,
        NAMELESS,
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(u64::try_from(fresh).unwrap_or_default())
}

/// Returns the businesses from which a WABA moved to another: they have to be brought up to date as well.
async fn upsert_wabas(tx: &mut TenantTx, reading: Reading, seen: &Seen) -> sqlx::Result<Vec<String>> {
    let partner = tx.partner().clone();
    let wabas = &seen.wabas;
    let ids: Vec<_> = wabas.iter().map(|waba| waba.id.as_str()).collect();
    let businesses: Vec<_> = wabas.iter().map(|waba| waba.business.as_str()).collect();
    let names: Vec<_> = wabas.iter().map(|waba| waba.name.as_str()).collect();
    let links: Vec<_> = wabas.iter().map(|waba| waba.link.as_str()).collect();
    let eligibilities: Vec<_> = wabas.iter().map(|waba| waba.eligibility.as_deref()).collect();
    let countries: Vec<_> = wabas.iter().map(|waba| waba.country.as_deref()).collect();
    let currencies: Vec<_> = wabas.iter().map(|waba| waba.currency.as_deref()).collect();
    let reviews: Vec<_> = wabas.iter().map(|waba| waba.review_status.as_deref()).collect();
    let verifications: Vec<_> = wabas.iter().map(|waba| waba.verification_status.as_deref()).collect();
    let ownerships: Vec<_> = wabas.iter().map(|waba| waba.ownership_type.as_deref()).collect();
    sqlx::query_scalar!(
        r#"WITH given AS (
            SELECT * FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
                $11::text[])
            AS given (waba_id, business_id, name, link, eligibility, country, currency, review_status, verification_status, ownership_type)
        ), past AS MATERIALIZED (
            SELECT w.* FROM given, LATERAL (
                SELECT waba_id, business_id, eligibility, gone_at FROM wabas WHERE partner_id = $1 AND waba_id = given.waba_id OFFSET 0
            ) AS w
        ), written AS (
            INSERT INTO wabas AS w (partner_id, waba_id, business_id, name, link, eligibility, country, currency, review_status,
                verification_status, ownership_type, first_seen_at, changed_at, sync_id)
            SELECT $1, waba_id, business_id, name, link, eligibility, country, currency, review_status, verification_status, ownership_type,
                $12, $12, $13
            FROM given ORDER BY waba_id
            ON CONFLICT (partner_id, waba_id) DO UPDATE SET
                business_id = excluded.business_id, name = excluded.name, link = excluded.link,
                eligibility = coalesce(excluded.eligibility, w.eligibility), country = coalesce(excluded.country, w.country),
                currency = coalesce(excluded.currency, w.currency), review_status = coalesce(excluded.review_status, w.review_status),
                verification_status = coalesce(excluded.verification_status, w.verification_status),
                ownership_type = coalesce(excluded.ownership_type, w.ownership_type), gone_at = NULL, sync_id = excluded.sync_id,
                changed_at = CASE
                    WHEN w.gone_at IS NULL AND (w.business_id, w.name, w.link) = (excluded.business_id, excluded.name, excluded.link)
                        AND coalesce(excluded.eligibility = w.eligibility, TRUE)
                        AND coalesce(excluded.review_status = w.review_status, TRUE) THEN w.changed_at
                    ELSE excluded.changed_at
                END
        ), noted AS (
            INSERT INTO business_events (partner_id, business_id, at, kind, waba_id, detail, heard_from)
            SELECT $1, note.business_id, $12, note.kind, given.waba_id, note.detail, 'sync'
            FROM given LEFT JOIN past USING (waba_id), LATERAL (
                SELECT first_seen_at FROM businesses WHERE partner_id = $1 AND business_id = given.business_id OFFSET 0
            ) AS host, LATERAL (VALUES
                (past.business_id::text, 'waba_gone', NULL, past.gone_at IS NULL AND past.business_id <> given.business_id),
                (given.business_id, 'waba_shared', NULL,
                    host.first_seen_at < $14
                    AND (past.waba_id IS NULL OR past.gone_at IS NOT NULL OR past.business_id <> given.business_id)),
                (given.business_id, 'eligibility_changed', given.eligibility,
                    past.waba_id IS NOT NULL AND given.eligibility IS NOT NULL AND given.eligibility IS DISTINCT FROM past.eligibility)
            ) AS note (business_id, kind, detail, so)
            WHERE note.so
            ORDER BY given.waba_id
        )
        SELECT DISTINCT past.business_id::text AS "business_id!" FROM past JOIN given USING (waba_id)
        WHERE past.business_id <> given.business_id"#,
        partner.as_str() as _,
        &ids as _,
        &businesses as _,
        &names as _,
        &links as _,
        &eligibilities as _,
        &countries as _,
        &currencies as _,
        &reviews as _,
        &verifications as _,
        &ownerships as _,
        reading.now,
        reading.sync_id,
        reading.began_at,
    )
    .fetch_all(&mut **tx)
    .await
}

/// WABAs that were listed without their owner are still there.
async fn touch(tx: &mut TenantTx, sync_id: i64, ids: &[WabaId]) -> sqlx::Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let partner = tx.partner().clone();
    let ids: Vec<_> = ids.iter().map(WabaId::as_str).collect();
    sqlx::query!(
        "UPDATE wabas SET sync_id = $3 WHERE partner_id = $1 AND waba_id = ANY ($2)",
        partner.as_str() as _,
        &ids as _,
        sync_id,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

async fn refresh_and_note(tx: &mut TenantTx, ids: &[String], reading: Reading) -> sqlx::Result<()> {
    let partner = tx.partner().clone();
    sqlx::query!(
        "INSERT INTO business_events (partner_id, business_id, at, kind, heard_from)
        SELECT $1, moved.business, $3, 'became_eligible', 'sync' FROM refresh_standing($2) AS moved, LATERAL (
            SELECT FROM businesses WHERE partner_id = $1 AND business_id = moved.business AND first_seen_at < $4 OFFSET 0
        ) AS known
        WHERE moved.became = 'eligible' AND moved.was IN ('not_eligible', 'unknown')",
        partner.as_str() as _,
        ids as _,
        reading.now,
        reading.began_at,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// At the end of a whole sync: WABAs it did not see are gone, and businesses left without any have left.
pub async fn mark_vanished(tx: &mut TenantTx, reading: Reading) -> sqlx::Result<()> {
    let partner = tx.partner().clone();
    let hosts = sqlx::query_scalar!(
        r#"SELECT DISTINCT business_id::text AS "id!" FROM wabas WHERE partner_id = $1 AND gone_at IS NULL AND sync_id IS DISTINCT FROM $2"#,
        partner.as_str() as _,
        reading.sync_id,
    )
    .fetch_all(&mut **tx)
    .await?;
    lock_businesses(tx, &hosts.iter().map(String::as_str).collect::<Vec<_>>()).await?;
    let ids = sqlx::query_scalar!(
        r#"WITH gone AS (
            UPDATE wabas SET gone_at = $3, changed_at = $3
            WHERE partner_id = $1 AND gone_at IS NULL AND sync_id IS DISTINCT FROM $2
            RETURNING waba_id, business_id
        ), noted AS (
            INSERT INTO business_events (partner_id, business_id, at, kind, waba_id, heard_from)
            SELECT $1, business_id, $3, 'waba_gone', waba_id, 'sync' FROM gone
        )
        SELECT DISTINCT business_id::text AS "business_id!" FROM gone"#,
        partner.as_str() as _,
        reading.sync_id,
        reading.now,
    )
    .fetch_all(&mut **tx)
    .await?;
    if ids.is_empty() {
        return Ok(());
    }
    refresh_and_note(tx, &ids, reading).await?;
    sqlx::query!(
        "WITH left_now AS (
            UPDATE businesses SET left_at = $3
            WHERE partner_id = $1 AND business_id = ANY ($2) AND left_at IS NULL AND wabas = 0
            RETURNING business_id
        )
        INSERT INTO business_events (partner_id, business_id, at, kind, heard_from)
        SELECT $1, business_id, $3, 'left', 'sync' FROM left_now ORDER BY business_id",
        partner.as_str() as _,
        &ids as _,
        reading.now,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}
