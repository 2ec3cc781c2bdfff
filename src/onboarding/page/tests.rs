//! What the panels promise in HTML: who gets which buttons, and that names stay names.

use leptos::prelude::*;
use time::{OffsetDateTime, macros::datetime};

use super::{
    decision::{Case, decision, offers_form},
    explained::Explained,
    request::{explained, left_notice, offer, overtaken_notice},
};
use crate::{
    businesses::{Business, Standing},
    graph::Cause,
    onboarding::{
        check::tests::standing,
        model::{AttemptCall, Request, RequestNumber, State},
    },
    sign_in::{Role, Viewer},
};

pub(super) const NOW: OffsetDateTime = datetime!(2026-11-24 10:00 UTC);
const NAME: &str = "<b>\u{202e}Estrela</b> & {business}";

fn viewer(role: Role) -> Viewer {
    Viewer {
        partner: "418206733951027".parse().unwrap(),
        partner_name: "Northlane".into(),
        member_id: 1,
        name: "Ines".into(),
        role,
        other_partners: Vec::new(),
        token_problem: None,
        stalled_after: time::Duration::days(7),
        raw_body_days: 400,
        unsent_on: None,
    }
}

pub(super) fn request(state: State, cause: Option<Cause>) -> Request {
    Request {
        number: RequestNumber(1001),
        business_id: "1745093316208854".parse().unwrap(),
        business_name: NAME.into(),
        solution_id: Some("23".parse().unwrap()),
        solution_name: None,
        member_id: 1,
        member_name: NAME.into(),
        token_works: true,
        token_expires_at: None,
        state,
        attempts: 1,
        doubtful: false,
        cause: cause.map(|cause| cause.as_str().to_owned()),
        meta_request_id: None,
        meta_request_status: None,
        queued_at: NOW,
        retry_at: (state == State::WaitingToRetry).then_some(NOW),
        changed_at: NOW,
        answered_at: Some(NOW),
    }
}

fn call() -> AttemptCall {
    AttemptCall {
        call_id: 41,
        attempt: 1,
        operation: "onboard_partners_to_mm_lite".into(),
        started_at: NOW,
        duration_ms: 340,
        http_status: Some(403),
        failure: None,
        code: Some(200),
        subcode: None,
        message: Some("<i>no</i>".into()),
        user_title: None,
        user_message: None,
        fbtrace_id: Some("AbC".into()),
        x_fb_request_id: None,
        graph_version: "v25.0".into(),
        app_id: "7".into(),
        body: "{}".into(),
        is_body_dropped: false,
    }
}

/// HTML as a browser would see it without script: the markers of the framework taken out.
fn html(view: impl FnOnce() -> AnyView) -> String {
    Owner::new().with(|| view().to_html()).replace("<!>", "")
}

fn panel(business: &Business, request: Option<&Request>, role: Role) -> String {
    let call = call();
    html(|| {
        decision(Case {
            business,
            wabas: &[],
            request,
            last_call: Some(&call),
            paused_until: None,
            offered: Vec::new(),
            chosen: None,
            asked: None,
            viewer: &viewer(role),
            now: NOW,
        })
    })
}

fn explanation(state: State, cause: Option<Cause>, role: Role, is_latest: bool) -> String {
    let (request, business, call, viewer) = (request(state, cause), standing(Standing::Failed), call(), viewer(role));
    let explanation = explained(&request, Some(&business), Some(&call), None, &viewer, NOW);
    let offer = offer(&request, Some(&business), Some(&call), &viewer, is_latest, (None, NOW));
    html(move || view! { <Explained explanation=explanation offer=offer now=NOW/> }.into_any())
}

const BUTTON: &str = ">Onboard to MM Lite</button>";

#[test]
fn the_button_is_there_only_where_asking_can_help() {
    for stands in Standing::ALL {
        let page = panel(&standing(stands), None, Role::AccountManager);
        let can_help = matches!(stands, Standing::Eligible | Standing::Unknown | Standing::Failed);
        assert_eq!(page.contains(BUTTON), can_help, "{stands:?}");
        assert_eq!(offers_form(&standing(stands)), can_help, "{stands:?}");
        assert!(page.contains("aria-labelledby"), "{stands:?} has its panel");
        let left = Business { left_at: Some(NOW), ..standing(stands) };
        assert!(!panel(&left, None, Role::Admin).contains("<button"), "{stands:?}");
    }
}

