//! What runs in the browser above every page.

use leptos::prelude::*;

/// Opens the palette and listens for single keys. It shows nothing of its own: the two dialogs are the page's.
#[island]
pub fn Palette() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    {
        super::browser::enliven();
        super::keys::enliven();
    }
}
