//! The two pages for people we don't know yet, or not for which partner: signing in, and choosing a partner.
//!
//! They stand without navigation and work without script; the way to Facebook is a link, since a form may not lead to
//! another site (`form-action`).

use http::request::Parts;
use leptos::prelude::*;

use super::{
    finish::redirect,
    gate::Asker,
    problem::{Kind, SignInProblem},
    return_to::ReturnTo,
    session::Membership,
    visit::{Page, Viewer, query_value},
};
use crate::{
    telemetry,
    ui::{
        AppError, Glyph, Icon, Mark, Notice, NoticeKind,
        state::{StateLabel, look_of},
    },
};

/// The path of a request, as the page's side tells it: state and what it means to the reader.
const PATH: [(&str, &str); 5] = [
    ("queued", "Saved here. You can close the tab."),
    ("sending", "We call Meta for you, at the pace Meta allows."),
    ("requested", "Meta has e-mailed the admins of the business."),
    ("accepted", "An admin has signed the terms."),
    ("ready", "The WABA is onboarded and can send."),
];

/// `GET /sign-in`, for everyone. `?problem=` tells why one is here, `?return_to=` where one wants to go.
///
/// Someone who is signed in already, and needs no new token, is led on.
///
/// # Errors
/// When it runs outside of a request.
pub async fn sign_in_page() -> Result<Page, AppError> {
    let parts = parts()?;
    let return_to = ReturnTo::from_untrusted(query_value(&parts, "return_to").as_deref());
    let problem = SignInProblem::from_query(parts.uri.query().unwrap_or_default());
    match parts.extensions.get::<Asker>() {
        Some(Asker::Member(viewer)) if problem.is_none() && viewer.token_problem.is_none() => {
            redirect(return_to.as_str());
        }
        Some(Asker::Undecided(_)) if problem.is_none() => redirect(&return_to.carried_by("/sign-in/partner")),
        _ => {}
    }
    let start = return_to.carried_by("/sign-in/start");
    let view = view! {
        <SignInFrame>
            <h1>"Onboard your clients to MM Lite"</h1>
            <p class="lede">
                "Send Meta’s Marketing Messages request to one business or to thousands, and follow each one until its WABA is ready."
            </p>
            {problem.map(|problem| view! { <ProblemNotice problem=problem/> })}
            <p class="signin-go">
                <a class="btn btn-facebook btn-lg" href=start rel="nofollow">
                    <Icon glyph=Glyph::Facebook/>"Sign in with Facebook"
                </a>
            </p>
            <p class="hint">"Use the Facebook account that is an admin or employee of your partner business."</p>
            <h2>"Facebook will ask you to share"</h2>
            <ul class="asks">
                <Ask glyph=Glyph::User what="Your name" why="so your team sees who sent what"/>
                <Ask glyph=Glyph::Business what="The businesses you manage" why="to find your partner business"/>
                <Ask glyph=Glyph::Key what="WhatsApp account management" why="to read WABA status and send requests"/>
            </ul>
        </SignInFrame>
    };
    Ok(Page { title: "Sign in".to_owned(), view: view.into_any() })
}

/// `GET /sign-in/partner`, for people of several partners: for which one they act. `?return_to=` is kept.
///
/// # Errors
/// [`AppError::NotSignedIn`] for strangers; what is away, when who asks can't be known.
pub async fn choice_page() -> Result<Page, AppError> {
    let parts = parts()?;
    let return_to = ReturnTo::from_untrusted(query_value(&parts, "return_to").as_deref());
    let partners = match parts.extensions.get::<Asker>() {
        Some(Asker::Undecided(memberships)) => choices(memberships),
        Some(Asker::Member(viewer)) => choices_of(viewer),
        Some(Asker::Unknown(error)) => return Err(error.clone()),
        Some(Asker::Stranger { .. }) | None => return Err(AppError::NotSignedIn),
    };
    let buttons = partners
        .into_iter()
        .map(|(id, name)| {
            view! {
                <li>
                    <button class="btn btn-lg" type="submit" name="partner_id" value=id><bdi>{name}</bdi></button>
                </li>
            }
        })
        .collect_view();
    let view = view! {
        <SignInFrame>
            <h1>"Choose a partner"</h1>
            <p class="lede">"You belong to more than one. You can switch at any time, at the top of the navigation."</p>
            <form method="post" action="/sign-in/partner">
                <input type="hidden" name="back" value=return_to.to_string()/>
                <ul class="choices">{buttons}</ul>
            </form>
        </SignInFrame>
    };
    Ok(Page { title: "Choose a partner".to_owned(), view: view.into_any() })
}

