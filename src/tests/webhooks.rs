//! Stories of webhooks: Meta tells, and what becomes of it.

use std::time::Duration;

use futures::StreamExt as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use liteboard::graph_simulator::{Options, Quirk, Situation};
use reqwest::{Method, Response};
use sqlx::PgPool;

use super::app::{ADMIN, HARBOUR_REACH, MANAGER, NORTHLANE, RIVAL, SUPPORT, TestApp, VERIFY_TOKEN, onboard};

/// What Meta puts in `X-Hub-Signature-256`.
fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

async fn post(app: &TestApp, body: Vec<u8>, signature: Option<&str>) -> reqwest::Result<Response> {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client.post(format!("{}/webhooks/meta", app.url)).header("content-type", "application/json");
    if let Some(signature) = signature {
        request = request.header("x-hub-signature-256", signature);
    }
    request.body(body).send().await
}

async fn tell(app: &TestApp, body: &str) {
    let answer = post(app, body.into(), Some(&signature(app.simulator.app_secret(), body.as_bytes()))).await.unwrap();
    assert_eq!(answer.status(), 200, "{body}");
}

fn update(entry: &str, at: i64, event: &str, business: &str, waba: &str) -> String {
    format!(
        r#"{{"object":"whatsapp_business_account","entry":[{{"id":"{entry}","time":{at},"changes":[{{"field":"account_update","value":{{"event":"{event}","waba_info":{{"owner_business_id":"{business}","waba_id":"{waba}"}}}}}}]}}]}}"#
    )
}

/// Partner, event and outcome of everything that is kept, as its owner sees it.
async fn kept(app: &TestApp) -> Vec<(Option<String>, Option<String>, Option<String>)> {
    sqlx::query!("SELECT partner_id::text, event, outcome FROM webhook_changes ORDER BY change_id")
        .fetch_all(app.db.pool())
        .await
        .unwrap()
        .into_iter()
        .map(|row| (row.partner_id, row.event, row.outcome))
        .collect()
}

async fn until_settled(app: &TestApp) {
    app.until("every change to be looked at", async || {
        kept(app).await.iter().all(|(partner, _, outcome)| partner.is_none() || outcome.is_some())
    })
    .await;
}

async fn standing(app: &TestApp, partner: &str, business: &str) -> String {
    let mut tx = app.tenant(partner).await;
    sqlx::query_scalar!("SELECT standing FROM businesses WHERE business_id = $1", business as _)
        .fetch_one(&mut *tx)
        .await
        .unwrap()
}

