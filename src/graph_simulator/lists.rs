//! Edges that list: pages by cursor, `limit`, `sort`, `summary`, and the filters of the WABA lists (facts 2.1, 2.5 to 2.7).

use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::{
    call::Call,
    error::GraphError,
    opaque::mix,
    options::Quirk,
    shared::Shared,
    world::{Waba, World},
};

/// Rows on a page unless the call says otherwise, and at most.
const DEFAULT_LIMIT: usize = 25;
const MAX_LIMIT: usize = 100;

impl Shared {
    /// One page of the rows at `places`, which are in the order of creation; `keep` filters, `row` writes one.
    ///
    /// A cursor is the last place shown, so rows that vanish between two pages shift nothing.
    pub(super) fn page(
        &self,
        call: &Call,
        places: &[usize],
        keep: impl Fn(usize) -> bool,
        row: impl Fn(usize) -> Result<Value, GraphError>,
    ) -> Result<Value, GraphError> {
        let limit = limit(call)?;
        let descending = match call.params.get("sort") {
            None | Some("creation_time_ascending") => false,
            Some("creation_time_descending") => true,
            Some(other) => {
                return Err(GraphError::invalid(format_args!(
                    "Param sort must be one of {{CREATION_TIME_ASCENDING, CREATION_TIME_DESCENDING}}, got {other}"
                )));
            }
        };
        let key = list_key(call);
        let after = call.params.get("after").map(|text| Cursor::read(text, key)).transpose()?;
        let before = call.params.get("before").map(|text| Cursor::read(text, key)).transpose()?;
        let (mark, backwards) = match (&after, &before) {
            (Some(cursor), _) => (Some(cursor.place), false),
            (None, Some(cursor)) => (Some(cursor.place), true),
            (None, None) => (None, false),
        };
        // Backwards, the nearest rows come first and are turned round below.
        let candidates: Box<dyn Iterator<Item = usize>> = if descending == backwards {
            let start = mark.map_or(0, |mark| places.partition_point(|place| *place <= mark));
            Box::new(places[start..].iter().copied())
        } else {
            let end = mark.map_or(places.len(), |mark| places.partition_point(|place| *place < mark));
            Box::new(places[..end].iter().rev().copied())
        };
        // A cursor of an empty page leads to the rows that were held back.
        let holds_back = self.has(Quirk::EmptyPages)
            && after.as_ref().is_some_and(|cursor| !cursor.held_back && mix(key ^ cursor.number()).is_multiple_of(3));
        let mut shown: Vec<usize> = Vec::with_capacity(limit + 1);
        if !holds_back {
            shown.extend(candidates.filter(|place| keep(*place)).take(limit + 1));
        }
        let more = shown.len() > limit;
        shown.truncate(limit);
        if backwards {
            shown.reverse();
        }
        let rows = shown.iter().map(|place| row(*place)).collect::<Result<Vec<_>, _>>()?;

        let mut answer = Map::new();
        answer.insert("data".to_owned(), rows.into());
        let first = shown.first().copied();
        let last = shown.last().copied();
        let mut paging = Map::new();
        if let (true, Some(cursor)) = (holds_back, &after) {
            let next = Cursor { place: cursor.place, held_back: true }.write(key);
            paging.insert("cursors".to_owned(), json!({"after": next}));
            paging.insert("next".to_owned(), page_url(call, limit, "after", &next).into());
        } else if let (Some(first), Some(last)) = (first, last) {
            let (before, after_cursor) = (Cursor::at(first).write(key), Cursor::at(last).write(key));
            paging.insert("cursors".to_owned(), json!({"before": before, "after": after_cursor}));
            if backwards || more {
                paging.insert("next".to_owned(), page_url(call, limit, "after", &after_cursor).into());
            }
            let has_previous = if backwards { more } else { after.is_some() };
            if has_previous {
                paging.insert("previous".to_owned(), page_url(call, limit, "before", &before).into());
            }
        }
        let bare = paging.get("next").is_none() && self.has(Quirk::LastPageWithoutPaging);
        if !paging.is_empty() && !bare {
            answer.insert("paging".to_owned(), paging.into());
        }
        if call.params.get("summary").is_some_and(|summary| summary != "false") {
            let total = places.iter().filter(|place| keep(**place)).count();
            answer.insert("summary".to_owned(), json!({"total_count": total}));
        }
        Ok(answer.into())
    }
}

