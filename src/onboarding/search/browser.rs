//! The browser's half of [`super::islands`]. Compiled for wasm only.

use std::rc::Rc;

use js_sys::wasm_bindgen::JsCast;
use leptos::ev;
use web_sys::Element;

use crate::ui::listbox::{Listbox, recent, remember};

/// Begins to listen at the bar.
pub fn enliven() {
    let Some(listbox) = Listbox::at("rq", "sugg", "sugg-box") else { return };
    let Some(shelf) = listbox.shelf() else { return };
    let input = listbox.input().clone();
    let _ = input.set_attribute("type", "text");
    let combobox =
        [("role", "combobox"), ("aria-expanded", "false"), ("aria-controls", "sugg"), ("aria-autocomplete", "list")];
    for (name, value) in combobox {
        let _ = input.set_attribute(name, value);
    }
    // The search that the page shows, as the server left it: what is typed may hold a token.
    remember(&shelf, &input.value(), "");
    let listbox = Rc::new(listbox);
    let ask = {
        let (listbox, shelf) = (Rc::clone(&listbox), shelf.clone());
        move || ask(&listbox, &shelf)
    };
    let on = |target: &Element, listener: Rc<dyn Fn(web_sys::Event)>, name: &str| {
        let closure =
            js_sys::wasm_bindgen::closure::Closure::<dyn Fn(web_sys::Event)>::new(move |event| listener(event));
        let _ = target.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref());
        // The page keeps it as long as it lives.
        closure.forget();
    };
    let asking = ask.clone();
    on(&input, Rc::new(move |_| asking()), "input");
    let asking = ask.clone();
    on(&input, Rc::new(move |_| asking()), "click");
    let closing = Rc::clone(&listbox);
    on(&input, Rc::new(move |_| closing.close()), "blur");
    let (keyed, asking) = (Rc::clone(&listbox), ask);
    let keys = move |event: web_sys::Event| {
        let Some(event) = event.dyn_ref::<ev::KeyboardEvent>() else { return };
        match event.key().as_str() {
            "ArrowDown" | "ArrowUp" if !keyed.is_open() => asking(),
            "ArrowDown" => keyed.step(1),
            "ArrowUp" => keyed.step(-1),
            "Escape" if keyed.is_open() => keyed.close(),
            "Tab" if keyed.is_open() && !event.shift_key() && keyed.chosen().is_some() => insert(&keyed),
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
        if event.key() == "Tab" {
            asking();
        }
    };
    on(&input, Rc::new(keys), "keydown");
    // Before the field loses the focus.
    let pressed = Rc::clone(&listbox);
    let press = move |event: web_sys::Event| {
        event.prevent_default();
        if let Some(option) = event.target().and_then(|target| target.dyn_into::<Element>().ok()) {
            pressed.choose(&option);
            insert(&pressed);
            ask_again(&pressed, &shelf);
        }
    };
    on(&listbox.list().clone(), Rc::new(press), "mousedown");
}

fn ask_again(listbox: &Rc<Listbox>, shelf: &str) {
    ask(listbox, shelf);
}

/// Asks the server what may stand where the caret is.
fn ask(listbox: &Rc<Listbox>, shelf: &str) {
    let value = listbox.input().value();
    let units: Vec<u16> = value.encode_utf16().collect();
    let caret = listbox.input().selection_start().ok().flatten().map_or(units.len(), |at| at as usize).min(units.len());
    let (before, rest) = (String::from_utf16_lossy(&units[..caret]), String::from_utf16_lossy(&units[caret..]));
    let lately = if value.trim().is_empty() { recent(shelf) } else { Vec::new() };
    listbox.ask("/requests/suggest", &[("q", &before), ("rest", &rest)], lately);
}

/// Puts the chosen option into the field, with the caret behind it.
fn insert(listbox: &Listbox) {
    let Some(value) = listbox.chosen().and_then(|option| option.get_attribute("data-value")) else { return };
    let input = listbox.input();
    let rest = input
        .selection_start()
        .ok()
        .flatten()
        .map_or(0, |at| u32::try_from(input.value().encode_utf16().count()).unwrap_or_default().saturating_sub(at));
    let whole = u32::try_from(value.encode_utf16().count()).unwrap_or_default();
    input.set_value(&value);
    let caret = whole.saturating_sub(rest);
    let _ = input.set_selection_range(caret, caret);
}
