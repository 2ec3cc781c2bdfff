//! `sync`: reads the partner's WABAs and solutions from Graph, page by page, when asked, at the first sign-in, and every hour.
//!
//! Each page is kept in one transaction with the place to go on from, so that a crash repeats at most one page, and keeping a page
//! twice changes nothing. Only a sync that read everything, and could read all of it, takes what it didn't see for gone.

use std::{sync::Arc, time::Duration as StdDuration};

use futures::{FutureExt, future::BoxFuture};
use time::{Duration, OffsetDateTime};

use super::{
    store::{self, EndedSync, OpenSync, Part, Progress, Reading, Refusal},
    sync::{List, group},
};
use crate::{
    clock::Clock,
    db::{Db, PartnerId},
    graph::{self, Advice, Caller, Cause, Cursor, Graph, Origin},
    pauses::{self, Ear},
    reconcile::{CancellationToken, Next, Reconciler, wake},
    sign_in::{TokenError, Whose, any_live_token, mark_dead},
    solutions::{self, Role},
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

/// What came of asking for a page.
enum Turn {
    /// It told of so many businesses that weren't known.
    Page(u64),
    Finished,
    Ended(Next),
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
        let (mut fresh, mut statistics_at) = (0, FIRST_STATISTICS);
        while !stop.is_cancelled() {
            if let Some(until) = self.held(partner).await? {
                return self.put_off(partner, &open, until, open.tries, WAITS).await;
            }
            let turned = self.turn(partner, &caller, &signed_in.whose, &open).await;
            self.keep_heard(partner, &ear).await?;
            match turned? {
                Turn::Page(businesses) => {
                    fresh += businesses;
                    if fresh >= statistics_at {
                        statistics_at = fresh * 2;
                        self.refresh_statistics().await;
                    }
                }
                Turn::Finished => {
                    self.refresh_statistics().await;
                    return Ok(Next::Idle);
                }
                Turn::Ended(next) => return Ok(next),
            }
            let mut tx = self.db.tenant(partner).await?;
            let Some(further) = store::open_sync(&mut tx).await? else { return Ok(Next::Idle) };
            open = further;
        }
        Ok(Next::Again)
    }

    /// Until when Meta is not to be called, whoever was told so.
    async fn held(&self, partner: &PartnerId) -> sqlx::Result<Option<OffsetDateTime>> {
        let mut tx = self.db.tenant(partner).await?;
        pauses::until(&mut tx, self.clock.now()).await
    }

    /// Lets the others wait for what a page's answer said of the limits.
    async fn keep_heard(&self, partner: &PartnerId, ear: &Ear) -> sqlx::Result<()> {
        let mut tx = self.db.tenant(partner).await?;
        pauses::keep(&mut tx, &self.graph.settings().app_id, ear.take()).await?;
        tx.commit().await
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

    /// Reads one page and keeps it.
    async fn turn(&self, partner: &PartnerId, caller: &Caller, whose: &Whose, open: &OpenSync) -> anyhow::Result<Turn> {
        let began_at = match open.started_at {
            Some(at) => at,
            None => self.begin(partner, open.id).await?,
        };
        let cursor = open.cursor.clone().map(Cursor::from_stored);
        let kept = match open.part {
            Part::ClientWabas | Part::OwnedWabas => {
                self.wabas(partner, caller, open, began_at, cursor.as_ref()).await?
            }
            Part::OwnedSolutions | Part::PartnerSolutions => {
                self.solutions(partner, caller, open, began_at, cursor.as_ref()).await?
            }
        };
        match kept {
            Ok(turn) => Ok(turn),
            Err(error) => self.refused(partner, whose, open, &error).await.map(Turn::Ended),
        }
    }

    async fn begin(&self, partner: &PartnerId, id: i64) -> sqlx::Result<OffsetDateTime> {
        let now = self.clock.now();
        let mut tx = self.db.tenant(partner).await?;
        store::begin_sync(&mut tx, id, now).await?;
        tx.commit().await?;
        Ok(now)
    }

    async fn wabas(
        &self,
        partner: &PartnerId,
        caller: &Caller,
        open: &OpenSync,
        began_at: OffsetDateTime,
        cursor: Option<&Cursor>,
    ) -> sqlx::Result<Result<Turn, graph::Error>> {
        let portfolio = partner.as_business();
        let (list, page) = if open.part == Part::ClientWabas {
            (List::Client, caller.client_wabas(portfolio, cursor).await)
        } else {
            (List::Owned, caller.owned_wabas(portfolio, cursor).await)
        };
        let page = match page {
            Ok(page) => page,
            Err(error) => return Ok(Err(error)),
        };
        let reading = Reading { sync_id: open.id, began_at, now: self.clock.now() };
        let (wabas, skipped) = (page.items.len(), page.skipped);
        let seen = group(list, page.items, portfolio);
        let mut tx = self.db.tenant(partner).await?;
        let businesses = store::upsert(&mut tx, reading, &seen).await?;
        let (part, cursor) = onward(open.part, page.next.as_ref());
        store::record_page(
            &mut tx,
            open.id,
            Progress { part: part.unwrap_or(open.part), cursor, wabas, businesses, skipped },
        )
        .await?;
        tx.commit().await?;
        Ok(Ok(Turn::Page(businesses)))
    }

    async fn solutions(
        &self,
        partner: &PartnerId,
        caller: &Caller,
        open: &OpenSync,
        began_at: OffsetDateTime,
        cursor: Option<&Cursor>,
    ) -> sqlx::Result<Result<Turn, graph::Error>> {
        let role = if open.part == Part::OwnedSolutions { Role::Owner } else { Role::Partner };
        let page = match caller.solutions(role.as_graph(), cursor).await {
            Ok(page) => page,
            Err(error) => return Ok(Err(error)),
        };
        let now = self.clock.now();
        let mut tx = self.db.tenant(partner).await?;
        solutions::upsert(&mut tx, role, &page.items, now).await?;
        let (part, cursor) = onward(open.part, page.next.as_ref());
        let progress =
            Progress { part: part.unwrap_or(open.part), cursor, wabas: 0, businesses: 0, skipped: page.skipped };
        store::record_page(&mut tx, open.id, progress).await?;
        if part.is_none() {
            // What couldn't be read may be what seems to be missing.
            if open.skipped == 0 && page.skipped == 0 {
                store::mark_vanished(&mut tx, Reading { sync_id: open.id, began_at, now }).await?;
                solutions::mark_vanished(&mut tx, began_at, now).await?;
            }
            store::finish_sync(&mut tx, open.id, now).await?;
            // Requests move on with what was seen; the room that moves them knows us, not we it.
            wake(&mut tx, "follow", partner).await?;
            // So does what a webhook told of businesses we didn't know.
            wake(&mut tx, "webhooks_again", partner).await?;
        }
        tx.commit().await?;
        Ok(Ok(if part.is_none() { Turn::Finished } else { Turn::Page(0) }))
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

/// Where to go on after a page: further in the list, else at the beginning of the next one, else nowhere.
fn onward(part: Part, next: Option<&Cursor>) -> (Option<Part>, Option<&str>) {
    match next {
        Some(cursor) => (Some(part), Some(cursor.as_str())),
        None => (part.next(), None),
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
    fn each_list_is_read_to_its_end_before_the_next_begins() {
        let cursor = Cursor::from_stored("abc".to_owned());
        assert_eq!(onward(Part::ClientWabas, Some(&cursor)), (Some(Part::ClientWabas), Some("abc")));
        assert_eq!(onward(Part::ClientWabas, None), (Some(Part::OwnedWabas), None));
        assert_eq!(onward(Part::OwnedWabas, None), (Some(Part::OwnedSolutions), None));
        assert_eq!(onward(Part::OwnedSolutions, None), (Some(Part::PartnerSolutions), None));
        assert_eq!(onward(Part::PartnerSolutions, None), (None, None));
    }

    #[test]
    fn waits_grow() {
        let waits: Vec<_> = (0..5).map(|tries| backoff(tries).whole_seconds()).collect();
        assert_eq!(waits, [2, 4, 8, 16, 32]);
    }
}
