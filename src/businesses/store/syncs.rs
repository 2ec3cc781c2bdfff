//! The syncs themselves: asked for, under way, ended. The open row is all a sync knows, so a crash loses at most what was read and not kept yet.

use time::OffsetDateTime;

use crate::{
    businesses::model::{Running, SyncState},
    db::{Db, TenantTx},
};

/// Which list is being read, in the order they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// WABAs shared with the partner.
    ClientWabas,
    /// WABAs the partner owns.
    OwnedWabas,
    /// Solutions the app owns.
    OwnedSolutions,
    /// Solutions the app takes part in.
    PartnerSolutions,
}

impl Part {
    const ALL: [Self; 4] = [Self::ClientWabas, Self::OwnedWabas, Self::OwnedSolutions, Self::PartnerSolutions];

    const fn as_str(self) -> &'static str {
        match self {
            Self::ClientWabas => "client_wabas",
            Self::OwnedWabas => "owned_wabas",
            Self::OwnedSolutions => "owned_solutions",
            Self::PartnerSolutions => "partner_solutions",
        }
    }

    fn from_stored(key: &str) -> Self {
        Self::ALL.into_iter().find(|part| part.as_str() == key).unwrap_or(Self::ClientWabas)
    }

    /// What is read after it; `None` after the last.
    pub fn next(self) -> Option<Self> {
        let at = Self::ALL.iter().position(|part| *part == self)?;
        Self::ALL.get(at + 1).copied()
    }
}

/// A sync that has not ended.
#[derive(Clone, Debug)]
pub struct OpenSync {
    /// Ours.
    pub id: i64,
    /// When its first page was asked for.
    pub started_at: Option<OffsetDateTime>,
    /// The list being read.
    pub part: Part,
    /// Graph's cursor to the next page of it.
    pub cursor: Option<String>,
    /// Rows that couldn't be read.
    pub skipped: i32,
    /// Temporary faults in a row.
    pub tries: i32,
    /// Not to go on before.
    pub retry_at: Option<OffsetDateTime>,
}

/// How the newest sync that ended did.
#[derive(Clone, Debug)]
pub struct EndedSync {
    /// When.
    pub at: OffsetDateTime,
    /// Why it was given up; `None` if it finished.
    pub cause: Option<String>,
}

/// What pages add.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Where to go on: the list, and the page of it. `None`: nowhere.
    pub place: Option<(Part, Option<&'a str>)>,
    /// How many pages there were.
    pub pages: usize,
    /// WABAs of the pages.
    pub wabas: usize,
    /// Businesses first met on the pages.
    pub businesses: u64,
    /// Rows that couldn't be read.
    pub skipped: usize,
}

/// Why Graph gave no page.
#[derive(Clone, Copy, Debug)]
pub struct Refusal<'a> {
    /// As `graph::Cause` spells it.
    pub cause: &'a str,
    /// Meta's trace of it.
    pub fbtrace_id: Option<&'a str>,
}

/// What the line under the title tells.
pub async fn sync_state(tx: &mut TenantTx) -> sqlx::Result<SyncState> {
    let partner = tx.partner().clone();
    let rows = sqlx::query!(
        r#"SELECT finished_at, failed_at, wabas_seen AS "wabas_seen!", expected, retry_at, cause FROM (
            (SELECT * FROM syncs WHERE partner_id = $1 AND finished_at IS NULL AND failed_at IS NULL)
            UNION ALL
            (SELECT * FROM syncs WHERE partner_id = $1 AND finished_at IS NOT NULL ORDER BY sync_id DESC LIMIT 1)
            UNION ALL
            (SELECT * FROM syncs WHERE partner_id = $1 AND failed_at IS NOT NULL ORDER BY sync_id DESC LIMIT 1)
        ) AS told"#,
        partner.as_str() as _,
    )
    .fetch_all(&mut **tx)
    .await?;
    let mut state = SyncState::default();
    let mut failed_at = None;
    for row in rows {
        match (row.finished_at, row.failed_at) {
            (Some(at), _) => state.synced_at = Some(at),
            (None, Some(at)) => (failed_at, state.failure) = (Some(at), row.cause),
            (None, None) => {
                state.running =
                    Some(Running { wabas: row.wabas_seen, expected: row.expected, waits_until: row.retry_at });
            }
        }
    }
    if state.synced_at > failed_at {
        state.failure = None;
    }
    Ok(state)
}

