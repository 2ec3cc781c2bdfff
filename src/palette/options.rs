//! `POST /palette`: the options of the palette's list, in groups, for the `q` of the form. What is pasted may be long, and may hold a
//! token: it stands in no address.

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    response::{Html, IntoResponse, Response},
    routing::post,
};
use http::request::Parts;
use leptos::prelude::*;
use url::form_urlencoded::{self, byte_serialize};

use super::entries::{DEEDS, Does, Entry, PAGES, fitting};
use crate::{
    businesses::{Business, first_businesses},
    clock::Clock,
    db::Db,
    graph,
    sign_in::{Role, Visit, refuse_request},
    support::{self, Recognised, recognise},
    telemetry::mishap,
    ui::{AppError, Glyph, Icon, Name, StateLabel, state::look_of},
};

/// Businesses offered.
const BUSINESSES: usize = 5;

/// What the route needs.
#[derive(Clone)]
struct Needs {
    db: Db,
    clock: Clock,
}

/// This route, ready to be merged into the application's.
pub fn routes<S: Clone + Send + Sync + 'static>(db: Db, clock: Clock) -> Router<S> {
    let options = post(options).layer(DefaultBodyLimit::max(support::LARGEST_FORM));
    Router::new().route("/palette", options).with_state(Needs { db, clock })
}

async fn options(State(needs): State<Needs>, parts: Parts, form: Bytes) -> Response {
    let answered = async {
        let visit = Visit::of_request(&parts, needs.db, needs.clock)?;
        let text =
            form_urlencoded::parse(&form).find(|(name, _)| name == "q").map(|(_, text)| text).unwrap_or_default();
        let typed = graph::redacted(&text);
        let (recognised, name) = recognise(&typed);
        let named = match name {
            Some(name) => businesses(&visit, &name).await?,
            None => Vec::new(),
        };
        Ok::<_, AppError>((visit.viewer.role, typed, recognised, named))
    };
    match answered.await {
        Ok((role, typed, recognised, named)) => {
            Html(Owner::new().with(|| list(role, typed.trim(), recognised, named).to_html())).into_response()
        }
        Err(error) => refuse_request(&parts, &error),
    }
}

async fn businesses(visit: &Visit, typed: &str) -> Result<Vec<Business>, AppError> {
    let mut tx = visit.tenant().await?;
    first_businesses(&mut tx, typed, BUSINESSES, visit.clock.now()).await.map_err(mishap)
}

/// Where a thing is looked up.
fn look_up(wanted: &str) -> String {
    format!("/support?q={}", byte_serialize(wanted.as_bytes()).collect::<String>())
}

/// The groups: what was recognised first, then what is called so, then pages and deeds.
fn list(role: Role, typed: &str, recognised: Option<Recognised>, named: Vec<Business>) -> AnyView {
    let is_recognised = recognised.is_some();
    let recognised = recognised.map(|recognised| {
        let (words, href, glyph) = match recognised {
            Recognised::Request { number, href } => (format!("Open request {number}"), href, Glyph::Send),
            Recognised::Id { id, href } => (format!("Look up {id}"), href, Glyph::LookUp),
            Recognised::Paste { href } => ("Look up what was pasted".to_owned(), href, Glyph::LookUp),
        };
        group("Recognised", "p-r", vec![option("p-r-0".to_owned(), href, glyph, words.into_any(), ().into_any())])
    });
    let businesses = named.into_iter().enumerate().map(|(at, business)| {
        let id = business.id.to_string();
        let words = view! { {marked(&business.name, typed)}<span class="opt-s">{id.clone()}</span> }.into_any();
        let state = view! { <StateLabel look=look_of(business.standing.as_str())/> }.into_any();
        option(format!("p-b-{at}"), format!("/businesses/{id}"), Glyph::Business, words, state)
    });
    let businesses = group("Businesses", "p-b", businesses.collect());
    // What was pasted is no part of the name of a page.
    let wanted = if is_recognised { "\u{FFFD}" } else { typed };
    let pages = group(
        "Go to",
        "p-g",
        fitting(PAGES, role, wanted).enumerate().map(|(at, page)| entry(format!("p-g-{at}"), page)).collect(),
    );
    let mut deeds: Vec<AnyView> =
        fitting(DEEDS, role, wanted).enumerate().map(|(at, deed)| entry(format!("p-d-{at}"), deed)).collect();
    if !typed.is_empty() && !is_recognised {
        let short: String = typed.chars().take(60).collect();
        let keys = keys(&["G", "L"]);
        deeds.push(option(
            "p-d-all".to_owned(),
            look_up(typed),
            Glyph::LookUp,
            format!("Look up “{short}” everywhere").into_any(),
            keys,
        ));
        let requests = format!("/requests?q={}", byte_serialize(typed.as_bytes()).collect::<String>());
        deeds.push(option(
            "p-d-req".to_owned(),
            requests,
            Glyph::Send,
            format!("Search requests for “{short}”").into_any(),
            ().into_any(),
        ));
    }
    let deeds = group("Do", "p-d", deeds);
    view! { <div id="options">{recognised}{businesses}{pages}{deeds}</div> }.into_any()
}

