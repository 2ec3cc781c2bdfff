//! What a change does to businesses, WABAs and solutions. Rows are looked up by their whole key and written by their place in the
//! table, as `refresh_standing` does it; businesses are locked first, in the order of their ids.

use std::collections::HashSet;

use time::OffsetDateTime;

use super::super::model::Outcome;
use crate::{
    businesses::{lock_wabas, refresh_standing},
    db::TenantTx,
    graph::BusinessId,
};

/// A change nobody has looked at.
#[derive(Clone, Debug)]
pub struct Fresh {
    pub id: i64,
    pub sent_at: OffsetDateTime,
    pub received_at: OffsetDateTime,
    pub field: Option<String>,
    pub event: Option<String>,
    pub business_id: Option<String>,
    pub waba_id: Option<String>,
    pub solution_id: Option<String>,
    pub body: String,
}

/// The oldest that nobody has looked at; nobody else takes these up meanwhile.
pub async fn take_fresh(tx: &mut TenantTx, most: i64) -> sqlx::Result<Vec<Fresh>> {
    let partner = tx.partner().clone();
    sqlx::query_as!(
        Fresh,
        r#"SELECT change_id AS id, sent_at, received_at, field, event, business_id AS "business_id: String",
            waba_id AS "waba_id: String", solution_id AS "solution_id: String", left(body, 20000) AS "body!"
        FROM webhook_changes WHERE partner_id = $1 AND settled_at IS NULL
        ORDER BY change_id LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED"#,
        partner.as_str() as _,
        most,
    )
    .fetch_all(&mut **tx)
    .await
}

/// Marks the terms of businesses signed, each since the earliest hour Meta named, and lets the line that told it stand there. Returns those
/// that were not known to have signed.
/// Doesn't recompute the standing.
pub async fn sign(
    tx: &mut TenantTx,
    signed: &[(&str, OffsetDateTime)],
    now: OffsetDateTime,
) -> sqlx::Result<HashSet<String>> {
    let partner = tx.partner().clone();
    let ids: Vec<&str> = signed.iter().map(|(id, _)| *id).collect();
    let since: Vec<OffsetDateTime> = signed.iter().map(|(_, at)| *at).collect();
    // The day as Meta itself spells it when it's asked: so the hour isn't lost to it.
    let news = sqlx::query_scalar!(
        r#"WITH given AS (
            SELECT business_id, min(at) AS at FROM unnest($2::text[], $3::timestamptz[]) AS given (business_id, at) GROUP BY business_id
        ), past AS MATERIALIZED (
            SELECT given.*, b.row_at, coalesce(upper(b.meta_status) = 'TERM_OF_SERVICE_SIGNED', FALSE) AS signed
            FROM given, LATERAL (
                SELECT o.ctid AS row_at, o.meta_status, o.meta_status_since FROM businesses o
                WHERE o.partner_id = $1 AND o.business_id = given.business_id OFFSET 0
            ) AS b
            WHERE upper(b.meta_status) IS DISTINCT FROM 'TERM_OF_SERVICE_SIGNED' OR b.meta_status_since > given.at
        ), written AS (
            UPDATE businesses b SET meta_status = 'TERM_OF_SERVICE_SIGNED', meta_status_since = past.at,
                meta_status_date = to_char(past.at AT TIME ZONE 'UTC', 'YYYY-MM-DD'), checked_at = greatest(b.checked_at, $4)
            FROM past WHERE b.ctid = past.row_at
        ), told_before AS (
            UPDATE business_events e SET at = past.at, heard_at = coalesce(e.heard_at, e.at) FROM past
            WHERE past.signed AND e.at > past.at AND e.partner_id = $1 AND e.event_id = (
                SELECT f.event_id FROM business_events f
                WHERE f.partner_id = $1 AND f.business_id = past.business_id AND f.kind = 'told' AND f.detail = 'MM_LITE_TERMS_SIGNED'
                ORDER BY f.at, f.event_id LIMIT 1
            )
        )
        SELECT business_id AS "id!" FROM past WHERE NOT signed"#,
        partner.as_str() as _,
        &ids as _,
        &since,
        now,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(news.into_iter().collect())
}

