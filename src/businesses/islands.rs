//! What runs in the browser on the list of businesses: search as you type, a sync's progress, and ticks that are kept as they are set.

use leptos::prelude::*;

/// Makes the list quicker than its forms: searches while one types, keeps each tick at once, and follows a running sync. It shows
/// nothing of its own; without it the forms and a reload do the same.
#[island]
pub fn LiveList() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    {
        super::browser::enliven();
        super::ticks::enliven();
    }
}
