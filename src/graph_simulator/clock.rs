//! The simulator's own clock, which tests move, and the only place where real time is read or waited for.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use time::OffsetDateTime;

/// Real time plus what it was moved by.
#[derive(Debug, Default)]
pub(super) struct Clock {
    ahead_ms: AtomicI64,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the simulator reads the time")]
    pub(super) fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc() + time::Duration::milliseconds(self.ahead_ms.load(Ordering::Relaxed))
    }

    pub(super) fn advance(&self, by: Duration) {
        self.ahead_ms.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX / 4), Ordering::Relaxed);
    }
}

/// Real waiting: for latency, for a second try of a webhook, for the next look at what is due.
#[expect(clippy::disallowed_methods, reason = "the one place where the simulator waits")]
pub(super) async fn pause(length: Duration) {
    tokio::time::sleep(length).await;
}

/// As Graph writes a moment: `2025-10-07T10:00:00+0000`.
pub(super) fn graph_time(at: OffsetDateTime) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    let (year, month, day) = at.to_calendar_date();
    format!("{year:04}-{:02}-{day:02}T{:02}:{:02}:{:02}+0000", u8::from(month), at.hour(), at.minute(), at.second())
}

/// As HTTP writes a moment in `Date`: `Thu, 29 Jul 2021 17:00:00 GMT`.
pub(super) fn http_time(at: OffsetDateTime) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    let (year, month, day) = at.to_calendar_date();
    let (weekday, month) = (at.weekday().to_string(), month.to_string());
    format!(
        "{}, {day:02} {} {year:04} {:02}:{:02}:{:02} GMT",
        &weekday[..3],
        &month[..3],
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// As Graph writes a moment inside the text of an expired session (facts 6.10).
pub(super) fn session_time(at: OffsetDateTime) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    let (year, month, day) = at.to_calendar_date();
    let (weekday, month) = (at.weekday().to_string(), month.to_string());
    format!(
        "{weekday}, {day:02}-{}-{:02} {:02}:{:02}:{:02} UTC",
        &month[..3],
        year % 100,
        at.hour(),
        at.minute(),
        at.second()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_moves_forward_by_what_it_is_told() {
        let clock = Clock::default();
        let before = clock.now();
        clock.advance(Duration::from_hours(1));
        assert!(clock.now() - before >= time::Duration::HOUR);
    }

    #[test]
    fn moments_are_written_as_graph_writes_them() {
        let at = OffsetDateTime::from_unix_timestamp(1_627_578_000).unwrap();
        assert_eq!(graph_time(at), "2021-07-29T17:00:00+0000");
        assert_eq!(http_time(at), "Thu, 29 Jul 2021 17:00:00 GMT");
        assert_eq!(session_time(at), "Thursday, 29-Jul-21 17:00:00 UTC");
    }
}