/// Brings WABAs to where the latest word of Meta's leaves them, whatever order the words came in: a partner added, a partner removed,
/// an account deleted. A sync that began later knows better. Returns the WABAs whose latest word such a sync has overtaken.
/// Doesn't recompute the standing.
pub async fn move_sharing(tx: &mut TenantTx, wabas: &[&str], now: OffsetDateTime) -> sqlx::Result<HashSet<String>> {
    let partner = tx.partner().clone();
    lock_wabas(tx, wabas).await?;
    // Meta names whole seconds and has its own clock: within a minute nobody knows which came first, and the word holds.
    let overtaken = sqlx::query_scalar!(
        r#"WITH asked AS (
            SELECT DISTINCT unnest($2::text[]) AS waba_id ORDER BY waba_id
        ), latest AS MATERIALIZED (
            SELECT asked.waba_id, l.event = 'PARTNER_ADDED' AS shared, l.sent_at FROM asked, LATERAL (
                SELECT c.event, c.sent_at FROM webhook_changes c
                WHERE c.partner_id = $1 AND c.waba_id = asked.waba_id AND c.event IN ('PARTNER_ADDED', 'PARTNER_REMOVED', 'ACCOUNT_DELETED')
                ORDER BY c.sent_at DESC, (c.event = 'PARTNER_ADDED') DESC LIMIT 1
            ) AS l
        ), past AS MATERIALIZED (
            SELECT latest.*, w.row_at, w.gone_at,
                EXISTS (
                    SELECT FROM syncs s WHERE s.sync_id = w.sync_id AND s.started_at > latest.sent_at + interval '1 minute'
                ) AS overtaken
            FROM latest, LATERAL (
                SELECT o.ctid AS row_at, o.gone_at, o.sync_id FROM wabas o
                WHERE o.partner_id = $1 AND o.waba_id = latest.waba_id OFFSET 0
            ) AS w
        ), moved AS (
            UPDATE wabas w SET gone_at = CASE WHEN past.shared THEN NULL ELSE greatest(past.gone_at, past.sent_at) END, changed_at = $3
            FROM past WHERE w.ctid = past.row_at AND CASE
                WHEN past.shared THEN past.gone_at < past.sent_at
                ELSE NOT past.overtaken AND (past.gone_at IS NULL OR past.gone_at < past.sent_at)
            END
        )
        SELECT waba_id AS "id!" FROM past WHERE overtaken AND NOT shared AND gone_at IS NULL"#,
        partner.as_str() as _,
        wabas as _,
        now,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(overtaken.into_iter().collect())
}

/// Recomputes where businesses stand, and marks those that have no WABA left as left, and those that have one again as returned.
pub async fn settle_businesses(tx: &mut TenantTx, ids: &[BusinessId], now: OffsetDateTime) -> sqlx::Result<()> {
    refresh_standing(tx, ids).await?;
    let partner = tx.partner().clone();
    let ids: Vec<&str> = ids.iter().map(BusinessId::as_str).collect();
    sqlx::query!(
        "WITH asked AS MATERIALIZED (
            SELECT b.*, gone.at FROM (SELECT DISTINCT unnest($2::text[]) AS id) AS given, LATERAL (
                SELECT o.ctid AS row_at, o.business_id, o.wabas, o.left_at FROM businesses o
                WHERE o.partner_id = $1 AND o.business_id = given.id OFFSET 0
            ) AS b, LATERAL (
                SELECT max(w.gone_at) AS at FROM wabas w WHERE w.partner_id = $1 AND w.business_id = b.business_id
            ) AS gone
        ), moved AS (
            UPDATE businesses b SET left_at = CASE WHEN asked.wabas = 0 THEN asked.at END
            FROM asked WHERE b.ctid = asked.row_at AND CASE
                WHEN asked.wabas = 0 THEN asked.at IS NOT NULL AND (asked.left_at IS NULL OR asked.left_at < asked.at)
                ELSE asked.left_at IS NOT NULL
            END
            RETURNING b.business_id, asked.left_at AS was, b.left_at AS became
        )
        INSERT INTO business_events (partner_id, business_id, at, kind, heard_from)
        SELECT $1, business_id, $3, CASE WHEN became IS NULL THEN 'returned' ELSE 'left' END, 'webhook' FROM moved
        WHERE (was IS NULL) <> (became IS NULL) ORDER BY business_id",
        partner.as_str() as _,
        &ids as _,
        now,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// Brings solutions to the status of Meta's latest word, unless a sync saw them later. Returns those that changed.
pub async fn move_solutions(tx: &mut TenantTx, told: &[(&str, OffsetDateTime, &str)]) -> sqlx::Result<HashSet<String>> {
    let partner = tx.partner().clone();
    let ids: Vec<&str> = told.iter().map(|(id, ..)| *id).collect();
    let at: Vec<OffsetDateTime> = told.iter().map(|(_, at, _)| *at).collect();
    let statuses: Vec<&str> = told.iter().map(|(.., status)| *status).collect();
    let moved = sqlx::query_scalar!(
        r#"WITH given AS (
            SELECT DISTINCT ON (solution_id) * FROM unnest($2::text[], $3::timestamptz[], $4::text[]) AS given (solution_id, at, status)
            ORDER BY solution_id, at DESC, status DESC
        )
        UPDATE solutions s SET status = given.status, told_at = given.at FROM given
        WHERE s.partner_id = $1 AND s.solution_id = given.solution_id AND s.seen_at < given.at + interval '1 minute'
            AND (s.told_at IS NULL OR (s.told_at, coalesce(s.status, '')) < (given.at, given.status))
        RETURNING s.solution_id::text AS "id!""#,
        partner.as_str() as _,
        &ids as _,
        &at,
        &statuses as _,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(moved.into_iter().collect())
}

/// A line of a business's timeline.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    pub business: &'a str,
    pub waba: Option<&'a str>,
    pub detail: String,
    /// The hour Meta named.
    pub sent_at: OffsetDateTime,
    /// When it first came.
    pub received_at: OffsetDateTime,
}

