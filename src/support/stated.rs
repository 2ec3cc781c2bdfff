//! An error of Graph's that was pasted and is of no call of ours: what it means, since its code and its words say that much.

use leptos::prelude::*;
use serde_json::Value;

use crate::{
    graph::{self, Cause, GraphError},
    onboarding::{
        self,
        explain::{Meaning, meaning},
    },
    ui::{Lead, Panel},
};

/// What is said of an error of which nothing else is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stated {
    /// What it comes down to; its words may tell more than its code.
    pub cause: Cause,
    pub code: i64,
    pub subcode: Option<i64>,
}

/// What the error means, with the way to those of our calls that were answered with its code.
pub fn stated_error(Stated { cause, code, subcode }: Stated) -> AnyView {
    let Meaning { title, words, next } = meaning(cause, Some(code), subcode);
    let named = subcode.map_or_else(|| format!("Code {code}"), |subcode| format!("Code {code}, subcode {subcode}"));
    let alike = onboarding::href(&format!("in:calls code:{code}"));
    view! {
        <Panel named_by="stated">
            <div class="panel-body stack">
                <Lead id="stated" title=format!("What this error means: {title}")>
                    <p class="muted">{named}</p>
                    <p>{words}</p>
                    <p>{next}</p>
                </Lead>
                <div class="row"><a class="btn" href=alike>"See your calls with this code"</a></div>
            </div>
        </Panel>
    }
    .into_any()
}

/// How many beginnings of JSON are looked at in a text, and how far into it: an error is short.
const MOST_TRIED: usize = 20;
const MOST_READ: usize = 64 * 1024;

/// The code of the first error that stands in a text as JSON, by itself or within an answer of Graph's.
pub fn read(text: &str) -> Option<Stated> {
    let text = &text[..text.floor_char_boundary(MOST_READ)];
    text.match_indices('{').take(MOST_TRIED).find_map(|(begin, _)| {
        let body = serde_json::Deserializer::from_str(&text[begin..]).into_iter::<Value>().next()?.ok()?;
        let error = GraphError::pasted(&body)?;
        let cause = graph::cause_of(Some(&error), None, None, false)?;
        Some(Stated { cause, code: error.code?, subcode: error.subcode })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_read_out_of_what_was_pasted() {
        for (text, code, subcode, cause) in [
            (
                r#"{"error":{"message":"Error validating access token","type":"OAuthException","code":190,"error_subcode":463}}"#,
                190,
                Some(463),
                Cause::TokenInvalid,
            ),
            (r#"12:01 ERROR {"error":{"code":"4","message":"limit"}} and more"#, 4, None, Cause::Throttled),
            (r#"{"code":200,"message":"no","type":"OAuthException"}"#, 200, None, Cause::AccessDenied),
            (r#"{"code":200,"status":"ok"} {"error":{"code":10}}"#, 10, None, Cause::AccessDenied),
            (r#"{"error":{"code":100,"message":"(#100) Invalid recipient type"}}"#, 100, None, Cause::InvalidRecipient),
            (r#"curl -d '{"a":1}' says {"error":{"code":613}}"#, 613, None, Cause::Throttled),
        ] {
            assert_eq!(read(text), Some(Stated { cause, code, subcode }), "{text}");
        }
        for none in [
            "",
            "code 190",
            "{",
            r#"{"error":{"message":"x"}}"#,
            r#"{"id":"5"}"#,
            r#"{"code":200}"#,
            r#"{"error":{"code":"x"}}"#,
        ] {
            assert_eq!(read(none), None, "{none}");
        }
    }

    #[test]
    fn what_it_means_is_said_in_words() {
        let html = Owner::new()
            .with(|| stated_error(Stated { cause: Cause::TokenInvalid, code: 190, subcode: Some(463) }).to_html());
        assert!(html.contains("Code 190, subcode 463") && html.contains("/requests?q=in:calls%20code:190"), "{html}");
        let unknown = Owner::new()
            .with(|| stated_error(Stated { cause: Cause::Unrecognised, code: 987_654, subcode: None }).to_html());
        assert!(unknown.contains("Code 987654"), "{unknown}");
    }
}
