//! What a session holds: who signed in, or the sign-ins under way. Never a token.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::whence::Whence;
use crate::{db::PartnerId, graph::UserId};

/// The session's entry for [`SignedIn`].
pub(super) const SIGNED_IN: &str = "signed_in";

/// The session's entry for [`super::handshake::UnderWay`].
pub(super) const UNDER_WAY: &str = "under_way";

/// The session's entry for the one that the browser had before and that has ended: its hash, in hexadecimal.
pub(super) const WAS: &str = "was";

/// Why a session is no longer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, or nothing more is known.
    Idle,
    /// Its member ended it from another browser.
    BySelf,
    /// An admin ended it.
    ByAdmin,
    /// An admin removed its member.
    Removed,
    /// The operator took its partners off the list.
    NotListed,
}

impl End {
    /// As the table spells it, for those that are kept there.
    pub(super) const fn as_stored(self) -> Option<&'static str> {
        match self {
            Self::BySelf => Some("by_self"),
            Self::ByAdmin => Some("by_admin"),
            Self::Removed => Some("removed"),
            Self::Idle | Self::NotListed => None,
        }
    }

    /// Reads what [`End::as_stored`] wrote; what a newer version wrote is no more than an end.
    pub(super) fn from_stored(text: &str) -> Self {
        let kept = [Self::BySelf, Self::ByAdmin, Self::Removed];
        kept.into_iter().find(|end| end.as_stored() == Some(text)).unwrap_or(Self::Idle)
    }
}

/// A person who signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SignedIn {
    /// The person at Meta.
    pub(super) facebook_user: UserId,
    /// Every partner they may act for: at least one.
    pub(super) memberships: Vec<Membership>,
    /// The partner they act for now; `None` until one of several is chosen.
    pub(super) current: Option<PartnerId>,
    /// From where they signed in.
    #[serde(default)]
    pub(super) whence: Whence,
}

/// One partner a person may act for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Membership {
    /// The partner.
    pub(super) partner: PartnerId,
    /// Its name at Meta when the person signed in.
    pub(super) partner_name: String,
    /// Who they are there.
    pub(super) member_id: i64,
}

impl SignedIn {
    /// One partner is in force at once; of several, one is to be chosen.
    pub(super) fn new(facebook_user: UserId, memberships: Vec<Membership>, whence: Whence) -> Self {
        let current = match memberships.as_slice() {
            [only] => Some(only.partner.clone()),
            _ => None,
        };
        Self { facebook_user, memberships, current, whence }
    }

    /// From a session's data. What can't be read counts as absent: its owner signs in again.
    pub(super) fn find(data: &HashMap<String, Value>) -> Option<Self> {
        data.get(SIGNED_IN).cloned().and_then(|value| serde_json::from_value(value).ok())
    }

    /// The membership in force.
    pub(super) fn current(&self) -> Option<&Membership> {
        let current = self.current.as_ref()?;
        self.memberships.iter().find(|membership| membership.partner == *current)
    }

    /// Puts one of the person's partners in force; false for a partner that isn't theirs.
    pub(super) fn choose(&mut self, partner_id: &str) -> bool {
        let chosen = self.memberships.iter().find(|membership| membership.partner.as_str() == partner_id);
        let Some(chosen) = chosen else { return false };
        self.current = Some(chosen.partner.clone());
        true
    }

    /// The partners beside the one in force, with their names.
    pub(super) fn others(&self) -> Vec<(PartnerId, String)> {
        self.memberships
            .iter()
            .filter(|membership| Some(&membership.partner) != self.current.as_ref())
            .map(|membership| (membership.partner.clone(), membership.partner_name.clone()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(partners: &[&str]) -> SignedIn {
        let membership = |id: &&str| Membership {
            partner: id.parse().unwrap(),
            partner_name: format!("Partner {id}"),
            member_id: id.parse().unwrap(),
        };
        SignedIn::new("9".parse().unwrap(), partners.iter().map(membership).collect(), Whence::default())
    }

    #[test]
    fn a_single_partner_is_in_force_at_once_and_of_several_one_is_chosen() {
        assert_eq!(person(&["1"]).current().map(|current| current.member_id), Some(1));
        let mut person = person(&["1", "2"]);
        assert_eq!(person.current(), None);
        assert!(person.choose("2"));
        assert_eq!(person.current().map(|current| current.member_id), Some(2));
        assert_eq!(person.others(), [("1".parse().unwrap(), "Partner 1".to_owned())]);
    }

    #[test]
    fn nobody_chooses_a_partner_that_is_not_theirs() {
        let mut person = person(&["1", "2"]);
        person.choose("1");
        for other in ["3", "", "1 ", "x"] {
            assert!(!person.choose(other), "{other:?}");
        }
        assert_eq!(person.current().map(|current| current.member_id), Some(1));
    }

    #[test]
    fn a_session_that_cannot_be_read_is_a_strangers() {
        assert_eq!(SignedIn::find(&HashMap::new()), None);
        assert_eq!(SignedIn::find(&HashMap::from([(SIGNED_IN.to_owned(), Value::from("old form"))])), None);
        let person = person(&["1", "2"]);
        let kept = HashMap::from([(SIGNED_IN.to_owned(), serde_json::to_value(&person).unwrap())]);
        assert_eq!(SignedIn::find(&kept), Some(person));
    }
}
