//! Makes the world a simulator begins with: the same from the same seed and sizes.

use time::{Duration, OffsetDateTime};

use super::{
    names::{self, pick},
    opaque::mix,
    options::{HARBOUR_REACH, NORTHLANE, OTHER_APP_ID, Options},
    situation::Situation,
    world::{Agreement, Business, Holding, Intent, MmStatus, Node, Partner, Person, Solution, Waba, World},
};

/// Ids of the people, in the order of [`PEOPLE`].
pub const PEOPLE_IDS: [&str; 4] = ["122000000000001", "122000000000002", "122000000000003", "122000000000004"];

const PEOPLE: [(&str, &str, &str, usize); 4] = [
    ("Ana Moreira", "admin", "ADMIN", 0),
    ("Tomás Lindqvist", "account manager", "EMPLOYEE", 0),
    ("Priya Raman", "support person", "EMPLOYEE", 0),
    ("Viktor Hale", "admin", "ADMIN", 1),
];

/// (id, name, status, status of a pending request, whether this app owns it, whether the other app is in it).
pub(super) const SOLUTIONS: [(u64, &str, &str, &str, bool, bool); 9] = [
    (19_702_253_086_701, "Northlane Reach with Social Brew", "ACTIVE", "NONE", true, true),
    (19_702_253_086_702, "Northlane Loyalty", "ACTIVE", "NONE", false, true),
    (19_702_253_086_703, "Winter Campaigns", "ACTIVE", "PENDING_DEACTIVATION", true, true),
    (19_702_253_086_704, "Old Messaging Suite", "DEACTIVATED", "NONE", true, true),
    (19_702_253_086_705, "Orders & Deliveries (draft)", "DRAFT", "NONE", true, false),
    (19_702_253_086_706, "Social OVD with Lucky Shrub", "INITIATED", "PENDING_ACTIVATION", true, true),
    (19_702_253_086_707, "Refused Together", "REJECTED", "NONE", false, true),
    (19_702_253_086_708, "Waiting for a Partner", "PENDING", "PENDING_ACTIVATION", true, true),
    (19_702_253_086_709, "Leaving Soon", "PENDING_DEACTIVATION", "PENDING_DEACTIVATION", false, true),
];

/// An active solution that this app has no part in.
pub const FOREIGN_SOLUTION_ID: &str = "19702253086799";

/// The recipes that businesses 6 to 19 of each fifty are made from; the others are onboardable.
const RECIPES: [Situation; 14] = [
    Situation::Signed,
    Situation::Pending,
    Situation::CountryNotAllowed,
    Situation::OnBehalfOnly,
    Situation::MarkedForSolution,
    Situation::NotMovable,
    Situation::OnBehalfMixed,
    Situation::Restricted,
    Situation::StatusUnknown,
    Situation::TakenByAnother,
    Situation::Signed,
    Situation::Signed,
    Situation::OnBehalfOnly,
    Situation::Restricted,
];

const SUFFIXES: [&str; 5] = ["", " · Support", " · Orders", " · Marketing", " · 2"];

pub(super) fn world(options: &Options, now: OffsetDateTime) -> World {
    let mut maker = Maker { world: World::default(), seed: options.seed, ids: 0, now };
    maker.partners(options);
    maker.solutions(options);
    let shared = options.shared_businesses.min(options.businesses / 5);
    let mut to_share = shared;
    for index in 0..options.businesses {
        let mut situation = recipe(index);
        // Served by both: places 2, 4, 20, 22 ... keep 0 and 1 plain for whoever wants one business at once.
        let plain = situation == Situation::Onboardable && index >= 2;
        if plain && to_share > 0 && index % 2 == 0 {
            to_share -= 1;
            situation = Situation::ServedByBoth;
        } else if situation == Situation::TakenByAnother && shared == 0 {
            situation = Situation::Onboardable;
        }
        maker.business(0, index, situation);
    }
    for index in 0..options.rival_businesses {
        maker.business(1, options.businesses + index, Situation::Onboardable);
    }
    maker.own_wabas();
    maker.world
}

fn recipe(index: usize) -> Situation {
    (index % 50).checked_sub(6).and_then(|place| RECIPES.get(place)).copied().unwrap_or(Situation::Onboardable)
}

struct Maker {
    world: World,
    seed: u64,
    ids: u64,
    now: OffsetDateTime,
}

impl Maker {
    /// Businesses, WABAs and agreements draw from one row of 16-digit numbers: an id doesn't tell what it is of.
    fn id(&mut self) -> u64 {
        const STEP: u64 = 7_368_787;
        self.ids += 1;
        1_040_000_000_000_000 + self.ids * STEP + mix(self.seed ^ self.ids) % STEP
    }

