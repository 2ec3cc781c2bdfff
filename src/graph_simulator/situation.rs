//! Where a business stands towards a partner: the recipes the world is made from, and how tests and demos find an example.

use super::{
    named::named,
    world::{Holding, MmStatus, World},
};

named! {
    /// A state of things worth trying the onboarding call on.
    Situation {
        /// Nothing done yet, shared with this partner alone: a request succeeds.
        Onboardable = "onboardable",
        /// Nothing done yet, served by both partners: the first to ask wins.
        ServedByBoth = "served-by-both",
        /// This partner's request waits for an admin: asking again gives the same id.
        Pending = "pending",
        /// Another partner's request waits: 1752041.
        TakenByAnother = "taken-by-another",
        /// The terms are signed: "Invalid recipient type".
        Signed = "signed",
        /// No WABA in an allowed country: "Invalid recipient type".
        CountryNotAllowed = "country-not-allowed",
        /// Every WABA is inactive or restricted; a request succeeds all the same.
        Restricted = "restricted",
        /// On-behalf-of WABAs only, free to move: a request succeeds and sets intents.
        OnBehalfOnly = "on-behalf-only",
        /// One shared WABA and four on-behalf-of ones that are free to move.
        OnBehalfMixed = "on-behalf-mixed",
        /// An on-behalf-of WABA is marked for a solution: asking with another gives 2593079.
        MarkedForSolution = "marked-for-solution",
        /// On-behalf-of WABAs only, none free to move: 2593085.
        NotMovable = "not-movable",
        /// Graph doesn't say how far the business is.
        StatusUnknown = "status-unknown",
    }
}

impl World {
    /// Whether a business stands so towards a partner now.
    pub(super) fn stands(&self, partner: usize, business: usize, situation: Situation) -> bool {
        if !self.serves(partner, business) {
            return false;
        }
        let row = &self.businesses[business];
        let pending = row.pending.map(|place| self.agreements[place].partner);
        let shared = self.held(partner, business).filter(|waba| matches!(waba.holding, Holding::Shared { .. })).count();
        let behalf: Vec<_> = self
            .held(partner, business)
            .filter_map(|waba| match waba.holding {
                Holding::OnBehalf { intent, movable, .. } => Some((intent, movable)),
                _ => None,
            })
            .collect();
        let marked = behalf.iter().any(|(intent, _)| intent.is_some_and(|intent| intent.solution.is_some()));
        let allowed = self.held(partner, business).any(super::world::Waba::country_allowed);
        let restricted =
            self.held(partner, business).all(|waba| waba.eligibility == "INELIGIBLE_INACTIVE_OR_RESTRICTED");
        let alone = self.partners_of(business).len() == 1;
        let fresh = row.status == Some(MmStatus::NotStarted) && pending.is_none() && allowed;
        match situation {
            Situation::Onboardable => fresh && alone && shared > 0 && !marked && !restricted,
            Situation::ServedByBoth => fresh && !alone,
            Situation::Pending => pending == Some(partner),
            Situation::TakenByAnother => pending.is_some_and(|holder| holder != partner),
            Situation::Signed => row.status == Some(MmStatus::Signed),
            Situation::CountryNotAllowed => row.status == Some(MmStatus::NotStarted) && !allowed,
            Situation::Restricted => fresh && restricted,
            Situation::OnBehalfOnly => {
                fresh && shared == 0 && behalf.iter().all(|(intent, movable)| intent.is_none() && *movable)
            }
            Situation::OnBehalfMixed => fresh && shared == 1 && behalf.len() == 4,
            Situation::MarkedForSolution => fresh && marked,
            Situation::NotMovable => {
                fresh
                    && shared == 0
                    && !behalf.is_empty()
                    && behalf.iter().all(|(intent, movable)| intent.is_none() && !movable)
            }
            Situation::StatusUnknown => row.status.is_none(),
        }
    }

    /// The first business of a partner that stands so.
    pub(super) fn example(&self, partner: usize, situation: Situation) -> Option<usize> {
        self.partners[partner].businesses.iter().copied().find(|business| self.stands(partner, *business, situation))
    }
}
