//! How fast a partner goes, kept for whoever goes on and for the pages that tell; and what else a pass begins with.

use time::OffsetDateTime;

use super::super::pace::{Hold, Pace, Past, Wait};
use crate::db::TenantTx;

/// What a pass of dispatch begins with. One statement tells it all: a click waits for it.
#[derive(Debug)]
pub struct Start {
    /// The pace that was kept, or a new one; with it goes the wait that Meta told any partner of the app's.
    pub pace: Pace,
    /// Requests stand as Sending, which nobody sends when a pass begins.
    pub is_interrupted: bool,
}

/// `ceiling`: the most calls that may be under way at once.
pub async fn find_start(tx: &mut TenantTx, ceiling: u32, now: OffsetDateTime) -> sqlx::Result<Start> {
    let partner = tx.partner().clone();
    let row = sqlx::query!(
        r#"
        SELECT p.concurrency AS "concurrency?", p.used_percent, p.used_at, p.wait_until, p.told_at, p.cause, p.waits AS "waits?",
            p.troubles AS "troubles?", app.wait_until AS app_wait,
            EXISTS (SELECT FROM requests WHERE partner_id = $1 AND state = 'sending') AS "is_interrupted!"
        FROM (SELECT max(wait_until) AS wait_until FROM app_paces WHERE wait_until > $2) AS app
        LEFT JOIN paces p ON p.partner_id = $1
        "#,
        partner.as_str(),
        now,
    )
    .fetch_one(&mut **tx)
    .await?;
    let wait = match (row.wait_until, row.told_at, &row.cause) {
        (Some(until), Some(since), Some(cause)) => Some(Wait { until, since, hold: Hold::from_stored(cause) }),
        _ => None,
    };
    let past = row.concurrency.map(|concurrency| Past {
        concurrency: concurrency.unsigned_abs(),
        used: row.used_percent.map(f64::from).zip(row.used_at),
        wait,
        waits: row.waits.unwrap_or_default().unsigned_abs(),
        troubles: row.troubles.unwrap_or_default().unsigned_abs(),
    });
    let new = Pace::new(ceiling);
    let mut pace = match past {
        Some(past) => new.remembered(past),
        None => new,
    };
    if let Some(until) = row.app_wait {
        pace.told(until, now);
    }
    Ok(Start { pace, is_interrupted: row.is_interrupted })
}

/// Keeps the pace as it is now. A wait that others were told of meanwhile stays, if it's longer.
pub async fn save_pace(tx: &mut TenantTx, pace: &Pace, now: OffsetDateTime) -> sqlx::Result<()> {
    let partner = tx.partner().clone();
    let past = pace.past(now);
    #[expect(clippy::cast_possible_truncation, reason = "a percentage, shown whole")]
    let used = past.used.map(|(percent, _)| percent as f32);
    let count = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    sqlx::query!(
        "INSERT INTO paces AS p (partner_id, concurrency, used_percent, used_at, wait_until, told_at, cause, waits, troubles)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (partner_id) DO UPDATE SET concurrency = excluded.concurrency, used_percent = excluded.used_percent,
            used_at = excluded.used_at, waits = excluded.waits, troubles = excluded.troubles,
            (wait_until, told_at, cause) = (
                SELECT w.wait_until, w.told_at, w.cause
                FROM (VALUES (p.wait_until, p.told_at, p.cause), (excluded.wait_until, excluded.told_at, excluded.cause))
                    AS w (wait_until, told_at, cause)
                WHERE w.wait_until > $10
                UNION ALL SELECT NULL, NULL, NULL
                ORDER BY 1 DESC NULLS LAST
                LIMIT 1
            )",
        partner.as_str(),
        count(past.concurrency),
        used,
        past.used.map(|(_, at)| at),
        past.wait.map(|wait| wait.until),
        past.wait.map(|wait| wait.since),
        past.wait.map(|wait| wait.hold.as_str()),
        count(past.waits),
        count(past.troubles),
        now,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}
