//! How fast a batch goes, and when it will be done. Pure: the answers by minute come in.

use time::{Duration, OffsetDateTime};

/// Minutes that are looked back.
pub const MINUTES: usize = 12;

/// Minutes whose answers tell the pace: fewer jump about, more lag behind.
const TELLING: usize = 3;

/// An end later than this is nothing anybody can plan with.
const FARTHEST: Duration = Duration::days(7);

/// Answers in each of the last minutes, oldest first; the last one is the minute that ends now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Minutes([u64; MINUTES]);

impl Minutes {
    /// From counts by how many whole minutes ago they came.
    pub fn new(counted: impl IntoIterator<Item = (usize, u64)>) -> Self {
        let mut minutes = Self::default();
        for (ago, n) in counted {
            if ago < MINUTES {
                minutes.0[MINUTES - 1 - ago] += n;
            }
        }
        minutes
    }

    /// Oldest first.
    pub fn all(&self) -> &[u64] {
        &self.0
    }

    /// Answers in the minute that ends now.
    pub fn last(&self) -> u64 {
        self.0[MINUTES - 1]
    }

    /// Answers a minute before `ended` (now, or when a wait began), for a batch that began at `started`. `None`: unknown, since
    /// nothing was answered in the minutes before.
    pub fn pace(&self, started: OffsetDateTime, ended: OffsetDateTime, now: OffsetDateTime) -> Option<f64> {
        let skipped = usize::try_from((now - ended).whole_minutes()).unwrap_or(0);
        let until = MINUTES.checked_sub(skipped)?;
        let told = &self.0[until.saturating_sub(TELLING)..until];
        let answers: u64 = told.iter().sum();
        // The first minutes aren't whole ones.
        let since = now - Duration::minutes(i64::try_from(MINUTES - until + told.len()).unwrap_or(i64::MAX));
        let span = (ended - since.max(started)).max(Duration::SECOND);
        let minutes = span.as_seconds_f64() / 60.0;
        #[expect(clippy::cast_precision_loss, reason = "a pace is told roughly")]
        (answers > 0).then(|| answers as f64 / minutes)
    }
}

/// When a batch will be done, roughly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct End {
    pub at: OffsetDateTime,
    pub per_minute: u64,
}

/// The end of a batch with `left` requests to go at `pace` answers a minute, from now or from when sending starts again.
/// `None`: nobody knows, or so late that it means nothing.
pub fn end(left: u64, pace: Option<f64>, resumes_at: Option<OffsetDateTime>, now: OffsetDateTime) -> Option<End> {
    let pace = pace.filter(|pace| left > 0 && *pace > 0.0)?;
    #[expect(clippy::cast_precision_loss, reason = "an end is told roughly")]
    let minutes = left as f64 / pace;
    if !minutes.is_finite() || minutes > FARTHEST.as_seconds_f64() / 60.0 {
        return None;
    }
    let at = resumes_at.unwrap_or(now).max(now) + Duration::seconds_f64(minutes * 60.0);
    Some(End { at, per_minute: rounded(pace) })
}

/// A pace in whole answers a minute; one that isn't zero is at least one.
pub fn rounded(pace: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast from f64 saturates")]
    let whole = pace.round() as u64;
    whole.max(1)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-24 10:42 UTC);

    fn ago(minutes: i64) -> OffsetDateTime {
        NOW - Duration::minutes(minutes)
    }

    #[test]
    fn minutes_stand_oldest_first_and_older_ones_are_left_out() {
        let minutes = Minutes::new([(0, 5), (1, 7), (11, 2), (12, 99), (0, 1)]);
        assert_eq!(minutes.all(), [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 6]);
        assert_eq!(minutes.last(), 6);
    }

    #[test]
    fn the_pace_is_that_of_the_minutes_before() {
        let steady = Minutes::new((0..12).map(|ago| (ago, 74)));
        let waited = Minutes::new((3..12).map(|ago| (ago, 74)));
        let began = Minutes::new([(0, 30)]);
        for (minutes, started, ended, pace) in [
            (steady, ago(60), NOW, Some(74)),
            (waited, ago(60), NOW, None),
            (waited, ago(60), ago(3), Some(74)),
            (waited, ago(60), ago(12), None),
            (waited, ago(60), ago(40), None),
            (began, NOW - Duration::seconds(30), NOW, Some(60)),
            (began, NOW, NOW, Some(1_800)),
            (Minutes::default(), ago(60), NOW, None),
            // A clock that was set back.
            (steady, NOW + Duration::hours(1), NOW + Duration::hours(1), Some(222 * 60)),
        ] {
            let told = minutes.pace(started, ended, NOW).map(rounded);
            assert_eq!(told, pace, "{minutes:?} until {ended}");
        }
    }

    #[test]
    fn an_end_is_told_only_where_it_is_known() {
        let at = |hour, minute| Some(NOW.replace_time(time::Time::from_hms(hour, minute, 0).unwrap()));
        for (left, pace, resumes_at, end_at) in [
            (740, Some(74.0), None, at(10, 52)),
            (74, Some(74.0), at(10, 46), at(10, 47)),
            (74, Some(74.0), at(10, 30), at(10, 43)),
            (1, Some(0.5), None, at(10, 44)),
            (0, Some(74.0), None, None),
            (400, None, None, None),
            (400, Some(0.0), None, None),
            (400, Some(f64::MIN_POSITIVE), None, None),
            (u64::MAX, Some(1.0), None, None),
        ] {
            let told = end(left, pace, resumes_at, NOW);
            assert_eq!(told.map(|end| end.at), end_at, "{left} at {pace:?}");
        }
        assert_eq!(end(1, Some(0.2), None, NOW).map(|end| end.per_minute), Some(1), "slow is not nothing");
    }
}
