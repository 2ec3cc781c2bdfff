//! Stories of the main job: a click, what Meta makes of it, and what can go wrong between.

use std::time::Duration;

use liteboard::graph_simulator::{Fault, Operation, Options, Quirk, Situation};
use sqlx::PgPool;

use super::app::{ADMIN, HARBOUR_REACH, MANAGER, NORTHLANE, RIVAL, SUPPORT, TestApp, onboard};

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_click_ends_on_the_request_with_metas_id(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let business = app.eligible_business().await;
    let page = browser.open(&format!("/businesses/{business}")).await.unwrap();
    assert!(page.body.contains("Onboard to MM Lite"), "{}", page.body);

    let landed = onboard(&browser, &business).await;

    let (state, attempts, id) = app.request_for(&business).await;
    assert_eq!((state.as_str(), attempts), ("requested", 1));
    let id = id.expect("Meta gave an id");
    assert!(landed.url.contains("/requests/LB-"), "{}", landed.url);
    assert!(landed.body.contains(&id), "the page shows Meta's id {id}");
    assert_eq!(app.agreements(&business), 1);
    let list = browser.open("/requests").await.unwrap();
    assert!(list.body.contains(&id), "the list shows it");
    let found = browser.open(&format!("/support?q={id}")).await.unwrap();
    assert!(found.body.contains(&id), "support finds it by Meta's id");
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_click_that_waits_while_the_business_signs_asks_nothing(pool: PgPool) {
    let app = TestApp::start(pool.clone()).await;
    let browser = app.signed_in(MANAGER).await;
    let business = app.eligible_business().await;
    let mut told = app.tenant(NORTHLANE).await;
    sqlx::query(
        "UPDATE businesses SET meta_status = 'TERM_OF_SERVICE_SIGNED', meta_status_since = now(), checked_at = now() WHERE business_id = $1",
    )
    .bind(&business)
    .execute(&mut *told)
    .await
    .unwrap();
    sqlx::query("SELECT FROM refresh_standing(ARRAY[$1])").bind(&business).execute(&mut *told).await.unwrap();
    let tells = async {
        app.until("the click to wait", async || {
            sqlx::query_scalar::<_, bool>(
                "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')",
            )
            .fetch_one(&pool)
            .await
            .unwrap()
        })
        .await;
        told.commit().await.unwrap();
    };
    let (landed, ()) = futures::future::join(onboard(&browser, &business), tells).await;
    assert!(landed.url.ends_with("problem=accepted"), "{}", landed.url);
    let mut tx = app.tenant(NORTHLANE).await;
    let asked = sqlx::query_scalar!("SELECT count(*) AS \"count!\" FROM requests").fetch_one(&mut *tx).await.unwrap();
    assert_eq!((asked, app.agreements(&business)), (0, 0));
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_solution_goes_to_meta_in_the_query_and_to_the_page_by_name(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let business = app.eligible_business().await;
    let mut tx = app.tenant(NORTHLANE).await;
    let solution =
        sqlx::query!("SELECT solution_id::text AS \"id!\", name FROM solutions WHERE status = 'ACTIVE' LIMIT 1")
            .fetch_one(&mut *tx)
            .await
            .unwrap();
    drop(tx);
    let landed = browser
        .send("/onboarding/onboard", &[("business_id", &business), ("solution_id", &solution.id)])
        .await
        .unwrap();
    assert!(landed.body.contains(&solution.name), "{}", landed.body);
    let call = app.simulator.calls().into_iter().rfind(|call| call.operation == Operation::Onboard).unwrap();
    assert_eq!(call.params.get("solution_id"), Some(&solution.id));
    assert!(app.simulator.ledger().iter().any(|entry| entry.solution_id.as_ref() == Some(&solution.id)));
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn two_tabs_and_two_members_at_once_make_one_request(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (one, two) = (app.signed_in(ADMIN).await, app.signed_in(MANAGER).await);
    let business = app.eligible_business().await;
    let clicks = futures::future::join_all([&one, &two, &one, &two].map(|browser| onboard(browser, &business))).await;
    let first = clicks[0].url.split('?').next().unwrap();
    for click in &clicks {
        assert!(click.url.starts_with(first), "{} and {first}", click.url);
    }
    let mut tx = app.tenant(NORTHLANE).await;
    let requests =
        sqlx::query_scalar!("SELECT count(*) AS \"count!\" FROM requests").fetch_one(&mut *tx).await.unwrap();
    assert_eq!((requests, app.agreements(&business)), (1, 1));
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_refusal_is_explained_with_its_ids_and_support_finds_it_by_trace(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let business = app.eligible_business().await;
    app.simulator.plan(Operation::Onboard, Fault::PermissionDenied, 1);
    let landed = onboard(&browser, &business).await;
    let call = app.simulator.calls().into_iter().rfind(|call| call.operation == Operation::Onboard).unwrap();
    assert_eq!(app.request_for(&business).await.0, "failed");
    assert!(landed.body.contains("Meta refused: the app may not act for this business"), "{}", landed.body);
    assert!(landed.body.contains(&call.fbtrace_id));
    let support = app.signed_in(SUPPORT).await;
    let found = support.open(&format!("/support?q={}", call.fbtrace_id)).await.unwrap();
    assert!(found.body.contains(&call.fbtrace_id) && found.body.contains("LB-"), "{}", found.body);
    let rival = app.signed_in(RIVAL).await;
    let hidden = rival.open(&format!("/support?q={}", call.fbtrace_id)).await.unwrap();
    assert!(hidden.body.contains("Nothing known about"), "{}", hidden.body);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn every_lost_answer_is_settled_by_reading_and_makes_one_agreement(pool: PgPool) {
    let app = TestApp::start_with(pool, Options { businesses: 150, ..Options::default() }).await;
    let browser = app.signed_in(MANAGER).await;
    let faults = [
        Fault::ResetAfter,
        Fault::HangAfter,
        Fault::CutJson,
        Fault::CutBody,
        Fault::EmptyBody,
        Fault::EmptyObject,
        Fault::HtmlPage,
        Fault::HangBefore,
        Fault::ResetBefore,
    ];
    for (fault, business) in faults.into_iter().zip(app.businesses("eligible").await) {
        app.simulator.plan(Operation::Onboard, fault, 1);
        let landed = onboard(&browser, &business).await;
        assert!(landed.status.is_success(), "{fault:?}");
        app.until_request_is(&business, "waiting_to_retry").await;
        let reads = app.simulator.count(Operation::Business);
        app.advance(Duration::from_secs(10)).await;
        app.until_request_is(&business, "requested").await;
        assert_eq!(
            app.simulator.count(Operation::Business),
            reads + 1,
            "{fault:?}: the status was read before the second POST"
        );
        assert_eq!(app.agreements(&business), 1, "{fault:?}");
        let (_, attempts, id) = app.request_for(&business).await;
        let held = app.simulator.ledger().into_iter().find(|entry| entry.business_id == business).unwrap();
        assert_eq!((attempts, id), (2, Some(held.request_id)), "{fault:?}");
    }
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_temporary_fault_is_tried_again_and_five_need_a_person(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let businesses = app.businesses("eligible").await;
    app.simulator.plan(Operation::Onboard, Fault::ServerError, 1);
    onboard(&browser, &businesses[0]).await;
    assert_eq!(app.request_for(&businesses[0]).await.0, "waiting_to_retry");
    app.advance(Duration::from_secs(10)).await;
    app.until_request_is(&businesses[0], "requested").await;

    app.simulator.plan(Operation::Onboard, Fault::ServerError, 5);
    onboard(&browser, &businesses[1]).await;
    for attempt in 2..=5 {
        app.advance(Duration::from_hours(1)).await;
        app.until("the next attempt to be over", async || {
            let (state, attempts, _) = app.request_for(&businesses[1]).await;
            attempts == attempt && state != "sending"
        })
        .await;
    }
    assert_eq!(app.request_for(&businesses[1]).await.0, "failed");
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn nothing_is_sent_while_meta_asks_us_to_wait(pool: PgPool) {
    let app = TestApp::start_with(pool, Options { businesses: 40, regain_minutes: 19, ..Options::default() }).await;
    let browser = app.signed_in(MANAGER).await;
    let businesses = app.businesses("eligible").await;
    app.simulator.plan(Operation::Onboard, Fault::PartnerLimit, 1);
    onboard(&browser, &businesses[0]).await;
    assert_eq!(app.request_for(&businesses[0]).await.0, "waiting_to_retry");
    let calls = app.simulator.count(Operation::Onboard);
    let second = {
        let browser = &browser;
        let business = &businesses[1];
        onboard(browser, business).await
    };
    assert!(second.status.is_success());
    assert_eq!(app.request_for(&businesses[1]).await.0, "queued");
    app.advance(Duration::from_mins(18)).await;
    assert_eq!(app.simulator.count(Operation::Onboard), calls, "18 minutes in, still waiting");
    app.advance(Duration::from_secs(65)).await;
    for business in &businesses[..2] {
        app.until_request_is(business, "requested").await;
    }
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_dead_token_leads_to_sign_in_and_the_request_goes_on_by_itself(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let businesses = app.businesses("eligible").await;
    app.simulator.revoke_tokens_of(MANAGER).unwrap();
    let landed = onboard(&browser, &businesses[0]).await;
    assert!(landed.url.contains("/sign-in") && landed.url.contains("return_to"), "{}", landed.url);
    assert_eq!(app.request_for(&businesses[0]).await.0, "waiting_to_retry");
    // Known to be dead by now: nothing is queued, and the chosen solution comes along.
    let again =
        browser.send("/onboarding/onboard", &[("business_id", &businesses[1]), ("solution_id", "")]).await.unwrap();
    assert!(again.url.contains("/sign-in"), "{}", again.url);
    let start = format!("/sign-in/start?return_to=/businesses/{}", businesses[1]);
    let back = browser.sign_in_from(&start, MANAGER).await.unwrap();
    assert!(back.url.ends_with(&format!("/businesses/{}", businesses[1])), "{}", back.url);
    app.until_request_is(&businesses[0], "requested").await;
    assert_eq!(app.agreements(&businesses[0]), 1);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn whoever_asked_first_is_told_apart(pool: PgPool) {
    let app = TestApp::start_with(pool, Options { businesses: 150, ..Options::default() }).await;
    let browser = app.signed_in(MANAGER).await;
    let ours = app.eligible_business().await;
    app.simulator.plan(Operation::Onboard, Fault::Duplicate, 1);
    let landed = onboard(&browser, &ours).await;
    assert_eq!(app.request_for(&ours).await.0, "taken_by_another_partner");
    assert!(landed.body.contains("Taken by another partner"), "{}", landed.body);

    app.simulator.set_quirk(Quirk::AlreadySentOnRepeat, true);
    let second = app.businesses("eligible").await.into_iter().find(|business| *business != ours).unwrap();
    // Asked outside of Liteboard before: Meta answers that it has been sent already.
    let token = app.simulator.token_for(ADMIN).unwrap();
    let url = format!("{}/v25.0/{second}/onboard_partners_to_mm_lite", app.simulator.url());
    reqwest::Client::new().post(url).bearer_auth(token).send().await.unwrap().error_for_status().unwrap();
    onboard(&browser, &second).await;
    assert_eq!(app.request_for(&second).await.0, "already_requested");
    assert_eq!(app.agreements(&second), 1);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn signed_terms_become_accepted_and_an_onboarded_waba_ready(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let business = app.eligible_business().await;
    onboard(&browser, &business).await;
    app.simulator.accept(&business).unwrap();
    let resync = async || {
        let before = syncs(&app).await;
        browser.send("/businesses/sync", &[]).await.unwrap();
        app.until("the sync to finish", async || syncs(&app).await > before).await;
    };
    resync().await;
    app.until_request_is(&business, "accepted").await;
    app.advance(Duration::from_hours(2)).await;
    resync().await;
    app.until_request_is(&business, "ready").await;
}

async fn syncs(app: &TestApp) -> i64 {
    let mut tx = app.tenant(NORTHLANE).await;
    sqlx::query_scalar!("SELECT count(*) AS \"count!\" FROM syncs WHERE finished_at IS NOT NULL")
        .fetch_one(&mut *tx)
        .await
        .unwrap()
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn bad_input_gets_a_clear_answer_and_sends_nothing(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let business = app.eligible_business().await;
    let waba = app.simulator.businesses_of(NORTHLANE).unwrap().into_iter().find(|b| b.id == business).unwrap().wabas[0]
        .id
        .clone();
    let theirs = app
        .simulator
        .businesses_of(HARBOUR_REACH)
        .unwrap()
        .into_iter()
        .map(|b| b.id)
        .find(|id| app.simulator.businesses_of(NORTHLANE).unwrap().iter().all(|ours| ours.id != *id))
        .unwrap();
    let deactivated = {
        let mut tx = app.tenant(NORTHLANE).await;
        sqlx::query_scalar!("SELECT solution_id::text AS \"id!\" FROM solutions WHERE status = 'DEACTIVATED' LIMIT 1")
            .fetch_one(&mut *tx)
            .await
            .unwrap()
    };
    for (business_id, solution_id, says) in [
        (waba.as_str(), "", "WABA"),
        ("12a4", "", "digits"),
        ("", "", "digits"),
        (theirs.as_str(), "", "Not found"),
        ("999999999999", "", "Not found"),
        (business.as_str(), "999999999999", "solution"),
        (business.as_str(), "abc", "solution"),
        (business.as_str(), deactivated.as_str(), "solution"),
    ] {
        let landed = browser
            .send("/onboarding/onboard", &[("business_id", business_id), ("solution_id", solution_id)])
            .await
            .unwrap();
        assert!(landed.body.contains(says), "{business_id}/{solution_id} at {}: {}", landed.url, landed.body);
    }
    assert_eq!(app.simulator.count(Operation::Onboard), 0);
    let mut tx = app.tenant(NORTHLANE).await;
    let requests =
        sqlx::query_scalar!("SELECT count(*) AS \"count!\" FROM requests").fetch_one(&mut *tx).await.unwrap();
    assert_eq!(requests, 0);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn what_vanished_since_the_page_was_shown_is_not_sent(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let businesses = app.businesses("eligible").await;
    app.simulator.leave_partner(&businesses[0], NORTHLANE).unwrap();
    let before = syncs(&app).await;
    browser.send("/businesses/sync", &[]).await.unwrap();
    app.until("the sync to finish", async || syncs(&app).await > before).await;
    let landed = onboard(&browser, &businesses[0]).await;
    assert!(landed.body.contains("no longer"), "{}", landed.body);
    // Gone at Meta, and our last sync doesn't know yet: Meta's own refusal is shown.
    app.simulator.leave_partner(&businesses[1], NORTHLANE).unwrap();
    let landed = onboard(&browser, &businesses[1]).await;
    assert_eq!(app.request_for(&businesses[1]).await.0, "failed");
    assert!(
        landed.body.contains("Not found, or no access") || landed.body.contains("No WABA could be onboarded"),
        "{}",
        landed.body
    );
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn support_looks_and_sends_nothing(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(SUPPORT).await;
    let business = app.eligible_business().await;
    let page = browser.open(&format!("/businesses/{business}")).await.unwrap();
    assert!(page.status.is_success() && !page.body.contains("/onboarding/onboard"), "{}", page.body);
    onboard(&browser, &business).await;
    assert_eq!(app.simulator.count(Operation::Onboard), 0);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn nobody_sees_what_is_another_partners(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let business = app.simulator.business_where(NORTHLANE, Situation::Onboardable).unwrap();
    let landed = onboard(&browser, &business).await;
    let request = landed.url.rsplit('/').next().unwrap().to_owned();
    let rival = app.signed_in(RIVAL).await;
    for path in [format!("/businesses/{business}"), format!("/requests/{request}")] {
        assert_eq!(rival.open(&path).await.unwrap().status.as_u16(), 404, "{path}");
        assert_eq!(browser.open(&path).await.unwrap().status.as_u16(), 200, "{path}");
    }
    assert_eq!(rival.open("/requests/LB-999999").await.unwrap().status.as_u16(), 404);
    onboard(&rival, &business).await;
    assert_eq!(app.agreements(&business), 1);
    let list = rival.open("/requests").await.unwrap();
    assert!(!list.body.contains(&request));
}
