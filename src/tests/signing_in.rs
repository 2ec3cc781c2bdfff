//! Stories of sign-in: the way through Facebook and back, and what can go wrong on it.

use std::time::Duration;

use liteboard::graph_simulator::{Fault, Operation};
use reqwest::Method;
use sqlx::PgPool;

use super::{
    app::{ADMIN, HARBOUR_REACH, MANAGER, NORTHLANE, RIVAL, TestApp},
    browser::{Answer, Browser},
};

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_stranger_is_led_to_sign_in_and_back_to_the_page(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.browser();
    let door = browser.open("/support?q=LB-1").await.unwrap();
    assert!(door.url.contains("/sign-in?return_to=%2Fsupport%3Fq%3DLB-1"), "{}", door.url);
    assert!(door.body.contains("Sign in with Facebook"));
    let start = door.body.split("href=\"/sign-in/start").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let landed =
        browser.sign_in_from(&format!("/sign-in/start{}", start.replace("&amp;", "&")), MANAGER).await.unwrap();
    assert!(landed.url.ends_with("/support?q=LB-1"), "{}", landed.url);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_callback_works_once_in_the_browser_that_began(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (mine, other) = (app.browser(), app.browser());
    let dialog = mine.ask(Method::GET, "/sign-in/start", None).await.unwrap();
    let dialog = dialog.location().unwrap().to_owned();
    assert!(dialog.contains("code_challenge_method=S256") && dialog.contains("state="), "{dialog}");
    let granted = mine.ask(Method::POST, &dialog, Some(&[("person", MANAGER)])).await.unwrap();
    let callback = granted.location().unwrap().split('#').next().unwrap().to_owned();
    let exchanges = app.simulator.count(Operation::ExchangeCode);
    let foreign = other.open(&callback).await.unwrap();
    assert!(foreign.url.contains("problem=state"), "{}", foreign.url);
    let forged = mine.open(&callback.replace("state=", "state=x")).await.unwrap();
    assert!(forged.url.contains("problem=state"), "{}", forged.url);
    assert_eq!(app.simulator.count(Operation::ExchangeCode), exchanges, "nothing was asked of Meta");
    let dialog = mine.ask(Method::GET, "/sign-in/start", None).await.unwrap().location().unwrap().to_owned();
    let granted = mine.ask(Method::POST, &dialog, Some(&[("person", MANAGER)])).await.unwrap();
    let callback = granted.location().unwrap().split('#').next().unwrap().to_owned();
    let before = mine.cookies();
    let landed = mine.open(&callback).await.unwrap();
    assert!(landed.url.ends_with("/businesses"), "{}", landed.url);
    assert_ne!(before, mine.cookies(), "the session has a new id");
    let again = mine.open(&callback).await.unwrap();
    assert!(again.status.is_success(), "a second use is answered kindly: {}", again.status);
    assert_eq!(app.simulator.count(Operation::ExchangeCode), exchanges + 1, "and asks nothing of Meta");
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_no_at_facebook_changes_nothing(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.browser();
    let dialog = browser.ask(Method::GET, "/sign-in/start?return_to=/requests", None).await.unwrap();
    let denied = browser.ask(Method::POST, dialog.location().unwrap(), Some(&[("cancel", "1")])).await.unwrap();
    let landed = browser.open(denied.location().unwrap().split('#').next().unwrap()).await.unwrap();
    assert!(landed.body.contains("You cancelled at Facebook. Nothing was changed."), "{}", landed.body);
    assert!(landed.url.contains("return_to"), "the way back is kept: {}", landed.url);
    assert!(browser.open("/businesses").await.unwrap().url.contains("/sign-in"));
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn trouble_at_meta_is_told_kindly_and_sign_in_works_afterwards(pool: PgPool) {
    let app = TestApp::start(pool).await;
    for (operation, fault) in [
        (Operation::ExchangeCode, Fault::ServerError),
        (Operation::ExtendToken, Fault::HtmlPage),
        (Operation::DebugToken, Fault::BadGateway),
        (Operation::Me, Fault::CutJson),
        (Operation::MyBusinesses, Fault::AppLimit),
        (Operation::ClientWabas, Fault::ResetBefore),
    ] {
        let browser = app.browser();
        app.simulator.plan(operation, fault, 5);
        let landed = browser.sign_in(MANAGER).await.unwrap();
        assert!(landed.url.contains("/sign-in?problem="), "{operation:?} {fault:?}: {}", landed.url);
        assert!(landed.body.contains("Sign in with Facebook"), "{operation:?} {fault:?}");
        app.simulator.clear_faults();
        let landed = browser.sign_in(MANAGER).await.unwrap();
        assert!(landed.url.ends_with("/businesses"), "{operation:?}: {}", landed.url);
    }
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_permission_left_out_is_named(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.browser();
    let dialog = browser.ask(Method::GET, "/sign-in/start", None).await.unwrap().location().unwrap().to_owned();
    // As if the person had switched one permission off on the way.
    let less = dialog.replace("scope=business_management%2C", "scope=");
    assert_ne!(less, dialog, "the dialog asks for it: {dialog}");
    let granted = browser.ask(Method::POST, &less, Some(&[("person", MANAGER)])).await.unwrap();
    let landed = browser.open(granted.location().unwrap().split('#').next().unwrap()).await.unwrap();
    assert!(landed.url.contains("/sign-in?problem="), "{}", landed.url);
    assert!(landed.body.contains("business_management"), "{}", landed.body);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn sign_out_ends_the_session_on_the_server(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(ADMIN).await;
    let stolen = app.browser();
    for (name, value) in browser.cookies() {
        stolen.set_cookie(&name, &value);
    }
    assert!(stolen.open("/businesses").await.unwrap().url.ends_with("/businesses"));
    let left = browser.ask(Method::POST, "/sign-out", Some(&[])).await.unwrap();
    assert!(left.headers.get("clear-site-data").is_some_and(|value| value.to_str().unwrap().contains("cookies")));
    assert!(stolen.open("/businesses").await.unwrap().url.contains("/sign-in"), "the cookie is worth nothing now");
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn with_two_partners_one_is_chosen_and_can_be_switched(pool: PgPool) {
    let app = TestApp::start(pool).await;
    app.simulator.add_person_to(ADMIN, HARBOUR_REACH).unwrap();
    let browser = app.browser();
    let landed = browser.sign_in(ADMIN).await.unwrap();
    assert!(landed.url.contains("/sign-in/partner"), "{}", landed.url);
    assert!(landed.body.contains("Northlane Messaging") && landed.body.contains("Harbour Reach"));
    let chosen = browser.send("/sign-in/partner", &[("partner_id", NORTHLANE), ("back", "/requests")]).await.unwrap();
    assert!(chosen.status.is_success() && !chosen.url.contains("/sign-in"), "{}", chosen.url);
    let businesses = browser.open("/businesses").await.unwrap();
    assert!(businesses.body.contains("Northlane Messaging"));
    browser.send("/sign-in/partner", &[("partner_id", HARBOUR_REACH), ("back", "/businesses")]).await.unwrap();
    let businesses = browser.open("/requests").await.unwrap();
    assert!(businesses.body.contains("<bdi>Harbour Reach</bdi>"), "{}", businesses.body);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn the_first_member_is_admin_and_later_ones_look_on(pool: PgPool) {
    let app = TestApp::start(pool).await;
    app.simulator.add_person_to(MANAGER, HARBOUR_REACH).unwrap();
    app.browser().sign_in(RIVAL).await.unwrap();
    app.browser().sign_in(MANAGER).await.unwrap();
    let mut tx = app.tenant(HARBOUR_REACH).await;
    let roles = sqlx::query!("SELECT facebook_user_id::text AS \"id!\", role FROM members ORDER BY member_id")
        .fetch_all(&mut *tx)
        .await
        .unwrap();
    let roles: Vec<_> = roles.iter().map(|row| (row.id.as_str(), row.role.as_str())).collect();
    assert_eq!(roles, [(RIVAL, "admin"), (MANAGER, "support")]);
}

/// Signs in again from the page one was led to.
async fn sign_in_again(browser: &Browser, door: &Answer, person: &str) -> Answer {
    let start = door.body.split("href=\"/sign-in/start").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    browser.sign_in_from(&format!("/sign-in/start{}", start.replace("&amp;", "&")), person).await.unwrap()
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn what_was_typed_when_the_session_had_ended_stands_in_the_form_again(pool: PgPool) {
    const AGAIN: &str = "What you entered is in the form again";
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let business = app.eligible_business().await;
    let page = format!("/businesses/{business}");
    browser.open(&page).await.unwrap();
    app.advance(Duration::from_mins(61)).await;
    let note = [("business_id", business.as_str()), ("words", "Ring <b>Ana</b>\0 in May")];
    let door = browser.send("/businesses/add_note", &note).await.unwrap();
    assert!(door.url.contains("problem=session_ended") && !door.url.contains("Ana"), "{}", door.url);
    // Another's sign-in brings nothing of it.
    let admin = app.signed_in_again(ADMIN).await;
    assert!(!admin.open(&page).await.unwrap().body.contains("Ring"));
    // Nor does the same person's in another browser.
    let elsewhere = app.signed_in_again(MANAGER).await;
    assert!(!elsewhere.open(&page).await.unwrap().body.contains("Ring"));
    let landed = sign_in_again(&browser, &door, MANAGER).await;
    assert!(landed.url.ends_with(&page), "{}", landed.url);
    assert!(landed.body.contains(AGAIN) && landed.body.contains(">\nRing &lt;b>Ana&lt;/b> in May<"), "{}", landed.body);
    let later = browser.open(&page).await.unwrap().body;
    assert!(!later.contains(AGAIN) && !later.contains("Ring"), "it is shown once, and never saved: {later}");

    // No token that was pasted is kept.
    browser.open("/support").await.unwrap();
    app.advance(Duration::from_mins(61)).await;
    let paste = [("q", "curl -H 'Authorization: Bearer EAAGm0PX4ZCpsBAKZCxyz1234567890' and AXsgnV2Cm3ZMGF3dF_cfYIn")];
    let door = browser.send("/support", &paste).await.unwrap();
    let landed = sign_in_again(&browser, &door, MANAGER).await;
    assert!(landed.body.contains("and AXsgnV2Cm3ZM") && !landed.body.contains("EAAG"), "{}", landed.body);
    browser.open(&page).await.unwrap();
    app.advance(Duration::from_mins(61)).await;
    let door = browser.send("/businesses/add_note", &note).await.unwrap();
    let other_tab = browser.sign_in_from("/sign-in/start?return_to=/requests", MANAGER).await.unwrap();
    assert!(door.url.contains("problem=session_ended") && other_tab.url.ends_with("/requests"), "{}", other_tab.url);
    let kept = async || {
        let mut tx = app.tenant(NORTHLANE).await;
        sqlx::query_scalar!("SELECT count(*) AS \"count!\" FROM unsent_forms").fetch_one(&mut *tx).await.unwrap()
    };
    // Another form's success is none of this one's.
    browser.send("/support", &[("q", "77")]).await.unwrap();
    assert_eq!(kept().await, 1);
    let shown = browser.open(&page).await.unwrap().body;
    assert!(shown.contains(AGAIN) && shown.matches("Ring").count() == 1, "{shown}");
    assert_eq!(kept().await, 0, "shown, it is the browser's");

    // A list to be imported, in another kind of form.
    browser.open("/import").await.unwrap();
    app.advance(Duration::from_mins(61)).await;
    let door = browser.upload("/import", ("", b""), "1745093316208854\r\n77").await.unwrap();
    let landed = sign_in_again(&browser, &door, MANAGER).await;
    assert!(
        landed.url.ends_with("/import") && landed.body.contains("\n1745093316208854\r\n77</textarea>"),
        "{}",
        landed.body
    );

    // What can't be used stands there as well.
    let admin = app.signed_in_again(ADMIN).await;
    admin.open("/settings").await.unwrap();
    let settings = [("kind", "solution_partner"), ("stalled_days", "9000"), ("raw_body_days", "31"), ("seen", "")];
    let told = admin.send("/settings/save", &settings).await.unwrap();
    assert!(told.url.contains("problem=") && told.body.contains("value=\"9000\""), "{} {}", told.url, told.body);

    // How doors tell it among themselves is nobody's business.
    let refused = app.browser().ask(Method::POST, "/onboarding/cancel", Some(&[("number", "LB-1")])).await.unwrap();
    assert!(refused.status.is_redirection() && refused.headers.get("liteboard-not-done").is_none());

    // Sent again by way of Back, without a look at the page, it is forgotten as well.
    admin.open("/settings").await.unwrap();
    admin.ask(Method::POST, "/settings/save", Some(&settings)).await.unwrap();
    assert_eq!(kept().await, 1);
    let settings = [("kind", "solution_partner"), ("stalled_days", "9"), ("raw_body_days", "31"), ("seen", "")];
    let saved = admin.ask(Method::POST, "/settings/save", Some(&settings)).await.unwrap();
    assert_eq!((saved.location().unwrap().contains("problem="), kept().await), (false, 0));

    // Strangers can have nothing kept.
    let stranger = app.browser();
    let (name, _) = browser.cookies().into_iter().find(|(name, _)| name.contains("liteboard")).unwrap();
    stranger.set_cookie(&name, "AAAAAAAAAAAAAAAAAAAAAA");
    stranger.open(&page).await.unwrap();
    stranger.send("/businesses/add_note", &note).await.unwrap();
    assert_eq!(kept().await, 0);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn cut_and_foreign_cookies_are_a_strangers(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let (name, value) = browser.cookies().into_iter().find(|(name, _)| name.contains("liteboard")).unwrap();
    for bad in ["", "x", &value[..value.len() / 2], &"A".repeat(value.len()), "%00%ff", &"9".repeat(5_000)] {
        let stranger = app.browser();
        stranger.set_cookie(&name, bad);
        let answer = stranger.open("/businesses").await.unwrap();
        assert!(
            answer.status.is_success() && answer.url.contains("/sign-in"),
            "{bad:.20}: {} {}",
            answer.status,
            answer.url
        );
    }
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn no_token_is_at_rest_in_the_clear(pool: PgPool) {
    let app = TestApp::start(pool).await;
    app.signed_in(MANAGER).await;
    let given: Vec<String> = app.simulator.calls().into_iter().filter_map(|call| call.token).collect();
    assert!(!given.is_empty());
    let mut tx = app.tenant(NORTHLANE).await;
    let sealed = sqlx::query_scalar!("SELECT encode(sealed, 'escape') AS \"text!\" FROM tokens")
        .fetch_all(&mut *tx)
        .await
        .unwrap();
    assert!(!sealed.is_empty());
    let calls = sqlx::query!("SELECT path, query, body FROM graph_calls").fetch_all(&mut *tx).await.unwrap();
    assert!(!calls.is_empty());
    for text in
        sealed.iter().map(String::as_str).chain(calls.iter().flat_map(|call| [&*call.path, &*call.query, &*call.body]))
    {
        assert!(!text.contains("EAA"), "a token shows in {text:.200}");
        assert!(!text.contains(app.simulator.app_secret()), "the app's secret shows in {text:.200}");
    }
}
