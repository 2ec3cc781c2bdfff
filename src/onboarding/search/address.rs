//! The address of a list: `/requests?q=` and where in it a page begins.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use time::OffsetDateTime;

use super::{
    super::model::State,
    store::{CallPlace, Window},
    terms::{Key, Term},
};
use crate::graph::Cause;

/// The path of the list.
pub const PATH: &str = "/requests";

/// What needs no escape in a query.
const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':').remove(b',');

/// The list that a text asks for.
pub fn href(text: &str) -> String {
    at(PATH, text, None)
}

/// The same as a file.
pub fn export_href(text: &str) -> String {
    at("/requests/export.csv", text, None)
}

/// The same at another path, or from a cursor on, such as `before=LB-1001`.
pub fn at(path: &str, text: &str, cursor: Option<&str>) -> String {
    let text = (!text.is_empty()).then(|| format!("q={}", utf8_percent_encode(text, ESCAPED)));
    let query: Vec<String> = text.into_iter().chain(cursor.map(str::to_owned)).collect();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
}

/// What is asked for: `q`, and the filters that had parameters of their own before there were terms.
pub fn text(parameter: impl Fn(&str) -> Option<String>) -> String {
    let mut text = parameter("q").unwrap_or_default();
    let known = |name: &str, known: fn(&str) -> bool| parameter(name).filter(|value| known(value));
    let groups =
        |value: &str| matches!(value, "open" | "attention" | "stalled" | "taken") || value.parse::<State>().is_ok();
    for (key, value) in [
        (Key::Batch, known("batch", |value| value.parse::<u32>().is_ok())),
        (Key::Is, known("state", groups)),
        (Key::Cause, known("cause", |value| value.parse::<Cause>().is_ok())),
    ] {
        if let Some(value) = value {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(&Term::of(key, value).to_string());
        }
    }
    text
}

/// Which part of the list of requests the address asks for. What can't be read is the newest.
pub fn window(before: Option<&str>, after: Option<&str>) -> Window {
    let number = |text: Option<&str>| text.and_then(|text| text.parse().ok());
    match (number(before), number(after)) {
        (Some(number), _) => Window::OlderThan(number),
        (None, Some(number)) => Window::NewerThan(number),
        (None, None) => Window::Newest,
    }
}

/// The call that a page of calls follows, by its time in microseconds and our id of it: `1764460800000000.5332`.
pub fn call(before: Option<&str>) -> Option<CallPlace> {
    let (micros, call) = before?.split_once('.')?;
    let micros: i64 = micros.parse().ok()?;
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000).ok()?;
    Some(CallPlace { at, call_id: call.parse().ok()? }).filter(|_| (1970..=9_000).contains(&at.year()))
}

/// The page of calls behind this one.
pub fn before_call(text: &str, place: CallPlace) -> String {
    // As exact as Postgres keeps it.
    let micros = place.at.unix_timestamp_nanos() / 1_000;
    at(PATH, text, Some(&format!("before={micros}.{}", place.call_id)))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::onboarding::model::RequestNumber;

    #[test]
    fn the_address_is_the_filter() {
        assert_eq!(href(""), "/requests");
        assert_eq!(href("is:failed code:100,200"), "/requests?q=is:failed%20code:100,200");
        assert_eq!(at(PATH, "a&b=\"<", Some("before=LB-7")), "/requests?q=a%26b%3D%22%3C&before=LB-7");
        assert_eq!(at(PATH, "", Some("before=LB-7")), "/requests?before=LB-7");
        assert_eq!(window(Some("LB-7"), None), Window::OlderThan(RequestNumber(7)));
        assert_eq!(window(None, Some("lb-7")), Window::NewerThan(RequestNumber(7)));
        assert_eq!(window(Some("x"), Some("7")), Window::Newest);
        let place = CallPlace { at: datetime!(2026-11-24 10:00:00.123456 UTC), call_id: 12 };
        let page = before_call("in:calls", place);
        assert_eq!(page, "/requests?q=in:calls&before=1795514400123456.12");
        assert_eq!(call(page.split_once("before=").map(|(_, before)| before)), Some(place));
        for bad in [None, Some("LB-7"), Some(".12"), Some("LB-7.12"), Some("9223372036854775807.1"), Some("-1.1")] {
            assert_eq!(call(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn the_parameters_of_before_are_terms() {
        let of = |pairs: &[(&str, &str)]| {
            text(|name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(
            of(&[("batch", "118"), ("state", "failed"), ("cause", "access_denied")]),
            "batch:118 is:failed cause:access_denied"
        );
        assert_eq!(of(&[("q", "casa"), ("state", "attention")]), "casa is:attention");
        assert_eq!(of(&[("batch", "LB-1"), ("state", "nonsense"), ("cause", "' OR 1=1")]), "");
    }
}
