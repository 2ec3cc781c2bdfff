//! `sync`: reads the partner's WABAs and solutions from Graph, page by page, when asked, at the first sign-in, and every hour.
//!
//! Two lanes go side by side: one reads the next page, the other keeps those that were read. What is kept is kept in one transaction
//! with the place to go on from (`pages.rs`). Only a sync that read everything, and could read all of it, takes what it didn't see for
//! gone.

use std::{sync::Arc, time::Duration as StdDuration};

use futures::{
    FutureExt,
    future::{BoxFuture, FusedFuture},
};
use time::{Duration, OffsetDateTime};

use super::{
    pages::{self, Kept, Page, Place},
    store::{self, EndedSync, OpenSync, Reading, Refusal},
};
use crate::{
    clock::Clock,
    db::{Db, PartnerId},
    graph::{self, Advice, Caller, Cause, Graph, Origin},
    pauses::{self, Ear},
    reconcile::{CancellationToken, Lane, Next, Reconciler},
    sign_in::{TokenError, Whose, any_live_token, mark_dead},
    vault::Vault,
};

/// Its name in locks and wakes.
pub const NAME: &str = "sync";
/// How old the last sync may grow.
const EVERY: Duration = Duration::HOUR;
/// Temporary faults in a row before a sync is given up.
const MOST_TRIES: i32 = 6;
/// How long to wait when Meta asks for a wait and doesn't say until when.
const WAIT_UNTOLD: Duration = Duration::minutes(5);
/// The longest that one wait may be: beyond it Graph is asked again all the same.
const LONGEST_WAIT: Duration = Duration::DAY;

/// Why a sync waits that Meta has refused nothing: a limit was told to others.
const WAITS: Refusal<'_> = Refusal { cause: "throttled", fbtrace_id: None };

/// Reads the partner's WABAs and solutions from Graph.
pub struct SyncBusinesses {
    db: Db,
    clock: Clock,
    graph: Graph,
    vault: Arc<Vault>,
}

/// After so many new businesses, and after twice as many each time, the tables' statistics are taken anew: of a partner that just came
/// the planner knows nothing.
const FIRST_STATISTICS: u64 = 500;

/// The most pages that are read before those before them are kept: so many more may be asked for after somebody else was told to wait.
const MOST_AHEAD: usize = 4;

/// Why a sync reads no further.
enum Reached {
    /// Everything is read and kept.
    End,
    /// Somebody was told to wait until then.
    Wait(OffsetDateTime),
    /// Graph gave no page.
    Refused(graph::Error),
    /// We are to stop.
    Stop,
}

impl Reconciler for SyncBusinesses {
    fn name(&self) -> &'static str {
        NAME
    }

    fn period(&self) -> StdDuration {
        StdDuration::from_mins(1)
    }

    fn reconcile<'a>(
        &'a self,
        partner: &'a PartnerId,
        stop: &'a CancellationToken,
    ) -> BoxFuture<'a, anyhow::Result<Next>> {
        async move {
            self.fold_counts(partner).await?;
            let next = self.sync(partner, stop).await?;
            self.fold_counts(partner).await?;
            Ok(next)
        }
        .boxed()
    }
}

impl SyncBusinesses {
    pub fn new(db: Db, clock: Clock, graph: Graph, vault: Arc<Vault>) -> Self {
        Self { db, clock, graph, vault }
    }

    async fn fold_counts(&self, partner: &PartnerId) -> sqlx::Result<()> {
        let mut tx = self.db.tenant(partner).await?;
        store::fold_counts(&mut tx).await?;
        tx.commit().await
    }

    async fn sync(&self, partner: &PartnerId, stop: &CancellationToken) -> anyhow::Result<Next> {
        let Some(open) = self.due(partner).await? else { return Ok(Next::Idle) };
        if let Some(at) = open.retry_at.filter(|at| *at > self.clock.now()) {
            return Ok(Next::At(at));
        }
        let signed_in = match any_live_token(&self.db, &self.vault, partner).await {
            Ok(signed_in) => signed_in,
            Err(TokenError::Missing | TokenError::Dead { .. }) => {
                self.fail(partner, open.id, Refusal { cause: Cause::TokenInvalid.as_str(), fbtrace_id: None }).await?;
                return Ok(Next::Idle);
            }
            Err(other) => return Err(other.into()),
        };
        let origin = Origin {
            partner: Some(partner.as_business().clone()),
            member: Some(signed_in.member_id),
            ..Origin::default()
        };
        let ear = Arc::new(Ear::default());
        let caller = self.graph.observed_first_by(ear.clone()).with_token(signed_in.token, origin);
        let mut open = open;
        let reached = self.pages(partner, &caller, &ear, &mut open, stop).await;
        self.keep_heard(partner, &ear).await?;
        match reached? {
            Reached::End => {
                self.refresh_statistics().await;
                Ok(Next::Idle)
            }
            Reached::Wait(until) => self.put_off(partner, &open, until, open.tries, WAITS).await,
            Reached::Refused(error) => self.refused(partner, &signed_in.whose, &open, &error).await,
            Reached::Stop => Ok(Next::Again),
        }
    }

