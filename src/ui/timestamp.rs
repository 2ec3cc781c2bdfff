//! Points in time, as people read them, with UTC in the title.
//!
//! In the browser [`super::LocalTimes`] writes each in the viewer's own zone, and keeps that zone in a cookie: from then on the
//! server writes it so, too, for a viewer whose script is off or late. Where no zone is known it writes UTC and says so. Both halves
//! follow one rule, [`time_text`].

use std::fmt::Write as _;

use leptos::prelude::*;
use time::{Month, OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// The viewer's zone, as the pages find it in their context.
///
/// One offset for all times of the year: the script, where it runs, knows better and rewrites what lies in the other half of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewerZone(pub UtcOffset);

impl ViewerZone {
    /// The name of the cookie.
    pub const COOKIE: &'static str = "zone";

    /// Reads the cookie: minutes east of Greenwich.
    pub fn from_cookie(minutes: &str) -> Option<Self> {
        let minutes: i32 = minutes.parse().ok()?;
        let seconds = minutes.checked_mul(60).filter(|seconds| seconds.abs() <= 18 * 3_600)?;
        UtcOffset::from_whole_seconds(seconds).ok().map(Self)
    }
}

/// How exact a point in time is shown. In all but [`TimeStyle::Full`] today loses its date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeStyle {
    /// `10:42`, or `24 Nov 2026, 10:42`.
    Minute,
    /// `10:42:09`, or `24 Nov 2026, 10:42:09`.
    Second,
    /// `10:42`, or `24 Nov`, or `24 Nov 2025`: for lists, where the day is enough.
    Day,
    /// `24 Nov 2026, 10:42:09` on any day: for what is written down and asked about later.
    Full,
}

impl TimeStyle {
    /// The value of `data-local`, by which the browser knows the style.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Second => "second",
            Self::Day => "day",
            Self::Full => "full",
        }
    }

    /// Reads `data-local`; anything else is [`TimeStyle::Minute`].
    pub fn from_key(key: &str) -> Self {
        match key {
            "second" => Self::Second,
            "day" => Self::Day,
            "full" => Self::Full,
            _ => Self::Minute,
        }
    }
}

/// The text of a point in time as seen at `now` in a zone. Without a zone it is UTC, and the text says so wherever it
/// shows a clock.
pub fn time_text(at: OffsetDateTime, now: OffsetDateTime, zone: Option<UtcOffset>, style: TimeStyle) -> String {
    let offset = zone.unwrap_or(UtcOffset::UTC);
    let (at, now) = (at.to_offset(offset), now.to_offset(offset));
    let today = at.date() == now.date();
    let mut text = String::new();
    if !today || style == TimeStyle::Full {
        push_date(&mut text, at, style != TimeStyle::Day || at.year() != now.year());
        if style == TimeStyle::Day {
            return text;
        }
        text.push_str(", ");
    }
    push_clock(&mut text, at, matches!(style, TimeStyle::Second | TimeStyle::Full));
    if zone.is_none() {
        text.push_str(" UTC");
    }
    text
}

fn push_date(text: &mut String, at: OffsetDateTime, with_year: bool) {
    // Writing to a String can't fail.
    let _ = write!(text, "{} {}", at.day(), month_name(at.month()));
    if with_year {
        let _ = write!(text, " {}", at.year());
    }
}

fn push_clock(text: &mut String, at: OffsetDateTime, with_seconds: bool) {
    let _ = write!(text, "{:02}:{:02}", at.hour(), at.minute());
    if with_seconds {
        let _ = write!(text, ":{:02}", at.second());
    }
}

const fn month_name(month: Month) -> &'static str {
    match month {
        Month::January => "Jan",
        Month::February => "Feb",
        Month::March => "Mar",
        Month::April => "Apr",
        Month::May => "May",
        Month::June => "Jun",
        Month::July => "Jul",
        Month::August => "Aug",
        Month::September => "Sep",
        Month::October => "Oct",
        Month::November => "Nov",
        Month::December => "Dec",
    }
}

