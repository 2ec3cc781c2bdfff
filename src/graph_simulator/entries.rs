//! What the controls take and give: entries for tests and pages, and each control by id, for the handle and for
//! `/simulator/...` alike.

use serde::Serialize;

use super::{
    access::SCOPES,
    clock::graph_time,
    options::PartnerKind,
    shared::Shared,
    situation::Situation,
    tokens::{Ending, Holder, LONG_LIFE},
    world::Holding,
};

/// A control was given something that isn't there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown(String);

impl Unknown {
    pub(super) fn new(what: &str, value: &str) -> Self {
        Self(format!("there is no {what} '{value}'"))
    }

    pub(super) fn missing(name: &str) -> Self {
        Self(format!("the parameter '{name}' is missing"))
    }
}

impl From<String> for Unknown {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Display for Unknown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unknown {}

/// A partner, as tests see it.
#[derive(Clone, Debug, Serialize)]
pub struct PartnerEntry {
    /// Its business id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// BSP or tech provider.
    pub kind: PartnerKind,
}

/// A person who can sign in.
#[derive(Clone, Debug, Serialize)]
pub struct PersonEntry {
    /// Facebook user id.
    pub id: String,
    /// Full name.
    pub name: String,
    /// `admin`, `account manager` or `support person`, as the consent page says.
    pub role: String,
    /// Business ids of the partners the person is in.
    pub partner_ids: Vec<String>,
    /// The text of the person's button on the consent page.
    pub button: String,
}

/// An end business, as a partner sees it.
#[derive(Clone, Debug, Serialize)]
pub struct BusinessEntry {
    /// Its business id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `NOT_STARTED`, `REQUEST_SENT`, `TERM_OF_SERVICE_SIGNED`, or nothing.
    pub status: Option<String>,
    /// The WABAs this partner holds.
    pub wabas: Vec<WabaEntry>,
}

/// A WABA, as a partner sees it.
#[derive(Clone, Debug, Serialize)]
pub struct WabaEntry {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its onboarding eligibility.
    pub eligibility: String,
    /// Owned by the partner on behalf of the business.
    pub on_behalf_of: bool,
}

/// One agreement that calls have asked for.
#[derive(Clone, Debug, Serialize)]
pub struct LedgerEntry {
    /// The id the calls were answered with.
    pub request_id: String,
    /// The end business.
    pub business_id: String,
    /// Its name.
    pub business_name: String,
    /// The partner that asked.
    pub partner_id: String,
    /// The solution it is linked to.
    pub solution_id: Option<String>,
    /// When it was made, by the simulator's clock.
    pub at: String,
    /// How many POSTs asked for it.
    pub asked: u32,
    /// Whether an admin has accepted it.
    pub accepted: bool,
}

impl Shared {
    pub(super) fn person(&self, id: &str) -> Result<usize, Unknown> {
        self.world().person_at(id).ok_or_else(|| Unknown::new("person", id))
    }

    pub(super) fn partner(&self, id: &str) -> Result<usize, Unknown> {
        self.world().partner_at(id).ok_or_else(|| Unknown::new("partner", id))
    }

    fn business(&self, id: &str) -> Result<usize, Unknown> {
        self.world().business_at(id).ok_or_else(|| Unknown::new("business", id))
    }

    pub(super) fn partners(&self) -> Vec<PartnerEntry> {
        let world = self.world();
        world
            .partners
            .iter()
            .map(|partner| PartnerEntry { id: partner.id.to_string(), name: partner.name.clone(), kind: partner.kind })
            .collect()
    }

    pub(super) fn people(&self) -> Vec<PersonEntry> {
        let world = self.world();
        let entry = |person: &super::world::Person| PersonEntry {
            id: person.id.to_string(),
            name: person.name.clone(),
            role: person.role.to_owned(),
            partner_ids: person.partners.iter().map(|partner| world.partners[*partner].id.to_string()).collect(),
            button: super::dialog::button(&world, person),
        };
        world.people.iter().map(entry).collect()
    }

