//! What crosses to the browser: the roles.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What a member may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, members and settings included.
    Admin,
    /// Onboards businesses and follows them.
    AccountManager,
    /// Looks, and sends nothing.
    Support,
}

impl Role {
    /// Every role, the mightiest first.
    pub const ALL: [Self; 3] = [Self::Admin, Self::AccountManager, Self::Support];

    /// The stable name, as the database and the command line spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::AccountManager => "account_manager",
            Self::Support => "support",
        }
    }

    /// The word a page shows.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Admin => "Admin",
            Self::AccountManager => "Account manager",
            Self::Support => "Support",
        }
    }

    /// Whether they may send onboarding requests: these e-mail the admins of other companies.
    pub const fn may_onboard(self) -> bool {
        match self {
            Self::Admin | Self::AccountManager => true,
            Self::Support => false,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(UnknownRole)
    }
}

/// The text isn't a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The role is one of admin, account_manager and support.")]
pub struct UnknownRole;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_admins_and_account_managers_may_onboard() {
        for (role, may) in [(Role::Admin, true), (Role::AccountManager, true), (Role::Support, false)] {
            assert_eq!(role.may_onboard(), may, "{role}");
        }
    }

    #[test]
    fn a_role_reads_as_it_is_written() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        for other in ["", "Admin", "owner", "account manager"] {
            assert_eq!(other.parse::<Role>(), Err(UnknownRole), "{other:?}");
        }
    }
}
