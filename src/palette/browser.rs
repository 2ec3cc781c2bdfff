//! The browser's half of the palette: opening it, asking for options, going where one leads. Compiled for wasm only.

use std::rc::Rc;

use js_sys::wasm_bindgen::{JsCast, closure::Closure};
use leptos::{ev, prelude::*};
use web_sys::{Element, Event, HtmlDialogElement, HtmlElement};

use crate::ui::listbox::{Listbox, recent, remember};

/// The dialog.
pub fn dialog(id: &str) -> Option<HtmlDialogElement> {
    document().get_element_by_id(id)?.dyn_into().ok()
}

/// Opens a dialog, unless one is open.
pub fn show(id: &str) {
    if document().query_selector("dialog[open]").ok().flatten().is_none()
        && let Some(dialog) = dialog(id)
    {
        let _ = dialog.show_modal();
    }
}

/// Begins to listen.
pub fn enliven() {
    let Some(listbox) = Listbox::at("cmd", "cmd-list", "cmd-frame").map(Rc::new) else { return };
    let opening = Rc::clone(&listbox);
    let key = window_event_listener(ev::keydown, move |event| {
        if (event.ctrl_key() || event.meta_key()) && !event.alt_key() && event.key().eq_ignore_ascii_case("k") {
            event.prevent_default();
            open(&opening);
        }
    });
    let opening = Rc::clone(&listbox);
    let click = window_event_listener(ev::click, move |event| {
        let plain = !(event.ctrl_key() || event.meta_key() || event.shift_key());
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let Some(target) = target.filter(|_| plain) else { return };
        if target.closest(".jump").ok().flatten().is_some() {
            event.prevent_default();
            open(&opening);
        } else if target.id() == "palette" {
            // Its own ground: the click was beside it.
            close();
        }
    });
    on_cleanup(move || {
        key.remove();
        click.remove();
    });
    let asking = Rc::clone(&listbox);
    on(listbox.input(), "input", move |_| ask(&asking));
    let keyed = Rc::clone(&listbox);
    on(listbox.input(), "keydown", move |event| {
        let Some(event) = event.dyn_ref::<ev::KeyboardEvent>() else { return };
        match event.key().as_str() {
            "ArrowDown" => keyed.step(1),
            "ArrowUp" => keyed.step(-1),
            "Enter" => {
                // Whoever types fast means what is typed, and not what the list still shows.
                let (new_tab, going) = (event.ctrl_key() || event.meta_key(), Rc::clone(&keyed));
                keyed.when_answered(move || {
                    // Whoever closed it meanwhile goes nowhere.
                    if !dialog("palette").is_some_and(|dialog| dialog.open()) {
                        return;
                    }
                    if going.chosen().is_none() {
                        going.step(1);
                    }
                    go(&going, new_tab);
                });
            }
            _ => return,
        }
        event.prevent_default();
    });
    let pressed = Rc::clone(&listbox);
    on(&listbox.list().clone(), "click", move |event| {
        if let Some(option) = event.target().and_then(|target| target.dyn_into::<Element>().ok()) {
            pressed.choose(&option);
            go(&pressed, event.dyn_ref::<ev::MouseEvent>().is_some_and(|event| event.ctrl_key() || event.meta_key()));
        }
    });
}

fn on(target: &Element, name: &str, listener: impl Fn(Event) + 'static) {
    let listener = Closure::<dyn Fn(Event)>::new(listener);
    let _ = target.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
    // The page keeps it as long as it lives.
    listener.forget();
}

fn open(listbox: &Rc<Listbox>) {
    show("palette");
    listbox.input().select();
    ask(listbox);
}

fn close() {
    if let Some(dialog) = dialog("palette") {
        dialog.close();
    }
}

fn ask(listbox: &Rc<Listbox>) {
    let typed = listbox.input().value();
    let shelf = listbox.shelf().unwrap_or_default();
    let lately = if typed.trim().is_empty() { recent(&shelf) } else { Vec::new() };
    listbox.ask("/palette", &[("q", &typed)], lately);
}

/// Goes where the chosen option leads, or presses what it names.
fn go(listbox: &Listbox, new_tab: bool) {
    let Some(option) = listbox.chosen() else { return };
    if let Some(selector) = option.get_attribute("data-press") {
        close();
        if let Ok(Some(button)) = document().query_selector(&selector)
            && let Some(button) = button.dyn_ref::<HtmlElement>()
        {
            button.click();
        }
        return;
    }
    let Some(href) = option.get_attribute("data-href").filter(|href| href.starts_with('/') && !href.starts_with("//"))
    else {
        return;
    };
    let words = option.query_selector(".opt-t").ok().flatten().unwrap_or(option).text_content().unwrap_or_default();
    remember(&listbox.shelf().unwrap_or_default(), &words, &href);
    close();
    let _ = if new_tab {
        window().open_with_url_and_target(&href, "_blank").map(drop)
    } else {
        window().location().set_href(&href)
    };
}
