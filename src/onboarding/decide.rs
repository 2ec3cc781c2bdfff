//! What becomes of a request: the only place where states change, pure, with the law as a table at the bottom.
//!
//! Dispatch tells what happened ([`Answer`]); [`decide`] says what that makes of the request ([`Verdict`]). Graph's errors come
//! classified (`graph::Cause`, `graph::Advice`); the policy of trying again lives here and nowhere else.
//!
//! ```text
//! Queued -> Sending -> Requested | AlreadyRequested | TakenByAnotherPartner | WaitingToRetry | Failed | Cancelled
//! Queued, WaitingToRetry -> Cancelled          WaitingToRetry -> Sending
//! Requested, AlreadyRequested -> Accepted -> Ready
//! ```

use std::time::Duration;

use time::OffsetDateTime;

use super::{backoff, model::State};
use crate::graph::{Advice, Cause, MetaRequestId};

/// Temporary faults in a row after which a request needs a person.
pub const MOST_FAULTS: u32 = 5;

/// How long to leave Meta alone after a limit when it doesn't say how long itself.
const LIMIT_DELAY: Duration = Duration::from_mins(1);

/// How long a request waits for its member to sign in before it's looked at again; signing in wakes it at once.
const SIGN_IN_DELAY: Duration = Duration::from_hours(1);

/// How long a request waits after trouble of our own: Postgres was away, or its token could not be opened.
const OWN_DELAY: Duration = Duration::from_mins(1);

/// How long to leave Meta alone when it can't be reached: the first wait, doubled by each call in a row that finds nobody up to the
/// last.
const UNREACHED_DELAY: (Duration, Duration) = (Duration::from_secs(2), Duration::from_mins(1));

/// What dispatch knows of a request when an answer comes.
#[derive(Clone, Debug, Default)]
pub struct Attempt {
    /// Temporary faults in a row before this answer.
    pub faults: u32,
    /// An earlier POST of this request left without an answer that could be used, so Meta may hold it already.
    pub doubtful: bool,
    /// Ids Meta gave to earlier requests of this partner for this business.
    pub known_ids: Vec<MetaRequestId>,
    /// Nobody answers at Meta, whatever is asked: it says nothing of this request.
    pub meta_is_away: bool,
    /// Calls of the partner in a row that nobody answered, the last one included.
    pub unanswered: u32,
    /// Why it isn't to be sent any more, though its turn has come.
    pub bar: Option<Bar>,
}

/// What has come to stand in the way since a request was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bar {
    /// The rest of its batch was cancelled.
    Stopped,
    /// The business shares nothing with the partner any more.
    BusinessLeft,
    /// The solution is gone, or can't be used any more.
    SolutionUnusable,
}

impl Bar {
    /// What becomes of a request that Meta doesn't hold.
    const fn end(self) -> (State, Option<Cause>) {
        match self {
            Self::Stopped => (State::Cancelled, None),
            Self::BusinessLeft => (State::Failed, Some(Cause::BusinessLeft)),
            Self::SolutionUnusable => (State::Failed, Some(Cause::SolutionUnusable)),
        }
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Meta took the request, or handed back the pending one.
    Taken(MetaRequestId),
    /// Meta refused, or nobody answered.
    Refused {
        /// Why.
        cause: Cause,
        /// What Graph's error advises.
        advice: Advice,
    },
    /// The business's own status was read, as a doubtful or refused POST asks for ([`Verdict::ReadStatus`]).
    Status(Reading),
    /// The process that was sending ended before it wrote down what came of it.
    Interrupted,
    /// Nothing was sent: what sending takes couldn't be had from our own Postgres or vault.
    OwnTrouble,
}

/// The business's `marketing_messages_onboarding_status`, and why it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The status as Meta spells it; `None`: Meta did not say.
    pub status: Option<String>,
    /// The refusal it's to explain; `None` when it settles a doubt before a POST.
    pub refusal: Option<Cause>,
}

/// What to do with the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It moves to a state that lasts.
    Settle(Settled),
    /// It's tried again at a time.
    Wait(Waiting),
    /// Read the business's status first, then ask again.
    ReadStatus,
    /// Send the POST.
    Post,
}

/// A state that lasts until somebody else moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    pub state: State,
    /// Why; always there for [`State::Failed`].
    pub cause: Option<Cause>,
    /// Meta's id of the request, if it gave one.
    pub meta_request_id: Option<MetaRequestId>,
    /// It ends without our knowing whether Meta holds it: a later request for the business asks for the status first.
    pub doubtful: bool,
}

