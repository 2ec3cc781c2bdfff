//! Facts: a term and what is known about it.

use leptos::prelude::*;

/// A list of [`Fact`]s. `wide` sets them side by side, as in a panel; else they stand below each other, as at the side.
///
/// ```text
/// view! { <Facts><Fact term="Country">"Brazil"</Fact>
///     <Fact term="Meta says">"Not started"<span class="sub">"Checked "<Timestamp at=checked now=now/></span></Fact></Facts> }
/// ```
#[component]
pub fn Facts(#[prop(optional)] wide: bool, children: Children) -> AnyView {
    view! { <dl class=if wide { "facts facts-wide" } else { "facts" }>{children()}</dl> }.into_any()
}

/// One fact. A second line goes into `<span class="sub">`.
#[component]
pub fn Fact(term: &'static str, children: Children) -> AnyView {
    view! { <div><dt>{term}</dt><dd>{children()}</dd></div> }.into_any()
}