#[test]
fn support_looks_and_sends_nothing() {
    for stands in Standing::ALL {
        let request = request(State::Queued, None);
        let page = panel(&standing(stands), Some(&request), Role::Support);
        assert!(!page.contains("<form") && !page.contains("type=\"submit\""), "{stands:?}: {page}");
    }
    for state in State::ALL {
        let page = explanation(state, Some(Cause::AccessDenied), Role::Support, true);
        assert!(!page.contains("<form"), "{state}: {page}");
        assert!(page.contains("sends nothing"), "{state}");
    }
}

#[test]
fn only_the_newest_request_of_a_business_is_asked_for_again() {
    let failed = |is_latest| explanation(State::Failed, Some(Cause::AccessDenied), Role::Admin, is_latest);
    assert!(failed(true).contains("Retry request"));
    assert!(!failed(false).contains("Retry request"));
    let page = failed(true);
    assert!(page.contains("name=\"business_id\" value=\"1745093316208854\""), "{page}");
    assert!(page.contains("name=\"solution_id\" value=\"23\""), "{page}");
    assert!(page.contains("Endpoint        POST /v25.0/1745093316208854/onboard_partners_to_mm_lite"), "{page}");
}

#[test]
fn a_name_stays_a_name_in_every_panel() {
    for stands in Standing::ALL {
        let business = Business { name: NAME.into(), ..standing(stands) };
        let request = request(State::Queued, None);
        let page = panel(&business, Some(&request), Role::Admin);
        assert!(!page.contains("<b>\u{202e}"), "{stands:?}: {page}");
    }
    for state in State::ALL {
        for cause in Cause::ALL {
            let page = explanation(state, Some(cause), Role::Admin, true);
            assert!(!page.contains("<b>\u{202e}") && !page.contains("<i>no"), "{state} {cause}: {page}");
            assert!(!page.contains(" style=") && !page.contains(" onclick="), "{page}");
        }
    }
}

#[test]
fn the_solution_chosen_before_is_chosen_still() {
    let business = standing(Standing::Eligible);
    let solution = crate::solutions::Solution {
        id: "23".parse().unwrap(),
        name: "Retail Reach".into(),
        role: crate::solutions::Role::Owner,
        usable: Ok(()),
        ending: false,
    };
    let page = html(|| {
        decision(Case {
            business: &business,
            wabas: &[],
            request: None,
            last_call: None,
            paused_until: None,
            offered: vec![solution],
            chosen: Some("23".into()),
            asked: None,
            viewer: &viewer(Role::Admin),
            now: NOW,
        })
    });
    assert!(
        page.contains("<option selected value=\"23\">") || page.contains("<option value=\"23\" selected"),
        "{page}"
    );
}

#[test]
fn the_end_of_a_partnership_is_told_where_something_is_waited_for() {
    let here = standing(Standing::Requested);
    let left = Business { left_at: Some(NOW), ..here.clone() };
    let told = |business: &Business, state| {
        left_notice(business, &request(state, None), NOW).map(RenderHtml::to_html).unwrap_or_default()
    };
    for state in [State::Requested, State::AlreadyRequested, State::Accepted, State::Failed] {
        assert!(told(&left, state).contains("This business has left"), "{state:?}");
        assert!(told(&here, state).is_empty(), "{state:?}");
    }
    assert!(told(&left, State::Ready).is_empty() && told(&left, State::Cancelled).is_empty());
}

#[test]
fn a_request_that_came_to_nothing_says_so_when_the_terms_are_signed_all_the_same() {
    let said = |state, stands| {
        overtaken_notice(&standing(stands), &request(state, None)).map(RenderHtml::to_html).unwrap_or_default()
    };
    let steps = |stands| {
        let (business, refused) = (standing(stands), request(State::Failed, Some(Cause::AccessDenied)));
        explained(&refused, Some(&business), Some(&call()), None, &viewer(Role::AccountManager), NOW).steps.len()
    };
    assert!(steps(Standing::Failed) > 0);
    assert_eq!((steps(Standing::Accepted), steps(Standing::Ready)), (0, 0), "and nothing is asked for any more");
    for state in [State::Failed, State::TakenByAnotherPartner, State::Cancelled] {
        assert!(said(state, Standing::Accepted).contains("The terms are signed by now"), "{state:?}");
        assert!(said(state, Standing::Ready).contains("This business is ready by now"), "{state:?}");
        assert!(said(state, Standing::Failed).is_empty(), "{state:?}");
    }
    assert!(said(State::Requested, Standing::Accepted).is_empty(), "it's on its way there itself");
}
