//! The panel on a business's page where it's decided, or told, what becomes of it.

use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    MAY_NOT_SEND, cancel_form,
    explained::line_view,
    letter::Letter,
    request::{explained, solution_view},
    request_url,
};
use crate::{
    businesses::{self, Business, Link, Standing, Waba},
    onboarding::{
        decide::may_cancel,
        explain::{Language, Obstacle},
        model::{AttemptCall, Request},
    },
    sign_in::Viewer,
    solutions::{Solution, SolutionSelect},
    ui::{
        Fact, Facts, Glyph, Hue, Icon, Identifier, Lead, Name, Panel, TimeStyle, Timestamp, isolated, plural,
        state::look_of,
    },
};

/// What is decided upon.
pub(super) struct Case<'a> {
    pub business: &'a Business,
    pub wabas: &'a [Waba],
    /// The newest request that wasn't cancelled.
    pub request: Option<&'a Request>,
    /// The newest call made for it.
    pub last_call: Option<&'a AttemptCall>,
    /// Until when Meta asked us to send nothing.
    pub paused_until: Option<OffsetDateTime>,
    pub offered: Vec<Solution>,
    /// The solution that was chosen before, where the form is shown again.
    pub chosen: Option<String>,
    /// The language the address asks the message to the client in.
    pub asked: Option<Language>,
    pub viewer: &'a Viewer,
    pub now: OffsetDateTime,
}

/// Whether the panel has the form, for those who may send.
pub(super) fn offers_form(business: &Business) -> bool {
    business.left_at.is_none() && matches!(business.standing, Standing::Eligible | Standing::Unknown | Standing::Failed)
}

/// The panel. One that has no button says what happens instead.
pub(super) fn decision(case: Case<'_>) -> AnyView {
    if case.business.left_at.is_some() {
        return told(
            &case,
            Hue::Grey,
            Glyph::Alert,
            "This business has left".to_owned(),
            "It shares no WABA with you any more, so Meta would refuse. Ask the client to share one in Business \
             Settings, under Partners; the next sync finds it.",
        );
    }
    // Those with a form are told by `offers_form` as well.
    match case.business.standing {
        Standing::Eligible | Standing::Unknown => form_panel(case),
        Standing::Failed => view! { <div class="stack">{failure(&case)}{form_panel(case)}</div> }.into_any(),
        Standing::Queued | Standing::Sending | Standing::WaitingToRetry => under_way(&case),
        Standing::Requested | Standing::AlreadyRequested => waiting(&case),
        Standing::TakenByAnotherPartner => told(
            &case,
            Hue::Plum,
            Glyph::Taken,
            "Taken by another partner".to_owned(),
            "Another partner asked first. Meta takes one request per business; its WABAs onboard with it. Nothing \
             to do.",
        ),
        Standing::Accepted => accepted(&case),
        Standing::Ready => {
            told(&case, Hue::Green, Glyph::Ready, "This business is ready".to_owned(), ready_words(case.business))
        }
        Standing::NotEligible => not_eligible(&case),
    }
}

/// The form: the sentence that says what will happen, the solution, the button.
fn form_panel(case: Case<'_>) -> AnyView {
    let Case { business, wabas, offered, chosen, viewer, .. } = case;
    let title = match business.standing {
        Standing::Unknown => "Meta did not say if this business can be onboarded",
        Standing::Failed => "Ask again",
        _ => "This business can be onboarded",
    };
    let covers = match business.eligible_wabas {
        i32::MIN..=0 => "Meta decides when it is asked.".to_owned(),
        1 => "One acceptance covers its eligible WABA.".to_owned(),
        2 => "One acceptance covers both eligible WABAs.".to_owned(),
        more => format!("One acceptance covers all {more} eligible WABAs."),
    };
    let sentence = view! {
        <p id="onboard-what">
            "Meta will e-mail "<b>"all admins"</b>" of "<Name name=business.name.clone()/>
            ", and keep reminding them until someone with full control accepts or declines. "{covers}
        </p>
    };
    let obo = obo_note(wabas);
    let form = if viewer.role.may_onboard() {
        view! {
            <form class="panel-body onboard" method="post" action="/onboarding/onboard">
                <h2 id="onboard">{title}</h2>
                {sentence}
                <input type="hidden" name="business_id" value=business.id.to_string()/>
                <div class="onboard-row">
                    <SolutionSelect offered=offered chosen=chosen/>
                    <button class="btn btn-primary btn-lg" type="submit" aria-describedby="onboard-what">"Onboard to MM Lite"</button>
                </div>
            </form>
        }
        .into_any()
    } else {
        view! {
            <div class="panel-body onboard"><h2 id="onboard">{title}</h2>{sentence}<p class="hint">{MAY_NOT_SEND}</p></div>
        }
        .into_any()
    };
    view! {
        <Panel named_by="onboard">
            {form}
            <div class="panel-foot foot-notes">
                <p class="hint"><b>"Sending twice is safe."</b>" While a request is pending, Meta keeps the first one."</p>
                <p class="hint"><b>"OBO intents are legacy."</b>" Meta retired OBO in October 2025; "{obo}</p>
            </div>
        </Panel>
    }
    .into_any()
}

