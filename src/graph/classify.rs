//! Finds out what an error means. Pure tables: Graph's code first, then its words, and the HTTP status only where neither
//! tells (7.1, 7.3): Graph sends many limits as 400.

use super::{
    cause::{Cause, TokenProblem},
    error::{Failure, GraphError},
};

/// What Graph's error means.
pub(super) fn of_error(error: &GraphError, status: Option<u16>) -> Cause {
    let cause = by_plain_number(error)
        .or_else(|| by_onboarding_words(error))
        .or_else(|| by_general_code(error))
        .or_else(|| by_general_words(error));
    match (cause, error.is_transient) {
        // Meta asks to repeat what it calls transient (7.2). Where the code alone would end the matter, that decides.
        (None | Some(Cause::AccessDenied | Cause::NotFoundOrNoAccess | Cause::InvalidParameter), Some(true)) => {
            Cause::Temporary
        }
        (Some(cause), _) => cause,
        (None, _) => by_status(status).unwrap_or(Cause::Unrecognised),
    }
}

/// What it means that there is no usable answer. For a write, an outage at Meta's door may come after the deed.
pub(super) fn of_failure(failure: Failure, status: Option<u16>, writes: bool) -> Cause {
    match (failure, by_status(status)) {
        (Failure::ConnectFailed, _) => Cause::Unreachable,
        (_, Some(Cause::Temporary)) if writes => Cause::OutcomeUnknown,
        (_, Some(cause)) => cause,
        (_, None) => Cause::OutcomeUnknown,
    }
}

fn by_status(status: Option<u16>) -> Option<Cause> {
    match status? {
        429 => Some(Cause::Throttled),
        500..=599 => Some(Cause::Temporary),
        _ => None,
    }
}

/// Numbers that have one meaning wherever they stand, and codes that no words can turn around.
fn by_plain_number(error: &GraphError) -> Option<Cause> {
    let code = code_of(error);
    for number in [code, error.subcode, number_in(error.message.as_deref())].into_iter().flatten() {
        match number {
            1_752_041 => return Some(Cause::TakenByAnotherPartner),
            2_593_079 | 2_593_085 => return Some(Cause::OboConflict),
            2_446_079 => return Some(Cause::Throttled),
            _ => {}
        }
    }
    match code? {
        102 | 190 => Some(Cause::TokenInvalid),
        4 | 17 | 32 | 341 | 613 | 80_000..=80_009 | 80_014 | 130_429 => Some(Cause::Throttled),
        368 | 131_031 => Some(Cause::Blocked),
        _ => None,
    }
}

/// Refusals of the onboarding call that Meta documents as text, without a code (4.8).
fn by_onboarding_words(error: &GraphError) -> Option<Cause> {
    let says = |words| says_anywhere(error, &[words]);
    if says("invalid recipient type") {
        Some(Cause::InvalidRecipient)
    } else if says("already sent this request") {
        Some(Cause::AlreadyRequested)
    } else {
        None
    }
}

/// Codes general enough for words to be more exact than they are.
fn by_general_code(error: &GraphError) -> Option<Cause> {
    match (code_of(error)?, error.subcode) {
        (0, _) => Some(Cause::TokenInvalid),
        (3 | 10 | 200..=299 | 131_005, _) => Some(Cause::AccessDenied),
        (33 | 803, _) | (100, Some(33)) => Some(Cause::NotFoundOrNoAccess),
        (100, _) => Some(Cause::InvalidParameter),
        (1 | 2 | 131_000 | 131_016, _) if is_about_limits(error) => Some(Cause::Throttled),
        (1 | 2 | 131_000 | 131_016, _) => Some(Cause::Temporary),
        (506, _) => Some(Cause::DuplicatePost),
        _ => None,
    }
}

fn by_general_words(error: &GraphError) -> Option<Cause> {
    if says_anywhere(error, &["sufficient permission", "have permission to access"]) {
        Some(Cause::AccessDenied)
    } else if is_about_limits(error) {
        Some(Cause::Throttled)
    } else if says_anywhere(error, &["duplicate request"]) {
        Some(Cause::TakenByAnotherPartner)
    } else if says_anywhere(error, &["error validating access token", "invalid oauth access token"]) {
        Some(Cause::TokenInvalid)
    } else {
        None
    }
}

fn is_about_limits(error: &GraphError) -> bool {
    says_anywhere(error, &["request limit reached", "rate limit", "too many calls", "too many requests"])
}

fn says_anywhere(error: &GraphError, words: &[&str]) -> bool {
    [&error.message, &error.user_title, &error.user_message, &error.error_data]
        .into_iter()
        .any(|text| says(text.as_deref(), words))
}

/// Whether the text holds one of the words, whatever its case, apostrophes and line breaks.
fn says(text: Option<&str>, words: &[&str]) -> bool {
    text.is_some_and(|text| {
        let text = text.to_lowercase().replace(['\u{2018}', '\u{2019}', '\u{02BC}'], "'");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        words.iter().any(|words| text.contains(words))
    })
}

