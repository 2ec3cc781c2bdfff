//! What a draft is: its number, what it was made from, and what was found of its rows.

use std::{fmt, str::FromStr};

use time::OffsetDateTime;

use crate::{
    graph::BusinessId,
    ui::{Glyph, Hue},
};

/// The number of a draft, which is that of the batch it becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DraftNumber(pub i64);

impl fmt::Display for DraftNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for DraftNumber {
    type Err = NotADraftNumber;

    fn from_str(text: &str) -> Result<Self, NotADraftNumber> {
        if text.is_empty() || text.len() > 18 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NotADraftNumber);
        }
        text.parse().map(Self).map_err(|_| NotADraftNumber)
    }
}

/// The text isn't plain digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a draft's number is digits")]
pub struct NotADraftNumber;

/// What a draft was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// What a member ticked.
    Selection,
    /// A list of ids: a file, or pasted.
    List,
}

impl Source {
    /// Its name in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Selection => "selection",
            Self::List => "list",
        }
    }
}

/// A draft, or the batch that was made of one.
#[derive(Clone, Debug)]
pub struct Draft {
    pub number: DraftNumber,
    /// Who made it.
    pub member_id: i64,
    pub source: Source,
    /// The imported file's name.
    pub file_name: Option<String>,
    pub checked_at: OffsetDateTime,
    /// It's a batch already.
    pub is_started: bool,
}

/// What becomes of a row when the draft is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It's sent.
    Eligible,
    /// It's sent: Meta did not say if it can be onboarded, and decides when it's asked.
    Unsaid,
    /// It's sent to the business of the WABA that was given.
    WabaId,
    /// An earlier row names the same business.
    Duplicate,
    /// Nothing stands there.
    Empty,
    /// Something else than digits does.
    NotDigits,
    /// A spreadsheet rounded the number.
    Rounded,
    /// More digits than an id has.
    TooLong,
    /// No business or WABA that the partner can see has this id.
    Unknown,
    /// It shares nothing with the partner any more.
    Left,
    /// A request is under way or waits for the client's admin.
    AlreadyRequested,
    /// The terms are signed.
    Accepted,
    /// A WABA is onboarded.
    Ready,
    /// Another partner asked first.
    Taken,
    /// Meta says of each of its WABAs why not.
    NotEligible,
    /// What stands for the solution is no id.
    SolutionNotAnId,
    /// The app has no such solution, or has it no longer.
    SolutionGone,
    /// The solution can't be used.
    SolutionUnusable,
}

impl Finding {
    /// Every finding.
    pub const ALL: [Self; 18] = [
        Self::Eligible,
        Self::Unsaid,
        Self::WabaId,
        Self::Duplicate,
        Self::Empty,
        Self::NotDigits,
        Self::Rounded,
        Self::TooLong,
        Self::Unknown,
        Self::Left,
        Self::AlreadyRequested,
        Self::Accepted,
        Self::Ready,
        Self::Taken,
        Self::NotEligible,
        Self::SolutionNotAnId,
        Self::SolutionGone,
        Self::SolutionUnusable,
    ];

