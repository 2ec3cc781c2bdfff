//! Stories of the settings page: a system user's token is checked, kept, never shown, and sent with.

use liteboard::graph_simulator::{Ending, Fault, Operation};
use reqwest::Method;
use sqlx::PgPool;

use super::{
    app::{ADMIN, HARBOUR_REACH, MANAGER, NORTHLANE, RIVAL, SUPPORT, TestApp, onboard},
    browser::{Answer, Browser},
};

const STORE: &str = "/settings/store-system-user-token";
const REMOVE: &str = "/settings/remove-system-user-token";
const NEEDED: [&str; 2] = ["business_management", "whatsapp_business_management"];

async fn store(browser: &Browser, token: &str) -> Answer {
    browser.send(STORE, &[("token", token)]).await.unwrap()
}

async fn stored(app: &TestApp, partner: &str) -> i64 {
    let mut tx = app.tenant(partner).await;
    sqlx::query_scalar!("SELECT count(*) AS \"count!\" FROM system_user_tokens").fetch_one(&mut *tx).await.unwrap()
}

/// Nothing that was kept of the calls, and no page, holds the token or a part of it worth having.
async fn assert_untold(app: &TestApp, pages: &[&Answer], token: &str) {
    for page in pages {
        assert!(!page.body.contains(&token[..24]) && !page.url.contains(&token[..24]), "{} tells the token", page.url);
    }
    let mut tx = app.tenant(NORTHLANE).await;
    let calls = sqlx::query!(
        "SELECT path, query, body, coalesce(error_message, '') AS \"message!\", coalesce(failure_detail, '') AS \"detail!\" FROM graph_calls"
    )
    .fetch_all(&mut *tx)
    .await
    .unwrap();
    for call in &calls {
        let kept = [&call.path, &call.query, &call.body, &call.message, &call.detail];
        assert!(kept.iter().all(|text| !text.contains(&token[..24])), "the record tells the token: {}", call.query);
    }
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn single_keys_are_switched_off_in_the_settings_for_this_browser_alone(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (browser, other) = (app.signed_in(SUPPORT).await, app.signed_in(SUPPORT).await);
    let page = async |browser: &Browser| browser.open("/settings").await.unwrap().body.replace("<!>", "");
    let heard = "data-keys=\"on\"";
    let before = page(&browser).await;
    let (_, section) = before.split_once("id=\"single-keys-label\"").unwrap();
    assert!(section.contains("name=\"keys\" value=\"off\"") && before.contains(heard), "{before}");
    assert!(before.contains("Single keys can be switched off in "), "the table of keys says where: {before}");
    let led = browser.ask(Method::POST, "/keys", Some(&[("keys", "off"), ("back", "/settings#you")])).await.unwrap();
    assert_eq!(led.location(), Some("/settings#you"));
    let after = page(&browser).await;
    assert!(!after.contains(heard) && after.contains("Single keys are off in this browser."), "{after}");
    assert!(page(&other).await.contains(heard));
    browser.ask(Method::POST, "/keys", Some(&[("keys", "on")])).await.unwrap();
    assert!(page(&browser).await.contains(heard));
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn an_admin_stores_a_token_sees_how_it_stands_and_removes_it(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(ADMIN).await;
    let before = browser.open("/settings").await.unwrap();
    assert!(before.body.contains("None stored") && before.body.contains("Check and store"), "{}", before.body);
    let token = app.simulator.system_token_for(NORTHLANE).unwrap();
    let after = store(&browser, &format!("  {token}\n")).await;
    assert!(after.url.ends_with("/settings?notice=stored"), "{}", after.url);
    for words in ["Token stored", "Works", "Never expires.", "Ana Moreira", "The system user", "Check and replace"] {
        assert!(after.body.contains(words), "{words}: {}", after.body);
    }
    assert_untold(&app, &[&after], &token).await;
    app.until("the look-up to be recorded", async || {
        let mut tx = app.tenant(NORTHLANE).await;
        let query = sqlx::query_scalar!("SELECT query FROM graph_calls WHERE operation = 'debug_token'");
        let queries = query.fetch_all(&mut *tx).await.unwrap();
        queries.iter().any(|query| query.contains("input_token=[redacted]"))
    })
    .await;
    assert_untold(&app, &[], &token).await;
    let removed = browser.send(REMOVE, &[]).await.unwrap();
    assert!(removed.body.contains("Token removed") && removed.body.contains("None stored"), "{}", removed.body);
    assert_eq!(stored(&app, NORTHLANE).await, 0);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_token_that_fails_a_check_is_refused_with_words_and_not_kept(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(ADMIN).await;
    let meta = &app.simulator;
    let revoked = meta.system_token_for(NORTHLANE).unwrap();
    meta.end_system_tokens_of(NORTHLANE, Ending::LoggedOut).unwrap();
    let app_token = format!("{}|{}", meta.app_id(), meta.app_secret());
    for (token, words) in [
        (String::new(), "No token was given"),
        ("two words, and none of them a token".to_owned(), "This is not a token"),
        ("EAAJnobodyEverGaveThisTokenToAnyone".to_owned(), "Meta does not accept this token"),
        (meta.token_for(MANAGER).unwrap(), "This is the token of a person"),
        (app_token, "This is not the token of a system user"),
        (revoked, "Meta does not accept this token"),
        (meta.system_token_for(HARBOUR_REACH).unwrap(), "This token does not reach your WhatsApp accounts"),
        (meta.system_token_with(NORTHLANE, &NEEDED[..1], None).unwrap(), "<code>whatsapp_business_management</code>"),
        (meta.system_token_with(NORTHLANE, &NEEDED[1..], None).unwrap(), "<code>business_management</code>"),
    ] {
        let refused = store(&browser, &token).await;
        assert!(refused.body.contains(words), "{words}: {} {}", refused.url, refused.body);
        assert!(refused.body.contains("What you pasted was not kept."), "{}", refused.body);
        assert!(refused.body.contains("None stored"), "{words}");
        if token.len() > 24 {
            assert_untold(&app, &[&refused], &token).await;
        }
    }
    assert_eq!(stored(&app, NORTHLANE).await, 0);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn trouble_at_meta_keeps_the_token_before_and_names_the_trace(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(ADMIN).await;
    let (first, second) =
        (app.simulator.system_token_for(NORTHLANE).unwrap(), app.simulator.system_token_for(NORTHLANE).unwrap());
    store(&browser, &first).await;
    let mut tx = app.tenant(NORTHLANE).await;
    let sealed = async |tx: &mut liteboard::db::TenantTx| {
        sqlx::query_scalar!("SELECT sealed FROM system_user_tokens").fetch_one(&mut **tx).await.unwrap()
    };
    let before = sealed(&mut tx).await;
    for (operation, fault, words, traced) in [
        (Operation::DebugToken, Fault::ServerError, "Meta does not answer", true),
        (Operation::DebugToken, Fault::HtmlPage, "Meta does not answer", true),
        (Operation::Me, Fault::ResetBefore, "Meta does not answer", false),
        (Operation::ClientWabas, Fault::AppLimit, "Meta asks us to wait", true),
    ] {
        app.simulator.plan(operation, fault, 5);
        let refused = store(&browser, &second).await;
        app.simulator.clear_faults();
        assert!(refused.body.contains(words), "{operation:?} {fault:?}: {} {}", refused.url, refused.body);
        assert!(refused.body.contains("The token stored before is still in use."), "{operation:?}");
        assert_eq!(refused.body.contains("trace ID"), traced, "{operation:?} {fault:?}: {}", refused.url);
        assert_untold(&app, &[&refused], &second).await;
        assert_eq!(sealed(&mut tx).await, before, "{operation:?}");
    }
    drop(tx);
    assert!(store(&browser, &second).await.body.contains("Token stored"));
    let mut tx = app.tenant(NORTHLANE).await;
    assert_ne!(sealed(&mut tx).await, before);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn others_see_how_it_stands_and_change_nothing(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let token = app.simulator.system_token_for(NORTHLANE).unwrap();
    for person in [MANAGER, SUPPORT] {
        let browser = app.signed_in(person).await;
        let calls = app.simulator.count(Operation::DebugToken);
        let page = store(&browser, &token).await;
        assert!(page.body.contains("Your role does not allow this"), "{}", page.body);
        assert_eq!((app.simulator.count(Operation::DebugToken), stored(&app, NORTHLANE).await), (calls, 0));
        assert!(!page.body.contains("name=\"token\"") && page.body.contains("None stored"), "{}", page.body);
    }
    let admin = app.signed_in(ADMIN).await;
    store(&admin, &token).await;
    let support = app.signed_in(SUPPORT).await;
    let page = support.open("/settings").await.unwrap();
    assert!(page.body.contains("Works") && page.body.contains("The system user"), "{}", page.body);
    support.send(REMOVE, &[]).await.unwrap();
    assert_eq!(stored(&app, NORTHLANE).await, 1);
    let rival = app.signed_in(RIVAL).await;
    let page = rival.open("/settings").await.unwrap();
    assert!(page.body.contains("None stored") && !page.body.contains("Northlane"), "{}", page.body);
    rival.send(REMOVE, &[]).await.unwrap();
    assert_eq!((stored(&app, NORTHLANE).await, stored(&app, HARBOUR_REACH).await), (1, 0));
    let program = reqwest::Client::new()
        .post(format!("{}{STORE}", app.url))
        .header("cookie", cookies(&admin))
        .header("accept", "application/json")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("token={}", app.simulator.token_for(MANAGER).unwrap()))
        .send()
        .await
        .unwrap();
    assert_eq!(program.status().as_u16(), 422);
    let body = program.text().await.unwrap();
    assert!(body.contains("This is the token of a person") && !body.contains("EAAJ"), "{body}");
}

fn cookies(browser: &Browser) -> String {
    browser.cookies().into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn with_a_system_users_token_a_member_whose_own_is_dead_may_still_ask(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let admin = app.signed_in(ADMIN).await;
    let manager = app.signed_in(MANAGER).await;
    let business = app.eligible_business().await;
    let mut tx = app.tenant(NORTHLANE).await;
    sqlx::query!("UPDATE tokens SET problem = 'revoked', problem_at = stored_at").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let refused = onboard(&manager, &business).await;
    assert!(refused.url.contains("/sign-in?problem=token_expired"), "{}", refused.url);
    store(&admin, &app.simulator.system_token_for(NORTHLANE).unwrap()).await;
    let asked = onboard(&manager, &business).await;
    assert!(asked.url.contains("/requests/LB-"), "{}", asked.url);
    let settings = manager.ask(Method::GET, "/settings", None).await.unwrap();
    assert!(
        settings.body.contains("No longer works: it was revoked") && settings.body.contains("Works"),
        "{}",
        settings.body
    );
}

/// A token as the simulator's record shows it.
fn shown(token: &str) -> String {
    format!("…{}", &token[token.len() - 4..])
}

/// The tokens that onboarding calls came with, in order.
fn sent_with(app: &TestApp) -> Vec<String> {
    let calls = app.simulator.calls().into_iter().filter(|call| call.operation == Operation::Onboard);
    calls.filter_map(|call| call.token).collect()
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn requests_are_sent_with_the_system_users_token_and_go_on_with_the_next_when_it_dies(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let admin = app.signed_in(ADMIN).await;
    let manager = app.signed_in(MANAGER).await;
    let system = app.simulator.system_token_for(NORTHLANE).unwrap();
    store(&admin, &system).await;
    let [first, second, third]: [String; 3] = app.businesses("eligible").await[..3].to_vec().try_into().unwrap();
    onboard(&manager, &first).await;
    assert_eq!((app.request_for(&first).await.0.as_str(), sent_with(&app)), ("requested", vec![shown(&system)]));

    app.simulator.end_system_tokens_of(NORTHLANE, Ending::LoggedOut).unwrap();
    onboard(&manager, &second).await;
    app.until_request_is(&second, "requested").await;
    let tokens = sent_with(&app);
    assert_eq!((tokens.len(), &tokens[1]), (3, &shown(&system)), "refused once, then sent with the member's own");
    assert_ne!(tokens[2], shown(&system));
    let page = manager.open("/settings").await.unwrap();
    assert!(page.body.contains("No longer works: it was revoked"), "{}", page.body);

    app.simulator.revoke_tokens_of(MANAGER).unwrap();
    onboard(&manager, &third).await;
    app.until_request_is(&third, "waiting_to_retry").await;
    let fresh = app.simulator.system_token_for(NORTHLANE).unwrap();
    store(&admin, &fresh).await;
    app.until_request_is(&third, "requested").await;
    assert_eq!(sent_with(&app).last(), Some(&shown(&fresh)), "what waited for a sign-in went on by itself");
    assert_eq!([&first, &second, &third].map(|business| app.agreements(business)), [1, 1, 1]);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn what_a_removed_member_has_started_goes_on_under_their_name(pool: PgPool) {
    let app = TestApp::start(pool).await;
    app.signed_in(ADMIN).await;
    let manager = app.signed_in(MANAGER).await;
    let business = app.eligible_business().await;
    app.simulator.plan(Operation::Onboard, Fault::ServerError, 1);
    onboard(&manager, &business).await;
    app.until_request_is(&business, "waiting_to_retry").await;
    let mut tx = app.tenant(NORTHLANE).await;
    sqlx::query!("UPDATE members SET removed_at = joined_at WHERE facebook_user_id = $1::text", MANAGER)
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    app.advance(std::time::Duration::from_mins(1)).await;
    app.until_request_is(&business, "requested").await;
    let mut tx = app.tenant(NORTHLANE).await;
    let name = sqlx::query_scalar!("SELECT m.name FROM requests r JOIN members m USING (member_id)");
    assert_eq!(name.fetch_all(&mut *tx).await.unwrap(), ["Tomás Lindqvist"]);
    let tokens = sent_with(&app);
    assert_ne!(tokens[0], tokens[1], "with the token of one who may");
}