/// `limit`: above the maximum counts as the maximum.
fn limit(call: &Call) -> Result<usize, GraphError> {
    match call.params.get("limit") {
        None => Ok(DEFAULT_LIMIT),
        Some(text) => match text.parse::<usize>() {
            Ok(number @ 1..) => Ok(number.min(MAX_LIMIT)),
            _ => Err(GraphError::invalid("Param limit must be an integer greater than or equal to 1")),
        },
    }
}

/// What a cursor belongs to: the list and its order.
fn list_key(call: &Call) -> u64 {
    call.path
        .iter()
        .map(String::as_str)
        .chain(call.params.get("sort"))
        .flat_map(str::bytes)
        .fold(17, |key, byte| mix(key ^ u64::from(byte)))
}

/// The absolute address of another page. It carries the token, as Graph's does: a client that follows it leaks it (facts 2.7).
fn page_url(call: &Call, limit: usize, side: &str, cursor: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(token) = &call.token {
        query.append_pair("access_token", token);
    }
    for (name, value) in call.params.iter() {
        if !matches!(name, "after" | "before" | "limit" | "pretty" | "appsecret_proof") {
            query.append_pair(name, value);
        }
    }
    query.append_pair("pretty", "0").append_pair("limit", &limit.to_string()).append_pair(side, cursor);
    format!("{}/{}/{}?{}", call.base, call.answering_version(), call.path.join("/"), query.finish())
}

struct Cursor {
    place: usize,
    held_back: bool,
}

impl Cursor {
    const fn at(place: usize) -> Self {
        Self { place, held_back: false }
    }

    fn number(&self) -> u64 {
        u64::try_from(self.place).unwrap_or(0) * 2 + u64::from(self.held_back)
    }

    /// Opaque on purpose: the place scrambled by the list's key, and a check.
    fn write(&self, key: u64) -> String {
        let number = self.number();
        format!("QVFIU{:016x}{:08x}", number ^ key, mix(number ^ key.rotate_left(7)) & 0xffff_ffff)
    }

    fn read(text: &str, key: u64) -> Result<Self, GraphError> {
        let wrong = || GraphError::invalid("Invalid cursors values");
        let digits = text.strip_prefix("QVFIU").filter(|rest| rest.len() == 24 && rest.is_ascii()).ok_or_else(wrong)?;
        let number = u64::from_str_radix(&digits[..16], 16).map_err(|_| wrong())? ^ key;
        let check = u64::from_str_radix(&digits[16..], 16).map_err(|_| wrong())?;
        if mix(number ^ key.rotate_left(7)) & 0xffff_ffff != check {
            return Err(wrong());
        }
        Ok(Self { place: usize::try_from(number / 2).map_err(|_| wrong())?, held_back: number % 2 == 1 })
    }
}

/// What `filtering`, `find` and `business_type` ask of a WABA.
#[derive(Debug, Default)]
pub(super) struct WabaFilter {
    find: Option<u64>,
    statuses: Option<(Vec<String>, bool)>,
    created: Vec<(bool, i64)>,
    partners: Option<Vec<String>>,
}

impl WabaFilter {
    pub(super) fn read(call: &Call) -> Result<Self, GraphError> {
        let mut filter = Self::default();
        if let Some(id) = call.params.get("find") {
            filter.find = Some(
                id.parse()
                    .map_err(|_| GraphError::invalid("Param find must be a valid WhatsApp Business Account ID"))?,
            );
        }
        if let Some(kind) = call.params.get("business_type")
            && !["STANDARD", "PREMIUM", "ENTERPRISE"].contains(&kind.to_ascii_uppercase().as_str())
        {
            return Err(GraphError::invalid("Param business_type must be one of {STANDARD, PREMIUM, ENTERPRISE}"));
        }
        let Some(text) = call.params.get("filtering") else { return Ok(filter) };
        let rules: Vec<Value> =
            serde_json::from_str(text).map_err(|_| GraphError::invalid("Param filtering must be an array."))?;
        for rule in &rules {
            filter.add(rule)?;
        }
        Ok(filter)
    }

