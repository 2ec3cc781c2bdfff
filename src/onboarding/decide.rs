//! What becomes of a request: the only place where states change, pure, with the law as a table at the bottom.
//!
//! Dispatch tells what happened ([`Answer`]); [`decide`] says what that makes of the request ([`Verdict`]). Graph's errors come
//! classified (`graph::Cause`, `graph::Advice`); the policy of trying again lives here and nowhere else.
//!
//! ```text
//! Queued -> Sending -> Requested | AlreadyRequested | TakenByAnotherPartner | WaitingToRetry | Failed
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
    match answer {
        Answer::Taken(id) => {
            let state = if attempt.known_ids.contains(&id) { State::AlreadyRequested } else { State::Requested };
            Verdict::Settle(Settled { state, cause: None, meta_request_id: Some(id) })
        }
        Answer::Interrupted => Verdict::Wait(Waiting {
            until: now,
            cause: Cause::OutcomeUnknown,
            faults: attempt.faults,
            doubtful: true,
            pauses_partner: false,
        }),
        Answer::Status(reading) => judge_status(&reading),
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

fn judge_status(reading: &Reading) -> Verdict {
    let signed = reading.status.as_deref() == Some("TERM_OF_SERVICE_SIGNED");
    match reading.refusal {
        _ if signed => Verdict::Settle(Settled { state: State::Accepted, cause: None, meta_request_id: None }),
        Some(cause) => Verdict::Settle(Settled { state: State::Failed, cause: Some(cause), meta_request_id: None }),
        // Sent or not, the POST may be repeated now: Meta answers with the pending request's id, or takes it anew.
        None => Verdict::Post,
    }
}

fn settle(state: State, cause: Option<Cause>, attempt: &Attempt) -> Verdict {
    let known = if state == State::AlreadyRequested { attempt.known_ids.last().cloned() } else { None };
    Verdict::Settle(Settled { state, cause, meta_request_id: known })
}

/// What is first to be done with a request whose turn has come.
pub fn begin(attempt: &Attempt) -> Verdict {
    if attempt.doubtful { Verdict::ReadStatus } else { Verdict::Post }
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
