//! What an event means for what we keep (5.8): a table, and no more than Meta's page says.

use serde_json::Value;

/// The longest of what is kept of an event beside its name.
const LONGEST_DETAIL: usize = 200;

/// What there is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// An admin of the business signed the terms, by whatever way (4.12).
    TermsSigned,
    /// Whether the partner has the WABA: the latest word holds.
    Sharing,
    /// A line in the business's timeline.
    Told,
    /// A solution stands elsewhere.
    Solution,
    /// True, and of no consequence here.
    NoEffect,
    /// An event or a field we don't know.
    UnknownEvent,
    /// No event and no field at all.
    UnknownShape,
}

impl Meaning {
    /// By event, whether or not Meta put the field where it belongs (5.9).
    pub fn of(field: Option<&str>, event: Option<&str>) -> Self {
        match (field, event) {
            (None, None) => Self::UnknownShape,
            (Some("account_update") | None, Some(event)) => Self::of_event(event),
            (Some("partner_solutions"), Some("SOLUTION_CREATED" | "SOLUTION_UPDATED")) => Self::Solution,
            _ => Self::UnknownEvent,
        }
    }

    fn of_event(event: &str) -> Self {
        match event {
            "MM_LITE_TERMS_SIGNED" => Self::TermsSigned,
            "PARTNER_ADDED" | "PARTNER_REMOVED" | "ACCOUNT_DELETED" => Self::Sharing,
            "AD_ACCOUNT_LINKED"
            | "PARTNER_APP_INSTALLED"
            | "PARTNER_APP_UNINSTALLED"
            | "ACCOUNT_OFFBOARDED"
            | "ACCOUNT_RECONNECTED"
            | "ACCOUNT_RESTRICTION"
            | "ACCOUNT_VIOLATION"
            | "DISABLED_UPDATE" => Self::Told,
            "SOLUTION_CREATED" | "SOLUTION_UPDATED" => Self::Solution,
            "AUTH_INTL_PRICE_ELIGIBILITY_UPDATE"
            | "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE"
            | "PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE"
            | "VOLUME_BASED_PRICING_TIER_UPDATE" => Self::NoEffect,
            _ => Self::UnknownEvent,
        }
    }
}

/// Whether what Meta says leaves open how things stand now: WABAs, their eligibility, solutions. A sync tells.
pub fn wants_sync(event: &str) -> bool {
    matches!(
        event,
        "PARTNER_ADDED"
            | "PARTNER_REMOVED"
            | "ACCOUNT_DELETED"
            | "AD_ACCOUNT_LINKED"
            | "ACCOUNT_OFFBOARDED"
            | "ACCOUNT_RECONNECTED"
            | "ACCOUNT_RESTRICTION"
            | "ACCOUNT_VIOLATION"
            | "DISABLED_UPDATE"
            | "SOLUTION_CREATED"
            | "SOLUTION_UPDATED"
    )
}

/// What the timeline keeps of an event: its name, and after a blank what it says of it, if anything.
pub fn detail_of(event: &str, body: &str) -> String {
    let change: Value = serde_json::from_str(body).unwrap_or_default();
    let value = &change["value"];
    let text = |value: &Value| value.as_str().map(str::to_owned).or_else(|| value.as_u64().map(|id| id.to_string()));
    let said = match event {
        "PARTNER_REMOVED" => text(&value["disconnection_info"]["reason"]),
        "AD_ACCOUNT_LINKED" => text(&value["waba_info"]["ad_account_linked"]),
        "PARTNER_APP_INSTALLED" | "PARTNER_APP_UNINSTALLED" => text(&value["waba_info"]["partner_app_id"]),
        "DISABLED_UPDATE" => text(&value["ban_info"]["waba_ban_state"]),
        "ACCOUNT_VIOLATION" => text(&value["violation_info"]["violation_type"]),
        "ACCOUNT_RESTRICTION" => value["restriction_info"]
            .as_array()
            .map(|all| all.iter().filter_map(|one| text(&one["restriction_type"])).collect::<Vec<_>>().join(", ")),
        _ => None,
    };
    let said = said.unwrap_or_default().replace('\0', "\u{FFFD}");
    format!("{event} {said}").trim().chars().take(LONGEST_DETAIL).collect()
}

