//! The section 'Appearance and keys': what a browser keeps for itself.

use http::request::Parts;
use leptos::prelude::*;

use super::part;
use crate::{sign_in::theme_of, ui::Theme};

/// The section. Call it before the first `await`: it reads the request from the context.
pub fn you_part() -> AnyView {
    let current = use_context::<Parts>().map(|parts| theme_of(&parts.headers)).unwrap_or_default();
    let themes = Theme::ALL
        .into_iter()
        .map(|(theme, word)| {
            let pressed = if theme == current { "true" } else { "false" };
            view! { <button type="submit" name="theme" value=theme.key() aria-pressed=pressed>{word}</button> }
        })
        .collect_view();
    let form = view! {
        <div class="prefs">
            <form method="post" action="/theme">
                <input type="hidden" name="back" value="/settings#you"/>
                <p class="label" id="theme-label">"Theme"</p>
                <div class="seg" role="group" aria-labelledby="theme-label">{themes}</div>
            </form>
        </div>
    };
    part("you", "Appearance and keys", "For this browser only.".into_any(), None, form.into_any())
}
