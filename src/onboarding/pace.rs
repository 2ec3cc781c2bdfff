//! How fast a partner's requests may go: pure, told what Meta answered and what time it is.
//!
//! - Each success lets a little more go at once, trouble halves it (additive increase, multiplicative decrease). Until the first
//!   trouble, or word of a limit that comes near, each success lets one more go, so that a large batch is soon at full pace.
//! - From 75 % of any limit on, fewer and fewer go at once, down to one just before the wall; at the wall nothing goes until one
//!   call at a time has shown that the limit has moved. So the wall is met by one call, not by all that are under way.
//! - Told to wait, nothing goes before the time Meta named; then one call goes ahead of the others.
//! - A percentage that is old slows nothing down any more: it was of a time that has gone by.
//! - When call after call finds nobody at home, Meta is away: one call now and then asks whether it's back, and no request is
//!   made to pay for it.

use std::time::Duration;

use time::OffsetDateTime;

/// From this percentage of a limit on, fewer calls go at once.
const SLOWER_FROM: f64 = 75.0;

/// At this percentage nothing goes. Meta tells whole percents: at 100 the next call is refused already.
const WALL: f64 = 99.0;

/// The first wait at the wall where Meta names no time, doubled up to the last: a limit may be of an hour or of seconds.
const AT_THE_WALL: (Duration, Duration) = (Duration::from_secs(2), Duration::from_mins(1));

/// Calls in a row without an answer of Graph's after which Meta is away rather than one request unlucky.
const AWAY_AFTER: u32 = 10;

/// The first wait while Meta is away, doubled up to the last.
const WHILE_AWAY: (Duration, Duration) = (Duration::from_secs(2), Duration::from_mins(1));

/// For how long a percentage is believed: it's of a window that goes by, and answers without a header would let it stand for ever.
pub const BELIEVED_FOR: Duration = Duration::from_mins(10);

/// Trouble within this time of a halving belongs to the same trouble.
const SAME_TROUBLE: Duration = Duration::from_secs(1);

/// Calls that go at once before anything is known.
pub const FIRST_CONCURRENCY: u32 = 8;

/// Why nothing goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Meta said to wait.
    Told,
    /// The limit is all but used up.
    NearLimit,
    /// Nobody answers at Meta.
    Away,
}

impl Hold {
    /// As `paces.cause` has it; [`Hold::Told`] is Meta's own word for it, `throttled`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Told => "throttled",
            Self::NearLimit => "near_limit",
            Self::Away => "meta_away",
        }
    }

    /// Reads [`Hold::as_str`]; another word is one of Meta's refusals.
    pub fn from_stored(text: &str) -> Self {
        match text {
            "near_limit" => Self::NearLimit,
            "meta_away" => Self::Away,
            _ => Self::Told,
        }
    }
}

/// A time before which nothing goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    pub until: OffsetDateTime,
    /// When it began.
    pub since: OffsetDateTime,
    pub hold: Hold,
}

/// What outlives a process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Past {
    pub concurrency: u32,
    pub used: Option<(f64, OffsetDateTime)>,
    pub wait: Option<Wait>,
    pub waits: u32,
    pub troubles: u32,
}

/// What one call taught.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lesson {
    /// Graph answered, with what was asked for or with a refusal that is the request's own.
    Answered,
    /// Graph refused for a limit; with the time it named, if it did.
    Throttled(Option<OffsetDateTime>),
    /// Nobody answered, or nobody who could.
    Trouble,
}

/// How a partner's requests go.
#[derive(Clone, Debug, PartialEq)]
pub struct Pace {
    ceiling: u32,
    concurrency: u32,
    /// Since concurrency last rose.
    successes: u32,
    /// Nothing yet says that there is a limit near: each success lets one more go.
    eager: bool,
    halved_at: Option<OffsetDateTime>,
    /// The highest percentage in the last answer that named one, and when it came.
    used: Option<(f64, OffsetDateTime)>,
    wait: Option<Wait>,
    /// One call goes ahead of the others until it has been answered.
    alone: bool,
    /// Waits at the wall, or while Meta is away, without anything better between.
    waits: u32,
    /// Calls in a row that found nobody.
    troubles: u32,
}