fn obo_note(wabas: &[Waba]) -> String {
    let obo = wabas.iter().filter(|waba| waba.link == Link::Obo && waba.gone_at.is_none()).count();
    match obo {
        0 => "this business has no OBO WABA.".to_owned(),
        some => format!(
            "this business has {}.",
            plural(
                some.try_into().unwrap_or_default(),
                "OBO WABA",
                "OBO \
            WABAs"
            )
        ),
    }
}

/// Why the last request failed, in short, with the way to the whole of it.
fn failure(case: &Case<'_>) -> Option<AnyView> {
    let request = case.request?;
    let explanation = explained(request, Some(case.business), case.last_call, case.paused_until, case.viewer, case.now);
    let text = explanation.text.iter().map(|line| view! { <p>{line_view(line, case.now)}</p> }).collect_view();
    let way = view! {
        <div class="row">
            <a class="btn" href=request_url(request.number)>"See what to do"</a>
            <span class="muted">{request.number.to_string()}</span>
        </div>
    };
    Some(
        view! {
            <Panel named_by="failed" hue=explanation.hue>
                <div class="panel-body stack">
                    <Lead id="failed" title=explanation.title glyph=explanation.glyph>{text}</Lead>
                    {way}
                </div>
            </Panel>
        }
        .into_any(),
    )
}

fn under_way(case: &Case<'_>) -> AnyView {
    let Some(request) = case.request else {
        let look = look_of(case.business.standing.as_str());
        return told(case, look.hue, look.icon, look.word.to_owned(), "A request is under way.");
    };
    let explanation = explained(request, Some(case.business), case.last_call, case.paused_until, case.viewer, case.now);
    let text =
        explanation.text.iter().map(|line| view! { <p class="sm">{line_view(line, case.now)}</p> }).collect_view();
    let may_stop = case.viewer.role.may_onboard() && may_cancel(request.state, request.doubtful);
    let facts = facts(case, request);
    let row = view! {
        <div class="row">
            <a class="btn" href=request_url(request.number)>"Open request"</a>
            {may_stop.then(|| cancel_form(request.number))}
        </div>
    };
    view! {
        <Panel named_by="under-way" hue=explanation.hue>
            <div class="panel-body stack">
                <Lead id="under-way" title=explanation.title glyph=explanation.glyph>{text}</Lead>
                {facts}
                {row}
            </div>
        </Panel>
    }
    .into_any()
}

fn waiting(case: &Case<'_>) -> AnyView {
    let business = case.business;
    // Meta may have been asked by another way than ours: then there is no request of ours that stands.
    let request = case.request.filter(|request| request.state.as_str() == business.standing.as_str());
    let letter = Letter {
        name: business.name.clone(),
        business_id: business.id.clone(),
        request_id: request.and_then(|request| request.meta_request_id.clone()),
        asked: case.asked,
        country: business.country.clone(),
        here: super::business_url(&business.id),
    };
    let elsewhere = request.is_none().then(|| {
        view! { <p class="sm">"The request was not made here: Meta says that one has been sent."</p> }
    });
    let open =
        request.map(|request| view! { <a class="btn btn-quiet" href=request_url(request.number)>"Open request"</a> });
    let title = format!("Waiting for an admin of {}", isolated(&business.name));
    let facts = request.map(|request| facts(case, request));
    let open_letter = business.stalled_days(case.viewer.stalled_after, case.now).is_some() || case.asked.is_some();
    view! {
        <Panel named_by="waiting">
            <div class="panel-body stack">
                <Lead id="waiting" title=title>
                    <p class="sm">
                        "Meta has e-mailed all admins. Someone with full control must accept in Business \
                         Settings, under Requests. We watch for the answer."
                    </p>
                    {elsewhere}
                </Lead>
                {facts}
                <div class="row">
                    {letter.button("Copy reminder for the client", false)}
                    {open}
                </div>
                <details class="disclose" open=open_letter>
                    <summary><Icon glyph=Glyph::Right/>"What is copied"</summary>
                    {letter.view()}
                </details>
            </div>
        </Panel>
    }
    .into_any()
}

