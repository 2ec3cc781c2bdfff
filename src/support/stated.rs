//! An error of Graph's that was pasted and is of no call of ours: what it means, since its code says that much.

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

/// What tells an error from others, where that is all we have of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stated {
    pub code: i64,
    pub subcode: Option<i64>,
}

/// What the error means, with the way to those of our calls that were answered with its code.
pub fn stated_error(Stated { code, subcode }: Stated) -> AnyView {
    let error = GraphError { code: Some(code), subcode, ..GraphError::default() };
    let cause = graph::cause_of(Some(&error), None, None, false).unwrap_or(Cause::Unrecognised);
    let Meaning { title, words, next } = meaning(cause, error.code, error.subcode);
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
        let inner = body.get("error").filter(|error| error.is_object());
        let bare = || ["fbtrace_id", "type"].iter().any(|name| body.get(name).is_some()).then_some(&body);
        let error = inner.or_else(bare)?;
        let whole = |name: &str| {
            let value = error.get(name)?;
            value.as_i64().or_else(|| value.as_str()?.parse().ok())
        };
        Some(Stated { code: whole("code")?, subcode: whole("error_subcode") })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_read_out_of_what_was_pasted() {
        for (text, code, subcode) in [
            (
                r#"{"error":{"message":"Error validating access token","type":"OAuthException","code":190,"error_subcode":463}}"#,
                190,
                Some(463),
            ),
            (r#"12:01 ERROR {"error":{"code":"4","message":"limit"}} and more"#, 4, None),
            (r#"{"code":200,"message":"no","type":"OAuthException"}"#, 200, None),
            (r#"{"code":200,"status":"ok"} {"error":{"code":10}}"#, 10, None),
            (r#"curl -d '{"a":1}' says {"error":{"code":100}}"#, 100, None),
        ] {
            assert_eq!(read(text), Some(Stated { code, subcode }), "{text}");
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
        let html = Owner::new().with(|| stated_error(Stated { code: 190, subcode: Some(463) }).to_html());
        assert!(html.contains("Code 190, subcode 463") && html.contains("/requests?q=in:calls%20code:190"), "{html}");
        let unknown = Owner::new().with(|| stated_error(Stated { code: 987_654, subcode: None }).to_html());
        assert!(unknown.contains("Code 987654"), "{unknown}");
    }
}
