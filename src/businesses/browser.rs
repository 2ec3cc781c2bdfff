//! The browser's half of [`super::islands`]. Compiled for wasm only.
//!
//! It asks for the very page that a reload would give and takes over what changed: one rule for both halves, and nothing to keep in
//! step. Whatever fails leaves the plain page as it is.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use js_sys::{encode_uri_component, wasm_bindgen::JsCast};
use leptos::{ev, leptos_dom::helpers::TimeoutHandle, prelude::*, task::spawn_local};
use wasm_bindgen::JsValue;
use web_sys::{AbortController, Element, HtmlInputElement};

use crate::ui::browser::{fetch_page, is_in_use, take_over};

/// How long the fingers must rest before a search is sent.
const REST: Duration = Duration::from_millis(200);
/// How often a running sync is looked at.
const LOOK: Duration = Duration::from_secs(2);
/// The parts of the page that are taken over, by id.
const PARTS: [&str; 5] = ["sync", "tools", "views", "found", "live"];
/// Of those, the one that holds what is typed: only taken while it is empty.
const TOOLS: &str = "tools";

#[derive(Default)]
struct State {
    typing: Cell<Option<TimeoutHandle>>,
    looking: Cell<Option<TimeoutHandle>>,
    /// Of the fetch under way.
    abort: RefCell<Option<AbortController>>,
}

/// Starts to listen.
pub fn enliven() {
    let state = Rc::new(State::default());
    let heard = Rc::clone(&state);
    let typed = window_event_listener(ev::input, move |event| {
        if event.target().and_then(|target| target.dyn_into::<Element>().ok()).is_some_and(|target| target.id() == "q")
        {
            let state = Rc::clone(&heard);
            let timer = set_timeout_with_handle(move || search(&state), REST).ok();
            cancel(heard.typing.replace(timer));
        }
    });
    on_cleanup(move || typed.remove());
    look_later(&state);
}

fn cancel(timer: Option<TimeoutHandle>) {
    if let Some(timer) = timer {
        timer.clear();
    }
}

fn field() -> Option<HtmlInputElement> {
    document().get_element_by_id("q")?.dyn_into().ok()
}

/// Whether a token may have been pasted: that is not searched for as it is typed, since the address would keep it.
fn may_hold_secret(text: &str) -> bool {
    ["EAA", "access_token", "earer "].iter().any(|part| text.contains(part))
}

/// Sends what the form would send, and puts it into the address.
fn search(state: &Rc<State>) {
    let Some(field) = field().filter(|field| !may_hold_secret(&field.value())) else { return };
    let mut url = "/businesses".to_owned();
    let mut joint = '?';
    let hidden = |name: &str| {
        let input = document().query_selector(&format!("form[role=search] input[name={name}]")).ok().flatten();
        input.and_then(|input| input.get_attribute("value")).unwrap_or_default()
    };
    let kept = ["status", "manager", "note"].map(|name| (name, hidden(name)));
    for (name, value) in [("q", field.value())].into_iter().chain(kept) {
        if !value.trim().is_empty() {
            url.push(joint);
            url.push_str(name);
            url.push('=');
            url.push_str(&String::from(encode_uri_component(&value)));
            joint = '&';
        }
    }
    if let Ok(history) = window().history() {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&url));
    }
    refresh(state, &url, &PARTS);
}

/// Looks at a running sync again, as long as one runs.
fn look_later(state: &Rc<State>) {
    let running = document().get_element_by_id("sync").is_some_and(|line| line.has_attribute("data-running"));
    if !running {
        return;
    }
    let again = Rc::clone(state);
    let timer = set_timeout_with_handle(
        move || {
            let Ok(url) = window().location().href() else { return };
            // Rows aren't changed under somebody's fingers, nor with ticks that are on their way.
            let busy = super::ticks::are_under_way() || is_in_use("live");
            refresh(&again, &url, if busy { &PARTS[..1] } else { &PARTS });
        },
        LOOK,
    );
    cancel(state.looking.replace(timer.ok()));
}

/// Fetches a page and takes over its parts. An older fetch is given up.
fn refresh(state: &Rc<State>, url: &str, parts: &'static [&'static str]) {
    let abort = AbortController::new().ok();
    if let Some(older) = state.abort.replace(abort.clone()) {
        older.abort();
    }
    let page = fetch_page(url, abort.as_ref());
    let state = Rc::clone(state);
    spawn_local(async move {
        if let Ok(Some(page)) = page.await {
            for part in parts.iter().filter(|part| (**part != TOOLS || !is_filled(part)) && !is_in_use(part)) {
                take_over(&page, part);
            }
        }
        if !abort.is_some_and(|abort| abort.signal().aborted()) {
            look_later(&state);
        }
    });
}

fn is_filled(id: &str) -> bool {
    document().get_element_by_id(id).is_some_and(|part| part.first_element_child().is_some())
}
