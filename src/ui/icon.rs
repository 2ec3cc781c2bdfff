//! Icons from one cached sprite, `public/icons.svg`, and the product's mark.
//!
//! Icons are never alone in carrying a meaning: all are hidden from assistive technology and stand beside a word.

use std::sync::OnceLock;

use leptos::prelude::*;

static SPRITE_URL: OnceLock<String> = OnceLock::new();

/// Where the sprite is served when nothing else was set.
const DEFAULT_SPRITE_URL: &str = "/assets/icons.svg";

/// Sets the sprite's address, with the hash the build gave its name.
///
/// Call once at the start of the server. Later calls change nothing, so that two parts of one page never name
/// different sprites.
pub fn set_sprite_url(url: impl Into<String>) {
    SPRITE_URL.get_or_init(|| url.into());
}

/// The address of one icon: the sprite's address and the symbol's name.
pub fn icon_href(glyph: Glyph) -> String {
    let sprite = SPRITE_URL.get().map_or(DEFAULT_SPRITE_URL, String::as_str);
    format!("{sprite}#{}", glyph.id())
}

macro_rules! glyphs {
    ($($(#[$doc:meta])* $name:ident => $id:literal,)+) => {
        /// Every drawing the sprite holds.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Glyph {
            $($(#[$doc])* $name,)+
        }

        impl Glyph {
            /// All of them, in the order of the sprite.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The symbol's `id` in the sprite.
            pub const fn id(self) -> &'static str {
                match self {
                    $(Self::$name => $id,)+
                }
            }
        }
    };
}

glyphs! {
    /// A triangle: something needs a person.
    Alert => "alert",
    /// A flash: Meta told us by webhook.
    Bolt => "bolt",
    /// Two houses: businesses.
    Business => "business",
    /// Three columns: insights.
    Chart => "chart",
    /// A tick.
    Check => "check",
    /// A clock: waiting.
    Clock => "clock",
    /// Two sheets: copy.
    Copy => "copy",
    /// Three dots: more.
    Dots => "dots",
    /// An arrow head down.
    Down => "down",
    /// An arrow down into a tray: to be kept as a file.
    Download => "download",
    /// Facebook's sign.
    Facebook => "facebook",
    /// A sheet: a file.
    File => "file",
    /// Lines that grow shorter: filter.
    Filter => "filter",
    /// An hourglass: stalled.
    Hourglass => "hourglass",
    /// An i in a ring.
    Info => "info",
    /// A key: tokens and permissions.
    Key => "key",
    /// Three sheets: batches.
    Layers => "layers",
    /// An arrow head to the left.
    Left => "left",
    /// A chain: a link.
    Link => "link",
    /// A lens in a frame: look up.
    LookUp => "lookup",
    /// A screen: a desk's browser.
    Monitor => "monitor",
    /// A sheet with a folded corner: a note.
    Note => "note",
    /// Two bars: pause.
    Pause => "pause",
    /// A telephone: a phone's browser.
    Phone => "phone",
    /// A triangle to the right: go on.
    Play => "play",
    /// A plus.
    Plus => "plus",
    /// A turning arrow: sync, retry.
    Refresh => "refresh",
    /// An arrow head to the right.
    Right => "right",
    /// State: three quarters.
    Accepted => "s-accepted",
    /// State: equals sign.
    AlreadyRequested => "s-already",
    /// State: minus.
    Cancelled => "s-cancelled",
    /// Standing: plus in a ring.
    Eligible => "s-eligible",
    /// State: full, cross.
    Failed => "s-failed",
    /// Standing: slash.
    NotEligible => "s-ineligible",
    /// State: dashed ring.
    Queued => "s-queued",
    /// State: full, tick.
    Ready => "s-ready",
    /// State: half.
    Requested => "s-requested",
    /// State: clock.
    WaitingToRetry => "s-retry",
    /// State: quarter.
    Sending => "s-sending",
    /// State: arrow leaving.
    Taken => "s-taken",
    /// Standing: dashed ring with a question mark.
    Unknown => "s-unknown",
    /// A lens: search.
    Search => "search",
    /// A paper plane: requests.
    Send => "send",
    /// Two sliders: settings.
    Settings => "settings",
    /// An arrow up: sorted from A to Z.
    Up => "up",
    /// Two arrow heads: opens a menu.
    UpDown => "updown",
    /// An arrow up out of a tray: a file comes in.
    Upload => "upload",
    /// A person.
    User => "user",
    /// A cross: clear, close.
    X => "x",
}

/// One icon, as tall as the text's line allows. `class` adds to `icon`: `"spin"` turns it.
///
/// ```text
/// view! { <button class="btn" type="submit"><Icon glyph=Glyph::Refresh/>"Sync now"</button> }
/// ```
#[component]
pub fn Icon(glyph: Glyph, #[prop(optional)] class: &'static str) -> AnyView {
    let class = if class.is_empty() { "icon".to_owned() } else { format!("icon {class}") };
    view! {
        <svg class=class aria-hidden="true">
            <use_ href=icon_href(glyph)></use_>
        </svg>
    }
    .into_any()
}

/// The product's mark: a ring, three quarters full.
#[component]
pub fn Mark() -> AnyView {
    view! {
        <svg class="mark" viewBox="0 0 28 28" aria-hidden="true">
            <rect width="28" height="28" rx="7.5" fill="var(--ink)"></rect>
            <circle cx="14" cy="14" r="7" fill="none" stroke="var(--on-ink)" stroke-width="2"></circle>
            <path d="M14 14V9.75A4.25 4.25 0 1 1 9.75 14z" fill="var(--mark)"></path>
        </svg>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::Glyph;

    #[test]
    fn the_sprite_holds_every_glyph_and_no_other() {
        let sprite = include_str!("../../public/icons.svg");
        let drawn: Vec<&str> =
            sprite.split("<symbol id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let named: Vec<&str> = Glyph::ALL.iter().map(|glyph| glyph.id()).collect();
        assert_eq!(drawn, named);
    }
}
