//! `webhooks`: applies what Meta told. `webhooks_again`: looks again at what could not be applied when it came.

use std::{collections::HashSet, time::Duration};

use futures::{FutureExt, future::BoxFuture};
use time::OffsetDateTime;

use super::{
    meaning::{Meaning, detail_of, solution_status, wants_sync},
    model::Outcome,
    store::{self, Fresh, Line, SyncNeed},
};
use crate::{
    businesses::{lock_businesses, sync_soon},
    clock::Clock,
    db::{Db, PartnerId, TenantTx},
    graph::BusinessId,
    onboarding::FOLLOW,
    reconcile::{CancellationToken, Next, Reconciler, wake},
};

/// Its name in wakes: whatever is stored wakes it.
pub const APPLY: &str = "webhooks";

/// Its name in wakes: a change that waits, and a sync that ended, wake it.
pub const RECONSIDER: &str = "webhooks_again";

/// The most changes of one transaction.
const CHUNK: i64 = 500;

/// How long after one sync began Meta's word may ask for the next: a client who shares fifty WABAs costs one.
const BETWEEN_SYNCS: time::Duration = time::Duration::minutes(5);

/// Applies changes in the order they came. Any other order leaves the same.
pub struct Apply {
    db: Db,
    clock: Clock,
}

impl Apply {
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }

    async fn pass(&self, partner: &PartnerId) -> anyhow::Result<Next> {
        let mut tx = self.db.tenant(partner).await?;
        let fresh = store::take_fresh(&mut tx, CHUNK).await?;
        if fresh.is_empty() {
            return Ok(Next::Idle);
        }
        apply(&mut tx, &fresh, self.clock.now()).await?;
        tx.commit().await?;
        Ok(if fresh.len() == usize::try_from(CHUNK)? { Next::Again } else { Next::Idle })
    }
}

/// What became of each change, gathered.
struct Settling<'a> {
    known: HashSet<String>,
    settled: Vec<(i64, Outcome, bool)>,
    lines: Vec<Line<'a>>,
}

impl<'a> Settling<'a> {
    fn settle(&mut self, change: &Fresh, outcome: Outcome) {
        let asks = match outcome {
            Outcome::WaitsForBusiness => true,
            Outcome::Outdated | Outcome::AlreadySo | Outcome::UnknownEvent | Outcome::UnknownShape => false,
            Outcome::Applied | Outcome::NoEffect => change.event.as_deref().is_some_and(wants_sync),
        };
        self.settled.push((change.id, outcome, asks));
    }

    /// The business it's about, if we know it; else it is settled.
    fn business(&mut self, change: &'a Fresh) -> Option<&'a str> {
        match change.business_id.as_deref() {
            Some(business) if self.known.contains(business) => Some(business),
            Some(_) => {
                self.settle(change, Outcome::WaitsForBusiness);
                None
            }
            None => {
                self.settle(change, Outcome::NoEffect);
                None
            }
        }
    }

    fn note(&mut self, business: &'a str, waba: Option<&'a str>, change: &Fresh) {
        let detail = detail_of(change.event.as_deref().unwrap_or_default(), &change.body);
        self.lines.push(Line { business, waba, detail, sent_at: change.sent_at, received_at: change.received_at });
    }
}

/// Applies changes and says what became of them, within one transaction.
pub(super) async fn apply(tx: &mut TenantTx, fresh: &[Fresh], now: OffsetDateTime) -> sqlx::Result<()> {
    let of = |meaning: Meaning| {
        fresh.iter().filter(move |change| Meaning::of(change.field.as_deref(), change.event.as_deref()) == meaning)
    };
    let named: Vec<&str> = fresh.iter().filter_map(|change| change.business_id.as_deref()).collect();
    let known = lock_businesses(tx, &named).await?;
    let mut now_known = Settling { known, settled: Vec::with_capacity(fresh.len()), lines: Vec::new() };
    let touched = sign(tx, of(Meaning::TermsSigned), &mut now_known, now).await?
        + share(tx, of(Meaning::Sharing), &mut now_known, now).await?;
    for change in of(Meaning::Told) {
        if let Some(business) = now_known.business(change) {
            now_known.note(business, change.waba_id.as_deref(), change);
            now_known.settle(change, Outcome::Applied);
        }
    }
    solve(tx, of(Meaning::Solution), &mut now_known).await?;
    for (meaning, outcome) in [
        (Meaning::NoEffect, Outcome::NoEffect),
        (Meaning::UnknownEvent, Outcome::UnknownEvent),
        (Meaning::UnknownShape, Outcome::UnknownShape),
    ] {
        for change in of(meaning) {
            // Whoever reads the story of a business hears of it, too, though it moves nothing here.
            let business = change.business_id.as_deref().filter(|business| now_known.known.contains(*business));
            let is_of_accounts = change.field.as_deref().is_none_or(|field| field == "account_update");
            if let (Some(business), Some(_), true) = (business, change.event.as_deref(), is_of_accounts) {
                now_known.note(business, change.waba_id.as_deref(), change);
            }
            now_known.settle(change, outcome);
        }
    }
    let Settling { known, settled, lines } = now_known;
    let partner = tx.partner().clone();
    if touched > 0 {
        let known: Vec<BusinessId> = known.into_iter().map(BusinessId::from_stored).collect();
        store::settle_businesses(tx, &known, now).await?;
        wake(tx, FOLLOW, &partner).await?;
    }
    store::note(tx, &lines).await?;
    store::settle(tx, &settled, now).await?;
    if settled.iter().any(|(.., asks)| *asks) {
        wake(tx, RECONSIDER, &partner).await?;
    }
    Ok(())
}

/// How many businesses may stand elsewhere for it.
async fn sign<'a>(
    tx: &mut TenantTx,
    changes: impl Iterator<Item = &'a Fresh>,
    settling: &mut Settling<'a>,
    now: OffsetDateTime,
) -> sqlx::Result<usize> {
    let mut signed = Vec::new();
    for change in changes {
        if let Some(business) = settling.business(change) {
            signed.push((business, change));
        }
    }
    if signed.is_empty() {
        return Ok(0);
    }
    signed.sort_by_key(|(_, change)| change.sent_at);
    let told: Vec<_> = signed.iter().map(|(business, change)| (*business, change.sent_at)).collect();
    let mut news = store::sign(tx, &told, now).await?;
    let count = news.len();
    for (business, change) in signed {
        // One change a WABA comes; the business signs once, at the earliest hour of them.
        if news.remove(business) {
            settling.note(business, None, change);
            settling.settle(change, Outcome::Applied);
        } else {
            settling.settle(change, Outcome::AlreadySo);
        }
    }
    Ok(count)
}