/// Asks for a sync; while one is open it is that one.
pub async fn ask_for_sync(tx: &mut TenantTx, asked_by: Option<i64>, now: OffsetDateTime) -> sqlx::Result<()> {
    let partner = tx.partner().clone();
    sqlx::query!(
        "INSERT INTO syncs (partner_id, asked_at, asked_by, expected)
        VALUES ($1::text, $2, $3,
            (SELECT wabas_seen FROM syncs WHERE partner_id = $1 AND finished_at IS NOT NULL ORDER BY sync_id DESC LIMIT 1))
        ON CONFLICT (partner_id) WHERE finished_at IS NULL AND failed_at IS NULL DO NOTHING",
        partner.as_str() as _,
        now,
        asked_by,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// The sync that has not ended.
pub async fn open_sync(tx: &mut TenantTx) -> sqlx::Result<Option<OpenSync>> {
    let partner = tx.partner().clone();
    let row = sqlx::query!(
        "SELECT sync_id, started_at, part, cursor, skipped, tries, retry_at FROM syncs
        WHERE partner_id = $1 AND finished_at IS NULL AND failed_at IS NULL",
        partner.as_str() as _,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|row| OpenSync {
        id: row.sync_id,
        started_at: row.started_at,
        part: Part::from_stored(&row.part),
        cursor: row.cursor,
        skipped: row.skipped,
        tries: row.tries,
        retry_at: row.retry_at,
    }))
}

/// The newest sync that ended, however it did.
pub async fn last_ended(tx: &mut TenantTx) -> sqlx::Result<Option<EndedSync>> {
    let partner = tx.partner().clone();
    let row = sqlx::query!(
        r#"SELECT coalesce(finished_at, failed_at) AS "at!", CASE WHEN failed_at IS NOT NULL THEN cause END AS cause FROM syncs
        WHERE partner_id = $1 AND (finished_at IS NOT NULL OR failed_at IS NOT NULL) ORDER BY sync_id DESC LIMIT 1"#,
        partner.as_str() as _,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|row| EndedSync { at: row.at, cause: row.cause }))
}

/// Notes that its first page is asked for.
pub async fn begin_sync(tx: &mut TenantTx, id: i64, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("UPDATE syncs SET started_at = $2 WHERE sync_id = $1", id, now).execute(&mut **tx).await.map(drop)
}

/// Notes pages, in the transaction that keeps what they told.
pub async fn record_pages(tx: &mut TenantTx, id: i64, read: Progress<'_>) -> sqlx::Result<()> {
    let whole = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
    sqlx::query!(
        "UPDATE syncs SET part = coalesce($2, part), cursor = $3, pages = pages + $7, wabas_seen = wabas_seen + $4, businesses_seen = businesses_seen + $5,
            skipped = skipped + $6, tries = 0, retry_at = NULL, cause = NULL, fbtrace_id = NULL
        WHERE sync_id = $1",
        id,
        read.place.map(|(part, _)| part.as_str()),
        read.place.and_then(|(_, cursor)| cursor),
        whole(read.wabas),
        i32::try_from(read.businesses).unwrap_or(i32::MAX),
        whole(read.skipped),
        whole(read.pages),
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// Leaves it for later. `tries` counts the faults in a row so far, this one included.
pub async fn put_off(
    tx: &mut TenantTx,
    id: i64,
    until: OffsetDateTime,
    tries: i32,
    why: Refusal<'_>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE syncs SET retry_at = $2, tries = $3, cause = $4, fbtrace_id = $5 WHERE sync_id = $1",
        id,
        until,
        tries,
        why.cause,
        why.fbtrace_id,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// Gives it up. What it has read stays.
pub async fn fail_sync(tx: &mut TenantTx, id: i64, why: Refusal<'_>, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE syncs SET failed_at = $2, started_at = coalesce(started_at, $2), retry_at = NULL, cause = $3, fbtrace_id = $4
        WHERE sync_id = $1",
        id,
        now,
        why.cause,
        why.fbtrace_id,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// Tells the planner of a partner that was not there a minute ago. Needs the owner's rights, so not a tenant transaction.
pub async fn refresh_statistics(db: &Db) -> sqlx::Result<()> {
    sqlx::query!("ANALYZE businesses, wabas, name_words").execute(db.pool()).await.map(drop)
}

/// Everything has been read.
pub async fn finish_sync(tx: &mut TenantTx, id: i64, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("UPDATE syncs SET finished_at = $2, cursor = NULL WHERE sync_id = $1", id, now)
        .execute(&mut **tx)
        .await
        .map(drop)
}
