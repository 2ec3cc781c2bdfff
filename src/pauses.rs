//! What Meta says of its limits, kept in Postgres for everyone who calls it: requests, polls and syncs wait for one another's waits.
//!
//! Who calls: `onboarding` (dispatch, which keeps its own pace beside it, the poll, and the pages), `businesses` (the sync).
//!
//! What always holds: a wait is never made shorter, whoever heard of it; one for the app's own limit holds all its partners; both
//! outlive every process.

use std::{
    pin::Pin,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use time::OffsetDateTime;

use crate::{
    db::TenantTx,
    graph::{AppId, Call, Cause, Observer, cause_of},
};

/// How long to leave Meta alone after a limit when it doesn't say how long itself.
const UNTOLD: Duration = Duration::from_mins(1);

/// Codes by which Meta speaks of the app's own limit, which all its partners share (7.1).
const OF_THE_APP: [i64; 2] = [4, 341];

/// Whether a refusal for a limit is about the app's own.
pub fn is_of_the_app(code: Option<i64>) -> bool {
    code.is_some_and(|code| OF_THE_APP.contains(&code))
}

/// What was said of one limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Said {
    /// The percentage used up, and when that was said.
    pub used: Option<(f64, OffsetDateTime)>,
    /// Until when nothing may be sent, and since when.
    pub wait: Option<(OffsetDateTime, OffsetDateTime)>,
}

impl Said {
    /// Takes note of a wait, which is never made shorter.
    pub fn wait(&mut self, until: OffsetDateTime, now: OffsetDateTime) {
        if self.wait.is_none_or(|(known, _)| known < until) {
            self.wait = Some((until, now));
        }
    }

    /// Takes note of what was said before.
    fn join(&mut self, before: Self) {
        self.used = self.used.or(before.used);
        if let Some((until, since)) = before.wait {
            self.wait(until, since);
        }
    }
}

/// What a call, or several, said of limits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Heard {
    /// Of any limit that the partner comes up against.
    pub partner: Said,
    /// Of the app's own.
    pub app: Said,
}

impl Heard {
    /// Until when to wait, if a wait was told.
    pub fn wait(&self) -> Option<OffsetDateTime> {
        let until = |said: Said| said.wait.map(|(until, _)| until);
        until(self.partner).max(until(self.app))
    }

    fn hear(&mut self, call: &Call) {
        let now = call.started_at + call.duration;
        if let Some(percent) = call.usage.highest_percent() {
            self.partner.used = Some((percent, now));
        }
        if let Some(percent) = call.usage.app_percent() {
            self.app.used = Some((percent, now));
        }
        let regain = call.usage.regain_at.filter(|until| *until > now);
        if let Some(until) = regain {
            self.partner.wait(until, now);
        }
        let cause = cause_of(call.error.as_ref(), call.failure, call.status, call.operation.writes());
        if cause == Some(Cause::Throttled) {
            let whose = if is_of_the_app(call.error.as_ref().and_then(|error| error.code)) {
                &mut self.app
            } else {
                &mut self.partner
            };
            whose.wait(regain.unwrap_or(now + UNTOLD), now);
        }
    }
}

/// Hears what Meta says of limits while it's asked for something.
#[derive(Debug, Default)]
pub struct Ear(Mutex<Heard>);

impl Ear {
    /// What was heard since this was last asked.
    pub fn take(&self) -> Heard {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Hears again what couldn't be kept.
    pub fn put_back(&self, heard: Heard) {
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        since.partner.join(heard.partner);
        since.app.join(heard.app);
    }

    /// Until when to wait, by what was heard since.
    pub fn wait(&self) -> Option<OffsetDateTime> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).wait()
    }
}

impl Observer for Ear {
    fn observe<'a>(&'a self, call: &'a Call) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).hear(call);
        Box::pin(std::future::ready(()))
    }
}

/// Keeps what was heard.
///
/// # Errors
/// When Postgres is gone.
pub async fn keep(tx: &mut TenantTx, app: &AppId, heard: Heard) -> sqlx::Result<()> {
    if heard.partner != Said::default() {
        keep_partner(tx, heard.partner).await?;
    }
    if heard.app == Said::default() { Ok(()) } else { keep_app(tx, app, heard.app).await }
}

