//! Reads what somebody typed or pasted into 'Look up': which ids it may hold. Pure; whether they are known is `find.rs`'s to say.

use serde_json::Value;

use crate::onboarding::RequestNumber;

/// The longest trace id taken, in bytes; those seen at Meta have 11 to 36.
const LONGEST_TRACE: usize = 128;

/// The most ids taken from one paste.
const MOST_READINGS: usize = 5;

/// The JSON field and the response headers by which Meta names a call.
const TRACE_NAMES: [&str; 3] = ["fbtrace_id", "x-fb-request-id", "x-fb-trace-id"];

/// One way to understand what was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Our number: `LB-1001`.
    Request(RequestNumber),
    /// Digits: Meta's request id, a business's, a WABA's. They can't be told apart by shape.
    Digits(String),
    /// What may be an `fbtrace_id` or an `x-fb-request-id`. Case matters.
    Trace(String),
}

/// Everything that was understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    /// In the order they stood in the text; none when nothing there can be an id.
    pub readings: Vec<Reading>,
    /// Whether it was a whole error or answer of Graph's rather than an id.
    pub is_answer: bool,
}

/// Understands what was typed. White space, quotes and commas around it are nothing; anything at all may come.
pub fn read(text: &str) -> Typed {
    let text = trim(text);
    if text.is_empty() {
        return Typed::default();
    }
    if let Ok(number) = text.parse() {
        return Typed { readings: vec![Reading::Request(number)], is_answer: false };
    }
    if text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Typed { readings: vec![Reading::Digits(text.to_owned())], is_answer: false };
    }
    if is_trace(text) && !TRACE_NAMES.contains(&text) {
        return Typed { readings: vec![Reading::Trace(text.to_owned())], is_answer: false };
    }
    let mut traces = traces_in_json(text);
    if traces.is_empty() {
        traces = traces_in_text(text);
    }
    let is_answer = !traces.is_empty() || text.starts_with(['{', '[']);
    Typed { readings: traces.into_iter().map(Reading::Trace).collect(), is_answer }
}

/// Without what comes along when an id is copied out of a sentence, a log or a spreadsheet.
fn trim(text: &str) -> &str {
    text.trim_matches(|letter: char| {
        letter.is_whitespace()
            || matches!(
                letter,
                '"' | '\'' | '`' | '“' | '”' | '‘' | '’' | ',' | ';' | '\u{200b}' | '\u{2066}'
                    ..='\u{2069}' | '\u{feff}'
            )
    })
}

/// Meta's trace ids are base64 of either alphabet, its request ids are UUIDs or the like.
fn is_trace(text: &str) -> bool {
    (1..=LONGEST_TRACE).contains(&text.len()) && text.bytes().all(is_trace_byte)
}

fn is_trace_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'/' | b'+' | b'=' | b'.')
}

