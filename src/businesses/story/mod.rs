//! The timeline of a business: what Meta said of it, what we noted about it, who looked after it. `onboarding` puts its requests'
//! events between these by their [`Mark`]s.

mod mark;
mod store;
#[cfg(test)]
mod tests;

use time::OffsetDateTime;

use super::model::Event;

pub use self::{
    mark::{Mark, Span},
    store::{events_of, story_of},
};

/// Something that happened to a business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It changed at Meta.
    Changed(Event),
    /// Somebody left a note.
    Noted(Note),
    /// Somebody else looks after it.
    Assigned(Assignment),
}

/// A note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Ours.
    pub id: i64,
    /// Who wrote it.
    pub member_id: i64,
    /// Their name.
    pub by: String,
    /// What was written; empty once it's deleted.
    pub words: String,
    /// When its writer deleted it.
    pub deleted_at: Option<OffsetDateTime>,
}

/// A change of who looks after a business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Who changed it, by name.
    pub by: String,
    /// Who looks after it from then on, by name; `None`: nobody in particular.
    pub to: Option<String>,
}
