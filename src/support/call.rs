//! One call to Meta, told from the outcome down to the raw answer.

use std::time::Duration;

use leptos::prelude::*;
use time::OffsetDateTime;

use super::{answer::business_path, find::CallStory, page::request_path, store::KeptCall};
use crate::{
    db::PartnerId,
    graph::{BusinessId, Operation, SolutionId},
    onboarding::{
        Request,
        explain::{Explanation, Line, Part, Said, Subject, Ticket, explain},
    },
    sign_in::Viewer,
    ui::{
        Answer, Attempt, Attempts, CopyTextButton, Fact, Facts, Glyph, Hue, Identifier, Lead, Name, NameLink, Panel,
        Section, StateLabel, TimeStyle, Timestamp, age, isolated, seconds, state::look_of,
    },
};

/// How long a trace id is taken to be known at Meta. Its page only says that one expires shortly (7.4), so this is a guess,
/// and the page says 'probably'.
const TRACE_LIFE: Duration = Duration::from_hours(24);

/// A raw answer up to this size is shown from the start.
const SHORT_ANSWER: usize = 4 * 1024;

/// The call with what is known around it.
pub fn call_answer(story: &CallStory, viewer: &Viewer, now: OffsetDateTime) -> AnyView {
    let call = &story.call;
    let explanation = story.request.as_ref().and_then(|request| explanation_of(call, request, viewer, now));
    let lead = lead(story, explanation.as_ref(), now);
    let ticket = ticket_of(call, &viewer.partner).map(|ticket| {
        view! { <div class="row"><CopyTextButton word="Copy for Meta Direct Support" text=ticket/></div> }
    });
    let client_note = explanation.map(|explanation| {
        view! { <div class="next"><h3>"What to tell the client"</h3><p class="sm">{line_view(&explanation.client_note, now)}</p></div> }
    });
    let number = call.attempt.and_then(|attempt| u32::try_from(attempt).ok()).unwrap_or(1);
    let raw = call.http_status.is_some().then(|| call.body.clone());
    let is_short = call.body.len() <= SHORT_ANSWER;
    let outcome = format!("{} {}", call.method, call.path);
    let (facts, note) = (four_facts(call, now), attempt_note(story));
    let (business, meta) = (business_facts(call), meta_facts(call));
    let answer = Answer {
        http: http_status(call),
        code: call.code,
        subcode: call.subcode,
        fbtrace_id: call.fbtrace_id.clone(),
        took: Some(took(call)),
        at: call.started_at,
        raw,
    };
    view! {
        <div class="split">
            <div>
                <Panel named_by="answer">
                    <div class="panel-body stack">{lead}{facts}{client_note}{ticket}</div>
                </Panel>
                <Section id="call" title="The call" note=note>
                    <Attempts>
                        <Attempt number outcome answer now open=is_short/>
                    </Attempts>
                </Section>
            </div>
            <aside class="side" aria-label="Related">{business}{meta}</aside>
        </div>
    }
    .into_any()
}

/// The heading and what follows it. The last call of a request is told in the words of the request's own page.
fn lead(story: &CallStory, explanation: Option<&Explanation>, now: OffsetDateTime) -> AnyView {
    let call = &story.call;
    let own_title = call_heading(&deed_of(call), call.failure.as_deref(), call.is_refused());
    let own_hue = if call.failure.is_none() && !call.is_refused() { Hue::Green } else { Hue::Red };
    let own_glyph = if own_hue == Hue::Green { Glyph::Check } else { Glyph::Alert };
    let (title, hue, glyph) =
        explanation.map_or((own_title, own_hue, own_glyph), |told| (told.title.clone(), told.hue, told.glyph));
    let lines = explanation
        .map(|told| told.text.iter().map(|line| view! { <p>{line_view(line, now)}</p> }).collect_view().into_any())
        .or_else(|| own_words(call));
    let state = story.request.as_ref().filter(|_| explanation.is_none()).map(|request| {
        view! { <p class="row">"The request is now "<StateLabel look=look_of(request.state.as_str())/></p> }
    });
    let circumstances = circumstances(call, now);
    view! {
        <div class=hue.class()><Lead id="answer" title=title glyph=glyph>{circumstances}{lines}{state}</Lead></div>
    }
    .into_any()
}

