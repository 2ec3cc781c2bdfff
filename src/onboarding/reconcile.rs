//! Dispatch: sends queued requests to Graph, and writes down what came of each.
//!
//! The request row is the unit of work. A pass first takes up what an ended process left as Sending. Then it goes in turns: one
//! transaction saves the outcomes that have come and claims as many requests as may go now; while it runs, those under way go
//! on. So groups grow with the pace, and nothing is claimed that isn't sent at once. A click that comes meanwhile is claimed beside
//! the turn.
//!
//! What always holds: a row is Sending, committed, before its POST leaves; an answer is saved only into the attempt it belongs to; a
//! POST whose outcome isn't known is never repeated before the business's status was read; no more is under way than the pace
//! (`pace.rs`) allows, but for a request asked for alone, which doesn't wait for a place behind a batch.

use std::{sync::Arc, time::Duration};

use futures::{
    FutureExt, StreamExt,
    future::{BoxFuture, Fuse, FusedFuture},
    stream::FuturesUnordered,
};
use time::OffsetDateTime;

use super::{
    decide::{self, Answer},
    gauge::Gauge,
    pace::Pace,
    send::{Sender, Sent, Tokens, attempt_of},
    store::{self, Claimed, Outcome, Room},
};
use crate::{
    businesses,
    clock::Clock,
    db::{Db, PartnerId, TenantTx},
    graph::Graph,
    pauses::{self, Said},
    reconcile::{self, CancellationToken, Next, Reconciler, Signals, pause},
    sign_in,
    vault::Vault,
};

/// Its name in wakes.
pub const DISPATCH: &str = "dispatch";

/// The most requests asked for alone that go beside what the pace allows.
const MOST_ALONE: usize = 4;

/// The most requests claimed in one turn.
const CHUNK: usize = 512;

/// How often an answer is tried to be saved while Postgres is away, a second apart. After that the row is taken up as
/// interrupted: nothing is lost, only read again.
const SAVE_TRIES: u32 = 20;

/// How often it's looked up what others were told of the limits: other partners' holders of the app's, polls and syncs of either.
const LOOK_AT_APP: Duration = Duration::from_secs(1);

/// The name under which waiting clicks and pages hear that outcomes of this partner were saved.
pub fn settled(partner: &PartnerId) -> String {
    format!("settled:{partner}")
}

/// Sends what is due for each partner.
pub struct Dispatch {
    db: Db,
    clock: Clock,
    graph: Graph,
    vault: Arc<Vault>,
    signals: Signals,
    concurrency: usize,
}

impl Dispatch {
    /// `concurrency`: the most calls of one partner that may be under way at once, however fast Meta lets us go.
    pub fn new(db: Db, clock: Clock, graph: Graph, vault: Arc<Vault>, signals: Signals, concurrency: usize) -> Self {
        Self { db, clock, graph, vault, signals, concurrency }
    }

    async fn pass(&self, partner: &PartnerId, stop: &CancellationToken) -> anyhow::Result<Next> {
        let (gauge, first) = self.begin(partner, stop).await?;
        let gauge = Arc::new(gauge);
        let sender = Sender {
            db: self.db.clone(),
            clock: self.clock.clone(),
            graph: self.graph.observed_first_by(gauge.clone()),
            vault: Arc::clone(&self.vault),
            partner: partner.clone(),
            gauge,
            tokens: Tokens::default(),
        };
        Run { dispatch: self, partner, sender: &sender }.go(first, stop).await
    }

    /// Takes up what was left, and claims what goes first: in one transaction, since a click waits for it.
    async fn begin(&self, partner: &PartnerId, stop: &CancellationToken) -> sqlx::Result<(Gauge, Turned)> {
        let mut tx = self.db.tenant(partner).await?;
        let now = self.clock.now();
        self.take_up(&mut tx, partner, now).await?;
        store::resume_after_sign_in(&mut tx, now).await?;
        let gauge = Gauge::new(store::find_pace(&mut tx, u32::try_from(self.concurrency).unwrap_or(u32::MAX)).await?);
        if let Some(until) = pauses::until(&mut tx, now).await? {
            gauge.told(until, now);
        }
        let width = if stop.is_cancelled() { 0 } else { gauge.width(now) };
        let first = Turned::claim(&mut tx, room(width, 0, true, true), now).await?;
        tx.commit().await?;
        Ok((gauge, first))
    }

    /// What an ended process left as Sending waits for its status to be read.
    async fn take_up(&self, tx: &mut TenantTx, partner: &PartnerId, now: OffsetDateTime) -> sqlx::Result<()> {
        let interrupted = store::interrupted(tx).await?.into_iter().map(|claimed| {
            let verdict = decide::decide(&attempt_of(&claimed), Answer::Interrupted, now, 0);
            Outcome { claimed, verdict }
        });
        let left: Vec<Outcome> = interrupted.collect();
        if left.is_empty() {
            return Ok(());
        }
        tracing::warn!(%partner, requests = left.len(), "taking up requests whose sender ended");
        store::save(tx, &left, now).await
    }
}

