//! The one source of time.
//!
//! Everything that needs the hour asks a [`Clock`]; `.clippy.toml` bans the ambient clocks. The system's clock runs in
//! production; tests hold a clock that stands still until they move it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use time::OffsetDateTime;

/// Tells the hour, in UTC, cut to microseconds: what Postgres keeps, so that a time read back equals the one written.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    /// Microseconds since the Unix epoch.
    Moved(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `start` until [`Clock::advance`] moves it; every clone moves with it.
    pub fn standing_at(start: OffsetDateTime) -> Self {
        Self(Source::Moved(Arc::new(AtomicI64::new(micros(start)))))
    }

    /// The hour.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the machine")]
    pub fn now(&self) -> OffsetDateTime {
        let micros = match &self.0 {
            Source::System => micros(OffsetDateTime::now_utc()),
            Source::Moved(at) => at.load(Ordering::SeqCst),
        };
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// Moves a standing clock forward; the system's clock isn't ours to move, so nothing happens to it.
    pub fn advance(&self, by: Duration) {
        if let Source::Moved(at) = &self.0 {
            at.fetch_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }
}

fn micros(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_clock_moves_only_when_told_and_its_clones_with_it() {
        let clock = Clock::standing_at(OffsetDateTime::UNIX_EPOCH);
        let other = clock.clone();
        clock.advance(Duration::from_secs(90));
        assert_eq!(other.now() - OffsetDateTime::UNIX_EPOCH, time::Duration::seconds(90));
    }
}
