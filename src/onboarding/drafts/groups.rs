//! The groups in which a draft's rows are counted and listed: the chips, and the lines of the tally.

use super::model::Finding;

/// Rows that are counted and listed together: a chip, or a line of the tally.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// All that aren't simply sent.
    Problems,
    WabaId,
    Duplicate,
    Unknown,
    Unreadable,
    AlreadyRequested,
    Accepted,
    Ready,
    Taken,
    NotEligible,
    Left,
    Solution,
    /// The member doesn't want them sent.
    LeftOut,
    /// Sent, though Meta did not say if they can be onboarded.
    Unsaid,
    ToSend,
    All,
}

impl Group {
    /// In the order of the chips.
    pub const ALL: [Self; 16] = [
        Self::Problems,
        Self::WabaId,
        Self::Duplicate,
        Self::Unknown,
        Self::Unreadable,
        Self::AlreadyRequested,
        Self::NotEligible,
        Self::Accepted,
        Self::Ready,
        Self::Taken,
        Self::Left,
        Self::Solution,
        Self::LeftOut,
        Self::Unsaid,
        Self::ToSend,
        Self::All,
    ];

    /// Its key in `?finding=`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Problems => "problems",
            Self::WabaId => "waba_id",
            Self::Duplicate => "duplicate",
            Self::Unknown => "unknown",
            Self::Unreadable => "unreadable",
            Self::AlreadyRequested => "already_requested",
            Self::Accepted => "accepted",
            Self::Ready => "ready",
            Self::Taken => "taken",
            Self::NotEligible => "not_eligible",
            Self::Left => "left",
            Self::Solution => "solution",
            Self::LeftOut => "left_out",
            Self::Unsaid => "unsaid",
            Self::ToSend => "to_send",
            Self::All => "all",
        }
    }

    /// Reads `?finding=`.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.key() == key)
    }

    /// Its word on the chip.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Problems => "Problems",
            Self::WabaId => "WABA ID given",
            Self::Duplicate => "Duplicate",
            Self::Unknown => "Unknown",
            Self::Unreadable => "Unreadable",
            Self::AlreadyRequested => "Already requested",
            Self::Accepted => "Accepted",
            Self::Ready => "Ready",
            Self::Taken => "Taken by another partner",
            Self::NotEligible => "Not eligible",
            Self::Left => "Left",
            Self::Solution => "Solution",
            Self::LeftOut => "Left out",
            Self::Unsaid => "Meta decides",
            Self::ToSend => "To send",
            Self::All => "All",
        }
    }

    /// Whether a row belongs to it.
    pub const fn holds(self, finding: Finding, left_out: bool) -> bool {
        match self {
            Self::All => true,
            Self::Problems => !matches!(finding, Finding::Eligible | Finding::Unsaid),
            Self::ToSend => finding.is_sent() && !left_out,
            Self::LeftOut => finding.is_sent() && left_out,
            Self::Unsaid => matches!(finding, Finding::Unsaid) && !left_out,
            Self::WabaId => matches!(finding, Finding::WabaId),
            Self::Duplicate => matches!(finding, Finding::Duplicate),
            Self::Unknown => matches!(finding, Finding::Unknown),
            Self::Unreadable => {
                matches!(finding, Finding::Empty | Finding::NotDigits | Finding::Rounded | Finding::TooLong)
            }
            Self::AlreadyRequested => matches!(finding, Finding::AlreadyRequested),
            Self::Accepted => matches!(finding, Finding::Accepted),
            Self::Ready => matches!(finding, Finding::Ready),
            Self::Taken => matches!(finding, Finding::Taken),
            Self::NotEligible => matches!(finding, Finding::NotEligible),
            Self::Left => matches!(finding, Finding::Left),
            Self::Solution => {
                matches!(finding, Finding::SolutionNotAnId | Finding::SolutionGone | Finding::SolutionUnusable)
            }
        }
    }

    /// The findings of its rows, and whether they are left out, where that matters.
    pub fn findings(self) -> (Vec<&'static str>, Option<bool>) {
        let both = |left_out| Finding::ALL.into_iter().filter(move |finding| self.holds(*finding, left_out));
        let (kept, left): (Vec<_>, Vec<_>) = (both(false).collect(), both(true).collect());
        let left_out = if kept == left { None } else { Some(kept.is_empty()) };
        let findings = if kept.is_empty() { left } else { kept };
        (findings.into_iter().map(Finding::as_str).collect(), left_out)
    }
}

/// How many rows there are of each finding, those left out apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(pub Vec<(Finding, bool, u64)>);

impl Counts {
    /// Rows of a group.
    pub fn of(&self, group: Group) -> u64 {
        let rows = self.0.iter().filter(|(finding, left_out, _)| group.holds(*finding, *left_out));
        rows.map(|(_, _, rows)| rows).sum()
    }

    /// Rows that were found to be so and aren't left out.
    pub fn sent_as(&self, finding: Finding) -> u64 {
        let rows = self.0.iter().filter(|(found, left_out, _)| *found == finding && !left_out);
        rows.map(|(_, _, rows)| rows).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_in_exactly_one_group_besides_the_wide_ones() {
        const WIDE: [Group; 3] = [Group::All, Group::Problems, Group::ToSend];
        for finding in Finding::ALL {
            for left_out in [false, true] {
                let groups = Group::ALL.into_iter().filter(|group| !WIDE.contains(group));
                let holding = groups.filter(|group| group.holds(finding, left_out)).count();
                let expected = match (finding, left_out) {
                    (Finding::Eligible, false) => 0,
                    // So that a tick taken away can be set again where it was.
                    (Finding::WabaId, true) => 2,
                    _ => 1,
                };
                assert_eq!(holding, expected, "{finding:?} {left_out}");
                assert_eq!(Group::ToSend.holds(finding, left_out), finding.is_sent() && !left_out);
            }
        }
    }

    #[test]
    fn a_group_is_asked_for_as_it_holds() {
        for group in Group::ALL {
            assert_eq!(Group::from_key(group.key()), Some(group));
            let (findings, only) = group.findings();
            for finding in Finding::ALL {
                for left_out in [false, true] {
                    let asked = findings.contains(&finding.as_str()) && only.is_none_or(|only| only == left_out);
                    assert_eq!(asked, group.holds(finding, left_out), "{group:?} {finding:?} {left_out}");
                }
            }
        }
    }

    #[test]
    fn counts_add_up() {
        let counts = Counts(vec![
            (Finding::Eligible, false, 5),
            (Finding::Eligible, true, 2),
            (Finding::Unsaid, false, 3),
            (Finding::WabaId, false, 1),
            (Finding::Rounded, false, 4),
        ]);
        assert_eq!(counts.of(Group::All), 15);
        assert_eq!(counts.of(Group::ToSend), 9);
        assert_eq!(counts.of(Group::LeftOut), 2);
        assert_eq!(counts.of(Group::Problems), 5);
        assert_eq!(counts.sent_as(Finding::Eligible), 5);
    }
}
