//! What an error of Graph's means in plain words, and what to do next: by its number where it has one, else by what it was found to be.
//!
//! A request's page explains where the request stands; this explains a single answer, whichever call got it.

use crate::graph::Cause;

use super::{cause_words, token_words};

/// One answer in plain words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// In a few words, with a capital.
    pub title: &'static str,
    /// What it means, in sentences.
    pub words: String,
    /// What to do next, in sentences.
    pub next: &'static str,
}

const WAIT: &str = "Send nothing until the limit is regained: more calls make it longer. Sending goes on by itself.";
const SIGN_IN: &str = "Sign in again, or have an admin replace the system user’s token. Then retry.";
const FACEBOOK_FIRST: &str =
    "Whose token it is first opens facebook.com and does what it asks there, then signs in again.";
const ACCESS: &str =
    "An admin assigns the client’s WABAs to the system user, and checks the app’s permissions and advanced access.";
const CHECK_ID: &str = "Check that the ID is that of the business portfolio, not of a WABA, and that the client still shares a WABA with you.";
const RETRY: &str = "Retry in a while. If it comes back, write to Meta Direct Support with the trace ID.";
const SUPPORT: &str = "Write to Meta Direct Support with the trace ID: only Meta can clear this.";
const NOTHING: &str = "There is nothing to do.";
const NOT_OURS: &str = "It belongs to sending messages, not to onboarding: tell whoever sends them.";

/// Explains an answer that was found to be `cause`.
pub fn meaning(cause: Cause, code: Option<i64>, subcode: Option<i64>) -> Meaning {
    let title = cause_words(cause);
    // Words may have said more than the number beside them.
    let by_number = if matches!(cause, Cause::InvalidRecipient | Cause::AlreadyRequested) {
        None
    } else {
        of_number(code, subcode).filter(|_| fits(cause, code))
    };
    let (words, next) = by_number.unwrap_or_else(|| of_cause(cause, subcode));
    Meaning { title, words, next }
}

/// Numbers that Meta uses for two things are explained by the cause when that was found another way.
fn fits(cause: Cause, code: Option<i64>) -> bool {
    match code {
        Some(1 | 2 | 131_000 | 131_016) => cause == Cause::Temporary,
        Some(3 | 10 | 200..=299) => cause == Cause::AccessDenied,
        Some(100) => matches!(cause, Cause::InvalidParameter | Cause::NotFoundOrNoAccess),
        Some(33 | 803) => cause == Cause::NotFoundOrNoAccess,
        _ => true,
    }
}

