//! What the palette knows by itself: pages, and things to do.

use crate::{sign_in::Role, ui::Glyph};

/// One entry: a way somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub word: &'static str,
    pub href: &'static str,
    pub glyph: Glyph,
    /// The single keys that lead there, too.
    pub keys: &'static [&'static str],
    /// Only for those who send requests.
    pub sends: bool,
}

const fn page(word: &'static str, href: &'static str, glyph: Glyph, keys: &'static [&'static str]) -> Entry {
    Entry { word, href, glyph, keys, sends: false }
}

/// Pages.
pub const PAGES: &[Entry] = &[
    page("Businesses", "/businesses", Glyph::Business, &["G", "B"]),
    page("Requests", "/requests", Glyph::Send, &["G", "R"]),
    page("Batches", "/batches", Glyph::Layers, &["G", "T"]),
    page("Look up", "/support", Glyph::LookUp, &["G", "L"]),
    page("Insights", "/insights", Glyph::Chart, &["G", "I"]),
    page("Saved views", "/views", Glyph::File, &[]),
    page("Settings", "/settings", Glyph::Settings, &["G", "S"]),
];

/// Things to do.
pub const DEEDS: &[Entry] = &[
    Entry { word: "Import CSV…", href: "/import", glyph: Glyph::Upload, keys: &["I"], sends: true },
    Entry {
        word: "Find businesses to onboard",
        href: "/businesses?status=eligible",
        glyph: Glyph::Eligible,
        keys: &[],
        sends: true,
    },
    page("See requests that need attention", "/requests?q=is:attention", Glyph::Alert, &[]),
    page("See requests that have stalled", "/requests?q=is:stalled", Glyph::Hourglass, &[]),
    page("See your own requests", "/requests?q=by:me", Glyph::User, &[]),
    page("See calls that Meta refused", "/requests?q=in:calls%20status:4xx,5xx", Glyph::Bolt, &[]),
];

/// Those that the role may follow and whose words hold what was typed.
pub fn fitting(entries: &'static [Entry], role: Role, typed: &str) -> impl Iterator<Item = &'static Entry> {
    let typed = typed.to_lowercase();
    entries
        .iter()
        .filter(move |entry| (!entry.sends || role.may_onboard()) && entry.word.to_lowercase().contains(&typed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_sends_nothing_is_offered_no_sending() {
        let words = |role| fitting(DEEDS, role, "").map(|entry| entry.word).collect::<Vec<_>>();
        assert!(words(Role::AccountManager).contains(&"Import CSV…"));
        assert!(!words(Role::Support).iter().any(|word| word.contains("Import") || word.contains("onboard")));
        assert_eq!(fitting(PAGES, Role::Support, "BAT").map(|entry| entry.href).collect::<Vec<_>>(), ["/batches"]);
    }
}