/// For which request, for whom and when.
fn circumstances(call: &KeptCall, now: OffsetDateTime) -> AnyView {
    let request = call.number.map(|number| {
        let attempt = call.attempt.map(|attempt| format!("attempt {attempt} of "));
        view! { ", "{attempt}"request "<a class="link nowrap" href=request_path(number)>{number.to_string()}</a> }
    });
    let member = call.member_name.clone().map(|name| view! { ", for "<Name name=name/> });
    view! { <p>"Sent "<Timestamp at=call.started_at now=now style=TimeStyle::Second/>{request}{member}"."</p> }
        .into_any()
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
    Some(view! { <p>{whose}<Name name=said/>"”"</p> }.into_any())
}

fn four_facts(call: &KeptCall, now: OffsetDateTime) -> AnyView {
    let answer = match (http_status(call), &call.failure) {
        (Some(status), _) => format!("HTTP {status}"),
        (None, Some(failure)) => format!("None: {}", failure_words(failure)),
        (None, None) => "None".to_owned(),
    };
    let codes = match (call.code, call.subcode) {
        (None, None) => "–".to_owned(),
        (code, subcode) => {
            [code, subcode].map(|code| code.map_or_else(|| "–".to_owned(), |code| code.to_string())).join(" / ")
        }
    };
    let named = call.user_title.clone().or_else(|| call.kind.clone());
    let (temporary, flag) = match call.is_transient {
        Some(true) => ("Yes", Some("is_transient: true")),
        Some(false) => ("No", Some("is_transient: false")),
        None => ("Meta did not say", None),
    };
    let passed = Duration::try_from(now - call.started_at).unwrap_or_default();
    let took = seconds(took(call));
    let (good, old) = match &call.fbtrace_id {
        Some(_) => {
            (if passed < TRACE_LIFE { "Probably" } else { "Probably not" }, Some(format!("{} old", age(passed))))
        }
        None => ("Meta gave none", None),
    };
    view! {
        <Facts wide=true>
            <Fact term="Answer">{answer}<span class="sub">"after "{took}</span></Fact>
            <Fact term="Code / subcode">{codes}{named.map(|named| view! { <span class="sub"><Name name=named/></span> })}</Fact>
            <Fact term="Temporary">{temporary}{flag.map(|flag| view! { <span class="sub">{flag}</span> })}</Fact>
            <Fact term="Trace ID still good">{good}{old.map(|old| view! { <span class="sub">{old}</span> })}</Fact>
        </Facts>
    }
    .into_any()
}

fn business_facts(call: &KeptCall) -> Option<AnyView> {
    let (id, name) = (call.subject_id.clone()?, call.business_name.clone()?);
    let href = business_path(&id);
    Some(
        view! {
            <h2>"Business"</h2>
            <Facts>
                <Fact term="Name"><NameLink href=href name=name/></Fact>
                <Fact term="Business ID"><Identifier what="business ID" value=id/></Fact>
            </Facts>
        }
        .into_any(),
    )
}

fn meta_facts(call: &KeptCall) -> AnyView {
    let request_id = call.x_fb_request_id.clone().map(|id| {
        view! { <Fact term="x-fb-request-id"><Identifier what="x-fb-request-id" value=id mono=true/></Fact> }
    });
    let rev = call.x_fb_rev.clone().map(|rev| view! { <Fact term="x-fb-rev"><span class="mono">{rev}</span></Fact> });
    let debug =
        call.x_fb_debug.clone().map(|debug| view! { <Fact term="x-fb-debug"><span class="mono">{debug}</span></Fact> });
    let details = call.error_data.clone().map(|data| view! { <Fact term="error_data"><code>{data}</code></Fact> });
    let solution = call.solution_id.clone().map(|id| {
        view! { <Fact term="Solution ID"><Identifier what="solution ID" value=id/></Fact> }
    });
    let (version, app_id) = (call.graph_version.clone(), call.app_id.clone());
    view! {
        <h2 class="side-next">"For Meta"</h2>
        <Facts>
            {request_id}
            {rev}
            {debug}
            {details}
            <Fact term="Graph version">{version}</Fact>
            <Fact term="App ID"><Identifier what="app ID" value=app_id/></Fact>
            {solution}
        </Facts>
    }
    .into_any()
}

