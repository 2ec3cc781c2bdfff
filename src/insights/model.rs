//! What the page is made of.

use std::ops::{Add, AddAssign};

use time::{Date, OffsetDateTime};

use crate::graph::Cause;

/// What became of some requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub asked: u64,
    /// Taken by Meta, or further.
    pub requested: u64,
    /// Signed, or further.
    pub accepted: u64,
    pub ready: u64,
    pub failed: u64,
    pub taken: u64,
    pub cancelled: u64,
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            asked: self.asked + other.asked,
            requested: self.requested + other.requested,
            accepted: self.accepted + other.accepted,
            ready: self.ready + other.ready,
            failed: self.failed + other.failed,
            taken: self.taken + other.taken,
            cancelled: self.cancelled + other.cancelled,
        }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// What a funnel is broken down by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    #[default]
    Nothing,
    Week,
    Solution,
    Manager,
}

impl By {
    pub const ALL: [Self; 4] = [Self::Nothing, Self::Week, Self::Solution, Self::Manager];

    /// Its value in the address; empty for nothing.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Week => "week",
            Self::Solution => "solution",
            Self::Manager => "manager",
        }
    }

    pub const fn word(self) -> &'static str {
        match self {
            Self::Nothing => "All",
            Self::Week => "Week",
            Self::Solution => "Solution",
            Self::Manager => "Requester",
        }
    }
}

/// One part of a funnel that is broken down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub name: String,
    pub counts: Counts,
}

/// Errors of a day with one cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorsOfDay {
    pub day: Date,
    pub cause: Cause,
    /// Requests given up.
    pub failed: u64,
    /// Attempts put off.
    pub put_off: u64,
}

/// What Meta said of its limits within five minutes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usage {
    /// When the five minutes began.
    pub at: OffsetDateTime,
    /// Percent of the app's limit, the highest named.
    pub app: Option<f32>,
    /// Percent of a business use case's limit, the highest named.
    pub business: Option<f32>,
    /// Calls refused for a limit.
    pub refused: u64,
    /// The longest wait asked for.
    pub wait_minutes: Option<u64>,
}

/// A choice of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub id: String,
    pub name: String,
}

/// How far the counting is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Anything is counted at all.
    pub any: bool,
    /// All that had happened by then is counted; `None`: the first count isn't over.
    pub counted_at: Option<OffsetDateTime>,
    /// Ids counted, of those that can be.
    pub share: (u64, u64),
}

/// Causes as the chart puts them together, in the order in which they are stacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Permission,
    NotFound,
    Limit,
    Fault,
    Token,
    Other,
}

impl Family {
    pub const ALL: [Self; 6] = [Self::Permission, Self::NotFound, Self::Limit, Self::Fault, Self::Token, Self::Other];

    pub const fn of(cause: Cause) -> Self {
        match cause {
            Cause::AccessDenied => Self::Permission,
            Cause::NotFoundOrNoAccess => Self::NotFound,
            Cause::Throttled => Self::Limit,
            Cause::Temporary | Cause::OutcomeUnknown | Cause::Unreachable => Self::Fault,
            Cause::TokenInvalid => Self::Token,
            Cause::InvalidParameter
            | Cause::AlreadyRequested
            | Cause::TakenByAnotherPartner
            | Cause::InvalidRecipient
            | Cause::Blocked
            | Cause::OboConflict
            | Cause::DuplicatePost
            | Cause::Unrecognised
            | Cause::BusinessLeft
            | Cause::SolutionUnusable
            | Cause::OwnTrouble => Self::Other,
        }
    }

    pub const fn words(self) -> &'static str {
        match self {
            Self::Permission => "App lacks permission",
            Self::NotFound => "Not found or no access",
            Self::Limit => "Call limit",
            Self::Fault => "Fault at Meta",
            Self::Token => "Token",
            Self::Other => "Other refusals",
        }
    }
}

/// Errors of some days by family: all of them, and requests given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Errors {
    /// In the order of [`Family::ALL`].
    pub by_family: [u64; Family::ALL.len()],
    pub failed: u64,
}

impl Errors {
    pub fn add(&mut self, errors: &ErrorsOfDay) {
        self.by_family[Family::of(errors.cause) as usize] += errors.failed + errors.put_off;
        self.failed += errors.failed;
    }

    pub fn total(&self) -> u64 {
        self.by_family.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_stand_in_the_order_of_their_numbers_and_every_cause_has_one() {
        for (at, family) in Family::ALL.into_iter().enumerate() {
            assert_eq!(family as usize, at);
        }
        for family in Family::ALL {
            assert!(Cause::ALL.into_iter().any(|cause| Family::of(cause) == family), "{family:?}");
        }
    }
}