fn parts() -> Result<Parts, AppError> {
    use_context::<Parts>().ok_or_else(|| {
        tracing::error!("the sign-in page runs outside of a request");
        AppError::Unexpected { reference: telemetry::reference() }
    })
}

fn choices(memberships: &[Membership]) -> Vec<(String, String)> {
    memberships.iter().map(|one| (one.partner.to_string(), one.partner_name.clone())).collect()
}

fn choices_of(viewer: &Viewer) -> Vec<(String, String)> {
    let others = viewer.other_partners.iter().map(|(partner, name)| (partner.to_string(), name.clone()));
    std::iter::once((viewer.partner.to_string(), viewer.partner_name.clone())).chain(others).collect()
}

/// The frame of both pages: the product, the content, and the path of a request at the side.
#[component]
fn SignInFrame(children: Children) -> AnyView {
    let path = PATH
        .into_iter()
        .map(|(state, meaning)| view! { <li><StateLabel look=look_of(state)/><p>{meaning}</p></li> })
        .collect_view();
    view! {
        <a class="skip" href="#main">"Skip to content"</a>
        <main id="main" class="signin" tabindex="-1">
            <div class="signin-form">
                <p class="signin-brand"><Mark/><b>"Liteboard"</b></p>
                <div class="signin-body">{children()}</div>
                <p class="hint signin-foot">
                    "Your access token stays on our server, encrypted. It never reaches the browser."
                </p>
            </div>
            <aside class="signin-side" aria-label="What happens to a request"><ol class="path">{path}</ol></aside>
        </main>
    }
    .into_any()
}

#[component]
fn Ask(glyph: Glyph, what: &'static str, why: &'static str) -> AnyView {
    view! { <li><Icon glyph=glyph/><span><b>{what}</b><span class="muted">{why}</span></span></li> }.into_any()
}

#[component]
fn ProblemNotice(problem: SignInProblem) -> AnyView {
    let kind = problem.kind;
    let missing = (!problem.missing.is_empty()).then(|| {
        let names = problem.missing.into_iter().map(|name| view! { <li><code>{name}</code></li> }).collect_view();
        view! { <p>"It left out:"</p><ul class="missing">{names}</ul> }
    });
    let meta_is_away = (kind == Kind::MetaDown).then(|| {
        view! {
            <p>
                "Meta tells of known trouble at "
                <a class="link" href="https://metastatus.com/whatsapp-business-api" rel="noreferrer">"metastatus.com"</a>"."
            </p>
        }
    });
    let trace = problem.fbtrace_id.map(|id| view! { <p>"Meta’s trace ID, for their support: "<code>{id}</code></p> });
    let reference = problem.reference.map(|id| view! { <p>"Reference: "<code>{id}</code></p> });
    view! {
        <Notice kind=kind.notice() title=kind.title() alert=kind.notice() == NoticeKind::Error>
            <p>{kind.text()}</p>
            {missing}
            {meta_is_away}
            {trace}
            {reference}
        </Notice>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    /// The sign-in page at this address, asked for by a stranger.
    async fn page(address: &str) -> String {
        let (mut parts, ()) = Request::get(address).body(()).unwrap().into_parts();
        parts.extensions.insert(Asker::Stranger { ended: None });
        let owner = Owner::new();
        let page = owner.with(|| {
            provide_context(parts);
            ScopedFuture::new(sign_in_page())
        });
        let page = page.await.unwrap();
        owner.with(|| page.view.to_html()).replace("<!>", "")
    }

    #[tokio::test]
    async fn one_link_leads_to_facebook_and_keeps_the_way_back() {
        let html = page("/sign-in?return_to=/businesses%3Fq%3Da%26b").await;
        assert!(html.contains(r#"href="/sign-in/start?return_to=%2Fbusinesses%3Fq%3Da%26b""#), "{html}");
        assert_eq!(html.matches("Sign in with Facebook").count(), 1);
        assert!(!html.contains("style=") && !html.contains("onclick"), "{html}");
        assert!(page("/sign-in?return_to=//evil.example").await.contains(r#"href="/sign-in/start""#));
    }

    #[tokio::test]
    async fn a_problem_is_told_with_what_is_known_of_it() {
        let html = page("/sign-in?problem=permissions&missing=business_management").await;
        assert!(html.contains("<code>business_management</code>") && html.contains(r#"role="alert""#), "{html}");
        assert!(page("/sign-in?problem=cancelled").await.contains("You cancelled at Facebook. Nothing was changed."));
        assert!(page("/sign-in?problem=meta_down&trace=AbC-1").await.contains("<code>AbC-1</code>"));
        let spoofed = page("/sign-in?problem=%3Cscript%3E&trace=%3Cscript%3E").await;
        assert!(!spoofed.contains("script"), "{spoofed}");
    }
}