    fn add(&mut self, rule: &Value) -> Result<(), GraphError> {
        let field = rule["field"].as_str().unwrap_or_default();
        let operator = rule["operator"].as_str().unwrap_or_default().to_ascii_uppercase();
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let values: Vec<String> = match &rule["value"] {
            Value::Array(list) => list.iter().map(text).collect(),
            Value::Null => return Err(GraphError::invalid("Param filtering[0][value] is required")),
            one => vec![text(one)],
        };
        match (field, operator.as_str()) {
            ("marketing_messages_onboarding_status", "IN" | "EQUAL") => self.statuses = Some((values, true)),
            ("marketing_messages_onboarding_status", "NOT_IN" | "NOT_EQUAL") => self.statuses = Some((values, false)),
            ("creation_time", "GREATER_THAN" | "LESS_THAN") => {
                let at = values.first().and_then(|value| value.parse().ok());
                let at = at.ok_or_else(|| GraphError::invalid("Param filtering[0][value] must be a UNIX timestamp"))?;
                self.created.push((operator == "GREATER_THAN", at));
            }
            ("partners", "ALL" | "ANY" | "IN") => self.partners = Some(values),
            _ => {
                return Err(GraphError::invalid(format_args!(
                    "Filtering field '{field}' with operation '{operator}' is not supported"
                )));
            }
        }
        Ok(())
    }

