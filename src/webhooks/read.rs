//! Reads a delivery as far as it can be read, and keeps the bytes of the rest.
//!
//! Meta's own page prints its payloads with keys in wrong places (5.9), and an app may be subscribed to fields we don't know. So
//! nothing but JSON is required: a change is told apart where there is one, and what is known of it is looked for where it should be
//! and where Meta has been seen to put it.

use std::collections::HashSet;

use serde_json::{Value, value::RawValue};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::{
    refusal::Refusal,
    shape::{Change, Delivery, Entry, Few, Info, MOST_CHANGES, Part, Said, object, scalar},
};
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

/// The changes of a delivery: entry by entry, change by change (5.4), each once. What has another shape is one change as a whole.
///
/// # Errors
/// [`Refusal::NotJson`], [`Refusal::TooMany`].
pub fn read(body: &[u8]) -> Result<Vec<Arrival>, Refusal> {
    let whole: &RawValue = serde_json::from_slice(body).map_err(|_| Refusal::NotJson)?;
    let entries = object::<Delivery>(whole).map(|delivery| delivery.entry);
    let mut changes = Vec::new();
    for raw in bounded(entries, 0)? {
        read_entry(raw, &mut changes)?;
    }
    if changes.is_empty() {
        changes.push(unread(whole));
    }
    let mut known = HashSet::new();
    changes.retain(|change| known.insert(change.hash));
    Ok(changes)
}

/// A list that makes no more changes than one delivery may have, with those there are.
fn bounded(list: Option<Few<'_>>, there: usize) -> Result<Vec<&RawValue>, Refusal> {
    let Some(list) = list else { return Ok(Vec::new()) };
    if list.has_more || there + list.items.len() > MOST_CHANGES { Err(Refusal::TooMany) } else { Ok(list.items) }
}

fn read_entry(raw: &RawValue, all: &mut Vec<Arrival>) -> Result<(), Refusal> {
    let Some(Entry { id, time, field, changes }) = object(raw) else {
        all.push(unread(raw));
        return bounded(None, all.len()).map(drop);
    };
    let changes = bounded(Some(changes), all.len())?;
    match id_of(&scalar(Some(id))) {
        Some(entry_id) if !changes.is_empty() => {
            let place = Place { id, entry_id, time, field };
            all.extend(changes.into_iter().map(|change| read_change(&place, change)));
        }
        _ => all.push(unread(raw)),
    }
    Ok(())
}

/// What an entry says of all its changes.
struct Place<'a> {
    id: &'a RawValue,
    entry_id: String,
    time: Option<&'a RawValue>,
    field: Option<&'a RawValue>,
}

fn read_change(place: &Place, raw: &RawValue) -> Arrival {
    let change: Change = object(raw).unwrap_or_default();
    let said: Said = change.value.and_then(object).unwrap_or_default();
    let info: Info = said.waba_info.and_then(object).unwrap_or_default();
    let name = |raw: Option<&RawValue>| name_of(&scalar(raw));
    let id = |raw: Option<&RawValue>| id_of(&scalar(raw));
    let time = place.time.map_or("", RawValue::get);
    Arrival {
        hash: hash_of(&[place.id.get(), time, raw.get()]),
        entry_id: Some(place.entry_id.clone()),
        sent_at: time_of(&scalar(place.time)),
        // On the change where Meta's syntax has it, in the value and on the entry where its examples have it.
        field: name(change.field).or_else(|| name(said.field)).or_else(|| name(place.field)),
        event: name(said.event),
        business_id: id(info.owner),
        waba_id: id(info.waba),
        solution_id: id(said.solution_id).or_else(|| id(info.solution)),
        body: raw.get().to_owned(),
    }
}

/// What no change can be told apart in.
fn unread(raw: &RawValue) -> Arrival {
    let part: Part = object(raw).unwrap_or_default();
    Arrival {
        hash: hash_of(&[raw.get()]),
        entry_id: id_of(&scalar(part.id)),
        sent_at: time_of(&scalar(part.time)),
        field: None,
        event: None,
        business_id: None,
        waba_id: None,
        solution_id: None,
        body: raw.get().to_owned(),
    }
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
    fn more_than_a_thousand_changes_are_refused_wherever_they_stand() {
        let list = |n: usize, one: &str| vec![one; n].join(",");
        let change = r#"{"field":"x"}"#;
        for (entries, fits) in [
            (format!(r#"{{"id":"1","changes":[{}]}}"#, list(1_000, change)), true),
            (format!(r#"{{"id":"1","changes":[{}]}}"#, list(1_001, change)), false),
            (list(1_000, &format!(r#"{{"id":"1","changes":[{change}]}}"#)), true),
            (list(1_001, &format!(r#"{{"id":"1","changes":[{change}]}}"#)), false),
            (list(501, &format!(r#"{{"id":"1","changes":[{change},{change}]}}"#)), false),
            (format!("{},0", list(1_000, "7")), false),
            (format!(r#"{},{{"id":"1","changes":[{}]}}"#, list(500, "7"), list(501, change)), false),
            (format!(r#"{{"id":"1","changes":[{}]}}"#, list(1_000_000, "0")), false),
        ] {
            let read = read(format!(r#"{{"entry":[{entries}]}}"#).as_bytes());
            assert_eq!(read.is_ok(), fits, "{entries:.60}");
            assert!(fits || read == Err(Refusal::TooMany));
        }
    }

    #[test]
    fn the_same_change_twice_in_one_delivery_is_one() {
        let entry = r#"{"id":"1","time":1744823932,"changes":[{"field":"x"},{"field":"x"},{"field":"y"}]}"#;
        assert_eq!(read(format!(r#"{{"entry":[{entry},{entry}]}}"#).as_bytes()).unwrap().len(), 2);
    }

    #[test]
    fn what_is_not_asked_for_is_passed_over_however_much_it_is() {
        let much = format!("[{}]", vec![r#"{"":0}"#; 400_000].join(","));
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for odd in [much, deep] {
            let value = format!(r#"{{"event":"X","waba_info":{odd},"more":{odd}}}"#);
            let body =
                format!(r#"{{"entry":[{{"id":"1","changes":[{{"value":{value},"field":{odd}}}],"time":{odd}}}]}}"#);
            let change = one(&body);
            assert_eq!((change.event.as_deref(), change.field, change.waba_id), (Some("X"), None, None));
        }
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