/// A request that goes on later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub until: OffsetDateTime,
    pub cause: Cause,
    pub faults: u32,
    pub doubtful: bool,
    /// Nothing of this partner is sent before `until`: Meta asked us to wait.
    pub pauses_partner: bool,
}

/// What an answer makes of a request. `chance` is any number: it spreads the retries of requests that failed together.
pub fn decide(attempt: &Attempt, answer: Answer, now: OffsetDateTime, chance: u64) -> Verdict {
    // Only an answer of Meta's to a POST ends a doubt, or a status that explains itself; no fault on the way to one does.
    let later = |until, cause, doubtful| {
        Verdict::Wait(Waiting { until, cause, faults: attempt.faults, doubtful, pauses_partner: false })
    };
    match answer {
        Answer::Taken(id) => {
            let state = if attempt.known_ids.contains(&id) { State::AlreadyRequested } else { State::Requested };
            Verdict::Settle(Settled { state, cause: None, meta_request_id: Some(id), doubtful: false })
        }
        Answer::Interrupted => later(now, Cause::OutcomeUnknown, true),
        Answer::OwnTrouble => later(now + OWN_DELAY, Cause::OwnTrouble, attempt.doubtful),
        Answer::Status(reading) => judge_status(attempt, &reading),
        Answer::Refused { cause, advice } => judge_refusal(attempt, cause, advice, now, chance),
    }
}

fn judge_refusal(attempt: &Attempt, cause: Cause, advice: Advice, now: OffsetDateTime, chance: u64) -> Verdict {
    let doubtful = attempt.doubtful || cause == Cause::OutcomeUnknown;
    let wait =
        |until, faults, pauses_partner| Verdict::Wait(Waiting { until, cause, faults, doubtful, pauses_partner });
    match (cause, advice) {
        (Cause::AlreadyRequested, _) => settle(State::AlreadyRequested, None, attempt),
        // Meta doesn't say whose request stands. It's ours when we hold an id for it, or when a POST of ours may have made it.
        (Cause::TakenByAnotherPartner, _) if doubtful || !attempt.known_ids.is_empty() => {
            settle(State::AlreadyRequested, None, attempt)
        }
        (Cause::TakenByAnotherPartner, _) => settle(State::TakenByAnotherPartner, None, attempt),
        // The terms may have been signed without us: ask before calling it a failure.
        (Cause::InvalidRecipient, _) => Verdict::ReadStatus,
        (_, Advice::Wait { until }) => {
            let told = until.filter(|until| *until > now);
            wait(told.unwrap_or(now + LIMIT_DELAY), attempt.faults, true)
        }
        (_, Advice::SignInAgain) => wait(now + SIGN_IN_DELAY, attempt.faults, false),
        // Nothing left, so it says nothing of the request, however often.
        (Cause::Unreachable, _) => wait(now + unreached_delay(attempt.unanswered), attempt.faults, false),
        (_, Advice::Retry) => {
            let faults = if attempt.meta_is_away { attempt.faults.max(1) } else { attempt.faults + 1 };
            if faults >= MOST_FAULTS {
                settle(State::Failed, Some(cause), attempt)
            } else {
                wait(now + backoff::delay(faults, chance), faults, false)
            }
        }
        (_, Advice::FixAccess | Advice::Stop) => settle(State::Failed, Some(cause), attempt),
    }
}

fn unreached_delay(unanswered: u32) -> Duration {
    let (first, last) = UNREACHED_DELAY;
    first.saturating_mul(1 << unanswered.saturating_sub(1).min(16)).min(last)
}

fn judge_status(attempt: &Attempt, reading: &Reading) -> Verdict {
    let says = |status| reading.status.as_deref() == Some(status);
    match (reading.refusal, attempt.bar) {
        _ if says("TERM_OF_SERVICE_SIGNED") => settle(State::Accepted, None, attempt),
        (Some(cause), _) => settle(State::Failed, Some(cause), attempt),
        // A request stands, and a POST of ours may have made it.
        (None, Some(_)) if says("REQUEST_SENT") => settle(State::AlreadyRequested, None, attempt),
        // Cancelled says that nothing was sent, which Meta must have said.
        (None, Some(Bar::Stopped)) if !says("NOT_STARTED") => {
            settle(State::Failed, Some(Cause::OutcomeUnknown), attempt)
        }
        (None, Some(bar)) => {
            let (state, cause) = bar.end();
            settle(state, cause, attempt)
        }
        // Sent or not, the POST may be repeated now: Meta answers with the pending request's id, or takes it anew.
        (None, None) => Verdict::Post,
    }
}