/// The request's explanation, where this call is its last answer: an earlier call isn't why the request stands as it does.
fn explanation_of(call: &KeptCall, request: &Request, viewer: &Viewer, now: OffsetDateTime) -> Option<Explanation> {
    let is_last =
        call.operation == Operation::OnboardPartnersToMmLite.as_str() && call.attempt == Some(request.attempts);
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
            retry_at: request.retry_at,
            paused_until: None,
            now,
        })
    })
}

/// What Direct Support asks for, of an onboarding call that Meta did not take.
fn ticket_of(call: &KeptCall, partner: &PartnerId) -> Option<String> {
    let is_done = !call.is_refused() && call.failure.is_none();
    if call.operation != Operation::OnboardPartnersToMmLite.as_str() || is_done {
        return None;
    }
    let business = BusinessId::from_stored(call.subject_id.clone()?);
    let solution = call.solution_id.clone().map(SolutionId::from_stored);
    let ticket = Ticket {
        graph_version: &call.graph_version,
        business: &business,
        partner: partner.as_business(),
        app: &call.app_id,
        solution: solution.as_ref(),
        at: call.started_at,
        http: http_status(call),
        code: call.code,
        subcode: call.subcode,
        fbtrace_id: call.fbtrace_id.as_deref(),
        x_fb_request_id: call.x_fb_request_id.as_deref(),
    };
    Some(ticket.to_string())
}

fn attempt_note(story: &CallStory) -> String {
    match (story.call.attempt, &story.request) {
        (Some(attempt), Some(request)) => format!("Attempt {attempt} of {}", request.attempts.max(attempt)),
        _ => String::new(),
    }
}

fn deed_of(call: &KeptCall) -> String {
    let name = call.business_name.as_deref().map(isolated);
    deed(&call.operation, name.or_else(|| call.subject_id.as_ref().map(|id| format!("business {id}"))).as_deref())
}

/// What Meta was asked to do, to follow "Meta refused to". `whom` is the business, where it is known.
pub(super) fn deed(operation: &str, whom: Option<&str>) -> String {
    let whom = whom.unwrap_or("the business");
    let known = Operation::ALL.into_iter().find(|known| known.as_str() == operation);
    let words = match known {
        Some(Operation::OnboardPartnersToMmLite) => return format!("onboard {whom}"),
        Some(Operation::ReadBusinessStatus) => return format!("tell the status of {whom}"),
        Some(Operation::ReadBusinessStatuses) => "tell the status of many businesses",
        Some(Operation::ReadWabaEligibilities) => "tell the eligibility of many WABAs",
        Some(Operation::ReadRequestStatus) => "tell what became of a request",
        Some(Operation::ListClientWabas) => "list the WABAs shared with you",
        Some(Operation::ListOwnedWabas) => "list the WABAs you own",
        Some(Operation::ListSolutions) => "list your solutions",
        Some(Operation::ReadMe) => "tell whose token it is",
        Some(Operation::ListMyBusinesses) => "list a member’s portfolios",
        Some(Operation::ExchangeCode | Operation::ExchangeToken) => "give a token",
        Some(Operation::DebugToken) => "tell what a token is good for",
        Some(Operation::ListSubscriptions) => "list your webhooks",
        None => return operation.replace('_', " "),
    };
    words.to_owned()
}

/// What became of it.
pub(super) fn call_heading(deed: &str, failure: Option<&str>, is_refused: bool) -> String {
    match failure {
        Some(failure) => format!("No usable answer when asked to {deed}: {}", failure_words(failure)),
        None if is_refused => format!("Meta refused to {deed}"),
        None => format!("Meta answered when asked to {deed}"),
    }
}

/// A failure's stable name as words.
fn failure_words(failure: &str) -> String {
    match failure {
        "html" => "an HTML page".to_owned(),
        "not_json" => "not JSON".to_owned(),
        other => other.replace('_', " "),
    }
}

fn http_status(call: &KeptCall) -> Option<u16> {
    call.http_status.and_then(|status| u16::try_from(status).ok())
}

fn took(call: &KeptCall) -> Duration {
    Duration::from_millis(u64::from(call.duration_ms.unsigned_abs()))
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