    /// Reads pages and keeps those that were read, side by side, until something stands in the way. `open` is where it stands then.
    async fn pages(
        &self,
        partner: &PartnerId,
        caller: &Caller,
        ear: &Ear,
        open: &mut OpenSync,
        stop: &CancellationToken,
    ) -> anyhow::Result<Reached> {
        let mut wait = self.held(partner).await?;
        let began_at = match open.started_at {
            Some(at) => at,
            None if wait.is_none() => self.begin(partner, open.id).await?,
            None => self.clock.now(),
        };
        let mut reading: Lane<'_, Result<Page, graph::Error>> = Lane::terminated();
        let mut keeping: Lane<'_, sqlx::Result<(Kept, Option<OffsetDateTime>)>> = Lane::terminated();
        let mut counting: Lane<'_, ()> = Lane::terminated();
        let mut onward = Some(Place::of(open));
        let mut read: Vec<Page> = Vec::new();
        let (mut refusal, mut trouble, mut finished) = (None, None, false);
        let (mut fresh, mut statistics_at) = (0, FIRST_STATISTICS);
        loop {
            if keeping.is_terminated() && trouble.is_none() && !read.is_empty() {
                let pages = pages::of_one_list(&mut read);
                let reading = Reading { sync_id: open.id, began_at, now: self.clock.now() };
                wait = wait.max(ear.wait());
                keeping = self.keep(partner, pages, reading, open.skipped == 0, ear).boxed().fuse();
            }
            let goes_on = refusal.is_none() && trouble.is_none() && wait.max(ear.wait()).is_none();
            if reading.is_terminated()
                && goes_on
                && !stop.is_cancelled()
                && read.len() < MOST_AHEAD
                && let Some(place) = onward.take()
            {
                reading = pages::read(caller, partner, place).boxed().fuse();
            }
            if reading.is_terminated() && keeping.is_terminated() && counting.is_terminated() {
                break;
            }
            tokio::select! {
                page = &mut reading => match page {
                    Ok(page) => {
                        onward.clone_from(&page.onward);
                        read.push(page);
                    }
                    Err(error) => refusal = Some(error),
                },
                kept = &mut keeping => match kept {
                    Ok((kept, until)) => {
                        finished |= kept.finished;
                        wait = wait.max(until);
                        open.tries = 0;
                        open.skipped = open.skipped.saturating_add(i32::try_from(kept.skipped).unwrap_or(i32::MAX));
                        fresh += kept.fresh;
                        if fresh >= statistics_at && counting.is_terminated() {
                            statistics_at = fresh * 2;
                            counting = self.refresh_statistics().boxed().fuse();
                        }
                    }
                    // The call under way is still waited for, so that it's on record.
                    Err(error) => trouble = Some(error),
                },
                () = &mut counting => {}
            }
        }
        match (trouble, refusal, wait) {
            (Some(error), ..) => Err(error.into()),
            _ if finished => Ok(Reached::End),
            (_, Some(error), _) => Ok(Reached::Refused(error)),
            (.., Some(until)) => Ok(Reached::Wait(until)),
            (None, None, None) => Ok(Reached::Stop),
        }
    }

    /// Keeps what was heard meanwhile, then the pages, and says until when Meta is not to be called. In two transactions: dispatch locks
    /// businesses while it holds what is kept of the limits.
    async fn keep(
        &self,
        partner: &PartnerId,
        pages: Vec<Page>,
        reading: Reading,
        is_whole: bool,
        ear: &Ear,
    ) -> sqlx::Result<(Kept, Option<OffsetDateTime>)> {
        let until = self.keep_heard(partner, ear).await?;
        let mut tx = self.db.tenant(partner).await?;
        let kept = pages::keep(&mut tx, pages, reading, is_whole).await?;
        tx.commit().await?;
        Ok((kept, until))
    }

    /// Until when Meta is not to be called, whoever was told so.
    async fn held(&self, partner: &PartnerId) -> sqlx::Result<Option<OffsetDateTime>> {
        let mut tx = self.db.tenant(partner).await?;
        pauses::until(&mut tx, self.clock.now()).await
    }

    /// Lets the others wait for what pages' answers said of the limits, and says until when to wait for what anybody was told. What can't
    /// be kept now is kept the next time.
    async fn keep_heard(&self, partner: &PartnerId, ear: &Ear) -> sqlx::Result<Option<OffsetDateTime>> {
        let heard = ear.take();
        let kept = async {
            let mut tx = self.db.tenant(partner).await?;
            pauses::keep(&mut tx, &self.graph.settings().app_id, heard).await?;
            let until = pauses::until(&mut tx, self.clock.now()).await?;
            tx.commit().await?;
            Ok(until)
        };
        let kept = kept.await;
        if kept.is_err() {
            ear.put_back(heard);
        }
        kept
    }

    /// Plans are only quicker for it, so it may fail.
    async fn refresh_statistics(&self) {
        if let Err(error) = store::refresh_statistics(&self.db).await {
            tracing::warn!(%error, "the statistics of the tables are as old as before");
        }
    }