#[expect(clippy::cast_possible_truncation, reason = "a percentage, shown whole")]
fn percent(used: Option<(f64, OffsetDateTime)>) -> Option<f32> {
    used.map(|(percent, _)| percent as f32)
}

async fn keep_partner(tx: &mut TenantTx, said: Said) -> sqlx::Result<()> {
    let partner = tx.partner().clone();
    sqlx::query!(
        "INSERT INTO paces AS p (partner_id, used_percent, used_at, wait_until, told_at, cause)
         VALUES ($1, $2, $3, $4, $5, CASE WHEN $4::timestamptz IS NOT NULL THEN 'throttled' END)
         ON CONFLICT (partner_id) DO UPDATE SET
            used_percent = CASE WHEN excluded.used_at >= coalesce(p.used_at, '-infinity') THEN excluded.used_percent ELSE p.used_percent END,
            used_at = greatest(p.used_at, excluded.used_at),
            told_at = CASE WHEN excluded.wait_until > coalesce(p.wait_until, '-infinity') THEN excluded.told_at ELSE p.told_at END,
            cause = CASE WHEN excluded.wait_until > coalesce(p.wait_until, '-infinity') THEN excluded.cause ELSE p.cause END,
            wait_until = greatest(p.wait_until, excluded.wait_until)",
        partner.as_str() as _,
        percent(said.used),
        said.used.map(|(_, at)| at),
        said.wait.map(|(until, _)| until),
        said.wait.map(|(_, since)| since),
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// Keeps what was said of the app's own limit, for all its partners.
///
/// # Errors
/// When Postgres is gone.
pub async fn keep_app(tx: &mut TenantTx, app: &AppId, said: Said) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO app_paces AS a (app_id, used_percent, used_at, wait_until, told_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (app_id) DO UPDATE SET
            used_percent = CASE WHEN excluded.used_at >= coalesce(a.used_at, '-infinity') THEN excluded.used_percent ELSE a.used_percent END,
            used_at = greatest(a.used_at, excluded.used_at),
            told_at = CASE WHEN excluded.wait_until > coalesce(a.wait_until, '-infinity') THEN excluded.told_at ELSE a.told_at END,
            wait_until = greatest(a.wait_until, excluded.wait_until)",
        app.as_str() as _,
        percent(said.used),
        said.used.map(|(_, at)| at),
        said.wait.map(|(until, _)| until),
        said.wait.map(|(_, since)| since),
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// Until when nothing of this partner is sent, its own limit and its app's considered.
///
/// # Errors
/// When Postgres is gone.
pub async fn until(tx: &mut TenantTx, now: OffsetDateTime) -> sqlx::Result<Option<OffsetDateTime>> {
    let partner = tx.partner().clone();
    sqlx::query_scalar!(
        "SELECT greatest(
            (SELECT wait_until FROM paces WHERE partner_id = $1 AND wait_until > $2),
            (SELECT max(wait_until) FROM app_paces WHERE wait_until > $2)
        )",
        partner.as_str() as _,
        now,
    )
    .fetch_one(&mut **tx)
    .await
}

/// The percentages that were last heard of, of the partner's limits and of the app's own, and when.
///
/// # Errors
/// When Postgres is gone.
pub async fn used(tx: &mut TenantTx, app: &AppId) -> sqlx::Result<Vec<(f64, OffsetDateTime)>> {
    let partner = tx.partner().clone();
    let rows = sqlx::query!(
        "SELECT used_percent, used_at FROM paces WHERE partner_id = $1
         UNION ALL SELECT used_percent, used_at FROM app_paces WHERE app_id = $2",
        partner.as_str() as _,
        app.as_str() as _,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().filter_map(|row| row.used_percent.map(f64::from).zip(row.used_at)).collect())
}

#[cfg(test)]
mod tests {
    use sqlx::PgPool;
    use time::{Duration as Span, macros::datetime};

    use super::*;
    use crate::db::{Db, PartnerId};

    const NOW: OffsetDateTime = datetime!(2026-11-24 10:00 UTC);

    fn at(minutes: i64) -> OffsetDateTime {
        NOW + Span::minutes(minutes)
    }

    fn partner(id: &str) -> PartnerId {
        id.parse().unwrap()
    }

    fn said(percent: f64, heard: OffsetDateTime, until: Option<OffsetDateTime>) -> Said {
        Said { used: Some((percent, heard)), wait: until.map(|until| (until, heard)) }
    }

    #[test]
    fn a_wait_is_never_made_shorter() {
        let mut said = Said::default();
        for (until, expected) in [(at(5), at(5)), (at(3), at(5)), (at(9), at(9))] {
            said.wait(until, NOW);
            assert_eq!(said.wait, Some((expected, NOW)));
        }
    }

    #[test]
    fn what_could_not_be_kept_is_heard_again() {
        let ear = Ear::default();
        let before = Heard { partner: said(70.0, NOW, Some(at(5))), app: said(20.0, NOW, None) };
        ear.put_back(before);
        assert_eq!(ear.wait(), Some(at(5)));
        let since = Heard { partner: said(90.0, at(1), Some(at(3))), ..Heard::default() };
        let ear = Ear(Mutex::new(since));
        ear.put_back(before);
        let Heard { partner, app } = ear.take();
        assert_eq!((partner.used, partner.wait), (Some((90.0, at(1))), Some((at(5), NOW))));
        assert_eq!(app.used, Some((20.0, NOW)));
        assert_eq!(ear.wait(), None);
    }

    #[test]
    fn only_meta_s_codes_for_it_are_about_the_app() {
        for (code, of_the_app) in
            [(Some(4), true), (Some(341), true), (Some(17), false), (Some(80_008), false), (None, false)]
        {
            assert_eq!(is_of_the_app(code), of_the_app, "{code:?}");
        }
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn what_one_hears_of_the_app_holds_all_its_partners_and_of_itself_only_it(pool: PgPool) {
        let db = Db::from_pool(pool);
        let app: AppId = "680000000000001".parse().unwrap();
        let mut ours = db.tenant(&partner("100")).await.unwrap();
        keep(&mut ours, &app, Heard { partner: said(81.0, NOW, Some(at(4))), app: Said::default() }).await.unwrap();
        ours.commit().await.unwrap();
        let mut theirs = db.tenant(&partner("200")).await.unwrap();
        assert_eq!(until(&mut theirs, NOW).await.unwrap(), None);
        keep(&mut theirs, &app, Heard { partner: Said::default(), app: said(100.0, NOW, Some(at(9))) }).await.unwrap();
        theirs.commit().await.unwrap();
        for id in ["100", "200", "300"] {
            let mut tx = db.tenant(&partner(id)).await.unwrap();
            assert_eq!(until(&mut tx, NOW).await.unwrap(), Some(at(9)), "{id}");
            assert_eq!(until(&mut tx, at(9)).await.unwrap(), None, "{id}");
        }
        let mut ours = db.tenant(&partner("100")).await.unwrap();
        assert_eq!(used(&mut ours, &app).await.unwrap(), [(81.0, NOW), (100.0, NOW)]);
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn what_is_heard_late_changes_nothing_that_was_heard_since(pool: PgPool) {
        let db = Db::from_pool(pool);
        let app: AppId = "680000000000001".parse().unwrap();
        let mut tx = db.tenant(&partner("100")).await.unwrap();
        for heard in [
            said(90.0, at(2), Some(at(9))),
            said(20.0, at(1), Some(at(5))),
            Said { wait: Some((at(3), at(1))), used: None },
        ] {
            keep(&mut tx, &app, Heard { partner: heard, app: heard }).await.unwrap();
        }
        assert_eq!(until(&mut tx, NOW).await.unwrap(), Some(at(9)));
        assert_eq!(used(&mut tx, &app).await.unwrap(), [(90.0, at(2)); 2]);
    }
}
