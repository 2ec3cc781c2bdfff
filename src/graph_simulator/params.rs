//! Parameters of a call, from query, form, JSON and multipart body alike, as Graph takes them (facts 1.7).
//!
//! Later wins: the body over the query, the last of two equal names over the first, since SDKs repeat `access_token`.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::Value;
use url::form_urlencoded;

/// Names and values; a value that was JSON stays JSON text.
#[derive(Clone, Debug, Default)]
pub(super) struct Params(BTreeMap<String, String>);

/// What couldn't be read, in Graph's words.
pub(super) type Unreadable = &'static str;

impl Params {
    pub(super) fn read(query: &str, content_type: &str, body: &[u8]) -> Result<Self, Unreadable> {
        let mut params = Self::default();
        params.take_form(query.as_bytes());
        let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(params);
        }
        match kind.as_str() {
            "multipart/form-data" => params.take_multipart(content_type, body)?,
            "application/json" | "text/json" => params.take_json(body)?,
            // A JSON body that isn't declared as one is common in hand-made clients.
            _ if body.trim_ascii_start().starts_with(b"{") => params.take_json(body)?,
            _ => params.take_form(body),
        }
        Ok(params)
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(super) fn remove(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    pub(super) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    fn take_form(&mut self, text: &[u8]) {
        let mut lists: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(text) {
            // PHP's habit, which Graph inherits: fields[]=id, fields[0]=id.
            match name.split_once('[') {
                Some((list, index)) if index.ends_with(']') => {
                    lists.entry(list.to_owned()).or_default().push(value.into_owned());
                }
                _ => self.set(&name, value),
            }
        }
        for (name, list) in lists {
            self.set(&name, Value::from(list).to_string());
        }
    }

    fn take_json(&mut self, body: &[u8]) -> Result<(), Unreadable> {
        let Ok(Value::Object(object)) = serde_json::from_slice(body) else { return Err("Invalid JSON for postcard") };
        for (name, value) in object {
            match value {
                Value::Null => {}
                Value::String(text) => self.set(&name, text),
                other => self.set(&name, other.to_string()),
            }
        }
        Ok(())
    }

    fn take_multipart(&mut self, content_type: &str, body: &[u8]) -> Result<(), Unreadable> {
        const WRONG: Unreadable = "The multipart body could not be read";
        let boundary = content_type.split("boundary=").nth(1).ok_or(WRONG)?.split(';').next().unwrap_or_default();
        let delimiter = format!("--{}", boundary.trim().trim_matches('"'));
        let text = String::from_utf8_lossy(body);
        for part in text.split(delimiter.as_str()).skip(1) {
            if part.starts_with("--") {
                return Ok(());
            }
            let (head, value) = part.split_once("\r\n\r\n").ok_or(WRONG)?;
            let name = head.split("name=\"").nth(1).and_then(|rest| rest.split('"').next()).ok_or(WRONG)?;
            let name = percent_decode_str(name).decode_utf8_lossy();
            if !head.contains("filename=") {
                self.set(&name, value.strip_suffix("\r\n").unwrap_or(value));
            }
        }
        Err(WRONG)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str, kind: &str, body: &str) -> Params {
        Params::read(query, kind, body.as_bytes()).unwrap()
    }

    #[test]
    fn query_form_json_and_multipart_are_the_same_to_graph() {
        let multipart = "--x\r\nContent-Disposition: form-data; name=\"solution_id\"\r\n\r\n77\r\n--x--\r\n";
        for params in [
            read("solution_id=77", "", ""),
            read("", "application/x-www-form-urlencoded", "solution_id=77"),
            read("", "application/json; charset=utf-8", r#"{"solution_id":"77"}"#),
            read("", "application/json", r#"{"solution_id":77}"#),
            read("", "text/plain", r#"{"solution_id":77}"#),
            read("", "multipart/form-data; boundary=x", multipart),
        ] {
            assert_eq!(params.get("solution_id"), Some("77"));
        }
    }

    #[test]
    fn the_last_of_two_tokens_counts_and_the_body_beats_the_query() {
        assert_eq!(read("access_token=a&access_token=b", "", "").get("access_token"), Some("b"));
        assert_eq!(
            read("access_token=a", "application/json", r#"{"access_token":"c"}"#).get("access_token"),
            Some("c")
        );
    }

    #[test]
    fn lists_keep_their_json_whatever_way_they_came() {
        assert_eq!(read("", "application/json", r#"{"fields":["id","name"]}"#).get("fields"), Some(r#"["id","name"]"#));
        assert_eq!(read("fields[]=id&fields[1]=name", "", "").get("fields"), Some(r#"["id","name"]"#));
    }

    #[test]
    fn an_empty_json_body_on_a_get_is_nothing() {
        assert!(read("", "application/json", "{}").is_empty());
        assert!(Params::read("", "application/json", b"{cut").is_err());
    }
}