    fn partners(&mut self, options: &Options) {
        for (place, (id, name, kind)) in
            [(NORTHLANE, "Northlane Messaging", options.northlane), (HARBOUR_REACH, "Harbour Reach", options.rival)]
                .into_iter()
                .enumerate()
        {
            let id = id.parse().unwrap_or_default();
            self.world.name_node(id, Node::Partner(place));
            self.world.partners.push(Partner {
                id,
                name: name.to_owned(),
                kind,
                client: Vec::new(),
                owned: Vec::new(),
                businesses: Vec::new(),
            });
        }
        for (place, (name, role, portfolio_role, partner)) in PEOPLE.into_iter().enumerate() {
            let id = PEOPLE_IDS[place].parse().unwrap_or_default();
            self.world.name_node(id, Node::Person(place));
            self.world.people.push(Person { id, name: name.to_owned(), role, portfolio_role, partners: vec![partner] });
        }
    }

    fn solutions(&mut self, options: &Options) {
        let other = OTHER_APP_ID.to_owned();
        for (id, name, status, pending, owned, shared) in SOLUTIONS {
            let (owner_app, partner_apps) = match (owned, shared) {
                (true, true) => (options.app_id.clone(), vec![other.clone()]),
                (true, false) => (options.app_id.clone(), Vec::new()),
                (false, _) => (other.clone(), vec![options.app_id.clone()]),
            };
            self.solution(id, name, status, pending, owner_app, partner_apps);
        }
        let foreign = FOREIGN_SOLUTION_ID.parse().unwrap_or_default();
        self.solution(foreign, "Harbour Reach Exclusive", "ACTIVE", "NONE", other, Vec::new());
    }

    fn solution(
        &mut self,
        id: u64,
        name: &str,
        status: &str,
        pending: &str,
        owner_app: String,
        partner_apps: Vec<String>,
    ) {
        self.world.name_node(id, Node::Solution(self.world.solutions.len()));
        self.world.solutions.push(Solution {
            id,
            name: name.to_owned(),
            status: status.to_owned(),
            pending: pending.to_owned(),
            owner_app,
            partner_apps,
        });
    }

    fn business(&mut self, partner: usize, index: usize, situation: Situation) {
        let place = self.world.businesses.len();
        let draw = mix(self.seed.wrapping_mul(31) ^ mix(u64::try_from(index).unwrap_or(0)));
        let named = names::business_name(self.seed, index);
        let id = self.id();
        let status = match situation {
            Situation::Signed => Some(MmStatus::Signed),
            Situation::Pending | Situation::TakenByAnother => Some(MmStatus::RequestSent),
            Situation::StatusUnknown => None,
            _ => Some(MmStatus::NotStarted),
        };
        // One business a minute: the order of creation is the order of the lists.
        let age = i64::try_from(place).unwrap_or(0);
        let created = OffsetDateTime::UNIX_EPOCH + Duration::days(19_800) + Duration::minutes(age % 1_000_000);
        self.world.name_node(id, Node::Business(place));
        self.world.businesses.push(Business {
            id,
            name: named.name.clone(),
            verified: !draw.is_multiple_of(5),
            created,
            status,
            status_at: self.now - Duration::days(i64::try_from(draw % 60).unwrap_or(0) + 1),
            wabas: Vec::new(),
            pending: None,
        });
        let with = match situation {
            Situation::ServedByBoth | Situation::TakenByAnother => vec![0, 1],
            _ => vec![partner],
        };
        let (shared, behalf) = match situation {
            Situation::OnBehalfOnly | Situation::NotMovable => (0, 1 + pick(draw >> 20, 3)),
            Situation::OnBehalfMixed => (1, 4),
            Situation::MarkedForSolution => (1, 2),
            Situation::Onboardable if partner == 0 && index % 9 == 1 => (2, 1),
            _ => (1 + pick(draw >> 20, 5).min(pick(draw >> 30, 5)), 0),
        };
        let solution = Intent { solution: Some(SOLUTIONS[0].0) };
        for number in 0..shared + behalf {
            let holding = if number < shared {
                Holding::Shared { business: place, with: with.clone() }
            } else {
                Holding::OnBehalf {
                    business: place,
                    partner,
                    intent: (situation == Situation::MarkedForSolution).then_some(solution),
                    movable: situation != Situation::NotMovable,
                }
            };
            let eligibility = eligibility(situation, number, number >= shared, draw);
            let country = match (situation, eligibility) {
                (Situation::CountryNotAllowed, _) | (_, "INELIGIBLE_COUNTRY_NOT_SUPPORTED") => {
                    ["CU", "IR", "KP", "SY"][pick(draw, 4)]
                }
                _ => named.country,
            };
            let name = if named.name.chars().count() < 200 {
                format!("{}{}", named.name, SUFFIXES[number % SUFFIXES.len()])
            } else {
                named.name.clone()
            };
            self.waba(holding, name, eligibility, country, named.currency, created);
        }
        let holder = match situation {
            Situation::Pending => partner,
            Situation::TakenByAnother => 1 - partner,
            _ => return,
        };
        let agreement = Agreement {
            id: self.id(),
            business: place,
            partner: holder,
            solution: None,
            at: self.world.businesses[place].status_at,
            accepted: false,
            asked: 0,
        };
        self.world.name_node(agreement.id, Node::Agreement(self.world.agreements.len()));
        self.world.businesses[place].pending = Some(self.world.agreements.len());
        self.world.agreements.push(agreement);
    }

