//! What exists at the simulated Meta: partners, people, businesses, WABAs, solutions, agreements.
//!
//! Rows refer to each other by their place in the lists, which only grow; `find` goes from an id to such a place. Lists of a
//! partner are kept sorted by place, which is also the order of creation, so a cursor is simply the last place shown.

use std::collections::{BTreeMap, HashMap};

use time::OffsetDateTime;

use super::options::PartnerKind;

#[derive(Debug)]
pub(super) struct Partner {
    pub id: u64,
    pub name: String,
    pub kind: PartnerKind,
    /// WABAs shared with it (facts 2.1).
    pub client: Vec<usize>,
    /// Its on-behalf-of WABAs and its own (facts 2.8).
    pub owned: Vec<usize>,
    /// The end businesses behind both.
    pub businesses: Vec<usize>,
}

#[derive(Debug)]
pub(super) struct Person {
    pub id: u64,
    pub name: String,
    /// Shown on the consent page: admin, account manager, support person.
    pub role: &'static str,
    /// `ADMIN` or `EMPLOYEE` of the portfolio.
    pub portfolio_role: &'static str,
    pub partners: Vec<usize>,
}

#[derive(Debug)]
pub(super) struct Solution {
    pub id: u64,
    pub name: String,
    pub status: String,
    pub pending: String,
    pub owner_app: String,
    pub partner_apps: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MmStatus {
    NotStarted,
    RequestSent,
    Signed,
}

impl MmStatus {
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::NotStarted => "NOT_STARTED",
            Self::RequestSent => "REQUEST_SENT",
            Self::Signed => "TERM_OF_SERVICE_SIGNED",
        }
    }
}

#[derive(Debug)]
pub(super) struct Business {
    pub id: u64,
    pub name: String,
    pub verified: bool,
    pub created: OffsetDateTime,
    /// `None`: Graph doesn't say.
    pub status: Option<MmStatus>,
    pub status_at: OffsetDateTime,
    pub wabas: Vec<usize>,
    /// The agreement that waits for an admin.
    pub pending: Option<usize>,
}

#[derive(Debug)]
pub(super) enum Holding {
    /// The client's own, shared with partners.
    Shared { business: usize, with: Vec<usize> },
    /// Owned by a partner on behalf of the client.
    OnBehalf { business: usize, partner: usize, intent: Option<Intent>, movable: bool },
    /// The partner's own.
    Own { partner: usize },
}

/// A mark that an on-behalf-of WABA is to move (facts 4.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Intent {
    pub solution: Option<u64>,
}

#[derive(Debug)]
pub(super) struct Waba {
    pub id: u64,
    pub name: String,
    pub holding: Holding,
    /// Any text: tests may set values that nobody has seen yet.
    pub eligibility: String,
    pub country: &'static str,
    pub currency: &'static str,
    pub timezone: u32,
    pub created: OffsetDateTime,
    pub reviewed: bool,
}

impl Waba {
    pub(super) const fn business(&self) -> Option<usize> {
        match self.holding {
            Holding::Shared { business, .. } | Holding::OnBehalf { business, .. } => Some(business),
            Holding::Own { .. } => None,
        }
    }

    pub(super) fn held_by(&self, partner: usize) -> bool {
        match &self.holding {
            Holding::Shared { with, .. } => with.contains(&partner),
            Holding::OnBehalf { partner: holder, .. } | Holding::Own { partner: holder } => *holder == partner,
        }
    }

    /// Its tax country isn't sanctioned (facts 4.2).
    pub(super) fn country_allowed(&self) -> bool {
        !SANCTIONED.contains(&self.country)
    }
}

pub(super) const SANCTIONED: [&str; 4] = ["CU", "IR", "KP", "SY"];

/// An MM Lite business agreement between a partner and an end business.
#[derive(Debug)]
pub(super) struct Agreement {
    pub id: u64,
    pub business: usize,
    pub partner: usize,
    pub solution: Option<u64>,
    pub at: OffsetDateTime,
    pub accepted: bool,
    /// Calls that asked for it; none for those the world began with.
    pub asked: u32,
}

/// What an id stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Partner(usize),
    Person(usize),
    Business(usize),
    Waba(usize),
    Solution(usize),
    Agreement(usize),
}

/// What happens by itself when its time comes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Due {
    Accept(usize),
    SetUp(usize),
}

