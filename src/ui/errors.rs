//! The one error a server function may answer with: what it says to a person, and what it says to HTTP.
//!
//! A room turns its own error into an [`AppError`] in `api.rs`, and logs the cause under the reference at that moment.
//! Nothing technical is in here: no message of Meta's, no token, no SQL. What Meta said about one request is shown on
//! that request's page, from the record of the call.

use std::fmt;

use leptos::{
    prelude::{FromServerFnError, ServerFnErrorErr},
    server_fn::codec::JsonEncoding,
};
use serde::{Deserialize, Serialize};

/// Why an answer is not the one that was asked for.
///
/// `reference` is a number made by [`reference`], also written to the log; empty where none could be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppError {
    /// No session, or it has ended.
    NotSignedIn,
    /// Meta no longer accepts the member's token: sign in again.
    TokenProblem,
    /// Signed in, but the role does not allow this.
    Forbidden,
    /// There is no such thing, or it belongs to another partner; the two are never told apart.
    NotFound,
    /// Something typed or chosen can't be used.
    Invalid {
        /// The form field's name, or empty when it is about the whole form.
        field: String,
        /// A whole sentence that says what is wrong and what to do.
        message: String,
    },
    /// A part we depend on is away; the same call works later.
    Unavailable {
        /// To be given to support.
        reference: String,
    },
    /// It was broken off so that others aren't held up; the same call may work later.
    TookTooLong {
        /// To be given to support.
        reference: String,
    },
    /// A fault of ours.
    Unexpected {
        /// To be given to support.
        reference: String,
    },
    /// More in a short time than one asker may ask for; nothing was done.
    TooMany,
    /// The browser could not reach the server at all. Only ever made in the browser.
    Unreachable,
    /// The page was made by another version of this program, and its form no longer fits.
    OutOfDate,
}

impl AppError {
    /// What happened, as a heading.
    pub const fn title(&self) -> &'static str {
        match self {
            Self::NotSignedIn => "You are not signed in",
            Self::TokenProblem => "The token no longer works",
            Self::Forbidden => "Your role does not allow this",
            Self::NotFound => "Not found",
            Self::Invalid { .. } => "Check what you entered",
            Self::Unavailable { .. } => "This does not work right now",
            Self::TookTooLong { .. } => "This takes too long right now",
            Self::Unexpected { .. } => "This could not be done",
            Self::TooMany => "That was too much in a short time",
            Self::Unreachable => "We cannot reach the server",
            Self::OutOfDate => "This page is out of date",
        }
    }

    /// What it means, and that nothing was lost.
    pub fn text(&self) -> &str {
        match self {
            Self::NotSignedIn => "Your session has ended, or you have not signed in yet. Nothing was lost.",
            Self::TokenProblem => {
                "Meta no longer accepts the access you gave. Nothing can be sent until you sign in again. Nothing was lost."
            }
            Self::Forbidden => "Only some roles may do this. Nothing was changed.",
            Self::NotFound => "This page does not exist, or is not yours to see.",
            Self::Invalid { message, .. } => message,
            Self::Unavailable { .. } => {
                "A part we need does not answer. The fault is not yours. Nothing was lost: requests that were under way go on by themselves."
            }
            Self::TookTooLong { .. } => {
                "Liteboard stopped after a while, so that nobody else is held up. Nothing was changed, and nothing was lost."
            }
            Self::Unexpected { .. } => {
                "The fault is ours, not yours and not Meta’s. Nothing was lost: requests that were under way are going on."
            }
            Self::TooMany => "You asked for more at once than Liteboard takes from one person. Nothing was done.",
            Self::Unreachable => "The connection is gone, or the server is away. What you sent before is safe.",
            Self::OutOfDate => "Liteboard has changed since you opened this page. Nothing was sent.",
        }
    }

    /// [`AppError::text`], owned.
    pub fn into_text(self) -> String {
        match self {
            Self::Invalid { message, .. } => message,
            other => other.text().to_owned(),
        }
    }

    /// What to do, in a sentence.
    pub const fn next_step(&self) -> &'static str {
        match self {
            Self::NotSignedIn => "Sign in to go on.",
            Self::TokenProblem => "Sign in with Facebook again. You come back to this page.",
            Self::Forbidden => "Ask an admin of your workspace to do it, or to change your role.",
            Self::NotFound => "Check the address, or look the ID up.",
            Self::Invalid { .. } => "Change it and send again.",
            Self::Unavailable { .. } => "Try again in a minute.",
            Self::TookTooLong { .. } => {
                "Try again in a minute, or ask for less at once. If it comes back, give the reference to your support team."
            }
            Self::Unexpected { .. } => {
                "Try again. If it comes back, give the reference to your support team. They can look it up."
            }
            Self::TooMany => "Wait a few seconds, then try again.",
            Self::Unreachable => "Check your connection, then try again.",
            Self::OutOfDate => "Reload the page, then try again.",
        }
    }

    /// The number to give to support, where there is one.
    pub fn reference(&self) -> Option<&str> {
        match self {
            Self::Unavailable { reference } | Self::TookTooLong { reference } | Self::Unexpected { reference }
                if !reference.is_empty() =>
            {
                Some(reference)
            }
            _ => None,
        }
    }

    /// Whether signing in is what helps.
    pub const fn needs_sign_in(&self) -> bool {
        matches!(self, Self::NotSignedIn | Self::TokenProblem)
    }

    /// The HTTP status of a page or an answer with this error.
    #[cfg(feature = "ssr")]
    pub const fn status(&self) -> u16 {
        match self {
            Self::NotSignedIn | Self::TokenProblem => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::OutOfDate => 409,
            Self::Invalid { .. } => 422,
            Self::TooMany => 429,
            Self::Unexpected { .. } => 500,
            Self::Unavailable { .. } | Self::TookTooLong { .. } | Self::Unreachable => 503,
        }
    }
}

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.title(), self.text())?;
        match self.reference() {
            Some(reference) => write!(f, " (reference {reference})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for AppError {}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    /// The framework's own texts name types and functions, so none of them is shown.
    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Request(_) => Self::Unreachable,
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => Self::OutOfDate,
            ServerFnErrorErr::Registration(_)
            | ServerFnErrorErr::UnsupportedRequestMethod(_)
            | ServerFnErrorErr::ServerError(_)
            | ServerFnErrorErr::MiddlewareError(_)
            | ServerFnErrorErr::Deserialization(_)
            | ServerFnErrorErr::Serialization(_)
            | ServerFnErrorErr::Response(_) => Self::Unexpected { reference: String::new() },
        }
    }
}

