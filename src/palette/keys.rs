//! Single keys. Each presses what stands on the page: a key has no power that a click hasn't. Compiled for wasm only.

use std::cell::Cell;

use js_sys::{Date, wasm_bindgen::JsCast};
use leptos::{ev, prelude::*};
use web_sys::{Element, HtmlElement, HtmlInputElement, MouseEvent, MouseEventInit};

use super::browser::show;

/// How long after `g` a place may be named.
const PATIENCE_MS: f64 = 1_500.0;

thread_local! {
    /// When `g` was pressed.
    static GOING: Cell<f64> = const { Cell::new(0.0) };
}

/// Begins to listen, unless single keys are off.
pub fn enliven() {
    if first("#palette[data-keys]").is_none() {
        return;
    }
    let key = window_event_listener(ev::keydown, |event| {
        let plain = !(event.ctrl_key() || event.meta_key() || event.alt_key() || event.is_composing());
        if plain && !event.default_prevented() && !is_typing() && first("dialog[open]").is_none() && press(&event) {
            event.prevent_default();
        }
    });
    on_cleanup(move || key.remove());
}

fn is_typing() -> bool {
    let typing = "input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable]";
    document().active_element().is_some_and(|active| active.matches(typing).unwrap_or(true))
}

fn first(selector: &str) -> Option<HtmlElement> {
    document().query_selector(selector).ok().flatten()?.dyn_into().ok()
}

fn click(selector: &str) -> bool {
    first(selector).inspect(HtmlElement::click).is_some()
}

/// Does what a key is for; `false` where it is for nothing here.
fn press(event: &ev::KeyboardEvent) -> bool {
    let key = event.key();
    if Date::now() - GOING.replace(0.0) < PATIENCE_MS {
        let place = match key.to_ascii_lowercase().as_str() {
            "b" => "/businesses",
            "r" => "/requests",
            "t" => "/batches",
            "l" => "/support",
            "i" => "/insights",
            "s" => "/settings",
            _ => return false,
        };
        return click(&format!(".nav a[href='{place}']"));
    }
    match key.as_str() {
        "g" => {
            GOING.set(Date::now());
            true
        }
        "/" => {
            let field = first("main form[role=search] input[name=q]")
                .and_then(|field| field.dyn_into::<HtmlInputElement>().ok());
            match field {
                Some(field) => {
                    let _ = field.focus();
                    field.select();
                    true
                }
                None => click(".jump"),
            }
        }
        "?" => {
            show("keys");
            true
        }
        "j" => step(1),
        "k" => step(-1),
        "x" | "X" => tick(event.shift_key()),
        "c" => {
            row().and_then(|row| row.query_selector("[data-copy]").ok().flatten()).is_some_and(|copy| press_on(&copy))
        }
        "o" => onboard(),
        "i" => click("main a[href='/import']") || go_if_offered("/import"),
        "[" => click(".pager a[rel=prev]"),
        "]" => click(".pager a[rel=next]"),
        "Escape" => close_menu() || click("[formaction='/businesses/clear_selection']"),
        _ => false,
    }
}

fn press_on(element: &Element) -> bool {
    element.dyn_ref::<HtmlElement>().inspect(|element| element.click()).is_some()
}

/// The row that holds the focus.
fn row() -> Option<Element> {
    document().active_element()?.closest("main tbody tr").ok().flatten()
}

/// Puts the focus on the link of the next row, or of the one before: Enter opens it.
fn step(by: isize) -> bool {
    let Ok(found) = document().query_selector_all("main tbody tr .name") else { return false };
    let links: Vec<HtmlElement> = (0..found.length()).filter_map(|at| found.item(at)?.dyn_into().ok()).collect();
    let row = row();
    let at = row.and_then(|row| links.iter().position(|link| row.contains(Some(link))));
    let next = match (at, by > 0) {
        (None, true) => 0,
        (None, false) => links.len().saturating_sub(1),
        (Some(at), true) => at + 1,
        (Some(at), false) => at.saturating_sub(1),
    };
    links.get(next).is_some_and(|link| link.focus().is_ok())
}

fn tick(range: bool) -> bool {
    let Some(check) = row().and_then(|row| row.query_selector(".pick .check").ok().flatten()) else { return false };
    let how = MouseEventInit::new();
    how.set_bubbles(true);
    how.set_cancelable(true);
    how.set_shift_key(range);
    MouseEvent::new_with_mouse_event_init_dict("click", &how).is_ok_and(|event| check.dispatch_event(&event).is_ok())
}

/// The button that leads on to onboarding what is ticked; else the row's business; on a business's page the button gets the focus, since
/// it sends.
fn onboard() -> bool {
    if click("[formaction='/onboarding/draft']") {
        return true;
    }
    if let Some(link) = row().and_then(|row| row.query_selector("a[href^='/businesses/']").ok().flatten()) {
        return press_on(&link);
    }
    first("form[action='/onboarding/onboard'] button[type=submit]").is_some_and(|button| button.focus().is_ok())
}

/// Only those who may are offered it.
fn go_if_offered(href: &str) -> bool {
    first(&format!("#palette[data-{}]", href.trim_start_matches('/'))).is_some()
        && window().location().set_href(href).is_ok()
}

fn close_menu() -> bool {
    first("details[name=menu][open]").is_some_and(|menu| menu.remove_attribute("open").is_ok())
}