/// Trace ids at any depth of a JSON text, which may itself be a string that holds JSON.
fn traces_in_json(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if let Ok(value) = serde_json::from_str(text) {
        collect(&value, &mut found);
    }
    found
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if is_trace_name(name) => push(found, text),
                    value => collect(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

/// Trace ids in what isn't JSON: cut-off JSON, JSON in a string, a language's own dump of it, a log line, headers.
fn traces_in_text(text: &str) -> Vec<String> {
    let lower = text.to_ascii_lowercase();
    let mut places: Vec<usize> =
        TRACE_NAMES.iter().flat_map(|name| lower.match_indices(name).map(|(at, name)| at + name.len())).collect();
    places.sort_unstable();
    let mut found = Vec::new();
    for place in places {
        // Same bytes in both, as only ASCII letters changed.
        let value = text[place..].trim_start_matches(|letter: char| {
            letter.is_whitespace() || matches!(letter, '"' | '\'' | '\\' | ':' | '=' | '>')
        });
        let end = value.bytes().position(|byte| !is_trace_byte(byte)).unwrap_or(value.len());
        push(&mut found, value[..end].trim_end_matches('.'));
    }
    found
}

fn is_trace_name(name: &str) -> bool {
    TRACE_NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
}

fn push(found: &mut Vec<String>, trace: &str) {
    if found.len() < MOST_READINGS && is_trace(trace) && !found.iter().any(|known| known == trace) {
        found.push(trace.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "AfR7uWcN1eKq_Zs84TgXo2M";

    fn readings(text: &str) -> Vec<Reading> {
        read(text).readings
    }

    fn trace(id: &str) -> Vec<Reading> {
        vec![Reading::Trace(id.to_owned())]
    }

    #[test]
    fn our_numbers_metas_digits_and_trace_ids_are_told_apart() {
        let cases = [
            ("LB-1001", Reading::Request(RequestNumber(1001))),
            ("lb1001", Reading::Request(RequestNumber(1001))),
            ("738201946655120", Reading::Digits("738201946655120".into())),
            ("7", Reading::Digits("7".into())),
            ("99999999999999999999", Reading::Digits("99999999999999999999".into())),
            (TRACE, Reading::Trace(TRACE.into())),
            ("EJplcsCHuLu", Reading::Trace("EJplcsCHuLu".into())),
            ("BLBz/WZt8dN+=", Reading::Trace("BLBz/WZt8dN+=".into())),
            ("6f1c1b5e-2a4d-4f5c-9a51-6d1f0e8f3b11", Reading::Trace("6f1c1b5e-2a4d-4f5c-9a51-6d1f0e8f3b11".into())),
            // Too long for an id of Meta's, so perhaps one of those that name a call.
            ("123456789012345678901", Reading::Trace("123456789012345678901".into())),
        ];
        for (text, reading) in cases {
            assert_eq!(read(text), Typed { readings: vec![reading], is_answer: false }, "{text}");
        }
    }

    #[test]
    fn what_was_copied_along_does_not_matter() {
        for text in [" LB-1001\n", "\"LB-1001\",", "“LB-1001”", "\u{feff}LB-1001\u{200b}", "`LB-1001`;"] {
            assert_eq!(readings(text), [Reading::Request(RequestNumber(1001))], "{text:?}");
        }
        assert_eq!(readings(&format!("\t'{TRACE}' ")), trace(TRACE));
        assert_eq!(readings("\u{2068}1284923862322270\u{2069}"), [Reading::Digits("1284923862322270".into())]);
    }

    #[test]
    fn case_is_kept_in_a_trace_id() {
        assert_ne!(readings("AXsgnV2"), readings("axsgnv2"));
    }

    #[test]
    fn the_trace_id_is_found_in_whatever_holds_an_error() {
        let cases = [
            format!(r#"{{"error":{{"message":"(#200) No","code":200,"fbtrace_id":"{TRACE}"}}}}"#),
            format!("{{\n  \"error\": {{\n    \"fbtrace_id\" : \"{TRACE}\"\n"),
            format!(r#""{{\"error\":{{\"code\":200,\"fbtrace_id\":\"{TRACE}\"}}}}""#),
            format!("{{'error': {{'code': 200, 'fbtrace_id': '{TRACE}'}}}}"),
            format!("[error] => Array ( [fbtrace_id] => {TRACE} )").replace("[fbtrace_id]", "fbtrace_id"),
            format!("Meta refused the call: No (code 200, HTTP 403, fbtrace_id {TRACE})."),
            format!("HTTP/1.1 403\r\nX-FB-Request-Id: {TRACE}\r\ncontent-length: 2"),
            format!(r#"[{{"body": {{"error": {{"FBTRACE_ID": "{TRACE}"}}}}}}]"#),
        ];
        for text in cases {
            assert_eq!(read(&text), Typed { readings: trace(TRACE), is_answer: true }, "{text}");
        }
    }

    #[test]
    fn a_slash_that_json_escaped_is_a_slash() {
        assert_eq!(readings(r#"{"error":{"fbtrace_id":"BLBz\/WZt8dN"}}"#), trace("BLBz/WZt8dN"));
    }

    #[test]
    fn several_errors_give_several_ids_each_once_and_not_too_many() {
        let two = r#"[{"fbtrace_id":"A1"},{"fbtrace_id":"B2"},{"fbtrace_id":"A1"}]"#;
        assert_eq!(readings(two), [trace("A1"), trace("B2")].concat());
        let many = (0..100).map(|number| format!("fbtrace_id: A{number}\n")).collect::<Vec<_>>().concat();
        assert_eq!(readings(&many).len(), MOST_READINGS);
    }

    #[test]
    fn an_error_without_a_trace_id_is_known_for_an_error() {
        for text in [r#"{"error":{"code":200}}"#, r#"{"error":{"code":200,"fbtrace_id":""}}"#, "{\"error\":", "{}"] {
            assert_eq!(read(text), Typed { readings: vec![], is_answer: true }, "{text}");
        }
    }

    #[test]
    fn nothing_is_read_into_nothing() {
        let long = "A".repeat(10_240);
        let nested = "[".repeat(10_240);
        let cases = [
            "",
            " \n\t",
            "\"\"",
            "Casa Ipê",
            "two words",
            "AXsg\0nV2",
            "\0",
            "1284\u{0660}",
            "fbtrace_id",
            long.as_str(),
        ];
        for text in cases {
            assert_eq!(readings(text), [], "{text:?}");
        }
        assert_eq!(readings(&nested), []);
        assert_eq!(read("   "), Typed::default());
    }
}
