//! What 'Look up' shows when it is no single call: a business, a short list by kind, or nothing.

use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    call::call_line,
    find::{Hits, KnownBusiness},
    lookup::{Shape, Typed},
    page::request_path,
    store::{CallLine, RequestLine},
};
use crate::{
    onboarding::RequestNumber,
    ui::{
        Empty, Fact, Facts, Identifier, Lead, Name, NameLink, Panel, Section, StateLabel, Timestamp, isolated, plural,
        state::look_of,
    },
    webhooks::{KeptChange, changes_table},
};

/// The most ids of a text that are said again.
const SHOWN: usize = 20;

/// The most letters of a look-up that are said again.
const LONGEST_ECHO: usize = 60;

/// One business, where it stands, and the newest calls to it.
pub fn business_answer(known: &KnownBusiness, calls: Vec<CallLine>, now: OffsetDateTime) -> AnyView {
    let business = &known.business;
    let by_waba = known.by_waba.as_ref().map(|waba| {
        view! { <p>"This is the WABA "<Identifier what="WABA ID" value=waba.to_string()/>" of the business."</p> }
    });
    let left = business.left_at.map(|at| {
        view! { <p>"It has left: the last whole sync on "<Timestamp at=at now=now/>" found none of its WABAs."</p> }
    });
    let href = business_path(business.id.as_str());
    let wabas = plural(u64::from(business.wabas.unsigned_abs()), "WABA", "WABAs");
    let calls = (!calls.is_empty()).then(|| {
        view! { <Section id="calls" title="Calls to Meta" note="newest first">{call_list(&calls, now)}</Section> }
    });
    let id = business.id.to_string();
    let (title, look, eligible) =
        (isolated(&business.name), look_of(business.standing.as_str()), business.eligible_wabas);
    let requests = business.last_request.as_ref().map(|_| {
        view! { <a class="btn btn-quiet" href=format!("/requests?q=business:{}", business.id)>"See its requests"</a> }
    });
    let last_request = business.last_request.as_ref().map(|last| {
        let number = RequestNumber(last.number);
        let at = last.at;
        view! {
            <Fact term="Last request">
                <a class="link nowrap" href=request_path(number)>{number.to_string()}</a>
                <span class="sub"><Timestamp at=at now=now/></span>
            </Fact>
        }
    });
    view! {
        <Panel named_by="answer">
            <div class="panel-body stack">
                <Lead id="answer" title=title>{by_waba}{left}</Lead>
                <Facts wide=true>
                    <Fact term="Business ID"><Identifier what="business ID" value=id/></Fact>
                    <Fact term="MM status"><StateLabel look=look/></Fact>
                    <Fact term="WABAs">{wabas}<span class="sub">{eligible}" eligible"</span></Fact>
                    {last_request}
                </Facts>
                <div class="row"><a class="btn" href=href>"Open business"</a>{requests}</div>
            </div>
        </Panel>
        {calls}
    }
    .into_any()
}

/// Everything found, in a list for each kind.
pub fn several_answers(hits: Hits, now: OffsetDateTime) -> AnyView {
    let Hits { requests, businesses, calls, more } = hits;
    let requests = (!requests.is_empty()).then(|| {
        view! { <Section id="requests" title="Requests"><ul class="mini">{requests.into_iter().map(|line| request_line(line, now)).collect_view()}</ul></Section> }
    });
    let businesses = (!businesses.is_empty()).then(|| {
        view! { <Section id="businesses" title="Businesses"><ul class="mini">{businesses.iter().map(business_line).collect_view()}</ul></Section> }
    });
    let calls = (!calls.is_empty()).then(|| {
        view! { <Section id="calls" title="Calls to Meta" note="newest first">{call_list(&calls, now)}</Section> }
    });
    let more = more.then(|| {
        view! { <p class="hint">"There is more than is listed here. Look up a single ID, or search on the page of businesses."</p> }
    });
    view! { {requests}{businesses}{calls}{more} }.into_any()
}