/// A reference number a person can read out: `E7F3-92QD-K4`, from fifty random bits (the upper fourteen are not used).
///
/// Crockford's alphabet: no I, L, O or U.
pub fn reference(random: u64) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut text = String::with_capacity(12);
    for place in 0..10_u32 {
        if place == 4 || place == 8 {
            text.push('-');
        }
        let index = usize::try_from((random >> (5 * place)) & 31).unwrap_or_default();
        text.push(char::from(ALPHABET[index]));
    }
    text
}

#[cfg(test)]
mod tests {
    use leptos::prelude::{FromServerFnError, ServerFnErrorErr};

    use super::{AppError, reference};

    fn all() -> Vec<AppError> {
        vec![
            AppError::NotSignedIn,
            AppError::TokenProblem,
            AppError::Forbidden,
            AppError::NotFound,
            AppError::Invalid { field: "solution_id".into(), message: "This solution is gone. Choose another.".into() },
            AppError::Unavailable { reference: reference(7) },
            AppError::TookTooLong { reference: reference(8) },
            AppError::Unexpected { reference: reference(u64::MAX) },
            AppError::TooMany,
            AppError::Unreachable,
            AppError::OutOfDate,
        ]
    }

    #[test]
    fn every_error_survives_the_way_to_the_browser() {
        for error in all() {
            assert_eq!(AppError::de(error.ser()), error);
        }
    }

    #[test]
    fn every_error_says_what_happened_and_what_to_do() {
        for error in all() {
            assert!(!error.title().ends_with('.'), "{error}");
            assert!(error.text().ends_with('.'), "{error}");
            assert!(error.next_step().ends_with('.'), "{error}");
            for banned in ["please", "oops", "!"] {
                assert!(!error.to_string().to_lowercase().contains(banned), "{error}");
            }
        }
    }

    #[test]
    fn an_answer_that_is_not_ours_never_shows_its_text() {
        let error = AppError::de("<html>502 upstream token=abc</html>".into());
        assert_eq!(error, AppError::Unexpected { reference: String::new() });
        assert_eq!(error.reference(), None);
        let error = AppError::from_server_fn_error(ServerFnErrorErr::MissingArg("solution_id".into()));
        assert_eq!(error, AppError::OutOfDate);
    }

    #[test]
    fn a_reference_can_be_read_out() {
        assert_eq!(reference(0), "0000-0000-00");
        assert_eq!(reference(u64::MAX), "ZZZZ-ZZZZ-ZZ");
        assert_ne!(reference(1), reference(1 << 49));
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn only_our_own_faults_are_server_errors() {
        for error in all() {
            let ours = matches!(
                error,
                AppError::Unavailable { .. }
                    | AppError::TookTooLong { .. }
                    | AppError::Unexpected { .. }
                    | AppError::Unreachable
            );
            assert_eq!(error.status() >= 500, ours, "{error}");
        }
    }
}
