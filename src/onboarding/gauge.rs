//! Reads every answer's usage headers while dispatch sends, so that the pace is right for the very next request.

use std::{
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
};

use time::OffsetDateTime;

use super::{
    pace::{Lesson, Pace, Wait},
    store::AppLimit,
};
use crate::graph::{Advice, Call, Cause, Error as GraphError, Observer};

/// Codes by which Meta speaks of the app's own limit, which all its partners share (7.1).
const OF_THE_APP: [i64; 1] = [4];

/// The pace of one partner while it's being sent for.
#[derive(Debug)]
pub struct Gauge(Mutex<Dial>);

#[derive(Debug)]
struct Dial {
    pace: Pace,
    app: AppLimit,
    /// Something changed since it was last kept.
    moved: bool,
}

impl Gauge {
    pub fn new(pace: Pace) -> Self {
        Self(Mutex::new(Dial { pace, app: AppLimit::default(), moved: false }))
    }

    /// How many calls may be under way at once now.
    pub fn width(&self, now: OffsetDateTime) -> usize {
        let dial = self.lock();
        if dial.app.wait.is_some_and(|(until, _)| until > now) {
            return 0;
        }
        usize::try_from(dial.pace.width(now)).unwrap_or(usize::MAX)
    }

    /// The wait that is on, the app's or the partner's.
    pub fn waits_until(&self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        let dial = self.lock();
        let app = dial.app.wait.map(|(until, _)| until).filter(|until| *until > now);
        app.max(dial.pace.holds(now).map(|Wait { until, .. }| until))
    }

    /// Meta is away: a call that finds nobody says nothing of its request.
    pub fn meta_is_away(&self) -> bool {
        self.lock().pace.is_away()
    }

    /// Another holder was told to wait for the app.
    pub fn app_waits(&self, until: OffsetDateTime, now: OffsetDateTime) {
        let mut dial = self.lock();
        if dial.app.wait.is_none_or(|(known, _)| known < until) {
            dial.app.wait = Some((until, now));
        }
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
        if let (Lesson::Throttled(until), Some(code)) = (lesson, error.code())
            && OF_THE_APP.contains(&code)
        {
            let until = until.filter(|until| *until > now).unwrap_or(now + time::Duration::MINUTE);
            dial.app.wait = Some((dial.app.wait.map_or(until, |(known, _)| known.max(until)), now));
        }
        dial.pace.learn(lesson, now);
    }

    /// What is to be kept, if anything changed since it was last asked.
    pub fn take_changes(&self) -> Option<(Pace, AppLimit)> {
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
    fn a_wait_of_the_app_holds_every_partner() {
        let now = time::macros::datetime!(2026-11-24 10:00 UTC);
        let gauge = Gauge::new(Pace::new(8));
        assert_eq!(gauge.width(now), 8);
        gauge.app_waits(now + time::Duration::MINUTE, now);
        assert_eq!(gauge.width(now), 0);
        assert_eq!(gauge.waits_until(now), Some(now + time::Duration::MINUTE));
        assert_eq!(gauge.width(now + time::Duration::MINUTE), 8);
    }
}
