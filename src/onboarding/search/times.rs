//! Times as people write them in a search. Pure.

use time::{
    Date, Duration, OffsetDateTime, PrimitiveDateTime, format_description::well_known::Rfc3339,
    macros::format_description,
};

/// `7d`, `12h`, `30m` (minutes), `2w`.
pub fn span(value: &str) -> Option<Duration> {
    let unit = value.chars().next_back()?;
    let count: i64 =
        value[..value.len() - unit.len_utf8()].parse().ok().filter(|count| (0..=36_500).contains(count))?;
    match unit.to_ascii_lowercase() {
        'm' => Some(Duration::minutes(count)),
        'h' => Some(Duration::hours(count)),
        'd' => Some(Duration::days(count)),
        'w' => Some(Duration::weeks(count.min(5_000))),
        _ => None,
    }
}

/// A span back from now, `today`, `yesterday`, a day or a moment. Days are those of UTC.
pub fn point(value: &str, now: OffsetDateTime) -> Option<OffsetDateTime> {
    let midnight = now.to_offset(time::UtcOffset::UTC).replace_time(time::Time::MIDNIGHT);
    match value.to_lowercase().as_str() {
        "today" => return Some(midnight),
        "yesterday" => return Some(midnight - Duration::days(1)),
        _ => {}
    }
    if let Some(span) = span(value) {
        return Some(now - span);
    }
    let read = if let Ok(date) = Date::parse(value, format_description!("[year]-[month]-[day]")) {
        date.midnight().assume_utc()
    } else if let Ok(at) = PrimitiveDateTime::parse(value, format_description!("[year]-[month]-[day]T[hour]:[minute]"))
    {
        at.assume_utc()
    } else {
        OffsetDateTime::parse(value, &Rfc3339).ok()?
    };
    (1970..=9_000).contains(&read.year()).then_some(read)
}
