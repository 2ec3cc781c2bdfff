//! Who looks after a business: one member each, or nobody in particular. Set on its page, or for all that are ticked at once.

mod api;
mod page;
mod store;

#[cfg(test)]
pub use self::store::{Hand, assign, assign_selected, can_be, selected_managed};
pub use self::{
    api::{Assign, AssignSelected, AssignTicked},
    page::{ManagerSelect, assign_page},
    store::{Colleague, colleague, colleagues, manager_of, managing},
};

use std::fmt;

/// Whose businesses are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    /// This member's.
    Member(i64),
    /// Those that nobody looks after in particular.
    Nobody,
}

impl Manager {
    /// Its key for nobody, in the URL and in forms.
    pub const NOBODY: &'static str = "none";

    /// Reads the key; `None` for what is none.
    pub fn from_key(key: &str) -> Option<Self> {
        if key == Self::NOBODY {
            return Some(Self::Nobody);
        }
        // As a number is written, so that one manager has one address.
        key.parse().ok().filter(|id: &i64| *id > 0 && id.to_string() == key).map(Self::Member)
    }

    /// Our id of the member, where it is one.
    pub const fn member(self) -> Option<i64> {
        match self {
            Self::Member(id) => Some(id),
            Self::Nobody => None,
        }
    }
}

impl fmt::Display for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member(id) => write!(f, "{id}"),
            Self::Nobody => f.write_str(Self::NOBODY),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manager_is_read_back_from_an_address() {
        for manager in [Manager::Member(1), Manager::Member(i64::MAX), Manager::Nobody] {
            assert_eq!(Manager::from_key(&manager.to_string()), Some(manager));
        }
        for other in ["", "0", "-1", "+1", "01", "1.0", "None", "ines", "9223372036854775808"] {
            assert_eq!(Manager::from_key(other), None, "{other:?}");
        }
    }
}
