//! Reads Graph's JSON leniently: what Meta documents as text may come as a number, in any case, as `null`, or not at all,
//! and none of that may cost a whole page of good rows (2.7).

use serde_json::Value;

/// A text field, or a number's digits. Empty text counts as missing; NUL, which Postgres can't keep, becomes U+FFFD.
pub(super) fn text(object: &Value, name: &str) -> Option<String> {
    match object.get(name)? {
        Value::String(text) if !text.is_empty() => Some(text.replace('\0', "\u{FFFD}")),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A text field that holds one of Meta's named values: upper case, whichever case it came in. Unknown ones stay.
pub(super) fn upper(object: &Value, name: &str) -> Option<String> {
    text(object, name).map(|text| text.to_uppercase())
}

/// An id field, given as text or as a whole number.
pub(super) fn id<T: TryFrom<String>>(object: &Value, name: &str) -> Option<T> {
    match object.get(name)? {
        Value::String(text) => text.clone().try_into().ok(),
        Value::Number(number) => number.as_u64()?.to_string().try_into().ok(),
        _ => None,
    }
}

/// A number, or text that is one.
pub(super) fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// A whole number, or text that is one.
pub(super) fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// The rows of a list. Also takes `{"0":{..},"1":{..}}`, as one page of Meta's shows it (2.6), in the order of its keys.
pub(super) fn rows(list: &Value) -> Option<Vec<&Value>> {
    match list {
        Value::Array(rows) => Some(rows.iter().collect()),
        Value::Object(rows) => {
            let mut rows = rows
                .iter()
                .map(|(key, row)| key.parse::<u64>().map(|key| (key, row)))
                .collect::<Result<Vec<_>, _>>()
                .ok()?;
            rows.sort_by_key(|(key, _)| *key);
            Some(rows.into_iter().map(|(_, row)| row).collect())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::ids::WabaId, *};

    #[test]
    fn text_is_taken_from_numbers_but_not_from_nothing() {
        let row = json!({"a": "x\0", "b": 1, "c": null, "d": "", "e": {}, "f": "Verified"});
        assert_eq!(text(&row, "a").as_deref(), Some("x\u{FFFD}"));
        assert_eq!(text(&row, "b").as_deref(), Some("1"));
        for missing in ["c", "d", "e", "z"] {
            assert_eq!(text(&row, missing), None);
        }
        assert_eq!(upper(&row, "f").as_deref(), Some("VERIFIED"));
    }

    #[test]
    fn ids_are_taken_from_text_and_whole_numbers_only() {
        let row = json!({"a": "46302397361990", "b": 46_302_397_361_990_u64, "c": 4.0, "d": "x", "e": -1});
        let read = |name| id::<WabaId>(&row, name).map(|id| id.to_string());
        assert_eq!(read("a"), read("b"));
        assert_eq!(read("a").as_deref(), Some("46302397361990"));
        assert_eq!((read("c"), read("d"), read("e"), read("z")), (None, None, None, None));
    }

    #[test]
    fn rows_keep_their_order_in_either_shape() {
        let numbered = json!({"10": "c", "2": "b", "0": "a"});
        assert_eq!(rows(&numbered).unwrap(), rows(&json!(["a", "b", "c"])).unwrap());
        assert_eq!(rows(&json!({})).unwrap().len(), 0);
        for no_list in [json!(null), json!("x"), json!({"id": "1"})] {
            assert_eq!(rows(&no_list), None);
        }
    }
}
