//! Reads a delivery as far as it can be read, and keeps the bytes of the rest.
//!
//! Meta's own page prints its payloads with keys in wrong places (5.9), and an app may be subscribed to fields we don't know. So
//! nothing but JSON is required: a change is told apart where there is one, and what is known of it is looked for where it should be
//! and where Meta has been seen to put it.

use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::refusal::Refusal;
use crate::graph::BusinessId;

/// The longest name of a field or an event that is kept beside the body.
const LONGEST_NAME: usize = 100;

/// A change as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// SHA-256 of entry id, entry time and the change. The time is part of it: the same words may be true twice.
    pub hash: [u8; 32],
    /// A partner's id or a WABA's.
    pub entry_id: Option<String>,
    pub sent_at: Option<OffsetDateTime>,
    pub field: Option<String>,
    pub event: Option<String>,
    /// The end business it names.
    pub business_id: Option<String>,
    pub waba_id: Option<String>,
    pub solution_id: Option<String>,
    /// Its JSON, byte for byte.
    pub body: String,
}

#[derive(Deserialize)]
struct Delivery<'a> {
    #[serde(borrow)]
    entry: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
    #[serde(borrow, default)]
    time: Option<&'a RawValue>,
    #[serde(borrow, default)]
    field: Option<&'a RawValue>,
    #[serde(borrow)]
    changes: Vec<&'a RawValue>,
}

/// The changes of a delivery: entry by entry, change by change (5.4). What has another shape is one change as a whole.
///
/// # Errors
/// [`Refusal::NotJson`].
pub fn read(body: &[u8]) -> Result<Vec<Arrival>, Refusal> {
    let whole: &RawValue = serde_json::from_slice(body).map_err(|_| Refusal::NotJson)?;
    let entries = object::<Delivery>(whole).map(|delivery| delivery.entry).unwrap_or_default();
    let changes: Vec<Arrival> = entries.into_iter().flat_map(read_entry).collect();
    Ok(if changes.is_empty() { vec![unread(whole)] } else { changes })
}

fn read_entry(raw: &RawValue) -> Vec<Arrival> {
    match object::<Entry>(raw) {
        Some(entry) if !entry.changes.is_empty() => {
            let Some(id) = parsed(entry.id).as_ref().and_then(id_of) else { return vec![unread(raw)] };
            entry.changes.iter().map(|change| read_change(&entry, &id, change)).collect()
        }
        _ => vec![unread(raw)],
    }
}

fn read_change(entry: &Entry, entry_id: &str, raw: &RawValue) -> Arrival {
    let change = parsed(raw).unwrap_or_default();
    let value = &change["value"];
    let info = &value["waba_info"];
    let id = |one: &Value, other: &Value| id_of(one).or_else(|| id_of(other));
    let time = entry.time.map_or("", RawValue::get);
    Arrival {
        hash: hash_of(&[entry.id.get(), time, raw.get()]),
        entry_id: Some(entry_id.to_owned()),
        sent_at: entry.time.and_then(parsed).as_ref().and_then(time_of),
        // On the change where Meta's syntax has it, in the value and on the entry where its examples have it.
        field: name_of(&change["field"])
            .or_else(|| name_of(&value["field"]))
            .or_else(|| name_of(&parsed(entry.field?).unwrap_or_default())),
        event: name_of(&value["event"]),
        business_id: id_of(&info["owner_business_id"]),
        waba_id: id_of(&info["waba_id"]),
        solution_id: id(&value["solution_id"], &info["solution_id"]),
        body: raw.get().to_owned(),
    }
}

/// What no change can be told apart in.
fn unread(raw: &RawValue) -> Arrival {
    let part = parsed(raw).unwrap_or_default();
    Arrival {
        hash: hash_of(&[raw.get()]),
        entry_id: id_of(&part["id"]),
        sent_at: time_of(&part["time"]),
        field: None,
        event: None,
        business_id: None,
        waba_id: None,
        solution_id: None,
        body: raw.get().to_owned(),
    }
}

