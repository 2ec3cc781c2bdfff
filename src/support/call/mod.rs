//! One call to Meta, told from the outcome down to the raw answer.

mod copies;
mod facts;
mod page;
mod story;
mod words;

use leptos::prelude::*;
use time::OffsetDateTime;
use url::Url;

pub use self::page::call_page;
use self::{
    copies::copies,
    facts::{business_facts, four_facts, meta_facts},
    story::{other_calls, same_error, whole_story},
    words::{call_heading, deed_of, http_status, took, try_words},
};
pub(super) use self::{story::call_line, words::failure_words};
use super::{find::CallStory, page::request_path, store::KeptCall};
use crate::{
    graph::Operation,
    onboarding::{
        Request, State,
        explain::{Explanation, Line, Meaning, Part, Said, Subject, explain, meaning},
    },
    sign_in::Viewer,
    ui::{
        Answer, Attempt, Attempts, Glyph, Hue, Lead, Name, Panel, Raw, Section, StateLabel, TimeStyle, Timestamp,
        state::look_of,
    },
};

/// A raw answer up to this size is shown from the start.
const SHORT_ANSWER: usize = 4 * 1024;

/// The call with what is known around it. `graph` is where Meta's Graph API is.
pub fn call_answer(story: &CallStory, viewer: &Viewer, graph: &Url, now: OffsetDateTime) -> AnyView {
    let call = &story.call;
    let explanation = story.request.as_ref().and_then(|request| explanation_of(call, request, viewer, now));
    let lead = lead(story, explanation.as_ref(), now);
    // Where the business was asked again, what is to be done stands on the page of the newer request.
    let next = if story.newer.is_some() { None } else { next_steps(call, explanation.as_ref(), now) };
    let client_note = explanation.as_ref().map(|explanation| {
        view! { <div class="next"><h3>"What to tell the client"</h3><p class="sm">{line_view(&explanation.client_note, now)}</p></div> }
    });
    let (facts, copies) = (four_facts(call, now), copies(call, &viewer.partner, graph));
    let (attempt, others, whole) =
        (the_call(story, viewer.raw_body_days, now), other_calls(story, now), whole_story(story, now));
    let business = story.business.as_ref().map(business_facts);
    let (same, meta) = (same_error(story, now), meta_facts(call));
    view! {
        <div class="split">
            <div>
                <Panel named_by="answer">
                    <div class="panel-body stack">{lead}{facts}{next}{client_note}{copies}</div>
                </Panel>
                {attempt}
                {others}
                {whole}
            </div>
            <aside class="side" aria-label="Related">{business}{same}{meta}</aside>
        </div>
    }
    .into_any()
}

/// What was tried, and what it means: the last call of a request in the words of the request's own page.
fn lead(story: &CallStory, explanation: Option<&Explanation>, now: OffsetDateTime) -> AnyView {
    let call = &story.call;
    let is_good = call.cause().is_none();
    let (hue, glyph) = match explanation {
        Some(told) => (told.hue, told.glyph),
        None if is_good => (Hue::Green, Glyph::Check),
        None => (Hue::Red, Glyph::Alert),
    };
    let title = call_heading(&deed_of(call), call.failure.as_deref(), call.is_refused());
    let means = call.cause().map(|cause| {
        let Meaning { words, .. } = meaning(cause, call.code, call.subcode);
        view! { <p>{words}</p> }
    });
    let own_words = own_words(call);
    let state = story.request.as_ref().map(|request| {
        let by_itself = match request.state {
            State::Failed => Some("Nothing is tried again by itself."),
            State::WaitingToRetry => Some("It is tried again by itself."),
            _ => None,
        };
        let newer = story.newer.map(|(number, state)| {
            let word = look_of(state.as_str()).word;
            view! { <p>"The business was asked again since: "<a class="link" href=request_path(number)>{number.to_string()}</a>", "{word}"."</p> }
        });
        view! {
            <p class="row">"The request is now "<StateLabel look=look_of(request.state.as_str())/><span class="muted">{by_itself}</span></p>
            {newer}
        }
    });
    let circumstances = circumstances(story, now);
    view! {
        <div class=hue.class()><Lead id="answer" title=title glyph=glyph>{circumstances}{means}{own_words}{state}</Lead></div>
    }
    .into_any()
}

