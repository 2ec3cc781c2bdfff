//! The browser's half of [`super::islands`], and what the rooms' islands share: the DOM calls. Compiled for wasm only.
//!
//! Nothing here throws or panics: a browser that lacks a part keeps the plain page.
//!
//! Islands that follow something fetch the very page a reload would give and take over its parts: one rule for both halves, and
//! nothing to keep in step.

use std::time::Duration;

use js_sys::{Date, Reflect, wasm_bindgen::JsCast, wasm_bindgen::closure::Closure};
use leptos::{ev, prelude::*, task::spawn_local};
use time::{OffsetDateTime, UtcOffset};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, Document, DomParser, Element, MutationObserver, MutationObserverInit, RequestInit, Response,
    SupportedType,
};

use super::timestamp::{TimeStyle, ViewerZone, time_text};

/// How long a button shows that it has copied.
const TICKED: Duration = Duration::from_secs(2);

/// What a part tells its island and its style sheet, besides what it shows.
const TOLD: [&str; 4] = ["class", "data-running", "data-version", "data-said"];

/// Fetches a page; `None` for one that can't be shown now. The request leaves at once, and is given up by `abort`.
pub fn fetch_page(
    url: &str,
    abort: Option<&AbortController>,
) -> impl Future<Output = Result<Option<Document>, JsValue>> + use<> {
    let options = RequestInit::new();
    options.set_signal(abort.map(AbortController::signal).as_ref());
    page_of(window().fetch_with_str_and_init(url, &options))
}

/// Sends a form, as text of the kind that forms are, and takes the page it is answered with; as [`fetch_page`] otherwise.
pub fn send_form(
    path: &str,
    form: &str,
    abort: Option<&AbortController>,
) -> impl Future<Output = Result<Option<Document>, JsValue>> + use<> {
    let options = RequestInit::new();
    options.set_method("POST");
    options.set_body(&form.into());
    let kind = js_sys::Array::of2(&"content-type".into(), &"application/x-www-form-urlencoded".into());
    options.set_headers(&js_sys::Array::of1(&kind));
    options.set_signal(abort.map(AbortController::signal).as_ref());
    page_of(window().fetch_with_str_and_init(path, &options))
}

/// The page that an answer on its way is; `None` for one that can't be shown now.
pub async fn page_of(answer: js_sys::Promise) -> Result<Option<Document>, JsValue> {
    let answer: Response = JsFuture::from(answer).await?.dyn_into()?;
    if !answer.ok() {
        return Ok(None);
    }
    let html = JsFuture::from(answer.text()?).await?.as_string().unwrap_or_default();
    DomParser::new()?.parse_from_string(&html, SupportedType::TextHtml).map(Some)
}

/// Takes over the part of that id from a fetched page, if both have it: somebody else's page, such as the way to sign in, has none.
pub fn take_over(page: &Document, id: &str) {
    let (Some(shown), Some(fresh)) = (document().get_element_by_id(id), page.get_element_by_id(id)) else { return };
    for name in TOLD {
        let _ = match fresh.get_attribute(name) {
            Some(value) => shown.set_attribute(name, &value),
            None => shown.remove_attribute(name),
        };
    }
    let html = fresh.inner_html();
    if shown.inner_html() != html {
        shown.set_inner_html(&html);
    }
}

/// Whether the part of that id holds what has the focus.
pub fn is_in_use(id: &str) -> bool {
    let holds = |active: Element| active.closest(&format!("#{id}")).ok().flatten().is_some();
    document().active_element().is_some_and(holds)
}

/// Listens for clicks on `[data-copy]` and on links with `[data-copy-link]` anywhere in the page and tells the outcome through `said`.
/// Of a link its whole address is copied; with a key held down it is a link like any other.
pub fn copy_on_click(said: RwSignal<&'static str>) {
    let listener = window_event_listener(ev::click, move |event| {
        let pressed = event
            .target()
            .and_then(|target| target.dyn_into::<Element>().ok())
            .and_then(|target| target.closest("[data-copy], [data-copy-link]").ok().flatten());
        let Some(button) = pressed else { return };
        let text = match button.get_attribute("data-copy") {
            Some(text) => text,
            None if event.ctrl_key() || event.meta_key() || event.shift_key() => return,
            None => {
                event.prevent_default();
                let origin = window().location().origin().unwrap_or_default();
                format!("{origin}{}", button.get_attribute("href").unwrap_or_default())
            }
        };
        // Emptied first, so that the same words twice are spoken twice.
        said.set("");
        spawn_local(async move {
            if copy(&text).await {
                said.set("Copied");
                tick(&button);
            } else {
                said.set("Could not copy: your browser blocked it");
            }
        });
    });
    on_cleanup(move || listener.remove());
}

