//! How much of Meta's limits is used up, as its response headers tell (7.6, 7.7).
//!
//! They come with successes as well as with errors, so that a sender can slow down before it is stopped.

use std::{collections::BTreeMap, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

use super::wire::{number, text};

/// No wait Meta names is believed beyond this: a mistaken number mustn't stop a partner for years.
const LONGEST_WAIT: Duration = Duration::from_hours(7 * 24);

/// What the usage headers of one answer said. Empty where a header was missing or unreadable.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage {
    /// `X-App-Usage`: the app's own limit.
    pub app: Option<AppUsage>,
    /// `X-Business-Use-Case-Usage`: one entry for each business object and use case, up to 32 objects.
    pub business: Vec<BusinessUsage>,
    /// When Meta lets calls through again, from the longest regain time and `Retry-After`, whichever is later.
    pub regain_at: Option<OffsetDateTime>,
}

/// Percent of the app's limit that is used up; 100 means stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "Meta's own field names, each a percentage")]
pub struct AppUsage {
    pub call_count: Option<f64>,
    pub total_time: Option<f64>,
    pub total_cputime: Option<f64>,
}

/// Percent of one use case's limit that is used up; 100 means stopped.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BusinessUsage {
    /// The business object the limit is counted for.
    pub object_id: String,
    /// The use case as Meta names it. Its page prints none for WhatsApp, so any text is taken.
    pub kind: Option<String>,
    /// Percent of the calls allowed.
    pub call_count: Option<f64>,
    /// Percent of the time allowed.
    pub total_time: Option<f64>,
    /// Percent of the processor time allowed.
    pub total_cputime: Option<f64>,
    /// How long until calls are let through again (Meta sends whole minutes); `None` when they are now.
    pub regain: Option<Duration>,
}

impl Usage {
    /// Reads the headers of an answer that arrived at `now`.
    pub(super) fn read(headers: &HeaderMap, now: OffsetDateTime) -> Self {
        let json = |name| serde_json::from_slice::<Value>(headers.get(name)?.as_bytes()).ok();
        let app = json("x-app-usage").filter(Value::is_object).map(|usage| AppUsage {
            call_count: percent(&usage, "call_count"),
            total_time: percent(&usage, "total_time"),
            total_cputime: percent(&usage, "total_cputime"),
        });
        let business = json("x-business-use-case-usage").map(|usage| business_usage(&usage)).unwrap_or_default();
        let regain = business.iter().filter_map(|usage| usage.regain).max();
        let retry_after = headers.get("retry-after").and_then(|value| wait(value.to_str().ok()?, now));
        let regain_at = regain.max(retry_after).map(|wait| now + wait);
        Self { app, business, regain_at }
    }

    /// Reads headers that were kept as they came, in an answer that arrived at `at`.
    pub fn of_kept(app: Option<&str>, business: Option<&str>, retry_after: Option<&str>, at: OffsetDateTime) -> Self {
        let kept = [("x-app-usage", app), ("x-business-use-case-usage", business), ("retry-after", retry_after)];
        let headers = kept
            .into_iter()
            .filter_map(|(name, value)| Some((HeaderName::from_static(name), HeaderValue::from_str(value?).ok()?)));
        Self::read(&headers.collect(), at)
    }

    /// The largest percentage any limit names; `None` when none was named.
    pub fn highest_percent(&self) -> Option<f64> {
        let business = self.business.iter().flat_map(|usage| [usage.call_count, usage.total_time, usage.total_cputime]);
        business.flatten().chain(self.app_percent()).reduce(f64::max)
    }

    /// The largest percentage of the app's own limit, which all its partners share.
    pub fn app_percent(&self) -> Option<f64> {
        let app = self.app.iter().flat_map(|usage| [usage.call_count, usage.total_time, usage.total_cputime]);
        app.flatten().reduce(f64::max)
    }
}

fn business_usage(usage: &Value) -> Vec<BusinessUsage> {
    let objects: BTreeMap<_, _> = usage.as_object().into_iter().flatten().collect();
    objects
        .into_iter()
        .flat_map(|(object_id, entries)| entries.as_array().into_iter().flatten().map(move |entry| (object_id, entry)))
        .map(|(object_id, entry)| BusinessUsage {
            object_id: object_id.clone(),
            kind: text(entry, "type"),
            call_count: percent(entry, "call_count"),
            total_time: percent(entry, "total_time"),
            total_cputime: percent(entry, "total_cputime"),
            regain: percent(entry, "estimated_time_to_regain_access").and_then(|minutes| seconds(minutes * 60.0)),
        })
        .collect()
}

