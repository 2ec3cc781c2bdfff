//! How long clients take to accept, from the buckets that are kept.
//!
//! Exact to the hour within three days, to six hours within fourteen days, to the day within sixty. A bucket's own requests are taken as
//! spread evenly over it.

/// Buckets, as the function `wait_bucket` in the database numbers them.
const BUCKETS: usize = 163;

/// The first hour of a bucket.
const fn begin(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    match bucket {
        0..72 => bucket,
        72..116 => (bucket - 60) * 6,
        _ => (bucket - 102) * 24,
    }
}

/// How many requests took how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waits([u64; BUCKETS]);

/// Columns of the drawing: the first day, and the last one.
pub const COLUMNS: [(u64, u64); 12] =
    [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, 7), (8, 10), (11, 14), (15, 21), (22, u64::MAX)];

impl Waits {
    pub fn new(buckets: impl IntoIterator<Item = (usize, u64)>) -> Self {
        let mut waits = [0; BUCKETS];
        for (bucket, n) in buckets {
            if let Some(kept) = waits.get_mut(bucket) {
                *kept += n;
            }
        }
        Self(waits)
    }

    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The hours within which `percent` of them had accepted; `None` where nobody has. Of what took longer than sixty days it's only known
    /// that it did.
    pub fn within(&self, percent: u64) -> Option<f64> {
        let total = self.total();
        let rank = (total * percent).div_ceil(100).max(1);
        let mut before = 0;
        for (bucket, n) in self.0.iter().enumerate() {
            if total > 0 && before + n >= rank {
                let length = if bucket + 1 < BUCKETS { begin(bucket + 1) - begin(bucket) } else { 0 };
                return Some(number(begin(bucket)) + number(length) * number(rank - before) / number(*n));
            }
            before += n;
        }
        None
    }

    /// Requests that took less than so many days.
    pub fn below_days(&self, days: u64) -> u64 {
        self.0.iter().enumerate().filter(|(bucket, _)| begin(*bucket) < days * 24).map(|(_, n)| n).sum()
    }

    /// Requests in each of [`COLUMNS`].
    pub fn columns(&self) -> [u64; COLUMNS.len()] {
        COLUMNS.map(|(first, last)| {
            let days = self.0.iter().enumerate().filter(|(bucket, _)| (first..=last).contains(&(begin(*bucket) / 24)));
            days.map(|(_, n)| n).sum()
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests and hours, far below 2^52")]
fn number(n: u64) -> f64 {
    n as f64
}

/// The name of a column: `0`, `8–10`, `22+`.
pub fn column_name((first, last): (u64, u64)) -> String {
    match last {
        _ if first == last => first.to_string(),
        u64::MAX => format!("{first}+"),
        _ => format!("{first}–{last}"),
    }
}

/// A wait in words: hours up to two days, then days, with a tenth where it isn't whole.
pub fn in_words(hours: f64) -> String {
    if hours < 0.95 {
        return "less than 1 hour".to_owned();
    }
    let (unit, n) = if hours < 47.5 { ("hour", hours.round()) } else { ("day", (hours / 2.4).round() / 10.0) };
    let plural = if (n - 1.0).abs() < f64::EPSILON { "" } else { "s" };
    format!("{n} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_each_other() {
        let begins: Vec<u64> = (0..BUCKETS).map(begin).collect();
        assert!(begins.is_sorted_by(|one, next| one < next));
        assert_eq!((begin(71), begin(72), begin(115), begin(116), begin(162)), (71, 72, 330, 336, 1_440));
    }

    #[test]
    fn the_median_lies_in_the_bucket_of_the_middle_request() {
        assert_eq!(Waits::new([]).within(50), None);
        for (buckets, percent, hours) in [
            (vec![(5, 1)], 50, 6.0),
            (vec![(0, 1), (10, 1), (20, 1)], 50, 11.0),
            (vec![(0, 9), (100, 1)], 90, 1.0),
            (vec![(0, 8), (100, 2)], 90, 243.0),
            (vec![(162, 3)], 50, 1_440.0),
            (vec![(4, 4)], 50, 4.5),
        ] {
            assert_eq!(Waits::new(buckets.clone()).within(percent), Some(hours), "{buckets:?}");
        }
    }

    #[test]
    fn every_request_stands_in_one_column() {
        let all = Waits::new((0..BUCKETS).map(|bucket| (bucket, 1)));
        assert_eq!(all.columns().iter().sum::<u64>(), all.total());
        assert_eq!(Waits::new([(25, 3), (71, 2), (160, 1)]).columns(), [0, 3, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(Waits::new([(25, 3), (71, 2), (160, 1)]).below_days(2), 3);
        assert_eq!(COLUMNS.map(column_name)[7..], ["7", "8–10", "11–14", "15–21", "22+"]);
    }

    #[test]
    fn a_wait_is_said_in_the_unit_that_fits() {
        for (hours, words) in [
            (0.2, "less than 1 hour"),
            (1.0, "1 hour"),
            (46.0, "46 hours"),
            (48.0, "2 days"),
            (55.2, "2.3 days"),
            (240.0, "10 days"),
        ] {
            assert_eq!(in_words(hours), words);
        }
    }
}
