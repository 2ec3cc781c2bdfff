//! The browser's half of ticking: each change is sent at once, and the bar taken over from the answer. Compiled for wasm only.
//!
//! Only what changed is sent, one message at a time and in the order of the clicks, so that no older state of a box overtakes a newer
//! one. Whatever fails leaves the boxes as they are: the form's own buttons send them all the same.

use std::cell::{Cell, RefCell};

use js_sys::{Reflect, encode_uri_component, wasm_bindgen::JsCast};
use leptos::{ev, prelude::*, task::spawn_local};
use wasm_bindgen::JsValue;
use web_sys::{Element, HtmlInputElement, RequestInit};

use crate::ui::browser::{page_of, take_over};

/// A row's box.
const BOXES: &str = "#picks tbody .pick .check";

thread_local! {
    /// Businesses whose box changed since the last message left, with what became of it.
    static CHANGED: RefCell<Vec<(String, bool)>> = const { RefCell::new(Vec::new()) };
    /// A message is on its way.
    static SENDING: Cell<bool> = const { Cell::new(false) };
    /// The business whose box was clicked last: a click with Shift ticks from there on.
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Whether the server doesn't know of all ticks yet.
pub fn are_under_way() -> bool {
    SENDING.get() || CHANGED.with_borrow(|changed| !changed.is_empty())
}

/// Starts to listen.
pub fn enliven() {
    show_head();
    let clicked = window_event_listener(ev::click, |event| {
        let target = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
        let Some(target) = target.filter(|target| target.closest("#picks .pick").ok().flatten().is_some()) else {
            return;
        };
        let boxes = boxes();
        if target.id() == "tick-all" {
            set(&boxes, target.checked());
        } else if let Some(at) = boxes.iter().position(|one| *one == target) {
            let last = LAST.with_borrow_mut(|last| last.replace(target.value()));
            let from =
                last.filter(|_| event.shift_key()).and_then(|last| boxes.iter().position(|one| one.value() == last));
            let (from, to) = from.map_or((at, at), |from| (from.min(at), from.max(at)));
            note(&target);
            set(&boxes[from..=to], target.checked());
        }
        show_head();
        send();
    });
    // What waits for its turn when the page is left goes all the same.
    let left = window_event_listener(ev::pagehide, |_| {
        let waiting = CHANGED.take();
        if !waiting.is_empty() {
            let _ = post(&waiting);
        }
    });
    on_cleanup(move || {
        clicked.remove();
        left.remove();
    });
}

fn boxes() -> Vec<HtmlInputElement> {
    let Ok(found) = document().query_selector_all(BOXES) else { return Vec::new() };
    (0..found.length()).filter_map(|at| found.item(at)?.dyn_into().ok()).collect()
}

/// Ticks these, or takes their ticks away.
fn set(boxes: &[HtmlInputElement], ticked: bool) {
    for one in boxes.iter().filter(|one| one.checked() != ticked) {
        one.set_checked(ticked);
        note(one);
    }
}

fn note(one: &HtmlInputElement) {
    CHANGED.with_borrow_mut(|changed| {
        changed.retain(|(id, _)| *id != one.value());
        changed.push((one.value(), one.checked()));
    });
}

/// The box in the head stands for all of the page.
fn show_head() {
    let head = document().get_element_by_id("tick-all").and_then(|head| head.dyn_into::<HtmlInputElement>().ok());
    let Some(head) = head else { return };
    let boxes = boxes();
    let ticked = boxes.iter().filter(|one| one.checked()).count();
    let some = ticked > 0 && ticked < boxes.len();
    head.set_checked(ticked > 0 && !some);
    head.set_indeterminate(some);
    let _ = head.class_list().toggle_with_force("some", some);
}

fn send() {
    if SENDING.get() {
        return;
    }
    let changed = CHANGED.take();
    if changed.is_empty() {
        return;
    }
    let Some(answer) = post(&changed) else { return };
    SENDING.set(true);
    let view = view();
    spawn_local(async move {
        // The bar of a view that was left meanwhile says what all match there.
        if let Ok(Some(page)) = page_of(answer).await
            && self::view() == view
        {
            take_over(&page, "bulk");
        }
        SENDING.set(false);
        send();
    });
}

/// The view of the list that the page shows, as its form names it.
fn view() -> String {
    let field = document().query_selector("#picks input[name=view]").ok().flatten();
    field.and_then(|field: Element| field.get_attribute("value")).unwrap_or_default()
}

/// Sends what the form would send of these boxes. The message outlives the page.
fn post(changed: &[(String, bool)]) -> Option<js_sys::Promise> {
    let mut body = format!("view={}", String::from(encode_uri_component(&view())));
    for (id, ticked) in changed {
        body.push_str("&shown%5B%5D=");
        body.push_str(id);
        if *ticked {
            body.push_str("&tick%5B%5D=");
            body.push_str(id);
        }
    }
    let headers = js_sys::Object::new();
    for (name, value) in [("accept", "text/html"), ("content-type", "application/x-www-form-urlencoded")] {
        Reflect::set(&headers, &name.into(), &value.into()).ok()?;
    }
    let options = RequestInit::new();
    options.set_method("POST");
    options.set_headers(&headers);
    options.set_body(&JsValue::from_str(&body));
    Reflect::set(&options, &"keepalive".into(), &JsValue::TRUE).ok()?;
    Some(window().fetch_with_str_and_init("/businesses/select", &options))
}
