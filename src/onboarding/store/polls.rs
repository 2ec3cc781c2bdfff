//! Whom Meta is to be asked about, and when.

use std::time::Duration;

use time::OffsetDateTime;

use crate::{
    db::TenantTx,
    graph::{BusinessId, Cause, MetaRequestId},
};

/// The most that are taken up in one go.
const MOST_ENROLLED: i64 = 10_000;

/// A business whose turn has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    pub business: BusinessId,
    /// Calls in a row that were refused with it among others.
    pub refusals: i32,
    /// What of it is waited for; `None`: nothing any more.
    pub waits: Option<Waits>,
}

/// What is known of a business that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waits {
    /// The terms are signed: what is missing is a WABA that is onboarded.
    pub signed: bool,
    /// Since when.
    pub since: OffsetDateTime,
    /// When Meta last told its status, by whatever way.
    pub told_at: Option<OffsetDateTime>,
    /// When Meta last answered a poll about it.
    pub asked_at: Option<OffsetDateTime>,
    /// A member wants it asked about.
    pub wanted: bool,
}

/// Takes up those that wait for the client's admin, or signed and aren't ready, and looks anew at those that stand elsewhere than
/// before: for the first time after `first`.
pub async fn enrol(tx: &mut TenantTx, first: Duration, now: OffsetDateTime) -> sqlx::Result<()> {
    let partner = tx.partner().clone();
    let first = first.as_secs_f64();
    sqlx::query!(
        "INSERT INTO business_polls AS p (partner_id, business_id, standing, due_at)
         SELECT b.partner_id, b.business_id, b.standing, coalesce(b.waiting_since, $3) + make_interval(secs => $2)
         FROM businesses b LEFT JOIN business_polls old ON old.partner_id = b.partner_id AND old.business_id = b.business_id
         WHERE b.partner_id = $1 AND b.left_at IS NULL AND b.standing IN ('requested', 'already_requested', 'accepted')
            AND old.standing IS DISTINCT FROM b.standing
         ORDER BY b.business_id
         LIMIT $4
         ON CONFLICT (partner_id, business_id) DO UPDATE SET standing = excluded.standing, due_at = least(p.due_at, $3 + make_interval(secs => $2))",
        partner.as_str() as _,
        first,
        now,
        MOST_ENROLLED,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// Those whose time has come, the longest due first.
pub async fn due(tx: &mut TenantTx, most: i64, now: OffsetDateTime) -> sqlx::Result<Vec<Due>> {
    let partner = tx.partner().clone();
    let rows = sqlx::query!(
        r#"SELECT p.business_id::text AS "business_id!", p.refusals, p.asked_at, p.wanted_at, b.standing AS "standing?", b.checked_at AS "checked_at?",
            coalesce(b.waiting_since, b.meta_status_since, b.first_seen_at) AS since
        FROM (
            SELECT business_id, refusals, asked_at, wanted_at, due_at FROM business_polls
            WHERE partner_id = $1 AND due_at <= $2 ORDER BY due_at, business_id LIMIT $3
        ) AS p
        LEFT JOIN LATERAL (
            SELECT * FROM businesses o
            WHERE o.partner_id = $1 AND o.business_id = p.business_id AND o.left_at IS NULL
                AND o.standing IN ('requested', 'already_requested', 'accepted')
            OFFSET 0
        ) AS b ON TRUE
        ORDER BY p.due_at, p.business_id"#,
        partner.as_str() as _,
        now,
        most,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Due {
            business: BusinessId::from_stored(row.business_id),
            refusals: row.refusals,
            waits: row.standing.map(|standing| Waits {
                signed: standing == "accepted",
                since: row.since.unwrap_or(now),
                told_at: row.checked_at,
                asked_at: row.asked_at,
                wanted: row.wanted_at.is_some(),
            }),
        })
        .collect())
}

/// What became of asking about a business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub business: BusinessId,
    /// When it's due again.
    pub due_at: OffsetDateTime,
    /// Why Meta refused to tell, if it did.
    pub refusal: Option<Cause>,
    /// Whether Meta was asked at all: it may have told by another way.
    pub polled: bool,
}