    /// Its name in the database, and in the CSV of problem rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eligible => "eligible",
            Self::Unsaid => "unsaid",
            Self::WabaId => "waba_id",
            Self::Duplicate => "duplicate",
            Self::Empty => "empty",
            Self::NotDigits => "not_digits",
            Self::Rounded => "rounded",
            Self::TooLong => "too_long",
            Self::Unknown => "unknown",
            Self::Left => "left",
            Self::AlreadyRequested => "already_requested",
            Self::Accepted => "accepted",
            Self::Ready => "ready",
            Self::Taken => "taken",
            Self::NotEligible => "not_eligible",
            Self::SolutionNotAnId => "solution_not_an_id",
            Self::SolutionGone => "solution_gone",
            Self::SolutionUnusable => "solution_unusable",
        }
    }

    /// Reads the column; `None` for a row that wasn't checked.
    pub fn from_stored(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|finding| finding.as_str() == key)
    }

    /// Whether a request is made of it, unless the member leaves it out.
    pub const fn is_sent(self) -> bool {
        matches!(self, Self::Eligible | Self::Unsaid | Self::WabaId)
    }

    /// Whether another id may be what helps.
    pub const fn wants_another_id(self) -> bool {
        matches!(self, Self::Empty | Self::NotDigits | Self::Rounded | Self::TooLong | Self::Unknown)
    }

    /// Shape, colour and word in the column 'Verdict'.
    pub const fn look(self) -> (Glyph, Hue, &'static str) {
        match self {
            Self::Eligible => (Glyph::Eligible, Hue::Blue, "To send"),
            Self::Unsaid => (Glyph::Eligible, Hue::Blue, "To send, Meta decides"),
            Self::WabaId => (Glyph::Alert, Hue::Amber, "WABA ID given"),
            Self::Duplicate => (Glyph::AlreadyRequested, Hue::Grey, "Duplicate"),
            Self::Empty | Self::NotDigits | Self::Rounded | Self::TooLong => (Glyph::Failed, Hue::Red, "Unreadable"),
            Self::Unknown => (Glyph::Unknown, Hue::Red, "Unknown"),
            Self::Left => (Glyph::NotEligible, Hue::Grey, "Left"),
            Self::AlreadyRequested => (Glyph::AlreadyRequested, Hue::Indigo, "Already requested"),
            Self::Accepted => (Glyph::Accepted, Hue::Teal, "Accepted"),
            Self::Ready => (Glyph::Ready, Hue::Green, "Ready"),
            Self::Taken => (Glyph::Taken, Hue::Plum, "Taken by another partner"),
            Self::NotEligible => (Glyph::NotEligible, Hue::Grey, "Not eligible"),
            Self::SolutionNotAnId | Self::SolutionGone | Self::SolutionUnusable => {
                (Glyph::Failed, Hue::Red, "Solution")
            }
        }
    }

    /// The reason, and what helps, where the row speaks for itself: in the CSV of problem rows, and where no name is known.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Eligible => "It can be onboarded now.",
            Self::Unsaid => "Meta did not say if it can be onboarded, and decides when it is asked.",
            Self::WabaId => "This is the ID of a WABA. The request goes to the business that owns it.",
            Self::Duplicate => "An earlier row names the same business. It is sent once.",
            Self::Empty => "No ID stands in this row.",
            Self::NotDigits => "Not a Meta ID. Meta IDs are digits only.",
            Self::Rounded => {
                "A spreadsheet rounded this number, so its last digits are lost. Format the column as text and export again."
            }
            Self::TooLong => "Not a Meta ID. Meta IDs have 20 digits at most.",
            Self::Unknown => {
                "None of your synced businesses has this ID. The client may not share a WABA with you yet."
            }
            Self::Left => "This business no longer shares a WABA with you.",
            Self::AlreadyRequested => "A request is under way already. Meta would keep the first one.",
            Self::Accepted => "The terms are signed already.",
            Self::Ready => "A WABA of this business is onboarded already.",
            Self::Taken => "Another partner asked first, and Meta takes one request per business.",
            Self::NotEligible => "None of its WABAs can be onboarded yet.",
            Self::SolutionNotAnId => "What stands for the solution is not an ID. A solution ID is 1 to 20 digits.",
            Self::SolutionGone => "The solution is not there any more, or is not your app’s.",
            Self::SolutionUnusable => "The solution can not be used: it is not active.",
        }
    }
}

/// A row as it's listed.
#[derive(Clone, Debug)]
pub struct ListedRow {
    pub line: i32,
    /// What stands in the list.
    pub given: String,
    /// What a member entered in its place.
    pub entered: Option<String>,
    pub given_solution: Option<String>,
    pub finding: Finding,
    pub same_as: Option<i32>,
    pub left_out: bool,
    /// The business it means, with its name.
    pub business: Option<(BusinessId, String)>,
    /// Name of the WABA whose id was given.
    pub waba_name: Option<String>,
    /// Since when the client's admin has been asked.
    pub waiting_since: Option<OffsetDateTime>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_read_back_from_its_name() {
        for finding in Finding::ALL {
            assert_eq!(Finding::from_stored(finding.as_str()), Some(finding));
            assert!(finding.words().ends_with('.'));
        }
        assert_eq!(Finding::from_stored("unchecked"), None);
    }

    #[test]
    fn a_draft_number_is_plain_digits() {
        assert_eq!("118".parse(), Ok(DraftNumber(118)));
        for text in ["", "-1", "+1", "1x", "LB-1", "9999999999999999999"] {
            assert_eq!(text.parse::<DraftNumber>(), Err(NotADraftNumber), "{text}");
        }
    }
}
