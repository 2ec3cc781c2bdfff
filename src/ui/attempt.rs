//! One call to Meta as support reads it: the outcome in words, the four facts Meta asks for, the raw answer.

use std::time::Duration;

use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    icon::{Glyph, Icon},
    identifier::Identifier,
    json::{self, Kind},
    numbers::{plural, seconds},
    state::Hue,
    timestamp::{TimeStyle, Timestamp},
};

/// The body of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Raw {
    /// None came.
    None,
    /// As it came; may be empty.
    Kept(String),
    /// It was there, and was dropped when it was older than this.
    Dropped {
        /// Days that bodies are kept.
        after_days: i32,
    },
}

/// What is known about one call. All of it is Meta's, so all of it is text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status; none when no answer came.
    pub http: Option<u16>,
    /// Meta's error code.
    pub code: Option<i64>,
    /// Meta's error subcode.
    pub subcode: Option<i64>,
    /// Meta's name for the call.
    pub fbtrace_id: Option<String>,
    /// From sending to the end of the answer.
    pub took: Option<Duration>,
    /// When it was sent.
    pub at: OffsetDateTime,
    /// The body as it came, tokens already taken out.
    pub raw: Raw,
    /// The page with everything about the call; none where this is it.
    pub page: Option<String>,
}

/// The list of calls; children are [`Attempt`]s, newest first.
#[component]
pub fn Attempts(children: Children) -> AnyView {
    view! { <ol class="attempts" reversed="">{children()}</ol> }.into_any()
}

/// One call. `outcome` is its heading: "Permission denied. Not retried: trying again cannot help."
///
/// ```text
/// view! { <Attempts><Attempt number=1 outcome="Meta took the request." answer=answer now=now open=true/></Attempts> }
/// ```
#[component]
pub fn Attempt(
    number: u32,
    #[prop(into)] outcome: String,
    answer: Answer,
    now: OffsetDateTime,
    /// Whether the raw answer is shown from the start: for the newest.
    #[prop(optional)]
    open: bool,
) -> AnyView {
    let trace = match answer.fbtrace_id {
        Some(id) => view! { <Identifier what="fbtrace_id" value=id mono=true/> }.into_any(),
        None => "–".into_any(),
    };
    view! {
        <li class="attempt">
            <span class="attempt-n" aria-hidden="true">{number}</span>
            <div class="attempt-main">
                <h3><span class="vh">"Attempt "{number}": "</span>{outcome}</h3>
                <dl class="attempt-facts">
                    <div><dt>"HTTP"</dt><dd>{http(answer.http)}</dd></div>
                    <div><dt>"Code / subcode"</dt><dd>{codes(answer.code, answer.subcode)}</dd></div>
                    <div><dt>"fbtrace_id"</dt><dd>{trace}</dd></div>
                    <div><dt>"Took"</dt><dd>{answer.took.map_or_else(|| "–".to_owned(), seconds)}</dd></div>
                    <div><dt>"At"</dt><dd><Timestamp at=answer.at now=now style=TimeStyle::Second/></dd></div>
                    {answer.page.map(|page| details_of_call(page, format!(" of attempt {number}")))}
                </dl>
                {raw_answer(number, answer.raw, open)}
            </div>
        </li>
    }
    .into_any()
}

/// The fact that leads to everything about a call. `of` ends the link's name for those who hear it alone.
pub fn details_of_call(page: String, of: String) -> AnyView {
    let link = view! { <a class="link" href=page>"Details"<span class="vh">{of}</span></a> }.into_any();
    view! { <div><dt>"Call"</dt><dd>{link}</dd></div> }.into_any()
}

fn http(status: Option<u16>) -> AnyView {
    let Some(status) = status else { return "No answer".into_any() };
    let hue = if (200..300).contains(&status) { Hue::Green } else { Hue::Red };
    view! { <span class=format!("http {}", hue.class())>{status}</span> }.into_any()
}

fn codes(code: Option<i64>, subcode: Option<i64>) -> String {
    match (code, subcode) {
        (Some(code), Some(subcode)) => format!("{code} / {subcode}"),
        (Some(code), None) => code.to_string(),
        (None, Some(subcode)) => format!("– / {subcode}"),
        (None, None) => "–".to_owned(),
    }
}

fn raw_answer(number: u32, raw: Raw, open: bool) -> Option<AnyView> {
    let raw = match raw {
        Raw::None => return None,
        Raw::Kept(raw) => raw,
        Raw::Dropped { after_days } => {
            let age = plural(after_days.unsigned_abs().into(), "day", "days");
            let words = format!("Raw answer no longer kept (older than {age}).");
            return Some(view! { <p class="hint">{words}</p> }.into_any());
        }
    };
    let shown = view! {
        <details class="disclose" open=open>
            <summary><Icon glyph=Glyph::Right/>"Raw answer"</summary>
            <RawText label=format!("Raw answer of attempt {number}") raw=raw/>
        </details>
    };
    Some(shown.into_any())
}

/// A text as it came, in a box that can be scrolled: JSON set out with its parts told apart.
#[component]
pub fn RawText(#[prop(into)] label: String, raw: String) -> AnyView {
    view! { <pre class="code" tabindex="0" role="region" aria-label=label>{body(raw)}</pre> }.into_any()
}

fn body(raw: String) -> AnyView {
    if raw.is_empty() {
        return "(empty)".into_any();
    }
    let Some(parts) = json::set_out(&raw) else { return raw.into_any() };
    parts
        .into_iter()
        .map(|part| match part.kind {
            Kind::Key => view! { <span class="k">{part.text}</span> }.into_any(),
            Kind::Text => view! { <span class="s">{part.text}</span> }.into_any(),
            Kind::Value => view! { <span class="d">{part.text}</span> }.into_any(),
            Kind::Shape => part.text.into_any(),
        })
        .collect_view()
        .into_any()
}
