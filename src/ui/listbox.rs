//! A field with a list of options beneath it, filled by the server: what the search bar and the palette share. Compiled for wasm only.
//!
//! The field keeps the focus; which option is chosen is told by `aria-activedescendant`. Whatever fails leaves the list closed.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use js_sys::{encode_uri_component, wasm_bindgen::JsCast};
use leptos::{leptos_dom::helpers::TimeoutHandle, prelude::*, task::spawn_local};
use web_sys::{AbortController, Element, HtmlInputElement};

use super::browser::send_form;

/// How long the fingers must rest before the server is asked.
const REST: Duration = Duration::from_millis(120);

/// What was chosen lately, at most so many, kept for as long as the browser's tab is open.
const MOST_RECENT: usize = 5;

/// What parts a text from its address, and one entry from the next.
const PARTS: (char, char) = ('\u{1f}', '\u{1e}');

/// The field, its list, and the box that is shown and hidden.
pub struct Listbox {
    input: HtmlInputElement,
    list: Element,
    frame: Element,
    timer: Cell<Option<TimeoutHandle>>,
    abort: RefCell<Option<AbortController>>,
    /// What stood in the field that the options are for.
    answered: RefCell<Option<String>>,
    /// What is to be done once they are for what stands there now.
    then: RefCell<Option<Box<dyn FnOnce()>>>,
}

impl Listbox {
    /// By the ids of the three; `None` where the page hasn't got them.
    pub fn at(input: &str, list: &str, frame: &str) -> Option<Self> {
        let by_id = |id: &str| document().get_element_by_id(id);
        Some(Self {
            input: by_id(input)?.dyn_into().ok()?,
            list: by_id(list)?,
            frame: by_id(frame)?,
            timer: Cell::default(),
            abort: RefCell::default(),
            answered: RefCell::default(),
            then: RefCell::default(),
        })
    }

    pub fn input(&self) -> &HtmlInputElement {
        &self.input
    }

    pub fn list(&self) -> &Element {
        &self.list
    }

    /// Under which name its recent entries are kept: each member's own.
    pub fn shelf(&self) -> Option<String> {
        self.frame.get_attribute("data-recent")
    }

    pub fn is_open(&self) -> bool {
        !self.frame.has_attribute("hidden")
    }

    /// Sends a form to `path` once the fingers rest, and shows the options it is answered with, and these recent entries. What is typed
    /// is sent and not asked for by address: addresses are kept in too many places.
    pub fn ask(self: &Rc<Self>, path: &'static str, fields: &[(&str, &str)], recent: Vec<(String, String)>) {
        let this = Rc::clone(self);
        let (form, typed) = (form_of(fields), self.input.value());
        self.then.take();
        let timer = set_timeout_with_handle(
            move || {
                let abort = AbortController::new().ok();
                if let Some(older) = this.abort.replace(abort.clone()) {
                    older.abort();
                }
                let page = send_form(path, &form, abort.as_ref());
                spawn_local(async move {
                    if let Ok(Some(page)) = page.await
                        && !abort.is_some_and(|abort| abort.signal().aborted())
                    {
                        // Somebody else's page, such as the way to sign in, has none.
                        let options = page.get_element_by_id("options").map(|options| options.inner_html());
                        this.fill(&options.unwrap_or_default(), &recent);
                        this.answered.replace(Some(typed));
                        let then = this.then.take();
                        if let Some(then) = then {
                            then();
                        }
                    }
                });
            },
            REST,
        );
        if let Some(older) = self.timer.replace(timer.ok()) {
            older.clear();
        }
    }

    /// Does something with the options for what is typed: at once, or when they have come, unless something else is typed before.
    pub fn when_answered(&self, then: impl FnOnce() + 'static) {
        let is_answered = self.answered.borrow().as_ref() == Some(&self.input.value());
        if is_answered {
            then();
        } else {
            self.then.replace(Some(Box::new(then)));
        }
    }

    fn fill(&self, options: &str, recent: &[(String, String)]) {
        self.list.set_inner_html(options);
        self.add_recent(recent);
        self.mark(None);
        if self.takes_first() {
            self.step(1);
        }
        self.open(!self.options().is_empty());
    }

    /// Whether Enter takes the first option, as in the palette, or what was typed, as in the bar.
    fn takes_first(&self) -> bool {
        self.list.has_attribute("data-takes-first")
    }