fn code_of(error: &GraphError) -> Option<i64> {
    error.code.or_else(|| number_in(error.message.as_deref()))
}

/// The number in a message's `(#123)` prefix.
fn number_in(message: Option<&str>) -> Option<i64> {
    let rest = message?.trim_start().strip_prefix("(#")?;
    rest.split_once(')')?.0.parse().ok()
}

/// What is wrong with a token: by subcode (6.10), or, without one, by the message.
pub(super) fn token_problem(error: &GraphError) -> TokenProblem {
    match error.subcode {
        Some(458) => TokenProblem::AppRemoved,
        Some(459) => TokenProblem::Checkpoint,
        Some(460) => TokenProblem::PasswordChanged,
        Some(463) => TokenProblem::Expired,
        Some(464) => TokenProblem::Unconfirmed,
        Some(467) => TokenProblem::Revoked,
        None if says(error.message.as_deref(), &["session has expired", "token has expired"]) => TokenProblem::Expired,
        None if says(error.message.as_deref(), &["changed the password", "changed their password"]) => {
            TokenProblem::PasswordChanged
        }
        _ => TokenProblem::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coded(code: i64) -> GraphError {
        GraphError { code: Some(code), ..GraphError::default() }
    }

    fn worded(message: &str) -> GraphError {
        GraphError { message: Some(message.into()), ..GraphError::default() }
    }

    #[test]
    fn every_code_of_the_error_table_has_its_cause() {
        let table: &[(Cause, &[i64])] = &[
            (Cause::TokenInvalid, &[0, 102, 190]),
            (Cause::Temporary, &[1, 2, 131_000, 131_016]),
            (Cause::AccessDenied, &[3, 10, 200, 203, 250, 299, 131_005]),
            (Cause::Throttled, &[4, 17, 32, 341, 613, 130_429]),
            (
                Cause::Throttled,
                &[80_000, 80_001, 80_002, 80_003, 80_004, 80_005, 80_006, 80_007, 80_008, 80_009, 80_014],
            ),
            (Cause::NotFoundOrNoAccess, &[33, 803]),
            (Cause::InvalidParameter, &[100]),
            (Cause::Blocked, &[368, 131_031]),
            (Cause::DuplicatePost, &[506]),
            (Cause::TakenByAnotherPartner, &[1_752_041]),
            (Cause::OboConflict, &[2_593_079, 2_593_085]),
            (
                Cause::Unrecognised,
                &[131_042, 131_055, 134_100, 134_101, 199, 300, 80_010, 80_013, 80_015, -1, i64::MAX],
            ),
        ];
        for (cause, codes) in table {
            for code in *codes {
                // Whatever the status: Graph's are not to be relied on.
                for status in [Some(400), Some(401), Some(403), Some(404), Some(200), None] {
                    assert_eq!(of_error(&coded(*code), status), *cause, "code {code}, HTTP {status:?}");
                }
            }
        }
        assert_eq!(of_error(&GraphError { subcode: Some(33), ..coded(100) }, Some(400)), Cause::NotFoundOrNoAccess);
        assert_eq!(of_error(&GraphError { subcode: Some(1996), ..coded(613) }, Some(400)), Cause::Throttled);
        assert_eq!(of_error(&coded(134_102), Some(500)), Cause::Temporary);
    }

    #[test]
    fn every_documented_refusal_is_known_by_its_text() {
        let permission = "The app does not have sufficient permissions to call this API.";
        let sent = "Your business has already sent this request. To follow up on the request, contact the business \
                    you're requesting access from.";
        for (text, cause) in [
            ("Invalid recipient type", Cause::InvalidRecipient),
            (sent, Cause::AlreadyRequested),
            ("(#1752041) Duplicate Request", Cause::TakenByAnotherPartner),
            ("Duplicate Request", Cause::TakenByAnotherPartner),
            (permission, Cause::AccessDenied),
            ("(#2593079) No", Cause::OboConflict),
            ("(#2593085) No", Cause::OboConflict),
            ("Application request limit reached", Cause::Throttled),
            ("(#130429) Rate limit hit", Cause::Throttled),
            ("User request limit reached", Cause::Throttled),
        ] {
            for text in [
                text.to_owned(),
                text.to_uppercase(),
                format!("  {}\n", text.replace(' ', "\n ").replace('\'', "\u{2019}")),
            ] {
                assert_eq!(of_error(&worded(&text), Some(400)), cause, "{text}");
            }
        }
    }

    #[test]
    fn refusals_known_by_text_are_found_in_every_text_and_under_general_codes() {
        for (text, cause) in [
            ("(#100) Invalid recipient type.", Cause::InvalidRecipient),
            ("your business has ALREADY sent this request", Cause::AlreadyRequested),
        ] {
            let text = || Some(text.to_owned());
            for code in [None, Some(0), Some(1), Some(2), Some(10), Some(100), Some(200), Some(506), Some(999_999)] {
                for error in [
                    GraphError { code, message: text(), ..GraphError::default() },
                    GraphError { code, user_title: text(), ..GraphError::default() },
                    GraphError { code, user_message: text(), ..GraphError::default() },
                    GraphError { code, error_data: text(), ..GraphError::default() },
                ] {
                    assert_eq!(of_error(&error, Some(400)), cause, "{error:?}");
                }
            }
            // A dead token and a limit stay what they are, whatever is said with them.
            assert_eq!(of_error(&GraphError { message: text(), ..coded(190) }, Some(400)), Cause::TokenInvalid);
            assert_eq!(of_error(&GraphError { message: text(), ..coded(4) }, Some(400)), Cause::Throttled);
        }
    }

    #[test]
    fn numbers_of_the_onboarding_call_count_as_subcodes_too() {
        for (subcode, cause) in [
            (1_752_041, Cause::TakenByAnotherPartner),
            (2_593_079, Cause::OboConflict),
            (2_593_085, Cause::OboConflict),
            (2_446_079, Cause::Throttled),
        ] {
            assert_eq!(of_error(&GraphError { subcode: Some(subcode), ..coded(100) }, Some(400)), cause);
        }
    }

    #[test]
    fn what_meta_calls_transient_is_tried_again_unless_the_code_is_definite() {
        for (code, cause) in [
            (999_999, Cause::Temporary),
            (100, Cause::Temporary),
            (200, Cause::Temporary),
            (803, Cause::Temporary),
            (4, Cause::Throttled),
            (190, Cause::TokenInvalid),
            (368, Cause::Blocked),
            (506, Cause::DuplicatePost),
            (1_752_041, Cause::TakenByAnotherPartner),
        ] {
            let error = GraphError { is_transient: Some(true), ..coded(code) };
            assert_eq!(of_error(&error, Some(400)), cause, "code {code}");
        }
    }

    #[test]
    fn the_status_decides_only_where_nothing_else_does() {
        assert_eq!(of_error(&coded(999_999), Some(429)), Cause::Throttled);
        assert_eq!(of_error(&coded(999_999), Some(503)), Cause::Temporary);
        assert_eq!(of_error(&coded(999_999), Some(401)), Cause::Unrecognised);
        assert_eq!(of_error(&coded(190), Some(429)), Cause::TokenInvalid);
        assert_eq!(of_error(&coded(1_752_041), Some(500)), Cause::TakenByAnotherPartner);
        assert_eq!(of_error(&coded(3), Some(500)), Cause::AccessDenied);
    }

    #[test]
    fn an_answer_that_is_not_graph_s_leaves_a_write_unknown() {
        let reads = |failure, status| of_failure(failure, status, false);
        let writes = |failure, status| of_failure(failure, status, true);
        assert_eq!(writes(Failure::ConnectFailed, None), Cause::Unreachable);
        for failure in [Failure::TimedOut, Failure::Reset, Failure::CutOff, Failure::Interrupted] {
            assert_eq!(writes(failure, None), Cause::OutcomeUnknown);
        }
        for failure in [Failure::Html, Failure::Empty, Failure::NotJson, Failure::UnexpectedShape, Failure::CutOff] {
            assert_eq!(writes(failure, Some(200)), Cause::OutcomeUnknown);
            assert_eq!(writes(failure, Some(502)), Cause::OutcomeUnknown);
            assert_eq!(reads(failure, Some(502)), Cause::Temporary);
            assert_eq!(reads(failure, Some(429)), Cause::Throttled);
            assert_eq!(writes(failure, Some(429)), Cause::Throttled);
        }
    }

    #[test]
    fn every_subcode_of_a_dead_token_has_its_problem() {
        for (subcode, problem) in [
            (458, TokenProblem::AppRemoved),
            (459, TokenProblem::Checkpoint),
            (460, TokenProblem::PasswordChanged),
            (463, TokenProblem::Expired),
            (464, TokenProblem::Unconfirmed),
            (467, TokenProblem::Revoked),
            (492, TokenProblem::Other),
            (1, TokenProblem::Other),
        ] {
            let error = GraphError { subcode: Some(subcode), ..coded(190) };
            assert_eq!(token_problem(&error), problem, "subcode {subcode}");
            assert_eq!(of_error(&error, Some(401)), Cause::TokenInvalid);
        }
        let words = "Error validating access token: Session has expired on Thursday, 29-Jul-21 10:00:00 PDT.";
        assert_eq!(token_problem(&worded(words)), TokenProblem::Expired);
        assert_eq!(of_error(&worded(words), None), Cause::TokenInvalid);
        assert_eq!(token_problem(&coded(190)), TokenProblem::Other);
    }
}
