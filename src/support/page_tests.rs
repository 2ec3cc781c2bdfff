use super::*;
use crate::{
    db::Db,
    support::{
        fixture::{NOW, TRACE, partner, refused_call, seed, viewer},
        store,
    },
};
use sqlx::PgPool;

const BUSINESS: &str = "2210758843906172";

/// What a browser would get for `text`, without the framework's markers.
async fn html(db: &Db, text: &str) -> String {
    let viewer = viewer("11");
    let typed = lookup::read(text);
    let mut tx = db.tenant(&viewer.partner).await.unwrap();
    let found = find(&mut tx, &typed, NOW).await.unwrap();
    Owner::new().with(|| {
        let asked = Asked { text, typed: &typed, length: None, stated: stated::read(text) };
        let graph = Url::parse("https://graph.facebook.com").unwrap();
        let answer = answer(&asked, found, &viewer, &graph, NOW);
        view! { {head(text)}{answer} }.into_any().to_html().replace("<!>", "")
    })
}

async fn house(pool: PgPool) -> (Db, i64) {
    let number = seed(&pool, "11", BUSINESS, "980198427651188").await;
    let db = Db::from_pool(pool);
    let mut call = refused_call("11", BUSINESS, TRACE);
    call.origin.request = Some(number);
    store::insert(&db, Some(&partner("11")), &[&call]).await.unwrap();
    (db, number)
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_trace_id_shows_what_happened_the_facts_and_the_request(pool: PgPool) {
    let (db, number) = house(pool).await;
    let html = html(&db, &format!("{{\"error\":{{\"fbtrace_id\":\"{TRACE}\"}}}}")).await;
    let request = format!("href=\"/requests/LB-{number}\"");
    let business = format!("href=\"/businesses/{BUSINESS}\"");
    let facts = [
        "Read as a Graph error",
        "HTTP 403",
        "200 / 1349174",
        "Permission Denied",
        "is_transient: false",
        "Probably",
        "0.34 s",
        "Raw answer",
        "What to tell the client",
        "Copy for Meta Direct Support",
        &request,
        &business,
    ];
    for fact in facts {
        assert!(html.contains(fact), "{fact} is not in {html}");
    }
    assert!(!html.contains("<b>No</b>") && !html.contains("<i>Leaf</i>"), "{html}");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_business_or_its_waba_shows_where_it_stands_and_its_calls(pool: PgPool) {
    let (db, _) = house(pool).await;
    for (text, read_as) in [(BUSINESS, "Read as a business ID"), ("980198427651188", "Read as a WABA ID")] {
        let html = html(&db, text).await;
        for fact in [read_as, "Failed", "3 WABAs", "/support/calls/", "Meta refused to onboard"] {
            assert!(html.contains(fact), "{fact} is not in {html}");
        }
    }
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn what_nobody_knows_says_so_and_where_we_looked(pool: PgPool) {
    let db = Db::from_pool(pool);
    let page = html(&db, "Azzz").await;
    assert!(page.contains("Nothing known about Azzz"), "{page}");
    assert!(page.contains("older than 400 days. Case matters in an fbtrace_id."), "{page}");
    assert!(page.contains("We looked among"), "{page}");
    let page = html(&db, "<script>alert(1)</script>").await;
    assert!(page.contains("Read as a name") && !page.contains("<script>"), "{page}");
    let page = html(&db, "\u{1f98a}").await;
    assert!(page.contains("It does not look like an ID"), "{page}");
    let page = html(&db, "{\"error\":{\"code\":1}}").await;
    assert!(page.contains("names no fbtrace_id"), "{page}");
    let page = html(&db, &format!("\0{}", "ا".repeat(10_000))).await;
    assert!(page.contains("No ID stands in this text") && !page.contains('\0'));
}

#[test]
fn the_box_is_named_and_works_without_script() {
    let html = Owner::new().with(|| view! { {head("")}{start(Vec::new(), Vec::new(), NOW)} }.into_any().to_html());
    for part in
        ["method=\"post\"", "action=\"/support\"", "type=\"search\"", "name=\"q\"", ">Look up</label>", "LB-1001"]
    {
        assert!(html.contains(part), "{part} is not in {html}");
    }
}
