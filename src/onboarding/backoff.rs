//! How long to wait after a temporary fault. Pure: chance comes in as a number.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

/// The delay after the `faults`-th fault in a row, counted from 1: two seconds and up to as much again, five times that each
/// time, an hour at most.
pub fn delay(faults: u32, chance: u64) -> Duration {
    let nth = usize::try_from(faults.saturating_sub(1)).unwrap_or(usize::MAX);
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_secs(2))
        .with_max_delay(Duration::from_mins(30))
        .with_factor(5.0)
        .without_max_times()
        .with_jitter()
        .with_jitter_seed(chance)
        .build()
        .nth(nth.min(20))
        .unwrap_or(Duration::from_mins(30))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_keeps_to_its_bounds_whatever_chance_says() {
        for (faults, low, high) in
            [(1, 2, 4), (2, 10, 20), (3, 50, 100), (4, 250, 500), (9, 1_800, 3_600), (u32::MAX, 1_800, 3_600)]
        {
            for chance in 0..200 {
                let delay = delay(faults, chance).as_secs_f64();
                assert!(
                    (f64::from(low)..=f64::from(high)).contains(&delay),
                    "fault {faults}, chance {chance}: {delay} s"
                );
            }
        }
    }

    #[test]
    fn the_same_chance_gives_the_same_delay_and_others_spread() {
        assert_eq!(delay(3, 42), delay(3, 42));
        let spread: std::collections::HashSet<_> = (0..100).map(|chance| delay(2, chance)).collect();
        assert!(spread.len() > 50);
    }
}
