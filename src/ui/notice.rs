//! A notice: one fact about the page or about what was just done. Without script it is also how the outcome of a form
//! is told.

use leptos::prelude::*;

use super::{
    icon::{Glyph, Icon},
    state::Hue,
};

/// What a notice is about; it decides icon and colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// Worth knowing.
    Info,
    /// Meta asks for a wait.
    Wait,
    /// Something needs a person.
    Error,
    /// Something is done.
    Done,
    /// What is shown is old.
    Stale,
}

impl NoticeKind {
    const fn look(self) -> (Glyph, Hue) {
        match self {
            Self::Info => (Glyph::Info, Hue::Blue),
            Self::Wait => (Glyph::Clock, Hue::Amber),
            Self::Error => (Glyph::Alert, Hue::Red),
            Self::Done => (Glyph::Ready, Hue::Green),
            Self::Stale => (Glyph::Refresh, Hue::Grey),
        }
    }
}

/// A notice with its heading. Children are paragraphs. `alert` is for errors that stop the work: they are spoken at
/// once, so use it once a page.
///
/// ```text
/// view! { <Notice kind=NoticeKind::Done title="Request sent">
///     <p>"Meta has e-mailed the admins of "<Name name=name/>"."</p>
/// </Notice> }
/// ```
#[component]
pub fn Notice(
    kind: NoticeKind,
    #[prop(into)] title: String,
    /// Links or forms at the end of the line.
    #[prop(default = None)]
    actions: Option<AnyView>,
    #[prop(optional)] alert: bool,
    children: Children,
) -> AnyView {
    let (glyph, hue) = kind.look();
    view! {
        <div class=format!("notice {}", hue.class()) role=if alert { "alert" } else { "status" }>
            <Icon glyph=glyph/>
            <div><h2>{title}</h2>{children()}</div>
            {actions.map(|actions| view! { <div class="actions">{actions}</div> })}
        </div>
    }
    .into_any()
}
