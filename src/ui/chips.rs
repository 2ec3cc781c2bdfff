//! Chips: one choice of a filter. Each is a link, so the choice lives in the URL.

use leptos::prelude::*;

/// One choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chip {
    /// Where the choice leads: the same list with this filter, path and query.
    pub href: String,
    /// What is left after it.
    pub word: &'static str,
    /// How many there are, as shown (`1,406`, `1,000+`); none when it is not known.
    pub count: Option<String>,
    /// Whether it is the choice in force.
    pub current: bool,
}

/// The choices in a row, spoken as `label` ("Filter by MM status").
///
/// ```text
/// view! { <Chips label="Filter by MM status" chips=chips/> }
/// ```
#[component]
pub fn Chips(label: &'static str, chips: Vec<Chip>) -> AnyView {
    let links = chips
        .into_iter()
        .map(|chip| {
            let count = chip.count.map(|count| view! { " "<span class="n">{count}</span> });
            view! {
                <a class="chip" href=chip.href aria-current=chip.current.then_some("true")>{chip.word}{count}</a>
            }
        })
        .collect_view();
    view! { <nav class="chips" aria-label=label>{links}</nav> }.into_any()
}
