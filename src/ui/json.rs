//! Sets JSON out for reading without changing a character of what it says.
//!
//! It re-spaces the text instead of parsing and printing it again: ids longer than a float holds, repeated keys and the
//! order of keys stay as Meta sent them, which is what support needs to see.

/// What a part is, for its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An object's key, with its quotes.
    Key,
    /// A string, with its quotes.
    Text,
    /// A number, `true`, `false` or `null`.
    Value,
    /// Brackets, commas, colons and space.
    Shape,
}

/// A piece of the set-out text. All pieces together are the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub kind: Kind,
    pub text: String,
}

/// Deeper than this is no answer of Graph's, and its indents would be the most of it.
const DEEPEST: usize = 32;

/// The text with two spaces of indent a level, or none if it isn't JSON, is cut off, or is nested absurdly deep.
pub fn set_out(raw: &str) -> Option<Vec<Part>> {
    let raw = raw.trim();
    if !raw.starts_with(['{', '[']) {
        return None;
    }
    let mut parts = Parts::default();
    let mut open: Vec<char> = Vec::new();
    let mut rest = raw;
    while let Some(next) = rest.chars().next() {
        let mut taken = next.len_utf8();
        match next {
            '{' | '[' => {
                open.push(next);
                if open.len() > DEEPEST {
                    return None;
                }
                let close = if next == '{' { '}' } else { ']' };
                parts.shape(next);
                let after = rest[taken..].trim_start();
                if after.starts_with(close) {
                    open.pop();
                    parts.shape(close);
                    taken = rest.len() - after.len() + close.len_utf8();
                } else {
                    parts.line(open.len());
                }
            }
            '}' | ']' => {
                if open.pop() != Some(if next == '}' { '{' } else { '[' }) {
                    return None;
                }
                parts.line(open.len());
                parts.shape(next);
            }
            ',' => {
                parts.shape(next);
                parts.line(open.len());
            }
            ':' => parts.space(": "),
            '"' => {
                taken = string_length(rest)?;
                let is_key = open.last() == Some(&'{') && rest[taken..].trim_start().starts_with(':');
                parts.push(if is_key { Kind::Key } else { Kind::Text }, &rest[..taken]);
            }
            _ if next.is_whitespace() => {}
            _ => {
                taken = value_length(rest)?;
                parts.push(Kind::Value, &rest[..taken]);
            }
        }
        rest = &rest[taken..];
        if open.is_empty() && !rest.is_empty() {
            return None;
        }
    }
    open.is_empty().then_some(parts.0)
}

/// The length of the string that `text` starts with, quotes included.
fn string_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, next) in text.char_indices().skip(1) {
        match next {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// The length of the number or word that `text` starts with.
fn value_length(text: &str) -> Option<usize> {
    let length = text
        .find(|next: char| !(next.is_ascii_alphanumeric() || matches!(next, '+' | '-' | '.')))
        .unwrap_or(text.len());
    let value = &text[..length];
    let known = matches!(value, "true" | "false" | "null")
        || value.starts_with(|first: char| first.is_ascii_digit() || first == '-');
    known.then_some(length)
}

#[derive(Default)]
struct Parts(Vec<Part>);

impl Parts {
    fn push(&mut self, kind: Kind, text: &str) {
        match self.0.last_mut() {
            Some(last) if last.kind == kind => last.text.push_str(text),
            _ => self.0.push(Part { kind, text: text.to_owned() }),
        }
    }

    fn shape(&mut self, mark: char) {
        self.push(Kind::Shape, mark.encode_utf8(&mut [0; 4]));
    }

    fn space(&mut self, text: &str) {
        self.push(Kind::Shape, text);
    }

    fn line(&mut self, depth: usize) {
        self.push(Kind::Shape, "\n");
        self.push(Kind::Shape, &"  ".repeat(depth));
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, set_out};

    fn whole(raw: &str) -> Option<String> {
        set_out(raw).map(|parts| parts.into_iter().map(|part| part.text).collect())
    }

    #[test]
    fn an_answer_is_set_out_two_spaces_a_level() {
        let raw = r#"{"error":{"message":"(#200) \"no\", {x}","code":200,"data":[],"list":[1,{"a":null}]}}"#;
        let expected = r#"{
  "error": {
    "message": "(#200) \"no\", {x}",
    "code": 200,
    "data": [],
    "list": [
      1,
      {
        "a": null
      }
    ]
  }
}"#;
        assert_eq!(whole(raw).as_deref(), Some(expected));
        assert_eq!(whole(expected).as_deref(), Some(expected));
    }

    #[test]
    fn no_digit_and_no_key_is_lost() {
        let raw = r#"{"id":12345678901234567890.50,"id":1}"#;
        assert_eq!(whole(raw).as_deref(), Some("{\n  \"id\": 12345678901234567890.50,\n  \"id\": 1\n}"));
    }

    #[test]
    fn keys_texts_and_values_are_told_apart() {
        let kinds: Vec<_> = set_out(r#"{"a":"b","c":["d"],"e":true}"#)
            .unwrap_or_default()
            .into_iter()
            .map(|part| (part.kind, part.text))
            .collect();
        for (kind, text) in [
            (Kind::Key, "\"a\""),
            (Kind::Text, "\"b\""),
            (Kind::Text, "\"d\""),
            (Kind::Key, "\"e\""),
            (Kind::Value, "true"),
        ] {
            assert!(kinds.contains(&(kind, text.to_owned())), "{text} is not {kind:?}");
        }
    }

    #[test]
    fn what_is_not_json_is_left_alone() {
        let deep = "[".repeat(100) + &"]".repeat(100);
        for raw in ["", "<html>", "{\"a\":", "{\"a\":\"b", "[1}", "{}{}", "{a:1}", "502 Bad Gateway", deep.as_str()] {
            assert_eq!(set_out(raw), None, "{raw}");
        }
    }
}