fn of_number(code: Option<i64>, subcode: Option<i64>) -> Option<(String, &'static str)> {
    for number in [code, subcode].into_iter().flatten() {
        let found = match number {
            1_752_041 => (
                "The client was invited already, by some partner. Meta takes one request for each business, and all its \
                 eligible WABAs onboard with it.",
                NOTHING,
            ),
            2_593_079 => (
                "A WABA that you own on behalf of the client (OBO) is already marked to move to another solution.",
                SUPPORT,
            ),
            2_593_085 => (
                "A WABA can’t move from OBO: it is the client’s own already, or the client has not accepted the OBO request.",
                SUPPORT,
            ),
            2_446_079 => ("The app’s limit of calls is used up. Everybody who uses the app shares it.", WAIT),
            _ => continue,
        };
        return Some((found.0.to_owned(), found.1));
    }
    let (words, next) = match (code?, subcode) {
        (0, _) => ("Meta could not tell who calls: the token is missing, wrong, or not good any more.", SIGN_IN),
        (1, _) => ("Something unknown went wrong at Meta. It may pass.", RETRY),
        (2, _) => (
            "A service at Meta was down for the moment.",
            "Retry in a while. Outages are told at metastatus.com/whatsapp-business-api.",
        ),
        (3, _) => ("The app lacks the capability or the permission for this call.", ACCESS),
        (4, _) => ("The app’s limit of calls is used up. Everybody who uses the app shares it.", WAIT),
        (10, _) => ("The permission for this call was not given, or was taken back.", ACCESS),
        (17, _) => ("The limit of calls for one user is used up.", WAIT),
        (32, _) => ("The limit of calls for one page is used up.", WAIT),
        (33, _) | (100, Some(33)) => {
            ("Meta finds nothing with this ID, or may not show it: Meta does not tell which.", CHECK_ID)
        }
        (100, _) => (
            "Meta refused one of the values that were sent.",
            "Read Meta’s own words for the value. If it is not clear, write to Meta Direct Support with the trace ID.",
        ),
        (102, _) => ("The session behind the token is over.", SIGN_IN),
        (190, Some(459 | 464)) => return Some((token(subcode), FACEBOOK_FIRST)),
        (190, _) => return Some((token(subcode), SIGN_IN)),
        (200..=299, _) => ("The app, or whose token it is, has no permission for this business or this call.", ACCESS),
        (341, _) => ("Meta limits the app for a time.", WAIT),
        (368, _) => (
            "Meta has blocked this for a time, over one of its policies.",
            "See Account quality in Meta Business Suite. Retry when the block is over, usually after hours.",
        ),
        (506, _) => ("The same thing was sent twice in a row.", NOTHING),
        (613, Some(1_996)) => ("Meta saw calls come more unevenly than it allows, and limits them.", WAIT),
        (613, _) => ("A limit of calls that Meta set for this app is used up.", WAIT),
        (803, _) => ("Meta finds no business with this ID.", CHECK_ID),
        (80_000, _) => ("The limit of calls for ads insights is used up.", WAIT),
        (80_001, _) => ("The limit of calls for pages is used up.", WAIT),
        (80_002, _) => ("The limit of calls for Instagram is used up.", WAIT),
        (80_003, _) => ("The limit of calls for custom audiences is used up.", WAIT),
        (80_004, _) => ("The limit of calls for ads management is used up.", WAIT),
        (80_005, _) => ("The limit of calls for lead generation is used up.", WAIT),
        (80_006, _) => ("The limit of calls for Messenger is used up.", WAIT),
        (80_007, _) => ("The limit of calls for this WABA is used up.", WAIT),
        (80_008, _) => ("The limit of calls for WhatsApp Business Management is used up.", WAIT),
        (80_009, _) => ("The limit of calls for catalogs is used up.", WAIT),
        (80_014, _) => ("The limit of calls for batches of catalog changes is used up.", WAIT),
        (130_429, _) => ("More messages were sent at once than Cloud API takes.", NOT_OURS),
        (131_000, _) => ("Something went wrong within WhatsApp.", RETRY),
        (131_005, _) => ("WhatsApp denies access: a permission is missing, or was taken back.", ACCESS),
        (131_016, _) => ("A service of WhatsApp’s was not there for the moment.", RETRY),
        (131_031, _) => (
            "Meta has locked the account over one of its policies, or could not check it.",
            "See Account quality in Meta Business Suite, and clear what Meta names there.",
        ),
        (131_042, _) => (
            "There is a problem with the client’s way of paying.",
            "The client checks the payment method of the WABA in WhatsApp Manager. Then retry.",
        ),
        (131_055, _) => ("A marketing message could not be sent in this way.", NOT_OURS),
        (134_100, _) => ("Only marketing messages can be sent by the Marketing Messages API.", NOT_OURS),
        (134_101, _) => {
            ("The template is being set up for marketing messages, which takes about ten minutes.", NOT_OURS)
        }
        (134_102, _) => ("The template can’t be used for marketing messages at the moment.", NOT_OURS),
        _ => return None,
    };
    Some((words.to_owned(), next))
}

fn token(subcode: Option<i64>) -> String {
    format!("Meta says the token {}.", token_words(subcode))
}