fn facts(case: &Case<'_>, request: &Request) -> AnyView {
    let now = case.now;
    let (what, id) = match request.meta_request_id.clone() {
        Some(id) => ("request ID", id),
        None => ("reference", request.number.to_string()),
    };
    let solution = solution_view(request.solution_name.clone(), request.solution_id.as_ref().map(ToString::to_string));
    let stalls = case.business.waiting_since.map(|since| {
        let at = since + case.viewer.stalled_after;
        view! { <Fact term="Stalled after"><Timestamp at=at now=now style=TimeStyle::Day/></Fact> }
    });
    let queued_at = request.queued_at;
    view! {
        <Facts wide=true>
            <Fact term="Request ID"><Identifier what=what value=id/></Fact>
            <Fact term="Requested"><Timestamp at=queued_at now=now style=TimeStyle::Minute/></Fact>
            <Fact term="Solution">{solution}</Fact>
            {stalls}
        </Facts>
    }
    .into_any()
}

fn accepted(case: &Case<'_>) -> AnyView {
    let obstacle = Obstacle::of(case.business.needs_payment, case.business.setting_up);
    let hue = if obstacle == Obstacle::Payment { Hue::Amber } else { Hue::Teal };
    told(case, hue, Glyph::Accepted, "The terms are signed".to_owned(), obstacle.words())
}

/// What still stands between other WABAs of a business that is ready and being onboarded.
fn ready_words(business: &Business) -> &'static str {
    match Obstacle::of(business.needs_payment, business.setting_up) {
        Obstacle::Payment => {
            "At least one WABA is onboarded to MM Lite. Another has no valid payment method: ask the client to add one in \
             WhatsApp Manager. Nothing has to be sent again."
        }
        Obstacle::SettingUp => {
            "At least one WABA is onboarded to MM Lite, and Meta is setting another up. Nothing to do."
        }
        Obstacle::Untold => "At least one WABA is onboarded to MM Lite. Nothing to do.",
    }
}

fn not_eligible(case: &Case<'_>) -> AnyView {
    let needs = case
        .wabas
        .iter()
        .filter(|waba| waba.gone_at.is_none())
        .map(|waba| {
            let said = waba.eligibility.as_deref();
            let remedy = businesses::remedy(said).map(|remedy| format!(" {remedy}"));
            view! { <li><Name name=waba.name.clone()/>": "{businesses::reason_words(said).words}"."{remedy}</li> }
        })
        .collect_view();
    view! {
        <Panel named_by="not-eligible">
            <div class="panel-body stack">
                <Lead id="not-eligible" title="This business can not be onboarded yet" glyph=Glyph::NotEligible>
                    <p>"None of its WABAs is eligible. This is what Meta says of each:"</p>
                </Lead>
                <ul class="needs">{needs}</ul>
            </div>
        </Panel>
    }
    .into_any()
}

/// A panel that only tells.
fn told(case: &Case<'_>, hue: Hue, glyph: Glyph, title: String, text: &'static str) -> AnyView {
    let open = case.request.map(|request| {
        view! { <div class="row"><a class="btn" href=request_url(request.number)>"Open request"</a></div> }
    });
    view! {
        <Panel named_by="stands" hue=hue>
            <div class="panel-body stack">
                <Lead id="stands" title=title glyph=glyph><p>{text}</p></Lead>
                {open}
            </div>
        </Panel>
    }
    .into_any()
}
