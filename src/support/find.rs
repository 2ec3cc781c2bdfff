//! What is known of the ids that somebody looked up, within one partner's rows.

use super::{
    lookup::{Reading, Typed},
    store::{self, CallLine, KeptCall, RequestLine},
};
use crate::{
    businesses::{self, Business},
    db::TenantTx,
    graph::{BusinessId, WabaId},
    onboarding::{self, Request, RequestNumber},
};

/// The answer to a look-up. One hit opens at once.
#[derive(Clone, Debug)]
pub enum Found {
    /// Nothing, or nothing of this partner's.
    Nothing,
    /// One request: its own page shows it.
    Request(RequestNumber),
    /// One business with the newest calls to it.
    Business(Box<KnownBusiness>, Vec<CallLine>),
    /// One call.
    Call(Box<CallStory>),
    /// More than one thing.
    Several(Hits),
}

/// A business, and by which id it was found.
#[derive(Clone, Debug)]
pub struct KnownBusiness {
    pub business: Business,
    /// The WABA of it that was looked up, if it was that.
    pub by_waba: Option<WabaId>,
}

/// A call, and the request it was made for.
#[derive(Clone, Debug)]
pub struct CallStory {
    pub call: KeptCall,
    pub request: Option<Request>,
}

/// Everything found, by kind.
#[derive(Clone, Debug, Default)]
pub struct Hits {
    pub requests: Vec<RequestLine>,
    pub businesses: Vec<KnownBusiness>,
    pub calls: Vec<CallLine>,
}

/// Looks for everything that was typed.
pub async fn find(tx: &mut TenantTx, typed: &Typed) -> sqlx::Result<Found> {
    let mut hits = Hits::default();
    for reading in &typed.readings {
        match reading {
            Reading::Request(number) => hits.requests.extend(store::requests_by_id(tx, Some(*number), None).await?),
            Reading::Digits(id) => find_digits(tx, id, &mut hits).await?,
            Reading::Trace(id) => hits.calls.extend(store::calls_by_trace(tx, id).await?),
        }
    }
    open_single(tx, hits).await
}

/// One call by our id, with its request.
pub async fn find_call(tx: &mut TenantTx, call_id: i64) -> sqlx::Result<Option<CallStory>> {
    let Some(call) = store::find_call(tx, call_id).await? else { return Ok(None) };
    let request = match call.number {
        Some(number) => onboarding::find_request(tx, number).await?,
        None => None,
    };
    Ok(Some(CallStory { call, request }))
}

/// Digits are any of Meta's ids, or our number without its letters.
async fn find_digits(tx: &mut TenantTx, digits: &str, hits: &mut Hits) -> sqlx::Result<()> {
    let number = digits.parse().ok().map(RequestNumber);
    hits.requests = store::requests_by_id(tx, number, Some(digits)).await?;
    let id = BusinessId::from_stored(digits.to_owned());
    if let Some(business) = businesses::find_business(tx, &id).await? {
        hits.businesses.push(KnownBusiness { business, by_waba: None });
    }
    let waba = WabaId::from_stored(digits.to_owned());
    if let Some((owner, _)) = businesses::whose_waba(tx, &waba).await?
        && let Some(business) = businesses::find_business(tx, &owner).await?
    {
        hits.businesses.push(KnownBusiness { business, by_waba: Some(waba) });
    }
    if hits.businesses.is_empty() {
        hits.calls = store::calls_to(tx, digits).await?;
    }
    Ok(())
}

async fn open_single(tx: &mut TenantTx, mut hits: Hits) -> sqlx::Result<Found> {
    match (hits.requests.as_slice(), hits.businesses.len(), hits.calls.as_slice()) {
        ([], 0, []) => return Ok(Found::Nothing),
        ([request], 0, []) => return Ok(Found::Request(request.number)),
        ([], 1, []) => {}
        ([], 0, [call]) => {
            let story = find_call(tx, call.call_id).await?;
            return Ok(story.map_or(Found::Nothing, |story| Found::Call(Box::new(story))));
        }
        _ => return Ok(Found::Several(hits)),
    }
    let Some(known) = hits.businesses.pop() else { return Ok(Found::Nothing) };
    let calls = store::calls_to(tx, known.business.id.as_str()).await?;
    Ok(Found::Business(Box::new(known), calls))
}

#[cfg(test)]
mod tests {
    use sqlx::PgPool;

    use super::*;
    use crate::{
        db::Db,
        support::{
            fixture::{META_REQUEST, TRACE, partner, refused_call, seed},
            lookup::read,
        },
    };

    const BUSINESS: &str = "2210758843906172";
    const WABA: &str = "980198427651188";

