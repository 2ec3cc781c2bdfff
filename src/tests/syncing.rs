//! Stories of the sync and of the list it fills.

use std::time::Duration;

use liteboard::graph_simulator::{Fault, Operation, Options};
use sqlx::PgPool;

use super::app::{ADMIN, MANAGER, NORTHLANE, SUPPORT, TestApp};

/// The newest sync: finished, failed, tries so far, cause.
async fn newest(app: &TestApp) -> (bool, bool, i32, Option<String>) {
    let mut tx = app.tenant(NORTHLANE).await;
    let row = sqlx::query!(
        "SELECT finished_at IS NOT NULL AS \"finished!\", failed_at IS NOT NULL AS \"failed!\", tries, cause FROM syncs
        ORDER BY sync_id DESC LIMIT 1"
    )
    .fetch_optional(&mut *tx)
    .await
    .unwrap();
    row.map_or((false, false, 0, None), |row| (row.finished, row.failed, row.tries, row.cause))
}

/// Business, WABAs that are there, whether it left.
async fn kept(app: &TestApp) -> Vec<(String, i64, bool)> {
    let mut tx = app.tenant(NORTHLANE).await;
    sqlx::query!(
        "SELECT business_id::text AS \"id!\", left_at IS NOT NULL AS \"gone!\",
            (SELECT count(*) FROM wabas w WHERE w.business_id = b.business_id AND gone_at IS NULL) AS \"wabas!\"
        FROM businesses b ORDER BY business_id"
    )
    .fetch_all(&mut *tx)
    .await
    .unwrap()
    .into_iter()
    .map(|row| (row.id, row.wabas, row.gone))
    .collect()
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_sync_finds_every_business_with_its_wabas_once(pool: PgPool) {
    let app = TestApp::start_with(pool, Options { businesses: 130, ..Options::default() }).await;
    let browser = app.signed_in(SUPPORT).await;
    let mut expected: Vec<(String, i64, bool)> = app
        .simulator
        .businesses_of(NORTHLANE)
        .unwrap()
        .into_iter()
        .map(|business| (business.id, i64::try_from(business.wabas.len()).unwrap(), false))
        .collect();
    expected.sort();
    assert_eq!(kept(&app).await, expected);
    let page = browser.open("/businesses").await.unwrap();
    assert!(page.body.contains("Last synced") && page.body.contains("130"), "{}", page.body);
    assert!(page.body.contains("50 of 130"), "{}", page.body);
    assert!(!page.body.contains("Onboard…"), "support may look only");
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_sync_goes_on_after_faults_where_it_was(pool: PgPool) {
    let app = TestApp::start_with(pool, Options { businesses: 130, ..Options::default() }).await;
    app.simulator.plan(Operation::OwnedWabas, Fault::CutJson, 1);
    app.simulator.plan(Operation::OwnedWabas, Fault::BadGateway, 1);
    let browser = app.browser();
    browser.sign_in(ADMIN).await.unwrap();
    for tries in 1..=2 {
        app.until("the sync to wait", async || newest(&app).await.2 == tries).await;
        let pages = app.simulator.count(Operation::ClientWabas);
        app.advance(Duration::from_secs(5)).await;
        app.until("the next try", async || newest(&app).await.2 != tries).await;
        assert_eq!(app.simulator.count(Operation::ClientWabas), pages, "the list before is not read again");
    }
    app.synced(NORTHLANE).await;
    assert_eq!(kept(&app).await.len(), 130);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_sync_that_meta_never_answers_is_given_up_and_says_so(pool: PgPool) {
    let app = TestApp::start(pool).await;
    app.simulator.plan(Operation::OwnedWabas, Fault::Unavailable, 100);
    let browser = app.browser();
    browser.sign_in(ADMIN).await.unwrap();
    for tries in 1..6 {
        app.until("the sync to wait", async || newest(&app).await.2 == tries).await;
        app.advance(Duration::from_secs(40)).await;
    }
    app.until("the sync to be given up", async || newest(&app).await.1).await;
    let page = browser.open("/businesses").await.unwrap();
    assert!(page.body.contains("Meta could not be reached"), "{}", page.body);
    app.simulator.clear_faults();
    browser.send("/businesses/sync", &[]).await.unwrap();
    app.synced(NORTHLANE).await;
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_sync_waits_as_long_as_meta_asks(pool: PgPool) {
    let app = TestApp::start(pool).await;
    app.simulator.plan(Operation::OwnedWabas, Fault::PartnerLimit, 1);
    let browser = app.browser();
    browser.sign_in(ADMIN).await.unwrap();
    app.until("the sync to wait", async || newest(&app).await.3.as_deref() == Some("throttled")).await;
    let page = browser.open("/businesses").await.unwrap();
    assert!(page.body.contains("Meta asked us to wait"), "{}", page.body);
    let asked = app.simulator.count(Operation::OwnedWabas);
    app.advance(Duration::from_mins(1)).await;
    browser.send("/businesses/sync", &[]).await.unwrap();
    assert_eq!(app.simulator.count(Operation::OwnedWabas), asked, "more calls lengthen the block");
    app.advance(Duration::from_hours(2)).await;
    app.synced(NORTHLANE).await;
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_sync_goes_on_with_another_members_token_and_fails_when_there_is_none(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (admin, manager) = (app.signed_in(ADMIN).await, app.signed_in(MANAGER).await);
    app.simulator.revoke_tokens_of(ADMIN).unwrap();
    app.simulator.revoke_tokens_of(MANAGER).unwrap();
    let before = newest(&app).await;
    assert!(before.0);
    admin.send("/businesses/sync", &[]).await.unwrap();
    app.until("the sync to be given up", async || newest(&app).await.1).await;
    assert_eq!(newest(&app).await.3.as_deref(), Some("token_invalid"));
    let page = manager.open("/businesses").await.unwrap();
    assert!(page.body.contains("Sign in again"), "{}", page.body);
    let again = app.browser();
    again.sign_in(MANAGER).await.unwrap();
    app.until("the next sync to finish", async || newest(&app).await.0).await;
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_business_that_leaves_is_kept_but_not_listed_and_may_come_back(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let business = app.eligible_business().await;
    app.simulator.leave_partner(&business, NORTHLANE).unwrap();
    let state = async || kept(&app).await.into_iter().find(|(id, ..)| *id == business).unwrap();
    browser.send("/businesses/sync", &[]).await.unwrap();
    app.until("it to leave", async || state().await.2).await;
    let page = browser.open(&format!("/businesses?q={business}")).await.unwrap();
    assert!(page.body.contains("No business matches"), "{}", page.body);
    assert!(page.body.contains("39 businesses"), "{}", page.body);
    assert_eq!(browser.open(&format!("/businesses/{business}")).await.unwrap().status, 200);
    app.simulator.join_partner(&business, NORTHLANE).unwrap();
    browser.send("/businesses/sync", &[]).await.unwrap();
    app.until("it to come back", async || !state().await.2).await;
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn the_list_is_searched_by_name_by_id_and_by_waba(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let business = app.simulator.businesses_of(NORTHLANE).unwrap().swap_remove(7);
    app.simulator.rename(&business.id, "Estrela <Mercados> & Filhos").unwrap();
    browser.send("/businesses/sync", &[]).await.unwrap();
    let is_found = async |typed: &str| {
        let page = browser.open(&format!("/businesses?q={typed}")).await.unwrap();
        page.body.contains(&format!("href=\"/businesses/{}\"", business.id))
    };
    app.until("the new name", async || is_found("estrela").await).await;
    for typed in ["ESTR", "filhos%20estrela", "mercados", &business.id, &business.wabas[0].id, &business.id[..12]] {
        assert!(is_found(typed).await, "{typed}");
    }
    let page = browser.open(&format!("/businesses?q={}", business.wabas[0].id)).await.unwrap();
    assert!(page.body.contains("This is the ID of a WABA"), "{}", page.body);
    let page = browser.open("/businesses?q=estrella%20mercado").await.unwrap();
    assert!(page.body.contains("Did you mean"), "{}", page.body);
    assert!(page.body.contains("Estrela &lt;Mercados&gt; &amp; Filhos") && !page.body.contains("<Mercados>"));
}