async fn first_waba(app: &TestApp, business: &str) -> String {
    let mut tx = app.tenant(NORTHLANE).await;
    sqlx::query_scalar!("SELECT waba_id::text AS \"id!\" FROM wabas WHERE business_id = $1 LIMIT 1", business as _)
        .fetch_one(&mut *tx)
        .await
        .unwrap()
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn admins_accept_and_the_webhook_moves_the_request_to_accepted_and_a_sync_to_ready(pool: PgPool) {
    let app = TestApp::start(pool).await;
    app.subscribe();
    let browser = app.signed_in(MANAGER).await;
    let business = app.eligible_business().await;
    onboard(&browser, &business).await;
    assert_eq!(app.request_for(&business).await.0, "requested");

    app.simulator.accept(&business).unwrap();
    app.simulator.webhooks_settled().await;
    assert!(app.simulator.webhooks_delivered() > 0, "the app answered the handshake and took the delivery");
    app.until_request_is(&business, "accepted").await;
    assert_eq!(standing(&app, NORTHLANE, &business).await, "accepted");
    let page = browser.open(&format!("/businesses/{business}")).await.unwrap();
    assert!(page.body.contains("The terms are signed"), "{}", page.body);
    assert!(page.body.contains("Meta told us by webhook: MM_LITE_TERMS_SIGNED"), "{}", page.body);

    app.advance(Duration::from_hours(2)).await;
    browser.send("/businesses/sync", &[]).await.unwrap();
    app.until_request_is(&business, "ready").await;
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_business_that_signs_unasked_is_accepted_and_every_delivery_may_come_twice(pool: PgPool) {
    let app = TestApp::start(pool).await;
    app.subscribe();
    app.simulator.set_quirk(Quirk::DuplicateWebhooks, true);
    let browser = app.signed_in(ADMIN).await;
    let business = app.simulator.business_where(NORTHLANE, Situation::OnBehalfMixed).unwrap();
    assert_ne!(standing(&app, NORTHLANE, &business).await, "accepted");
    app.simulator.accept(&business).unwrap();
    app.simulator.webhooks_settled().await;
    app.until("it to be accepted", async || standing(&app, NORTHLANE, &business).await == "accepted").await;
    until_settled(&app).await;
    let outcomes = kept(&app).await;
    assert_eq!(app.simulator.webhooks_delivered(), 2 * outcomes.len() as u64, "each was kept once");
    let applied = outcomes.iter().filter(|(.., outcome)| outcome.as_deref() == Some("applied")).count();
    assert_eq!(applied, 1, "a business signs once, however many WABAs it has: {outcomes:?}");
    let mut tx = app.tenant(NORTHLANE).await;
    let requests = sqlx::query_scalar!("SELECT count(*) AS \"n!\" FROM requests").fetch_one(&mut *tx).await.unwrap();
    assert_eq!(requests, 0, "no request of ours was made up");
    let page = browser.open("/settings/webhooks").await.unwrap();
    assert!(page.body.contains("MM_LITE_TERMS_SIGNED") && page.body.contains("Receiving"), "{}", page.body);
    assert!(page.body.contains(&format!("href=\"/businesses/{business}\"")), "{}", page.body);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_client_that_leaves_and_comes_back_is_followed_by_webhook_alone(pool: PgPool) {
    let app = TestApp::start(pool).await;
    app.subscribe();
    let _browser = app.signed_in(MANAGER).await;
    let business = app.eligible_business().await;
    let has_left = async || {
        let mut tx = app.tenant(NORTHLANE).await;
        sqlx::query_scalar!(
            "SELECT left_at IS NOT NULL AS \"left!\" FROM businesses WHERE business_id = $1",
            &business as _
        )
        .fetch_one(&mut *tx)
        .await
        .unwrap()
    };
    app.simulator.advance(Duration::from_mins(3));
    app.simulator.leave_partner(&business, NORTHLANE).unwrap();
    app.simulator.webhooks_settled().await;
    app.until("it to leave", async || has_left().await).await;
    app.simulator.advance(Duration::from_mins(3));
    app.simulator.join_partner(&business, NORTHLANE).unwrap();
    app.simulator.webhooks_settled().await;
    app.until("it to return", async || !has_left().await).await;
    assert_eq!(standing(&app, NORTHLANE, &business).await, "eligible");

    let syncs = async || {
        let mut tx = app.tenant(NORTHLANE).await;
        sqlx::query_scalar!("SELECT count(*) AS \"n!\" FROM syncs").fetch_one(&mut *tx).await.unwrap()
    };
    let before = syncs().await;
    app.advance(Duration::from_mins(6)).await;
    app.until("a sync to look at what changed", async || syncs().await == before + 1).await;
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn support_reads_in_a_timeline_what_each_change_moved_and_on_the_list_what_became_of_it(pool: PgPool) {
    let app = TestApp::start(pool).await;
    app.subscribe();
    let (manager, support) = (app.signed_in(MANAGER).await, app.signed_in(SUPPORT).await);
    let business = app.eligible_business().await;
    let waba = first_waba(&app, &business).await;
    onboard(&manager, &business).await;
    let at = app.clock.now().unix_timestamp();
    let told = ["ACCOUNT_VIOLATION", "AD_ACCOUNT_LINKED", "VOLUME_BASED_PRICING_TIER_UPDATE", "TERMS_FROM_THE_FUTURE"];
    for (after, event) in (0..).zip(told) {
        let change = update(NORTHLANE, at + after, event, &business, &waba);
        tell(&app, &change).await;
        // Meta sends what it isn't sure of again.
        tell(&app, &change).await;
    }
    app.simulator.accept(&business).unwrap();
    app.simulator.webhooks_settled().await;
    app.until_request_is(&business, "accepted").await;
    until_settled(&app).await;

    let see = async |path: &str| {
        let answer = support.open(path).await.unwrap();
        assert_eq!(answer.status.as_u16(), 200, "{path}");
        answer.body.replace("<!>", "")
    };
    let page = see(&format!("/businesses/{business}")).await;
    for (moved, event) in [
        ("The terms are signed", "MM_LITE_TERMS_SIGNED"),
        (" broke one of Meta’s policies", "ACCOUNT_VIOLATION"),
        (": an ad account was linked", "AD_ACCOUNT_LINKED"),
        (": its price tier changed", "VOLUME_BASED_PRICING_TIER_UPDATE"),
        ("Something changed at Meta", "TERMS_FROM_THE_FUTURE"),
    ] {
        let source = format!("Meta told us by webhook: {event}");
        assert_eq!(page.matches(&source).count(), 1, "{event} is told once: {page}");
        let line = page.split("<li").find(|line| line.contains(&source)).unwrap();
        assert!(line.contains(moved) && line.contains("<time"), "{event} moved: {line}");
    }
    assert!(page.contains("Accepted: the terms are signed"), "what the request came to be stands beside it: {page}");
    assert!(!page.contains("action=\"/onboarding/onboard\""), "support looks and sends nothing");

    let list = see("/settings/webhooks").await;
    for (event, outcome) in [
        ("MM_LITE_TERMS_SIGNED", "Applied"),
        ("ACCOUNT_VIOLATION", "Applied"),
        ("AD_ACCOUNT_LINKED", "Applied"),
        ("VOLUME_BASED_PRICING_TIER_UPDATE", "It changes nothing here."),
        ("TERMS_FROM_THE_FUTURE", "We do not know this event. Kept as it came."),
    ] {
        let rows: Vec<&str> = list.split("<tr").filter(|row| row.contains(&format!("<bdi>{event}</bdi>"))).collect();
        assert!(!rows.is_empty() && rows.iter().any(|row| row.contains(outcome)), "{event}: {rows:?}");
        assert!(rows.iter().all(|row| row.contains(&format!("href=\"/businesses/{business}\""))), "{event}: {rows:?}");
        let once = event == "MM_LITE_TERMS_SIGNED" || rows.len() == 1;
        assert!(once, "{event} is listed once, however often it came");
    }
    assert!(!list.contains("Callback URL"), "how it is set up is for admins");

    let row = list.split("<tr").find(|row| row.contains("<bdi>TERMS_FROM_THE_FUTURE</bdi>")).unwrap();
    let (_, one) = row.split_once("href=\"/settings/webhooks/").expect("a change can be opened");
    let address = format!("/settings/webhooks/{}", one.split('"').next().unwrap());
    let change = see(&address).await;
    assert!(change.contains("As it came") && change.contains("TERMS_FROM_THE_FUTURE"), "{change}");
    assert!(change.contains(&format!("href=\"/businesses/{business}\"")), "{change}");
    let theirs = app.signed_in(RIVAL).await.open(&address).await.unwrap();
    assert_eq!(theirs.status, 404, "{}", theirs.body);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_solution_stands_where_the_webhook_says(pool: PgPool) {
    let app = TestApp::start(pool).await;
    app.subscribe();
    let _browser = app.signed_in(ADMIN).await;
    let status = async |id: &str| {
        let mut tx = app.tenant(NORTHLANE).await;
        sqlx::query_scalar!("SELECT status FROM solutions WHERE solution_id = $1", id as _)
            .fetch_one(&mut *tx)
            .await
            .unwrap()
    };
    let mut tx = app.tenant(NORTHLANE).await;
    let solution: String =
        sqlx::query_scalar!("SELECT solution_id::text AS \"id!\" FROM solutions WHERE status = 'ACTIVE' LIMIT 1")
            .fetch_one(&mut *tx)
            .await
            .unwrap();
    drop(tx);
    app.simulator.set_solution_status(&solution, "PENDING_DEACTIVATION").unwrap();
    app.simulator.webhooks_settled().await;
    app.until("the new status", async || status(&solution).await.as_deref() == Some("PENDING_DEACTIVATION")).await;
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn what_is_forged_cut_too_large_or_no_json_is_refused_counted_and_not_kept(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let secret = app.simulator.app_secret().to_owned();
    let good = update(NORTHLANE, 1_764_000_000, "MM_LITE_TERMS_SIGNED", "201000000000001", "301000000000001");
    let of_good = signature(&secret, good.as_bytes());
    let cut = &good[..good.len() / 2];
    for (body, signature, status) in [
        (good.clone(), None, 401),
        (good.clone(), Some("sha1=00".to_owned()), 401),
        (good.clone(), Some(of_good.trim_start_matches("sha256=").to_owned()), 401),
        (good.clone(), Some(signature("another-secret", good.as_bytes())), 401),
        (good.replace("SIGNED", "signed"), Some(of_good.clone()), 401),
        (cut.to_owned(), Some(of_good.clone()), 401),
        (cut.to_owned(), Some(signature(&secret, cut.as_bytes())), 400),
        (String::new(), Some(signature(&secret, b"")), 400),
        ("entry=1".to_owned(), Some(signature(&secret, b"entry=1")), 400),
    ] {
        let answer = post(&app, body.clone().into(), signature.as_deref()).await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{body} {signature:?}");
        assert!(!answer.text().await.unwrap().contains("SIGNED"), "nothing is echoed");
    }
    let large = format!("\"{}\"", "x".repeat(3 * 1024 * 1024));
    let refused = post(&app, large.clone().into(), Some(&signature(&secret, large.as_bytes()))).await;
    // The rest of a body that is refused midway is not read, so the sender may find the connection closed first.
    assert!(refused.is_err() || refused.unwrap().status() == 413);
    let largest = &large[..3 * 1024 * 1024 - 1];
    let largest = format!("{largest}\"");
    tell(&app, &largest).await;

    assert_eq!(kept(&app).await.len(), 1, "only the one that was signed and whole");
    let counted = async || {
        sqlx::query!("SELECT reason, n FROM webhook_refusals ORDER BY reason")
            .fetch_all(app.db.pool())
            .await
            .unwrap()
            .into_iter()
            .map(|row| (row.reason, row.n))
            .collect::<Vec<_>>()
    };
    let expected =
        [("malformed_signature", 2), ("not_json", 3), ("not_signed", 1), ("too_large", 1), ("wrong_signature", 3)]
            .map(|(reason, n)| (reason.to_owned(), n));
    app.until("the counts", async || counted().await == expected).await;
    let (admin, support) = (app.signed_in(ADMIN).await, app.signed_in(SUPPORT).await);
    let page = admin.open("/settings/webhooks").await.unwrap();
    assert!(
        page.body.contains("6 refused in 24 hours")
            && page.body.contains(", the last between ")
            && page.body.contains("/webhooks/meta"),
        "{}",
        page.body
    );
    let page = support.open("/settings/webhooks").await.unwrap();
    assert!(!page.body.contains("refused in 24 hours") && !page.body.contains("/webhooks/meta"), "{}", page.body);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_body_that_ends_early_is_a_400(pool: PgPool) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let app = TestApp::start(pool).await;
    let mut stream = tokio::net::TcpStream::connect(app.url.trim_start_matches("http://")).await.unwrap();
    let head = format!(
        "POST /webhooks/meta HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\nx-hub-signature-256: {}\r\n\r\n{{\"entry\"",
        signature(app.simulator.app_secret(), b"{}")
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(kept(&app).await.is_empty());
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn only_who_knows_the_token_gets_the_challenge_back(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let stranger = app.browser();
    let ask = async |query: &str| {
        let answer = stranger.ask(Method::GET, &format!("/webhooks/meta{query}"), None).await.unwrap();
        (answer.status.as_u16(), answer.body)
    };
    let good = format!("?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={VERIFY_TOKEN}");
    assert_eq!(ask(&good).await, (200, "1158201444".to_owned()));
    for (query, status) in [
        (String::new(), 403),
        ("?hub.mode=subscribe&hub.challenge=1&hub.verify_token=".to_owned(), 403),
        (format!("?hub.mode=subscribe&hub.challenge=1&hub.verify_token={VERIFY_TOKEN}x"), 403),
        (format!("?hub.mode=unsubscribe&hub.challenge=1&hub.verify_token={VERIFY_TOKEN}"), 400),
        (format!("?hub.mode=subscribe&hub.verify_token={VERIFY_TOKEN}"), 400),
    ] {
        let (given, body) = ask(&query).await;
        assert_eq!(given, status, "{query}: {body}");
        assert_ne!(body, "1");
    }
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn what_names_nobody_we_know_is_kept_for_nobody_and_comes_to_light_once_somebody_knows_it(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(ADMIN).await;
    let business = app.eligible_business().await;
    let waba = first_waba(&app, &business).await;
    let at = app.clock.now().unix_timestamp();
    // A partner that isn't ours, a WABA nobody knows, events from the future.
    tell(&app, &update("999", at, "MM_LITE_TERMS_SIGNED", &business, &waba)).await;
    tell(&app, &format!(r#"{{"entry":[{{"id":"777","time":{at},"changes":[{{"field":"account_update","value":{{"event":"DISABLED_UPDATE"}}}}]}}]}}"#)).await;
    tell(&app, &update(NORTHLANE, at, "TERMS_FROM_THE_FUTURE", &business, &waba)).await;
    tell(&app, &update(NORTHLANE, at, "MM_LITE_TERMS_SIGNED", "888", "889")).await;
    until_settled(&app).await;
    let outcomes: Vec<_> = kept(&app).await.into_iter().map(|(partner, _, outcome)| (partner, outcome)).collect();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        outcomes,
        [
            (None, None),
            (None, None),
            (some(NORTHLANE), some("unknown_event")),
            (some(NORTHLANE), some("waits_for_business")),
        ]
    );
    assert_eq!(
        standing(&app, NORTHLANE, &business).await,
        "eligible",
        "another partner's webhook moves nothing of ours"
    );
    let page = browser.open("/settings/webhooks").await.unwrap();
    assert!(page.body.contains("TERMS_FROM_THE_FUTURE") && !page.body.contains("DISABLED_UPDATE"), "{}", page.body);
    let rival = app.signed_in(RIVAL).await;
    let page = rival.open("/settings/webhooks").await.unwrap();
    assert!(page.body.contains("Nothing heard yet"), "another partner sees none of it: {}", page.body);
    for id in ["888", "889"] {
        let found = browser.open(&format!("/support?q={id}")).await.unwrap().body;
        assert!(found.contains("webhooks name it") && found.contains("MM_LITE_TERMS_SIGNED"), "{found}");
        let found = rival.open(&format!("/support?q={id}")).await.unwrap().body;
        assert!(found.contains("Nothing known") && !found.contains("MM_LITE_TERMS_SIGNED"), "{found}");
    }

    let mut tx = app.tenant(NORTHLANE).await;
    sqlx::raw_sql(
        "INSERT INTO businesses (partner_id, business_id, name, name_key, words, first_seen_at)
         VALUES ('102000000000001', '888', 'Late', 'late', '', now());
         INSERT INTO wabas (partner_id, waba_id, business_id, name, link, first_seen_at, changed_at)
         VALUES ('102000000000001', '777', '888', 'Late', 'shared', now(), now())",
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    app.advance(Duration::from_secs(1)).await;
    app.until("the terms to be signed", async || standing(&app, NORTHLANE, "888").await == "accepted").await;
    app.until("the ban to be told", async || {
        kept(&app).await.contains(&(some(NORTHLANE), some("DISABLED_UPDATE"), some("applied")))
    })
    .await;
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_change_of_another_partner_is_not_ours_to_see(pool: PgPool) {
    let app = TestApp::start(pool).await;
    app.subscribe();
    let (ours, theirs) = (app.signed_in(ADMIN).await, app.signed_in(RIVAL).await);
    let business = app.simulator.businesses_of(HARBOUR_REACH).unwrap().swap_remove(0);
    tell(
        &app,
        &update(
            HARBOUR_REACH,
            app.clock.now().unix_timestamp(),
            "AD_ACCOUNT_LINKED",
            &business.id,
            &business.wabas[0].id,
        ),
    )
    .await;
    until_settled(&app).await;
    let see = async |browser: &super::browser::Browser| {
        browser.open("/settings/webhooks").await.unwrap().body.contains("AD_ACCOUNT_LINKED")
    };
    assert_eq!((see(&ours).await, see(&theirs).await), (false, true));
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn meta_is_neither_limited_nor_asked_where_it_comes_from(pool: PgPool) {
    let app = TestApp::start_limited(pool, Options { businesses: 5, ..Options::default() }, |url| {
        liteboard::limits::Limits::new(Vec::new(), url.clone())
    })
    .await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let sent = (0..1_500).map(|n| {
        let body = update(NORTHLANE, 1_764_000_000 + n, "ACCOUNT_VIOLATION", "1", "2");
        client
            .post(format!("{}/webhooks/meta", app.url))
            .header("x-hub-signature-256", signature(app.simulator.app_secret(), body.as_bytes()))
            .header("origin", "https://elsewhere.example")
            .header("sec-fetch-site", "cross-site")
            .body(body)
            .send()
    });
    let statuses: Vec<u16> = futures::stream::iter(sent)
        .buffer_unordered(64)
        .map(|answer| answer.unwrap().status().as_u16())
        .collect()
        .await;
    assert!(statuses.iter().all(|status| *status == 200));
    assert_eq!(kept(&app).await.len(), 1_500);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_delivery_of_a_thousand_changes_is_kept_change_by_change(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let changes: Vec<String> = (0..1_000)
        .map(|n| format!(r#"{{"field":"account_update","value":{{"event":"ACCOUNT_VIOLATION","waba_info":{{"waba_id":"{n}"}}}}}}"#))
        .collect();
    let body = format!(r#"{{"entry":[{{"id":"{NORTHLANE}","time":1764000000,"changes":[{}]}}]}}"#, changes.join(","));
    tell(&app, &body).await;
    tell(&app, &body).await;
    assert_eq!(kept(&app).await.len(), 1_000);
    until_settled(&app).await;
}
