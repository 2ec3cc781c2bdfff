//! Names and ids: what people copy and paste.
//!
//! Every id can be copied. The button needs script, which [`super::CopyOnClick`] brings once a page; without script
//! the style sheet hides it and the id stays selectable text.

use leptos::prelude::*;

use super::icon::{Glyph, Icon};

/// A name from outside, kept from turning the text around it.
#[component]
pub fn Name(#[prop(into)] name: String) -> AnyView {
    view! { <bdi>{name}</bdi> }.into_any()
}

/// The same for where no element can stand: a heading given as text, a page's `<title>`. It uses Unicode's isolates,
/// and takes those out of the name, so that it can't end its own isolation.
///
/// ```text
/// let title = format!("Waiting for an admin of {}", isolated(&business.name));
/// ```
pub fn isolated(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 6);
    text.push('\u{2068}');
    text.extend(name.chars().filter(|letter| !matches!(letter, '\u{2066}'..='\u{2069}')));
    text.push('\u{2069}');
    text
}

/// A name that leads to its page.
///
/// ```text
/// view! { <th role="rowheader" scope="row" class="c-name"><NameLink href=url name=business.name/></th> }
/// ```
#[component]
pub fn NameLink(#[prop(into)] href: String, #[prop(into)] name: String) -> AnyView {
    view! { <a class="name" href=href><bdi>{name}</bdi></a> }.into_any()
}

/// An id with its copy button. `what` is spoken before it: "business ID" makes the button "Copy business ID 1745...".
/// `mono` is for ids that mix letters and digits, `fbtrace_id` above all.
///
/// ```text
/// view! { <Identifier what="business ID" value=business.id.to_string()/> }
/// ```
#[component]
pub fn Identifier(what: &'static str, #[prop(into)] value: String, #[prop(optional)] mono: bool) -> AnyView {
    let shown = value.clone();
    let shown = if mono { view! { <span class="mono">{shown}</span> }.into_any() } else { shown.into_any() };
    view! { <span class="id">{shown}<CopyButton what=what value=value/></span> }.into_any()
}

/// The small copy button alone, for where the id stands elsewhere.
#[component]
pub fn CopyButton(what: &'static str, #[prop(into)] value: String) -> AnyView {
    view! {
        <button class="copy" type="button" aria-label=format!("Copy {what} {value}") data-copy=value>
            <Icon glyph=Glyph::Copy/>
        </button>
    }
    .into_any()
}

/// A button with words that copies a longer text, such as what Meta Direct Support asks for.
///
/// ```text
/// view! { <CopyTextButton word="Copy for Meta Direct Support" text=ticket/> }
/// ```
#[component]
pub fn CopyTextButton(word: &'static str, #[prop(into)] text: String, #[prop(optional)] primary: bool) -> AnyView {
    let class = if primary { "btn btn-primary" } else { "btn" };
    view! { <button class=class type="button" data-copy=text><Icon glyph=Glyph::Copy/>{word}</button> }.into_any()
}

/// A link that copies its own address: a permalink for a colleague. Without script it leads there. `words` are for the one and the
/// other.
///
/// ```text
/// view! { <CopyLink href=request_url(number) words=("Copy link", "Link to this request")/> }
/// ```
#[component]
pub fn CopyLink(#[prop(into)] href: String, words: (&'static str, &'static str)) -> AnyView {
    view! {
        <a class="btn btn-quiet" href=href data-copy-link="">
            <Icon glyph=Glyph::Link/>
            <span class="scripted">{words.0}</span>
            <span class="unscripted">{words.1}</span>
        </a>
    }
    .into_any()
}
