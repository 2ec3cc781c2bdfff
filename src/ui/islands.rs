//! What runs in the browser on every page: copying, and times in the viewer's zone. [`super::Layout`] places both once.
//!
//! Each listens for the whole page instead of standing beside every id and every time: a list of fifty rows stays
//! plain HTML.

use leptos::prelude::*;

/// Copies the `data-copy` of whatever button is pressed, ticks the button for two seconds, and says so to screen
/// readers.
#[island]
pub fn CopyOnClick() -> impl IntoView {
    let said = RwSignal::new("");
    #[cfg(feature = "hydrate")]
    super::browser::copy_on_click(said);
    view! { <p class="vh" role="status">{move || said.get()}</p> }
}

/// Rewrites every `<time data-local>` to the viewer's zone, also those that come later.
#[island]
pub fn LocalTimes() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    super::browser::localise_times();
}
