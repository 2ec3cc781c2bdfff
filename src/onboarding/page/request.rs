//! One request: what happened and what to do, every attempt, the whole story, the facts.

use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    attempts::{attempts, is_post},
    business_url, deed_notice,
    explained::{Explained, Offer},
    letter::Letter,
    problem_notice, request_url,
    timeline::{self, timeline},
};
use crate::{
    businesses::{self, Business, Colleague, LiveList, Standing},
    graph::BusinessId,
    onboarding::{
        check,
        decide::may_cancel,
        explain::{Action, Explanation, Language, Obstacle, Said, Subject, Ticket, explain, stalled_days},
        model::{AttemptCall, Request, RequestEvent, RequestNumber, State},
        store,
    },
    pauses,
    sign_in::{Page, Viewer, Visit},
    telemetry::mishap,
    ui::{
        AppError, Breadcrumbs, CopyLink, Fact, Facts, Glyph, Hue, Identifier, Name, Notice, NoticeKind, PageHead,
        Separator, StatePill, Tag, TimeStyle, Timestamp, isolated, state::look_of,
    },
};

/// All that the page shows.
struct Story {
    request: Request,
    /// The business as it stands; `None` when no sync knows it.
    business: Option<Business>,
    events: Vec<RequestEvent>,
    calls: Vec<AttemptCall>,
    /// The newest request for the business, where that isn't this one, and how it stands.
    newer: Option<(RequestNumber, State)>,
    paused_until: Option<OffsetDateTime>,
    manager: Option<Colleague>,
    told: timeline::Story,
}

/// `/requests/{number}`.
///
/// # Errors
/// `NotFound` for what is no number of a request of this partner.
pub async fn request_page(visit: Visit) -> Result<Page, AppError> {
    let number: RequestNumber =
        visit.param("number").and_then(|number| number.parse().ok()).ok_or(AppError::NotFound)?;
    let story = load(&visit, number).await?;
    let title = format!("{}, request {number}", isolated(&story.request.business_name));
    Ok(Page { title, view: show(&visit, story) })
}

async fn load(visit: &Visit, number: RequestNumber) -> Result<Story, AppError> {
    let mut tx = visit.tenant().await?;
    let request = store::find_request(&mut tx, number).await.map_err(mishap)?.ok_or(AppError::NotFound)?;
    Ok(Story {
        business: businesses::find_business(&mut tx, &request.business_id).await.map_err(mishap)?,
        events: store::events_of(&mut tx, number).await.map_err(mishap)?,
        calls: store::calls_of(&mut tx, number).await.map_err(mishap)?,
        newer: store::newer_request(&mut tx, &request.business_id, number).await.map_err(mishap)?,
        paused_until: pauses::until(&mut tx, visit.clock.now()).await.map_err(mishap)?,
        manager: businesses::manager_of(&mut tx, &request.business_id).await.map_err(mishap)?,
        told: timeline::load(
            &mut tx,
            &request.business_id,
            Some((number, request.queued_at)),
            stalled_at(&request, visit.viewer.stalled_after, visit.clock.now()),
            timeline::asked_for(visit),
        )
        .await
        .map_err(mishap)?,
        request,
    })
}

fn stalled_at(request: &Request, after: time::Duration, now: OffsetDateTime) -> Option<OffsetDateTime> {
    stalled_days(request.state, request.answered_at, after, now).and(request.answered_at).map(|at| at + after)
}

/// What the explanation of a request is made from.
pub(super) fn explained(
    request: &Request,
    business: Option<&Business>,
    last: Option<&AttemptCall>,
    paused_until: Option<OffsetDateTime>,
    viewer: &Viewer,
    now: OffsetDateTime,
) -> Explanation {
    let asked = business.filter(|business| {
        business.meta_status.as_deref().is_some_and(|said| said.eq_ignore_ascii_case("REQUEST_SENT"))
    });
    let mut explanation = explain(&Subject {
        state: request.state,
        cause: request.cause.as_deref().and_then(|cause| cause.parse().ok()),
        said: last.map(Said::from).unwrap_or_default(),
        business_name: &request.business_name,
        member_name: &request.member_name,
        reader_asked: request.member_id == viewer.member_id,
        token_dead: request.lacks_token(now),
        stands_since: asked.and_then(|business| business.meta_status_date.as_deref()),
        answered_at: request.answered_at,
        stalled_after: viewer.stalled_after,
        retry_at: request.retry_at,
        paused_until,
        now,
    });
    if let (State::Accepted, Some(business)) = (request.state, business) {
        explanation = explanation.with_obstacle(Obstacle::of(business.needs_payment, business.setting_up));
    }
    if business.is_some_and(|business| is_overtaken(business, request)) {
        (explanation.who, explanation.steps) = (None, Vec::new());
    }
    if !may_cancel(request.state, request.doubtful) {
        explanation.actions.retain(|action| *action != Action::Cancel);
    }
    explanation
}