fn of_cause(cause: Cause, subcode: Option<i64>) -> (String, &'static str) {
    let (words, next) = match cause {
        Cause::TokenInvalid => return (token(subcode), SIGN_IN),
        Cause::AccessDenied => {
            ("The app may not make this call, most likely for lack of advanced access to a permission.", ACCESS)
        }
        Cause::NotFoundOrNoAccess => {
            ("Meta finds nothing with this ID, or may not show it: Meta does not tell which.", CHECK_ID)
        }
        Cause::InvalidParameter => (
            "Meta refused one of the values that were sent.",
            "Read Meta’s own words for the value. If it is not clear, write to Meta Direct Support with the trace ID.",
        ),
        Cause::Throttled => ("A limit of calls is used up.", WAIT),
        Cause::Temporary => ("There was a fault at Meta that passes.", RETRY),
        Cause::OutcomeUnknown => (
            "No usable answer came, so Meta may have done it or not.",
            "Liteboard asks Meta for the status before any second try. Look at the story of the request.",
        ),
        Cause::Unreachable => ("Meta could not be reached. Nothing was sent.", RETRY),
        Cause::AlreadyRequested => (
            "You have asked this client already, and Meta kept that request.",
            "Follow up with an admin of the client: the request waits for them.",
        ),
        Cause::TakenByAnotherPartner => (
            "The client was invited already, by some partner. Meta takes one request for each business, and all its eligible \
             WABAs onboard with it.",
            NOTHING,
        ),
        Cause::InvalidRecipient => (
            "No WABA could be onboarded: the terms are signed already, or the country is not allowed, or no eligible WABA is \
             shared with you.",
            "Look at the WABAs of the business. If the terms are signed, there is nothing to do.",
        ),
        Cause::Blocked => (
            "Meta has blocked this for a time, over one of its policies.",
            "See Account quality in Meta Business Suite. Retry when the block is over, usually after hours.",
        ),
        Cause::OboConflict => ("A WABA that you own on behalf of the client (OBO) stands in the way.", SUPPORT),
        Cause::DuplicatePost => ("The same thing was sent twice in a row.", NOTHING),
        Cause::Unrecognised => (
            "We do not know this error. All that is known of it is what Meta says in its own words.",
            "Write to Meta Direct Support with the trace ID.",
        ),
        Cause::BusinessLeft => (
            "The business stopped sharing its WABAs with you before it could be asked.",
            "Ask the client to share a WABA with you again. Then retry.",
        ),
        Cause::SolutionUnusable => {
            ("The solution was deactivated, or Meta lists it no longer.", "Ask again with another solution, or none.")
        }
        Cause::OwnTrouble => ("Our database or the store of tokens could not be used. Nothing was sent.", NOTHING),
    };
    (words.to_owned(), next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{GraphError, cause_of};

    fn explained(error: &GraphError, status: u16) -> (Cause, Meaning) {
        let cause = cause_of(Some(error), None, Some(status), true).unwrap();
        (cause, meaning(cause, error.code, error.subcode))
    }

    fn coded(code: i64, subcode: Option<i64>) -> GraphError {
        GraphError { code: Some(code), subcode, ..GraphError::default() }
    }

    type Row = (i64, Option<i64>, u16, Cause, &'static str, &'static str);

    /// The table of errors (7.1) with the subcodes of a dead token (6.10): code, subcode, HTTP status, cause, words, next.
    const CODES: &[Row] = &[
        (0, None, 401, Cause::TokenInvalid, "who calls", "Sign in again"),
        (1, None, 400, Cause::Temporary, "unknown", "Retry in a while"),
        (2, None, 503, Cause::Temporary, "down", "metastatus.com"),
        (3, None, 500, Cause::AccessDenied, "capability", "advanced access"),
        (4, Some(2_446_079), 400, Cause::Throttled, "app’s limit", "Send nothing"),
        (4, None, 429, Cause::Throttled, "app’s limit", "Send nothing"),
        (10, None, 403, Cause::AccessDenied, "taken back", "permissions"),
        (17, None, 400, Cause::Throttled, "one user", "Send nothing"),
        (32, None, 400, Cause::Throttled, "one page", "Send nothing"),
        (613, None, 400, Cause::Throttled, "set for this app", "Send nothing"),
        (613, Some(1_996), 400, Cause::Throttled, "unevenly", "Send nothing"),
        (33, None, 400, Cause::NotFoundOrNoAccess, "does not tell which", "not of a WABA"),
        (100, Some(33), 400, Cause::NotFoundOrNoAccess, "does not tell which", "not of a WABA"),
        (100, None, 400, Cause::InvalidParameter, "one of the values", "Meta’s own words"),
        (102, None, 401, Cause::TokenInvalid, "session", "Sign in again"),
        (190, None, 401, Cause::TokenInvalid, "not valid any more", "Sign in again"),
        (190, Some(458), 401, Cause::TokenInvalid, "removed the app", "Sign in again"),
        (190, Some(459), 401, Cause::TokenInvalid, "locked", "facebook.com"),
        (190, Some(460), 401, Cause::TokenInvalid, "changed password", "Sign in again"),
        (190, Some(463), 401, Cause::TokenInvalid, "expired", "Sign in again"),
        (190, Some(464), 401, Cause::TokenInvalid, "not confirmed", "facebook.com"),
        (190, Some(467), 401, Cause::TokenInvalid, "revoked", "Sign in again"),
        (190, Some(492), 401, Cause::TokenInvalid, "lost their role", "Sign in again"),
        (200, Some(1_349_174), 403, Cause::AccessDenied, "no permission", "assigns"),
        (250, None, 403, Cause::AccessDenied, "no permission", "assigns"),
        (299, None, 403, Cause::AccessDenied, "no permission", "assigns"),
        (341, None, 400, Cause::Throttled, "for a time", "Send nothing"),
        (368, None, 403, Cause::Blocked, "policies", "Account quality"),
        (506, None, 400, Cause::DuplicatePost, "twice", "nothing to do"),
        (803, None, 404, Cause::NotFoundOrNoAccess, "no business", "not of a WABA"),
        (80_000, None, 400, Cause::Throttled, "ads insights", "Send nothing"),
        (80_001, None, 400, Cause::Throttled, "pages", "Send nothing"),
        (80_002, None, 400, Cause::Throttled, "Instagram", "Send nothing"),
        (80_003, None, 400, Cause::Throttled, "custom audiences", "Send nothing"),
        (80_004, None, 400, Cause::Throttled, "ads management", "Send nothing"),
        (80_005, None, 400, Cause::Throttled, "lead generation", "Send nothing"),
        (80_006, None, 400, Cause::Throttled, "Messenger", "Send nothing"),
        (80_007, None, 400, Cause::Throttled, "this WABA", "Send nothing"),
        (80_008, None, 400, Cause::Throttled, "WhatsApp Business Management", "Send nothing"),
        (80_009, None, 400, Cause::Throttled, "catalogs", "Send nothing"),
        (80_014, None, 400, Cause::Throttled, "catalog changes", "Send nothing"),
        (130_429, None, 400, Cause::Throttled, "messages", "not to onboarding"),
        (131_000, None, 500, Cause::Temporary, "within WhatsApp", "Retry"),
        (131_016, None, 500, Cause::Temporary, "service of WhatsApp", "Retry"),
        (131_005, None, 403, Cause::AccessDenied, "denies access", "permissions"),
        (131_031, None, 403, Cause::Blocked, "locked", "Account quality"),
        (131_042, None, 400, Cause::Unrecognised, "paying", "payment method"),
        (131_055, None, 400, Cause::Unrecognised, "marketing message", "not to onboarding"),
        (134_100, None, 400, Cause::Unrecognised, "Only marketing messages", "not to onboarding"),
        (134_101, None, 400, Cause::Unrecognised, "ten minutes", "not to onboarding"),
        (134_102, None, 500, Cause::Temporary, "template", "not to onboarding"),
        (1_752_041, None, 400, Cause::TakenByAnotherPartner, "one request for each business", "nothing to do"),
        (2_593_079, None, 400, Cause::OboConflict, "another solution", "Direct Support"),
        (2_593_085, None, 400, Cause::OboConflict, "has not accepted", "Direct Support"),
    ];

    #[test]
    fn every_code_of_metas_table_has_its_meaning_and_its_next_step() {
        for (code, subcode, status, cause, words, next) in CODES {
            let (found, meaning) = explained(&coded(*code, *subcode), *status);
            assert_eq!(found, *cause, "{code} / {subcode:?}");
            assert!(meaning.words.contains(words), "{code} / {subcode:?}: {}", meaning.words);
            assert!(meaning.next.contains(next), "{code} / {subcode:?}: {}", meaning.next);
        }
    }

    #[test]
    fn every_documented_text_of_the_onboarding_call_has_its_meaning() {
        for (text, cause, words, next) in [
            ("Invalid recipient type", Cause::InvalidRecipient, "terms are signed already", "WABAs of the business"),
            (
                "Your business has already sent this request. To follow up on the request, contact the business you're \
                 requesting access from.",
                Cause::AlreadyRequested,
                "Meta kept that request",
                "Follow up",
            ),
            ("(#1752041) Duplicate Request", Cause::TakenByAnotherPartner, "some partner", "nothing to do"),
            (
                "The app does not have sufficient permissions to call this API.",
                Cause::AccessDenied,
                "advanced access",
                "advanced access",
            ),
            (
                "Error validating access token: Session has expired on Thursday, 29-Jul-21 10:00:00 PDT.",
                Cause::TokenInvalid,
                "not valid any more",
                "Sign in again",
            ),
        ] {
            // Some come under a general code, some under none.
            for code in [None, Some(100)] {
                let error = GraphError { code, message: Some(text.to_owned()), ..GraphError::default() };
                let (found, meaning) = explained(&error, 400);
                if code == Some(100)
                    && matches!(cause, Cause::AccessDenied | Cause::TokenInvalid | Cause::TakenByAnotherPartner)
                {
                    continue;
                }
                assert_eq!(found, cause, "{text}");
                assert!(meaning.words.contains(words), "{text}: {}", meaning.words);
                assert!(meaning.next.contains(next), "{text}: {}", meaning.next);
            }
        }
    }

    #[test]
    fn every_cause_has_a_meaning_without_a_number_and_all_keep_the_tone() {
        let by_cause = Cause::ALL.iter().map(|cause| meaning(*cause, None, None));
        let by_code = CODES.iter().map(|(code, subcode, status, ..)| explained(&coded(*code, *subcode), *status).1);
        for Meaning { title, words, next } in by_cause.chain(by_code) {
            for text in [words.as_str(), next] {
                assert!(text.ends_with('.') && text.starts_with(char::is_uppercase), "{title}: {text}");
                for banned in ["please", "oops", "!", "  ", "\u{2014}"] {
                    assert!(!text.to_lowercase().contains(banned), "{banned:?} in {text}");
                }
            }
        }
    }

    #[test]
    fn words_that_say_more_than_the_number_are_what_is_explained() {
        let refused = GraphError { message: Some("(#100) Invalid recipient type".into()), ..coded(100, None) };
        assert!(explained(&refused, 400).1.words.contains("terms are signed"));
        let limited = GraphError { message: Some("Application request limit reached".into()), ..coded(2, None) };
        assert!(explained(&limited, 500).1.words.contains("limit"));
        let passing = GraphError { is_transient: Some(true), ..coded(200, None) };
        assert!(explained(&passing, 500).1.words.contains("passes"));
    }
}