    pub(super) fn businesses_of(&self, partner: &str) -> Result<Vec<BusinessEntry>, Unknown> {
        let partner = self.partner(partner)?;
        let world = self.world();
        let entry = |place: &usize| BusinessEntry {
            id: world.businesses[*place].id.to_string(),
            name: world.businesses[*place].name.clone(),
            status: world.businesses[*place].status.map(|status| status.text().to_owned()),
            wabas: world
                .held(partner, *place)
                .map(|waba| WabaEntry {
                    id: waba.id.to_string(),
                    name: waba.name.clone(),
                    eligibility: waba.eligibility.clone(),
                    on_behalf_of: matches!(waba.holding, Holding::OnBehalf { .. }),
                })
                .collect(),
        };
        Ok(world.partners[partner].businesses.iter().map(entry).collect())
    }

    pub(super) fn business_where(&self, partner: &str, situation: Situation) -> Result<String, Unknown> {
        let place = self.partner(partner)?;
        let world = self.world();
        world
            .example(place, situation)
            .map(|business| world.businesses[business].id.to_string())
            .ok_or_else(|| Unknown::new("business that is", situation.name()))
    }

    pub(super) fn ledger(&self) -> Vec<LedgerEntry> {
        let world = self.world();
        world
            .agreements
            .iter()
            .filter(|agreement| agreement.asked > 0)
            .map(|agreement| LedgerEntry {
                request_id: agreement.id.to_string(),
                business_id: world.businesses[agreement.business].id.to_string(),
                business_name: world.businesses[agreement.business].name.clone(),
                partner_id: world.partners[agreement.partner].id.to_string(),
                solution_id: agreement.solution.map(|solution| solution.to_string()),
                at: graph_time(agreement.at),
                asked: agreement.asked,
                accepted: agreement.accepted,
            })
            .collect()
    }

    pub(super) fn accept_business(&self, business: &str) -> Result<(), Unknown> {
        self.accept(self.business(business)?);
        Ok(())
    }

    pub(super) fn end_tokens_of(&self, person: &str, ending: Ending) -> Result<(), Unknown> {
        let person = self.person(person)?;
        self.tokens().end_all(Holder::Person(person), ending, self.clock.now());
        Ok(())
    }

    pub(super) fn end_system_tokens_of(&self, partner: &str, ending: Ending) -> Result<(), Unknown> {
        let partner = self.partner(partner)?;
        self.tokens().end_all(Holder::System(partner), ending, self.clock.now());
        Ok(())
    }

    pub(super) fn leave_partner(&self, business: &str, partner: &str) -> Result<(), Unknown> {
        self.leave(self.business(business)?, self.partner(partner)?);
        Ok(())
    }

    pub(super) fn join_partner(&self, business: &str, partner: &str) -> Result<(), Unknown> {
        self.join(self.business(business)?, self.partner(partner)?);
        Ok(())
    }

    pub(super) fn set_eligibility(&self, waba: &str, value: &str) -> Result<(), Unknown> {
        let place = self.world().waba_at(waba).ok_or_else(|| Unknown::new("WABA", waba))?;
        value.clone_into(&mut self.world_mut().wabas[place].eligibility);
        Ok(())
    }

    pub(super) fn set_solution_status(&self, solution: &str, status: &str) -> Result<(), Unknown> {
        let place = self.world().solution_at(solution).ok_or_else(|| Unknown::new("solution", solution))?;
        self.change_solution(place, status);
        Ok(())
    }

    pub(super) fn rename(&self, business: &str, name: &str) -> Result<(), Unknown> {
        let place = self.business(business)?;
        name.clone_into(&mut self.world_mut().businesses[place].name);
        Ok(())
    }

    pub(super) fn token_for(&self, person: &str) -> Result<String, Unknown> {
        Ok(self.give_token(Holder::Person(self.person(person)?), &SCOPES, Some(LONG_LIFE)))
    }

    pub(super) fn system_token_for(&self, partner: &str) -> Result<String, Unknown> {
        Ok(self.give_token(Holder::System(self.partner(partner)?), &SCOPES, None))
    }

    pub(super) fn give_token(&self, holder: Holder, scopes: &[&str], seconds: Option<u64>) -> String {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        self.tokens().give(&self.opaque, holder, scopes, self.clock.now(), seconds)
    }
}
