//! What happens at Meta without a call: admins accept, WABAs are set up, businesses leave; and what webhooks tell of it.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    shared::Shared,
    world::{Due, MmStatus, World},
};

/// Waits longer by this factor for a payment method than for Meta's own setup.
const PAYMENT_TAKES: u32 = 6;

impl Shared {
    /// Lets everything happen whose time has come.
    pub(super) fn catch_up(&self) {
        let now = self.clock.now();
        // Every call passes here: most find nothing due and need no more than to look.
        if self.world().due.first_key_value().is_none_or(|((at, _), _)| *at > now) {
            return;
        }
        let mut updates = Vec::new();
        let mut world = self.world_mut();
        while let Some(first) = world.due.first_entry() {
            if first.key().0 > now {
                break;
            }
            match first.remove() {
                Due::Accept(business) => updates.extend(self.sign(&mut world, business, now)),
                Due::SetUp(waba) => "ONBOARDED".clone_into(&mut world.wabas[waba].eligibility),
            }
        }
        drop(world);
        self.tell(updates);
    }

    /// An admin of a business accepts the terms, asked or not (facts 4.7). Nothing happens if they were signed already.
    pub(super) fn accept(&self, business: usize) {
        let updates = self.sign(&mut self.world_mut(), business, self.clock.now());
        self.tell(updates);
    }

    /// Everyone who was asked accepts.
    pub(super) fn accept_all(&self) -> usize {
        let mut world = self.world_mut();
        let waiting: Vec<usize> =
            (0..world.businesses.len()).filter(|place| world.businesses[*place].pending.is_some()).collect();
        let now = self.clock.now();
        let updates: Vec<Value> = waiting.iter().flat_map(|business| self.sign(&mut world, *business, now)).collect();
        drop(world);
        self.tell(updates);
        waiting.len()
    }

    /// Signs, moves the WABAs on, and says so once for each WABA and partner (facts 4.12, 5.10).
    fn sign(&self, world: &mut World, business: usize, now: OffsetDateTime) -> Vec<Value> {
        let row = &mut world.businesses[business];
        if row.status == Some(MmStatus::Signed) {
            return Vec::new();
        }
        row.status = Some(MmStatus::Signed);
        row.status_at = now;
        let business_id = row.id;
        if let Some(place) = row.pending.take() {
            world.agreements[place].accepted = true;
        }
        let mut updates = Vec::new();
        for place in world.businesses[business].wabas.clone() {
            let waba = &mut world.wabas[place];
            if matches!(waba.eligibility.as_str(), "ELIGIBLE" | "INELIGIBLE_ON_BEHALF_OF_WABA")
                && waba.country_allowed()
            {
                let pays_late = waba.id.is_multiple_of(4);
                let (value, factor) = if pays_late {
                    ("PENDING_VALID_PAYMENT_METHOD", PAYMENT_TAKES)
                } else {
                    ("PENDING_INTERNAL_SETUP", 1)
                };
                value.clone_into(&mut waba.eligibility);
                world.schedule(now + self.options.setup_after * factor, Due::SetUp(place));
            }
            let waba = &world.wabas[place];
            for partner in world
                .partners
                .iter()
                .enumerate()
                .filter(|(holder, _)| waba.held_by(*holder))
                .map(|(_, partner)| partner)
            {
                let info = json!({"owner_business_id": business_id.to_string(), "waba_id": waba.id.to_string()});
                updates.push(account_update(partner.id, now, "MM_LITE_TERMS_SIGNED", &info));
            }
        }
        updates
    }

    /// A business leaves a partner: its WABAs vanish from the lists, and the partner is told (`PARTNER_REMOVED`, facts 5.8, 5.11).
    pub(super) fn leave(&self, business: usize, partner: usize) {
        let now = self.clock.now();
        let mut world = self.world_mut();
        let lost = world.part(business, partner);
        let (business_id, partner_id) = (world.businesses[business].id, world.partners[partner].id);
        if let Some(place) = world.businesses[business].pending
            && world.agreements[place].partner == partner
        {
            let row = &mut world.businesses[business];
            row.pending = None;
            row.status = Some(MmStatus::NotStarted);
            row.status_at = now;
        }
        let updates = lost
            .iter()
            .map(|place| {
                let info = json!({"waba_id": world.wabas[*place].id.to_string(), "owner_business_id": business_id.to_string()});
                let mut update = account_update(partner_id, now, "PARTNER_REMOVED", &info);
                update["entry"][0]["changes"][0]["value"]["disconnection_info"] = json!({"reason": "PARTNER_DISCONNECTED", "initiated_by": "USER"});
                update
            })
            .collect();
        drop(world);
        self.tell(updates);
    }

