//! Whether a draft may be started as it's asked for: the member must have seen no fewer requests than would be sent, and typed the
//! number where it's large.

use super::groups::{Counts, Group};

/// Above so many requests their number must be typed.
pub const UNTYPED: u64 = 100;

/// Why a draft wasn't started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dissent {
    /// No row of it is to be sent.
    Nothing,
    /// More would be sent than the page said.
    Grown,
    /// The number wasn't typed, or another was.
    NotConfirmed,
    /// The solution can't be used, or isn't there.
    Solution,
}

impl Dissent {
    const ALL: [Self; 4] = [Self::Nothing, Self::Grown, Self::NotConfirmed, Self::Solution];

    /// Its name in `?problem=`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Nothing => "nothing_to_send",
            Self::Grown => "more_to_send",
            Self::NotConfirmed => "not_confirmed",
            Self::Solution => "batch_solution",
        }
    }

    /// Reads `?problem=`.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dissent| dissent.code() == code)
    }

    /// What is wrong, and what helps.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Nothing => "None of these businesses can be asked now. Nothing was sent.",
            Self::Grown => {
                "More businesses can be asked now than when you looked. Check the number and send again. Nothing was sent."
            }
            Self::NotConfirmed => "Type the number of requests as it is shown. Nothing was sent.",
            Self::Solution => {
                "The solution you chose can not be used, or is not there any more. Choose another, or none. Nothing was sent."
            }
        }
    }
}

/// Whether so many may be sent, when the page said `shown` and the member typed `typed`.
pub fn consents(counts: &Counts, shown: &str, typed: &str) -> Result<(), Dissent> {
    let to_send = counts.of(Group::ToSend);
    let shown: u64 = shown.trim().parse().unwrap_or_default();
    if to_send == 0 {
        Err(Dissent::Nothing)
    } else if to_send > shown {
        Err(Dissent::Grown)
    } else if shown > UNTYPED && read_number(typed) != Some(shown) {
        Err(Dissent::NotConfirmed)
    } else {
        Ok(())
    }
}

/// A number as people type it: `1198`, `1,198`, `1 198`.
fn read_number(typed: &str) -> Option<u64> {
    let digits: String = typed.chars().filter(|c| !c.is_whitespace() && !matches!(c, ',' | '.' | '\'' | '’')).collect();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) { None } else { digits.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::{super::model::Finding, *};

    #[test]
    fn no_more_is_sent_than_was_shown_and_a_large_number_is_typed() {
        for (to_send, shown, typed, expected) in [
            (0, "0", "", Err(Dissent::Nothing)),
            (1, "1", "", Ok(())),
            (100, "100", "", Ok(())),
            (101, "101", "", Err(Dissent::NotConfirmed)),
            (101, "101", "101", Ok(())),
            (1198, "1198", "1,198", Ok(())),
            (1198, "1198", " 1 198 ", Ok(())),
            (1198, "1198", "1197", Err(Dissent::NotConfirmed)),
            (1198, "1198", "-1198", Err(Dissent::NotConfirmed)),
            (1198, "1198", "one", Err(Dissent::NotConfirmed)),
            // Some were asked for meanwhile: fewer e-mails than were agreed to do no harm.
            (1190, "1198", "1198", Ok(())),
            (90, "101", "", Err(Dissent::NotConfirmed)),
            (1199, "1198", "1198", Err(Dissent::Grown)),
            (5, "", "", Err(Dissent::Grown)),
            (5, "x", "", Err(Dissent::Grown)),
        ] {
            let counts = Counts(vec![(Finding::Eligible, false, to_send), (Finding::Eligible, true, 7)]);
            assert_eq!(consents(&counts, shown, typed), expected, "{to_send} {shown} {typed}");
        }
    }

    #[test]
    fn every_dissent_is_read_back_and_says_that_nothing_was_sent() {
        for dissent in Dissent::ALL {
            assert_eq!(Dissent::from_code(dissent.code()), Some(dissent));
            assert!(dissent.words().ends_with("Nothing was sent."));
        }
    }
}