/// What the buttons need; `is_latest` and the business decide whether asking again makes sense.
pub(super) fn offer(
    request: &Request,
    business: Option<&Business>,
    last_post: Option<&AttemptCall>,
    viewer: &Viewer,
    is_latest: bool,
    (asked, now): (Option<Language>, OffsetDateTime),
) -> Offer {
    Offer {
        number: request.number,
        business_id: request.business_id.clone(),
        solution_id: request.solution_id.clone(),
        ticket: last_post.map(|call| ticket(request, call, viewer.partner.as_business())),
        letter: Letter {
            name: request.business_name.clone(),
            business_id: request.business_id.clone(),
            request_id: request.meta_request_id.clone(),
            asked,
            country: business.and_then(|business| business.country.clone()),
            here: request_url(request.number),
        },
        is_stalled: stalled_days(request.state, request.answered_at, viewer.stalled_after, now).is_some(),
        may_send: viewer.role.may_onboard(),
        may_retry: is_latest && business.is_some_and(|business| check::may_be_asked(business).is_ok()),
    }
}

fn ticket(request: &Request, call: &AttemptCall, partner: &BusinessId) -> String {
    let endpoint = format!("POST /{}/{}/onboard_partners_to_mm_lite", call.graph_version, request.business_id);
    Ticket {
        endpoint: &endpoint,
        business: Some(&request.business_id),
        partner,
        app: &call.app_id,
        solution: request.solution_id.as_ref(),
        at: call.started_at,
        http: call.http_status.map(i16::unsigned_abs),
        code: call.code,
        subcode: call.subcode,
        message: call.message.as_deref(),
        fbtrace_id: call.fbtrace_id.as_deref(),
        x_fb_request_id: call.x_fb_request_id.as_deref(),
    }
    .to_string()
}

fn show(visit: &Visit, story: Story) -> AnyView {
    let now = visit.clock.now();
    let Story { request, business, events, calls, newer, paused_until, manager, told } = story;
    let (request, calls) = (&request, calls.as_slice());
    let last_post = calls.iter().find(|call| is_post(call));
    // The answer that ended it: after a token died or a limit, that may be the answer to a reading.
    let last = calls.first();
    let running = is_moving(request, paused_until, now);
    let mut explanation = explained(request, business.as_ref(), last, paused_until, &visit.viewer, now);
    if newer.is_some() {
        // What is to be done stands on the page of the newer one.
        (explanation.who, explanation.steps) = (None, Vec::new());
    }
    let asked = (Letter::asked_for(visit), now);
    let offer = offer(request, business.as_ref(), last_post, &visit.viewer, newer.is_none(), asked);
    let here = request_url(request.number);
    let told = timeline(told, (&here, false), None, &visit.viewer, now);
    view! {
        // What `LiveList` follows: it asks for this page again as long as the part called so is marked as running.
        <div id="sync" data-running=running.then_some("")>
            <Breadcrumbs above=vec![("Requests", "/requests".to_owned())] here=request.number.to_string()/>
            {head(request, business.as_ref(), visit.viewer.stalled_after, now)}
            {problem_notice(visit)}
            {deed_notice(visit)}
            {done_notice(visit, request)}
            {business.as_ref().and_then(|business| left_notice(business, request, now))}
            {business.as_ref().and_then(|business| overtaken_notice(business, request))}
            {newer.map(newer_notice)}
            {running.then(|| moving_notice(request))}
            <div class="split">
                <div>
                    <Explained explanation=explanation offer=offer now=now/>
                    {attempts(calls, &events, running, visit.viewer.raw_body_days, now)}
                    {told}
                </div>
                {facts(request, last_post, business.as_ref(), manager, now)}
            </div>
        </div>
        {running.then(|| view! { <LiveList/> })}
    }
    .into_any()
}