/// A point in time; `now` is the moment the page is made, so that today can lose its date.
///
/// ```text
/// view! { "Sent "<Timestamp at=request.created_at now=now style=TimeStyle::Minute/> }
/// ```
#[component]
pub fn Timestamp(
    at: OffsetDateTime,
    now: OffsetDateTime,
    #[prop(default = TimeStyle::Minute)] style: TimeStyle,
) -> AnyView {
    let utc = at.to_offset(UtcOffset::UTC);
    // A year beyond 9999 has no RFC 3339 form; then the text stands alone.
    let machine = utc.replace_nanosecond(0).unwrap_or(utc).format(&Rfc3339).ok();
    let title = time_text(at, now, None, TimeStyle::Full);
    let zone = use_context::<ViewerZone>().map(|zone| zone.0);
    view! {
        <time datetime=machine title=title data-local=style.key()>
            {time_text(at, now, zone, style)}
        </time>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use time::macros::{datetime, offset};

    use leptos::prelude::*;

    use super::{TimeStyle, Timestamp, ViewerZone, time_text};

    #[test]
    fn today_loses_its_date_and_utc_is_named() {
        let now = datetime!(2026-11-24 12:00 UTC);
        let cases = [
            (datetime!(2026-11-24 10:42:09 UTC), TimeStyle::Minute, "10:42 UTC"),
            (datetime!(2026-11-24 10:42:09 UTC), TimeStyle::Second, "10:42:09 UTC"),
            (datetime!(2026-11-24 10:42:09 UTC), TimeStyle::Day, "10:42 UTC"),
            (datetime!(2026-11-24 10:42:09 UTC), TimeStyle::Full, "24 Nov 2026, 10:42:09 UTC"),
            (datetime!(2026-11-03 09:05:07 UTC), TimeStyle::Minute, "3 Nov 2026, 09:05 UTC"),
            (datetime!(2026-11-03 09:05:07 UTC), TimeStyle::Second, "3 Nov 2026, 09:05:07 UTC"),
            (datetime!(2026-11-03 09:05:07 UTC), TimeStyle::Day, "3 Nov"),
            (datetime!(2025-12-31 09:05:07 UTC), TimeStyle::Day, "31 Dec 2025"),
        ];
        for (at, style, text) in cases {
            assert_eq!(time_text(at, now, None, style), text);
        }
    }

    #[test]
    fn the_viewers_zone_decides_what_today_is() {
        let at = datetime!(2026-11-23 22:30 UTC);
        let now = datetime!(2026-11-24 08:00 UTC);
        assert_eq!(time_text(at, now, Some(offset!(+5:30)), TimeStyle::Minute), "04:00");
        assert_eq!(time_text(at, now, Some(offset!(-3)), TimeStyle::Minute), "23 Nov 2026, 19:30");
    }

    #[test]
    #[cfg(feature = "ssr")]
    fn a_known_zone_is_written_at_once_and_utc_stays_in_the_title() {
        let (at, now) = (datetime!(2026-11-24 10:42 UTC), datetime!(2026-11-24 12:00 UTC));
        let html = |zone: Option<&str>| {
            Owner::new().with(|| {
                if let Some(zone) = zone.and_then(ViewerZone::from_cookie) {
                    provide_context(zone);
                }
                view! { <Timestamp at=at now=now/> }.to_html()
            })
        };
        for (zone, text) in [
            (None, "10:42 UTC"),
            (Some("330"), "16:12"),
            (Some("-180"), "07:42"),
            (Some("0"), "10:42"),
            (Some("Lisbon"), "10:42 UTC"),
            (Some("99999"), "10:42 UTC"),
            (Some("2147483647"), "10:42 UTC"),
        ] {
            let html = html(zone);
            assert!(html.contains(&format!(">{text}<")), "{zone:?}: {html}");
            assert!(html.contains("title=\"24 Nov 2026, 10:42:00 UTC\""), "{html}");
        }
    }

    #[test]
    fn the_browser_reads_back_every_style() {
        for style in [TimeStyle::Minute, TimeStyle::Second, TimeStyle::Day, TimeStyle::Full] {
            assert_eq!(TimeStyle::from_key(style.key()), style);
        }
    }
}