fn settle(state: State, cause: Option<Cause>, attempt: &Attempt) -> Verdict {
    let known = if state == State::AlreadyRequested { attempt.known_ids.last().cloned() } else { None };
    let doubtful = state == State::Failed && (attempt.doubtful || cause == Some(Cause::OutcomeUnknown));
    Verdict::Settle(Settled { state, cause, meta_request_id: known, doubtful })
}

/// What is first to be done with a request whose turn has come.
pub fn begin(attempt: &Attempt) -> Verdict {
    match attempt.bar {
        _ if attempt.doubtful => Verdict::ReadStatus,
        None => Verdict::Post,
        Some(bar) => {
            let (state, cause) = bar.end();
            settle(state, cause, attempt)
        }
    }
}

/// Whether a person may still stop it: nothing of it has left.
pub fn may_cancel(state: State, doubtful: bool) -> bool {
    matches!(state, State::Queued | State::WaitingToRetry) && !doubtful
}

/// Where a sync's findings move a request: only forward.
pub fn follow(state: State, business: Progress) -> Option<State> {
    match (state, business) {
        (State::Requested | State::AlreadyRequested | State::Accepted, Progress::Ready) => Some(State::Ready),
        (State::Requested | State::AlreadyRequested, Progress::Signed) => Some(State::Accepted),
        _ => None,
    }
}

