//! How often Meta is asked about a business, of how many at once, and how much of the limits that may take: pure.

use std::time::Duration;

use time::OffsetDateTime;

use crate::{graph::MOST_IDS, onboarding::pace::BELIEVED_FOR};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// While the wait is younger than the first, Meta is asked again after the second.
const EVERY: [(Duration, Duration); 4] = [
    (Duration::from_secs(DAY), Duration::from_secs(30 * MINUTE)),
    (Duration::from_secs(3 * DAY), Duration::from_secs(2 * HOUR)),
    (Duration::from_secs(7 * DAY), Duration::from_secs(6 * HOUR)),
    (Duration::from_secs(30 * DAY), Duration::from_secs(12 * HOUR)),
];

/// After that.
const AT_LAST: Duration = Duration::from_secs(DAY);

/// How long to leave one alone that Meta refuses to tell about, asked by itself.
pub const AFTER_REFUSAL: Duration = Duration::from_secs(DAY);

/// From this percentage of any limit on nothing is asked: the rest is for requests and syncs.
const LEFT_TO_OTHERS: f64 = 50.0;

/// How long to wait between two asks about a business that has waited since then: admins mostly answer within the first days.
pub fn every(since: OffsetDateTime, now: OffsetDateTime) -> Duration {
    let age = Duration::try_from(now - since).unwrap_or_default();
    EVERY.into_iter().find(|(younger_than, _)| age < *younger_than).map_or(AT_LAST, |(_, every)| every)
}

/// Until when nothing is asked for what is used up of the limits, by the highest percentage heard of and when.
pub fn yields_until((percent, at): (f64, OffsetDateTime), now: OffsetDateTime) -> Option<OffsetDateTime> {
    (percent >= LEFT_TO_OTHERS).then_some(at + BELIEVED_FOR).filter(|until| *until > now)
}

/// How many are asked about at once after so many refusals in a row: half as many each time, so that the one that can't be read is
/// found, and asked about alone from then on.
pub fn at_once(refusals: i32) -> usize {
    (MOST_IDS >> refusals.clamp(0, 16).unsigned_abs()).max(1)
}

#[cfg(test)]
mod tests {
    use time::{Duration as Span, macros::datetime};

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-24 10:00 UTC);

    #[test]
    fn the_longer_a_business_waits_the_less_often_meta_is_asked() {
        for (age, minutes) in [
            (Span::ZERO, 30),
            (Span::hours(-1), 30),
            (Span::hours(23), 30),
            (Span::days(1), 120),
            (Span::days(2), 120),
            (Span::days(3), 360),
            (Span::days(6), 360),
            (Span::days(7), 720),
            (Span::days(29), 720),
            (Span::days(30), 1_440),
            (Span::days(900), 1_440),
        ] {
            assert_eq!(every(NOW - age, NOW), Duration::from_secs(minutes * 60), "{age}");
        }
        assert!(EVERY.is_sorted() && EVERY.iter().all(|(_, every)| *every >= Duration::from_mins(30)));
    }

    #[test]
    fn the_upper_half_of_the_limits_is_left_to_others() {
        let heard = |minutes| NOW - Span::minutes(minutes);
        for (used, until) in [
            ((0.0, NOW), None),
            ((49.9, NOW), None),
            ((50.0, NOW), Some(NOW + BELIEVED_FOR)),
            ((98.0, heard(4)), Some(NOW + Span::minutes(6))),
            ((98.0, heard(10)), None),
            ((98.0, heard(600)), None),
        ] {
            assert_eq!(yields_until(used, NOW), until, "{used:?}");
        }
    }

    #[test]
    fn halves_end_at_one() {
        let sizes: Vec<_> = (0..9).map(at_once).collect();
        assert_eq!(sizes, [50, 25, 12, 6, 3, 1, 1, 1, 1]);
        assert_eq!((at_once(-1), at_once(i32::MAX)), (50, 1));
    }
}