impl Pace {
    /// Nothing is known. `ceiling`: calls that may ever be under way at once.
    pub fn new(ceiling: u32) -> Self {
        let ceiling = ceiling.max(1);
        Self {
            ceiling,
            concurrency: FIRST_CONCURRENCY.min(ceiling),
            successes: 0,
            eager: true,
            halved_at: None,
            used: None,
            wait: None,
            alone: false,
            waits: 0,
            troubles: 0,
        }
    }

    /// Goes on where another holder, or this one before it ended, left off.
    #[must_use]
    pub fn remembered(self, past: Past) -> Self {
        Self {
            concurrency: past.concurrency.clamp(1, self.ceiling),
            used: past.used,
            wait: past.wait,
            eager: past.wait.is_none() && past.troubles == 0,
            alone: past.wait.is_some(),
            waits: past.waits,
            troubles: past.troubles,
            ..self
        }
    }

    /// What is to be kept for whoever goes on.
    pub fn past(&self, now: OffsetDateTime) -> Past {
        Past {
            concurrency: self.concurrency,
            used: self.used,
            wait: self.holds(now),
            waits: self.waits,
            troubles: self.troubles,
        }
    }

    /// Reads the usage headers of an answer: the highest percentage, and when Meta lets calls through again if it's closed.
    pub fn heard(&mut self, percent: Option<f64>, regain_at: Option<OffsetDateTime>, now: OffsetDateTime) {
        if let Some(percent) = percent {
            self.used = Some((percent, now));
            self.eager &= percent < SLOWER_FROM;
        }
        let is_at_the_wall = percent.is_some_and(|percent| percent >= WALL);
        if let Some(until) = regain_at {
            self.hold(Hold::Told, until, now);
        } else if is_at_the_wall {
            self.hold(Hold::NearLimit, now + doubled(AT_THE_WALL, self.waits), now);
        } else if percent.is_some() && !self.is_away() {
            self.waits = 0;
        }
    }

    /// Draws the lesson of a call that is over; its headers are heard before.
    pub fn learn(&mut self, lesson: Lesson, now: OffsetDateTime) {
        match lesson {
            Lesson::Answered => {
                if self.is_away() {
                    self.waits = 0;
                }
                self.troubles = 0;
                // One that left before the wait says nothing of what comes after it.
                self.alone &= self.holds(now).is_some();
                self.successes += 1;
                if self.eager || self.successes >= self.concurrency {
                    self.successes = 0;
                    self.concurrency = (self.concurrency + 1).min(self.ceiling);
                }
            }
            Lesson::Throttled(until) => {
                self.troubles = 0;
                self.halve(now);
                let until = until.filter(|until| *until > now).unwrap_or(now + Duration::from_mins(1));
                self.hold(Hold::Told, until, now);
            }
            Lesson::Trouble => {
                self.troubles = self.troubles.saturating_add(1);
                self.halve(now);
                if self.is_away() {
                    self.hold(Hold::Away, now + doubled(WHILE_AWAY, self.waits), now);
                }
            }
        }
    }

    /// Meta is away: a call that finds nobody says nothing of its request.
    pub const fn is_away(&self) -> bool {
        self.troubles >= AWAY_AFTER
    }

    /// Calls in a row that nobody answered.
    pub const fn unanswered(&self) -> u32 {
        self.troubles
    }

    /// Others were told to wait, whose limit is this one's, too.
    pub fn told(&mut self, until: OffsetDateTime, now: OffsetDateTime) {
        if until > now {
            self.hold(Hold::Told, until, now);
        }
    }

