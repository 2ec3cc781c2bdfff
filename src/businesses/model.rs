//! What is known of a business and its WABAs, as this room's callers see it. Statuses that Meta words stay as Meta spelled
//! them; where a business stands is ours, in one word.

use time::OffsetDateTime;

use crate::graph::{BusinessId, WabaId};

/// Where a business stands. Kept by `refresh_standing` in Postgres; its key is what the URL, the table and `ui::state` use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// It can be onboarded now.
    Eligible,
    /// Meta says of each of its WABAs why not.
    NotEligible,
    /// Meta did not say.
    Unknown,
    /// A request waits for its turn.
    Queued,
    /// The call to Meta is under way.
    Sending,
    /// Meta said later, or was away.
    WaitingToRetry,
    /// Meta has asked the client's admins.
    Requested,
    /// A request stood already, by whatever way.
    AlreadyRequested,
    /// Another partner asked first.
    TakenByAnotherPartner,
    /// The terms are signed; no WABA is onboarded yet.
    Accepted,
    /// At least one WABA is onboarded.
    Ready,
    /// The last request needs a person.
    Failed,
}

impl Standing {
    /// All of them, in the order of a business's way.
    pub const ALL: [Self; 12] = [
        Self::Eligible,
        Self::NotEligible,
        Self::Unknown,
        Self::Queued,
        Self::Sending,
        Self::WaitingToRetry,
        Self::Requested,
        Self::AlreadyRequested,
        Self::TakenByAnotherPartner,
        Self::Accepted,
        Self::Ready,
        Self::Failed,
    ];

    /// The key it is stored by, and looked up by in [`crate::ui::state::look_of`].
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eligible => "eligible",
            Self::NotEligible => "not_eligible",
            Self::Unknown => "unknown",
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::WaitingToRetry => "waiting_to_retry",
            Self::Requested => "requested",
            Self::AlreadyRequested => "already_requested",
            Self::TakenByAnotherPartner => "taken_by_another_partner",
            Self::Accepted => "accepted",
            Self::Ready => "ready",
            Self::Failed => "failed",
        }
    }

    /// Reads the column; a CHECK guards it, so another word could only come from a newer version of this program.
    pub fn from_stored(key: &str) -> Self {
        Self::ALL.into_iter().find(|standing| standing.as_str() == key).unwrap_or(Self::Unknown)
    }

    /// Whether the client's admin is waited for.
    pub const fn is_waiting(self) -> bool {
        matches!(self, Self::Requested | Self::AlreadyRequested)
    }
}

/// The newest request of ours for a business that wasn't cancelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastRequest {
    /// Ours: shown as LB-1001.
    pub number: i64,
    /// When it was asked for.
    pub at: OffsetDateTime,
    /// Name of the member who asked.
    pub by: String,
}

/// An end business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Business {
    /// What the onboarding call is sent to.
    pub id: BusinessId,
    /// Its name at Meta.
    pub name: String,
    /// The country of one of its WABAs, as Meta spelled it; see [`super::country_name`].
    pub country: Option<String>,
    /// Its business verification, as Meta spelled it.
    pub verification_status: Option<String>,
    /// `marketing_messages_onboarding_status.status` as Meta spelled it (4.11); `None`: Meta did not say.
    pub meta_status: Option<String>,
    /// The date Meta gave with it, as Meta spelled it.
    pub meta_status_date: Option<String>,
    /// When Meta last told us that status.
    pub checked_at: Option<OffsetDateTime>,
    /// WABAs we can see.
    pub wabas: i32,
    /// Those Meta calls ELIGIBLE.
    pub eligible_wabas: i32,
    /// Those Meta calls ONBOARDED.
    pub ready_wabas: i32,
    /// Where it stands.
    pub standing: Standing,
    /// A WABA signed but lacks a payment method.
    pub needs_payment: bool,
    /// A WABA signed and Meta is setting it up.
    pub setting_up: bool,
    /// Since when the client's admin has been asked.
    pub waiting_since: Option<OffsetDateTime>,
    /// Our newest request for it.
    pub last_request: Option<LastRequest>,
    /// When a sync first saw it.
    pub first_seen_at: OffsetDateTime,
    /// Set when a whole sync saw none of its WABAs: the client stopped sharing, or is gone.
    pub left_at: Option<OffsetDateTime>,
}

impl Business {
    /// How many whole days the client's admin has let it lie, if that is longer than `after`: so long that someone should ask.
    pub fn stalled_days(&self, after: time::Duration, now: OffsetDateTime) -> Option<i64> {
        let waited = now - self.waiting_since?;
        (self.standing.is_waiting() && waited > after).then(|| waited.whole_days())
    }
}

/// How the partner has a WABA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Shared by its owner.
    Shared,
    /// Owned by the partner on the client's behalf: legacy since October 2025 (4.9).
    Obo,
    /// Owned by the partner itself, or by nobody Meta names.
    Own,
}

