//! The calls made for a request: each POST a numbered attempt, with the readings of the business's status beside it.

use std::time::Duration;

use leptos::prelude::*;
use time::OffsetDateTime;

use super::story::outcome_of;
use crate::{
    graph::Operation,
    onboarding::model::{AttemptCall, RequestEvent, State},
    ui::{
        Answer, Attempt, Attempts, Glyph, Icon, Identifier, Raw, Section, TimeStyle, Timestamp, details_of_call,
        plural, seconds,
    },
};

/// The section, newest first. `events` are the request's, in any order; `running`: a call may be under way. `kept_days`: for how
/// long raw answers are kept.
pub(super) fn attempts(
    calls: &[AttemptCall],
    events: &[RequestEvent],
    running: bool,
    kept_days: i32,
    now: OffsetDateTime,
) -> AnyView {
    if calls.is_empty() {
        let none = if running { "The first call to Meta has not ended yet." } else { "No call to Meta so far." };
        return view! { <Section id="attempts" title="Attempts"><p class="hint">{none}</p></Section> }.into_any();
    }
    let made = u64::try_from(calls.len()).unwrap_or_default();
    let note = format!("{}, newest first", plural(made, "call to Meta", "calls to Meta"));
    let items = calls
        .iter()
        .enumerate()
        .map(|(at, call)| {
            if is_post(call) {
                let tried_again = calls.iter().any(|other| other.attempt > call.attempt);
                let outcome = outcome_of(outcome_event(events, call.attempt), tried_again);
                let number = call.attempt.unsigned_abs();
                view! { <Attempt number=number outcome=outcome answer=answer_of(call, kept_days) now=now open={at == 0}/> }
                    .into_any()
            } else {
                reading(call, calls.len() - at, kept_days, now)
            }
        })
        .collect::<Vec<_>>();
    view! { <Section id="attempts" title="Attempts" note=note><Attempts>{items}</Attempts></Section> }.into_any()
}

/// Whether the call was the onboarding POST itself.
pub(super) fn is_post(call: &AttemptCall) -> bool {
    call.operation == Operation::OnboardPartnersToMmLite.as_str()
}

/// The event an attempt ended in: the first that isn't about waiting for its turn. What follows later (the terms get
/// signed) carries the same attempt's number.
fn outcome_event(events: &[RequestEvent], attempt: i32) -> Option<&RequestEvent> {
    events
        .iter()
        .filter(|event| event.attempt == attempt && !matches!(event.state, State::Queued | State::Cancelled))
        .min_by_key(|event| event.at)
}

fn answer_of(call: &AttemptCall, kept_days: i32) -> Answer {
    Answer {
        http: call.http_status.map(i16::unsigned_abs),
        code: call.code,
        subcode: call.subcode,
        fbtrace_id: call.fbtrace_id.clone(),
        took: Some(took(call)),
        at: call.started_at,
        raw: call.raw(kept_days),
        page: Some(call_path(call.call_id)),
    }
}

/// Where `support` shows everything that is known of a call.
pub fn call_path(call_id: i64) -> String {
    format!("/support/calls/{call_id}")
}

fn took(call: &AttemptCall) -> Duration {
    Duration::from_millis(call.duration_ms.unsigned_abs().into())
}

/// A reading of the business's status: smaller than an attempt, since nothing was asked of anybody.
fn reading(call: &AttemptCall, nth: usize, kept_days: i32, now: OffsetDateTime) -> AnyView {
    let words = if call.is_success() {
        "Meta told the status of the business."
    } else {
        "The status of the business could not be read."
    };
    let trace = call.fbtrace_id.clone().map(|id| {
        view! { <div><dt>"fbtrace_id"</dt><dd><Identifier what="fbtrace_id" value=id mono=true/></dd></div> }
    });
    let raw = match call.raw(kept_days) {
        Raw::Kept(body) => Some(view! {
            <details class="disclose">
                <summary><Icon glyph=Glyph::Right/>"Raw answer"</summary>
                <pre class="code" tabindex="0" role="region" aria-label=format!("Raw answer of call {nth}")>{body}</pre>
            </details>
        }),
        Raw::None | Raw::Dropped { .. } => None,
    };
    view! {
        <li class="attempt">
            <span class="attempt-n" aria-hidden="true"><Icon glyph=Glyph::LookUp/></span>
            <div class="attempt-main">
                <h3>{format!("In attempt {}: {words}", call.attempt)}</h3>
                <dl class="attempt-facts">
                    <div><dt>"HTTP"</dt><dd>{call.http_status.map_or_else(|| "No answer".to_owned(), |status| status.to_string())}</dd></div>
                    {trace}
                    <div><dt>"Took"</dt><dd>{seconds(took(call))}</dd></div>
                    <div><dt>"At"</dt><dd><Timestamp at=call.started_at now=now style=TimeStyle::Second/></dd></div>
                    {details_of_call(call_path(call.call_id), format!(" of call {nth}"))}
                </dl>
                {raw}
            </div>
        </li>
    }
    .into_any()
}