    /// A business shares its WABAs with a partner (`PARTNER_ADDED`; `object` is missing there, as Meta prints it, facts 5.9).
    pub(super) fn join(&self, business: usize, partner: usize) {
        let now = self.clock.now();
        let mut world = self.world_mut();
        let partner_id = world.partners[partner].id;
        let business_id = world.businesses[business].id;
        let mut updates = Vec::new();
        for place in world.businesses[business].wabas.clone() {
            let added = match &mut world.wabas[place].holding {
                super::world::Holding::Shared { with, .. } if !with.contains(&partner) => {
                    with.push(partner);
                    true
                }
                _ => false,
            };
            if added {
                world.list_waba(place);
                let info =
                    json!({"waba_id": world.wabas[place].id.to_string(), "owner_business_id": business_id.to_string()});
                let mut update = account_update(partner_id, now, "PARTNER_ADDED", &info);
                if let Some(update) = update.as_object_mut() {
                    update.remove("object");
                }
                updates.push(update);
            }
        }
        drop(world);
        self.tell(updates);
    }

    /// A solution changes (`partner_solutions`, facts 3.6).
    pub(super) fn change_solution(&self, place: usize, status: &str) {
        let now = self.clock.now();
        let mut world = self.world_mut();
        let solution = &mut world.solutions[place];
        status.clone_into(&mut solution.status);
        match status {
            "PENDING_DEACTIVATION" => "PENDING_DEACTIVATION",
            "INITIATED" | "PENDING" => "PENDING_ACTIVATION",
            _ => "NONE",
        }
        .clone_into(&mut solution.pending);
        let value =
            json!({"event": "SOLUTION_UPDATED", "solution_id": solution.id.to_string(), "solution_status": status});
        let updates =
            world.partners.iter().map(|partner| update(partner.id, now, "partner_solutions", &value)).collect();
        drop(world);
        self.tell(updates);
    }
}

/// One `account_update` about a WABA, addressed by the partner's business id (facts 5.9, 5.10).
fn account_update(partner: u64, at: OffsetDateTime, event: &str, waba_info: &Value) -> Value {
    update(partner, at, "account_update", &json!({"event": event, "waba_info": waba_info}))
}

fn update(partner: u64, at: OffsetDateTime, field: &str, value: &Value) -> Value {
    json!({"object": "whatsapp_business_account", "entry": [{
        "id": partner.to_string(), "time": at.unix_timestamp(), "changes": [{"field": field, "value": value}],
    }]})
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{
        options::{NORTHLANE, Options},
        situation::Situation,
        testing::Meta,
    };

    fn eligibilities(meta: &Meta, business: &str) -> Vec<String> {
        let all = meta.shared.businesses_of(NORTHLANE).unwrap();
        all.into_iter()
            .find(|entry| entry.id == business)
            .unwrap()
            .wabas
            .into_iter()
            .map(|waba| waba.eligibility)
            .collect()
    }

    #[test]
    fn admins_accept_when_their_time_has_come_and_wabas_become_ready_in_steps() {
        let meta =
            Meta::new(Options { businesses: 60, accept_after: Some(Duration::from_mins(1)), ..Options::default() });
        let business = meta.business(Situation::Onboardable);
        assert_eq!(meta.onboard(&business, None).status, 200);
        let status = || {
            meta.get(&format!("/v25.0/{business}?fields=marketing_messages_onboarding_status")).json["marketing_messages_onboarding_status"]["status"].clone()
        };
        assert_eq!(status(), "REQUEST_SENT");
        meta.shared.clock.advance(Duration::from_secs(61));
        assert_eq!(status(), "TERM_OF_SERVICE_SIGNED");
        assert!(meta.shared.ledger()[0].accepted);
        assert!(eligibilities(&meta, &business)[0].starts_with("PENDING_"));
        meta.shared.clock.advance(Duration::from_secs(3601));
        meta.shared.catch_up();
        assert_eq!(eligibilities(&meta, &business)[0], "ONBOARDED");
    }

    #[test]
    fn a_business_can_accept_unasked_and_only_once() {
        let meta = Meta::small();
        let business = meta.business(Situation::Onboardable);
        meta.shared.accept_business(&business).unwrap();
        let after_first = eligibilities(&meta, &business);
        meta.shared.accept_business(&business).unwrap();
        assert_eq!(eligibilities(&meta, &business), after_first);
        assert!(meta.shared.ledger().is_empty());
    }

    #[test]
    fn a_business_that_left_is_gone_and_can_come_back() {
        let meta = Meta::small();
        let business = meta.business(Situation::Onboardable);
        meta.shared.leave_partner(&business, NORTHLANE).unwrap();
        assert_eq!(meta.get(&format!("/v25.0/{business}")).code(), (100, Some(33)));
        assert_eq!(meta.onboard(&business, None).code(), (100, Some(33)));
        meta.shared.join_partner(&business, NORTHLANE).unwrap();
        assert_eq!(meta.onboard(&business, None).status, 200);
    }
}
