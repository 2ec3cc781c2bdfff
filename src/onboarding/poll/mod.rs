//! Asks Meta what became of requests, for when no webhook tells: about each business that waits for its client's admin, and about
//! each that signed and has no WABA onboarded yet.
//!
//! It takes what dispatch leaves. Nothing is asked while a request is due or under way, while Meta told us to wait, or while more
//! than half of any limit is used up; what the answers say of the limits is kept where dispatch reads it. One call is under way at a
//! time, of up to fifty businesses, the longest due first. What was heard goes into `businesses`, and [`super::Follow`] moves the
//! requests: a webhook and a sync take the same way.
//!
//! Everything outlives a crash: a business is due until its answer was kept.

mod ask;
mod choose;
mod schedule;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::{FutureExt, future::BoxFuture};
use time::OffsetDateTime;

use self::{
    ask::{Heard, Line},
    choose::{Chosen, choose},
};
use super::{FOLLOW, store};
use crate::{
    businesses::{self, News},
    clock::Clock,
    db::{Db, PartnerId},
    graph::{Graph, MOST_IDS},
    pauses::{self, Ear},
    reconcile::{self, CancellationToken, Next, Reconciler},
    sign_in::{self, TokenError},
    vault::Vault,
};

/// Its name in wakes.
pub const POLL: &str = "poll";

/// How long to leave Meta alone after a fault, and after it refused one business after the other.
const REST: (time::Duration, time::Duration) = (time::Duration::MINUTE, time::Duration::HOUR);

/// How often it's looked which businesses have come to wait: each is asked about after half an hour at the earliest.
const ENROL_EVERY: time::Duration = time::Duration::minutes(5);

/// So many businesses refused in one pass, each by itself, without an answer between: it's the token, not they.
const MOST_REFUSALS: u32 = 3;

/// The name under which those who wait hear that answers were kept.
pub fn polled(partner: &PartnerId) -> String {
    format!("polled:{partner}")
}

/// Asks for each partner.
pub struct Poll {
    db: Db,
    clock: Clock,
    graph: Graph,
    vault: Arc<Vault>,
    memory: Mutex<HashMap<PartnerId, Memory>>,
}

/// What only this process knows of a partner; another one finds out for itself.
#[derive(Clone, Copy, Debug, Default)]
struct Memory {
    /// Until when Meta is left alone.
    rests_until: Option<OffsetDateTime>,
    enrolled_at: Option<OffsetDateTime>,
}

/// What came of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// Meta answered, or nothing had to be asked: there may be more.
    More,
    /// One that was asked about alone was refused.
    Refused,
    /// Nothing is due.
    Done,
    /// Nothing may be asked until then, or until dispatch is through.
    Until(OffsetDateTime),
    /// There is no token to ask with.
    NoToken,
}

impl Poll {
    pub fn new(db: Db, clock: Clock, graph: Graph, vault: Arc<Vault>) -> Self {
        Self { db, clock, graph, vault, memory: Mutex::default() }
    }

    async fn pass(&self, partner: &PartnerId, stop: &CancellationToken) -> anyhow::Result<Next> {
        if let Some(until) = self.rests(partner) {
            return Ok(Next::At(until));
        }
        self.enrol(partner).await?;
        let mut refusals = 0;
        while !stop.is_cancelled() {
            match self.turn(partner).await? {
                Turn::More => refusals = 0,
                Turn::Refused if refusals + 1 < MOST_REFUSALS => refusals += 1,
                Turn::Refused => {
                    tracing::warn!(%partner, "Meta refuses to tell about one business after the other: not asked for an hour");
                    return Ok(Next::At(self.rest(partner, REST.1)));
                }
                Turn::Until(until) => return Ok(Next::At(until)),
                Turn::NoToken => return Ok(Next::Idle),
                Turn::Done => {
                    let mut tx = self.db.tenant(partner).await?;
                    return Ok(store::next_poll(&mut tx).await?.map_or(Next::Idle, Next::At));
                }
            }
        }
        Ok(Next::Again)
    }

    async fn enrol(&self, partner: &PartnerId) -> sqlx::Result<()> {
        let now = self.clock.now();
        let enrolled_at = self.recall(partner, |memory| memory.enrolled_at);
        if enrolled_at.is_some_and(|at| now - at < ENROL_EVERY) {
            return Ok(());
        }
        let mut tx = self.db.tenant(partner).await?;
        store::enrol(&mut tx, schedule::every(now, now), now).await?;
        tx.commit().await?;
        self.recall(partner, |memory| memory.enrolled_at = Some(now));
        Ok(())
    }

