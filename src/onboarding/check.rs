//! Whether a business may be asked, and the words for why not. Pure: what is known comes in.

use crate::{
    businesses::{Business, Standing},
    ui::AppError,
};

/// Why a wish was not taken down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// What stands for a business's id isn't one.
    NotAnId,
    /// It's the id of a WABA.
    WabaId,
    /// The business shares nothing with the partner any more.
    Left,
    /// Meta says of each WABA why it can't be onboarded.
    NotEligible,
    /// Another partner asked first.
    Taken,
    /// The terms are signed.
    Accepted,
    /// A WABA is onboarded.
    Ready,
    /// What stands for a solution's id isn't one.
    SolutionNotAnId,
    /// The app has no such solution, or has it no longer.
    SolutionGone,
    /// The solution can't be used.
    SolutionUnusable,
}

impl Refusal {
    /// Every refusal.
    pub const ALL: [Self; 10] = [
        Self::NotAnId,
        Self::WabaId,
        Self::Left,
        Self::NotEligible,
        Self::Taken,
        Self::Accepted,
        Self::Ready,
        Self::SolutionNotAnId,
        Self::SolutionGone,
        Self::SolutionUnusable,
    ];

    /// Its name in `?problem=`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotAnId => "not_an_id",
            Self::WabaId => "waba_id",
            Self::Left => "left",
            Self::NotEligible => "not_eligible",
            Self::Taken => "taken",
            Self::Accepted => "accepted",
            Self::Ready => "ready",
            Self::SolutionNotAnId => "solution_not_an_id",
            Self::SolutionGone => "solution_gone",
            Self::SolutionUnusable => "solution_unusable",
        }
    }

    /// Reads `?problem=`; `None` for anything else.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|refusal| refusal.code() == code)
    }

    /// The form field it's about.
    pub const fn field(self) -> &'static str {
        match self {
            Self::SolutionNotAnId | Self::SolutionGone | Self::SolutionUnusable => "solution_id",
            _ => "business_id",
        }
    }

    /// What is wrong, and what helps. Nothing was sent in any case.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotAnId => "A business ID is 1 to 20 digits and nothing else. Nothing was sent.",
            Self::WabaId => {
                "This is the ID of a WABA. Requests are sent to the business that owns it. Nothing was sent."
            }
            Self::Left => "This business no longer shares a WABA with you. Nothing was sent.",
            Self::NotEligible => "None of its WABAs can be onboarded yet. Nothing was sent.",
            Self::Taken => "Another partner asked first, and Meta takes one request per business. Nothing was sent.",
            Self::Accepted => "The terms are signed already. Nothing was sent.",
            Self::Ready => "A WABA of this business is onboarded already. Nothing was sent.",
            Self::SolutionNotAnId => "A solution ID is 1 to 20 digits and nothing else. Nothing was sent.",
            Self::SolutionGone => {
                "The solution you chose is not there any more, or is not your app’s. Choose another, or none. \
                 Nothing was sent."
            }
            Self::SolutionUnusable => {
                "The solution you chose can not be used: it is not active. Choose another, or none. Nothing was sent."
            }
        }
    }
}

impl From<Refusal> for AppError {
    fn from(refusal: Refusal) -> Self {
        Self::Invalid { field: refusal.field().to_owned(), message: refusal.words().to_owned() }
    }
}

/// Whether Meta may be asked for this business. One whose standing isn't known may be: Meta decides. One that has been asked
/// already may be asked again, since it's the same request.
pub fn may_be_asked(business: &Business) -> Result<(), Refusal> {
    if business.left_at.is_some() {
        return Err(Refusal::Left);
    }
    match business.standing {
        Standing::NotEligible => Err(Refusal::NotEligible),
        Standing::TakenByAnotherPartner => Err(Refusal::Taken),
        Standing::Accepted => Err(Refusal::Accepted),
        Standing::Ready => Err(Refusal::Ready),
        Standing::Eligible
        | Standing::Unknown
        | Standing::Failed
        | Standing::Queued
        | Standing::Sending
        | Standing::WaitingToRetry
        | Standing::Requested
        | Standing::AlreadyRequested => Ok(()),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use time::{OffsetDateTime, macros::datetime};

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-24 10:00 UTC);

    /// A business that stands so.
    pub(in super::super) fn standing(standing: Standing) -> Business {
        Business {
            id: "1745093316208854".parse().unwrap(),
            name: "Estrela Mercados".into(),
            country: None,
            verification_status: None,
            meta_status: None,
            meta_status_date: None,
            checked_at: None,
            wabas: 2,
            eligible_wabas: 1,
            ready_wabas: 0,
            standing,
            needs_payment: false,
            setting_up: false,
            waiting_since: None,
            last_request: None,
            first_seen_at: NOW,
            left_at: None,
        }
    }

    #[test]
    fn only_what_can_help_is_sent() {
        for state in Standing::ALL {
            let expected = match state {
                Standing::NotEligible => Err(Refusal::NotEligible),
                Standing::TakenByAnotherPartner => Err(Refusal::Taken),
                Standing::Accepted => Err(Refusal::Accepted),
                Standing::Ready => Err(Refusal::Ready),
                _ => Ok(()),
            };
            assert_eq!(may_be_asked(&standing(state)), expected, "{state:?}");
        }
    }

    #[test]
    fn a_business_that_left_is_never_asked_wherever_it_stood() {
        for state in Standing::ALL {
            let left = Business { left_at: Some(NOW), ..standing(state) };
            assert_eq!(may_be_asked(&left), Err(Refusal::Left), "{state:?}");
        }
    }

    #[test]
    fn every_refusal_has_a_code_and_says_that_nothing_was_sent() {
        for refusal in Refusal::ALL {
            assert_eq!(Refusal::from_code(refusal.code()), Some(refusal));
            assert!(refusal.words().ends_with("Nothing was sent."), "{refusal:?}");
            assert_eq!(AppError::from(refusal).status(), 422);
        }
        assert_eq!(Refusal::from_code("<script>"), None);
    }
}
