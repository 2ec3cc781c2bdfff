//! Paging by key: forward and back, and no page numbers.

use leptos::prelude::*;

use super::icon::{Glyph, Icon};

/// The range by name, and the two ways on. An end without a link is shown, but can't be followed.
///
/// `words` are `("Previous", "Next")`, or `("Newer", "Older")` for a list by time. Children say the range:
/// "50 of 3,412, from **Aangan Textiles** to **Monsoon Lane Books**".
///
/// ```text
/// view! { <Pager words=("Previous", "Next") back=None on=Some(next_url)><span>"50 of 3,412"</span></Pager> }
/// ```
#[component]
pub fn Pager(
    words: (&'static str, &'static str),
    back: Option<String>,
    on: Option<String>,
    #[prop(optional)] children: Option<Children>,
) -> AnyView {
    let back_link = view! { <Icon glyph=Glyph::Left/>{words.0} };
    let on_link = view! { {words.1}<Icon glyph=Glyph::Right/> };
    let back = match back {
        Some(href) => view! { <a class="btn btn-sm" href=href rel="prev">{back_link}</a> }.into_any(),
        None => view! { <a class="btn btn-sm" role="link" aria-disabled="true">{back_link}</a> }.into_any(),
    };
    let on = match on {
        Some(href) => view! { <a class="btn btn-sm" href=href rel="next">{on_link}</a> }.into_any(),
        None => view! { <a class="btn btn-sm" role="link" aria-disabled="true">{on_link}</a> }.into_any(),
    };
    view! {
        <nav class="pager" aria-label="Pages">
            <span>{children.map(|children| children())}</span>
            <span class="actions">{back}{on}</span>
        </nav>
    }
    .into_any()
}