/// serde takes a list for a struct as well, by places; Meta's are objects.
fn object<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    raw.get().starts_with('{').then(|| serde_json::from_str(raw.get()).ok())?
}

/// `None` for JSON nested too deeply to look into.
fn parsed(raw: &RawValue) -> Option<Value> {
    serde_json::from_str(raw.get()).ok()
}

/// Each part with its length, so that no two lists of parts run into the same bytes.
fn hash_of(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

/// An id, as text or as a number that is whole (2.7).
fn id_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.as_u64()?.to_string(),
        _ => return None,
    };
    text.parse::<BusinessId>().ok().map(|_| text)
}

/// Seconds, or milliseconds as other fields of Meta's have them; nothing before 2000 or after 2100 is an hour of Meta's.
fn time_of(value: &Value) -> Option<OffsetDateTime> {
    let number = match value {
        Value::String(text) => text.parse().ok()?,
        Value::Number(number) => number.as_i64()?,
        _ => return None,
    };
    let seconds = if number > 100_000_000_000 { number / 1_000 } else { number };
    (946_684_800..4_102_444_800).contains(&seconds).then(|| OffsetDateTime::from_unix_timestamp(seconds).ok())?
}

/// A name as Postgres can keep it.
fn name_of(value: &Value) -> Option<String> {
    let name = value.as_str().filter(|name| !name.is_empty())?;
    Some(name.chars().take(LONGEST_NAME).map(|letter| if letter == '\0' { '\u{FFFD}' } else { letter }).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use time::macros::datetime;

    use super::{super::tests::fixtures::PRINTED, *};

    fn one(body: &str) -> Arrival {
        let mut all = read(body.as_bytes()).unwrap();
        assert_eq!(all.len(), 1, "{body}");
        all.remove(0)
    }

    #[test]
    fn every_printed_payload_is_read_wherever_its_keys_stand() {
        for printed in PRINTED {
            let read = one(printed.body);
            assert_eq!(read.event.as_deref(), Some(printed.event));
            assert_eq!(read.field.as_deref(), Some("account_update"), "{}", printed.event);
            assert_eq!(read.entry_id.as_deref(), Some(printed.entry_id), "{}", printed.event);
            assert_eq!(read.business_id.as_deref(), printed.business_id, "{}", printed.event);
            assert_eq!(read.waba_id.as_deref(), printed.waba_id, "{}", printed.event);
            assert_eq!(read.sent_at.unwrap().unix_timestamp(), printed.time, "{}", printed.event);
            assert!(printed.body.contains(&read.body), "byte for byte");
        }
        assert_eq!(PRINTED.len(), 7);
    }

    #[test]
    fn a_thousand_changes_in_one_delivery_are_a_thousand() {
        let change = |n: u32| format!(r#"{{"field":"account_update","value":{{"event":"X","n":{n}}}}}"#);
        let entry = |first: u32| {
            let changes: Vec<String> = (first..first + 100).map(change).collect();
            format!(r#"{{"id":"1","time":1744823932,"changes":[{}]}}"#, changes.join(","))
        };
        let entries: Vec<String> = (0..10).map(|n| entry(n * 100)).collect();
        let all = read(format!(r#"{{"entry":[{}]}}"#, entries.join(",")).as_bytes()).unwrap();
        let hashes: HashSet<_> = all.iter().map(|change| change.hash).collect();
        assert_eq!((all.len(), hashes.len()), (1_000, 1_000));
    }

    #[test]
    fn what_has_another_shape_is_kept_whole() {
        for odd in [
            "{}",
            "[]",
            "0",
            "null",
            r#""text""#,
            r#"{"entry":[]}"#,
            r#"{"entry":{}}"#,
            r#"{"object":"page"}"#,
            r#"{"entry":null}"#,
            r#"{"entry":[],"entry":[]}"#,
        ] {
            let kept = one(odd);
            assert_eq!((kept.body.as_str(), kept.event), (odd, None));
        }
        for odd in [
            r#"{"id":"1","time":1744823932,"messaging":[{}]}"#,
            r#"{"id":"1","changes":[]}"#,
            r#"{"id":"not an id","changes":[{"field":"x"}]}"#,
            r#"{"changes":[{"field":"x"}]}"#,
            r#"{"id":"1","changes":{"0":{}}}"#,
            "7",
        ] {
            assert_eq!(one(&format!(r#"{{"entry":[{odd}]}}"#)).body, odd);
        }
        let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
        assert_eq!(one(&deep).body, deep);
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for bad in
            [&b""[..], b" ", b"entry=1", b"{\"entry\":[", b"{} {}", b"\xff", b"{\"a\":\"\xff\"}", b"{'a':1}", b"\"\0\""]
        {
            assert_eq!(read(bad), Err(Refusal::NotJson), "{bad:?}");
        }
    }

    #[test]
    fn ids_are_text_or_whole_numbers_and_nothing_else() {
        let change = |id: &str| {
            one(&format!(r#"{{"entry":[{{"id":7,"changes":[{{"value":{{"waba_info":{{"waba_id":{id}}}}}}}]}}]}}"#))
        };
        for (id, read) in [
            (r#""980198427658004""#, Some("980198427658004")),
            ("980198427658004", Some("980198427658004")),
            ("18446744073709551615", Some("18446744073709551615")),
            ("99999999999999999999", None),
            ("1.5", None),
            ("-1", None),
            (r#""12 ""#, None),
            (r#""""#, None),
            ("{}", None),
        ] {
            let change = change(id);
            assert_eq!((change.entry_id.as_deref(), change.waba_id.as_deref()), (Some("7"), read), "{id}");
        }
    }

    #[test]
    fn times_are_seconds_or_milliseconds_or_unknown() {
        for (time, read) in [
            ("1744823932", Some(datetime!(2025-04-16 17:18:52 UTC))),
            ("\"1744823932\"", Some(datetime!(2025-04-16 17:18:52 UTC))),
            ("1744823932123", Some(datetime!(2025-04-16 17:18:52 UTC))),
            ("0", None),
            ("-5", None),
            ("99999999999999999", None),
            ("\"yesterday\"", None),
            ("null", None),
        ] {
            let body = format!(r#"{{"entry":[{{"id":"1","time":{time},"changes":[{{}}]}}]}}"#);
            assert_eq!(one(&body).sent_at, read, "{time}");
        }
    }

    #[test]
    fn the_same_change_has_the_same_hash_and_no_other_has() {
        let body = |id: &str, time: &str, change: &str| {
            one(&format!(r#"{{"entry":[{{"id":{id},"time":{time},"changes":[{change}]}}]}}"#)).hash
        };
        let first = body("\"1\"", "1744823932", "{\"field\":\"a\"}");
        assert_eq!(first, body("\"1\"", "1744823932", "{\"field\":\"a\"}"));
        let others = [
            body("\"2\"", "1744823932", "{\"field\":\"a\"}"),
            body("\"1\"", "1744823933", "{\"field\":\"a\"}"),
            body("\"1\"", "1744823932", "{\"field\":\"b\"}"),
        ];
        assert!(others.iter().all(|other| *other != first));
        assert_ne!(hash_of(&["ab", "c"]), hash_of(&["a", "bc"]));
    }

    #[test]
    fn names_are_cut_and_hold_no_nul() {
        let change = one(&format!(
            r#"{{"entry":[{{"id":"1","changes":[{{"field":"a\u0000b","value":{{"event":"{}"}}}}]}}]}}"#,
            "E".repeat(500)
        ));
        assert_eq!(change.field.as_deref(), Some("a\u{FFFD}b"));
        assert_eq!(change.event.unwrap().len(), 100);
    }
}
