//! What Meta told by webhook, in words: the lines of a business's timeline.

use crate::ui::{Glyph, Hue};

/// How an event of Meta's is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldWords {
    pub glyph: Glyph,
    pub hue: Option<Hue>,
    /// It happened to a WABA, whose name goes before the words.
    pub is_of_a_waba: bool,
    pub words: String,
    event: String,
}

impl ToldWords {
    /// Where we have it from.
    pub fn source(&self) -> String {
        format!("Meta told us by webhook: {}", self.event)
    }
}

/// Reads the detail of a timeline's `told`: the event, and after a blank what it says. An event of a newer version is shown by its name.
pub fn told_words(detail: &str) -> ToldWords {
    let (event, said) = detail.split_once(' ').unwrap_or((detail, ""));
    let of_waba = |glyph, hue, words: &str| (glyph, hue, true, words.to_owned());
    let (glyph, hue, is_of_a_waba, words) = match event {
        "MM_LITE_TERMS_SIGNED" => (Glyph::Accepted, Some(Hue::Teal), false, "The terms are signed".to_owned()),
        "PARTNER_ADDED" => of_waba(Glyph::Link, None, " was shared"),
        "PARTNER_REMOVED" => of_waba(Glyph::X, None, " is no longer shared"),
        "ACCOUNT_DELETED" => of_waba(Glyph::X, Some(Hue::Amber), " was deleted"),
        "ACCOUNT_OFFBOARDED" => of_waba(Glyph::Alert, Some(Hue::Amber), " left Cloud API"),
        "ACCOUNT_RECONNECTED" => of_waba(Glyph::Link, None, " is connected again"),
        "ACCOUNT_RESTRICTION" => of_waba(Glyph::Alert, Some(Hue::Amber), " is restricted"),
        "ACCOUNT_VIOLATION" => of_waba(Glyph::Alert, Some(Hue::Amber), " broke one of Meta’s policies"),
        "DISABLED_UPDATE" => match said {
            "REINSTATE" => of_waba(Glyph::Check, None, " may be used again"),
            "SCHEDULE_FOR_DISABLE" => of_waba(Glyph::Alert, Some(Hue::Amber), " is about to be disabled"),
            _ => of_waba(Glyph::Alert, Some(Hue::Amber), " was disabled"),
        },
        "AD_ACCOUNT_LINKED" => of_waba(Glyph::Link, None, ": an ad account was linked"),
        "PARTNER_APP_INSTALLED" => of_waba(Glyph::Link, None, ": an app was installed"),
        "PARTNER_APP_UNINSTALLED" => of_waba(Glyph::X, None, ": an app was removed"),
        "AUTH_INTL_PRICE_ELIGIBILITY_UPDATE" => {
            of_waba(Glyph::Bolt, None, ": whether messages abroad have a price of their own changed")
        }
        "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE" => {
            of_waba(Glyph::Bolt, None, ": the country of its business changed")
        }
        "PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE" => of_waba(Glyph::Bolt, None, ": its certification changed"),
        "VOLUME_BASED_PRICING_TIER_UPDATE" => of_waba(Glyph::Bolt, None, ": its price tier changed"),
        _ => (Glyph::Bolt, None, false, "Something changed at Meta".to_owned()),
    };
    let named = if said.is_empty() { event.to_owned() } else { format!("{event}, {said}") };
    ToldWords { glyph, hue, is_of_a_waba, words, event: named }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_meta_told_has_words_and_an_event_from_the_future_its_name() {
        let signed = told_words("MM_LITE_TERMS_SIGNED");
        assert_eq!((signed.words.as_str(), signed.is_of_a_waba), ("The terms are signed", false));
        assert_eq!(signed.source(), "Meta told us by webhook: MM_LITE_TERMS_SIGNED");
        let banned = told_words("DISABLED_UPDATE DISABLE");
        assert_eq!((banned.words.as_str(), banned.is_of_a_waba), (" was disabled", true));
        assert_eq!(banned.source(), "Meta told us by webhook: DISABLED_UPDATE, DISABLE");
        assert_eq!(told_words("DISABLED_UPDATE REINSTATE").words, " may be used again");
        assert_eq!(told_words("FROM_THE_FUTURE").source(), "Meta told us by webhook: FROM_THE_FUTURE");
        assert_eq!(told_words("").words, "Something changed at Meta");
    }
}