impl Reconciler for Dispatch {
    fn name(&self) -> &'static str {
        DISPATCH
    }

    fn period(&self) -> Duration {
        Duration::from_secs(10)
    }

    fn reconcile<'a>(
        &'a self,
        partner: &'a PartnerId,
        stop: &'a CancellationToken,
    ) -> BoxFuture<'a, anyhow::Result<Next>> {
        self.pass(partner, stop).boxed()
    }
}

/// One pass while it sends.
struct Run<'a> {
    dispatch: &'a Dispatch,
    partner: &'a PartnerId,
    sender: &'a Sender,
}

/// What a turn is to do beside saving outcomes.
#[derive(Clone, Copy, Debug, Default)]
struct Errand {
    room: Option<Room>,
    /// Somebody asked for something, or signed in, since the last turn.
    woken: bool,
    /// What others were told of the limits is to be looked up, and what was heard of the app's to be kept.
    app: bool,
}

/// What a turn brought.
struct Turned {
    claimed: Vec<Claimed>,
    /// More may be due than was claimed.
    more: bool,
    /// When the next request is due, where nothing more is now.
    due: Option<OffsetDateTime>,
}

impl Turned {
    async fn claim(tx: &mut TenantTx, room: Option<Room>, now: OffsetDateTime) -> sqlx::Result<Self> {
        let Some(room) = room else { return Ok(Self { claimed: Vec::new(), more: true, due: None }) };
        let claimed = store::claim(tx, room, now).await?;
        let more = !claimed.is_empty() || room.of_batches == 0;
        let due = if more { None } else { store::next_due(tx, now).await? };
        Ok(Self { claimed, more, due })
    }
}

