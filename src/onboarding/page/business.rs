//! One business: where it stands and what can be done, its WABAs, everything that happened, the facts.

use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    business_url, check_form,
    decision::{Case, decision, offers_form},
    deed_notice,
    letter::Letter,
    problem_notice, request_url,
    timeline::{self, timeline},
};
use crate::{
    businesses::{self, Business, Colleague, LONGEST_NOTE, ManagerSelect, Mark, Standing, Waba, WabaTable},
    db::TenantTx,
    graph::{BusinessId, WabaId},
    onboarding::{
        model::{AttemptCall, Request, RequestNumber},
        store,
    },
    pauses,
    sign_in::{Page, Visit},
    solutions::{self, Solution},
    telemetry::mishap,
    ui::{
        AppError, Breadcrumbs, Empty, Fact, Facts, Glyph, Hue, Icon, Identifier, Name, PageHead, Section, Separator,
        StatePill, Tag, TimeStyle, Timestamp, area_content, isolated, state::look_of,
    },
};

/// All that the page shows.
struct Known {
    business: Business,
    wabas: Vec<Waba>,
    request: Option<Request>,
    last_call: Option<AttemptCall>,
    offered: Vec<Solution>,
    colleagues: Vec<Colleague>,
    manager: Option<Colleague>,
    story: timeline::Story,
}

/// `/businesses/{business_id}`. The id of a WABA leads on to its business.
///
/// # Errors
/// `NotFound` for an id that isn't known, or is another partner's.
pub async fn business_page(visit: Visit) -> Result<Page, AppError> {
    let typed = visit.param("business_id").unwrap_or_default();
    let Ok(id) = typed.trim().parse::<BusinessId>() else { return Ok(no_id_page()) };
    let mut tx = visit.tenant().await?;
    let Some(business) = businesses::find_business(&mut tx, &id).await.map_err(mishap)? else {
        let waba = WabaId::from_stored(id.as_str().to_owned());
        let (owner, name) = businesses::whose_waba(&mut tx, &waba).await.map_err(mishap)?.ok_or(AppError::NotFound)?;
        return Ok(waba_page(&visit, &waba, &owner, &name));
    };
    let paused_until = pauses::until(&mut tx, visit.clock.now()).await.map_err(mishap)?;
    let now = visit.clock.now();
    let after = visit.viewer.stalled_after;
    let stalled_at = business.stalled_days(after, now).and(business.waiting_since).map(|at| at + after);
    let known = load(&mut tx, business, timeline::asked_for(&visit), stalled_at).await.map_err(mishap)?;
    let title = isolated(&known.business.name);
    Ok(Page { title, view: show(&visit, known, paused_until) })
}

async fn load(
    tx: &mut TenantTx,
    business: Business,
    before: Option<Mark>,
    stalled_at: Option<OffsetDateTime>,
) -> sqlx::Result<Known> {
    let story = timeline::load(tx, &business.id, None, stalled_at, before).await?;
    let (mut request, mut last_call) = (None, None);
    if let Some(last) = &business.last_request {
        let number = RequestNumber(last.number);
        request = store::find_request(tx, number).await?;
        last_call = store::calls_of(tx, number).await?.into_iter().next();
    }
    let wabas = businesses::wabas_of(tx, &business.id).await?;
    let offered = solutions::offered(tx).await?;
    let colleagues = businesses::colleagues(tx).await?;
    let manager = businesses::manager_of(tx, &business.id).await?;
    Ok(Known { business, wabas, request, last_call, offered, colleagues, manager, story })
}

fn no_id_page() -> Page {
    let title = "This is not a business ID";
    let actions = view! { <a class="btn btn-primary" href="/businesses">"Search businesses"</a> };
    let view = view! {
        <Breadcrumbs above=vec![("Businesses", "/businesses".to_owned())] here="Not an ID"/>
        <PageHead title=title/>
        <Empty title="Nothing was looked up or sent" actions=actions.into_any()>
            <p>"A business ID is 1 to 20 digits and nothing else. Check what was typed, or search by name."</p>
        </Empty>
    };
    Page { title: title.to_owned(), view: view.into_any() }
}

