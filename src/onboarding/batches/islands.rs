//! What runs in the browser on a batch's page: its progress, as it happens.

use leptos::prelude::*;

/// Follows the batch's events and takes over what changed of its page. `events` is their address. It shows nothing of its own but what
/// is spoken; without it a reload does the same.
#[island]
pub fn LiveBatch(events: String) -> impl IntoView {
    let said = RwSignal::new(String::new());
    #[cfg(feature = "hydrate")]
    super::browser::follow(&events, said);
    drop(events);
    view! { <p class="vh" role="status">{move || said.get()}</p> }
}