    /// One call about as many as may be asked about together, and one about those of their WABAs that matter now.
    async fn turn(&self, partner: &PartnerId) -> anyhow::Result<Turn> {
        let now = self.clock.now();
        let mut tx = self.db.tenant(partner).await?;
        if store::dispatch_has_work(&mut tx, now).await? {
            return Ok(Turn::Until(now + time::Duration::SECOND));
        }
        if let Some(until) = pauses::until(&mut tx, now).await? {
            return Ok(Turn::Until(until));
        }
        let used = pauses::used(&mut tx, &self.graph.settings().app_id).await?;
        if let Some(until) = used.into_iter().filter_map(|used| schedule::yields_until(used, now)).max() {
            return Ok(Turn::Until(until));
        }
        let most = i64::try_from(MOST_IDS).unwrap_or(i64::MAX);
        let due = store::due(&mut tx, most, now).await?;
        if due.is_empty() {
            return Ok(Turn::Done);
        }
        let Chosen { over, told, ask } = choose(due, now);
        store::forget(&mut tx, &over).await?;
        store::reschedule(&mut tx, &told, now).await?;
        let probes = sign_in::partner_settings(&mut tx).await?.probe_request_ids;
        tx.commit().await?;
        if ask.is_empty() {
            return Ok(Turn::More);
        }
        let token = match sign_in::reading_token(&self.db, &self.vault, partner, now).await {
            Ok(token) => token,
            Err(TokenError::Missing | TokenError::Dead { .. }) => return Ok(Turn::NoToken),
            Err(other) => return Err(other.into()),
        };
        let ear = Arc::new(Ear::default());
        let heard = Line::new(self, partner, token, ear.clone()).ask(&ask, probes).await?;
        self.keep(partner, &ear, heard).await
    }

    /// Keeps all that was heard in one transaction, of the limits as well: dispatch waits for what a poll is told.
    async fn keep(&self, partner: &PartnerId, ear: &Ear, heard: Heard) -> anyhow::Result<Turn> {
        let now = self.clock.now();
        let mut tx = self.db.tenant(partner).await?;
        let news = businesses::keep_told(&mut tx, &heard.statuses, &heard.eligibilities, now).await?;
        store::keep_request_statuses(&mut tx, &heard.requests).await?;
        store::reschedule(&mut tx, &heard.asked, now).await?;
        pauses::keep(&mut tx, &self.graph.settings().app_id, ear.take()).await?;
        let held = pauses::until(&mut tx, now).await?;
        if let Some((whose, problem)) = &heard.dead_token {
            sign_in::mark_dead(&mut tx, whose, problem, now).await?;
        }
        if news == News::Some {
            reconcile::wake(&mut tx, FOLLOW, partner).await?;
        }
        reconcile::signal(&mut tx, &polled(partner)).await?;
        tx.commit().await?;
        Ok(match heard.ends {
            Some(Turn::Until(until)) => {
                let until = held.unwrap_or(until);
                self.rest(partner, until - now);
                Turn::Until(until)
            }
            Some(other) => other,
            None => Turn::More,
        })
    }

    fn rests(&self, partner: &PartnerId) -> Option<OffsetDateTime> {
        self.recall(partner, |memory| memory.rests_until).filter(|until| *until > self.clock.now())
    }

    fn rest(&self, partner: &PartnerId, length: time::Duration) -> OffsetDateTime {
        let until = self.clock.now() + length;
        self.recall(partner, |memory| memory.rests_until = Some(until));
        until
    }

    fn recall<T>(&self, partner: &PartnerId, of: impl FnOnce(&mut Memory) -> T) -> T {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        of(memory.entry(partner.clone()).or_default())
    }
}

impl Reconciler for Poll {
    fn name(&self) -> &'static str {
        POLL
    }

    fn period(&self) -> Duration {
        Duration::from_secs(30)
    }

    fn reconcile<'a>(
        &'a self,
        partner: &'a PartnerId,
        stop: &'a CancellationToken,
    ) -> BoxFuture<'a, anyhow::Result<Next>> {
        self.pass(partner, stop).boxed()
    }
}