/// For which request, for whom and when.
fn circumstances(story: &CallStory, now: OffsetDateTime) -> AnyView {
    let call = &story.call;
    let at = view! { <Timestamp at=call.started_at now=now style=TimeStyle::Second/> };
    let member = call.member_name.clone().map(|name| view! { ", for "<Name name=name/> });
    let request = call.number.map(|number| {
        let attempts = story.request.as_ref().map_or(0, |request| request.attempts);
        let goes_on = [State::Queued, State::Sending, State::WaitingToRetry];
        let is_over = story.request.as_ref().is_some_and(|request| !goes_on.contains(&request.state));
        let which = if call.operation().is_some_and(Operation::writes) {
            call.attempt.map_or_else(|| "a try".to_owned(), |attempt| try_words(attempt, attempts, is_over))
        } else {
            "a reading".to_owned()
        };
        view! { " This was "{which}" of request "<a class="link nowrap" href=request_path(number)>{number.to_string()}</a>"." }
    });
    view! { <p>"Sent "{at}{member}"."{request}</p> }.into_any()
}

/// What Meta, or the way to Meta, said.
fn own_words(call: &KeptCall) -> Option<AnyView> {
    let said = [&call.user_message, &call.message, &call.failure_detail];
    let said = said.into_iter().flatten().find(|words| !words.is_empty())?.clone();
    let whose = if call.message.is_some() || call.user_message.is_some() {
        "Meta’s own words: “"
    } else {
        "The connection’s own words: “"
    };
    Some(view! { <p class="sm muted">{whose}<Name name=said/>"”"</p> }.into_any())
}

/// What to do: as the request's page says it, else what the code asks for.
fn next_steps(call: &KeptCall, explanation: Option<&Explanation>, now: OffsetDateTime) -> Option<AnyView> {
    let cause = call.cause()?;
    let Meaning { next, .. } = meaning(cause, call.code, call.subcode);
    let steps = explanation.map(|told| told.steps.as_slice()).unwrap_or_default();
    if steps.is_empty() {
        return Some(view! { <div class="next"><h3>"What to do"</h3><p class="sm">{next}</p></div> }.into_any());
    }
    let steps = steps.iter().map(|step| view! { <li>{line_view(step, now)}</li> }).collect_view();
    let who = explanation.and_then(|told| told.who).map(|who| view! { ", "<span class="muted">{who}</span> });
    Some(view! { <div class="next"><h3>"What to do"{who}</h3><ol>{steps}</ol></div> }.into_any())
}

fn the_call(story: &CallStory, kept_days: i32, now: OffsetDateTime) -> AnyView {
    let call = &story.call;
    let number = call.attempt.and_then(|attempt| u32::try_from(attempt).ok()).unwrap_or(1);
    let raw = match call.http_status {
        None => Raw::None,
        Some(_) if call.is_body_dropped => Raw::Dropped { after_days: kept_days },
        Some(_) => Raw::Kept(call.body.clone()),
    };
    let is_short = call.body.len() <= SHORT_ANSWER;
    let outcome = format!("{} {}", call.method, call.path);
    let answer = Answer {
        http: http_status(call),
        code: call.code,
        subcode: call.subcode,
        fbtrace_id: call.fbtrace_id.clone(),
        took: Some(took(call)),
        at: call.started_at,
        raw,
        page: None,
    };
    let note = match (call.attempt, &story.request) {
        (Some(attempt), Some(request)) => format!("Attempt {attempt} of {}", request.attempts.max(attempt)),
        _ => String::new(),
    };
    view! {
        <Section id="call" title="The call" note=note>
            <Attempts><Attempt number outcome answer now open=is_short/></Attempts>
        </Section>
    }
    .into_any()
}

/// The request's explanation, where this call is its last answer: an earlier call isn't why the request stands as it does.
fn explanation_of(call: &KeptCall, request: &Request, viewer: &Viewer, now: OffsetDateTime) -> Option<Explanation> {
    let is_last = call.operation().is_some_and(Operation::writes) && call.attempt == Some(request.attempts);
    is_last.then(|| {
        explain(&Subject {
            state: request.state,
            cause: request.cause.as_deref().and_then(|cause| cause.parse().ok()),
            said: Said {
                subcode: call.subcode,
                message: call.message.as_deref(),
                user_message: call.user_message.as_deref(),
            },
            business_name: &request.business_name,
            member_name: &request.member_name,
            reader_asked: request.member_id == viewer.member_id,
            token_dead: request.lacks_token(now),
            stands_since: None,
            answered_at: request.answered_at,
            stalled_after: viewer.stalled_after,
            retry_at: request.retry_at,
            paused_until: None,
            now,
        })
    })
}

/// A sentence with its names, times and constants marked up.
fn line_view(line: &Line, now: OffsetDateTime) -> AnyView {
    line.parts()
        .iter()
        .cloned()
        .map(|part| match part {
            Part::Words(text) => text.into_any(),
            Part::Strong(text) => view! { <b>{text}</b> }.into_any(),
            Part::Name(text) => view! { <Name name=text/> }.into_any(),
            Part::Code(text) => view! { <code>{text}</code> }.into_any(),
            Part::Time(at) => view! { <Timestamp at=at now=now/> }.into_any(),
        })
        .collect_view()
        .into_any()
}
