//! Stories of the support desk: an id in hand, a pasted text, a colleague's link, the same error elsewhere, answers that grew old.

use std::time::Duration;

use liteboard::{
    graph_simulator::{Fault, Operation},
    sign_in::PartnerSettings,
};
use reqwest::Method;
use sqlx::PgPool;

use super::{
    app::{ADMIN, MANAGER, NORTHLANE, RIVAL, SUPPORT, TestApp, onboard},
    browser::{Answer, Browser},
};

/// A refused onboarding call of Northlane's: its id, its trace, its x-fb-request-id, its business, its request.
struct Refused {
    call_id: i64,
    trace: String,
    x_fb_request_id: String,
    business: String,
    number: i64,
}

/// Has the manager's next click refused for want of a permission.
async fn refuse(app: &TestApp, browser: &Browser) -> Refused {
    let business = app.eligible_business().await;
    app.simulator.plan(Operation::Onboard, Fault::PermissionDenied, 1);
    onboard(browser, &business).await;
    app.until_request_is(&business, "failed").await;
    let mut tx = app.tenant(NORTHLANE).await;
    let row = sqlx::query!(
        r#"SELECT call_id, fbtrace_id AS "fbtrace_id!", x_fb_request_id AS "x_fb_request_id!", number AS "number!"
           FROM graph_calls WHERE subject_id = $1 AND operation = 'onboard_partners_to_mm_lite'"#,
        business,
    )
    .fetch_one(&mut *tx)
    .await
    .unwrap();
    Refused {
        call_id: row.call_id,
        trace: row.fbtrace_id,
        x_fb_request_id: row.x_fb_request_id,
        business,
        number: row.number,
    }
}

async fn look_up(browser: &Browser, text: &str) -> Answer {
    browser.send("/support", &[("q", text)]).await.unwrap()
}

