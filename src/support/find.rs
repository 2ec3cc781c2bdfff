//! What is known of the ids that somebody looked up, within one partner's rows.
//!
//! What names a thing most exactly is looked for first, and what comes after it only if that found nothing: a pasted error tells its call by
//! its trace id, and the digits in it only belong to that call.

use time::OffsetDateTime;

use super::{
    failures::key_of,
    lookup::{Shape, Typed},
    store::{self, Alike, CallLine, KeptCall, Known, RequestLine},
};
use crate::{
    businesses::{self, Business, Event},
    db::TenantTx,
    graph::{BusinessId, WabaId},
    onboarding::{self, Request, RequestEvent, RequestNumber, State},
    sign_in,
    webhooks::{self, KeptChange},
};

/// Businesses of a name, and other things of one kind, that are listed.
const MOST_LISTED: usize = 10;

/// Webhook changes that are listed.
const TOLD_LISTED: i64 = 20;

/// Lines of a business's own story beside a call's.
const BUSINESS_EVENTS: i64 = 20;

/// How far back 'the same error today' looks.
const TODAY: time::Duration = time::Duration::days(1);

/// The answer to a look-up, and by what it was found. One hit opens at once.
#[derive(Clone, Debug)]
pub struct Answer {
    pub found: Found,
    pub by: By,
    /// Where nothing else is known: what Meta's webhooks told of the ids, newest first.
    pub told: Vec<KeptChange>,
}

/// What found it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// Nothing did.
    #[default]
    Nothing,
    /// `fbtrace_id` or `x-fb-request-id`.
    Trace,
    /// Ours.
    Number,
    /// An id in digits.
    Digits,
    /// The name of a business.
    Name,
}

