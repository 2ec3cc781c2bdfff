//! The terms in which decisions about an error are made, and what to do about each. `classify.rs` finds them.

use std::{fmt, str::FromStr};

use time::OffsetDateTime;

/// Why a call failed, or was not made, in the terms decisions are made in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The token isn't good any more; [`TokenProblem`] says why.
    TokenInvalid,
    /// App, token or person lack a permission or advanced access.
    AccessDenied,
    /// The id names nothing, or nothing this token may see: Graph doesn't tell which.
    NotFoundOrNoAccess,
    /// Graph refuses a parameter.
    InvalidParameter,
    /// A limit is reached.
    Throttled,
    /// Trouble at Meta that passes.
    Temporary,
    /// The call left, but no usable answer came: Meta may have done it.
    OutcomeUnknown,
    /// The call never left.
    Unreachable,
    /// This partner's request to this business is already pending (1.6).
    AlreadyRequested,
    /// Some partner invited this business first; only one request counts for each business (1.6).
    TakenByAnotherPartner,
    /// The business signed the terms already, or is in a country that isn't served, or shares no eligible WABA (4.8).
    InvalidRecipient,
    /// Meta has blocked or locked the caller over its policies.
    Blocked,
    /// An on-behalf-of WABA can't move as asked (4.8).
    OboConflict,
    /// The same thing was sent twice.
    DuplicatePost,
    /// An error this client doesn't know. Meta's own words are all there is.
    Unrecognised,
    /// No call was made: the business shares nothing with the partner any more.
    BusinessLeft,
    /// No call was made: the solution is gone, or can't be used any more.
    SolutionUnusable,
    /// No call was made: the caller lacked something of its own that it takes.
    OwnTrouble,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 18] = [
        Self::TokenInvalid,
        Self::AccessDenied,
        Self::NotFoundOrNoAccess,
        Self::InvalidParameter,
        Self::Throttled,
        Self::Temporary,
        Self::OutcomeUnknown,
        Self::Unreachable,
        Self::AlreadyRequested,
        Self::TakenByAnotherPartner,
        Self::InvalidRecipient,
        Self::Blocked,
        Self::OboConflict,
        Self::DuplicatePost,
        Self::Unrecognised,
        Self::BusinessLeft,
        Self::SolutionUnusable,
        Self::OwnTrouble,
    ];

    /// A stable name, fit for storing; [`Cause::from_str`] reads it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TokenInvalid => "token_invalid",
            Self::AccessDenied => "access_denied",
            Self::NotFoundOrNoAccess => "not_found_or_no_access",
            Self::InvalidParameter => "invalid_parameter",
            Self::Throttled => "throttled",
            Self::Temporary => "temporary",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::Unreachable => "unreachable",
            Self::AlreadyRequested => "already_requested",
            Self::TakenByAnotherPartner => "taken_by_another_partner",
            Self::InvalidRecipient => "invalid_recipient",
            Self::Blocked => "blocked",
            Self::OboConflict => "obo_conflict",
            Self::DuplicatePost => "duplicate_post",
            Self::Unrecognised => "unrecognised",
            Self::BusinessLeft => "business_left",
            Self::SolutionUnusable => "solution_unusable",
            Self::OwnTrouble => "own_trouble",
        }
    }

    /// What to do about it. `regain_at` is when Meta lets calls through again, if it said so.
    pub fn advice(self, regain_at: Option<OffsetDateTime>) -> Advice {
        match self {
            Self::TokenInvalid => Advice::SignInAgain,
            Self::AccessDenied | Self::NotFoundOrNoAccess => Advice::FixAccess,
            Self::Throttled => Advice::Wait { until: regain_at },
            Self::Temporary | Self::OutcomeUnknown | Self::Unreachable | Self::OwnTrouble => Advice::Retry,
            Self::InvalidParameter
            | Self::AlreadyRequested
            | Self::TakenByAnotherPartner
            | Self::InvalidRecipient
            | Self::Blocked
            | Self::OboConflict
            | Self::DuplicatePost
            | Self::Unrecognised
            | Self::BusinessLeft
            | Self::SolutionUnusable => Advice::Stop,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Cause {
    type Err = UnknownCause;

    fn from_str(text: &str) -> Result<Self, UnknownCause> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == text).ok_or(UnknownCause)
    }
}

/// The text isn't the name of a [`Cause`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("This is not the name of a cause.")]
pub struct UnknownCause;

/// What to do after an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Try again, a little later each time. An unknown outcome of a write is settled by a read first.
    Retry,
    /// Send nothing until then; without a time, for as long as the sender thinks fit. More calls lengthen the block (7.8).
    Wait {
        /// When Meta lets calls through again.
        until: Option<OffsetDateTime>,
    },
    /// The person must sign in again.
    SignInAgain,
    /// Somebody must give the app, the token or the person access.
    FixAccess,
    /// Trying again won't help.
    Stop,
}

/// What is wrong with a token (6.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenProblem {
    /// Its time is over.
    Expired,
    /// The person changed the password since.
    PasswordChanged,
    /// The person must log in at facebook.com first: Meta holds the account.
    Checkpoint,
    /// The person must confirm the account at facebook.com first.
    Unconfirmed,
    /// It was revoked, or the person logged out.
    Revoked,
    /// The person removed the app.
    AppRemoved,
    /// Meta didn't say.
    Other,
}

impl TokenProblem {
    /// A stable name, fit for storing.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::PasswordChanged => "password_changed",
            Self::Checkpoint => "checkpoint",
            Self::Unconfirmed => "unconfirmed",
            Self::Revoked => "revoked",
            Self::AppRemoved => "app_removed",
            Self::Other => "other",
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_cause_is_found_again_by_its_stored_name() {
        for cause in Cause::ALL {
            assert_eq!(cause.to_string().parse(), Ok(cause));
        }
        assert_eq!("Throttled".parse::<Cause>(), Err(UnknownCause));
    }

    #[test]
    fn each_cause_has_one_advice() {
        let until = Some(datetime!(2026-11-22 10:19 UTC));
        for cause in Cause::ALL {
            let expected = match cause.as_str() {
                "token_invalid" => Advice::SignInAgain,
                "access_denied" | "not_found_or_no_access" => Advice::FixAccess,
                "throttled" => Advice::Wait { until },
                "temporary" | "outcome_unknown" | "unreachable" | "own_trouble" => Advice::Retry,
                _ => Advice::Stop,
            };
            assert_eq!(cause.advice(until), expected, "{cause}");
        }
        assert_eq!(Cause::Throttled.advice(None), Advice::Wait { until: None });
    }
}
