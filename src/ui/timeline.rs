//! What happened, newest first.

use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    icon::{Glyph, Icon},
    state::Hue,
    timestamp::{TimeStyle, Timestamp},
};

/// The list; children are [`TimelineEvent`]s, newest first.
#[component]
pub fn Timeline(children: Children) -> AnyView {
    view! { <ol class="timeline">{children()}</ol> }.into_any()
}

/// One event: what happened in words, details as paragraphs, and when. The hue is given only where it is a state's.
///
/// ```text
/// view! { <Timeline>
///     <TimelineEvent at=at now=now glyph=Glyph::Eligible hue=Hue::Blue what="Became eligible".into_any()>
///         <p>"2 of 4 WABAs can be onboarded."</p>
///     </TimelineEvent>
/// </Timeline> }
/// ```
#[component]
pub fn TimelineEvent(
    at: OffsetDateTime,
    now: OffsetDateTime,
    glyph: Glyph,
    #[prop(default = None)] hue: Option<Hue>,
    /// What happened, in a few words; links are welcome.
    what: AnyView,
    /// Whether seconds matter, as they do among calls.
    #[prop(optional)]
    exact: bool,
    #[prop(optional)] children: Option<Children>,
) -> AnyView {
    let class = hue.map_or_else(|| "event".to_owned(), |hue| format!("event {}", hue.class()));
    view! {
        <li class=class>
            <span class="event-icon"><Icon glyph=glyph/></span>
            <div><b>{what}</b>{children.map(|children| children())}</div>
            <Timestamp at=at now=now style=if exact { TimeStyle::Second } else { TimeStyle::Minute }/>
        </li>
    }
    .into_any()
}
