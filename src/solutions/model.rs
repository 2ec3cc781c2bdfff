//! A solution, and whether it may be used.

use std::fmt;

use crate::graph::{SolutionId, SolutionRole};

/// The app's part in a solution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It made the solution.
    Owner,
    /// It was invited to it.
    Partner,
}

impl Role {
    /// The key it is stored by.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Partner => "partner",
        }
    }

    /// As the list of Graph is asked for it.
    pub const fn as_graph(self) -> SolutionRole {
        match self {
            Self::Owner => SolutionRole::Owner,
            Self::Partner => SolutionRole::Partner,
        }
    }
}

/// Why a solution can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// Its owner has not offered it yet.
    Draft,
    /// The other partner has not accepted it yet.
    NotAccepted,
    /// The other partner refused it.
    Rejected,
    /// It was ended.
    Deactivated,
    /// Meta doesn't list it any more.
    Gone,
    /// Meta did not say how it stands.
    Untold,
    /// Meta says something we don't know.
    Unrecognised(String),
}

impl fmt::Display for Unusable {
    /// What stands in brackets behind the name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Draft => f.write_str("a draft, cannot be used yet"),
            Self::NotAccepted => f.write_str("not accepted by the other partner yet"),
            Self::Rejected => f.write_str("rejected, cannot be used"),
            Self::Deactivated => f.write_str("deactivated, cannot be used"),
            Self::Gone => f.write_str("no longer listed by Meta, cannot be used"),
            Self::Untold => f.write_str("Meta did not say if it can be used"),
            Self::Unrecognised(status) => write!(f, "{status}: unknown to us, cannot be used"),
        }
    }
}

/// A multi-partner solution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Solution {
    /// What the onboarding call takes as `solution_id`.
    pub id: SolutionId,
    /// Its name at Meta.
    pub name: String,
    /// The app's part in it.
    pub role: Role,
    /// Whether it may be used (3.3), and if not, why.
    pub usable: Result<(), Unusable>,
    /// It may be used until the other partner agrees to end it.
    pub ending: bool,
}

impl Solution {
    /// Its name with what there is to know: `Pilot 2024 (deactivated, cannot be used)`.
    pub fn label(&self) -> String {
        match &self.usable {
            Err(why) => format!("{} ({why})", self.name),
            Ok(()) if self.ending => format!("{} (being deactivated)", self.name),
            Ok(()) => self.name.clone(),
        }
    }
}

/// Whether a solution with these words of Meta's may be used, and whether it is about to end (3.2, 3.3). Only what Meta calls active
/// may: a word we don't know is never taken for a yes.
pub fn judge(status: Option<&str>, pending: Option<&str>, gone: bool) -> (Result<(), Unusable>, bool) {
    let ends = pending.is_some_and(|pending| pending.eq_ignore_ascii_case("PENDING_DEACTIVATION"));
    if gone {
        return (Err(Unusable::Gone), false);
    }
    let Some(status) = status else { return (Err(Unusable::Untold), false) };
    let why = match status.to_ascii_uppercase().as_str() {
        "ACTIVE" => return (Ok(()), ends),
        // The webhook's word for an active one whose end the other partner has not agreed to.
        "PENDING_DEACTIVATION" => return (Ok(()), true),
        "DRAFT" => Unusable::Draft,
        "INITIATED" | "PENDING" | "PENDING_ACTIVATION" => Unusable::NotAccepted,
        "REJECTED" => Unusable::Rejected,
        "DEACTIVATED" => Unusable::Deactivated,
        _ => Unusable::Unrecognised(status.to_owned()),
    };
    (Err(why), false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_meta_calls_active_may_be_used() {
        for (status, pending, gone, expected) in [
            (Some("ACTIVE"), Some("NONE"), false, (Ok(()), false)),
            (Some("active"), None, false, (Ok(()), false)),
            (Some("ACTIVE"), Some("PENDING_DEACTIVATION"), false, (Ok(()), true)),
            (Some("PENDING_DEACTIVATION"), None, false, (Ok(()), true)),
            (Some("ACTIVE"), None, true, (Err(Unusable::Gone), false)),
            (Some("INITIATED"), Some("PENDING_ACTIVATION"), false, (Err(Unusable::NotAccepted), false)),
            (Some("PENDING"), None, false, (Err(Unusable::NotAccepted), false)),
            (Some("DRAFT"), None, false, (Err(Unusable::Draft), false)),
            (Some("REJECTED"), None, false, (Err(Unusable::Rejected), false)),
            (Some("DEACTIVATED"), None, false, (Err(Unusable::Deactivated), false)),
            (Some("PAUSED"), None, false, (Err(Unusable::Unrecognised("PAUSED".into())), false)),
            (None, Some("NONE"), false, (Err(Unusable::Untold), false)),
        ] {
            assert_eq!(judge(status, pending, gone), expected, "{status:?} {pending:?} {gone}");
        }
    }

    #[test]
    fn an_unknown_status_is_said_as_meta_spelled_it() {
        assert!(Unusable::Unrecognised("PAUSED".into()).to_string().starts_with("PAUSED"));
    }
}