impl Run<'_> {
    async fn go(self, first: Turned, stop: &CancellationToken) -> anyhow::Result<Next> {
        let name = format!("{DISPATCH}:{}", self.partner);
        let mut wakes = self.dispatch.signals.subscribe();
        let mut under_way = FuturesUnordered::new();
        let mut come: Vec<Sent> = Vec::new();
        let mut turn = Fuse::terminated();
        let mut errand = None;
        let mut express: Fuse<BoxFuture<'_, sqlx::Result<Vec<Claimed>>>> = Fuse::terminated();
        let (mut more, mut due, mut woken) = (first.more, first.due, false);
        let mut looked_at_app = self.dispatch.clock.now();
        under_way.extend(first.claimed.into_iter().map(|claimed| self.sender.send(claimed)));
        loop {
            if errand.is_none() {
                let now = self.dispatch.clock.now();
                let width = if stop.is_cancelled() { 0 } else { self.sender.gauge.width(now) };
                let room = room(width, under_way.len(), more, woken);
                if room.is_none() && come.is_empty() && under_way.is_empty() {
                    let held = self.sender.gauge.waits_until(now).filter(|_| more);
                    return Ok(held.or(due).map_or(Next::Idle, Next::At));
                }
                if room.is_some() || !come.is_empty() {
                    let app = now - looked_at_app >= LOOK_AT_APP;
                    if app {
                        looked_at_app = now;
                    }
                    let wanted = Errand { room, woken: std::mem::take(&mut woken), app };
                    errand = Some(wanted);
                    turn = Box::pin(self.turn(std::mem::take(&mut come), wanted, stop)).fuse();
                }
            }
            tokio::select! {
                Some(sent) = under_way.next() => {
                    come.push(sent);
                    // All that have come by now go together.
                    while let Some(Some(sent)) = under_way.next().now_or_never() {
                        come.push(sent);
                    }
                }
                turned = &mut turn => {
                    let turned = turned?;
                    let had_room = errand.take().is_some_and(|errand| errand.room.is_some());
                    if had_room && !woken {
                        (more, due) = (turned.more, turned.due);
                    }
                    under_way.extend(turned.claimed.into_iter().map(|claimed| self.sender.send(claimed)));
                }
                claimed = &mut express => match claimed {
                    Ok(claimed) => under_way.extend(claimed.into_iter().map(|claimed| self.sender.send(claimed))),
                    Err(error) => tracing::warn!(partner = %self.partner, %error, "a click waits for the next turn"),
                },
                () = wakes.heard(&name), if !stop.is_cancelled() => {
                    self.sender.tokens.forget();
                    (more, woken) = (true, true);
                    let width = self.sender.gauge.width(self.dispatch.clock.now());
                    let most = beside(width, under_way.len());
                    if errand.is_some() && most > 0 && express.is_terminated() {
                        express = self.express(most).boxed().fuse();
                    }
                }
            }
        }
    }

    /// Saves a group of outcomes and claims what goes next, for as long as Postgres may need to come back.
    async fn turn(&self, group: Vec<Sent>, errand: Errand, stop: &CancellationToken) -> anyhow::Result<Turned> {
        let changes = self.sender.gauge.take_changes();
        let mut tries = 0;
        loop {
            match self.try_turn(&group, changes.as_ref(), errand).await {
                Ok(turned) => return Ok(turned),
                Err(error) if !group.is_empty() && tries < SAVE_TRIES && !stop.is_cancelled() => {
                    tries += 1;
                    tracing::warn!(partner = %self.partner, %error, tries, "can't save outcomes yet");
                    pause(Duration::from_secs(1)).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Claims what was just asked for alone while a turn is on its way: a click doesn't wait until a large group is saved.
    async fn express(&self, most: usize) -> sqlx::Result<Vec<Claimed>> {
        let mut tx = self.dispatch.db.tenant(self.partner).await?;
        let alone = i64::try_from(most).unwrap_or(i64::MAX);
        let claimed = store::claim(&mut tx, Room { alone, of_batches: 0 }, self.dispatch.clock.now()).await?;
        tx.commit().await?;
        Ok(claimed)
    }

    async fn try_turn(&self, group: &[Sent], changes: Option<&(Pace, Said)>, errand: Errand) -> sqlx::Result<Turned> {
        let now = self.dispatch.clock.now();
        let app = &self.dispatch.graph.settings().app_id;
        let mut tx = self.dispatch.db.tenant(self.partner).await?;
        if let Some((pace, limit)) = changes {
            store::save_pace(&mut tx, pace, now).await?;
            if errand.app || limit.wait.is_some() {
                pauses::keep_app(&mut tx, app, *limit).await?;
            }
        }
        if !group.is_empty() {
            let outcomes: Vec<Outcome> = group.iter().map(|sent| sent.outcome.clone()).collect();
            store::save(&mut tx, &outcomes, now).await?;
            for (whose, problem) in group.iter().filter_map(|sent| sent.dead_token.as_ref()) {
                sign_in::mark_dead(&mut tx, whose, problem, now).await?;
            }
            reconcile::signal(&mut tx, &settled(self.partner)).await?;
        }
        if errand.woken || group.iter().any(|sent| sent.dead_token.is_some()) {
            store::resume_after_sign_in(&mut tx, now).await?;
        }
        if errand.app
            && let Some(until) = pauses::until(&mut tx, now).await?
        {
            self.sender.gauge.told(until, now);
        }
        if errand.app {
            // Each turn adds a few lines to the counts on the chips, and pages that show them add all lines up.
            businesses::fold_counts(&mut tx).await?;
        }
        // What was just heard may have closed the way.
        let room = errand.room.filter(|_| self.sender.gauge.width(now) > 0);
        let turned = Turned::claim(&mut tx, room, now).await?;
        tx.commit().await?;
        Ok(turned)
    }
}

/// How many requests may be claimed: as many as may go at once and aren't under way. One asked for alone doesn't wait for a place
/// behind a batch, as long as nothing narrows the way.
fn room(width: usize, under_way: usize, more: bool, woken: bool) -> Option<Room> {
    if width == 0 || !more {
        return None;
    }
    let free = width.saturating_sub(under_way).min(CHUNK);
    let beside = beside(width, under_way);
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    if free > 0 || (woken && beside > 0) {
        Some(Room { alone: count(free + beside), of_batches: count(free) })
    } else {
        None
    }
}

/// How many asked for alone may go beside what the pace allows; none where it allows hardly anything.
fn beside(width: usize, under_way: usize) -> usize {
    if width > MOST_ALONE { (width + MOST_ALONE).saturating_sub(under_way.max(width)) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_what_may_go_and_for_a_few_asked_for_alone() {
        for (width, under_way, more, woken, expected) in [
            (8, 0, true, false, Some((12, 8))),
            (8, 5, true, false, Some((7, 3))),
            (8, 8, true, false, None),
            (8, 8, true, true, Some((4, 0))),
            (8, 11, true, true, Some((1, 0))),
            (8, 12, true, true, None),
            (1, 0, true, true, Some((1, 1))),
            (1, 1, true, true, None),
            (0, 0, true, true, None),
            (8, 0, false, true, None),
            (2_000, 0, true, false, Some((516, 512))),
        ] {
            let room = room(width, under_way, more, woken).map(|room| (room.alone, room.of_batches));
            assert_eq!(room, expected, "{width} wide, {under_way} under way, more {more}, woken {woken}");
        }
    }
}