/// The status that a solution's event names (3.6).
pub fn solution_status(body: &str) -> Option<String> {
    let change: Value = serde_json::from_str(body).ok()?;
    let status = change["value"]["solution_status"].as_str().filter(|status| !status.is_empty())?;
    Some(status.replace('\0', "\u{FFFD}"))
}

#[cfg(test)]
mod tests {
    use super::{super::tests::fixtures::PRINTED, *};

    #[test]
    fn an_event_means_what_metas_page_says() {
        use Meaning::{NoEffect, Sharing, Solution, TermsSigned, Told, UnknownEvent, UnknownShape};
        for (field, event, meaning) in [
            (Some("account_update"), Some("MM_LITE_TERMS_SIGNED"), TermsSigned),
            (None, Some("MM_LITE_TERMS_SIGNED"), TermsSigned),
            (Some("account_update"), Some("PARTNER_ADDED"), Sharing),
            (Some("account_update"), Some("PARTNER_REMOVED"), Sharing),
            (Some("account_update"), Some("ACCOUNT_DELETED"), Sharing),
            (Some("account_update"), Some("DISABLED_UPDATE"), Told),
            (Some("account_update"), Some("AD_ACCOUNT_LINKED"), Told),
            (Some("account_update"), Some("VOLUME_BASED_PRICING_TIER_UPDATE"), NoEffect),
            (Some("account_update"), Some("MM_LITE_TERMS_UNSIGNED"), UnknownEvent),
            (Some("account_update"), Some("mm_lite_terms_signed"), UnknownEvent),
            (Some("account_update"), None, UnknownEvent),
            (Some("partner_solutions"), Some("SOLUTION_UPDATED"), Solution),
            (Some("partner_solutions"), Some("MM_LITE_TERMS_SIGNED"), UnknownEvent),
            (Some("messages"), None, UnknownEvent),
            (Some("messages"), Some("MM_LITE_TERMS_SIGNED"), UnknownEvent),
            (None, None, UnknownShape),
        ] {
            assert_eq!(Meaning::of(field, event), meaning, "{field:?} {event:?}");
        }
    }

    #[test]
    fn every_printed_event_means_something() {
        for printed in PRINTED {
            let meaning = Meaning::of(Some("account_update"), Some(printed.event));
            assert!(!matches!(meaning, Meaning::UnknownEvent | Meaning::UnknownShape), "{}", printed.event);
        }
    }

    #[test]
    fn the_timeline_keeps_what_an_event_says() {
        for (event, value, detail) in [
            ("DISABLED_UPDATE", r#"{"ban_info":{"waba_ban_state":"REINSTATE"}}"#, "DISABLED_UPDATE REINSTATE"),
            ("PARTNER_APP_INSTALLED", r#"{"waba_info":{"partner_app_id":57}}"#, "PARTNER_APP_INSTALLED 57"),
            (
                "ACCOUNT_RESTRICTION",
                r#"{"restriction_info":[{"restriction_type":"A"},{},{"restriction_type":"B"}]}"#,
                "ACCOUNT_RESTRICTION A, B",
            ),
            ("PARTNER_REMOVED", r#"{"disconnection_info":{"reason":"a\u0000b"}}"#, "PARTNER_REMOVED a\u{FFFD}b"),
            ("PARTNER_ADDED", "{}", "PARTNER_ADDED"),
            ("DISABLED_UPDATE", "7", "DISABLED_UPDATE"),
        ] {
            assert_eq!(detail_of(event, &format!(r#"{{"value":{value}}}"#)), detail);
        }
        assert_eq!(detail_of("DISABLED_UPDATE", "cut off {"), "DISABLED_UPDATE");
    }
}