fn waba_page(visit: &Visit, waba: &WabaId, owner: &BusinessId, name: &str) -> Page {
    let title = "This is a WABA ID";
    let href = super::business_url(owner);
    let actions = view! { <a class="btn btn-primary" href=href>"Open "<Name name=name/></a> };
    let waba_id = view! { <span>"WABA ID "<Identifier what="WABA ID" value=waba.to_string()/></span> };
    let owner_id = view! { <Identifier what="business ID" value=owner.to_string()/> };
    let belongs = view! { <p>"It belongs to "<Name name=name/>", business ID "{owner_id}</p> };
    let view = view! {
        <Breadcrumbs above=vec![("Businesses", "/businesses".to_owned())] here=waba.to_string()/>
        <PageHead title=title>{waba_id}</PageHead>
        {problem_notice(visit)}
        <Empty title="Requests are sent to the business that owns it" actions=actions.into_any()>{belongs}</Empty>
    };
    Page { title: title.to_owned(), view: view.into_any() }
}

fn show(visit: &Visit, known: Known, paused_until: Option<OffsetDateTime>) -> AnyView {
    let now = visit.clock.now();
    let Known { business, wabas, request, last_call, offered, colleagues, manager, story } = known;
    let may = visit.viewer.role.may_onboard();
    let unsent =
        || (may && offers_form(&business)).then(|| visit.unsent("/onboarding/onboard", "solution_id")).flatten();
    let panel = decision(Case {
        business: &business,
        wabas: &wabas,
        request: request.as_ref(),
        last_call: last_call.as_ref(),
        paused_until,
        offered,
        // What a form was sent with comes first; else what the last request named.
        chosen: visit
            .query("solution")
            .or_else(unsent)
            .or_else(|| request.as_ref()?.solution_id.as_ref().map(ToString::to_string)),
        asked: Letter::asked_for(visit),
        viewer: &visit.viewer,
        now,
    });
    let here = business_url(&business.id);
    let form = may.then(|| note_form(&business, visit.unsent("/businesses/add_note", "words")));
    let told = timeline(story, (&here, true), form, &visit.viewer, now);
    let covers = if business.eligible_wabas > 0 { ". One acceptance covers every eligible WABA." } else { "" };
    let note = format!("{} of {} eligible{covers}", business.eligible_wabas, business.wabas);
    view! {
        <Breadcrumbs above=vec![("Businesses", "/businesses".to_owned())] here=business.name.clone()/>
        {head(&business, may, visit.viewer.stalled_after, now)}
        {problem_notice(visit)}
        {deed_notice(visit)}
        <div class="split">
            <div>
                {panel}
                <Section id="wabas" title="WABAs" note=note><WabaTable wabas=wabas/></Section>
                {told}
            </div>
            {facts(&business, colleagues, manager, may, now)}
        </div>
    }
    .into_any()
}

fn head(business: &Business, may: bool, stalled_after: time::Duration, now: OffsetDateTime) -> AnyView {
    let stalled = business
        .stalled_days(stalled_after, now)
        .map(|days| view! { <Tag hue=Hue::Amber glyph=Glyph::Hourglass text=format!("Stalled {days} d")/> });
    let payment = business.needs_payment.then(|| view! { <Tag hue=Hue::Amber text="Needs payment"/> });
    let setting_up = business.setting_up.then(|| view! { <Tag hue=Hue::Teal text="Setting up"/> });
    let left = business.left_at.map(|_| view! { <Tag hue=Hue::Grey text="Left"/> });
    let beside = view! {
        <span class="states"><StatePill look=look_of(business.standing.as_str())/>{stalled}{payment}{setting_up}{left}</span>
    };
    let country = business.country.as_deref().map(|code| {
        view! { <Separator/><span>{businesses::country_name(code).to_owned()}</span> }
    });
    let verified = business
        .verification_status
        .as_deref()
        .filter(|status| status.eq_ignore_ascii_case("verified"))
        .map(|_| view! { <Separator/><span>"Verified by Meta"</span> });
    let id = view! { <span>"Business ID "<Identifier what="business ID" value=business.id.to_string()/></span> };
    let waits =
        business.left_at.is_none() && (business.standing.is_waiting() || business.standing == Standing::Accepted);
    let check = waits.then(|| check_form(&business.id, None));
    let actions = if may {
        view! { {check}<a class="btn" href="#note"><Icon glyph=Glyph::Note/>"Add note"</a> }.into_any()
    } else {
        ().into_any()
    };
    view! {
        <PageHead title=business.name.clone() beside=beside.into_any() actions=actions>{id}{country}{verified}</PageHead>
    }
    .into_any()
}