/// What was found.
#[derive(Clone, Debug)]
pub enum Found {
    /// Nothing, or nothing of this partner's.
    Nothing,
    /// One request: its own page shows it.
    Request(RequestLine),
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

/// A call, and all that is known around it.
#[derive(Clone, Debug)]
pub struct CallStory {
    pub call: KeptCall,
    /// The request it was made for.
    pub request: Option<Request>,
    /// The newest request for its business, where that is another one, and how that stands.
    pub newer: Option<(RequestNumber, State)>,
    /// Everything that request has been, oldest first.
    pub events: Vec<RequestEvent>,
    /// Every call made for that request, newest first.
    pub calls: Vec<CallLine>,
    /// The business that was called.
    pub business: Option<Business>,
    /// What changed about that business, newest first.
    pub business_events: Vec<Event>,
    /// When the system user's token was stored, and by whom.
    pub token_stored: Option<(OffsetDateTime, String)>,
    /// What failed alike within a day.
    pub alike: Option<Alike>,
}

/// Everything found, by kind.
#[derive(Clone, Debug, Default)]
pub struct Hits {
    pub requests: Vec<RequestLine>,
    pub businesses: Vec<KnownBusiness>,
    pub calls: Vec<CallLine>,
    /// There are more of them than are listed.
    pub more: bool,
}

impl Hits {
    fn is_empty(&self) -> bool {
        self.requests.is_empty() && self.businesses.is_empty() && self.calls.is_empty()
    }
}

/// Looks for everything that was typed.
pub async fn find(tx: &mut TenantTx, typed: &Typed, now: OffsetDateTime) -> sqlx::Result<Answer> {
    let ids = &typed.ids;
    let mut hits = Hits { more: ids.more, ..Hits::default() };
    let mut by = By::Nothing;
    if !ids.traces.is_empty() {
        (hits.calls, by) = (store::calls_by_traces(tx, &ids.traces).await?, By::Trace);
    }
    if !ids.numbers.is_empty() && !are_digits_alone(typed) {
        if hits.is_empty() {
            by = By::Number;
        }
        hits.requests = store::requests_by_ids(tx, &ids.numbers, &[]).await?;
    }
    if hits.is_empty() && !ids.lookalikes.is_empty() {
        (hits.calls, by) = (store::calls_by_traces(tx, &ids.lookalikes).await?, By::Trace);
    }
    if (hits.is_empty() || typed.shape == Shape::Ids) && !ids.digits.is_empty() {
        if hits.is_empty() {
            by = By::Digits;
        }
        find_digits(tx, typed, &mut hits).await?;
    }
    if let Some(name) = typed.name.as_deref().filter(|_| hits.is_empty()) {
        let (businesses, more) = businesses::businesses_named(tx, name, MOST_LISTED, now).await?;
        hits.businesses = businesses.into_iter().map(|business| KnownBusiness { business, by_waba: None }).collect();
        hits.more |= more;
        by = By::Name;
    }
    let most = usize::try_from(store::MOST_FOUND).unwrap_or(usize::MAX);
    hits.more |= hits.calls.len().max(hits.requests.len()).max(hits.businesses.len()) > most;
    hits.calls.truncate(most);
    hits.requests.truncate(most);
    hits.businesses.truncate(most);
    let found = open_single(tx, hits, now).await?;
    if !matches!(found, Found::Nothing) {
        return Ok(Answer { found, by, told: Vec::new() });
    }
    let told =
        if ids.digits.is_empty() { Vec::new() } else { webhooks::changes_naming(tx, &ids.digits, TOLD_LISTED).await? };
    Ok(Answer { found, by: By::Nothing, told })
}

/// One call by our id, with all around it.
pub async fn find_call(tx: &mut TenantTx, call_id: i64, now: OffsetDateTime) -> sqlx::Result<Option<CallStory>> {
    let Some(call) = store::find_call(tx, call_id).await? else { return Ok(None) };
    let mut story = CallStory {
        request: None,
        newer: None,
        events: Vec::new(),
        calls: Vec::new(),
        business: None,
        business_events: Vec::new(),
        token_stored: None,
        alike: None,
        call,
    };
    if let Some(number) = story.call.number {
        story.request = onboarding::find_request(tx, number).await?;
        if let Some(request) = &story.request {
            story.newer = onboarding::newer_request(tx, &request.business_id, number).await?;
        }
        story.events = onboarding::events_of(tx, number).await?;
        story.calls = store::calls_of_request(tx, number).await?;
    }
    if let (Some(id), true) = (story.call.subject_id.clone(), story.call.business_name.is_some()) {
        let id = BusinessId::from_stored(id);
        story.business = businesses::find_business(tx, &id).await?;
        story.business_events = businesses::events_of(tx, &id, BUSINESS_EVENTS).await?;
    }
    // No member is asked about: the token is the workspace's.
    let connection = sign_in::connection(tx, 0, now).await?;
    story.token_stored = connection.system_user.map(|token| (token.stored_at, token.stored_by));
    if story.call.cause().is_some() {
        let call = &story.call;
        let key = key_of(call.code, call.subcode, call.failure.as_deref(), call.message.as_deref());
        story.alike = Some(store::alike(tx, &key, now - TODAY).await?);
    }
    Ok(Some(story))
}

/// Alone, digits may be our number without its letters as well as any id of Meta's.
fn are_digits_alone(typed: &Typed) -> bool {
    typed.shape == Shape::Id && !typed.ids.digits.is_empty()
}

async fn find_digits(tx: &mut TenantTx, typed: &Typed, hits: &mut Hits) -> sqlx::Result<()> {
    let digits = &typed.ids.digits;
    let numbers: &[RequestNumber] = if are_digits_alone(typed) { &typed.ids.numbers } else { &[] };
    for line in store::requests_by_ids(tx, numbers, digits).await? {
        if !hits.requests.contains(&line) {
            hits.requests.push(line);
        }
    }
    for Known { business_id, waba_id } in store::known_businesses(tx, digits).await? {
        if let Some(business) = businesses::find_business(tx, &BusinessId::from_stored(business_id)).await? {
            hits.businesses.push(KnownBusiness { business, by_waba: waba_id.map(WabaId::from_stored) });
        }
    }
    if hits.businesses.is_empty() && hits.requests.is_empty() {
        hits.calls.extend(store::calls_to(tx, digits).await?);
    }
    Ok(())
}

async fn open_single(tx: &mut TenantTx, mut hits: Hits, now: OffsetDateTime) -> sqlx::Result<Found> {
    match (hits.requests.as_slice(), hits.businesses.len(), hits.calls.as_slice()) {
        ([], 0, []) => return Ok(Found::Nothing),
        ([_], 0, []) => return Ok(hits.requests.pop().map_or(Found::Nothing, Found::Request)),
        ([], 1, []) => {}
        ([], 0, [call]) => {
            let story = find_call(tx, call.call_id, now).await?;
            return Ok(story.map_or(Found::Nothing, |story| Found::Call(Box::new(story))));
        }
        _ => return Ok(Found::Several(hits)),
    }
    let Some(known) = hits.businesses.pop() else { return Ok(Found::Nothing) };
    let calls = store::calls_to(tx, &[known.business.id.to_string()]).await?;
    Ok(Found::Business(Box::new(known), calls))
}

#[cfg(test)]
mod tests {
    use sqlx::PgPool;

