//! Reads every answer's usage headers while dispatch sends, so that the pace is right for the very next request.

use std::{
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
};

use time::OffsetDateTime;

use super::pace::{Lesson, Pace, Wait};
use crate::{
    graph::{Advice, Call, Cause, Error as GraphError, Observer},
    pauses::{self, Said},
};

/// How long nothing is taken up after trouble of our own. Short: it may be one member's token alone.
const AFTER_OWN_TROUBLE: time::Duration = time::Duration::seconds(2);

/// The pace of one partner while it's being sent for.
#[derive(Debug)]
pub struct Gauge(Mutex<Dial>);

#[derive(Debug)]
struct Dial {
    pace: Pace,
    app: Said,
    /// Until when nothing is taken up, for trouble of our own. No other process has to know.
    recovers_at: Option<OffsetDateTime>,
    /// Something changed since it was last kept.
    moved: bool,
}

impl Gauge {
    pub fn new(pace: Pace) -> Self {
        Self(Mutex::new(Dial { pace, app: Said::default(), recovers_at: None, moved: false }))
    }

    /// How many calls may be under way at once now.
    pub fn width(&self, now: OffsetDateTime) -> usize {
        let dial = self.lock();
        if dial.recovers_at.is_some_and(|at| at > now) {
            return 0;
        }
        usize::try_from(dial.pace.width(now)).unwrap_or(usize::MAX)
    }

    /// The wait that is on, whoever asks for it.
    pub fn waits_until(&self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        let dial = self.lock();
        let own = dial.recovers_at.filter(|at| *at > now);
        own.max(dial.pace.holds(now).map(|Wait { until, .. }| until))
    }

    /// Meta is away: a call that finds nobody says nothing of its request.
    pub fn meta_is_away(&self) -> bool {
        self.lock().pace.is_away()
    }

    /// Calls of the partner in a row that nobody answered.
    pub fn unanswered(&self) -> u32 {
        self.lock().pace.unanswered()
    }

    /// Others were told to wait: whoever calls for the same partner, or for another of the app's.
    pub fn told(&self, until: OffsetDateTime, now: OffsetDateTime) {
        self.lock().pace.told(until, now);
    }

    /// Postgres or the vault failed us before anything was sent.
    pub fn own_trouble(&self, now: OffsetDateTime) {
        self.lock().recovers_at = Some(now + AFTER_OWN_TROUBLE);
    }

    /// A call brought what was asked for.
    pub fn answered(&self, now: OffsetDateTime) {
        let mut dial = self.lock();
        dial.pace.learn(Lesson::Answered, now);
        dial.moved = true;
    }

    /// A call failed.
    pub fn failed(&self, error: &GraphError, now: OffsetDateTime) {
        let mut dial = self.lock();
        dial.moved = true;
        let lesson = lesson_of(error.cause(), error.advice());
        if let Lesson::Throttled(until) = lesson
            && pauses::is_of_the_app(error.code())
        {
            dial.app.wait(until.filter(|until| *until > now).unwrap_or(now + time::Duration::MINUTE), now);
        }
        dial.pace.learn(lesson, now);
    }

    /// What is to be kept, if anything changed since it was last asked.
    pub fn take_changes(&self) -> Option<(Pace, Said)> {
        let mut dial = self.lock();
        std::mem::take(&mut dial.moved).then(|| (dial.pace.clone(), dial.app))
    }

    fn lock(&self) -> MutexGuard<'_, Dial> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Gauge {
    fn observe<'a>(&'a self, call: &'a Call) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        let now = call.started_at + call.duration;
        let mut dial = self.lock();
        dial.pace.heard(call.usage.highest_percent(), call.usage.regain_at, now);
        if let Some(percent) = call.usage.app_percent() {
            dial.app.used = Some((percent, now));
        }
        dial.moved = true;
        Box::pin(std::future::ready(()))
    }
}

fn lesson_of(cause: Cause, advice: Advice) -> Lesson {
    match (cause, advice) {
        (_, Advice::Wait { until }) => Lesson::Throttled(until),
        (Cause::Temporary | Cause::OutcomeUnknown | Cause::Unreachable, _) => Lesson::Trouble,
        _ => Lesson::Answered,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_of_the_request_s_own_is_an_answer_and_trouble_is_none() {
        for cause in Cause::ALL {
            let expected = match cause {
                Cause::Throttled => Lesson::Throttled(None),
                Cause::Temporary | Cause::OutcomeUnknown | Cause::Unreachable => Lesson::Trouble,
                _ => Lesson::Answered,
            };
            assert_eq!(lesson_of(cause, cause.advice(None)), expected, "{cause}");
        }
    }

    #[test]
    fn what_others_were_told_holds_this_partner_and_then_one_goes_ahead() {
        let now = time::macros::datetime!(2026-11-24 10:00 UTC);
        let gauge = Gauge::new(Pace::new(8));
        assert_eq!(gauge.width(now), 8);
        gauge.told(now + time::Duration::MINUTE, now);
        assert_eq!(gauge.width(now), 0);
        assert_eq!(gauge.waits_until(now), Some(now + time::Duration::MINUTE));
        assert_eq!(gauge.width(now + time::Duration::MINUTE), 1);
    }

    #[test]
    fn after_trouble_of_our_own_nothing_is_taken_up_for_a_moment_and_no_pace_is_lost() {
        let now = time::macros::datetime!(2026-11-24 10:00 UTC);
        let gauge = Gauge::new(Pace::new(8));
        gauge.own_trouble(now);
        assert_eq!((gauge.width(now), gauge.waits_until(now)), (0, Some(now + AFTER_OWN_TROUBLE)));
        assert_eq!((gauge.width(now + AFTER_OWN_TROUBLE), gauge.waits_until(now + AFTER_OWN_TROUBLE)), (8, None));
        assert!(gauge.take_changes().is_none(), "Meta said nothing");
    }
}
