//! How each state looks: its shape, its colour, its word. One table, so that no page invents another word.
//!
//! States come in by their stable key (`waiting_to_retry`), which is what the database and the URL use; the rooms own
//! the states themselves. An unknown key is shown as Unknown, never as a state it might not be.

use leptos::prelude::*;

use super::icon::{Glyph, Icon};

/// A colour with a meaning. The style sheet gives it text, tint and solid for light and dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hue {
    /// At rest, over, or not known.
    Grey,
    /// Ours to do now, or possible now.
    Blue,
    /// Waiting, or worth a look.
    Amber,
    /// With the client's admin.
    Indigo,
    /// With another partner.
    Plum,
    /// With Meta.
    Teal,
    /// Done.
    Green,
    /// Needs a person.
    Red,
}

impl Hue {
    /// The class that sets `--hue`, `--tint` and `--solid` for everything inside.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Grey => "h-grey",
            Self::Blue => "h-blue",
            Self::Amber => "h-amber",
            Self::Indigo => "h-indigo",
            Self::Plum => "h-plum",
            Self::Teal => "h-teal",
            Self::Green => "h-green",
            Self::Red => "h-red",
        }
    }
}

/// The looks of one state: shape, colour, word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateLook {
    /// The shape; the ring fills as the business moves on.
    pub icon: Glyph,
    /// The colour.
    pub hue: Hue,
    /// The exact word shown and spoken.
    pub word: &'static str,
}

const fn look(icon: Glyph, hue: Hue, word: &'static str) -> StateLook {
    StateLook { icon, hue, word }
}

/// Key, looks, and the meaning in a sentence: the ten states of a request, then what a business adds to them.
pub const STATES: [(&str, StateLook, &str); 13] = [
    ("queued", look(Glyph::Queued, Hue::Grey, "Queued"), "Saved, waiting for its turn"),
    ("sending", look(Glyph::Sending, Hue::Blue, "Sending"), "The call to Meta is under way"),
    (
        "waiting_to_retry",
        look(Glyph::WaitingToRetry, Hue::Amber, "Waiting to retry"),
        "Meta said later, or was away; we try again by ourselves",
    ),
    ("requested", look(Glyph::Requested, Hue::Indigo, "Requested"), "Meta has e-mailed the admins"),
    (
        "already_requested",
        look(Glyph::AlreadyRequested, Hue::Indigo, "Already requested"),
        "A request stood already; Meta kept the first one",
    ),
    (
        "taken_by_another_partner",
        look(Glyph::Taken, Hue::Plum, "Taken by another partner"),
        "Another partner asked first; nothing to do",
    ),
    ("accepted", look(Glyph::Accepted, Hue::Teal, "Accepted"), "Terms signed"),
    ("ready", look(Glyph::Ready, Hue::Green, "Ready"), "WABA onboarded"),
    ("failed", look(Glyph::Failed, Hue::Red, "Failed"), "Needs a person"),
    ("cancelled", look(Glyph::Cancelled, Hue::Grey, "Cancelled"), "Stopped by one of us before it was sent"),
    ("eligible", look(Glyph::Eligible, Hue::Blue, "Eligible"), "Can be onboarded now"),
    ("not_eligible", look(Glyph::NotEligible, Hue::Grey, "Not eligible"), "No WABA can be onboarded"),
    ("unknown", look(Glyph::Unknown, Hue::Grey, "Unknown"), "Meta did not say"),
];

/// The looks of a state by its key; an unknown key looks Unknown.
pub fn look_of(key: &str) -> StateLook {
    STATES
        .iter()
        .find(|(known, ..)| *known == key)
        .map_or(look(Glyph::Unknown, Hue::Grey, "Unknown"), |(_, look, _)| *look)
}

/// What a state means, in a sentence without a full stop; an unknown key means Unknown.
pub fn meaning_of(key: &str) -> &'static str {
    STATES.iter().find(|(known, ..)| *known == key).map_or("Meta did not say", |(_, _, meaning)| *meaning)
}

/// A state in a table or a sentence: icon in its colour, word in the text's.
///
/// ```text
/// view! { <StateLabel look=look_of("requested")/> }
/// ```
#[component]
pub fn StateLabel(look: StateLook) -> AnyView {
    view! { <span class=state_class(look, "state")><Icon glyph=look.icon/>{look.word}</span> }.into_any()
}

/// A state in a page's head: icon and word on the colour's tint.
#[component]
pub fn StatePill(look: StateLook) -> AnyView {
    view! { <span class=state_class(look, "state pill")><Icon glyph=look.icon/>{look.word}</span> }.into_any()
}

fn state_class(look: StateLook, base: &str) -> String {
    // Sending is the one state whose shape moves.
    let turning = if look.icon == Glyph::Sending { " sending" } else { "" };
    format!("{base} {}{turning}", look.hue.class())
}

/// A short note beside a state. Put both into `<span class="states">`.
///
/// ```text
/// view! { <span class="states"><StateLabel look=look_of("requested")/>
///     <Tag hue=Hue::Amber glyph=Glyph::Hourglass text="Stalled 11 d"/></span> }
/// ```
#[component]
pub fn Tag(hue: Hue, #[prop(optional)] glyph: Option<Glyph>, #[prop(into)] text: String) -> AnyView {
    view! {
        <span class=format!("tag {}", hue.class())>
            {glyph.map(|glyph| view! { <Icon glyph=glyph/> })}
            {text}
        </span>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::{STATES, look_of, meaning_of};

    #[test]
    fn an_unknown_state_is_shown_as_unknown() {
        assert_eq!(look_of("declined").word, "Unknown");
        assert_eq!(meaning_of(""), "Meta did not say");
    }

    #[test]
    fn no_two_states_share_a_key_a_word_or_a_shape() {
        for (at, (key, look, _)) in STATES.iter().enumerate() {
            for (other_key, other, _) in &STATES[at + 1..] {
                assert_ne!(key, other_key);
                assert_ne!(look.word, other.word);
                assert_ne!(look.icon, other.icon);
            }
        }
    }
}