    /// How many calls may be under way at once now; 0 while nothing goes.
    pub fn width(&self, now: OffsetDateTime) -> u32 {
        if self.holds(now).is_some() {
            return 0;
        }
        let percent = self.used.filter(|(_, at)| now - *at < BELIEVED_FOR).map_or(0.0, |(percent, _)| percent);
        if self.alone || self.is_away() || percent >= WALL {
            return 1;
        }
        if percent <= SLOWER_FROM {
            return self.concurrency;
        }
        let share = (WALL - percent) / (WALL - SLOWER_FROM);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a small whole number, between 0 and it"
        )]
        let narrowed = (f64::from(self.concurrency) * share) as u32;
        narrowed.clamp(1, self.concurrency)
    }

    /// The wait that is on, if one is.
    pub fn holds(&self, now: OffsetDateTime) -> Option<Wait> {
        self.wait.filter(|wait| wait.until > now)
    }

    /// Calls that may be under way at once when nothing stands in the way.
    #[cfg(test)]
    pub const fn concurrency(&self) -> u32 {
        self.concurrency
    }

    fn halve(&mut self, now: OffsetDateTime) {
        if self.halved_at.is_none_or(|at| now - at > SAME_TROUBLE) {
            self.concurrency = (self.concurrency / 2).max(1);
            self.halved_at = Some(now);
        }
        self.successes = 0;
        self.eager = false;
    }

    /// A wait is never made shorter, and answers to calls that left before it don't lengthen the next one.
    fn hold(&mut self, hold: Hold, until: OffsetDateTime, now: OffsetDateTime) {
        self.alone = true;
        match self.holds(now) {
            None => {
                self.wait = Some(Wait { until, since: now, hold });
                self.waits = self.waits.saturating_add(1);
            }
            Some(wait) if until > wait.until && hold == Hold::Told => {
                self.wait = Some(Wait { until, since: wait.since, hold });
            }
            Some(_) => {}
        }
    }
}

