//! The page 'Look up': one box, one answer. Every role may look.

use leptos::prelude::*;
use time::OffsetDateTime;
use url::Url;

use super::{
    answer::{business_answer, nothing_known, only_told, several_answers},
    call::call_answer,
    failures::week,
    find::{Answer, By, Found, find},
    lookup::{self, Shape, Typed},
    start::start,
    stated::{self, Stated, stated_error},
    store,
};
use crate::{
    graph::Graph,
    onboarding::RequestNumber,
    sign_in::{Page, Viewer, Visit},
    telemetry::{self, mishap},
    ui::{AppError, Glyph, Icon, Notice, NoticeKind, PageHead, SearchField, grouped},
};

/// Look-ups of one's own that are one click away, and causes of failures beside them.
const MOST_RECENT: i64 = 8;
const MOST_FAILING: i64 = 5;

/// `/support`: the box; with `q`, also what is known about it. `as` and `of` say what text `q` was taken from, and how long that was.
///
/// A look-up that means exactly one request leads on to the request's page.
///
/// # Errors
/// Postgres being away.
pub async fn support_page(visit: Visit) -> Result<Page, AppError> {
    let graph = graph_url()?;
    let text = visit.query("q").unwrap_or_default();
    let typed_before = visit.unsent("/support", "q");
    let (viewer, now) = (&visit.viewer, visit.clock.now());
    let mut tx = visit.tenant().await?;
    let answer = if text.trim().is_empty() {
        let look_ups = store::look_ups_of(&mut tx, viewer.member_id, MOST_RECENT).await.map_err(mishap)?;
        let failing = store::list_groups(&mut tx, week(now), MOST_FAILING).await.map_err(mishap)?;
        start(look_ups, failing, now)
    } else {
        let shape = visit.query("as").as_deref().and_then(Shape::of_paste);
        let mut typed = lookup::read_query(&text, shape);
        typed.ids.more |= visit.query("more").is_some();
        let number = |name| visit.query(name).and_then(|text| text.parse().ok());
        let stated = match (visit.query("cause").and_then(|cause| cause.parse().ok()), number("code")) {
            (Some(cause), Some(code)) => Some(Stated { cause, code, subcode: number("subcode") }),
            _ => stated::read(&text),
        };
        let found = find(&mut tx, &typed, now).await.map_err(mishap)?;
        if let Found::Request(line) = &found.found {
            leptos_axum::redirect(&request_path(line.number));
        }
        let length = visit.query("of").and_then(|length| length.parse().ok());
        answer(&Asked { text: &text, typed: &typed, length, stated }, found, viewer, &graph, now)
    };
    let problem = visit.query("problem").as_deref().and_then(problem_notice);
    Ok(Page {
        title: "Look up".to_owned(),
        view: view! { {head(typed_before.as_deref().unwrap_or(&text))}{problem}{answer} }.into_any(),
    })
}

/// Where Meta's Graph API is. Before the first `await`: contexts are gone after.
pub(super) fn graph_url() -> Result<Url, AppError> {
    let graph = use_context::<Graph>().ok_or_else(|| AppError::Unexpected { reference: telemetry::reference() })?;
    Ok(graph.settings().graph_url.clone())
}

/// Where a request has its page.
pub(super) fn request_path(number: RequestNumber) -> String {
    format!("/requests/{number}")
}

/// The box. It is sent rather than put into the address: what is pasted may be a megabyte.
fn head(text: &str) -> AnyView {
    // A NUL can't stand in HTML.
    let value = text.replace('\0', "\u{FFFD}");
    let clear = (!text.is_empty()).then(|| "/support".to_owned());
    view! {
        <PageHead title="Look up"/>
        <form class="lookup" role="search" aria-label="Support" method="post" action="/support">
            <SearchField
                id="look-up"
                label="Look up"
                value=value
                placeholder="fbtrace_id, request ID, business ID, WABA ID, or a pasted Graph error"
                clear=clear
                large=true
            />
            <button class="btn btn-primary btn-lg" type="submit">"Look up"</button>
        </form>
    }
    .into_any()
}

fn problem_notice(code: &str) -> Option<AnyView> {
    let notice = match code {
        "too_long" => view! {
            <Notice kind=NoticeKind::Error title="Not looked up: this text is longer than a megabyte" alert=true>
                <p>"Paste the part around the error: an fbtrace_id or an ID in digits is enough."</p>
            </Notice>
        },
        _ => return None,
    };
    Some(notice.into_any())
}

