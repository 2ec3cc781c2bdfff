//! The browser's half of [`super::islands`]. Compiled for wasm only.
//!
//! An event tells the version of what the page should show; the page is then fetched as a reload would, and its parts are taken
//! over: server and script share one rendering. Whatever fails leaves the page as it is, and the next event tries again.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use js_sys::{
    Date,
    wasm_bindgen::{JsCast, closure::Closure},
};
use leptos::{prelude::*, task::spawn_local};
use web_sys::{Element, EventSource, MessageEvent};

use crate::ui::{
    browser::{fetch_page, is_in_use, take_over},
    countdown,
};

/// The parts of the page that are taken over, by id.
const PARTS: [&str; 7] = ["head", "wait", "progress", "causes", "pace", "latest", "retries"];

/// The part that holds the version shown, what is to be spoken, and whether the batch still runs.
const PROGRESS: &str = "progress";

/// The least time between two fetches. A server that takes long is left alone longer: as many times what it took.
const REST_MS: f64 = 1_000.0;
const REST_FACTOR: f64 = 5.0;

/// The least time between two things spoken.
const SPOKEN_REST_MS: f64 = 5_000.0;

struct State {
    source: EventSource,
    /// The version the server told last.
    told: RefCell<String>,
    /// A fetch is under way, or was a moment ago.
    busy: Cell<bool>,
    said: RwSignal<String>,
    said_at: Cell<f64>,
}

/// Starts to follow, and to count down what is left of a wait.
pub fn follow(events: &str, said: RwSignal<String>) {
    let Ok(source) = EventSource::new(events) else { return };
    let state = Rc::new(State {
        source: source.clone(),
        told: RefCell::default(),
        busy: Cell::new(false),
        said,
        said_at: Cell::new(0.0),
    });
    let heard = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
        state.told.replace(event.last_event_id());
        catch_up(&state);
    });
    source.set_onmessage(Some(heard.as_ref().unchecked_ref()));
    // The page keeps it as long as it lives.
    heard.forget();
    count_down();
    on_cleanup(move || source.close());
}

/// Goes on counting what the server began, by what went by since. In whole numbers: reading and writing others weighs ten kilobytes.
fn count_down() {
    let last = Cell::new(Date::now());
    let ticking = set_interval_with_handle(
        move || {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast from f64 saturates")]
            let passed = (Date::now() - last.replace(Date::now())) as u64;
            let Some(shown) = document().query_selector("#wait [data-left]").ok().flatten() else { return };
            let left = number(&shown, "data-left").saturating_sub(passed);
            let _ = shown.set_attribute("data-left", &left.to_string());
            shown.set_text_content(Some(&countdown(left.div_ceil(1_000))));
            if let Some(bar) = document().query_selector("#wait progress").ok().flatten() {
                let passed = number(&bar, "max").saturating_sub(left / 1_000);
                let _ = bar.set_attribute("value", &passed.to_string());
            }
        },
        Duration::from_secs(1),
    );
    if let Ok(ticking) = ticking {
        on_cleanup(move || ticking.clear());
    }
}

/// A whole number that an element tells.
fn number(element: &Element, attribute: &str) -> u64 {
    element.get_attribute(attribute).and_then(|number| number.parse().ok()).unwrap_or_default()
}

fn shown(attribute: &str) -> Option<String> {
    document().get_element_by_id(PROGRESS)?.get_attribute(attribute)
}

/// Fetches the page if it is out of date, with a rest after each fetch; the last event always has its turn.
fn catch_up(state: &Rc<State>) {
    if state.busy.get() || shown("data-version").is_some_and(|shown| shown == *state.told.borrow()) {
        return;
    }
    state.busy.set(true);
    let Ok(url) = window().location().href() else { return };
    let fetched = Rc::clone(state);
    spawn_local(async move {
        let (told, began) = (fetched.told.borrow().clone(), Date::now());
        if let Ok(Some(page)) = fetch_page(&url, None).await {
            // What has the focus isn't changed under somebody's fingers, but for the part that says how far it is.
            for part in PARTS.into_iter().filter(|part| *part == PROGRESS || !is_in_use(part)) {
                take_over(&page, part);
            }
            speak(&fetched);
            if shown("data-running").is_none() {
                fetched.source.close();
            }
        }
        let rest = ((Date::now() - began) * REST_FACTOR).clamp(REST_MS, 10.0 * REST_MS);
        set_timeout(
            move || {
                fetched.busy.set(false);
                // Something came meanwhile.
                if *fetched.told.borrow() != told {
                    catch_up(&fetched);
                }
            },
            Duration::from_secs_f64(rest / 1_000.0),
        );
    });
}

/// Says how far it is, at most every five seconds; the end is said in any case.
fn speak(state: &Rc<State>) {
    let Some(words) = shown("data-said") else { return };
    let now = Date::now();
    if now - state.said_at.get() >= SPOKEN_REST_MS || shown("data-running").is_none() {
        state.said_at.set(now);
        state.said.set(words);
    }
}