impl Link {
    /// The key it is stored by.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Obo => "obo",
            Self::Own => "own",
        }
    }

    /// Reads the column, which a CHECK guards.
    pub fn from_stored(key: &str) -> Self {
        match key {
            "shared" => Self::Shared,
            "obo" => Self::Obo,
            _ => Self::Own,
        }
    }

    /// As a person reads it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Shared => "Shared",
            Self::Obo => "On behalf of (OBO)",
            Self::Own => "Own",
        }
    }
}

/// A WhatsApp Business Account of a business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waba {
    /// Never what the onboarding call is sent to.
    pub id: WabaId,
    /// Its name at Meta.
    pub name: String,
    /// How the partner has it.
    pub link: Link,
    /// Its `marketing_messages_onboarding_status` as Meta spelled it (4.11); see [`super::reason_words`].
    pub eligibility: Option<String>,
    /// Its country, as Meta spelled it.
    pub country: Option<String>,
    /// When anything of it last changed, as far as syncs saw.
    pub changed_at: OffsetDateTime,
    /// Set when a whole sync did not see it.
    pub gone_at: Option<OffsetDateTime>,
}

/// What can happen to a business, as syncs see it and webhooks tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A sync saw it for the first time.
    FirstSeen,
    /// It had no eligible WABA, and now has one.
    BecameEligible,
    /// A WABA came.
    WabaShared,
    /// A WABA went.
    WabaGone,
    /// Meta says something else about a WABA.
    EligibilityChanged,
    /// Meta says something else about the business.
    MetaStatusChanged,
    /// None of its WABAs is shared any more.
    Left,
    /// It had left, and is back.
    Returned,
    /// Meta told something by webhook: see [`super::told_words`].
    Told,
    /// A member asked for a check at Meta.
    CheckAsked,
}

impl EventKind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::FirstSeen,
        Self::BecameEligible,
        Self::WabaShared,
        Self::WabaGone,
        Self::EligibilityChanged,
        Self::MetaStatusChanged,
        Self::Left,
        Self::Returned,
        Self::Told,
        Self::CheckAsked,
    ];

    /// The key it is stored by.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FirstSeen => "first_seen",
            Self::BecameEligible => "became_eligible",
            Self::WabaShared => "waba_shared",
            Self::WabaGone => "waba_gone",
            Self::EligibilityChanged => "eligibility_changed",
            Self::MetaStatusChanged => "meta_status_changed",
            Self::Left => "left",
            Self::Returned => "returned",
            Self::Told => "told",
            Self::CheckAsked => "check_asked",
        }
    }

    /// Reads the column; `None` for a kind of a newer version of this program.
    pub fn from_stored(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == key)
    }
}

/// One line of a business's timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When it happened, as far as Meta says; else when we saw it.
    pub at: OffsetDateTime,
    /// When a webhook told it.
    pub heard_at: Option<OffsetDateTime>,
    /// What happened.
    pub kind: EventKind,
    /// The WABA it happened to, with its name.
    pub waba: Option<(WabaId, String)>,
    /// Meta's new word for it, in the two kinds that tell of a change of Meta's words; what a webhook told.
    pub detail: Option<String>,
    /// How we came to know; `None` where that was not kept.
    pub heard_from: Option<HeardFrom>,
    /// The member who did it, by name, where one did.
    pub by: Option<String>,
}

/// How we came to know of something at Meta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeardFrom {
    /// A sync saw it.
    Sync,
    /// Meta was asked about this business.
    Poll,
    /// Meta told by itself.
    Webhook,
}

impl HeardFrom {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sync, Self::Poll, Self::Webhook];

    /// The key it is stored by.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Poll => "poll",
            Self::Webhook => "webhook",
        }
    }

    /// Reads the column; `None` for a way of a newer version of this program.
    pub fn from_stored(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.as_str() == key)
    }

    /// As a sentence of a timeline.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Sync => "Seen in a sync.",
            Self::Poll => "Meta was asked.",
            Self::Webhook => "Webhook from Meta.",
        }
    }
}

/// The last syncs of a partner: what the line under the title tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncState {
    /// When the last whole sync ended.
    pub synced_at: Option<OffsetDateTime>,
    /// The one under way.
    pub running: Option<Running>,
    /// Why the newest one was given up, if none has finished since: as `graph::Cause` spells it.
    pub failure: Option<String>,
}

/// A sync under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// WABAs read so far.
    pub wabas: i32,
    /// WABAs the last sync read; `None` in the first one, since Graph tells no total.
    pub expected: Option<i32>,
    /// When Graph is asked again, after a fault or a limit.
    pub waits_until: Option<OffsetDateTime>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_standing_has_looks_of_its_own() {
        for standing in Standing::ALL {
            assert_eq!(Standing::from_stored(standing.as_str()), standing);
            let known = crate::ui::state::STATES.iter().any(|(key, ..)| *key == standing.as_str());
            assert!(known, "{standing:?}");
        }
    }

    #[test]
    fn every_kind_of_event_is_read_back() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::from_stored(kind.as_str()), Some(kind));
        }
        assert_eq!(EventKind::from_stored("moved_house"), None);
        for way in HeardFrom::ALL {
            assert_eq!(HeardFrom::from_stored(way.as_str()), Some(way));
        }
    }
}