    pub(super) fn keeps(&self, world: &World, waba: &Waba) -> bool {
        let created = waba.created.unix_timestamp();
        self.find.is_none_or(|id| id == waba.id)
            && self.statuses.as_ref().is_none_or(|(values, inside)| {
                values.iter().any(|value| value.eq_ignore_ascii_case(&waba.eligibility)) == *inside
            })
            && self.created.iter().all(|(after, at)| if *after { created > *at } else { created < *at })
            && self.partners.as_ref().is_none_or(|ids| {
                ids.iter().all(|id| world.partner_at(id).is_some_and(|partner| waba.held_by(partner)))
            })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::{
        options::{HARBOUR_REACH, NORTHLANE, Options, Quirk},
        testing::Meta,
    };

    fn client(rest: &str) -> String {
        format!("/v25.0/{NORTHLANE}/client_whatsapp_business_accounts?{rest}")
    }

    #[test]
    fn cursors_lead_through_every_row_once_whatever_the_page_size() {
        let meta = Meta::new(Options { businesses: 150, ..Options::default() });
        let whole: Vec<String> = meta.all_ids(&client("limit=100"));
        assert_eq!(whole.len(), meta.shared.world().partners[0].client.len());
        assert_eq!(whole.iter().collect::<HashSet<_>>().len(), whole.len());
        assert_eq!(meta.all_ids(&client("limit=7")), whole);
        let mut backwards = meta.all_ids(&client("limit=33&sort=creation_time_descending"));
        backwards.reverse();
        assert_eq!(backwards, whole);
    }

    #[test]
    fn a_page_has_25_rows_unless_told_and_never_more_than_100() {
        let meta = Meta::small();
        assert_eq!(meta.get(&client("")).ids().len(), 25);
        assert_eq!(meta.get(&client("limit=5000")).ids().len(), 100);
        for bad in ["0", "-1", "many"] {
            assert_eq!(meta.get(&client(&format!("limit={bad}"))).code().0, 100, "{bad}");
        }
    }

    #[test]
    fn next_is_absolute_and_carries_the_token_and_the_last_page_has_none() {
        let meta = Meta::small();
        let first = meta.get(&client("fields=id,name&limit=100"));
        let next = first.json["paging"]["next"].as_str().unwrap();
        assert!(next.starts_with(&format!("http://meta.test/v25.0/{NORTHLANE}/client_whatsapp_business_accounts?")));
        assert!(next.contains(&format!("access_token={}", meta.token)) && next.contains("fields=id%2Cname"), "{next}");
        let second = meta.send_as(None, http::Method::GET, next.strip_prefix("http://meta.test").unwrap(), "", "");
        assert_eq!(second.status, 200);
        assert!(second.json["paging"]["next"].is_null());
        assert!(second.json["paging"]["cursors"]["after"].is_string());
    }

    #[test]
    fn before_leads_back_to_the_page_one_came_from() {
        let meta = Meta::small();
        let first = meta.get(&client("limit=10"));
        let after = first.json["paging"]["cursors"]["after"].as_str().unwrap();
        let second = meta.get(&client(&format!("limit=10&after={after}")));
        let before = second.json["paging"]["cursors"]["before"].as_str().unwrap();
        assert_eq!(meta.get(&client(&format!("limit=10&before={before}"))).ids(), first.ids());
    }

    #[test]
    fn a_cursor_of_another_list_or_a_made_up_one_is_refused() {
        let meta = Meta::small();
        let owned = meta.get(&format!("/v25.0/{NORTHLANE}/owned_whatsapp_business_accounts?limit=1"));
        let foreign = owned.json["paging"]["cursors"]["after"].as_str().unwrap();
        for cursor in [foreign, "QVFIU", "abc", "QVFIU00000000000000000000000é"] {
            assert_eq!(meta.get(&client(&format!("after={cursor}"))).code().0, 100, "{cursor}");
        }
    }

    #[test]
    fn rows_that_vanish_between_two_pages_shift_nothing() {
        let meta = Meta::small();
        let whole = meta.all_ids(&client("limit=100"));
        let first = meta.get(&client("limit=10"));
        let gone = meta.shared.businesses_of(NORTHLANE).unwrap()[0].clone();
        meta.shared.leave_partner(&gone.id, NORTHLANE).unwrap();
        let after = first.json["paging"]["cursors"]["after"].as_str().unwrap();
        assert_eq!(meta.get(&client(&format!("limit=10&after={after}"))).ids(), whole[10..20]);
        assert!(!meta.all_ids(&client("limit=100")).contains(&gone.wabas[0].id));
    }

    #[test]
    fn an_empty_page_can_have_a_next_one() {
        let meta = Meta::new(Options { businesses: 150, ..Options::default() });
        let whole = meta.all_ids(&client("limit=10"));
        meta.shared.set_quirk(Quirk::EmptyPages, true);
        let (mut after, mut ids, mut empty) = (String::new(), Vec::new(), 0);
        loop {
            let page = meta.get(&client(&format!("limit=10{after}")));
            empty += usize::from(page.ids().is_empty());
            ids.extend(page.ids());
            let Some(cursor) =
                page.json["paging"]["cursors"]["after"].as_str().filter(|_| page.json["paging"]["next"].is_string())
            else {
                break;
            };
            after = format!("&after={cursor}");
        }
        assert_eq!(ids, whole);
        assert!(empty > 0);
    }

    #[test]
    fn a_last_page_may_lack_paging_and_ids_may_be_numbers() {
        let meta = Meta::small();
        meta.shared.set_quirk(Quirk::LastPageWithoutPaging, true);
        meta.shared.set_quirk(Quirk::IdsAsNumbers, true);
        let page = meta.get(&format!("/v25.0/{HARBOUR_REACH}x/none"));
        assert_eq!(page.code(), (100, Some(33)));
        let page = meta.get(&format!(
            "/v25.0/{NORTHLANE}/owned_whatsapp_business_accounts?limit=100&fields=on_behalf_of_business_info"
        ));
        assert!(page.json["paging"].is_null());
        assert!(
            page.json["data"][0]["id"].is_u64() && page.json["data"][0]["on_behalf_of_business_info"]["id"].is_u64()
        );
    }

    #[test]
    fn filters_are_those_of_the_guides() {
        let meta = Meta::small();
        let filter = |text: &str| {
            let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
            meta.get(&client(&format!(
                "limit=100&summary=true&fields=marketing_messages_onboarding_status,creation_time&filtering={encoded}"
            )))
        };
        let eligible =
            filter(r#"[{"field":"marketing_messages_onboarding_status","operator":"IN","value":["ELIGIBLE"]}]"#);
        assert!(!eligible.ids().is_empty());
        assert!(
            eligible.json["data"]
                .as_array()
                .unwrap()
                .iter()
                .all(|row| row["marketing_messages_onboarding_status"] == "ELIGIBLE")
        );
        let at = eligible.json["data"][20]["creation_time"].as_i64().unwrap();
        let later = filter(&format!(r#"[{{"field":"creation_time","operator":"GREATER_THAN","value":"{at}"}}]"#));
        assert!(later.json["data"].as_array().unwrap().iter().all(|row| row["creation_time"].as_i64().unwrap() > at));
        let both = filter(&format!(r#"[{{"field":"partners","operator":"ALL","value":["{HARBOUR_REACH}"]}}]"#));
        assert!(!both.ids().is_empty() && both.ids().len() < 100);
        assert_eq!(filter("[{'field':'x'}]").code().0, 100);
        assert_eq!(filter(r#"[{"field":"x","operator":"IN","value":["y"]}]"#).code().0, 100);
    }

    #[test]
    fn find_gives_one_waba_by_its_id() {
        let meta = Meta::small();
        let id = meta.get(&client("limit=9")).ids()[8].clone();
        assert_eq!(meta.get(&client(&format!("find={id}"))).ids(), [id]);
        assert_eq!(meta.get(&client("find=Bakery")).code().0, 100);
    }

    #[test]
    fn a_summary_counts_all_rows() {
        let meta = Meta::small();
        let page = meta.get(&client("summary=true&limit=1"));
        assert_eq!(
            page.json["summary"]["total_count"].as_u64().unwrap(),
            meta.all_ids(&client("limit=100")).len() as u64
        );
    }
}