/// That the partnership ended, where something is still waited for.
pub(super) fn left_notice(business: &Business, request: &Request, now: OffsetDateTime) -> Option<AnyView> {
    let left_at = business.left_at?;
    if matches!(request.state, State::Ready | State::Cancelled | State::TakenByAnotherPartner) {
        return None;
    }
    let view = view! {
        <Notice kind=NoticeKind::Info title="This business has left">
            <p>
                "Since "<Timestamp at=left_at now=now style=TimeStyle::Day/>
                " it shares no WABA with you, so Meta no longer tells you how it stands. What was signed stays signed."
            </p>
        </Notice>
    };
    Some(view.into_any())
}

/// Whether the request came to nothing and the terms were signed all the same: then nothing is to be done about it.
fn is_overtaken(business: &Business, request: &Request) -> bool {
    matches!(request.state, State::Failed | State::TakenByAnotherPartner | State::Cancelled)
        && matches!(business.standing, Standing::Accepted | Standing::Ready)
}

/// That it is.
pub(super) fn overtaken_notice(business: &Business, request: &Request) -> Option<AnyView> {
    if !is_overtaken(business, request) {
        return None;
    }
    let (title, words) = if business.standing == Standing::Ready {
        (
            "This business is ready by now",
            "It signed Meta’s terms, and a WABA of it is onboarded. For this request nothing is left to do.",
        )
    } else {
        (
            "The terms are signed by now",
            "An admin of this business signed Meta’s terms. For this request nothing is left to do.",
        )
    };
    Some(view! { <Notice kind=NoticeKind::Done title=title><p>{words}</p></Notice> }.into_any())
}

/// That the business was asked again.
fn newer_notice((number, state): (RequestNumber, State)) -> AnyView {
    let word = look_of(state.as_str()).word;
    view! {
        <Notice kind=NoticeKind::Info title="Asked again since">
            <p>
                "How the business stands now is told by "<a class="link" href=request_url(number)>{number.to_string()}</a>": "{word}". "
                "Here stands how this request ended."
            </p>
        </Notice>
    }
    .into_any()
}

/// What the form that led here did, besides what the page tells anyway.
fn done_notice(visit: &Visit, request: &Request) -> Option<AnyView> {
    match visit.query("notice")?.as_str() {
        "already" => Some(
            view! {
                <Notice kind=NoticeKind::Info title="Already requested">
                    <p>"A request for this business stood already: this one. Nothing was sent twice."</p>
                </Notice>
            }
            .into_any(),
        ),
        "cancelled" if request.state == State::Cancelled => Some(
            view! { <Notice kind=NoticeKind::Done title="Cancelled"><p>"Nothing was sent to Meta."</p></Notice> }
                .into_any(),
        ),
        _ => None,
    }
}

/// How near the next try must be for the page to be worth watching.
const SOON: time::Duration = time::Duration::minutes(1);

/// Whether it will be somewhere else in a moment, by itself.
fn is_moving(request: &Request, paused_until: Option<OffsetDateTime>, now: OffsetDateTime) -> bool {
    let held_back = paused_until.is_some() || request.lacks_token(now);
    match request.state {
        State::Sending => true,
        State::Queued => !held_back,
        State::WaitingToRetry => !held_back && request.retry_at.is_some_and(|at| at - now < SOON),
        _ => false,
    }
}

/// What stands on the page while it moves: without script it asks for itself again.
fn moving_notice(request: &Request) -> AnyView {
    let reload = view! { <a class="btn btn-sm" href=request_url(request.number)>"Reload"</a> };
    let notice = request.state.is_under_way().then(|| {
        view! {
            <Notice kind=NoticeKind::Info title="Sending…" actions=Some(reload.into_any())>
                <p>"Meta’s answer takes longer than usual. You can leave this page: the request goes on by itself."</p>
            </Notice>
        }
    });
    view! { <noscript><meta http-equiv="refresh" content="2"/></noscript>{notice} }.into_any()
}

fn head(request: &Request, business: Option<&Business>, stalled_after: time::Duration, now: OffsetDateTime) -> AnyView {
    let stalled = stalled_days(request.state, request.answered_at, stalled_after, now)
        .map(|days| view! { <Tag hue=Hue::Amber glyph=Glyph::Hourglass text=format!("Stalled {days} d")/> });
    let accepted = business.filter(|business| {
        matches!(request.state, State::Accepted | State::Ready)
            && matches!(business.standing, Standing::Accepted | Standing::Ready)
    });
    let payment = accepted.filter(|business| business.needs_payment);
    let payment = payment.map(|_| view! { <Tag hue=Hue::Amber text="Needs payment"/> });
    let setting_up = accepted.filter(|business| business.setting_up);
    let setting_up = setting_up.map(|_| view! { <Tag hue=Hue::Teal text="Setting up"/> });
    let beside = view! {
        <span class="states"><StatePill look=look_of(request.state.as_str())/>{stalled}{payment}{setting_up}</span>
    };
    let line = view! {
        <span>"Request "{our_id(request.number)}</span>
        <Separator/>
        <span>"Requested by "<Name name=request.member_name.clone()/>", "<Timestamp at=request.queued_at now=now/></span>
    };
    let actions = view! { <CopyLink href=request_url(request.number) words=("Copy link", "Link to this request")/> };
    view! {
        <PageHead title=request.business_name.clone() beside=beside.into_any() actions=actions.into_any() keep=true>{line}</PageHead>
    }
    .into_any()
}