/// What was asked, as it came and as it was read.
struct Asked<'a> {
    text: &'a str,
    typed: &'a Typed,
    /// Characters of the text that the ids were taken from.
    length: Option<u64>,
    /// The error in the text.
    stated: Option<Stated>,
}

/// The answer, below the line that says how the input was read.
fn answer(asked: &Asked<'_>, answer: Answer, viewer: &Viewer, graph: &Url, now: OffsetDateTime) -> AnyView {
    let read_as = read_as(asked, &answer);
    let shown = match answer.found {
        Found::Nothing if !answer.told.is_empty() => only_told(answer.told, now),
        Found::Nothing => {
            let nothing = nothing_known(asked.text, asked.typed, viewer.raw_body_days);
            view! { {asked.stated.map(stated_error)}{nothing} }.into_any()
        }
        // For programs, which aren't led on by themselves.
        Found::Request(line) => {
            view! { <p><a class="link" href=request_path(line.number)>{line.number.to_string()}</a></p> }.into_any()
        }
        Found::Business(known, calls) => business_answer(&known, calls, now),
        Found::Call(story) => call_answer(&story, viewer, graph, now),
        Found::Several(hits) => several_answers(hits, now),
    };
    view! { {read_as}{shown} }.into_any()
}

/// How the input was read, and by what it was found.
fn read_as(asked: &Asked<'_>, answer: &Answer) -> AnyView {
    let typed = asked.typed;
    let pasted = typed.shape.words().filter(|_| answer.by != By::Name).map(|words| {
        let length = asked.length.map(|length| format!(", {} characters", grouped(length))).unwrap_or_default();
        let more = if typed.ids.more { ", with more IDs than are looked up" } else { "" };
        format!("Read as {words}{length}{more}. ")
    });
    let is_pasted = pasted.is_some();
    let (found_by, id) = match (&answer.found, answer.by) {
        (Found::Nothing, _) if !answer.told.is_empty() => ("Found in what Meta’s webhooks told", None),
        (Found::Nothing, _) => (nothing_words(typed), None),
        (Found::Several(_), By::Name) => ("Read as a name. Several businesses have it", None),
        (Found::Several(_), _) if is_pasted || typed.shape == Shape::Ids => {
            ("Several of the IDs in it are known", None)
        }
        (Found::Several(_), _) => ("Several things have this ID", None),
        (Found::Call(story), By::Trace) => {
            let ids = [&typed.ids.traces, &typed.ids.lookalikes];
            let trace = story.call.fbtrace_id.as_ref().filter(|trace| ids.iter().any(|ids| ids.contains(trace)));
            match trace {
                Some(trace) => ("Found by its fbtrace_id", Some(trace.clone())),
                None => ("Found by its x-fb-request-id", story.call.x_fb_request_id.clone()),
            }
        }
        (Found::Call(_), _) => ("Found by the ID that was called", None),
        (Found::Business(..), By::Name) => ("Read as a name. One business has it", None),
        (Found::Business(known, _), _) => match (&known.by_waba, is_pasted) {
            (Some(waba), true) => ("Found by a WABA ID in it", Some(waba.to_string())),
            (None, true) => ("Found by the business ID in it", Some(known.business.id.to_string())),
            (Some(_), false) => ("Read as a WABA ID", None),
            (None, false) => ("Read as a business ID", None),
        },
        (Found::Request(_), By::Number) => ("Read as our number of a request", None),
        (Found::Request(_), _) => ("Read as Meta’s request ID", None),
    };
    let id = id.map(|id| view! { <span class="mono">{id}</span> });
    let glyph = if matches!(answer.found, Found::Nothing) { Glyph::Info } else { Glyph::Check };
    view! { <p class="read-as"><Icon glyph=glyph/><span>{pasted}{found_by}" "</span>{id}</p> }.into_any()
}

fn nothing_words(typed: &Typed) -> &'static str {
    match typed.shape {
        Shape::Name => "Read as a name",
        Shape::Ids => "Read as several IDs",
        Shape::Id if !typed.ids.numbers.is_empty() && typed.ids.digits.is_empty() => "Read as our number of a request",
        Shape::Id if !typed.ids.digits.is_empty() => "Read as an ID of Meta’s, or our number",
        Shape::Id => "Read as an fbtrace_id or an x-fb-request-id",
        _ if typed.is_empty() => "No ID was found in it",
        _ => "None of the IDs in it is known",
    }
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