/// Nobody knows it, or it is another partner's: both look the same. Says where we looked, and what could be wrong. `kept_days`: for
/// how long the partner keeps raw answers.
pub fn nothing_known(text: &str, typed: &Typed, kept_days: i32) -> AnyView {
    if typed.is_empty() {
        return no_id(text, typed);
    }
    let title = if typed.shape.words().is_some() || typed.shape == Shape::Ids {
        "Nothing known about the IDs in this text".to_owned()
    } else {
        format!("Nothing known about {}", echo(text))
    };
    let looked = if typed.shape == Shape::Name {
        "We looked among the names of businesses."
    } else {
        "We looked among requests, by our number and by Meta’s; businesses; WABAs; calls to Meta, by fbtrace_id and by x-fb-request-id; and what Meta’s webhooks told."
    };
    let ids = typed.ids.in_words();
    let looked_for = (typed.shape.words().is_some() && !ids.is_empty()).then(|| {
        let more = typed.ids.more.then_some(" More stand in it than are looked up: paste the part around the error.");
        let shown = ids.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
        let others = ids.len().saturating_sub(SHOWN);
        let others = (others > 0).then(|| format!(" and {others} others"));
        view! { <p>"These stood in it: "<span class="mono">{shown}</span>{others}"."{more}</p> }
    });
    let search = view! { <a class="btn" href="/businesses">"Search businesses"</a> }.into_any();
    let kept = plural(kept_days.unsigned_abs().into(), "day", "days");
    view! {
        <Empty title=title actions=search>
            <p>"It is not one of our calls, or older than "{kept}". Case matters in an fbtrace_id."</p>
            {looked_for}
            <p>{looked}</p>
            <p>"It may belong to another partner of yours: only the one you work for now is looked through. A call that somebody made by hand or with another tool is not known here, nor is a sign-in that failed before we knew for which of several partners. Meta forgets its own IDs after some days, so an old one can not be asked for there either."</p>
        </Empty>
    }
    .into_any()
}

/// What webhooks told of an id that nothing else is known of.
pub fn only_told(told: Vec<KeptChange>, now: OffsetDateTime) -> AnyView {
    view! {
        <Section id="told" title="Only Meta’s webhooks name it">
            <p class="hint">"It stands nowhere among your requests, businesses, WABAs and calls. A business that shares a WABA with you is listed after the next sync."</p>
            {changes_table(told, now)}
        </Section>
    }
    .into_any()
}

/// A text in which nothing can be an id.
fn no_id(text: &str, typed: &Typed) -> AnyView {
    if matches!(typed.shape, Shape::GraphError | Shape::Answer) {
        return view! {
            <Empty title="This answer of Meta’s names no fbtrace_id">
                <p>"Only with an fbtrace_id can the call be found. Try the business ID it was sent to."</p>
            </Empty>
        }
        .into_any();
    }
    let title = match typed.shape.words() {
        Some(_) => "No ID stands in this text".to_owned(),
        None => format!("Nothing known about {}", echo(text)),
    };
    view! {
        <Empty title=title actions=view! { <a class="btn" href="/businesses">"Search businesses"</a> }.into_any()>
            <p>"It does not look like an ID. An fbtrace_id, Meta’s request ID, a business ID, a WABA ID, or ours such as LB-1001 will do."</p>
        </Empty>
    }
    .into_any()
}

/// What was typed, short and harmless.
fn echo(text: &str) -> String {
    let text = text.trim();
    let mut short: String =
        text.chars().take(LONGEST_ECHO).map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect();
    if text.chars().nth(LONGEST_ECHO).is_some() {
        short.push('…');
    }
    if short.is_ascii() { short } else { isolated(&short) }
}

fn request_line(line: RequestLine, now: OffsetDateTime) -> AnyView {
    let name = line.business_name.unwrap_or_else(|| line.business_id.to_string());
    view! {
        <li>
            <span><a class="name" href=request_path(line.number)>{line.number.to_string()}</a>" for "<Name name=name/></span>
            <span class="states"><StateLabel look=look_of(&line.state)/><span class="muted"><Timestamp at=line.queued_at now=now/></span></span>
        </li>
    }
    .into_any()
}

fn business_line(known: &KnownBusiness) -> AnyView {
    let business = &known.business;
    let by_waba =
        known.by_waba.as_ref().map(|waba| view! { <span class="muted">", by its WABA "{waba.to_string()}</span> });
    view! {
        <li>
            <span><NameLink href=business_path(business.id.as_str()) name=business.name.clone()/>{by_waba}</span>
            <StateLabel look=look_of(business.standing.as_str())/>
        </li>
    }
    .into_any()
}

fn call_list(calls: &[CallLine], now: OffsetDateTime) -> AnyView {
    view! { <ul class="mini">{calls.iter().map(|call| call_line(call, now)).collect_view()}</ul> }.into_any()
}

pub(super) fn business_path(id: &str) -> String {
    format!("/businesses/{id}")
}
