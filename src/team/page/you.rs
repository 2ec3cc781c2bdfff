//! The section 'Appearance and keys': what a browser keeps for itself.

use http::request::Parts;
use leptos::prelude::*;

use super::part;
use crate::{
    sign_in::{are_keys_on, theme_of},
    ui::Theme,
};

/// The section. Call it before the first `await`: it reads the request from the context.
pub fn you_part() -> AnyView {
    let parts = use_context::<Parts>();
    let current = parts.as_ref().map(|parts| theme_of(&parts.headers)).unwrap_or_default();
    let keys = parts.is_none_or(|parts| are_keys_on(&parts.headers));
    let pressed = |is: bool| if is { "true" } else { "false" };
    let themes = Theme::ALL
        .into_iter()
        .map(|(theme, word)| {
            view! { <button type="submit" name="theme" value=theme.key() aria-pressed=pressed(theme == current)>{word}</button> }
        })
        .collect_view();
    let form = view! {
        <div class="prefs">
            <form method="post" action="/theme">
                <input type="hidden" name="back" value="/settings#you"/>
                <p class="label" id="theme-label">"Theme"</p>
                <div class="seg" role="group" aria-labelledby="theme-label">{themes}</div>
            </form>
            <form method="post" action="/keys">
                <input type="hidden" name="back" value="/settings#you"/>
                <p class="label" id="single-keys-label">"Single keys"</p>
                <div class="seg" role="group" aria-labelledby="single-keys-label" aria-describedby="single-keys-hint">
                    <button type="submit" name="keys" value="on" aria-pressed=pressed(keys)>"On"</button>
                    <button type="submit" name="keys" value="off" aria-pressed=pressed(!keys)>"Off"</button>
                </div>
                <p class="hint" id="single-keys-hint">
                    "Keys that do something by themselves, such as "<kbd>"G"</kbd>" "<kbd>"B"</kbd>", "<kbd>"/"</kbd>" and "<kbd>"?"</kbd>
                    ". Switch them off if they get in the way of speech input or a screen reader. "<kbd>"Ctrl"</kbd>" "<kbd>"K"</kbd>
                    " opens the palette either way."
                </p>
            </form>
        </div>
    };
    part("you", "Appearance and keys", "For this browser only.".into_any(), None, form.into_any())
}
