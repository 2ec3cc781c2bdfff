//! Around a call: every attempt of its request, the whole story across retries and what changed at the business and in the workspace, and
//! the same error elsewhere.

use leptos::prelude::*;
use time::OffsetDateTime;

use super::words::{call_heading, deed, failure_words};
use crate::{
    graph::Operation,
    onboarding::{self, RequestEvent, State, call_path},
    support::{
        failures::group_path,
        find::CallStory,
        store::{Alike, CallLine, MOST_COUNTED},
    },
    ui::{
        Glyph, Name, NameLink, Section, TimeStyle, Timeline, TimelineEvent, Timestamp, capped, plural, state::look_of,
    },
};

/// The other calls of the request, newest first, each on a page of its own.
pub fn other_calls(story: &CallStory, now: OffsetDateTime) -> Option<AnyView> {
    let others: Vec<&CallLine> = story.calls.iter().filter(|call| call.call_id != story.call.call_id).collect();
    if others.is_empty() {
        return None;
    }
    let note = plural(story.calls.len() as u64, "call for this request", "calls for this request");
    let lines = others.into_iter().map(|call| call_line(call, now)).collect_view();
    Some(
        view! { <Section id="attempts" title="Every other call" note=note><ul class="mini">{lines}</ul></Section> }
            .into_any(),
    )
}

/// A call as a line that leads to its page.
pub fn call_line(call: &CallLine, now: OffsetDateTime) -> AnyView {
    let outcome = call_heading(&deed(&call.operation, None), call.failure.as_deref(), call.is_refused());
    let attempt = call.attempt.filter(|attempt| *attempt > 0).map(|attempt| format!("Attempt {attempt}: "));
    let status = call.http_status.map(|status| format!("HTTP {status}, "));
    let code = call.code.map(|code| format!("code {code}, "));
    let (href, at) = (call_path(call.call_id), call.started_at);
    view! {
        <li>
            <span>{attempt}<a class="name" href=href>{outcome}</a></span>
            <span class="muted">{status}{code}<Timestamp at=at now=now style=TimeStyle::Second/></span>
        </li>
    }
    .into_any()
}

/// Everything, newest first.
pub fn whole_story(story: &CallStory, now: OffsetDateTime) -> Option<AnyView> {
    let mut lines: Vec<(OffsetDateTime, AnyView)> = Vec::new();
    for event in &story.events {
        lines.push((event.at, request_line(story, event, now)));
    }
    for event in &story.business_events {
        lines.push((event.at, onboarding::business_event(event, now)));
    }
    if let Some((at, who)) = &story.token_stored {
        let what = view! { "System-user token stored by "<Name name=who.clone()/> };
        let line = view! {
            <TimelineEvent at=*at now=now glyph=Glyph::Key what=what.into_any()><p>"Workspace setting."</p></TimelineEvent>
        };
        lines.push((*at, line.into_any()));
    }
    if story.events.is_empty() && story.business_events.is_empty() {
        return None;
    }
    // The sort is stable: of one instant, what comes later was the later.
    lines.reverse();
    lines.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let note = plural(lines.len() as u64, "event", "events");
    let lines = lines.into_iter().map(|(_, line)| line).collect::<Vec<_>>();
    Some(
        view! { <Section id="story" title="The whole story" note=note><Timeline>{lines}</Timeline></Section> }
            .into_any(),
    )
}

/// One state of the request, with the trace of the call that led to it.
fn request_line(story: &CallStory, event: &RequestEvent, now: OffsetDateTime) -> AnyView {
    let look = look_of(event.state.as_str());
    let who = || view! { <Name name=event.member_name.clone().unwrap_or_else(|| "Somebody".to_owned())/> };
    let what = match event.state {
        State::Queued => view! { "Queued by "{who()} }.into_any(),
        State::Cancelled => view! { "Cancelled by "{who()} }.into_any(),
        state => onboarding::headline(state, event.cause.as_deref()).into_any(),
    };
    let ended_a_call =
        !matches!(event.state, State::Queued | State::Sending | State::Cancelled | State::Accepted | State::Ready);
    let call = story.calls.iter().find(|call| {
        ended_a_call
            && call.attempt == Some(event.attempt)
            && call.operation == Operation::OnboardPartnersToMmLite.as_str()
    });
    let is_this = call.is_some_and(|call| call.call_id == story.call.call_id);
    let here = is_this.then(|| view! { " "<span class="here">{if story.call.fbtrace_id.is_some() { "this trace ID" } else { "this call" }}</span> });
    let hue = (!matches!(event.state, State::Queued | State::Cancelled)).then_some(look.hue);
    let attempt = match (event.state, event.attempt) {
        (State::Queued, _) => Some(format!("Request {}", event.number)),
        (_, 1..) => Some(format!("Attempt {}", event.attempt)),
        _ => None,
    };
    let trace = call.filter(|_| !is_this).and_then(|call| {
        let (trace, href) = (call.fbtrace_id.clone()?, call_path(call.call_id));
        Some(view! { ", "<a class="link mono" href=href>{trace}</a> })
    });
    let detail = attempt.map(|attempt| view! { <p>{attempt}{trace}</p> });
    let what = view! { {what}{here} }.into_any();
    view! { <TimelineEvent at=event.at now=now glyph=look.icon hue=hue what=what exact=true>{detail}</TimelineEvent> }
        .into_any()
}

/// The same error elsewhere within a day.
pub fn same_error(story: &CallStory, now: OffsetDateTime) -> Option<AnyView> {
    let Alike { businesses, newest, group_id } = story.alike.clone()?;
    let others: Vec<_> =
        newest.into_iter().filter(|one| Some(&one.business_id) != story.call.subject_id.as_ref()).take(3).collect();
    let mark = match (story.call.code, &story.call.failure) {
        (Some(code), _) => format!("code {code}"),
        (None, Some(failure)) => failure_words(failure),
        (None, None) => "this error".to_owned(),
    };
    let hit = plural(businesses.unsigned_abs(), "business", "businesses");
    let hit = if businesses >= MOST_COUNTED {
        format!("{} businesses", capped(businesses.unsigned_abs(), MOST_COUNTED.unsigned_abs()))
    } else {
        hit
    };
    let all = group_id.map(|id| {
        view! { <p class="sm"><a class="link" href=group_path(id)>{format!("All with {mark}: {hit} in 24 h")}</a></p> }
    });
    let list = if others.is_empty() {
        view! { <p class="hint">"No other business within 24 hours."</p> }.into_any()
    } else {
        let lines = others
            .into_iter()
            .map(|one| {
                let name = one.name.unwrap_or(one.business_id);
                view! {
                    <li><NameLink href=call_path(one.call_id) name=name/><span class="muted"><Timestamp at=one.at now=now/></span></li>
                }
            })
            .collect_view();
        view! { <ul class="mini">{lines}</ul> }.into_any()
    };
    Some(view! { <h2 class="side-next">"Same error today"</h2>{list}{all} }.into_any())
}