fn group(title: &'static str, id: &'static str, options: Vec<AnyView>) -> Option<AnyView> {
    (!options.is_empty()).then(|| {
        view! { <div role="group" aria-labelledby=id><div class="menu-head" id=id>{title}</div>{options}</div> }
            .into_any()
    })
}

fn entry(id: String, entry: &'static Entry) -> AnyView {
    let (href, press) = match entry.does {
        Does::Opens(href) => (Some(href), None),
        Does::Presses(selector) => (None, Some(selector)),
    };
    view! {
        <div class="opt" role="option" id=id aria-selected="false" data-href=href data-press=press>
            <Icon glyph=entry.glyph/><span class="opt-t">{entry.word}</span><span class="hint">{keys(entry.keys)}</span>
        </div>
    }
    .into_any()
}

fn keys(keys: &'static [&'static str]) -> AnyView {
    keys.iter().map(|key| view! { <kbd>{*key}</kbd> }).collect_view().into_any()
}

fn option(id: String, href: String, glyph: Glyph, words: AnyView, hint: AnyView) -> AnyView {
    view! {
        <div class="opt" role="option" id=id aria-selected="false" data-href=href>
            <Icon glyph=glyph/><span class="opt-t">{words}</span><span class="hint">{hint}</span>
        </div>
    }
    .into_any()
}

/// A name with what was typed marked in it, where it stands there letter by letter.
fn marked(name: &str, typed: &str) -> AnyView {
    let at = name.to_lowercase().find(&typed.to_lowercase());
    let parts =
        at.and_then(|at| Some((name.get(..at)?, name.get(at..at + typed.len())?, name.get(at + typed.len()..)?)));
    match parts {
        Some((before, found, after)) => {
            let (before, found, after) = (before.to_owned(), found.to_owned(), after.to_owned());
            view! { <bdi>{before}<mark>{found}</mark>{after}</bdi> }.into_any()
        }
        None => view! { <Name name=name.to_owned()/> }.into_any(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(role: Role, typed: &str) -> String {
        Owner::new().with(|| list(role, typed, recognise(typed).0, Vec::new()).to_html()).replace("<!>", "")
    }

    #[test]
    fn what_is_recognised_comes_first_and_nothing_else_beside_it() {
        let id = html(Role::Support, "1745093316208854");
        assert!(id.contains("data-href=\"/support?q=1745093316208854\""), "{id}");
        assert_eq!(id.matches("role=\"option\"").count(), 1, "{id}");
        let request = html(Role::Support, "lb-1001");
        assert!(request.contains("data-href=\"/requests/LB-1001\""), "{request}");
    }

    #[test]
    fn what_was_typed_is_text_and_never_markup() {
        let shown = html(Role::Admin, "<script>alert(1)</script>&\"");
        assert!(!shown.contains("<script"), "{shown}");
        assert!(shown.contains("/support?q=%3Cscript%3E"), "{shown}");
        let name = Owner::new().with(|| marked("<b>Banyan</b> Leaf", "banyan").to_html());
        assert!(name.contains("<mark>Banyan</mark>") && !name.contains("<b>"), "{name}");
    }

    #[test]
    fn a_mark_never_cuts_a_letter_in_two() {
        for (name, typed) in [("İstanbul Kebab", "istanbul"), ("Straße", "strasse"), ("ÀÉ", "é"), ("日本", "本")]
        {
            Owner::new().with(|| drop(marked(name, typed).to_html()));
        }
    }
}
