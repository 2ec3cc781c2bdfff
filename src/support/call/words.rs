//! A call in words: what Meta was asked to do, and what became of it.

use std::time::Duration;

use crate::{graph::Operation, support::store::KeptCall, ui::isolated};

/// What Meta was asked to do, to follow "Meta refused to". `whom` is the business, where it is known.
pub fn deed(operation: &str, whom: Option<&str>) -> String {
    let whom = whom.unwrap_or("the business");
    let words = match Operation::named(operation) {
        Some(Operation::OnboardPartnersToMmLite) => return format!("onboard {whom}"),
        Some(Operation::ReadBusinessStatus) => return format!("tell the status of {whom}"),
        Some(Operation::ReadBusinessStatuses) => "tell the status of many businesses",
        Some(Operation::ReadWabaEligibilities) => "tell the eligibility of many WABAs",
        Some(Operation::ReadRequestStatus) => "tell what became of a request",
        Some(Operation::ListClientWabas) => "list the WABAs shared with you",
        Some(Operation::ListOwnedWabas) => "list the WABAs you own",
        Some(Operation::ListSolutions) => "list your solutions",
        Some(Operation::ReadMe) => "tell whose token it is",
        Some(Operation::ListMyBusinesses) => "list a member’s portfolios",
        Some(Operation::ExchangeCode | Operation::ExchangeToken) => "give a token",
        Some(Operation::DebugToken) => "tell what a token is good for",
        Some(Operation::ListSubscriptions) => "list your webhooks",
        None => return operation.replace('_', " "),
    };
    words.to_owned()
}

pub fn deed_of(call: &KeptCall) -> String {
    let name = call.business_name.as_deref().map(isolated);
    deed(&call.operation, name.or_else(|| call.subject_id.as_ref().map(|id| format!("business {id}"))).as_deref())
}

/// What became of it.
pub fn call_heading(deed: &str, failure: Option<&str>, is_refused: bool) -> String {
    match failure {
        Some(failure) => format!("No usable answer when asked to {deed}: {}", failure_words(failure)),
        None if is_refused => format!("Meta refused to {deed}"),
        None => format!("Meta answered when asked to {deed}"),
    }
}

/// A failure's stable name as words.
pub fn failure_words(failure: &str) -> String {
    match failure {
        "html" => "an HTML page".to_owned(),
        "not_json" => "not JSON".to_owned(),
        other => other.replace('_', " "),
    }
}

pub fn http_status(call: &KeptCall) -> Option<u16> {
    call.http_status.and_then(|status| u16::try_from(status).ok())
}

pub fn took(call: &KeptCall) -> Duration {
    Duration::from_millis(u64::from(call.duration_ms.unsigned_abs()))
}

/// Which try of how many, within a sentence: `the third and last try`. `is_over`: there will be no other.
pub fn try_words(attempt: i32, attempts: i32, is_over: bool) -> String {
    const NTHS: [&str; 10] =
        ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];
    let place = usize::try_from(attempt - 1).ok().and_then(|at| NTHS.get(at));
    let nth = place.map_or_else(|| format!("attempt {attempt}"), |nth| format!("the {nth}"));
    match (place.is_some(), attempt >= attempts) {
        (true, true) if attempts == 1 && is_over => "the only try".to_owned(),
        (true, true) if is_over => format!("{nth} and last try"),
        (true, true) => format!("{nth} try so far"),
        (true, false) => format!("{nth} try of {attempts}"),
        (false, _) => format!("{nth} of {}", attempts.max(attempt)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_try_is_told_by_its_place() {
        for (attempt, attempts, is_over, words) in [
            (1, 1, true, "the only try"),
            (1, 1, false, "the first try so far"),
            (3, 3, true, "the third and last try"),
            (2, 3, true, "the second try of 3"),
            (12, 12, true, "attempt 12 of 12"),
            (4, 3, true, "the fourth and last try"),
        ] {
            assert_eq!(try_words(attempt, attempts, is_over), words);
        }
    }

    #[test]
    fn every_operation_is_told_as_a_deed() {
        for operation in Operation::ALL {
            assert!(!deed(operation.as_str(), None).contains('_'), "{operation:?}");
        }
        assert_eq!(deed("of_a_newer_version", None), "of a newer version");
    }
}