/// How far a business is, as Meta shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Terms signed.
    Signed,
    /// A WABA is onboarded.
    Ready,
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: OffsetDateTime = time::macros::datetime!(2026-11-22 10:00 UTC);
    const LATER: OffsetDateTime = time::macros::datetime!(2026-11-22 10:19 UTC);

    fn id(text: &str) -> MetaRequestId {
        text.parse().unwrap()
    }

    fn refused(cause: Cause) -> Answer {
        Answer::Refused { cause, advice: cause.advice(None) }
    }

    fn fresh() -> Attempt {
        Attempt::default()
    }

    fn settled(verdict: Verdict) -> Settled {
        match verdict {
            Verdict::Settle(settled) => settled,
            other => panic!("expected it to settle, got {other:?}"),
        }
    }

    fn waiting(verdict: Verdict) -> Waiting {
        match verdict {
            Verdict::Wait(waiting) => waiting,
            other => panic!("expected it to wait, got {other:?}"),
        }
    }

    #[test]
    fn every_cause_has_its_end_on_a_first_attempt() {
        use State::{AlreadyRequested, Failed, TakenByAnotherPartner, WaitingToRetry};
        for cause in Cause::ALL {
            let expected = match cause {
                Cause::AlreadyRequested => AlreadyRequested,
                Cause::TakenByAnotherPartner => TakenByAnotherPartner,
                Cause::Temporary
                | Cause::OutcomeUnknown
                | Cause::Unreachable
                | Cause::Throttled
                | Cause::TokenInvalid => WaitingToRetry,
                Cause::InvalidRecipient => {
                    assert_eq!(decide(&fresh(), refused(cause), NOW, 0), Verdict::ReadStatus);
                    continue;
                }
                Cause::AccessDenied
                | Cause::NotFoundOrNoAccess
                | Cause::InvalidParameter
                | Cause::Blocked
                | Cause::OboConflict
                | Cause::DuplicatePost
                | Cause::Unrecognised => Failed,
                // No answer of Meta's.
                Cause::BusinessLeft | Cause::SolutionUnusable | Cause::OwnTrouble => continue,
            };
            let verdict = decide(&fresh(), refused(cause), NOW, 0);
            let state = match &verdict {
                Verdict::Settle(settled) => settled.state,
                Verdict::Wait(_) => WaitingToRetry,
                other => panic!("{cause}: {other:?}"),
            };
            assert_eq!(state, expected, "{cause}");
            if state == Failed {
                assert_eq!(settled(verdict).cause, Some(cause), "a failure keeps its cause");
            }
        }
    }

    #[test]
    fn an_id_is_requested_and_one_we_knew_is_already_requested() {
        let new = settled(decide(&fresh(), Answer::Taken(id("1")), NOW, 0));
        assert_eq!((new.state, new.meta_request_id), (State::Requested, Some(id("1"))));
        let attempt = Attempt { known_ids: vec![id("1")], ..fresh() };
        assert_eq!(settled(decide(&attempt, Answer::Taken(id("1")), NOW, 0)).state, State::AlreadyRequested);
    }

    #[test]
    fn faults_end_in_failure_after_five_and_waits_grow_until_then() {
        let mut attempt = fresh();
        let mut last = Duration::ZERO;
        for faults in 1..MOST_FAULTS {
            let waiting = waiting(decide(&attempt, refused(Cause::Temporary), NOW, 7));
            let delay = Duration::try_from(waiting.until - NOW).unwrap();
            assert_eq!(waiting.faults, faults);
            assert!(delay > last, "{delay:?} after {last:?}");
            assert!(!waiting.pauses_partner && !waiting.doubtful);
            last = delay;
            attempt.faults = waiting.faults;
        }
        let end = settled(decide(&attempt, refused(Cause::Temporary), NOW, 7));
        assert_eq!((end.state, end.cause), (State::Failed, Some(Cause::Temporary)));
    }

    #[test]
    fn what_never_left_is_no_fault_of_the_request_and_its_waits_grow_to_a_minute() {
        let mut attempt = Attempt { faults: MOST_FAULTS - 1, doubtful: true, ..fresh() };
        let mut waits = Vec::new();
        for unanswered in 1..=200 {
            attempt.unanswered = unanswered;
            let waiting = waiting(decide(&attempt, refused(Cause::Unreachable), NOW, 7));
            assert_eq!((waiting.faults, waiting.doubtful), (MOST_FAULTS - 1, true));
            waits.push((waiting.until - NOW).whole_seconds());
        }
        assert_eq!(waits[..7], [2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(waits[199], 60);
    }

    #[test]
    fn trouble_of_our_own_is_no_fault_of_the_request() {
        for doubtful in [false, true] {
            let attempt = Attempt { faults: MOST_FAULTS - 1, doubtful, ..fresh() };
            let waiting = waiting(decide(&attempt, Answer::OwnTrouble, NOW, 7));
            assert_eq!((waiting.faults, waiting.doubtful, waiting.pauses_partner), (MOST_FAULTS - 1, doubtful, false));
            assert_eq!((waiting.cause, waiting.until), (Cause::OwnTrouble, NOW + OWN_DELAY));
        }
    }

    #[test]
    fn what_may_not_be_sent_any_more_ends_unsent_and_says_why() {
        for (bar, end) in [
            (Bar::Stopped, (State::Cancelled, None)),
            (Bar::BusinessLeft, (State::Failed, Some(Cause::BusinessLeft))),
            (Bar::SolutionUnusable, (State::Failed, Some(Cause::SolutionUnusable))),
        ] {
            let attempt = Attempt { bar: Some(bar), ..fresh() };
            let unsent = settled(begin(&attempt));
            assert_eq!((unsent.state, unsent.cause, unsent.doubtful), (end.0, end.1, false), "{bar:?}");
            // What may have left is looked for first, and isn't sent a second time.
            let attempt = Attempt { doubtful: true, ..attempt };
            assert_eq!(begin(&attempt), Verdict::ReadStatus, "{bar:?}");
            for (status, state) in [
                // Nobody may call that cancelled which Meta may hold.
                (None, State::Failed),
                (Some("NOT_STARTED"), end.0),
                (Some("REQUEST_SENT"), State::AlreadyRequested),
                (Some("TERM_OF_SERVICE_SIGNED"), State::Accepted),
            ] {
                let reading = Reading { status: status.map(str::to_owned), refusal: None };
                let found = settled(decide(&attempt, Answer::Status(reading), NOW, 0));
                assert_eq!(found.state, state, "{bar:?}, {status:?}");
            }
        }
    }

    #[test]
    fn a_failure_keeps_the_doubt_for_the_next_request_and_nothing_else_does() {
        let doubtful = Attempt { doubtful: true, faults: MOST_FAULTS - 1, ..fresh() };
        for cause in [Cause::Temporary, Cause::OutcomeUnknown, Cause::AccessDenied, Cause::Blocked] {
            assert!(settled(decide(&doubtful, refused(cause), NOW, 0)).doubtful, "{cause}");
        }
        let clear = Attempt { doubtful: false, ..doubtful.clone() };
        for (cause, kept) in [(Cause::OutcomeUnknown, true), (Cause::Temporary, false), (Cause::AccessDenied, false)] {
            assert_eq!(settled(decide(&clear, refused(cause), NOW, 0)).doubtful, kept, "{cause}");
        }
        assert!(!settled(decide(&doubtful, Answer::Taken(id("1")), NOW, 0)).doubtful);
        assert!(!settled(decide(&doubtful, refused(Cause::AlreadyRequested), NOW, 0)).doubtful);
    }

    #[test]
    fn while_meta_is_away_no_request_pays_for_it() {
        let mut attempt = Attempt { meta_is_away: true, ..fresh() };
        for cause in [Cause::Temporary, Cause::OutcomeUnknown, Cause::Unreachable] {
            for _ in 0..3 * MOST_FAULTS {
                let waiting = waiting(decide(&attempt, refused(cause), NOW, 7));
                assert_eq!(waiting.faults, attempt.faults.max(1));
                attempt.faults = waiting.faults;
            }
        }
        attempt.meta_is_away = false;
        assert_eq!(waiting(decide(&attempt, refused(Cause::Temporary), NOW, 7)).faults, 2);
    }

    #[test]
    fn a_limit_is_waited_out_to_the_time_meta_gave_and_is_no_fault() {
        let answer = Answer::Refused { cause: Cause::Throttled, advice: Advice::Wait { until: Some(LATER) } };
        let attempt = Attempt { faults: MOST_FAULTS - 1, ..fresh() };
        let told = waiting(decide(&attempt, answer, NOW, 0));
        assert_eq!((told.until, told.faults, told.pauses_partner), (LATER, MOST_FAULTS - 1, true));
        let untold = waiting(decide(&attempt, refused(Cause::Throttled), NOW, 0));
        assert_eq!(untold.until, NOW + LIMIT_DELAY);
        let past = Answer::Refused { cause: Cause::Throttled, advice: Advice::Wait { until: Some(NOW) } };
        assert_eq!(waiting(decide(&attempt, past, NOW, 0)).until, NOW + LIMIT_DELAY);
    }

    #[test]
    fn an_unknown_outcome_is_doubtful_until_the_status_was_read() {
        let lost = waiting(decide(&fresh(), refused(Cause::OutcomeUnknown), NOW, 0));
        assert!(lost.doubtful);
        let interrupted = waiting(decide(&fresh(), Answer::Interrupted, NOW, 0));
        assert_eq!((interrupted.doubtful, interrupted.until), (true, NOW));
        assert_eq!(begin(&Attempt { doubtful: true, ..fresh() }), Verdict::ReadStatus);
        assert_eq!(begin(&fresh()), Verdict::Post);
        for status in [None, Some("NOT_STARTED".to_owned()), Some("REQUEST_SENT".to_owned())] {
            assert_eq!(decide(&fresh(), Answer::Status(Reading { status, refusal: None }), NOW, 0), Verdict::Post);
        }
    }

    #[test]
    fn doubt_survives_a_fault_while_it_is_being_settled() {
        let attempt = Attempt { doubtful: true, ..fresh() };
        for cause in [Cause::Temporary, Cause::Throttled, Cause::TokenInvalid, Cause::Unreachable] {
            assert!(waiting(decide(&attempt, refused(cause), NOW, 0)).doubtful, "{cause}");
        }
    }

    #[test]
    fn a_duplicate_is_ours_when_a_post_of_ours_may_have_made_it() {
        let doubtful = Attempt { doubtful: true, ..fresh() };
        let known = Attempt { known_ids: vec![id("5")], ..fresh() };
        let taken = || refused(Cause::TakenByAnotherPartner);
        assert_eq!(settled(decide(&doubtful, taken(), NOW, 0)).state, State::AlreadyRequested);
        let ours = settled(decide(&known, taken(), NOW, 0));
        assert_eq!((ours.state, ours.meta_request_id), (State::AlreadyRequested, Some(id("5"))));
        assert_eq!(settled(decide(&fresh(), taken(), NOW, 0)).state, State::TakenByAnotherPartner);
    }

    #[test]
    fn signed_terms_are_accepted_whoever_asked() {
        for refusal in [None, Some(Cause::InvalidRecipient)] {
            let reading = Reading { status: Some("TERM_OF_SERVICE_SIGNED".into()), refusal };
            assert_eq!(settled(decide(&fresh(), Answer::Status(reading), NOW, 0)).state, State::Accepted);
        }
        let reading = Reading { status: None, refusal: Some(Cause::InvalidRecipient) };
        assert_eq!(settled(decide(&fresh(), Answer::Status(reading), NOW, 0)).state, State::Failed);
    }

    #[test]
    fn only_what_has_not_left_may_be_cancelled() {
        for state in State::ALL {
            assert_eq!(may_cancel(state, false), matches!(state, State::Queued | State::WaitingToRetry), "{state}");
            assert!(!may_cancel(state, true));
        }
    }

    #[test]
    fn a_sync_moves_requests_forward_and_never_back() {
        for state in State::ALL {
            for progress in [Progress::Signed, Progress::Ready] {
                if let Some(next) = follow(state, progress) {
                    assert!(next.rank() > state.rank(), "{state} to {next}");
                }
            }
        }
        assert_eq!(follow(State::Requested, Progress::Signed), Some(State::Accepted));
        assert_eq!(follow(State::Accepted, Progress::Ready), Some(State::Ready));
        assert_eq!(follow(State::Failed, Progress::Ready), None);
    }
}
