//! The blocks of a page: sections by a heading, and panels where something is to be decided.

use leptos::prelude::*;

use super::{
    icon::{Glyph, Icon},
    state::Hue,
};

/// A box in which something is decided or explained; named by the heading with the id `named_by` (see [`Lead`]).
///
/// Children are `<div class="panel-body stack">` or a form of that class, then perhaps `<div class="panel-foot">`.
///
/// ```text
/// view! { <Panel named_by="why" hue=Hue::Red>
///     <div class="panel-body stack"><Lead id="why" title="Meta refused" glyph=Glyph::Alert><p>{text}</p></Lead></div>
/// </Panel> }
/// ```
#[component]
pub fn Panel(named_by: &'static str, #[prop(optional)] hue: Option<Hue>, children: Children) -> AnyView {
    let class = hue.map_or_else(|| "panel".to_owned(), |hue| format!("panel {}", hue.class()));
    view! { <section class=class aria-labelledby=named_by>{children()}</section> }.into_any()
}

/// The heading of a panel with its first paragraphs. The icon takes the panel's colour.
#[component]
pub fn Lead(
    id: &'static str,
    #[prop(into)] title: String,
    #[prop(optional)] glyph: Option<Glyph>,
    children: Children,
) -> AnyView {
    view! {
        <div class="lead">
            <h2 id=id>{glyph.map(|glyph| view! { <Icon glyph=glyph/> })}<span>{title}</span></h2>
            {children()}
        </div>
    }
    .into_any()
}

/// What to do, in numbered steps; children are `<li>`. `who` says whose move it is, if it isn't the reader's.
///
/// ```text
/// view! { <NextSteps who="for an admin of your workspace"><li>"Assign the WABAs."</li><li>"Retry here."</li></NextSteps> }
/// ```
#[component]
pub fn NextSteps(#[prop(optional)] who: Option<&'static str>, children: Children) -> AnyView {
    let who = who.map(|who| view! { ", "<span class="muted">{who}</span> });
    view! { <div class="next"><h3>"What to do"{who}</h3><ol>{children()}</ol></div> }.into_any()
}

/// A part of a page under a heading, with a short note at the end of the line ("3 calls to Meta, newest first").
///
/// ```text
/// view! { <Section id="attempts" title="Attempts" note="1 call to Meta"><Attempts>..</Attempts></Section> }
/// ```
#[component]
pub fn Section(
    id: &'static str,
    title: &'static str,
    #[prop(optional, into)] note: Option<String>,
    children: Children,
) -> AnyView {
    view! {
        <section class="section" aria-labelledby=id>
            <div class="section-head"><h2 id=id>{title}</h2>{note.map(|note| view! { <p>{note}</p> })}</div>
            {children()}
        </section>
    }
    .into_any()
}

/// In place of a list: why there is nothing, and what helps. Children are paragraphs.
///
/// ```text
/// let actions = view! { <a class="btn" href="/businesses">"Clear filters"</a> }.into_any();
/// view! { <Empty title=format!("No business matches “{}”", isolated(&q)) actions=actions>
///     <p>"Searched among 3,412 businesses."</p>
/// </Empty> }
/// ```
#[component]
pub fn Empty(
    #[prop(into)] title: String,
    #[prop(optional)] actions: Option<AnyView>,
    #[prop(optional)] children: Option<Children>,
) -> AnyView {
    view! {
        <div class="empty" role="status">
            <h2>{title}</h2>
            {children.map(|children| children())}
            {actions.map(|actions| view! { <div class="actions">{actions}</div> })}
        </div>
    }
    .into_any()
}
