//! Asks Meta what became of requests, for when no webhook tells: about each business that waits for its client's admin, and about
//! each that signed and has no WABA onboarded yet.
//!
//! It takes what dispatch leaves. Nothing is asked while a request is due or under way, while Meta told us to wait, or while more
//! than half of any limit is used up; what the answers say of the limits is kept where dispatch reads it. One call is under way at a
//! time, of up to fifty businesses, the longest due first. What was heard goes into `businesses`, and [`super::Follow`] moves the
//! requests: a webhook and a sync take the same way.
//!
//! Everything outlives a crash: a business is due until its answer was kept.

mod schedule;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::{FutureExt, future::BoxFuture};
use time::OffsetDateTime;

use super::{
    FOLLOW,
    gauge::Gauge,
    store::{self, Asked, Due, Waits},
};
use crate::{
    businesses::{self, News},
    clock::Clock,
    db::{Db, PartnerId},
    graph::{self, Advice, BusinessId, BusinessStatus, Caller, Cause, Graph, MOST_IDS, MetaRequestId, Origin, WabaId},
    reconcile::{self, CancellationToken, Next, Reconciler},
    sign_in::{self, SendingToken, TokenError, Whose},
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
    concurrency: u32,
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

/// What Meta said in a turn.
#[derive(Default)]
struct Heard {
    statuses: Vec<(BusinessId, BusinessStatus)>,
    eligibilities: Vec<(WabaId, Option<String>)>,
    /// What became of requests by their own ids.
    requests: Vec<(MetaRequestId, String)>,
    asked: Vec<Asked>,
    dead_token: Option<(Whose, String)>,
    /// What the turn comes to, where it isn't [`Turn::More`].
    ends: Option<Turn>,
}

impl Poll {
    /// `concurrency` is dispatch's, whose pace is read and kept here too.
    pub fn new(db: Db, clock: Clock, graph: Graph, vault: Arc<Vault>, concurrency: usize) -> Self {
        let concurrency = u32::try_from(concurrency).unwrap_or(u32::MAX);
        Self { db, clock, graph, vault, concurrency, memory: Mutex::default() }
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
        if let Some(until) = store::pause_until(&mut tx, now).await? {
            return Ok(Turn::Until(until));
        }
        let pace = store::find_pace(&mut tx, self.concurrency).await?;
        let of_the_app = store::app_usage(&mut tx, &self.graph.settings().app_id).await?;
        if let Some(until) =
            schedule::yields_until(pace.past(now).used, now).max(schedule::yields_until(of_the_app, now))
        {
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
        let gauge = Arc::new(Gauge::new(pace));
        let heard = self.ask(partner, token, &gauge, &ask, probes).await?;
        self.keep(partner, &gauge, heard).await
    }

    /// `probes`: whether the ids of requests are asked about as well (1.12), which only a hypothesis says can be read.
    async fn ask(
        &self,
        partner: &PartnerId,
        SendingToken { whose, token }: SendingToken,
        gauge: &Arc<Gauge>,
        due: &[(BusinessId, Waits)],
        probes: bool,
    ) -> sqlx::Result<Heard> {
        let member = match whose.holder {
            sign_in::Holder::Member(member) => Some(member),
            sign_in::Holder::SystemUser => None,
        };
        let origin = Origin { partner: Some(partner.as_business().clone()), member, ..Origin::default() };
        let caller = self.graph.observed_first_by(gauge.clone()).with_token(token, origin);
        let line = Line { poll: self, gauge, caller, whose };
        let ids: Vec<BusinessId> = due.iter().map(|(id, _)| id.clone()).collect();
        let mut heard = Heard::default();
        let statuses = match line.caller.business_statuses(&ids).await {
            Ok(statuses) => statuses,
            Err(error) => {
                line.refused(&error, due, &mut heard);
                return Ok(heard);
            }
        };
        line.answered();
        heard.statuses = statuses.into_iter().collect();
        let signed = signed_of(&heard.statuses, due);
        if !line.hear_wabas(partner, &signed, due, &mut heard).await? {
            return Ok(heard);
        }
        if probes {
            line.probe(partner, &ids, &mut heard).await?;
        }
        let now = self.clock.now();
        heard.asked = due
            .iter()
            .map(|(business, waits)| Asked {
                business: business.clone(),
                due_at: now + schedule::every(waits.since, now),
                refusal: None,
                polled: true,
            })
            .collect();
        Ok(heard)
    }

    /// Keeps all that was heard in one transaction. While dispatch is at work it keeps the pace itself.
    async fn keep(&self, partner: &PartnerId, gauge: &Gauge, heard: Heard) -> anyhow::Result<Turn> {
        let now = self.clock.now();
        let mut tx = self.db.tenant(partner).await?;
        let news = businesses::keep_told(&mut tx, &heard.statuses, &heard.eligibilities, now).await?;
        store::keep_request_statuses(&mut tx, &heard.requests).await?;
        store::reschedule(&mut tx, &heard.asked, now).await?;
        if let Some((pace, limit)) = gauge.take_changes() {
            let busy =
                store::dispatch_has_work(&mut tx, now).await? || store::pause_until(&mut tx, now).await?.is_some();
            if !busy {
                store::save_pace(&mut tx, &pace, now).await?;
            }
            store::save_app_limit(&mut tx, &self.graph.settings().app_id, limit).await?;
        }
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
                let until = gauge.waits_until(now).unwrap_or(until);
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

/// The line to Meta of one turn.
struct Line<'a> {
    poll: &'a Poll,
    gauge: &'a Gauge,
    caller: Caller,
    whose: Whose,
}

impl Line<'_> {
    fn answered(&self) {
        self.gauge.answered(self.poll.clock.now());
    }

    /// Asks about the WABAs of those that signed. `false`: Meta refused, and all are asked about again.
    async fn hear_wabas(
        &self,
        partner: &PartnerId,
        signed: &[BusinessId],
        due: &[(BusinessId, Waits)],
        heard: &mut Heard,
    ) -> sqlx::Result<bool> {
        if signed.is_empty() {
            return Ok(true);
        }
        let mut tx = self.poll.db.tenant(partner).await?;
        let wabas = businesses::wabas_in(&mut tx, signed).await?;
        drop(tx);
        for some in wabas.chunks(MOST_IDS) {
            match self.caller.waba_eligibilities(some).await {
                Ok(said) => {
                    self.answered();
                    heard.eligibilities.extend(said);
                }
                // One WABA of a single business may be gone: the others are asked about without it.
                Err(error) if due.len() == 1 && some.len() > 1 && is_of_an_id(&error) => {
                    self.gauge.failed(&error, self.poll.clock.now());
                    for waba in some {
                        if let Ok(said) = self.caller.waba_eligibilities(std::slice::from_ref(waba)).await {
                            heard.eligibilities.extend(said);
                        }
                    }
                }
                Err(error) => {
                    self.refused(&error, due, heard);
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Asks what became of each request by its id. A refusal says nothing of it, so nothing follows but that no more are asked about.
    async fn probe(&self, partner: &PartnerId, businesses: &[BusinessId], heard: &mut Heard) -> sqlx::Result<()> {
        let mut tx = self.poll.db.tenant(partner).await?;
        let ids = store::open_meta_ids(&mut tx, businesses).await?;
        drop(tx);
        for id in ids {
            match self.caller.request_status(&id).await {
                Ok(said) => heard.requests.extend(said.map(|said| (id, said))),
                Err(error) => {
                    self.gauge.failed(&error, self.poll.clock.now());
                    tracing::debug!(%partner, request = %id, %error, "the id of a request can't be read");
                    break;
                }
            }
        }
        Ok(())
    }

    /// Meta gave no answer about these: later, with somebody else's token, or with fewer at once.
    fn refused(&self, error: &graph::Error, due: &[(BusinessId, Waits)], heard: &mut Heard) {
        let now = self.poll.clock.now();
        self.gauge.failed(error, now);
        let cause = error.cause();
        tracing::info!(businesses = due.len(), %cause, fbtrace_id = error.fbtrace_id(), %error, "Meta did not tell what it was asked");
        if is_of_an_id(error) {
            let alone = due.len() == 1;
            let due_at = if alone { now + schedule::AFTER_REFUSAL } else { now };
            heard.asked = due
                .iter()
                .map(|(business, _)| Asked { business: business.clone(), due_at, refusal: Some(cause), polled: true })
                .collect();
            heard.ends = alone.then_some(Turn::Refused);
            return;
        }
        heard.ends = Some(match error.advice() {
            Advice::SignInAgain => {
                let problem = error.token_problem().map_or("other", graph::TokenProblem::as_str);
                heard.dead_token = Some((self.whose, problem.to_owned()));
                Turn::More
            }
            Advice::Wait { until } => Turn::Until(until.filter(|until| *until > now).unwrap_or(now + REST.0)),
            Advice::Retry | Advice::FixAccess | Advice::Stop => Turn::Until(now + REST.0),
        });
    }
}

/// Those whose WABAs matter: the terms are signed, or Meta doesn't say.
fn signed_of(statuses: &[(BusinessId, BusinessStatus)], due: &[(BusinessId, Waits)]) -> Vec<BusinessId> {
    let known = |id: &BusinessId| due.iter().any(|(business, waits)| business == id && waits.signed);
    let says = |said: &BusinessStatus| said.status.as_deref().is_none_or(|said| said == "TERM_OF_SERVICE_SIGNED");
    statuses.iter().filter(|(id, said)| known(id) || says(said)).map(|(id, _)| id.clone()).collect()
}

/// Whether it may be one of the ids that Meta won't tell about: then fewer at once can help.
fn is_of_an_id(error: &graph::Error) -> bool {
    matches!(
        error.cause(),
        Cause::NotFoundOrNoAccess | Cause::AccessDenied | Cause::InvalidParameter | Cause::Unrecognised
    )
}

/// What is to be done with those that are due.
#[derive(Debug, Default, PartialEq, Eq)]
struct Chosen {
    /// Nothing of them is waited for any more.
    over: Vec<BusinessId>,
    /// Meta told by another way since they were last asked about.
    told: Vec<Asked>,
    /// To be asked about together.
    ask: Vec<(BusinessId, Waits)>,
}

/// Asks about as many at once as the first one's refusals allow, and with it only about those that were refused as often: one that
/// can't be read must not spoil the answer for others.
fn choose(due: Vec<Due>, now: OffsetDateTime) -> Chosen {
    let mut chosen = Chosen::default();
    let mut refusals = None;
    for Due { business, refusals: so_often, waits } in due {
        let Some(waits) = waits else {
            chosen.over.push(business);
            continue;
        };
        let every = schedule::every(waits.since, now);
        let fresh = waits.told_at.filter(|at| waits.asked_at.is_none_or(|asked| *at > asked) && *at + every > now);
        if let Some(told_at) = fresh.filter(|_| !waits.signed && !waits.wanted) {
            chosen.told.push(Asked { business, due_at: told_at + every, refusal: None, polled: false });
            continue;
        }
        let first = *refusals.get_or_insert(so_often);
        if so_often == first && chosen.ask.len() < schedule::at_once(first) {
            chosen.ask.push((business, waits));
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-24 10:00 UTC);

    fn at(minutes: i64) -> OffsetDateTime {
        NOW + time::Duration::minutes(minutes)
    }

    fn due(id: &str, refusals: i32) -> Due {
        let waits = Waits { signed: false, since: at(-600), told_at: None, asked_at: Some(at(-31)), wanted: false };
        Due { business: id.parse().unwrap(), refusals, waits: Some(waits) }
    }

    fn asked(chosen: &Chosen) -> Vec<&str> {
        chosen.ask.iter().map(|(id, _)| id.as_str()).collect()
    }

    #[test]
    fn what_was_refused_is_asked_about_with_its_like_and_by_halves() {
        let many: Vec<Due> = (10..60).map(|id| due(&id.to_string(), 0)).collect();
        assert_eq!(choose(many.clone(), NOW).ask.len(), 50);
        let refused: Vec<Due> = many.iter().map(|due| Due { refusals: 3, ..due.clone() }).collect();
        assert_eq!(choose(refused, NOW).ask.len(), 6);
        let mixed = vec![due("1", 0), due("2", 5), due("3", 0), due("4", 1)];
        assert_eq!(asked(&choose(mixed, NOW)), ["1", "3"]);
        let alone = vec![due("2", 5), due("5", 5), due("1", 0)];
        assert_eq!(asked(&choose(alone, NOW)), ["2"]);
    }

    #[test]
    fn what_a_sync_told_since_is_not_asked_again() {
        let told = |minutes| {
            let due = due("1", 0);
            let waits = Waits { told_at: Some(at(minutes)), ..due.waits.unwrap() };
            Due { waits: Some(waits), ..due }
        };
        let fresh = choose(vec![told(-10)], NOW);
        assert!(fresh.ask.is_empty());
        assert_eq!((fresh.told[0].due_at, fresh.told[0].polled), (at(20), false));
        // The poll itself told it then, or it's too long ago.
        for minutes in [-31, -40] {
            assert_eq!(asked(&choose(vec![told(minutes)], NOW)), ["1"], "{minutes}");
        }
        let signed = Due { waits: told(-10).waits.map(|waits| Waits { signed: true, ..waits }), ..told(-10) };
        assert_eq!(asked(&choose(vec![signed], NOW)), ["1"], "its WABAs matter, and nobody told of them");
        let wanted = Due { waits: told(-10).waits.map(|waits| Waits { wanted: true, ..waits }), ..told(-10) };
        assert_eq!(asked(&choose(vec![wanted], NOW)), ["1"], "a member asked for it");
    }

    #[test]
    fn what_nothing_is_waited_for_is_forgotten() {
        let over = Due { waits: None, ..due("7", 0) };
        let chosen = choose(vec![over, due("8", 0)], NOW);
        assert_eq!(chosen.over, ["7".parse::<BusinessId>().unwrap()]);
        assert_eq!(asked(&chosen), ["8"]);
    }
}
