//! What runs in the browser on the list of businesses: search as you type, and a sync's progress.

use leptos::prelude::*;

/// Makes the list quicker than its form: searches while one types, and follows a running sync. It shows nothing of its own; without
/// it the form and a reload do the same.
#[island]
pub fn LiveList() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    super::browser::enliven();
}