    use super::*;
    use crate::{
        db::Db,
        support::{
            fixture::{META_REQUEST, NOW, TRACE, partner, refused_call, seed},
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
        find(&mut tx, &read(text), NOW).await.unwrap().found
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn every_kind_of_id_finds_its_thing_alone_and_inside_a_text(pool: PgPool) {
        let (db, number) = house(pool).await;
        for text in [
            format!("LB-{number}"),
            number.to_string(),
            META_REQUEST.to_owned(),
            format!("see LB-{number} for more"),
            format!("{{\"request_id\":\"{META_REQUEST}\"}}"),
        ] {
            let found = look_up(&db, "11", &text).await;
            assert!(matches!(&found, Found::Request(line) if line.number.0 == number), "{text}: {found:?}");
        }
        for (text, by_waba) in [
            (BUSINESS.to_owned(), None),
            (format!("curl https://graph.facebook.com/v25.0/{BUSINESS}?fields=id"), None),
            (WABA.to_owned(), Some(WABA)),
            (format!("INFO waba_id={WABA} not eligible, asked at 1744823932"), Some(WABA)),
        ] {
            let Found::Business(known, calls) = look_up(&db, "11", &text).await else { panic!("no business: {text}") };
            assert_eq!((known.business.id.as_str(), calls.len()), (BUSINESS, 1), "{text}");
            assert_eq!(known.by_waba.as_ref().map(AsRef::as_ref), by_waba, "{text}");
        }
        for text in [
            TRACE.to_owned(),
            format!("6f1c1b5e-{TRACE}"),
            format!("{{\"error\":{{\"message\":\"Object with ID '{BUSINESS}'\",\"fbtrace_id\":\"{TRACE}\"}}}}"),
            format!("< HTTP/2 403\n< x-fb-request-id: 6f1c1b5e-{TRACE}\n"),
            format!("10:21 WARN {BUSINESS} refused, {TRACE}"),
        ] {
            let Found::Call(story) = look_up(&db, "11", &text).await else { panic!("no call by {text}") };
            assert_eq!(story.call.fbtrace_id.as_deref(), Some(TRACE));
            assert_eq!(story.request.unwrap().number.0, number);
            assert_eq!(story.business.unwrap().id.as_str(), BUSINESS);
        }
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn a_text_whose_trace_id_is_not_ours_is_found_by_what_else_is_in_it(pool: PgPool) {
        let (db, _) = house(pool).await;
        let text =
            format!("{{\"error\":{{\"message\":\"ID '{BUSINESS}'\",\"fbtrace_id\":\"AOtherTraceId1234567890\"}}}}");
        let mut tx = db.tenant(&partner("11")).await.unwrap();
        let answer = find(&mut tx, &read(&text), NOW).await.unwrap();
        assert!(matches!(answer.found, Found::Business(..)));
        assert_eq!(answer.by, By::Digits);
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn what_belongs_to_another_partner_is_as_unknown_as_what_nobody_knows(pool: PgPool) {
        let (db, number) = house(pool).await;
        let x_fb_request_id = format!("6f1c1b5e-{TRACE}");
        let log = format!("fbtrace_id={TRACE} LB-{number} {BUSINESS} {WABA} {META_REQUEST}");
        for text in [
            &format!("LB-{number}"),
            META_REQUEST,
            BUSINESS,
            WABA,
            TRACE,
            &x_fb_request_id,
            &log,
            "Banyan",
            "999",
            "Azzz",
        ] {
            assert!(matches!(look_up(&db, "22", text).await, Found::Nothing), "{text}");
        }
        let mut tx = db.tenant(&partner("22")).await.unwrap();
        for call_id in 0..5 {
            assert!(find_call(&mut tx, call_id, NOW).await.unwrap().is_none());
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
    async fn several_ids_in_a_row_give_a_list_of_all(pool: PgPool) {
        let (db, number) = house(pool).await;
        let Found::Several(hits) = look_up(&db, "11", &format!("{TRACE} {WABA} LB-{number}")).await else {
            panic!("not several")
        };
        assert_eq!((hits.requests.len(), hits.businesses.len(), hits.calls.len()), (1, 1, 1));
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
        let (db, _) = house(pool).await;
        for text in [
            "",
            "\0",
            "A\0B",
            &"9".repeat(10_240),
            &"{".repeat(10_240),
            &"1234567890 ".repeat(10_240),
            "'; DROP TABLE requests; --",
            "99999999999999999999",
            "\u{202e}\u{2066}🦊",
            &format!("fbtrace_id: {}", "\0".repeat(10)),
        ] {
            assert!(matches!(look_up(&db, "11", text).await, Found::Nothing), "{text:.40?}");
        }
    }
}