/// How many businesses may stand elsewhere for it.
async fn share<'a>(
    tx: &mut TenantTx,
    changes: impl Iterator<Item = &'a Fresh>,
    settling: &mut Settling<'a>,
    now: OffsetDateTime,
) -> sqlx::Result<usize> {
    let mut told = Vec::new();
    for change in changes {
        if let Some(business) = settling.business(change) {
            told.push((business, change));
        }
    }
    let wabas: Vec<&str> = told.iter().filter_map(|(_, change)| change.waba_id.as_deref()).collect();
    if wabas.is_empty() {
        for (_, change) in told {
            settling.settle(change, Outcome::NoEffect);
        }
        return Ok(0);
    }
    let overtaken = store::move_sharing(tx, &wabas, now).await?;
    let count = told.len();
    for (business, change) in told {
        let waba = change.waba_id.as_deref();
        if waba.is_some_and(|waba| overtaken.contains(waba)) {
            settling.settle(change, Outcome::Outdated);
        } else {
            settling.note(business, waba, change);
            settling.settle(change, Outcome::Applied);
        }
    }
    Ok(count)
}

async fn solve<'a>(
    tx: &mut TenantTx,
    changes: impl Iterator<Item = &'a Fresh>,
    settling: &mut Settling<'a>,
) -> sqlx::Result<()> {
    let told: Vec<(&Fresh, String)> =
        changes.map(|change| (change, solution_status(&change.body).unwrap_or_default())).collect();
    let named: Vec<_> = told
        .iter()
        .filter(|(_, status)| !status.is_empty())
        .filter_map(|(change, status)| Some((change.solution_id.as_deref()?, change.sent_at, status.as_str())))
        .collect();
    let moved = if named.is_empty() { HashSet::new() } else { store::move_solutions(tx, &named).await? };
    for (change, _) in &told {
        let has_moved = change.solution_id.as_deref().is_some_and(|id| moved.contains(id));
        settling.settle(change, if has_moved { Outcome::Applied } else { Outcome::NoEffect });
    }
    Ok(())
}

impl Reconciler for Apply {
    fn name(&self) -> &'static str {
        APPLY
    }

    fn period(&self) -> Duration {
        Duration::from_mins(1)
    }

    fn reconcile<'a>(
        &'a self,
        partner: &'a PartnerId,
        _: &'a CancellationToken,
    ) -> BoxFuture<'a, anyhow::Result<Next>> {
        self.pass(partner).boxed()
    }
}

/// Finds owners for what was nobody's, looks again at what waits for a business that has turned up, and asks for the syncs that
/// Meta's words want.
pub struct Reconsider {
    db: Db,
    clock: Clock,
    partners: Vec<String>,
}

impl Reconsider {
    /// `partners`: all that may sign in here.
    pub fn new(db: Db, clock: Clock, partners: &[PartnerId]) -> Self {
        Self { db, clock, partners: partners.iter().map(|partner| partner.as_str().to_owned()).collect() }
    }

    async fn pass(&self, partner: &PartnerId) -> anyhow::Result<Next> {
        if store::adopt(&self.db, &self.partners, i32::try_from(CHUNK)?).await? {
            return Ok(Next::Again);
        }
        let now = self.clock.now();
        let mut tx = self.db.tenant(partner).await?;
        let reopened = store::reopen(&mut tx, CHUNK).await?;
        if reopened > 0 {
            wake(&mut tx, APPLY, partner).await?;
        }
        let next = match store::sync_need(&mut tx).await? {
            _ if reopened == u64::try_from(CHUNK)? => Next::Again,
            SyncNeed::Open(began_at) if began_at + BETWEEN_SYNCS <= now => {
                sync_soon(&mut tx, now).await?;
                Next::Idle
            }
            SyncNeed::Open(began_at) => Next::At(began_at + BETWEEN_SYNCS),
            SyncNeed::Met | SyncNeed::Underway => Next::Idle,
        };
        tx.commit().await?;
        Ok(next)
    }
}

impl Reconciler for Reconsider {
    fn name(&self) -> &'static str {
        RECONSIDER
    }

    fn period(&self) -> Duration {
        Duration::from_mins(1)
    }

    fn reconcile<'a>(
        &'a self,
        partner: &'a PartnerId,
        _: &'a CancellationToken,
    ) -> BoxFuture<'a, anyhow::Result<Next>> {
        self.pass(partner).boxed()
    }
}