/// Writes what Meta told into the timelines of its businesses, each at the hour Meta named, where that isn't to come.
pub async fn note(tx: &mut TenantTx, lines: &[Line<'_>]) -> sqlx::Result<()> {
    let partner = tx.partner().clone();
    let businesses: Vec<&str> = lines.iter().map(|line| line.business).collect();
    let wabas: Vec<Option<&str>> = lines.iter().map(|line| line.waba).collect();
    let details: Vec<&str> = lines.iter().map(|line| line.detail.as_str()).collect();
    let sent: Vec<OffsetDateTime> = lines.iter().map(|line| line.sent_at.min(line.received_at)).collect();
    let received: Vec<OffsetDateTime> = lines.iter().map(|line| line.received_at).collect();
    sqlx::query!(
        "INSERT INTO business_events (partner_id, business_id, at, heard_at, kind, waba_id, detail, heard_from)
        SELECT $1, business_id, at, heard_at, 'told', waba_id, detail, 'webhook'
        FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[]) WITH ORDINALITY AS given (business_id, waba_id, detail, at, heard_at, place)
        ORDER BY place",
        partner.as_str() as _,
        &businesses as _,
        &wabas as _,
        &details as _,
        &sent,
        &received,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// Says what became of changes: its id, the outcome, whether it wants a sync.
pub async fn settle(tx: &mut TenantTx, settled: &[(i64, Outcome, bool)], now: OffsetDateTime) -> sqlx::Result<()> {
    let ids: Vec<i64> = settled.iter().map(|(id, ..)| *id).collect();
    let outcomes: Vec<&str> = settled.iter().map(|(_, outcome, _)| outcome.as_str()).collect();
    let wants: Vec<bool> = settled.iter().map(|(.., wants)| *wants).collect();
    sqlx::query!(
        "UPDATE webhook_changes c SET settled_at = $4, outcome = given.outcome, wants_sync = given.wants_sync
        FROM unnest($1::bigint[], $2::text[], $3::boolean[]) AS given (change_id, outcome, wants_sync)
        WHERE c.change_id = given.change_id",
        &ids,
        &outcomes as _,
        &wants,
        now,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// Has changes looked at again whose business has turned up, at most `most`; how many there were.
pub async fn reopen(tx: &mut TenantTx, most: i64) -> sqlx::Result<u64> {
    let partner = tx.partner().clone();
    sqlx::query!(
        "UPDATE webhook_changes SET settled_at = NULL, outcome = NULL
        WHERE change_id IN (
            SELECT c.change_id FROM webhook_changes c
            WHERE c.partner_id = $1 AND c.outcome = 'waits_for_business' AND EXISTS (
                SELECT FROM businesses b WHERE b.partner_id = $1 AND b.business_id = c.business_id
            )
            LIMIT $2
        ) AND outcome = 'waits_for_business'",
        partner.as_str() as _,
        most,
    )
    .execute(&mut **tx)
    .await
    .map(|done| done.rows_affected())
}

/// Whether a sync is needed because of what Meta told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncNeed {
    /// Nothing was told that leaves anything open, or a sync that began later tells.
    Met,
    /// One is under way that began before.
    Underway,
    /// The newest one ended, and began then.
    Open(OffsetDateTime),
}

/// Compares the newest change that leaves open how things stand with the newest sync. Without any sync there is no token for one.
pub async fn sync_need(tx: &mut TenantTx) -> sqlx::Result<SyncNeed> {
    let partner = tx.partner().clone();
    let row = sqlx::query!(
        r#"SELECT s.started_at, s.finished_at IS NULL AND s.failed_at IS NULL AS "underway!", s.started_at > c.received_at AS later
        FROM (
            SELECT received_at FROM webhook_changes WHERE partner_id = $1 AND wants_sync ORDER BY received_at DESC LIMIT 1
        ) AS c, (
            SELECT started_at, finished_at, failed_at FROM syncs WHERE partner_id = $1 ORDER BY sync_id DESC LIMIT 1
        ) AS s"#,
        partner.as_str() as _,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(match row {
        Some(row) if row.later == Some(false) && row.underway => SyncNeed::Underway,
        Some(row) if row.later == Some(false) => row.started_at.map_or(SyncNeed::Met, SyncNeed::Open),
        _ => SyncNeed::Met,
    })
}
