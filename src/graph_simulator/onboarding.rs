//! `POST /{business}/onboard_partners_to_mm_lite`: the checks, the agreement, the intents (facts 1.5 to 1.8, 4.3, 4.8 to 4.10).

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    access::Viewer,
    call::Call,
    error::{ALREADY_SENT, GraphError, INVALID_RECIPIENT, NO_ADVANCED_ACCESS},
    options::{PartnerKind, Quirk},
    shared::Shared,
    world::{Agreement, Due, Holding, Intent, MmStatus, Node, Waba, World},
};

impl Shared {
    pub(super) fn onboard(&self, call: &Call, viewer: &Viewer, id: &str) -> Result<Value, GraphError> {
        let in_user_message = self.has(Quirk::RefusalInUserMessage);
        viewer.require("whatsapp_business_management")?;
        if self.has(Quirk::NoAdvancedAccess) || (self.has(Quirk::SystemUserRequired) && !viewer.is_system_user()) {
            return Err(GraphError::by_text(10, NO_ADVANCED_ACCESS, in_user_message));
        }
        let now = self.clock.now();
        let mut world = self.world_mut();
        let unsupported = || GraphError::unsupported("post", id);
        let business = world.business_at(id).ok_or_else(unsupported)?;
        let partner = viewer
            .partners()
            .iter()
            .copied()
            .find(|partner| world.serves(*partner, business))
            .ok_or_else(unsupported)?;
        let solution =
            call.params.get("solution_id").map(|text| world.usable_solution(text, &self.options.app_id)).transpose()?;
        let refusal = |text| GraphError::by_text(100, text, in_user_message);

        if let Some(place) = world.businesses[business].pending {
            let agreement = &mut world.agreements[place];
            if agreement.partner != partner {
                return Err(GraphError::duplicate_request());
            }
            agreement.asked += 1;
            return if self.has(Quirk::AlreadySentOnRepeat) {
                Err(refusal(ALREADY_SENT))
            } else {
                Ok(json!({"request_id": agreement.id.to_string()}))
            };
        }
        let signed = world.businesses[business].status == Some(MmStatus::Signed);
        let kind = world.partners[partner].kind;
        let counts = |waba: &Waba| kind == PartnerKind::Bsp || matches!(waba.holding, Holding::Shared { .. });
        if signed || !world.held(partner, business).any(|waba| counts(waba) && waba.country_allowed()) {
            return Err(refusal(INVALID_RECIPIENT));
        }
        if kind == PartnerKind::Bsp {
            world.set_intents(business, partner, solution)?;
        }
        let id = self.request_id(&world);
        world.agree(id, business, partner, solution, now);
        if let Some(wait) = self.options.accept_after {
            world.schedule(now + wait, Due::Accept(business));
        }
        drop(world);
        Ok(json!({"request_id": id.to_string()}))
    }

    fn request_id(&self, world: &World) -> u64 {
        loop {
            let id = 893_000_000_000_000 + self.opaque.number() % 99_000_000_000_000;
            if world.find(&id.to_string()).is_none() {
                return id;
            }
        }
    }
}

impl World {
    /// A solution the app has a part in and that isn't over (facts 3.3).
    fn usable_solution(&self, id: &str, app_id: &str) -> Result<u64, GraphError> {
        let solution = self
            .solution_at(id)
            .map(|place| &self.solutions[place])
            .filter(|solution| solution.owner_app == app_id || solution.partner_apps.iter().any(|app| app == app_id))
            .ok_or_else(|| {
                GraphError::invalid("Param solution_id must be a valid WhatsApp Business Solution ID of this app")
            })?;
        match solution.status.as_str() {
            "ACTIVE" | "PENDING_DEACTIVATION" => Ok(solution.id),
            other => Err(GraphError::invalid(format_args!(
                "Param solution_id: the solution is not active (its status is {other})"
            ))),
        }
    }

