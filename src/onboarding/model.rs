//! What a request is: the types that pages show and `decide.rs` moves.

use std::{fmt, str::FromStr};

use time::OffsetDateTime;

use crate::{
    graph::{BusinessId, SolutionId},
    ui::Raw,
};

/// Where a request stands. The order is that of its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Saved, waiting for its turn.
    Queued,
    /// The call to Meta is under way.
    Sending,
    /// Meta said later, or was away.
    WaitingToRetry,
    /// Meta took it and e-mails the admins.
    Requested,
    /// A request stood already.
    AlreadyRequested,
    /// Another partner asked first.
    TakenByAnotherPartner,
    /// Terms signed.
    Accepted,
    /// A WABA is onboarded.
    Ready,
    /// Needs a person.
    Failed,
    /// One of us stopped it before it was sent.
    Cancelled,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 10] = [
        Self::Queued,
        Self::Sending,
        Self::WaitingToRetry,
        Self::Requested,
        Self::AlreadyRequested,
        Self::TakenByAnotherPartner,
        Self::Accepted,
        Self::Ready,
        Self::Failed,
        Self::Cancelled,
    ];

    /// Its name in the database and in URLs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::WaitingToRetry => "waiting_to_retry",
            Self::Requested => "requested",
            Self::AlreadyRequested => "already_requested",
            Self::TakenByAnotherPartner => "taken_by_another_partner",
            Self::Accepted => "accepted",
            Self::Ready => "ready",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// How far along it is: a business only ever moves to a higher one by itself.
    pub const fn rank(self) -> u8 {
        match self {
            Self::Queued => 0,
            Self::Sending | Self::WaitingToRetry => 1,
            Self::Requested | Self::AlreadyRequested | Self::TakenByAnotherPartner | Self::Failed | Self::Cancelled => {
                2
            }
            Self::Accepted => 3,
            Self::Ready => 4,
        }
    }

    /// Whether dispatch still has something to do with it.
    pub const fn is_under_way(self) -> bool {
        matches!(self, Self::Queued | Self::Sending)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for State {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(UnknownState)
    }
}

/// The text is no state's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no request state has this name")]
pub struct UnknownState;

/// Our number of a request, shown and typed as `LB-1001`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestNumber(pub i64);

impl fmt::Display for RequestNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LB-{}", self.0)
    }
}

impl FromStr for RequestNumber {
    type Err = NotARequestNumber;

    /// Takes `LB-1001`, in any case, with or without the hyphen.
    fn from_str(text: &str) -> Result<Self, NotARequestNumber> {
        let text = text.trim();
        let digits = text.get(..2).filter(|prefix| prefix.eq_ignore_ascii_case("lb")).and_then(|_| text.get(2..));
        let digits = digits.map(|rest| rest.strip_prefix('-').unwrap_or(rest)).ok_or(NotARequestNumber)?;
        if digits.is_empty() || digits.len() > 18 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NotARequestNumber);
        }
        digits.parse().map(Self).map_err(|_| NotARequestNumber)
    }
}

/// The text isn't like `LB-1001`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a request number looks like LB-1001")]
pub struct NotARequestNumber;

/// A request as its page shows it.
#[derive(Clone, Debug)]
pub struct Request {
    pub number: RequestNumber,
    pub business_id: BusinessId,
    pub business_name: String,
    pub solution_id: Option<SolutionId>,
    /// The solution's name, while we know it.
    pub solution_name: Option<String>,
    /// Who asked: their token is used.
    pub member_id: i64,
    /// Their name.
    pub member_name: String,
    /// Whether their token was never refused.
    pub token_works: bool,
    /// When it ends by itself; `None`: never, or Meta did not say.
    pub token_expires_at: Option<OffsetDateTime>,
    pub state: State,
    pub attempts: i32,
    pub doubtful: bool,
    /// `graph::Cause` by name, for one that waits or failed.
    pub cause: Option<String>,
    pub meta_request_id: Option<String>,
    /// What Meta said became of its request, in its own word, where it could be asked (1.12).
    pub meta_request_status: Option<String>,
    pub queued_at: OffsetDateTime,
    pub retry_at: Option<OffsetDateTime>,
    pub changed_at: OffsetDateTime,
    /// When Meta took it.
    pub answered_at: Option<OffsetDateTime>,
}

impl Request {
    /// Whether nothing can be sent for it until its member signs in again.
    pub fn lacks_token(&self, now: OffsetDateTime) -> bool {
        !self.token_works || self.token_expires_at.is_some_and(|at| at <= now)
    }
}

/// One line of a request's story.
#[derive(Clone, Debug)]
pub struct RequestEvent {
    pub number: RequestNumber,
    pub at: OffsetDateTime,
    pub state: State,
    pub attempt: i32,
    pub cause: Option<String>,
    pub retry_at: Option<OffsetDateTime>,
    pub member_name: Option<String>,
}

/// A line of a request's story as timelines tell it.
#[derive(Clone, Debug)]
pub struct Told {
    pub event: RequestEvent,
    /// How it was asked for.
    pub wished: Wished,
    /// What Meta answered, where the event follows from an answer.
    pub answer: Option<Answered>,
}

/// How a request was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wished {
    /// The batch it came with, where it wasn't asked for alone.
    pub batch: Option<i64>,
    /// The solution's name, or its id.
    pub solution: Option<String>,
}

/// What of Meta's answer a timeline tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// Of the record that support keeps.
    pub call_id: i64,
    pub code: Option<i64>,
    pub message: Option<String>,
    pub fbtrace_id: Option<String>,
}

/// One call to Meta on behalf of a request, as support's recorder keeps it.
#[derive(Clone, Debug)]
pub struct AttemptCall {
    /// Of the record that support keeps.
    pub call_id: i64,
    pub attempt: i32,
    /// `graph::Operation` by name.
    pub operation: String,
    pub started_at: OffsetDateTime,
    pub duration_ms: i32,
    pub http_status: Option<i16>,
    pub failure: Option<String>,
    pub code: Option<i64>,
    pub subcode: Option<i64>,
    pub message: Option<String>,
    pub user_title: Option<String>,
    pub user_message: Option<String>,
    pub fbtrace_id: Option<String>,
    pub x_fb_request_id: Option<String>,
    pub graph_version: String,
    pub app_id: String,
    pub body: String,
    /// Whether the body was dropped for its age.
    pub is_body_dropped: bool,
}

impl AttemptCall {
    /// The body, as a page shows it. `kept_days`: for how long the partner keeps it.
    pub fn raw(&self, kept_days: i32) -> Raw {
        match self.http_status {
            None => Raw::None,
            Some(_) if self.is_body_dropped => Raw::Dropped { after_days: kept_days },
            Some(_) => Raw::Kept(self.body.clone()),
        }
    }

    /// Whether Meta answered, and not with an error.
    pub fn is_success(&self) -> bool {
        self.failure.is_none() && self.code.is_none() && self.message.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_back_from_its_name() {
        for state in State::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
    }

    #[test]
    fn a_request_number_is_read_as_people_type_it() {
        for text in ["LB-1001", "lb-1001", " LB1001 ", "Lb-0001001"] {
            assert_eq!(text.parse(), Ok(RequestNumber(1001)), "{text}");
        }
        for text in ["1001", "LB", "LB-", "LB--1", "LB-+1", "LB-1x", "LB-9999999999999999999", "ÄB-1", ""] {
            assert_eq!(text.parse::<RequestNumber>(), Err(NotARequestNumber), "{text}");
        }
    }
}