fn percent(usage: &Value, name: &str) -> Option<f64> {
    number(usage.get(name)?).filter(|number| number.is_finite())
}

/// A wait of `seconds`, cut at the longest; `None` for no wait.
fn seconds(seconds: f64) -> Option<Duration> {
    (seconds > 0.0).then(|| Duration::from_secs_f64(seconds.min(LONGEST_WAIT.as_secs_f64())))
}

/// `Retry-After`: seconds, or a date.
fn wait(retry_after: &str, now: OffsetDateTime) -> Option<Duration> {
    let retry_after = retry_after.trim();
    match retry_after.parse::<f64>() {
        Ok(number) => seconds(number),
        Err(_) => seconds((OffsetDateTime::parse(retry_after, &Rfc2822).ok()? - now).as_seconds_f64()),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-22 10:00 UTC);

    fn read(headers: &[(&'static str, &str)]) -> Usage {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        Usage::read(&headers.collect(), NOW)
    }

    fn wait_in_seconds(headers: &[(&'static str, &str)]) -> Option<i64> {
        read(headers).regain_at.map(|at| (at - NOW).whole_seconds())
    }

    #[test]
    fn meta_s_own_examples_are_read() {
        let usage = read(&[
            ("x-app-usage", r#"{"call_count":28,"total_time":25,"total_cputime":25}"#),
            (
                "x-business-use-case-usage",
                r#"{"1234567890":[{"type":"ads_management","call_count":100,"total_cputime":25,"total_time":25,"estimated_time_to_regain_access":19,"ads_api_access_tier":"standard_access"}]}"#,
            ),
        ]);
        assert_eq!(usage.app.unwrap().call_count, Some(28.0));
        assert_eq!(usage.business[0].object_id, "1234567890");
        assert_eq!(usage.business[0].kind.as_deref(), Some("ads_management"));
        assert_eq!(usage.highest_percent(), Some(100.0));
        assert_eq!(usage.regain_at, Some(datetime!(2026-11-22 10:19 UTC)));
    }

    #[test]
    fn kept_headers_are_read_as_those_that_came() {
        let (app, business) = (r#"{"call_count":28}"#, r#"{"1":[{"call_count":100}]}"#);
        let usage = Usage::of_kept(Some(app), Some(business), Some("60"), NOW);
        let headers = [("x-app-usage", app), ("x-business-use-case-usage", business), ("retry-after", "60")];
        assert_eq!(usage, read(&headers));
        assert_eq!(Usage::of_kept(None, Some("a\nb"), None, NOW), Usage::default());
    }

    #[test]
    fn the_longest_wait_counts_among_objects_and_headers() {
        let usage = r#"{"1":[{"estimated_time_to_regain_access":2},{"estimated_time_to_regain_access":"5"}],"2":[{"estimated_time_to_regain_access":0}]}"#;
        let usage = ("x-business-use-case-usage", usage);
        assert_eq!(wait_in_seconds(&[usage]), Some(300));
        assert_eq!(wait_in_seconds(&[usage, ("retry-after", "60")]), Some(300));
        assert_eq!(wait_in_seconds(&[usage, ("retry-after", "600")]), Some(600));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        for (header, seconds) in [
            ("120", Some(120)),
            ("0", None),
            ("-5", None),
            ("Sun, 22 Nov 2026 10:01:30 GMT", Some(90)),
            ("Sun, 22 Nov 2026 09:00:00 GMT", None),
            ("soon", None),
            ("NaN", None),
            ("1e30", Some(7 * 24 * 3600)),
        ] {
            assert_eq!(wait_in_seconds(&[("retry-after", header)]), seconds, "{header}");
        }
    }

    #[test]
    fn unreadable_headers_are_as_good_as_none() {
        for broken in ["", "{", "[]", "7", "\"x\"", r#"{"1":7}"#, r#"{"1":[7]}"#] {
            let usage = read(&[("x-app-usage", broken), ("x-business-use-case-usage", broken)]);
            assert_eq!((usage.highest_percent(), usage.regain_at), (None, None), "{broken}");
        }
    }
}