fn holds(answer: &Answer, parts: &[&str]) {
    // Without the framework's markers, and from the heading on.
    let body = answer.body.replace("<!>", "");
    let main = body.split("<h1>").nth(1).unwrap_or(&body);
    for part in parts {
        assert!(main.contains(part), "{part} is not on {:.300}: {main:.3000}", answer.url);
    }
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn whatever_names_a_call_finds_it_alone_and_inside_a_paste(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let refused = refuse(&app, &app.signed_in(MANAGER).await).await;
    let support = app.signed_in(SUPPORT).await;
    let (trace, x_fb_request_id) = (&refused.trace, &refused.x_fb_request_id);
    let error = format!("{{\"error\":{{\"message\":\"(#200) No\",\"code\":200,\"fbtrace_id\":\"{trace}\"}}}}");
    let log = format!("{}10:21 WARN refused fbtrace_id={trace}\n", "10:20 INFO nothing to see\n".repeat(2_000));
    let curl = format!("< HTTP/2 403\n< x-fb-request-id: {x_fb_request_id}\n<\n{{}}");
    let parts =
        ["HTTP 403", "What to tell the client", "Copy for Meta Direct Support", "Same error today", "The whole story"];
    for (text, read_as) in [
        (trace, "Found by its fbtrace_id"),
        (x_fb_request_id, "Found by its x-fb-request-id"),
        (&error, "Read as a Graph error. Found by its fbtrace_id"),
        (&log, "Read as a log or another text"),
        (&curl, "Read as curl output. Found by its x-fb-request-id"),
    ] {
        let answer = look_up(&support, text).await;
        assert!(answer.status.is_success() && answer.url.contains("/support?q="), "{}", answer.url);
        assert!(answer.url.len() < 2_000, "a long text isn't put into the address: {}", answer.url.len());
        holds(&answer, &[read_as]);
        holds(&answer, &parts);
        holds(&answer, &[&format!("/support/calls/{}", refused.call_id)]);
    }
    let start = support.open("/support").await.unwrap();
    holds(&start, &["Your recent look-ups", trace, "All failures by cause"]);
    let others = app.signed_in(ADMIN).await.open("/support").await.unwrap();
    assert!(!others.body.contains(trace.as_str()), "look-ups are one's own");
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn ids_of_requests_businesses_wabas_and_names_lead_to_their_thing(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let manager = app.signed_in(MANAGER).await;
    let business = app.eligible_business().await;
    onboard(&manager, &business).await;
    app.until_request_is(&business, "requested").await;
    let meta = app.request_for(&business).await.2.unwrap();
    let mut tx = app.tenant(NORTHLANE).await;
    let number = sqlx::query_scalar!("SELECT number FROM requests WHERE business_id = $1", business.as_str() as _)
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    let row = sqlx::query!(
        r#"SELECT b.name, w.waba_id AS "waba!: String" FROM businesses b JOIN wabas w USING (partner_id, business_id)
           WHERE business_id = $1 LIMIT 1"#,
        business.as_str() as _,
    )
    .fetch_one(&mut *tx)
    .await
    .unwrap();
    drop(tx);
    for text in [format!("LB-{number}"), number.to_string(), meta.clone(), format!("{{\"request_id\":\"{meta}\"}}")] {
        let answer = look_up(&manager, &text).await;
        assert!(answer.url.ends_with(&format!("/requests/LB-{number}")), "{text} led to {}", answer.url);
    }
    let log = format!("INFO waba_id={} is ready", row.waba);
    for (text, read_as) in [
        (&business, "Read as a business ID"),
        (&row.waba, "Read as a WABA ID"),
        (&log, "Found by a WABA ID in it"),
        (&row.name, "Read as a name"),
    ] {
        let answer = look_up(&manager, text).await;
        holds(&answer, &[read_as, &format!("/businesses/{business}")]);
    }
    let two = look_up(&manager, &format!("LB-{number} {business}")).await;
    holds(&two, &["Several of the IDs in it are known", "Requests", "Businesses"]);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_name_with_digits_in_it_is_found_and_so_is_one_that_has_left_with_its_requests(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let manager = app.signed_in(MANAGER).await;
    let business = app.eligible_business().await;
    onboard(&manager, &business).await;
    app.until_request_is(&business, "requested").await;
    for name in ["7-Eleven 24h", "Studio 54", "Studio54", "54321", "Supermercado24h"] {
        let mut tx = app.tenant(NORTHLANE).await;
        sqlx::query!(
            "UPDATE businesses SET name = $2, name_key = lower($2), left_at = NULL WHERE business_id = $1",
            business.as_str() as _,
            name,
        )
        .execute(&mut *tx)
        .await
        .unwrap();
        tx.commit().await.unwrap();
        holds(&look_up(&manager, name).await, &["Read as a name", &format!("/businesses/{business}")]);
        let offered = manager.ask(Method::POST, "/palette", Some(&[("q", name)])).await.unwrap();
        assert!(offered.body.contains(&format!("data-href=\"/businesses/{business}\"")), "{name}: {}", offered.body);

        let mut tx = app.tenant(NORTHLANE).await;
        sqlx::query!("UPDATE businesses SET left_at = now() WHERE business_id = $1", business.as_str() as _)
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let left = look_up(&manager, name).await;
        holds(&left, &["Read as a name", "It has left", &format!("/requests?q=business:{business}")]);
        let requests = manager.send("/requests", &[("q", name)]).await.unwrap();
        assert_eq!(requests.body.matches("<tr role=\"row\"").count(), 2, "{name}: {}", requests.url);
    }
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn another_partners_ids_are_unknown_and_its_pages_not_there(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let refused = refuse(&app, &app.signed_in(MANAGER).await).await;
    app.until("the failure to be counted", async || group_of(&app).await.is_some()).await;
    let group = group_of(&app).await.unwrap();
    let rival = app.signed_in(RIVAL).await;
    let unknown = look_up(&rival, "AnUnknownTraceIdOfNoCall1").await;
    for text in [
        refused.trace.clone(),
        refused.x_fb_request_id.clone(),
        refused.business.clone(),
        format!("LB-{}", refused.number),
    ] {
        let answer = look_up(&rival, &text).await;
        holds(
            &answer,
            &[
                "Nothing known about",
                "We looked among",
                "another partner of yours",
                "older than 400 days",
                "Meta forgets",
            ],
        );
        assert_eq!(answer.status, unknown.status);
    }
    for path in [format!("/support/calls/{}", refused.call_id), format!("/support/causes/{group}")] {
        let answer = rival.open(&path).await.unwrap();
        assert_eq!(answer.status.as_u16(), 404, "{path}");
        assert!(!answer.body.contains(&refused.trace), "{path}");
        assert_eq!(
            app.signed_in(SUPPORT).await.open(&path).await.unwrap().status.as_u16(),
            200,
            "a colleague may open {path}"
        );
    }
    for path in [
        "/support/calls/0",
        "/support/calls/x",
        "/support/calls/99999999999999999999",
        "/support/causes/x",
        "/support/causes/0",
    ] {
        assert_eq!(rival.open(path).await.unwrap().status.as_u16(), 404, "{path}");
    }
    assert!(!rival.open("/support/causes").await.unwrap().body.contains("(#200)"));
}

async fn group_of(app: &TestApp) -> Option<i64> {
    let mut tx = app.tenant(NORTHLANE).await;
    sqlx::query_scalar!("SELECT group_id FROM failure_groups WHERE code = 200").fetch_optional(&mut *tx).await.unwrap()
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_cause_lists_its_businesses_and_opens_their_requests(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let manager = app.signed_in(MANAGER).await;
    let first = refuse(&app, &manager).await;
    let second = refuse(&app, &manager).await;
    app.until("both to be counted", async || {
        let mut tx = app.tenant(NORTHLANE).await;
        let counted = sqlx::query_scalar!("SELECT calls FROM failure_groups WHERE code = 200")
            .fetch_optional(&mut *tx)
            .await
            .unwrap();
        counted == Some(2)
    })
    .await;
    let group = group_of(&app).await.unwrap();
    let list = manager.open("/support/causes?days=30").await.unwrap();
    holds(&list, &["App lacks permission", &format!("/support/causes/{group}"), "Calls by day: "]);
    let one = manager.open(&format!("/support/causes/{group}")).await.unwrap();
    for refused in [&first, &second] {
        holds(&one, &[&format!("/requests/LB-{}", refused.number), &format!("/businesses/{}", refused.business)]);
    }
    holds(&one, &["What it means", "What to do"]);
    let call = manager.open(&format!("/support/calls/{}", first.call_id)).await.unwrap();
    holds(&call, &[&format!("/support/calls/{}", second.call_id), "2 businesses in 24 h"]);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn an_answer_that_grew_too_old_is_dropped_and_its_facts_are_shown(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let manager = app.signed_in(MANAGER).await;
    let refused = refuse(&app, &manager).await;
    let mut tx = app.tenant(NORTHLANE).await;
    let call =
        sqlx::query!("UPDATE graph_calls SET body = '', body_dropped_at = now() WHERE call_id = $1", refused.call_id);
    call.execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let gone = "Raw answer no longer kept (older than 400 days).";
    let page = manager.open(&format!("/support/calls/{}", refused.call_id)).await.unwrap();
    holds(&page, &[gone, "HTTP 403", &refused.trace]);
    let request = manager.open(&format!("/requests/LB-{}", refused.number)).await.unwrap();
    holds(&request, &[gone, &refused.trace]);
    app.decide(PartnerSettings { raw_body_days: 30, ..PartnerSettings::default() }).await;
    for page in [format!("/support/calls/{}", refused.call_id), format!("/requests/LB-{}", refused.number)] {
        holds(&manager.open(&page).await.unwrap(), &["Raw answer no longer kept (older than 30 days)."]);
    }
    holds(&look_up(&manager, "AnUnknownTraceIdOfNoCall1").await, &["older than 30 days"]);
    let mut tx = app.tenant(NORTHLANE).await;
    let facts = sqlx::query("UPDATE graph_calls SET error_code = 1").execute(&mut *tx).await;
    assert!(facts.is_err(), "the app may drop answers, and change nothing else of what it recorded");
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn anything_may_be_pasted(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(SUPPORT).await;
    let megabyte = "x ".repeat(512 * 1024);
    let escaped = "é🦊".repeat(174_000);
    for (text, says) in [
        (megabyte.as_str(), "No ID stands in this text"),
        (escaped.as_str(), "No ID stands in this text"),
        ("\0", "Look up"),
        ("A\0B", "Nothing known about"),
        ("\u{202e}\u{2067}متجر\u{2069}", "Nothing known about"),
        ("🦊🦊🦊", "No ID stands in this text"),
        ("Fox 🦊", "Nothing known about"),
        (&"7".repeat(10_240), "No ID stands in this text"),
        (&"fbtrace_id: AnUnknownTraceIdOfNoCall1\n".repeat(1_000), "Nothing known about the IDs in this text"),
        ("<script>alert(1)</script>", "Nothing known about"),
        ("", "Paste any of these"),
    ] {
        let answer = look_up(&browser, text).await;
        assert_eq!(answer.status.as_u16(), 200, "{text:.30?}: {:.300}", answer.body);
        holds(&answer, &[says]);
        assert!(!answer.body.contains("<script>alert(1)") && !answer.body.contains('\0'), "{text:.30?}");
    }
    let too_long = look_up(&browser, &"x".repeat(1_100_000)).await;
    holds(&too_long, &["longer than a megabyte"]);
    let far_too_long = browser.ask(Method::POST, "/support", Some(&[("q", &"é".repeat(2_000_000))])).await;
    assert!(far_too_long.is_ok_and(|answer| answer.location() == Some("/support?problem=too_long")));
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_pasted_token_gets_into_no_address_and_no_page(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(SUPPORT).await;
    let token = "EAAGm0PX4ZCpsBAKZCxyz1234567890";
    let command = format!(
        "curl -H 'Authorization: Bearer {token}' 'https://graph.facebook.com/v25.0/1?access_token=other5ecret'"
    );
    let sent = browser.ask(Method::POST, "/support", Some(&[("q", &command)])).await.unwrap();
    let address = sent.location().unwrap().to_owned();
    assert!(!address.contains(token) && !address.contains("other5ecret"), "{address}");
    let page = browser.open(&address).await.unwrap();
    assert!(page.status.is_success() && !page.body.contains(token) && !page.body.contains("other5ecret"));
    let typed = browser.open(&format!("/support?q={token}")).await.unwrap();
    assert!(
        !typed.url.contains(token) && !typed.body.contains(token),
        "not even where somebody put it into the address"
    );
    let mut tx = app.tenant(NORTHLANE).await;
    let kept = sqlx::query_scalar!("SELECT count(*) AS \"n!\" FROM look_ups").fetch_one(&mut *tx).await.unwrap();
    assert_eq!(kept, 0, "what found nothing is not remembered");
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn the_whole_story_of_a_request_is_told_from_any_of_its_calls(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let manager = app.signed_in(MANAGER).await;
    let business = app.eligible_business().await;
    app.simulator.plan(Operation::Onboard, Fault::ServerError, 1);
    onboard(&manager, &business).await;
    app.until_request_is(&business, "waiting_to_retry").await;
    app.advance(Duration::from_mins(30)).await;
    app.until_request_is(&business, "requested").await;
    let mut tx = app.tenant(NORTHLANE).await;
    let calls = sqlx::query_scalar!(
        "SELECT call_id FROM graph_calls WHERE subject_id = $1 AND number IS NOT NULL ORDER BY call_id",
        business
    )
    .fetch_all(&mut *tx)
    .await
    .unwrap();
    assert!(calls.len() >= 2, "{calls:?}");
    for call in &calls {
        let page = manager.open(&format!("/support/calls/{call}")).await.unwrap();
        holds(&page, &["The whole story", "Queued by", "Requested: Meta has e-mailed the admins", "Every other call"]);
        for other in calls.iter().filter(|other| *other != call) {
            holds(&page, &[&format!("/support/calls/{other}")]);
        }
    }
}