async fn copy(text: &str) -> bool {
    let clipboard = window().navigator().clipboard();
    // Browsers leave the clipboard out on pages that came by plain http.
    if clipboard.is_undefined() {
        return false;
    }
    JsFuture::from(clipboard.write_text(text)).await.is_ok()
}

/// Shows the tick, and the word for screen readers, until the time is up.
fn tick(button: &Element) {
    if button.class_list().contains("is-done") {
        return;
    }
    let label = button.get_attribute("aria-label");
    mark(button, true, label.as_deref().map(|label| label.replacen("Copy ", "Copied ", 1)).as_deref());
    let button = button.clone();
    set_timeout(move || mark(&button, false, label.as_deref()), TICKED);
}

/// Failures are left alone: each only keeps the button as it was.
fn mark(button: &Element, done: bool, label: Option<&str>) {
    let _ = button.class_list().toggle_with_force("is-done", done);
    if let Some(label) = label {
        let _ = button.set_attribute("aria-label", label);
    }
    if let Ok(Some(icon)) = button.query_selector("use") {
        let (from, to) = if done { ("#copy", "#check") } else { ("#check", "#copy") };
        let href = icon.get_attribute("href").unwrap_or_default().replace(from, to);
        let _ = icon.set_attribute("href", &href);
    }
}

/// Rewrites the times on the page now, and whenever something is added to it.
pub fn localise_times() {
    keep_zone();
    localise_all();
    let changed = Closure::<dyn Fn()>::new(localise_all);
    let Ok(observer) = MutationObserver::new(changed.as_ref().unchecked_ref()) else { return };
    // The page keeps the observer as long as it lives.
    changed.forget();
    let wanted = MutationObserverInit::new();
    wanted.set_child_list(true);
    wanted.set_subtree(true);
    if let Some(body) = document().body() {
        let _ = observer.observe_with_options(&body, &wanted);
    }
}

/// Tells the server the viewer's zone, so that the next page comes with it.
fn keep_zone() {
    // Taken from zero, since the offset of Greenwich itself would be written as -0.
    let minutes_east = 0.0 - Date::new_0().get_timezone_offset();
    let secure =
        if window().location().protocol().is_ok_and(|protocol| protocol == "https:") { "; Secure" } else { "" };
    let cookie = format!("{}={minutes_east}; Max-Age=31536000; Path=/; SameSite=Lax{secure}", ViewerZone::COOKIE);
    let _ = Reflect::set(&document(), &"cookie".into(), &cookie.into());
}

fn localise_all() {
    let Ok(found) = document().query_selector_all("time[data-local]") else { return };
    let now = moment(Date::now());
    for at in 0..found.length() {
        if let Some(element) = found.item(at).and_then(|node| node.dyn_into::<Element>().ok()) {
            localise(&element, now);
        }
    }
}

/// The mark goes with the rewriting: writing the text wakes the observer again, and it must find nothing left to do.
fn localise(element: &Element, now: Option<OffsetDateTime>) {
    let style = TimeStyle::from_key(&element.get_attribute("data-local").unwrap_or_default());
    let _ = element.remove_attribute("data-local");
    let millis = Date::parse(&element.get_attribute("datetime").unwrap_or_default());
    let (Some(at), Some(now), Some(zone)) = (moment(millis), now, zone(millis)) else { return };
    element.set_text_content(Some(&time_text(at, now, Some(zone), style)));
}

#[expect(clippy::cast_possible_truncation, reason = "a cast from f64 saturates, and the range is checked right after")]
fn moment(millis: f64) -> Option<OffsetDateTime> {
    if millis.is_nan() {
        return None;
    }
    OffsetDateTime::from_unix_timestamp((millis / 1000.0).floor() as i64).ok()
}

/// The viewer's zone at that moment: summer time may differ from now.
#[expect(clippy::cast_possible_truncation, reason = "an offset from UTC is below 24 hours in seconds")]
fn zone(millis: f64) -> Option<UtcOffset> {
    let minutes_behind = Date::new(&millis.into()).get_timezone_offset();
    UtcOffset::from_whole_seconds((-minutes_behind * 60.0) as i32).ok()
}