    fn waba(
        &mut self,
        holding: Holding,
        name: String,
        eligibility: &str,
        country: &'static str,
        currency: &'static str,
        created: OffsetDateTime,
    ) {
        let place = self.world.wabas.len();
        let id = self.id();
        self.world.name_node(id, Node::Waba(place));
        let waba = Waba {
            id,
            name,
            holding,
            eligibility: eligibility.to_owned(),
            country,
            currency,
            timezone: u32::try_from(id % 140 + 1).unwrap_or(1),
            created,
            reviewed: !id.is_multiple_of(17),
        };
        if let Some(business) = waba.business() {
            self.world.businesses[business].wabas.push(place);
        }
        self.world.wabas.push(waba);
        self.world.list_waba(place);
    }

    /// Each partner has one of its own, which is nobody's end business.
    fn own_wabas(&mut self) {
        for partner in 0..self.world.partners.len() {
            let name = format!("{} (own)", self.world.partners[partner].name);
            let created = OffsetDateTime::UNIX_EPOCH + Duration::days(20_500);
            self.waba(Holding::Own { partner }, name, "ONBOARDED", "US", "USD", created);
        }
    }
}

/// The eligibility values of facts 4.11, each where it makes sense.
fn eligibility(situation: Situation, number: usize, on_behalf: bool, draw: u64) -> &'static str {
    match situation {
        Situation::CountryNotAllowed => "INELIGIBLE_COUNTRY_NOT_SUPPORTED",
        Situation::Restricted => "INELIGIBLE_INACTIVE_OR_RESTRICTED",
        _ if on_behalf => "INELIGIBLE_ON_BEHALF_OF_WABA",
        Situation::Signed => match (pick(draw, 3) + number) % 3 {
            0 => "ONBOARDED",
            1 => "PENDING_VALID_PAYMENT_METHOD",
            _ => "PENDING_INTERNAL_SETUP",
        },
        _ if number == 0 => "ELIGIBLE",
        _ => match (draw >> 40) % 8 {
            0 => "INELIGIBLE_USING_WHATSAPP_BUSINESS_APP",
            1 => "INELIGIBLE_INACTIVE_OR_RESTRICTED",
            2 => "INELIGIBLE_COUNTRY_NOT_SUPPORTED",
            _ => "ELIGIBLE",
        },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn made(options: &Options) -> World {
        world(options, OffsetDateTime::UNIX_EPOCH + Duration::days(20_700))
    }

    #[test]
    fn the_same_seed_makes_the_same_world() {
        let options = Options { businesses: 60, ..Options::default() };
        assert_eq!(format!("{:?}", made(&options).wabas), format!("{:?}", made(&options).wabas));
        let other = Options { seed: 2, businesses: 60, ..Options::default() };
        assert_ne!(format!("{:?}", made(&options).wabas), format!("{:?}", made(&other).wabas));
    }

    #[test]
    fn every_situation_and_every_eligibility_exists_from_twenty_five_businesses_on() {
        let world = made(&Options { businesses: 25, ..Options::default() });
        for situation in Situation::ALL {
            assert!(world.example(0, *situation).is_some(), "{situation}");
        }
        let world = made(&Options::default());
        let values: HashSet<&str> = world.wabas.iter().map(|waba| waba.eligibility.as_str()).collect();
        assert_eq!(values.len(), 8, "{values:?}");
    }

    #[test]
    fn three_thousand_businesses_have_one_to_five_wabas_each_and_ids_of_one_row() {
        let world = made(&Options::default());
        assert_eq!(world.partners[0].businesses.len(), 3000);
        assert!(world.businesses.iter().all(|business| (1..=5).contains(&business.wabas.len())));
        let ids: HashSet<u64> =
            world.wabas.iter().map(|waba| waba.id).chain(world.businesses.iter().map(|b| b.id)).collect();
        assert_eq!(ids.len(), world.wabas.len() + world.businesses.len());
        assert!(ids.iter().all(|id| id.to_string().len() == 16));
        assert!(world.partners[0].owned.len() > 100);
        assert!(world.partners[1].owned.len() == 1, "a tech provider has no on-behalf-of WABAs");
    }
}
