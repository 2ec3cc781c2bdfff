//! What runs in the browser on the list of requests: suggestions beneath the bar.

use leptos::prelude::*;

/// Turns the search into a combobox whose options the server suggests. It shows nothing of its own; without it the bar is a plain search.
#[island]
pub fn Suggestions() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    super::browser::enliven();
}