    /// The sync to work on: the open one, or a new one if it is time.
    async fn due(&self, partner: &PartnerId) -> anyhow::Result<Option<OpenSync>> {
        let now = self.clock.now();
        let mut tx = self.db.tenant(partner).await?;
        if let Some(open) = store::open_sync(&mut tx).await? {
            return Ok(Some(open));
        }
        let ended = store::last_ended(&mut tx).await?;
        drop(tx);
        if !is_time(ended.as_ref(), now) {
            return Ok(None);
        }
        // Without anyone's token there is nothing to begin with; whoever signs in next is what it waits for.
        match any_live_token(&self.db, &self.vault, partner).await {
            Ok(_) => {}
            Err(TokenError::Missing | TokenError::Dead { .. }) => return Ok(None),
            Err(other) => return Err(other.into()),
        }
        let mut tx = self.db.tenant(partner).await?;
        store::ask_for_sync(&mut tx, None, now).await?;
        let open = store::open_sync(&mut tx).await?;
        tx.commit().await?;
        Ok(open)
    }

    async fn begin(&self, partner: &PartnerId, id: i64) -> sqlx::Result<OffsetDateTime> {
        let now = self.clock.now();
        let mut tx = self.db.tenant(partner).await?;
        store::begin_sync(&mut tx, id, now).await?;
        tx.commit().await?;
        Ok(now)
    }

    /// Graph gave no page: later, with somebody else's token, or not at all.
    async fn refused(
        &self,
        partner: &PartnerId,
        whose: &Whose,
        open: &OpenSync,
        error: &graph::Error,
    ) -> anyhow::Result<Next> {
        let now = self.clock.now();
        let why = Refusal { cause: error.cause().as_str(), fbtrace_id: error.fbtrace_id() };
        tracing::warn!(%partner, sync = open.id, cause = why.cause, fbtrace_id = why.fbtrace_id, %error, "no page for the sync");
        match error.advice() {
            Advice::SignInAgain => {
                let problem = error.token_problem().map_or("other", graph::TokenProblem::as_str);
                let mut tx = self.db.tenant(partner).await?;
                mark_dead(&mut tx, whose, problem, now).await?;
                tx.commit().await?;
                Ok(Next::Again)
            }
            Advice::Wait { until } => {
                let until = until.unwrap_or(now + WAIT_UNTOLD).clamp(now + Duration::SECOND, now + LONGEST_WAIT);
                self.put_off(partner, open, until, open.tries, why).await
            }
            Advice::Retry if open.tries + 1 < MOST_TRIES => {
                self.put_off(partner, open, now + backoff(open.tries), open.tries + 1, why).await
            }
            Advice::Retry | Advice::FixAccess | Advice::Stop => {
                self.fail(partner, open.id, why).await?;
                Ok(Next::Idle)
            }
        }
    }

    async fn put_off(
        &self,
        partner: &PartnerId,
        open: &OpenSync,
        until: OffsetDateTime,
        tries: i32,
        why: Refusal<'_>,
    ) -> anyhow::Result<Next> {
        let mut tx = self.db.tenant(partner).await?;
        store::put_off(&mut tx, open.id, until, tries, why).await?;
        tx.commit().await?;
        Ok(Next::At(until))
    }

    async fn fail(&self, partner: &PartnerId, id: i64, why: Refusal<'_>) -> sqlx::Result<()> {
        let mut tx = self.db.tenant(partner).await?;
        store::fail_sync(&mut tx, id, why, self.clock.now()).await?;
        tx.commit().await
    }
}

/// Whether a sync is due that nobody asked for. One that failed for want of a token is due as soon as somebody has one.
fn is_time(ended: Option<&EndedSync>, now: OffsetDateTime) -> bool {
    ended.is_none_or(|ended| ended.cause.as_deref() == Some(Cause::TokenInvalid.as_str()) || now - ended.at >= EVERY)
}

/// 2, 4, 8, 16, 32 seconds. One caller a partner, so there is no herd to scatter.
fn backoff(tries: i32) -> Duration {
    Duration::seconds(2_i64 << tries.clamp(0, 6))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_sync_is_due_at_first_and_every_hour_and_when_a_token_is_back() {
        let now = datetime!(2026-11-24 12:00 UTC);
        let ended = |minutes: i64, cause: Option<&str>| EndedSync {
            at: now - Duration::minutes(minutes),
            cause: cause.map(str::to_owned),
        };
        for (ended, due) in [
            (None, true),
            (Some(ended(59, None)), false),
            (Some(ended(60, None)), true),
            (Some(ended(59, Some("access_denied"))), false),
            (Some(ended(60, Some("access_denied"))), true),
            (Some(ended(0, Some("token_invalid"))), true),
        ] {
            assert_eq!(is_time(ended.as_ref(), now), due, "{ended:?}");
        }
    }

    #[test]
    fn waits_grow() {
        let waits: Vec<_> = (0..5).map(|tries| backoff(tries).whole_seconds()).collect();
        assert_eq!(waits, [2, 4, 8, 16, 32]);
    }
}