/// Keeps when each is due again.
pub async fn reschedule(tx: &mut TenantTx, asked: &[Asked], now: OffsetDateTime) -> sqlx::Result<()> {
    let partner = tx.partner().clone();
    let ids: Vec<&str> = asked.iter().map(|asked| asked.business.as_str()).collect();
    let due_at: Vec<OffsetDateTime> = asked.iter().map(|asked| asked.due_at).collect();
    let causes: Vec<Option<&str>> = asked.iter().map(|asked| asked.refusal.map(Cause::as_str)).collect();
    let really: Vec<bool> = asked.iter().map(|asked| asked.polled).collect();
    sqlx::query!(
        "UPDATE business_polls p SET
            due_at = a.due_at,
            asked_at = CASE WHEN a.asked AND a.cause IS NULL THEN $6 ELSE p.asked_at END,
            refusals = CASE WHEN a.cause IS NOT NULL THEN least(p.refusals + 1, 16) WHEN a.asked THEN 0 ELSE p.refusals END,
            cause = CASE WHEN a.asked THEN a.cause ELSE p.cause END,
            wanted_at = CASE WHEN a.asked THEN NULL ELSE p.wanted_at END
         FROM unnest($2::text[], $3::timestamptz[], $4::text[], $5::bool[]) AS a (business_id, due_at, cause, asked)
         WHERE p.partner_id = $1 AND p.business_id = a.business_id",
        partner.as_str() as _,
        &ids as _,
        &due_at,
        &causes as _,
        &really,
        now,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// Forgets those of which nothing is waited for any more.
pub async fn forget(tx: &mut TenantTx, businesses: &[BusinessId]) -> sqlx::Result<()> {
    let partner = tx.partner().clone();
    let ids: Vec<&str> = businesses.iter().map(BusinessId::as_str).collect();
    sqlx::query!(
        "DELETE FROM business_polls WHERE partner_id = $1 AND business_id = ANY($2::text[])",
        partner.as_str() as _,
        &ids as _,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// What a member's wish to have Meta asked about a business meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Nothing of it is waited for.
    NotWaiting,
    /// Meta was asked a moment ago, or is to be asked as somebody wished before.
    Already,
    Newly,
}

/// Has Meta asked about a business as soon as it can be, unless that was done a moment ago.
pub async fn make_due(tx: &mut TenantTx, business: &BusinessId, now: OffsetDateTime) -> sqlx::Result<Wanted> {
    let partner = tx.partner().clone();
    let row = sqlx::query!(
        r#"WITH waiting AS MATERIALIZED (
            SELECT b.partner_id, b.business_id, b.standing, p.wanted_at IS NULL AS newly
            FROM businesses b LEFT JOIN business_polls p ON p.partner_id = b.partner_id AND p.business_id = b.business_id
            WHERE b.partner_id = $1 AND b.business_id = $2 AND b.left_at IS NULL
                AND b.standing IN ('requested', 'already_requested', 'accepted')
        ), made AS (
            INSERT INTO business_polls AS p (partner_id, business_id, standing, due_at, wanted_at)
            SELECT partner_id, business_id, standing, $3, $3 FROM waiting
            ON CONFLICT (partner_id, business_id) DO UPDATE SET due_at = least(p.due_at, $3), wanted_at = $3
            WHERE coalesce(p.asked_at, '-infinity') < $3::timestamptz - interval '1 minute'
            RETURNING business_id
        )
        SELECT EXISTS (SELECT FROM waiting) AS "waits!", EXISTS (SELECT FROM waiting WHERE newly) AND EXISTS (SELECT FROM made) AS "newly!""#,
        partner.as_str() as _,
        business.as_str() as _,
        now,
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(match (row.waits, row.newly) {
        (false, _) => Wanted::NotWaiting,
        (true, false) => Wanted::Already,
        (true, true) => Wanted::Newly,
    })
}

/// Whether Meta answered about a business since then, or shortly before.
pub async fn is_polled(tx: &mut TenantTx, business: &BusinessId, since: OffsetDateTime) -> sqlx::Result<bool> {
    let partner = tx.partner().clone();
    sqlx::query_scalar!(
        r#"SELECT NOT EXISTS (
            SELECT FROM business_polls
            WHERE partner_id = $1 AND business_id = $2 AND coalesce(asked_at, '-infinity') < $3::timestamptz - interval '1 minute'
        ) AS "is!""#,
        partner.as_str() as _,
        business.as_str() as _,
        since,
    )
    .fetch_one(&mut **tx)
    .await
}

/// When Meta last answered a poll about a business.
pub async fn last_polled(tx: &mut TenantTx, business: &BusinessId) -> sqlx::Result<Option<OffsetDateTime>> {
    let partner = tx.partner().clone();
    let asked_at = sqlx::query_scalar!(
        "SELECT asked_at FROM business_polls WHERE partner_id = $1 AND business_id = $2",
        partner.as_str() as _,
        business.as_str() as _,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(asked_at.flatten())
}

/// When the next one is due.
pub async fn next_poll(tx: &mut TenantTx) -> sqlx::Result<Option<OffsetDateTime>> {
    let partner = tx.partner().clone();
    sqlx::query_scalar!("SELECT min(due_at) FROM business_polls WHERE partner_id = $1", partner.as_str() as _)
        .fetch_one(&mut **tx)
        .await
}

/// Whether dispatch has something to do at this moment: a request is being sent, or is due and could be.
pub async fn dispatch_has_work(tx: &mut TenantTx, now: OffsetDateTime) -> sqlx::Result<bool> {
    let partner = tx.partner().clone();
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM requests WHERE partner_id = $1 AND state = 'sending') OR EXISTS (
            SELECT FROM requests r
            JOIN batches b ON b.batch_number = r.batch_number AND (b.paused_at IS NULL OR b.cancelled_at IS NOT NULL)
            JOIN senders($2) AS s ON s.member = r.member_id
            WHERE r.partner_id = $1 AND r.state IN ('queued', 'waiting_to_retry') AND coalesce(r.retry_at, r.queued_at) <= $2
        ) AS "has!""#,
        partner.as_str(),
        now,
    )
    .fetch_one(&mut **tx)
    .await
}

/// Keeps what Meta said became of requests, by its own ids.
pub async fn keep_request_statuses(tx: &mut TenantTx, said: &[(MetaRequestId, String)]) -> sqlx::Result<()> {
    let partner = tx.partner().clone();
    let (ids, words): (Vec<&str>, Vec<&str>) = said.iter().map(|(id, word)| (id.as_str(), word.as_str())).unzip();
    sqlx::query!(
        "UPDATE requests r SET meta_request_status = said.word
         FROM unnest($2::text[], $3::text[]) AS said (id, word)
         WHERE r.partner_id = $1 AND r.meta_request_id = said.id AND r.meta_request_status IS DISTINCT FROM said.word",
        partner.as_str() as _,
        &ids as _,
        &words as _,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// Meta's ids of the requests that stand open for these businesses.
pub async fn open_meta_ids(tx: &mut TenantTx, businesses: &[BusinessId]) -> sqlx::Result<Vec<MetaRequestId>> {
    let partner = tx.partner().clone();
    let ids: Vec<String> = businesses.iter().map(ToString::to_string).collect();
    let found = sqlx::query_scalar!(
        r#"SELECT meta_request_id AS "id!" FROM requests
        WHERE partner_id = $1 AND business_id = ANY($2::text[]) AND state IN ('requested', 'already_requested') AND meta_request_id IS NOT NULL
        ORDER BY number"#,
        partner.as_str(),
        &ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(found.into_iter().map(MetaRequestId::from_stored).collect())
}
