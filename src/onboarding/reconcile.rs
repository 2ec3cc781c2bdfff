//! Dispatch: sends queued requests to Graph, and writes down what came of each.
//!
//! The request row is the unit of work. A pass first takes up what an ended process left as Sending. Then two lanes go side by
//! side while requests are under way: one saves, in one transaction, all outcomes that have come since it last did; the other claims
//! as many requests as may go now. So groups grow with the pace, and nothing is claimed that isn't sent at once. A click that comes
//! meanwhile is claimed beside them.
//!
//! What always holds: a row is Sending, committed, before its POST leaves; an answer is saved only into the attempt it belongs to; a
//! POST whose outcome isn't known is never repeated before the business's status was read; no more is under way than the pace
//! (`pace.rs`) allows, but for a request asked for alone, which doesn't wait for a place behind a batch.

use std::{sync::Arc, time::Duration};

use futures::{
    FutureExt, StreamExt,
    future::{BoxFuture, FusedFuture},
    stream::FuturesUnordered,
};
use time::OffsetDateTime;

use super::{
    decide::{self, Answer},
    gauge::Gauge,
    pace::Pace,
    send::{Sender, Sent, Tokens, attempt_of},
    store::{self, Claimed, Outcome, Picked, Room},
};
use crate::{
    businesses,
    clock::Clock,
    db::{Db, PartnerId, TenantTx},
    graph::Graph,
    pauses::{self, Said},
    reconcile::{self, CancellationToken, Lane, Next, Reconciler, Signals, Subscription, pause},
    sign_in,
    vault::Vault,
};

/// Its name in wakes.
pub const DISPATCH: &str = "dispatch";

/// The most requests asked for alone that go beside what the pace allows.
const MOST_ALONE: usize = 4;

/// The most requests claimed at once.
const CHUNK: usize = 512;

/// How often an answer is tried to be saved while Postgres is away, a second apart. After that the row is taken up as
/// interrupted: nothing is lost, only read again.
const SAVE_TRIES: u32 = 20;

