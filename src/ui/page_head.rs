//! The top of a page: where it stands, its title, one line about it, what can be done.

use leptos::prelude::*;

use super::icon::{Glyph, Icon};

/// The way back up: links in order, then the page itself.
///
/// ```text
/// view! { <Breadcrumbs above=vec![("Businesses", "/businesses".into())] here=business.name/> }
/// ```
#[component]
pub fn Breadcrumbs(above: Vec<(&'static str, String)>, #[prop(into)] here: String) -> AnyView {
    let above = above
        .into_iter()
        .map(|(word, href)| view! { <li><a href=href>{word}</a><Icon glyph=Glyph::Right/></li> })
        .collect_view();
    view! {
        <nav class="crumbs" aria-label="Breadcrumb">
            <ol>{above}<li><bdi aria-current="page">{here}</bdi></li></ol>
        </nav>
    }
    .into_any()
}

/// A page's title with its line and its actions. Children are the line's parts: spans with [`Separator`] between them.
///
/// ```text
/// let actions = view! { <form method="post" action=url><button class="btn" type="submit">"Check at Meta"</button></form> };
/// view! { <PageHead title=business.name beside=view! { <StatePill look=look/> }.into_any() actions=actions.into_any()>
///     <span>"Business ID "<Identifier what="business ID" value=id/></span><Separator/><span>"Brazil"</span>
/// </PageHead> }
/// ```
#[component]
pub fn PageHead(
    #[prop(into)] title: String,
    /// Stands beside the title: a state.
    #[prop(optional)]
    beside: Option<AnyView>,
    /// Buttons at the far end.
    #[prop(optional)]
    actions: Option<AnyView>,
    /// On a phone the buttons stay beside the title as icons; their words, each in a `<span>`, are then only spoken.
    #[prop(optional)]
    keep: bool,
    /// The line tells of something under way, and is spoken when it changes.
    #[prop(optional)]
    live: bool,
    #[prop(optional)] children: Option<Children>,
) -> AnyView {
    let below = children.map(|children| {
        view! { <p class="page-sub" role=live.then_some("status")>{children()}</p> }
    });
    let actions = actions.map(|actions| {
        view! { <div class=if keep { "actions keep" } else { "actions" }>{actions}</div> }
    });
    view! {
        <div class="page-head">
            <div>
                <div class="title"><h1><bdi>{title}</bdi></h1>{beside}</div>
                {below}
            </div>
            {actions}
        </div>
    }
    .into_any()
}

/// A hairline between two parts of a page's line.
#[component]
pub fn Separator() -> AnyView {
    view! { <span class="sep" aria-hidden="true">"|"</span> }.into_any()
}