fn our_id(number: RequestNumber) -> AnyView {
    view! { <Identifier what="reference" value=number.to_string()/> }.into_any()
}

fn facts(
    request: &Request,
    last_post: Option<&AttemptCall>,
    known: Option<&Business>,
    manager: Option<Colleague>,
    now: OffsetDateTime,
) -> AnyView {
    let meta_id = match request.meta_request_id.clone() {
        Some(id) => view! { <Identifier what="request ID" value=id/> }.into_any(),
        None => view! {
            <span class="muted">"Not issued"</span>
            <span class="sub">"Meta gives one only when it takes the request."</span>
        }
        .into_any(),
    };
    let solution = solution_view(request.solution_name.clone(), request.solution_id.as_ref().map(ToString::to_string));
    let next = match request.retry_at {
        Some(_) if request.lacks_token(now) => "After a new sign-in".into_any(),
        Some(at) => view! { <Timestamp at=at now=now style=TimeStyle::Second/> }.into_any(),
        None => "None planned".into_any(),
    };
    let business = view! {
        <a class="link" href=business_url(&request.business_id)><Name name=request.business_name.clone()/></a>
    };
    let business_id = view! { <Identifier what="business ID" value=request.business_id.to_string()/> };
    let asker = view! { <Name name=request.member_name.clone()/> };
    let ours = our_id(request.number);
    let manager = match manager {
        Some(manager) => view! { <Name name=manager.name/> }.into_any(),
        None => "Nobody".into_any(),
    };
    let says = known.map(|business| {
        let checked = business.checked_at.map(|at| super::checked(at, at < request.queued_at, now));
        let words = businesses::meta_status_words(business.meta_status.as_deref());
        view! { <Fact term="Meta says">{words}{checked}</Fact> }
    });
    let probed = request.meta_request_status.clone().map(|word| {
        view! { <Fact term="Request at Meta"><code>{word}</code></Fact> }
    });
    let version = last_post.map_or_else(|| "Not called yet".to_owned(), |call| call.graph_version.clone());
    view! {
        <aside class="side" aria-label="Facts">
            <h2>"Facts"</h2>
            <Facts>
                <Fact term="Request ID">{meta_id}</Fact>
                <Fact term="Ours">{ours}</Fact>
                <Fact term="Business">{business}</Fact>
                <Fact term="Business ID">{business_id}</Fact>
                <Fact term="Solution">{solution}</Fact>
                <Fact term="Requested by">{asker}</Fact>
                <Fact term="Manager">{manager}</Fact>
                {says}
                {probed}
                <Fact term="Graph version">{version}</Fact>
                <Fact term="Next retry">{next}</Fact>
            </Facts>
        </aside>
    }
    .into_any()
}

/// A solution by its name, else by its id, else "None".
pub(super) fn solution_view(name: Option<String>, id: Option<String>) -> AnyView {
    match name.or(id) {
        Some(name) => view! { <Name name=name/> }.into_any(),
        None => "None".into_any(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onboarding::page::tests::{NOW, request};

    #[test]
    fn a_page_watches_only_what_moves_by_itself() {
        for state in State::ALL {
            let expected = matches!(state, State::Queued | State::Sending | State::WaitingToRetry);
            assert_eq!(is_moving(&request(state, None), None, NOW), expected, "{state}");
            let dead = Request { token_works: false, ..request(state, None) };
            assert_eq!(is_moving(&dead, None, NOW), state == State::Sending, "{state} without a token");
            assert_eq!(
                is_moving(&request(state, None), Some(NOW + SOON), NOW),
                state == State::Sending,
                "{state} paused"
            );
        }
        let later = Request { retry_at: Some(NOW + SOON), ..request(State::WaitingToRetry, None) };
        assert!(!is_moving(&later, None, NOW));
    }
}
