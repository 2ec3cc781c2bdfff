//! What the palette knows by itself: pages, and things to do.

use crate::{sign_in::Role, ui::Glyph};

/// What an entry does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// Leads to this address.
    Opens(&'static str),
    /// Presses the button that this selector finds: it stands on every page.
    Presses(&'static str),
}

/// Whom an entry is offered to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum For {
    All,
    /// Those who send requests.
    Senders,
    Admins,
}

/// One entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub word: &'static str,
    pub does: Does,
    pub glyph: Glyph,
    /// The single keys that do it, too.
    pub keys: &'static [&'static str],
    of: For,
}

impl Entry {
    const fn of(self, of: For) -> Self {
        Self { of, ..self }
    }
}

const fn page(word: &'static str, href: &'static str, glyph: Glyph, keys: &'static [&'static str]) -> Entry {
    Entry { word, does: Does::Opens(href), glyph, keys, of: For::All }
}

const fn press(word: &'static str, selector: &'static str, glyph: Glyph) -> Entry {
    Entry { word, does: Does::Presses(selector), glyph, keys: &[], of: For::All }
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
    page("Import CSV…", "/import", Glyph::Upload, &["I"]).of(For::Senders),
    page("Find businesses to onboard", "/businesses?status=eligible", Glyph::Eligible, &[]).of(For::Senders),
    press("Sync businesses from Meta now", "#sync-now", Glyph::Refresh),
    page("See businesses that have stalled", "/businesses?status=stalled", Glyph::Hourglass, &[]),
    page("See businesses that need attention", "/businesses?status=needs_attention", Glyph::Alert, &[]),
    page("See requests that need attention", "/requests?q=is:attention", Glyph::Alert, &[]),
    page("See requests that have stalled", "/requests?q=is:stalled", Glyph::Hourglass, &[]),
    page("See your own requests", "/requests?q=by:me", Glyph::User, &[]),
    page("See why requests fail", "/support/causes", Glyph::Failed, &[]),
    page("See calls that Meta refused", "/requests?q=in:calls%20status:4xx,5xx", Glyph::Bolt, &[]),
    page("See what Meta told by webhook", "/settings/webhooks", Glyph::Link, &[]),
    page("Download all requests as CSV", "/requests/export.csv", Glyph::Download, &[]),
    page("See the audit log", "/settings/audit", Glyph::File, &[]).of(For::Admins),
    press("Use the light theme", ".account [name='theme'][value='light']", Glyph::Settings),
    press("Use the dark theme", ".account [name='theme'][value='dark']", Glyph::Settings),
    press("Use the theme of your system", ".account [name='theme'][value='system']", Glyph::Settings),
    press("Sign out", ".account form[action='/sign-out'] button", Glyph::User),
];

/// Those that the role may follow and whose words hold what was typed.
pub fn fitting(entries: &'static [Entry], role: Role, typed: &str) -> impl Iterator<Item = &'static Entry> {
    let typed = typed.to_lowercase();
    entries
        .iter()
        .filter(move |entry| match entry.of {
            For::All => true,
            For::Senders => role.may_onboard(),
            For::Admins => role == Role::Admin,
        })
        .filter(move |entry| entry.word.to_lowercase().contains(&typed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_sends_nothing_is_offered_no_sending() {
        let words = |role| fitting(DEEDS, role, "").map(|entry| entry.word).collect::<Vec<_>>();
        assert!(words(Role::AccountManager).contains(&"Import CSV…"));
        assert!(!words(Role::Support).iter().any(|word| word.contains("Import") || word.contains("onboard")));
        assert!(
            words(Role::Admin).contains(&"See the audit log")
                && !words(Role::AccountManager).contains(&"See the audit log")
        );
        let found: Vec<Does> = fitting(PAGES, Role::Support, "BAT").map(|entry| entry.does).collect();
        assert_eq!(found, [Does::Opens("/batches")]);
    }
}
