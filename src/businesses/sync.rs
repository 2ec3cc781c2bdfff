//! Groups a page of WABAs by the business each belongs to. Pure: what Graph says goes in, what is to be kept comes out.
//!
//! Graph lists WABAs, not businesses (2.3). One business's WABAs may stand on several pages, so what is said here of a business is only
//! what one page tells; what follows from all its WABAs is computed where they are kept.

use std::collections::BTreeMap;

use super::{model::Link, name_key::clean_name};
use crate::graph::{self, BusinessId, Owner, WabaId};

/// Which list a page is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// WABAs shared with the partner.
    Client,
    /// WABAs the partner owns: on behalf of clients, or for itself.
    Owned,
}

/// A business, as far as one page tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenBusiness {
    pub id: BusinessId,
    /// Cleaned; `None` if the page didn't name it.
    pub name: Option<String>,
    pub country: Option<String>,
    pub verification_status: Option<String>,
    pub meta_status: Option<String>,
    pub meta_status_date: Option<String>,
}

/// A WABA of an end business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenWaba {
    pub id: WabaId,
    pub business: BusinessId,
    /// Cleaned.
    pub name: String,
    pub link: Link,
    pub eligibility: Option<String>,
    pub country: Option<String>,
    pub currency: Option<String>,
    pub review_status: Option<String>,
    pub verification_status: Option<String>,
    pub ownership_type: Option<String>,
}

/// What a page tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// In the order of their ids.
    pub businesses: Vec<SeenBusiness>,
    /// In the order of their ids.
    pub wabas: Vec<SeenWaba>,
    /// WABAs of which the page doesn't say whose they are. They aren't gone, and more isn't known.
    pub ownerless: Vec<WabaId>,
}

/// Groups a page. The partner's own WABAs are left out: the partner is no end business of itself.
pub fn group(list: List, page: Vec<graph::Waba>, partner: &BusinessId) -> Seen {
    let mut businesses: BTreeMap<BusinessId, SeenBusiness> = BTreeMap::new();
    let mut wabas = BTreeMap::new();
    let mut ownerless = Vec::new();
    for waba in page {
        let Some(business) = waba.end_business() else {
            ownerless.push(waba.id);
            continue;
        };
        if business.id == *partner {
            continue;
        }
        let known = businesses.entry(business.id.clone()).or_insert_with(|| SeenBusiness::nameless(&business.id));
        known.learn(business, &waba);
        let seen = SeenWaba {
            business: business.id.clone(),
            name: clean_name(&waba.name),
            link: link(list, &waba),
            id: waba.id,
            eligibility: clean(waba.eligibility),
            country: clean(waba.country),
            currency: clean(waba.currency),
            review_status: clean(waba.review_status),
            verification_status: clean(waba.verification_status),
            ownership_type: clean(waba.ownership_type),
        };
        wabas.insert(seen.id.clone(), seen);
    }
    Seen { businesses: businesses.into_values().collect(), wabas: wabas.into_values().collect(), ownerless }
}

fn link(list: List, waba: &graph::Waba) -> Link {
    let end = waba.end_business().map(|business| &business.id);
    let on_behalf = waba.on_behalf_of.as_ref().is_some_and(|client| Some(&client.id) == end);
    let client_owns = waba.owner.as_ref().is_some_and(|owner| Some(&owner.id) == end);
    match list {
        _ if on_behalf && !client_owns => Link::Obo,
        List::Client => Link::Shared,
        List::Owned => Link::Own,
    }
}

impl SeenBusiness {
    fn nameless(id: &BusinessId) -> Self {
        Self {
            id: id.clone(),
            name: None,
            country: None,
            verification_status: None,
            meta_status: None,
            meta_status_date: None,
        }
    }

    /// Takes what it didn't know yet.
    fn learn(&mut self, business: &Owner, waba: &graph::Waba) {
        if self.name.is_none() {
            self.name = business.name.as_deref().filter(|name| !name.trim().is_empty()).map(clean_name);
        }
        if self.country.is_none() {
            self.country = clean(waba.country.clone());
        }
        if self.verification_status.is_none() {
            self.verification_status = clean(waba.verification_status.clone());
        }
        if let (None, Some(said)) = (&self.meta_status, &business.onboarding) {
            self.meta_status = clean(said.status.clone());
            self.meta_status_date = clean(said.date.clone());
        }
    }
}

