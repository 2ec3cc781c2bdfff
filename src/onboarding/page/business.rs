//! One business: where it stands and what can be done, its WABAs, everything that happened, the facts.

use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    decision::{Case, decision},
    problem_notice, request_url,
    story::{business_event, request_event},
};
use crate::{
    businesses::{self, Business, Event, Waba, WabaTable},
    db::TenantTx,
    graph::{BusinessId, WabaId},
    onboarding::{
        model::{AttemptCall, Request, RequestEvent, RequestNumber},
        store,
    },
    sign_in::{Page, Visit},
    solutions::{self, Solution},
    telemetry::mishap,
    ui::{
        AppError, Breadcrumbs, Empty, Fact, Facts, Glyph, Hue, Identifier, Name, PageHead, Section, Separator,
        StatePill, Tag, TimeStyle, Timeline, Timestamp, isolated, plural, state::look_of,
    },
};

/// Lines of the timeline.
const LINES: usize = 50;

/// All that the page shows.
struct Known {
    business: Business,
    wabas: Vec<Waba>,
    request: Option<Request>,
    last_call: Option<AttemptCall>,
    offered: Vec<Solution>,
    story: Vec<Line>,
}

/// One line of the timeline.
enum Line {
    Business(Event),
    Request(RequestEvent),
}

impl Line {
    fn at(&self) -> OffsetDateTime {
        match self {
            Self::Business(event) => event.at,
            Self::Request(event) => event.at,
        }
    }
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
    let paused_until = store::pause_until(&mut tx, visit.clock.now()).await.map_err(mishap)?;
    let known = load(&mut tx, business).await.map_err(mishap)?;
    let title = isolated(&known.business.name);
    Ok(Page { title, view: show(&visit, known, paused_until) })
}

async fn load(tx: &mut TenantTx, business: Business) -> sqlx::Result<Known> {
    let most = i64::try_from(LINES).unwrap_or(i64::MAX);
    let ours = store::events_of_business(tx, &business.id, most).await?;
    let story = merge(businesses::events_of(tx, &business.id, most).await?, ours, LINES);
    let (mut request, mut last_call) = (None, None);
    if let Some(last) = &business.last_request {
        let number = RequestNumber(last.number);
        request = store::find_request(tx, number).await?;
        last_call = store::calls_of(tx, number).await?.into_iter().next();
    }
    let wabas = businesses::wabas_of(tx, &business.id).await?;
    let offered = solutions::offered(tx).await?;
    Ok(Known { business, wabas, request, last_call, offered, story })
}

/// Both stories as one, newest first, `most` lines. Of one instant, what happened to the request comes last, and so stands
/// first: it follows from what happened to the business. Both come newest first.
fn merge(business: Vec<Event>, requests: Vec<RequestEvent>, most: usize) -> Vec<Line> {
    let mut story: Vec<Line> =
        requests.into_iter().map(Line::Request).chain(business.into_iter().map(Line::Business)).collect();
    story.sort_by_key(|line| std::cmp::Reverse(line.at()));
    story.truncate(most);
    story
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
    let belongs = view! { <p>"It belongs to "<Name name=name/>", business ID "{owner_id}"."</p> };
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
    let Known { business, wabas, request, last_call, offered, story } = known;
    let panel = decision(Case {
        business: &business,
        wabas: &wabas,
        request: request.as_ref(),
        last_call: last_call.as_ref(),
        paused_until,
        offered,
        // What a form was sent with comes first; else what the last request named.
        chosen: visit.query("solution").or_else(|| request.as_ref()?.solution_id.as_ref().map(ToString::to_string)),
        viewer: &visit.viewer,
        now,
    });
    let covers = if business.eligible_wabas > 0 { ". One acceptance covers every eligible WABA." } else { "" };
    let note = format!("{} of {} eligible{covers}", business.eligible_wabas, business.wabas);
    view! {
        <Breadcrumbs above=vec![("Businesses", "/businesses".to_owned())] here=business.name.clone()/>
        {head(&business, now)}
        {problem_notice(visit)}
        <div class="split">
            <div>
                {panel}
                <Section id="wabas" title="WABAs" note=note><WabaTable wabas=wabas/></Section>
                {timeline(&story, now)}
            </div>
            {facts(&business, now)}
        </div>
    }
    .into_any()
}

fn head(business: &Business, now: OffsetDateTime) -> AnyView {
    let stalled = business
        .stalled_days(now)
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
    view! {
        <PageHead title=business.name.clone() beside=beside.into_any()>{id}{country}{verified}</PageHead>
    }
    .into_any()
}

fn timeline(story: &[Line], now: OffsetDateTime) -> AnyView {
    let count = u64::try_from(story.len()).unwrap_or_default();
    let note = if story.len() < LINES {
        format!("{}, newest first", plural(count, "event", "events"))
    } else {
        format!("The last {}, newest first", plural(count, "event", "events"))
    };
    let lines = story
        .iter()
        .map(|line| match line {
            Line::Business(event) => business_event(event, now),
            Line::Request(event) => request_event(event, now, true),
        })
        .collect::<Vec<_>>();
    view! { <Section id="timeline" title="Timeline" note=note><Timeline>{lines}</Timeline></Section> }.into_any()
}

fn facts(business: &Business, now: OffsetDateTime) -> AnyView {
    let checked = business.checked_at.map(|at| view! { <span class="sub">"Checked "<Timestamp at=at now=now/></span> });
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
    view! {
        <aside class="side" aria-label="Facts">
            <h2>"Facts"</h2>
            <Facts>
                <Fact term="Meta says">{said}{checked}</Fact>
                <Fact term="WABAs">{wabas}</Fact>
                <Fact term="Country">{country}</Fact>
                {last}
                <Fact term="First seen"><Timestamp at=first_seen_at now=now style=TimeStyle::Day/></Fact>
                {left}
            </Facts>
        </aside>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::{businesses::EventKind, onboarding::model::State};

    fn business(at: OffsetDateTime) -> Event {
        Event { at, kind: EventKind::FirstSeen, waba: None, detail: None }
    }

    fn request(at: OffsetDateTime) -> RequestEvent {
        RequestEvent {
            number: RequestNumber(1),
            at,
            state: State::Queued,
            attempt: 0,
            cause: None,
            retry_at: None,
            member_name: None,
        }
    }

    #[test]
    fn both_stories_are_told_as_one_newest_first_and_none_is_told_twice() {
        let at = |hour| datetime!(2026-11-24 0:00 UTC) + time::Duration::hours(hour);
        let story =
            merge(vec![business(at(9)), business(at(4))], vec![request(at(9)), request(at(7)), request(at(1))], 4);
        let told: Vec<_> = story.iter().map(|line| (line.at(), matches!(line, Line::Request(_)))).collect();
        assert_eq!(told, [(at(9), true), (at(9), false), (at(7), true), (at(4), false)]);
    }
}