    fn add_recent(&self, recent: &[(String, String)]) {
        let made = |class: &str, text: &str| {
            let made = document().create_element("div").ok()?;
            let _ = made.set_attribute("class", class);
            made.set_text_content(Some(text));
            Some(made)
        };
        let (Some(group), Some(head)) = (made("", ""), made("menu-head", "Recent")) else { return };
        if recent.is_empty() {
            return;
        }
        let _ = group.set_attribute("role", "group");
        let _ = group.set_attribute("aria-label", "Recent");
        let _ = group.append_child(&head);
        for (at, (text, href)) in recent.iter().enumerate() {
            let Some(option) = made("opt", text) else { continue };
            let given = [
                ("role", "option"),
                ("aria-selected", "false"),
                ("id", &format!("recent-{at}")),
                ("data-value", text),
                ("data-href", href),
            ];
            for (name, value) in given {
                let _ = option.set_attribute(name, value);
            }
            let _ = group.append_child(&option);
        }
        // The palette has them first, the bar behind its filters.
        if self.takes_first() {
            let _ = self.list.insert_before(&group, self.list.first_child().as_ref());
        } else {
            let _ = self.list.append_child(&group);
        }
    }

    pub fn close(&self) {
        if let Some(timer) = self.timer.take() {
            timer.clear();
        }
        if let Some(abort) = self.abort.take() {
            abort.abort();
        }
        self.then.take();
        self.mark(None);
        self.open(false);
    }

    fn open(&self, open: bool) {
        let _ = if open { self.frame.remove_attribute("hidden") } else { self.frame.set_attribute("hidden", "") };
        let _ = self.input.set_attribute("aria-expanded", if open { "true" } else { "false" });
    }

    fn options(&self) -> Vec<Element> {
        let Ok(found) = self.list.query_selector_all("[role=option]") else { return Vec::new() };
        (0..found.length()).filter_map(|at| found.item(at)?.dyn_into().ok()).collect()
    }

    /// The option that is chosen.
    pub fn chosen(&self) -> Option<Element> {
        self.list.query_selector("[aria-selected=true]").ok().flatten()
    }

    /// Chooses the option that an element stands in.
    pub fn choose(&self, within: &Element) {
        if let Some(option) = within.closest("[role=option]").ok().flatten() {
            self.mark(Some(&option));
        }
    }

    /// Chooses the next option, or the one before; round the ends.
    pub fn step(&self, by: isize) {
        let options = self.options();
        let chosen = self.chosen();
        let at = chosen.and_then(|chosen| options.iter().position(|option| *option == chosen));
        let next = match (at, by > 0) {
            (None, true) => Some(0),
            (None, false) => options.len().checked_sub(1),
            (Some(at), true) => Some((at + 1) % options.len()),
            (Some(at), false) => Some((at + options.len() - 1) % options.len()),
        };
        self.mark(next.and_then(|next| options.get(next)));
    }

    fn mark(&self, option: Option<&Element>) {
        if let Some(before) = self.chosen() {
            let _ = before.set_attribute("aria-selected", "false");
        }
        match option {
            Some(option) => {
                let _ = option.set_attribute("aria-selected", "true");
                let _ = self.input.set_attribute("aria-activedescendant", &option.id());
                let options = web_sys::ScrollIntoViewOptions::new();
                options.set_block(web_sys::ScrollLogicalPosition::Nearest);
                option.scroll_into_view_with_scroll_into_view_options(&options);
            }
            None => {
                let _ = self.input.remove_attribute("aria-activedescendant");
            }
        }
    }
}

fn form_of(fields: &[(&str, &str)]) -> String {
    let field = |(name, value): &(&str, &str)| format!("{name}={}", String::from(encode_uri_component(value)));
    fields.iter().map(field).collect::<Vec<_>>().join("&")
}

/// What was remembered under a name, the newest first: a text and where it leads.
pub fn recent(shelf: &str) -> Vec<(String, String)> {
    let Ok(Some(store)) = window().session_storage() else { return Vec::new() };
    let kept = store.get_item(shelf).ok().flatten().unwrap_or_default();
    kept.split(PARTS.1)
        .filter_map(|entry| entry.split_once(PARTS.0))
        .map(|(text, href)| (text.to_owned(), href.to_owned()))
        .collect()
}

/// Puts an entry first.
pub fn remember(shelf: &str, text: &str, href: &str) {
    let text = text.trim();
    if text.is_empty() || text.len() > 300 {
        return;
    }
    let mut kept = recent(shelf);
    kept.retain(|(known, _)| known != text);
    kept.insert(0, (text.to_owned(), href.to_owned()));
    kept.truncate(MOST_RECENT);
    let mut written = String::new();
    for (text, href) in kept {
        written.extend([text.as_str(), "\u{1f}", href.as_str(), "\u{1e}"]);
    }
    if let Ok(Some(store)) = window().session_storage() {
        let _ = store.set_item(shelf, &written);
    }
}
