//! What Meta's constants mean, in the words of the product. A constant nobody knows is never guessed at.

use crate::ui::{StateLook, state::look_of};

/// What Meta says of one WABA, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The key of the state it is shown as, for [`look_of`].
    pub state: &'static str,
    /// Beside or under the state; empty where the state says it all.
    pub words: &'static str,
}

impl Reason {
    /// The state's looks.
    pub fn look(self) -> StateLook {
        look_of(self.state)
    }
}

/// What a WABA's `marketing_messages_onboarding_status` means (4.11). `None` and constants we don't know are Unknown: absent is not
/// the same as not started.
pub fn reason_words(eligibility: Option<&str>) -> Reason {
    let Some(said) = eligibility else { return Reason { state: "unknown", words: "Meta did not say" } };
    let (state, words) = match said.to_ascii_uppercase().as_str() {
        "ELIGIBLE" => ("eligible", ""),
        "ONBOARDED" => ("ready", ""),
        "PENDING_VALID_PAYMENT_METHOD" => ("accepted", "Signed, but needs a valid payment method"),
        "PENDING_INTERNAL_SETUP" => ("accepted", "Signed, Meta is setting it up"),
        "INELIGIBLE_ON_BEHALF_OF_WABA" => ("not_eligible", "Still owned on behalf of the client (OBO, legacy)"),
        "INELIGIBLE_INACTIVE_OR_RESTRICTED" => ("not_eligible", "Inactive or restricted by Meta"),
        "INELIGIBLE_COUNTRY_NOT_SUPPORTED" => ("not_eligible", "Its tax country is not supported"),
        "INELIGIBLE_USING_WHATSAPP_BUSINESS_APP" => ("not_eligible", "Runs on the WhatsApp Business app"),
        other if other.starts_with("INELIGIBLE_") => ("not_eligible", "For a reason we do not know yet"),
        other if other.starts_with("PENDING_") => ("accepted", "Signed, and waiting for something we do not know yet"),
        _ => ("unknown", "Meta’s answer is new to us"),
    };
    Reason { state, words }
}

/// What the client can do about it; `None` where there is nothing, or nobody knows.
pub fn remedy(eligibility: Option<&str>) -> Option<&'static str> {
    match eligibility?.to_ascii_uppercase().as_str() {
        "PENDING_VALID_PAYMENT_METHOD" => Some("The client must add a payment method in WhatsApp Manager."),
        "INELIGIBLE_INACTIVE_OR_RESTRICTED" => Some("The client must clear the restriction in Account quality."),
        "INELIGIBLE_USING_WHATSAPP_BUSINESS_APP" => Some("Meta offers MM Lite only to numbers on the Cloud API."),
        "INELIGIBLE_ON_BEHALF_OF_WABA" => Some("The WABA must first move to the client’s own portfolio."),
        _ => None,
    }
}

/// What Meta says of a business as a whole (4.11), in words.
pub fn meta_status_words(status: Option<&str>) -> &'static str {
    match status.map(str::to_ascii_uppercase).as_deref() {
        None => "Meta did not say",
        Some("NOT_STARTED") => "Not started",
        Some("REQUEST_SENT") => "Request sent",
        Some("TERM_OF_SERVICE_SIGNED") => "Terms signed",
        Some(_) => "Something new to us",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_constant_is_put_in_words_whatever_its_case() {
        for (said, state, words) in [
            ("ELIGIBLE", "eligible", ""),
            ("eligible", "eligible", ""),
            ("ONBOARDED", "ready", ""),
            ("PENDING_VALID_PAYMENT_METHOD", "accepted", "Signed, but needs a valid payment method"),
            ("PENDING_INTERNAL_SETUP", "accepted", "Signed, Meta is setting it up"),
            ("INELIGIBLE_ON_BEHALF_OF_WABA", "not_eligible", "Still owned on behalf of the client (OBO, legacy)"),
            ("INELIGIBLE_INACTIVE_OR_RESTRICTED", "not_eligible", "Inactive or restricted by Meta"),
            ("INELIGIBLE_COUNTRY_NOT_SUPPORTED", "not_eligible", "Its tax country is not supported"),
            ("INELIGIBLE_USING_WHATSAPP_BUSINESS_APP", "not_eligible", "Runs on the WhatsApp Business app"),
            ("INELIGIBLE_MOON_PHASE", "not_eligible", "For a reason we do not know yet"),
        ] {
            assert_eq!(reason_words(Some(said)), Reason { state, words }, "{said}");
        }
    }

    #[test]
    fn unknown_stays_unknown() {
        assert_eq!(reason_words(None).state, "unknown");
        assert_eq!(reason_words(Some("SOMETHING_NEW")).state, "unknown");
        assert_eq!(meta_status_words(None), "Meta did not say");
        assert_ne!(meta_status_words(Some("DECLINED")), "Not started");
    }
}