    /// Marks the on-behalf-of WABAs to move (facts 4.9): those marked already stay so; without a shared WABA at least one must
    /// be marked or free to move; a mark for another solution is in the way.
    fn set_intents(&mut self, business: usize, partner: usize, solution: Option<u64>) -> Result<(), GraphError> {
        let behalf: Vec<(usize, Option<Intent>, bool)> = self.businesses[business]
            .wabas
            .iter()
            .filter_map(|place| match self.wabas[*place].holding {
                Holding::OnBehalf { partner: holder, intent, movable, .. } if holder == partner => {
                    Some((*place, intent, movable))
                }
                _ => None,
            })
            .collect();
        let elsewhere = |intent: Intent| solution.is_some() && intent.solution.is_some() && intent.solution != solution;
        if behalf.iter().any(|(_, intent, _)| intent.is_some_and(elsewhere)) {
            return Err(GraphError::intent_elsewhere());
        }
        let any_shared = self.held(partner, business).any(|waba| matches!(waba.holding, Holding::Shared { .. }));
        if !any_shared && !behalf.iter().any(|(_, intent, movable)| intent.is_some() || *movable) {
            return Err(GraphError::not_movable());
        }
        for (place, intent, movable) in behalf {
            if intent.is_none()
                && movable
                && let Holding::OnBehalf { intent, .. } = &mut self.wabas[place].holding
            {
                *intent = Some(Intent { solution });
            }
        }
        Ok(())
    }

