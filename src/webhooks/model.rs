//! What is kept of a change, and what became of it.

use time::OffsetDateTime;

use crate::graph::{BusinessId, WabaId};

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// What we keep was brought up to date with it, or it stands in the timeline.
    Applied,
    /// We knew it already.
    AlreadySo,
    /// A sync that began later saw otherwise.
    Outdated,
    /// It's about a business that no sync has seen yet.
    WaitsForBusiness,
    /// There is nothing here that it would change.
    NoEffect,
    /// Its event or field is new to us.
    UnknownEvent,
    /// It has neither.
    UnknownShape,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Applied,
        Self::AlreadySo,
        Self::Outdated,
        Self::WaitsForBusiness,
        Self::NoEffect,
        Self::UnknownEvent,
        Self::UnknownShape,
    ];

    /// The key it is stored by.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::AlreadySo => "already_so",
            Self::Outdated => "outdated",
            Self::WaitsForBusiness => "waits_for_business",
            Self::NoEffect => "no_effect",
            Self::UnknownEvent => "unknown_event",
            Self::UnknownShape => "unknown_shape",
        }
    }

    /// Reads the column; `None` for an outcome of a newer version of this program.
    pub fn from_stored(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == key)
    }

    /// The word shown.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Applied => "Applied",
            Self::AlreadySo | Self::Outdated | Self::WaitsForBusiness | Self::NoEffect => "Kept",
            Self::UnknownEvent | Self::UnknownShape => "Unknown",
        }
    }

    /// Why it's no more than that; nothing for what was applied.
    pub const fn why(self) -> Option<&'static str> {
        match self {
            Self::Applied => None,
            Self::AlreadySo => Some("We knew it already."),
            Self::Outdated => Some("A later sync saw otherwise."),
            Self::WaitsForBusiness => Some("No sync has seen this business yet. It is applied once one does."),
            Self::NoEffect => Some("It changes nothing here."),
            Self::UnknownEvent => Some("We do not know this event. Kept as it came."),
            Self::UnknownShape => Some("We cannot read its shape. Kept as it came."),
        }
    }
}

/// A change that Meta told of, as timelines and look-ups show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptChange {
    /// Ours; a later one has a greater id.
    pub id: i64,
    /// The hour Meta named; where it named none, when it came.
    pub sent_at: OffsetDateTime,
    /// When it first came.
    pub received_at: OffsetDateTime,
    /// `account_update` or another field.
    pub field: Option<String>,
    /// `MM_LITE_TERMS_SIGNED` or another event.
    pub event: Option<String>,
    /// The business it names.
    pub business_id: Option<BusinessId>,
    /// Its name, if we know the business.
    pub business_name: Option<String>,
    /// The WABA it names.
    pub waba_id: Option<WabaId>,
    /// What became of it; `None` while nobody has looked at it.
    pub outcome: Option<Outcome>,
    /// Its JSON as it came, in lists cut to 20,000 characters; empty once it is too old to be kept.
    pub body: String,
}

/// How receiving goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// When Meta last told this partner anything.
    pub last_at: Option<OffsetDateTime>,
    /// Changes in the last 24 hours, counted up to 10,001.
    pub last_day: i64,
    /// Deliveries with a missing or wrong signature.
    pub bad_signatures: Refused,
    /// Deliveries refused for another reason.
    pub unreadable: Refused,
}

/// Deliveries that were refused. They are counted by the hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// In the last 24 hours.
    pub day: i64,
    /// The beginning of the hour of the last one of them.
    pub last_hour: Option<OffsetDateTime>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_read_back_and_says_why() {
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::from_stored(outcome.as_str()), Some(outcome));
            assert_eq!(outcome.why().is_none(), outcome == Outcome::Applied);
        }
        assert_eq!(Outcome::from_stored("from_the_future"), None);
    }
}
