//! Stories of waiting: what one of us is told of Meta's limits, all wait for; what changes meanwhile is seen before anything is sent;
//! and trouble of our own is waited out.

use std::time::Duration;

use liteboard::graph_simulator::{Fault, Operation, Options};
use sqlx::PgPool;

use super::app::{HARBOUR_REACH, MANAGER, NORTHLANE, RIVAL, TestApp, onboard};

async fn limited(pool: PgPool) -> TestApp {
    TestApp::start_with(pool, Options { businesses: 40, regain_minutes: 19, ..Options::default() }).await
}

async fn sync_waits(app: &TestApp) -> bool {
    let mut tx = app.tenant(NORTHLANE).await;
    sqlx::query_scalar!(
        "SELECT EXISTS (SELECT FROM syncs WHERE finished_at IS NULL AND failed_at IS NULL AND cause = 'throttled') AS \"waits!\""
    )
    .fetch_one(&mut *tx)
    .await
    .unwrap()
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_limit_of_the_app_that_one_partner_hears_of_holds_the_other(pool: PgPool) {
    let app = limited(pool).await;
    let (browser, rival) = (app.signed_in(MANAGER).await, app.signed_in(RIVAL).await);
    let theirs = app.businesses_of(HARBOUR_REACH, "eligible").await.remove(0);
    let ours = app.eligible_business().await;
    app.simulator.plan(Operation::Onboard, Fault::AppLimit, 1);
    onboard(&rival, &theirs).await;
    assert_eq!(app.simulator.count(Operation::Onboard), 1);
    onboard(&browser, &ours).await;
    browser.send("/businesses/sync", &[]).await.unwrap();
    app.until("the sync to wait", async || sync_waits(&app).await).await;
    assert_eq!(app.request_for(&ours).await.0, "queued");
    app.advance(Duration::from_mins(18)).await;
    assert_eq!(app.simulator.count(Operation::Onboard), 1, "more calls lengthen the block");
    app.advance(Duration::from_mins(2)).await;
    app.until_request_is(&ours, "requested").await;
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_limit_that_a_sync_hears_of_holds_requests(pool: PgPool) {
    let app = limited(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let business = app.eligible_business().await;
    app.simulator.plan(Operation::ClientWabas, Fault::PartnerLimit, 1);
    browser.send("/businesses/sync", &[]).await.unwrap();
    app.until("the sync to wait", async || sync_waits(&app).await).await;
    let page = onboard(&browser, &business).await;
    assert!(page.body.contains("Meta asks us to wait"), "{}", page.body);
    assert_eq!((app.request_for(&business).await.0.as_str(), app.simulator.count(Operation::Onboard)), ("queued", 0));
    app.advance(Duration::from_mins(20)).await;
    app.until_request_is(&business, "requested").await;
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_limit_that_requests_hear_of_holds_a_sync(pool: PgPool) {
    let app = limited(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let business = app.eligible_business().await;
    app.simulator.plan(Operation::Onboard, Fault::PartnerLimit, 1);
    onboard(&browser, &business).await;
    let pages = app.simulator.count(Operation::ClientWabas);
    browser.send("/businesses/sync", &[]).await.unwrap();
    app.until("the sync to wait", async || sync_waits(&app).await).await;
    assert_eq!(app.simulator.count(Operation::ClientWabas), pages, "more calls lengthen the block");
    app.advance(Duration::from_mins(20)).await;
    app.until("the sync to go on", async || app.simulator.count(Operation::ClientWabas) > pages).await;
    app.until_request_is(&business, "requested").await;
}

/// Where the newest request for a business is shown.
async fn request_page(app: &TestApp, business: &str) -> String {
    let mut tx = app.tenant(NORTHLANE).await;
    let number =
        sqlx::query_scalar!("SELECT max(number) AS \"number!\" FROM requests WHERE business_id = $1", business as _)
            .fetch_one(&mut *tx)
            .await
            .unwrap();
    format!("/requests/LB-{number}")
}

async fn run(app: &TestApp, statement: &'static str) {
    let mut tx = app.tenant(NORTHLANE).await;
    sqlx::query(statement).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn what_left_or_lost_its_solution_while_it_waited_is_not_sent(pool: PgPool) {
    let app = limited(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let businesses = app.businesses("eligible").await;
    let solution = {
        let mut tx = app.tenant(NORTHLANE).await;
        sqlx::query_scalar!("SELECT solution_id::text AS \"id!\" FROM solutions WHERE status = 'ACTIVE' LIMIT 1")
            .fetch_one(&mut *tx)
            .await
            .unwrap()
    };
    app.simulator.plan(Operation::Onboard, Fault::PartnerLimit, 1);
    onboard(&browser, &businesses[0]).await;
    onboard(&browser, &businesses[1]).await;
    for business in &businesses[2..4] {
        let form = [("business_id", business.as_str()), ("solution_id", solution.as_str())];
        browser.send("/onboarding/onboard", &form).await.unwrap();
    }
    let mut tx = app.tenant(NORTHLANE).await;
    sqlx::query!("UPDATE businesses SET left_at = now() WHERE business_id = ANY($1::text[])", &businesses[..2])
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    run(&app, "UPDATE solutions SET status = 'DEACTIVATED'").await;
    app.advance(Duration::from_mins(20)).await;
    for (business, says) in businesses.iter().zip([
        "No WABA is shared with you any more",
        "No WABA is shared with you any more",
        "The solution can not be used any more",
        "The solution can not be used any more",
    ]) {
        app.until_request_is(business, "failed").await;
        let page = browser.open(&request_page(&app, business).await).await.unwrap();
        assert!(page.body.contains(says), "{says}: {}", page.body);
    }
    assert_eq!(app.simulator.count(Operation::Onboard), 1, "the one that heard of the limit");
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn trouble_of_our_own_is_waited_out_and_costs_no_request_a_try(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let business = app.eligible_business().await;
    run(&app, "UPDATE tokens SET key_id = 'lost'").await;
    onboard(&browser, &business).await;
    for attempts in 1..=7 {
        app.until("another try", async || {
            let (state, tried, _) = app.request_for(&business).await;
            state == "waiting_to_retry" && tried == attempts
        })
        .await;
        let page = browser.open(&request_page(&app, &business).await).await.unwrap();
        assert!(page.body.contains("Trouble on our side"), "{}", page.body);
        if attempts < 7 {
            app.advance(Duration::from_secs(61)).await;
        }
    }
    assert_eq!(app.simulator.count(Operation::Onboard), 0);
    run(&app, "UPDATE tokens SET key_id = 'k1'").await;
    app.advance(Duration::from_secs(61)).await;
    app.until_request_is(&business, "requested").await;
}