    fn agree(&mut self, id: u64, business: usize, partner: usize, solution: Option<u64>, now: OffsetDateTime) {
        let place = self.agreements.len();
        self.agreements.push(Agreement { id, business, partner, solution, at: now, accepted: false, asked: 1 });
        self.name_node(id, Node::Agreement(place));
        let row = &mut self.businesses[business];
        row.pending = Some(place);
        row.status = Some(MmStatus::RequestSent);
        row.status_at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            options::{HARBOUR_REACH, NORTHLANE, Options},
            seed::{FOREIGN_SOLUTION_ID, PEOPLE_IDS, SOLUTIONS},
            situation::Situation,
            testing::Meta,
            tokens::LONG_LIFE,
        },
        *,
    };

    fn rival(meta: &Meta) -> String {
        meta.shared.token_for(PEOPLE_IDS[3]).unwrap()
    }

    #[test]
    fn a_request_makes_one_agreement_and_a_repeat_gives_the_same_id() {
        let meta = Meta::small();
        let business = meta.business(Situation::Onboardable);
        let first = meta.onboard(&business, None);
        assert_eq!(first.status, 200);
        let again = meta.onboard(&business, None);
        assert_eq!(first.json, again.json);
        let ledger = meta.shared.ledger();
        assert_eq!(ledger.len(), 1);
        assert_eq!(
            (ledger[0].asked, ledger[0].business_id.as_str(), ledger[0].partner_id.as_str()),
            (2, business.as_str(), NORTHLANE)
        );
        assert_eq!(first.json["request_id"], ledger[0].request_id.as_str());
        let read = meta.get(&format!("/v25.0/{business}?fields=marketing_messages_onboarding_status"));
        assert_eq!(read.json["marketing_messages_onboarding_status"]["status"], "REQUEST_SENT");
    }

    #[test]
    fn a_repeat_may_be_refused_with_already_sent() {
        let meta = Meta::small();
        meta.shared.set_quirk(Quirk::AlreadySentOnRepeat, true);
        let business = meta.business(Situation::Pending);
        let reply = meta.onboard(&business, None);
        assert_eq!((reply.status, reply.message()), (400, ALREADY_SENT));
    }

    #[test]
    fn the_first_partner_wins_and_the_second_is_told_1752041() {
        let meta = Meta::small();
        let business = meta.business(Situation::ServedByBoth);
        assert_eq!(meta.onboard_as(&rival(&meta), &business, None).status, 200);
        let second = meta.onboard(&business, None);
        assert_eq!((second.status, second.code().0), (400, 1_752_041));
        assert_eq!(meta.onboard(&meta.business(Situation::TakenByAnother), None).code().0, 1_752_041);
        assert_eq!(meta.shared.ledger()[0].partner_id, HARBOUR_REACH);
    }

    #[test]
    fn signed_terms_and_forbidden_countries_are_an_invalid_recipient() {
        let meta = Meta::small();
        for situation in [Situation::Signed, Situation::CountryNotAllowed] {
            let reply = meta.onboard(&meta.business(situation), None);
            assert_eq!((reply.status, reply.message()), (400, INVALID_RECIPIENT), "{situation}");
        }
        assert!(meta.shared.ledger().is_empty());
    }

    #[test]
    fn an_app_without_advanced_access_lacks_permissions_and_so_may_a_user_token() {
        let meta = Meta::small();
        let business = meta.business(Situation::Onboardable);
        meta.shared.set_quirk(Quirk::NoAdvancedAccess, true);
        assert_eq!(meta.onboard(&business, None).message(), NO_ADVANCED_ACCESS);
        meta.shared.set_quirk(Quirk::NoAdvancedAccess, false);
        meta.shared.set_quirk(Quirk::SystemUserRequired, true);
        assert_eq!(meta.onboard(&business, None).message(), NO_ADVANCED_ACCESS);
        let system = meta.shared.give_token(
            super::super::tokens::Holder::System(0),
            &["whatsapp_business_management"],
            Some(LONG_LIFE),
        );
        assert_eq!(meta.onboard_as(&system, &business, None).status, 200);
    }

    #[test]
    fn only_an_active_solution_of_this_app_will_do() {
        let meta = Meta::small();
        let business = meta.business(Situation::Onboardable);
        let dead = SOLUTIONS[3].0.to_string();
        for solution in ["1", "abc", FOREIGN_SOLUTION_ID, &dead] {
            let reply = meta.onboard(&business, Some(solution));
            assert_eq!((reply.status, reply.code().0), (400, 100), "{solution}");
        }
        let leaving = SOLUTIONS[2].0.to_string();
        assert_eq!(meta.onboard(&business, Some(&leaving)).status, 200);
        assert_eq!(meta.shared.ledger()[0].solution_id.as_deref(), Some(leaving.as_str()));
    }

    #[test]
    fn the_solution_may_come_by_query_form_or_json() {
        let meta = Meta::small();
        let solution = SOLUTIONS[0].0.to_string();
        let form = format!("solution_id={solution}");
        let json = format!(r#"{{"solution_id":"{solution}"}}"#);
        for (number, (kind, body)) in
            [("application/x-www-form-urlencoded", &form), ("application/json", &json)].into_iter().enumerate()
        {
            let business = meta.business(Situation::Onboardable);
            let path = format!("/v25.0/{business}/onboard_partners_to_mm_lite");
            assert_eq!(meta.send(http::Method::POST, &path, kind, body).status, 200);
            assert_eq!(meta.shared.ledger()[number].solution_id.as_deref(), Some(solution.as_str()));
        }
    }

    #[test]
    fn a_waba_id_a_strangers_business_and_nonsense_are_all_unsupported() {
        let meta = Meta::small();
        let waba = meta.shared.businesses_of(NORTHLANE).unwrap()[0].wabas[0].id.clone();
        let foreign = meta.shared.businesses_of(HARBOUR_REACH).unwrap().last().unwrap().id.clone();
        for id in [waba.as_str(), &foreign, NORTHLANE, "12", "abc", "0", "99999999999999999999999"] {
            let reply = meta.onboard(id, None);
            assert_eq!((reply.status, reply.code()), (400, (100, Some(33))), "{id}");
            assert!(reply.message().starts_with(&format!("Unsupported post request. Object with ID '{id}'")));
        }
    }

    #[test]
    fn a_bsp_sets_intents_on_what_is_free_to_move() {
        let meta = Meta::small();
        let solution = SOLUTIONS[0].0;
        for situation in [Situation::OnBehalfOnly, Situation::OnBehalfMixed] {
            let business = meta.business(situation);
            assert_eq!(meta.onboard(&business, Some(&solution.to_string())).status, 200, "{situation}");
            let world = meta.shared.world();
            let place = world.business_at(&business).unwrap();
            let all_marked = world.held(0, place).all(|waba| match waba.holding {
                Holding::OnBehalf { intent, .. } => intent == Some(Intent { solution: Some(solution) }),
                _ => true,
            });
            assert!(all_marked, "{situation}");
        }
    }

    #[test]
    fn conflicts_of_on_behalf_of_wabas_are_2593079_and_2593085() {
        let meta = Meta::small();
        let marked = meta.business(Situation::MarkedForSolution);
        let other = SOLUTIONS[1].0.to_string();
        assert_eq!(meta.onboard(&marked, Some(&other)).code().0, 2_593_079);
        assert_eq!(meta.onboard(&meta.business(Situation::NotMovable), None).code().0, 2_593_085);
        assert!(meta.shared.ledger().is_empty(), "a refusal leaves nothing behind");
        assert_eq!(meta.onboard(&marked, None).status, 200, "without a solution the old marks stay");
    }

    #[test]
    fn a_tech_provider_sets_no_intents_and_needs_a_shared_waba() {
        let meta = Meta::new(Options { businesses: 60, northlane: PartnerKind::Tp, ..Options::default() });
        assert_eq!(meta.onboard(&meta.business(Situation::OnBehalfOnly), None).message(), INVALID_RECIPIENT);
        let mixed = meta.business(Situation::OnBehalfMixed);
        assert_eq!(meta.onboard(&mixed, None).status, 200);
        let world = meta.shared.world();
        let place = world.business_at(&mixed).unwrap();
        assert!(world.held(0, place).all(|waba| !matches!(waba.holding, Holding::OnBehalf { intent: Some(_), .. })));
    }
}
