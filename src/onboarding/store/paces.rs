//! How fast a partner goes, kept for whoever goes on and for the pages that tell.

use time::OffsetDateTime;

use super::super::pace::{Hold, Pace, Past, Wait};
use crate::{db::TenantTx, graph::AppId};

/// The pace that was kept, or a new one.
pub async fn find_pace(tx: &mut TenantTx, ceiling: u32) -> sqlx::Result<Pace> {
    let partner = tx.partner().clone();
    let row = sqlx::query!(
        "SELECT concurrency, used_percent, used_at, wait_until, told_at, cause, waits, troubles FROM paces WHERE partner_id = $1",
        partner.as_str(),
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(row) = row else { return Ok(Pace::new(ceiling)) };
    let wait = match (row.wait_until, row.told_at, &row.cause) {
        (Some(until), Some(since), Some(cause)) => Some(Wait { until, since, hold: Hold::from_stored(cause) }),
        _ => None,
    };
    let past = Past {
        concurrency: row.concurrency.unsigned_abs(),
        used: row.used_percent.map(f64::from).zip(row.used_at),
        wait,
        waits: row.waits.unsigned_abs(),
        troubles: row.troubles.unsigned_abs(),
    };
    Ok(Pace::new(ceiling).remembered(past))
}

/// Keeps the pace as it is now.
pub async fn save_pace(tx: &mut TenantTx, pace: &Pace, now: OffsetDateTime) -> sqlx::Result<()> {
    let partner = tx.partner().clone();
    let past = pace.past(now);
    #[expect(clippy::cast_possible_truncation, reason = "a percentage, shown whole")]
    let used = past.used.map(|(percent, _)| percent as f32);
    let count = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    sqlx::query!(
        "INSERT INTO paces (partner_id, concurrency, used_percent, used_at, wait_until, told_at, cause, waits, troubles)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (partner_id) DO UPDATE SET concurrency = excluded.concurrency, used_percent = excluded.used_percent,
            used_at = excluded.used_at, wait_until = excluded.wait_until, told_at = excluded.told_at, cause = excluded.cause,
            waits = excluded.waits, troubles = excluded.troubles",
        partner.as_str(),
        count(past.concurrency),
        used,
        past.used.map(|(_, at)| at),
        past.wait.map(|wait| wait.until),
        past.wait.map(|wait| wait.since),
        past.wait.map(|wait| wait.hold.as_str()),
        count(past.waits),
        count(past.troubles),
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// What one answer said of the app's own limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AppLimit {
    /// The percentage used up, and when that was said.
    pub used: Option<(f64, OffsetDateTime)>,
    /// Until when nothing may be sent, and since when.
    pub wait: Option<(OffsetDateTime, OffsetDateTime)>,
}

/// Keeps what was said of the app's limit, for all its partners. A wait is never made shorter.
pub async fn save_app_limit(tx: &mut TenantTx, app: &AppId, limit: AppLimit) -> sqlx::Result<()> {
    #[expect(clippy::cast_possible_truncation, reason = "a percentage, shown whole")]
    let used = limit.used.map(|(percent, _)| percent as f32);
    sqlx::query!(
        "INSERT INTO app_paces AS a (app_id, used_percent, used_at, wait_until, told_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (app_id) DO UPDATE SET used_percent = coalesce(excluded.used_percent, a.used_percent),
            used_at = coalesce(excluded.used_at, a.used_at),
            told_at = CASE WHEN excluded.wait_until > coalesce(a.wait_until, '-infinity') THEN excluded.told_at ELSE a.told_at END,
            wait_until = greatest(a.wait_until, excluded.wait_until)",
        app.as_str(),
        used,
        limit.used.map(|(_, at)| at),
        limit.wait.map(|(until, _)| until),
        limit.wait.map(|(_, since)| since),
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// Until when nothing of the app may be sent, if Meta said so to any of its partners.
pub async fn app_wait(tx: &mut TenantTx, app: &AppId, now: OffsetDateTime) -> sqlx::Result<Option<OffsetDateTime>> {
    let until = sqlx::query_scalar!(
        r#"SELECT wait_until AS "until!" FROM app_paces WHERE app_id = $1 AND wait_until > $2"#,
        app.as_str(),
        now,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(until)
}

/// Until when nothing of this partner is sent, its own limit and the app's considered.
pub async fn pause_until(tx: &mut TenantTx, now: OffsetDateTime) -> sqlx::Result<Option<OffsetDateTime>> {
    let partner = tx.partner().clone();
    sqlx::query_scalar!(
        "SELECT greatest(
            (SELECT wait_until FROM paces WHERE partner_id = $1 AND wait_until > $2),
            (SELECT max(wait_until) FROM app_paces WHERE wait_until > $2)
        )",
        partner.as_str(),
        now,
    )
    .fetch_one(&mut **tx)
    .await
}