/// How often what isn't needed each time is done: it's looked up what others were told of the limits (other partners' holders of the
/// app's, polls and syncs of either), and the counts on the chips are folded.
const NOW_AND_THEN: Duration = Duration::from_secs(1);

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
        // Before the first claim: what is asked for from then on is heard.
        let mut wakes = self.signals.subscribe();
        let (sender, first) = self.begin(partner, stop).await?;
        Run { dispatch: self, partner, sender: &sender }.go(first, &mut wakes, stop).await
    }

    /// Takes up what was left, and claims what goes first: in one transaction, since a click waits for it.
    async fn begin(&self, partner: &PartnerId, stop: &CancellationToken) -> sqlx::Result<(Sender, Turned)> {
        let mut tx = self.db.tenant_by_keys(partner).await?;
        let now = self.clock.now();
        let ceiling = u32::try_from(self.concurrency).unwrap_or(u32::MAX);
        let start = store::find_start(&mut tx, ceiling, now).await?;
        if start.is_interrupted {
            self.take_up(&mut tx, partner, now).await?;
        }
        let gauge = Arc::new(Gauge::new(start.pace));
        let sender = Sender {
            db: self.db.clone(),
            clock: self.clock.clone(),
            graph: self.graph.observed_first_by(gauge.clone()),
            vault: Arc::clone(&self.vault),
            partner: partner.clone(),
            gauge,
            tokens: Tokens::default(),
        };
        let width = if stop.is_cancelled() { 0 } else { sender.gauge.width(now) };
        let picked = match room(width, 0, true, true) {
            Some(room) => store::pick(&mut tx, room, now).await?,
            None => Vec::new(),
        };
        let more = width == 0 || !picked.is_empty() || store::resume_after_sign_in(&mut tx, now).await?;
        let claimed = claim(tx, &sender, &picked, now).await?;
        Ok((sender, Turned { claimed, more }))
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

/// What a claim is to do beside claiming.
#[derive(Clone, Copy, Debug)]
struct Errand {
    room: Room,
    /// Somebody asked for something, or signed in, since the last claim.
    woken: bool,
    /// What others were told of the limits is to be looked up.
    app: bool,
}

/// What a claim brought.
struct Turned {
    claimed: Vec<Claimed>,
    /// More may be due than was claimed.
    more: bool,
}

impl Turned {
    /// Claims what may go, and ends the transaction.
    async fn claim(mut tx: TenantTx, sender: &Sender, room: Room, now: OffsetDateTime) -> sqlx::Result<Self> {
        let picked = store::pick(&mut tx, room, now).await?;
        let more = !picked.is_empty() || room.of_batches == 0;
        Ok(Self { claimed: claim(tx, sender, &picked, now).await?, more })
    }
}

/// Claims what was picked, and ends the transaction. The token that the first of them is sent with is opened meanwhile: a click waits for
/// both. Whatever becomes of that, the claim gives its connection back.
async fn claim(
    mut tx: TenantTx,
    sender: &Sender,
    picked: &[Picked],
    now: OffsetDateTime,
) -> sqlx::Result<Vec<Claimed>> {
    let next = picked.first().map(|picked| picked.member_id);
    let claiming = async {
        let claimed = store::claim(&mut tx, picked, now).await?;
        tx.commit().await?;
        Ok(claimed)
    };
    let (claimed, ()) = tokio::join!(claiming, sender.prepare(next));
    claimed
}

impl Run<'_> {
    async fn go(self, first: Turned, wakes: &mut Subscription, stop: &CancellationToken) -> anyhow::Result<Next> {
        let name = format!("{DISPATCH}:{}", self.partner);
        let mut under_way = FuturesUnordered::new();
        let mut come: Vec<Sent> = Vec::new();
        // Work with Postgres that goes on beside the sending.
        let mut saving: Lane<'_, sqlx::Result<()>> = Lane::terminated();
        let mut claiming: Lane<'_, sqlx::Result<Turned>> = Lane::terminated();
        let mut express: Lane<'_, sqlx::Result<Vec<Claimed>>> = Lane::terminated();
        let Turned { claimed, mut more } = first;
        // Whether a newer token is there is looked up with the next claim, where there was one: a click needn't wait for that.
        let mut woken = !claimed.is_empty();
        // What a claim says of the rest is old when something was saved or asked for since it began.
        let mut news = false;
        // Outcomes that hold back others are being saved: nothing is claimed before it is known whom they hold back.
        let mut closing = false;
        let mut trouble = None;
        let mut looked_at_app = self.dispatch.clock.now();
        // The first that is saved is folded at once: whoever clicked looks at the chips next.
        let mut folded_at = looked_at_app - NOW_AND_THEN;
        under_way.extend(claimed.into_iter().map(|claimed| self.sender.send(claimed)));
        loop {
            let now = self.dispatch.clock.now();
            if saving.is_terminated() && !come.is_empty() {
                let group = std::mem::take(&mut come);
                closing = group.iter().any(Sent::holds_back_others);
                saving = self.save(group, is_time(&mut folded_at, now), stop).boxed().fuse();
            }
            if claiming.is_terminated() && !closing && trouble.is_none() {
                let width = if stop.is_cancelled() { 0 } else { self.sender.gauge.width(now) };
                // What is being claimed beside has its places already.
                let taken = under_way.len() + if express.is_terminated() { 0 } else { MOST_ALONE };
                if let Some(room) = room(width, taken, more, woken) {
                    let app = is_time(&mut looked_at_app, now);
                    let errand = Errand { room, woken: std::mem::take(&mut woken), app };
                    claiming = self.claim(errand).boxed().fuse();
                    news = false;
                }
            }
            if saving.is_terminated() && claiming.is_terminated() && express.is_terminated() && under_way.is_empty() {
                if let Some(error) = trouble {
                    return Err(anyhow::Error::new(error).context("can't claim requests"));
                }
                return self.next(more).await;
            }
            tokio::select! {
                Some(sent) = under_way.next() => {
                    come.push(sent);
                    // All that have come by now go together.
                    while let Some(Some(sent)) = under_way.next().now_or_never() {
                        come.push(sent);
                    }
                }
                saved = &mut saving => {
                    saved?;
                    closing = false;
                    // What waits to be tried again may be due before all that was known.
                    (more, news) = (true, true);
                }
                claimed = &mut claiming => match claimed {
                    Ok(turned) => {
                        if !news {
                            more = turned.more;
                        }
                        under_way.extend(turned.claimed.into_iter().map(|claimed| self.sender.send(claimed)));
                    }
                    // What is under way is still waited for and saved.
                    Err(error) => trouble = Some(error),
                },
                claimed = &mut express => match claimed {
                    Ok(claimed) => under_way.extend(claimed.into_iter().map(|claimed| self.sender.send(claimed))),
                    Err(error) => tracing::warn!(partner = %self.partner, %error, "a click waits for the next claim"),
                },
                () = wakes.heard(&name), if !stop.is_cancelled() => {
                    self.sender.tokens.forget();
                    (more, woken, news) = (true, true, true);
                    let width = self.sender.gauge.width(self.dispatch.clock.now());
                    let most = beside(width, under_way.len());
                    if most > 0 && express.is_terminated() {
                        express = self.express(most).boxed().fuse();
                    }
                }
            }
        }
    }

    /// Saves a group of outcomes, for as long as Postgres may need to come back.
    async fn save(&self, group: Vec<Sent>, fold: bool, stop: &CancellationToken) -> sqlx::Result<()> {
        let changes = self.sender.gauge.take_changes();
        let mut tries = 0;
        loop {
            match self.try_save(&group, changes.as_ref(), fold).await {
                Err(error) if tries < SAVE_TRIES && !stop.is_cancelled() => {
                    tries += 1;
                    tracing::warn!(partner = %self.partner, %error, tries, "can't save outcomes yet");
                    pause(Duration::from_secs(1)).await;
                }
                settled => return settled,
            }
        }
    }

    async fn try_save(&self, group: &[Sent], changes: Option<&(Pace, Said)>, fold: bool) -> sqlx::Result<()> {
        let now = self.dispatch.clock.now();
        let mut tx = self.dispatch.db.tenant_by_keys(self.partner).await?;
        if let Some((pace, limit)) = changes {
            store::save_pace(&mut tx, pace, now).await?;
            if fold || limit.wait.is_some() {
                pauses::keep_app(&mut tx, &self.dispatch.graph.settings().app_id, *limit).await?;
            }
        }
        let outcomes: Vec<Outcome> = group.iter().map(|sent| sent.outcome.clone()).collect();
        store::save(&mut tx, &outcomes, now).await?;
        for (whose, problem) in group.iter().filter_map(|sent| sent.dead_token.as_ref()) {
            sign_in::mark_dead(&mut tx, whose, problem, now).await?;
        }
        if group.iter().any(|sent| sent.dead_token.is_some()) {
            store::resume_after_sign_in(&mut tx, now).await?;
        }
        if fold {
            // Each group adds a few lines to the counts on the chips, and pages that show them add all lines up.
            businesses::fold_counts(&mut tx).await?;
        }
        reconcile::signal(&mut tx, &settled(self.partner)).await?;
        tx.commit().await
    }

    /// Claims what goes next.
    async fn claim(&self, errand: Errand) -> sqlx::Result<Turned> {
        let now = self.dispatch.clock.now();
        let mut tx = self.dispatch.db.tenant_by_keys(self.partner).await?;
        if errand.woken {
            store::resume_after_sign_in(&mut tx, now).await?;
        }
        if errand.app
            && let Some(until) = pauses::until(&mut tx, now).await?
        {
            self.sender.gauge.told(until, now);
        }
        if self.sender.gauge.width(now) == 0 {
            // What was just heard closed the way.
            tx.commit().await?;
            return Ok(Turned { claimed: Vec::new(), more: true });
        }
        Turned::claim(tx, self.sender, errand.room, now).await
    }

    /// Claims what was just asked for alone, and nothing else: a click doesn't wait until many are claimed.
    async fn express(&self, most: usize) -> sqlx::Result<Vec<Claimed>> {
        let tx = self.dispatch.db.tenant_by_keys(self.partner).await?;
        let room = Room { alone: i64::try_from(most).unwrap_or(i64::MAX), of_batches: 0 };
        Ok(Turned::claim(tx, self.sender, room, self.dispatch.clock.now()).await?.claimed)
    }

    /// When to come again, once nothing is under way. `more`: something may be due now.
    async fn next(&self, more: bool) -> anyhow::Result<Next> {
        let now = self.dispatch.clock.now();
        if let Some(until) = self.sender.gauge.waits_until(now).filter(|_| more) {
            return Ok(Next::At(until));
        }
        let mut tx = self.dispatch.db.tenant_by_keys(self.partner).await?;
        Ok(store::next_due(&mut tx, now).await?.map_or(Next::Idle, Next::At))
    }
}

/// Whether a second went by since `last`, which then is now.
fn is_time(last: &mut OffsetDateTime, now: OffsetDateTime) -> bool {
    let is_time = now - *last >= NOW_AND_THEN;
    if is_time {
        *last = now;
    }
    is_time
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
    // A claim costs as much for one request as for many.
    if free >= width.div_ceil(4) || (woken && free + beside > 0) {
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
            (8, 7, true, false, None),
            (8, 7, true, true, Some((5, 1))),
            (3, 2, true, false, Some((1, 1))),
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