/// Postgres keeps no NUL.
fn clean(text: Option<String>) -> Option<String> {
    text.map(|text| if text.contains('\0') { text.replace('\0', "\u{FFFD}") } else { text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::BusinessStatus;

    fn owner(id: &str, name: &str) -> Owner {
        Owner { id: id.parse().unwrap(), name: Some(name.to_owned()), onboarding: None }
    }

    fn waba(id: &str, owner: Option<Owner>, on_behalf_of: Option<Owner>) -> graph::Waba {
        graph::Waba {
            id: id.parse().unwrap(),
            name: format!("WABA {id}"),
            owner,
            on_behalf_of,
            country: Some("BR".into()),
            currency: None,
            timezone_id: None,
            review_status: None,
            verification_status: None,
            ownership_type: None,
            eligibility: Some("ELIGIBLE".into()),
        }
    }

    fn partner() -> BusinessId {
        "900".parse().unwrap()
    }

    #[test]
    fn a_shared_waba_is_grouped_under_its_owner() {
        let page = vec![waba("2", Some(owner("10", "Roofing")), None), waba("1", Some(owner("10", "Roofing")), None)];
        let seen = group(List::Client, page, &partner());
        assert_eq!(seen.businesses.len(), 1);
        assert_eq!(seen.businesses[0].name.as_deref(), Some("Roofing"));
        let wabas: Vec<_> =
            seen.wabas.iter().map(|waba| (waba.id.as_str(), waba.business.as_str(), waba.link)).collect();
        assert_eq!(wabas, [("1", "10", Link::Shared), ("2", "10", Link::Shared)]);
    }

    #[test]
    fn an_obo_waba_is_grouped_under_the_client_it_is_held_for() {
        let held = waba("1", Some(owner("900", "The partner")), Some(owner("20", "The client")));
        let seen = group(List::Owned, vec![held], &partner());
        assert_eq!(seen.businesses[0].id.as_str(), "20");
        assert_eq!(seen.wabas[0].link, Link::Obo);
    }

    #[test]
    fn the_partners_own_wabas_belong_to_no_end_business() {
        let own = waba("1", Some(owner("900", "The partner")), None);
        assert_eq!(group(List::Owned, vec![own], &partner()), Seen::default());
    }

    #[test]
    fn an_owned_waba_of_another_portfolio_is_that_portfolios_own() {
        let seen = group(List::Owned, vec![waba("1", Some(owner("30", "Sister")), None)], &partner());
        assert_eq!((seen.wabas[0].business.as_str(), seen.wabas[0].link), ("30", Link::Own));
    }

    #[test]
    fn a_waba_that_went_over_to_its_client_is_shared() {
        let mut moved = waba("1", Some(owner("20", "The client")), Some(owner("20", "The client")));
        moved.ownership_type = Some("CLIENT_OWNED".into());
        assert_eq!(group(List::Client, vec![moved], &partner()).wabas[0].link, Link::Shared);
    }

    #[test]
    fn a_waba_nobody_is_named_for_is_neither_grouped_nor_lost() {
        let seen = group(List::Client, vec![waba("1", None, None)], &partner());
        assert_eq!((seen.wabas.len(), seen.ownerless.len()), (0, 1));
    }

    #[test]
    fn what_one_row_leaves_out_another_may_tell() {
        let mut first = waba("1", Some(Owner { name: None, ..owner("10", "") }), None);
        first.country = None;
        let mut second = waba("2", Some(owner("10", "Roofing")), None);
        let status = BusinessStatus { status: Some("REQUEST_SENT".into()), date: Some("2026-10-07".into()) };
        second.owner.as_mut().unwrap().onboarding = Some(status);
        let seen = group(List::Client, vec![first, second], &partner());
        let business = &seen.businesses[0];
        assert_eq!(business.name.as_deref(), Some("Roofing"));
        assert_eq!(business.country.as_deref(), Some("BR"));
        assert_eq!(business.meta_status.as_deref(), Some("REQUEST_SENT"));
        assert_eq!(business.meta_status_date.as_deref(), Some("2026-10-07"));
    }

    #[test]
    fn no_name_keeps_a_nul_and_none_is_without_end() {
        let name = format!("<b>a\0b</b> {}", "ض".repeat(5_000));
        let seen = group(List::Client, vec![waba("1", Some(owner("10", &name)), None)], &partner());
        let kept = seen.businesses[0].name.clone().unwrap();
        assert!(kept.starts_with("<b>a\u{FFFD}b</b>"));
        assert_eq!(kept.chars().count(), 1_000);
    }
}