    /// Partner 11 with a request for a business and its one call; partner 22 with nothing.
    async fn house(pool: PgPool) -> (Db, i64) {
        let number = seed(&pool, "11", BUSINESS, WABA).await;
        let db = Db::from_pool(pool);
        let mut call = refused_call("11", BUSINESS, TRACE);
        call.origin.request = Some(number);
        store::insert(&db, Some(&partner("11")), &[&call]).await.unwrap();
        (db, number)
    }

    async fn look_up(db: &Db, asker: &str, text: &str) -> Found {
        let mut tx = db.tenant(&partner(asker)).await.unwrap();
        find(&mut tx, &read(text)).await.unwrap()
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn every_kind_of_id_finds_its_thing(pool: PgPool) {
        let (db, number) = house(pool).await;
        for text in [format!("LB-{number}"), number.to_string(), META_REQUEST.to_owned()] {
            assert!(matches!(look_up(&db, "11", &text).await, Found::Request(found) if found.0 == number), "{text}");
        }
        let Found::Business(known, calls) = look_up(&db, "11", BUSINESS).await else { panic!("no business") };
        assert_eq!((known.business.id.as_str(), known.by_waba, calls.len()), (BUSINESS, None, 1));
        let Found::Business(known, calls) = look_up(&db, "11", WABA).await else { panic!("no business") };
        assert_eq!((known.business.id.as_str(), calls.len()), (BUSINESS, 1));
        assert_eq!(known.by_waba.unwrap().as_str(), WABA);
        let error = format!("{{\"error\":{{\"fbtrace_id\":\"{TRACE}\"}}}}");
        for text in [TRACE, &format!("6f1c1b5e-{TRACE}"), &error] {
            let Found::Call(story) = look_up(&db, "11", text).await else { panic!("no call by {text}") };
            assert_eq!(story.call.fbtrace_id.as_deref(), Some(TRACE));
            assert_eq!(story.request.unwrap().number.0, number);
        }
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn what_belongs_to_another_partner_is_as_unknown_as_what_nobody_knows(pool: PgPool) {
        let (db, number) = house(pool).await;
        let x_fb_request_id = format!("6f1c1b5e-{TRACE}");
        for text in [&format!("LB-{number}"), META_REQUEST, BUSINESS, WABA, TRACE, &x_fb_request_id, "999", "Azzz"] {
            assert!(matches!(look_up(&db, "22", text).await, Found::Nothing), "{text}");
        }
        let mut tx = db.tenant(&partner("22")).await.unwrap();
        for call_id in 0..5 {
            assert!(find_call(&mut tx, call_id).await.unwrap().is_none());
        }
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn case_matters_in_a_trace_id(pool: PgPool) {
        let (db, _) = house(pool).await;
        assert!(matches!(look_up(&db, "11", &TRACE.to_lowercase()).await, Found::Nothing));
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn calls_before_sign_in_are_found_by_nobody(pool: PgPool) {
        let db = Db::from_pool(pool);
        store::insert(&db, None, &[&refused_call("11", "7", TRACE)]).await.unwrap();
        assert!(matches!(look_up(&db, "11", TRACE).await, Found::Nothing));
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn one_id_for_several_things_gives_a_list_by_kind(pool: PgPool) {
        // Meta's request id of partner 11 is also the id of its business.
        let number = seed(&pool, "11", META_REQUEST, WABA).await;
        let db = Db::from_pool(pool);
        let Found::Several(hits) = look_up(&db, "11", META_REQUEST).await else { panic!("not several") };
        assert_eq!(hits.requests.iter().map(|line| line.number.0).collect::<Vec<_>>(), [number]);
        assert_eq!(hits.businesses.len(), 1);
        assert!(hits.calls.is_empty());
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn calls_to_a_node_that_is_no_business_of_ours_are_listed_newest_first(pool: PgPool) {
        let db = Db::from_pool(pool);
        let calls: Vec<_> = (0..12).map(|at| refused_call("11", "7", &format!("A{at}"))).collect();
        store::insert(&db, Some(&partner("11")), &calls.iter().collect::<Vec<_>>()).await.unwrap();
        let Found::Several(hits) = look_up(&db, "11", "7").await else { panic!("not several") };
        assert_eq!(hits.calls.len(), 10);
        assert!(hits.calls.is_sorted_by(|newer, older| newer.call_id > older.call_id));
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn anything_may_be_typed(pool: PgPool) {
        let db = Db::from_pool(pool);
        for text in [
            "",
            "\0",
            "A\0B",
            &"9".repeat(10_240),
            &"{".repeat(10_240),
            "'; DROP TABLE requests; --",
            "99999999999999999999",
        ] {
            assert!(matches!(look_up(&db, "11", text).await, Found::Nothing), "{text:?}");
        }
    }
}
