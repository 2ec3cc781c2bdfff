//! Search: a plain GET form, so that what was searched is the URL. An island may make it quicker.

use leptos::prelude::*;

use super::icon::{Glyph, Icon};

/// The form around a search, spoken as `label`. Children: a [`SearchField`], hidden fields that carry the filters,
/// buttons.
///
/// `large` is the form of the look-up page, where the search is the page.
///
/// ```text
/// view! { <SearchForm label="Businesses" action="/businesses">
///     <SearchField id="q" label="Search businesses" value=q placeholder="Name, business ID or WABA ID" clear=clear/>
/// </SearchForm> }
/// ```
#[component]
pub fn SearchForm(
    label: &'static str,
    #[prop(into)] action: String,
    #[prop(optional)] large: bool,
    children: Children,
) -> AnyView {
    view! {
        <form class=if large { "lookup" } else { "toolbar" } role="search" aria-label=label method="get" action=action>
            {children()}
        </form>
    }
    .into_any()
}

/// The search box; its accessible name is `label`, and its form field is `q`.
#[component]
pub fn SearchField(
    id: &'static str,
    label: &'static str,
    #[prop(into)] value: String,
    placeholder: &'static str,
    /// Where 'Clear search' leads; none while the box is empty.
    #[prop(default = None)]
    clear: Option<String>,
    #[prop(optional)] large: bool,
) -> AnyView {
    let clear = clear.map(|href| {
        view! { <a class="clear" href=href aria-label="Clear search"><Icon glyph=Glyph::X/></a> }
    });
    view! {
        <div class=if large { "search search-lg" } else { "search" }>
            <Icon glyph=Glyph::Search/>
            <label class="vh" for=id>{label}</label>
            <input id=id type="search" name="q" value=value placeholder=placeholder autocomplete="off" spellcheck="false"/>
            {clear}
            // Shown by the style sheet where the key does something.
            <kbd aria-hidden="true">"/"</kbd>
        </div>
    }
    .into_any()
}