/// The `nth` of the waits that begin with the first and double up to the last.
fn doubled((first, last): (Duration, Duration), nth: u32) -> Duration {
    first.saturating_mul(1 << nth.min(16)).min(last)
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-24 10:00 UTC);

    fn at(seconds: i64) -> OffsetDateTime {
        NOW + time::Duration::seconds(seconds)
    }

    fn grown(to: u32) -> Pace {
        Pace::new(to).remembered(Past { concurrency: to, used: None, wait: None, waits: 0, troubles: 0 })
    }

    #[test]
    fn before_any_trouble_each_success_widens_it_by_one() {
        let mut pace = Pace::new(10);
        for expected in [9, 10, 10] {
            pace.learn(Lesson::Answered, NOW);
            assert_eq!(pace.width(NOW), expected);
        }
    }

    #[test]
    fn a_limit_that_comes_near_ends_the_haste() {
        let mut pace = Pace::new(64);
        pace.heard(Some(75.0), None, NOW);
        pace.learn(Lesson::Answered, NOW);
        assert_eq!(pace.width(NOW), FIRST_CONCURRENCY);
    }

    #[test]
    fn after_trouble_successes_widen_it_by_one_a_round_up_to_the_ceiling() {
        let mut pace = Pace::new(10);
        pace.learn(Lesson::Trouble, NOW);
        assert_eq!(pace.width(NOW), 4);
        for expected in [5, 6, 7, 8, 9, 10, 10] {
            for _ in 0..pace.concurrency() {
                pace.learn(Lesson::Answered, NOW);
            }
            assert_eq!(pace.width(NOW), expected);
        }
    }

    #[test]
    fn trouble_halves_it_once_for_all_that_were_under_way() {
        let mut pace = grown(64);
        for _ in 0..5 {
            pace.learn(Lesson::Trouble, NOW);
        }
        assert_eq!(pace.width(NOW), 32);
        pace.learn(Lesson::Trouble, at(2));
        assert_eq!(pace.width(at(2)), 16);
    }

    #[test]
    fn the_nearer_the_wall_the_fewer_go_and_at_it_none() {
        for (percent, width) in
            [(0.0, 64), (74.0, 64), (75.0, 64), (81.0, 48), (87.0, 32), (98.0, 2), (99.0, 0), (100.0, 0), (140.0, 0)]
        {
            let mut pace = grown(64);
            pace.heard(Some(percent), None, NOW);
            assert_eq!(pace.width(NOW), width, "{percent}");
        }
    }

    #[test]
    fn at_the_wall_one_call_at_a_time_finds_out_whether_it_moved() {
        let mut pace = grown(64);
        for (moment, wait) in [(0, 2), (2, 4), (6, 8), (14, 16), (30, 32), (62, 60), (122, 60)] {
            pace.heard(Some(99.0), None, at(moment));
            pace.learn(Lesson::Answered, at(moment));
            assert_eq!(pace.holds(at(moment)).map(|wait| wait.until), Some(at(moment + wait)), "at {moment}");
            assert_eq!(pace.width(at(moment + wait)), 1);
        }
        pace.heard(Some(40.0), None, at(200));
        pace.learn(Lesson::Answered, at(200));
        assert_eq!(pace.width(at(200)), 64);
        pace.heard(Some(99.0), None, at(201));
        assert_eq!(pace.holds(at(201)).map(|wait| wait.until), Some(at(203)), "the next wall is a new one");
    }

    #[test]
    fn a_time_that_meta_names_is_kept_and_then_one_goes_ahead() {
        let mut pace = grown(64);
        pace.learn(Lesson::Throttled(Some(at(19 * 60))), NOW);
        assert_eq!((pace.width(at(19 * 60 - 1)), pace.width(at(19 * 60))), (0, 1));
        // Those that were under way come back later; one of them names a shorter time.
        pace.learn(Lesson::Throttled(Some(at(60))), at(1));
        pace.learn(Lesson::Answered, at(1));
        assert_eq!(pace.holds(at(2)).map(|wait| (wait.until, wait.hold)), Some((at(19 * 60), Hold::Told)));
        pace.learn(Lesson::Answered, at(19 * 60));
        assert_eq!(pace.width(at(19 * 60)), 32);
    }

    #[test]
    fn what_left_before_a_wait_opens_nothing_after_it() {
        let mut pace = grown(64);
        pace.learn(Lesson::Throttled(Some(at(60))), NOW);
        pace.learn(Lesson::Answered, at(1));
        assert_eq!(pace.width(at(60)), 1, "one goes ahead");
        pace.learn(Lesson::Answered, at(60));
        assert_eq!(pace.width(at(60)), 32);
    }

    #[test]
    fn what_others_were_told_holds_this_one_and_then_one_goes_ahead() {
        let mut pace = grown(64);
        pace.told(NOW, NOW);
        assert_eq!(pace.width(NOW), 64, "that wait is over");
        pace.told(at(60), NOW);
        pace.told(at(30), at(1));
        assert_eq!((pace.width(at(59)), pace.width(at(60))), (0, 1));
        assert_eq!(pace.holds(at(1)).map(|wait| (wait.until, wait.hold)), Some((at(60), Hold::Told)));
        pace.learn(Lesson::Answered, at(60));
        assert_eq!(pace.width(at(60)), 64);
    }

    #[test]
    fn an_old_percentage_slows_nothing_down() {
        for percent in [87.0, 99.0, 140.0] {
            let mut pace = grown(64);
            pace.heard(Some(percent), None, NOW);
            assert!(pace.width(at(599)) < 64, "{percent}");
            // Answers that name no percentage leave it as it is, and as old.
            pace.learn(Lesson::Answered, at(599));
            assert_eq!(pace.width(at(600)), 64, "{percent}");
            let again = Pace::new(64).remembered(pace.past(at(600)));
            assert_eq!(again.width(at(600)), 64, "{percent}: by whoever goes on as well");
        }
    }

    #[test]
    fn a_limit_without_a_time_is_a_minute() {
        for untold in [None, Some(NOW), Some(at(-5))] {
            let mut pace = grown(8);
            pace.learn(Lesson::Throttled(untold), NOW);
            assert_eq!(pace.holds(NOW).map(|wait| wait.until), Some(at(60)));
        }
    }

    #[test]
    fn when_nobody_answers_meta_is_away_until_somebody_does() {
        let mut pace = grown(64);
        for _ in 0..9 {
            pace.learn(Lesson::Trouble, NOW);
        }
        assert!(!pace.is_away());
        let mut moment = NOW;
        let mut waits = Vec::new();
        for _ in 0..7 {
            pace.learn(Lesson::Trouble, moment);
            assert!(pace.is_away());
            let wait = pace.holds(moment).unwrap();
            waits.push((wait.until - moment).whole_seconds());
            moment = wait.until;
            assert_eq!(pace.width(moment), 1);
        }
        assert_eq!(waits, [2, 4, 8, 16, 32, 60, 60]);
        pace.learn(Lesson::Answered, moment);
        assert!(!pace.is_away());
        assert!(pace.width(moment) >= 1);
    }

    #[test]
    fn what_is_remembered_goes_on() {
        let mut pace = grown(64);
        for _ in 0..12 {
            pace.learn(Lesson::Trouble, NOW);
        }
        pace.heard(Some(80.0), None, NOW);
        let again = Pace::new(64).remembered(pace.past(NOW));
        assert!(again.is_away());
        assert_eq!((again.width(NOW), again.past(NOW)), (0, pace.past(NOW)));
        let narrower = Pace::new(4).remembered(pace.past(NOW));
        assert_eq!(narrower.concurrency(), 4);
    }

    /// Meta as its documents describe it: so many calls in any `window` seconds, percents that are whole, refusals that name
    /// minutes. Calls take 150 ms. Gives back (answered, refused) after `seconds`.
    fn against_a_limit(limit: usize, window: i64, seconds: i64) -> (usize, usize) {
        const STEP: i64 = 10;
        let millis = |at: i64| NOW + time::Duration::milliseconds(at);
        let mut pace = Pace::new(64);
        let mut counted: VecDeque<i64> = VecDeque::new();
        // When each call under way comes back, with what it says.
        let mut under_way: VecDeque<(i64, f64, Option<i64>)> = VecDeque::new();
        let (mut answered, mut refused) = (0, 0);
        for now in (0..seconds * 1_000).step_by(STEP.try_into().unwrap()) {
            while under_way.front().is_some_and(|(back, ..)| *back <= now) {
                let (_, percent, regain) = under_way.pop_front().unwrap();
                let until = regain.map(|minutes| millis(now + minutes * 60_000));
                pace.heard(Some(percent), until, millis(now));
                if regain.is_some() {
                    refused += 1;
                    pace.learn(Lesson::Throttled(until), millis(now));
                } else {
                    answered += 1;
                    pace.learn(Lesson::Answered, millis(now));
                }
            }
            while under_way.len() < usize::try_from(pace.width(millis(now))).unwrap() {
                while counted.front().is_some_and(|at| *at <= now - window * 1_000) {
                    counted.pop_front();
                }
                counted.push_back(now);
                let over = counted.len() > limit;
                #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
                let percent = ((counted.len() as f64) * 100.0 / limit as f64).floor().min(100.0);
                let regain = over.then(|| ((counted[0] + window * 1_000 - now) / 60_000) + 1);
                under_way.push_back((now + 150, percent, regain));
            }
        }
        (answered, refused)
    }

    #[test]
    fn a_limit_is_used_up_without_running_into_it() {
        for (limit, window) in [(1_000, 3_600), (5_000, 3_600), (20_000, 3_600), (2_000, 60)] {
            let (answered, refused) = against_a_limit(limit, window, window);
            assert!(answered * 100 >= limit * 97, "{answered} of {limit} in {window} s");
            assert!(refused * 1_000 <= answered.max(1_000), "{refused} refused of {limit} in {window} s");
        }
    }

    #[test]
    fn hour_after_hour_it_keeps_to_the_limit() {
        let (answered, refused) = against_a_limit(5_000, 3_600, 4 * 3_600);
        assert!((4 * 4_850..=4 * 5_000).contains(&answered), "{answered}");
        assert!(refused * 1_000 <= answered, "{refused} of {answered}");
    }

    proptest! {
        #[test]
        fn whatever_meta_says_it_neither_stops_for_good_nor_runs_wild(
            lessons in proptest::collection::vec((0_u8..4, 0.0_f64..200.0, -100_i64..4_000), 0..300)
        ) {
            let mut pace = Pace::new(64);
            let mut moment = NOW;
            for (kind, percent, seconds) in lessons {
                moment += time::Duration::milliseconds(37);
                match kind {
                    0 => pace.learn(Lesson::Answered, moment),
                    1 => pace.learn(Lesson::Trouble, moment),
                    2 => pace.learn(Lesson::Throttled(Some(moment + time::Duration::seconds(seconds))), moment),
                    _ => pace.heard(Some(percent), None, moment),
                }
                prop_assert!(pace.width(moment) <= 64);
                prop_assert!((1..=64).contains(&pace.concurrency()));
                let free = pace.holds(moment).map_or(moment, |wait| wait.until);
                prop_assert!(pace.width(free) >= 1, "something goes when the wait is over");
            }
        }
    }
}