/// What is written down stays in the workspace. `typed` didn't go through before.
fn note_form(business: &Business, typed: Option<String>) -> AnyView {
    view! {
        <form class="note-form" method="post" action="/businesses/add_note">
            <input type="hidden" name="business_id" value=business.id.to_string()/>
            <div class="field">
                <label for="note">"Note"</label>
                <textarea class="input" id="note" name="words" rows="2" maxlength=LONGEST_NOTE.to_string() required
                    aria-describedby="note-hint" inner_html=area_content(typed)></textarea>
                <p class="hint" id="note-hint">"Only your workspace sees it. Up to 2,000 characters."</p>
            </div>
            <button class="btn" type="submit">"Add note"</button>
        </form>
    }
    .into_any()
}

/// Who looks after it, and the way to change that.
fn manager_fact(business: &Business, colleagues: Vec<Colleague>, manager: Option<Colleague>, may: bool) -> AnyView {
    let name = match &manager {
        Some(manager) => view! { <Name name=manager.name.clone()/> }.into_any(),
        None => "Nobody".into_any(),
    };
    let word = if manager.is_some() { "Change manager" } else { "Assign a manager" };
    let form = may.then(|| {
        view! {
            <details class="disclose assign">
                <summary><Icon glyph=Glyph::Right/>{word}</summary>
                <form class="stack" method="post" action="/businesses/assign">
                    <input type="hidden" name="business_id" value=business.id.to_string()/>
                    <ManagerSelect colleagues=colleagues chosen=manager label="Manager"/>
                    <button class="btn" type="submit">"Assign"</button>
                </form>
            </details>
        }
    });
    view! { <Fact term="Manager">{name}{form}</Fact> }.into_any()
}

fn facts(
    business: &Business,
    colleagues: Vec<Colleague>,
    manager: Option<Colleague>,
    may: bool,
    now: OffsetDateTime,
) -> AnyView {
    let checked = business.checked_at.map(|at| {
        let is_older = business.last_request.as_ref().is_some_and(|last| at < last.at);
        super::checked(at, is_older, now)
    });
    let country = business.country.as_deref().map_or("Not known", businesses::country_name).to_owned();
    let last = business.last_request.clone().map(|last| {
        let number = RequestNumber(last.number);
        view! {
            <Fact term="Last request">
                <a class="link" href=request_url(number)>{number.to_string()}</a>
                <span class="sub">"By "<Name name=last.by/>", "<Timestamp at=last.at now=now/></span>
            </Fact>
        }
    });
    let left =
        business.left_at.map(|at| view! { <Fact term="Left"><Timestamp at=at now=now style=TimeStyle::Day/></Fact> });
    let said = businesses::meta_status_words(business.meta_status.as_deref());
    let wabas = format!("{}, of which {} eligible", business.wabas, business.eligible_wabas);
    let first_seen_at = business.first_seen_at;
    let manager = manager_fact(business, colleagues, manager, may);
    view! {
        <aside class="side" aria-label="Facts">
            <h2>"Facts"</h2>
            <Facts>
                <Fact term="Meta says">{said}{checked}</Fact>
                <Fact term="WABAs">{wabas}</Fact>
                <Fact term="Country">{country}</Fact>
                {manager}
                {last}
                <Fact term="First seen"><Timestamp at=first_seen_at now=now style=TimeStyle::Day/></Fact>
                {left}
            </Facts>
        </aside>
    }
    .into_any()
}