#[derive(Debug, Default)]
pub(super) struct World {
    pub partners: Vec<Partner>,
    pub people: Vec<Person>,
    pub solutions: Vec<Solution>,
    pub businesses: Vec<Business>,
    pub wabas: Vec<Waba>,
    pub agreements: Vec<Agreement>,
    pub due: BTreeMap<(OffsetDateTime, usize), Due>,
    scheduled: usize,
    nodes: HashMap<u64, Node>,
}

impl World {
    pub(super) fn find(&self, id: &str) -> Option<Node> {
        // "007" and "+7" parse as numbers and are nobody's id.
        let plain = id.bytes().all(|byte| byte.is_ascii_digit()) && !id.starts_with('0');
        if plain { id.parse().ok().and_then(|id: u64| self.nodes.get(&id).copied()) } else { None }
    }

    pub(super) fn name_node(&mut self, id: u64, node: Node) {
        self.nodes.insert(id, node);
    }

    pub(super) fn schedule(&mut self, at: OffsetDateTime, due: Due) {
        self.scheduled += 1;
        self.due.insert((at, self.scheduled), due);
    }

    pub(super) fn partner_at(&self, id: &str) -> Option<usize> {
        match self.find(id) {
            Some(Node::Partner(place)) => Some(place),
            _ => None,
        }
    }

    pub(super) fn person_at(&self, id: &str) -> Option<usize> {
        match self.find(id) {
            Some(Node::Person(place)) => Some(place),
            _ => None,
        }
    }

    pub(super) fn business_at(&self, id: &str) -> Option<usize> {
        match self.find(id) {
            Some(Node::Business(place)) => Some(place),
            _ => None,
        }
    }

    pub(super) fn waba_at(&self, id: &str) -> Option<usize> {
        match self.find(id) {
            Some(Node::Waba(place)) => Some(place),
            _ => None,
        }
    }

    pub(super) fn solution_at(&self, id: &str) -> Option<usize> {
        match self.find(id) {
            Some(Node::Solution(place)) => Some(place),
            _ => None,
        }
    }

    pub(super) fn serves(&self, partner: usize, business: usize) -> bool {
        self.partners[partner].businesses.binary_search(&business).is_ok()
    }

    pub(super) fn partners_of(&self, business: usize) -> Vec<usize> {
        (0..self.partners.len()).filter(|partner| self.serves(*partner, business)).collect()
    }

    /// The WABAs of a business that a partner holds.
    pub(super) fn held(&self, partner: usize, business: usize) -> impl Iterator<Item = &Waba> {
        self.businesses[business].wabas.iter().map(|waba| &self.wabas[*waba]).filter(move |waba| waba.held_by(partner))
    }

    /// Puts a WABA on the lists of those who hold it. WABAs are listed in the order they were made.
    pub(super) fn list_waba(&mut self, place: usize) {
        let waba = &self.wabas[place];
        let business = waba.business();
        let (holders, shared) = match &waba.holding {
            Holding::Shared { with, .. } => (with.clone(), true),
            Holding::OnBehalf { partner, .. } | Holding::Own { partner } => (vec![*partner], false),
        };
        for holder in holders {
            let partner = &mut self.partners[holder];
            insert_sorted(if shared { &mut partner.client } else { &mut partner.owned }, place);
            if let Some(business) = business {
                insert_sorted(&mut partner.businesses, business);
            }
        }
    }

    /// Takes a business and its WABAs off a partner's lists; answers with the WABAs it lost.
    pub(super) fn part(&mut self, business: usize, partner: usize) -> Vec<usize> {
        let lost: Vec<usize> =
            self.businesses[business].wabas.iter().copied().filter(|waba| self.wabas[*waba].held_by(partner)).collect();
        for place in &lost {
            match &mut self.wabas[*place].holding {
                Holding::Shared { with, .. } => with.retain(|holder| *holder != partner),
                holding => *holding = Holding::Shared { business, with: Vec::new() },
            }
        }
        let lists = &mut self.partners[partner];
        lists.client.retain(|waba| !lost.contains(waba));
        lists.owned.retain(|waba| !lost.contains(waba));
        lists.businesses.retain(|other| *other != business);
        lost
    }
}

fn insert_sorted(list: &mut Vec<usize>, place: usize) {
    if let Err(at) = list.binary_search(&place) {
        list.insert(at, place);
    }
}
