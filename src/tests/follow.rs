//! Stories of what became of a request: heard by asking where webhooks are lost, noted, assigned.

use std::time::Duration;

use liteboard::{
    graph_simulator::{Fault, Operation, Options, Situation},
    sign_in::PartnerSettings,
};
use sqlx::PgPool;

use super::{
    app::{ADMIN, HARBOUR_REACH, MANAGER, NORTHLANE, RIVAL, SUPPORT, TestApp, onboard},
    browser::{Answer, Browser},
};

/// No sync tells anything any more.
fn break_syncs(app: &TestApp) {
    for operation in [Operation::ClientWabas, Operation::OwnedWabas] {
        app.simulator.plan(operation, Fault::ServerError, 10_000);
    }
}

/// WABAs are set up only 40 minutes after their business signed, so that a look between sees it signed and not ready.
pub(super) async fn slow(pool: PgPool) -> TestApp {
    let setup_after = Duration::from_mins(40);
    TestApp::start_with(pool, Options { businesses: 40, setup_after, ..Options::default() }).await
}

/// Where the newest request for a business stands, if there is one.
async fn state(app: &TestApp, business: &str) -> Option<String> {
    let mut tx = app.tenant(NORTHLANE).await;
    sqlx::query_scalar!("SELECT state FROM requests WHERE business_id = $1 ORDER BY number DESC LIMIT 1", business as _)
        .fetch_optional(&mut *tx)
        .await
        .unwrap()
}

/// What was heard of a business by asking, oldest first.
async fn heard(app: &TestApp, business: &str) -> Vec<String> {
    let mut tx = app.tenant(NORTHLANE).await;
    sqlx::query_scalar!(
        "SELECT coalesce(detail, '') AS \"detail!\" FROM business_events WHERE business_id = $1 AND heard_from = 'poll' ORDER BY event_id",
        business as _,
    )
    .fetch_all(&mut *tx)
    .await
    .unwrap()
}

async fn member(app: &TestApp, partner: &str, person: &str) -> String {
    let mut tx = app.tenant(partner).await;
    let id = sqlx::query_scalar!("SELECT member_id FROM members WHERE facebook_user_id = $1", person as _)
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    id.to_string()
}

pub(super) async fn check(browser: &Browser, business: &str) -> Answer {
    browser.send("/onboarding/check", &[("business_id", business)]).await.unwrap()
}

/// The part of a page that is its timeline.
pub(super) fn timeline(page: &Answer) -> &str {
    page.body.split("id=\"timeline\"").nth(1).expect("there is a timeline").split("</section>").next().unwrap()
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn with_webhooks_lost_asking_finds_the_acceptance_and_the_readiness(pool: PgPool) {
    let app = slow(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let businesses = app.businesses("eligible").await;
    let business = &businesses[0];
    let request = onboard(&browser, business).await.url;
    onboard(&browser, &businesses[1]).await;
    break_syncs(&app);
    app.simulator.accept(business).unwrap();
    app.advance(Duration::from_mins(29)).await;
    assert_eq!(check(&browser, &businesses[2]).await.url.split('?').nth(1), Some("notice=not_waiting"));
    assert_eq!(app.simulator.count(Operation::ReadMany), 0, "not before half an hour");
    app.advance(Duration::from_mins(2)).await;
    app.until_request_is(business, "accepted").await;
    assert_eq!(app.request_for(&businesses[1]).await.0, "requested");
    assert_eq!(heard(&app, business).await[0], "TERM_OF_SERVICE_SIGNED");
    let calls = app.simulator.count(Operation::ReadMany);
    assert!(calls <= 2, "both were asked about in one call, and the WABAs of the one that signed in another: {calls}");
    let page = browser.open(&request).await.unwrap();
    assert!(timeline(&page).contains("Accepted: the terms are signed"), "{}", timeline(&page));
    assert!(timeline(&page).contains("Meta says: terms signed") && timeline(&page).contains("Meta was asked."));
    let between = ["Setting up", "Needs payment"].into_iter().find(|tag| page.body.contains(tag)).expect("a tag");
    for list in ["/requests?state=accepted", "/businesses?status=accepted"] {
        assert!(browser.open(list).await.unwrap().body.contains(between), "{list} says {between}");
    }
    // The slowest WABA is set up an hour after it signed.
    for _ in 0..3 {
        app.advance(Duration::from_mins(31)).await;
        app.until("another look", async || {
            let mut tx = app.tenant(NORTHLANE).await;
            let now = app.clock.now();
            sqlx::query_scalar!("SELECT NOT EXISTS (SELECT FROM business_polls WHERE due_at <= $1) AS \"so!\"", now)
                .fetch_one(&mut *tx)
                .await
                .unwrap()
        })
        .await;
    }
    app.until_request_is(business, "ready").await;
    assert!(heard(&app, business).await.contains(&"ONBOARDED".to_owned()));
    app.simulator.clear_faults();
    let browser = app.signed_in_again(MANAGER).await;
    let page = browser.open(&request).await.unwrap();
    assert!(timeline(&page).contains("Ready: a WABA is onboarded"), "{}", timeline(&page));
    let before = app.simulator.count(Operation::ReadMany);
    app.advance(Duration::from_hours(3)).await;
    app.until("the other one to be asked about", async || app.simulator.count(Operation::ReadMany) > before).await;
    let calls = app.simulator.calls();
    let later =
        calls.iter().filter(|call| call.operation == Operation::ReadMany).skip(usize::try_from(before).unwrap());
    let asked: String = later.filter_map(|call| call.params.get("ids")).cloned().collect::<Vec<_>>().join(",");
    assert!(
        asked.contains(&businesses[1]) && !asked.contains(business),
        "what is ready is asked about no more: {asked}"
    );
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn asking_waits_while_meta_asks_us_to_and_goes_behind_requests(pool: PgPool) {
    let app = TestApp::start_with(pool, Options { businesses: 40, regain_minutes: 90, ..Options::default() }).await;
    let browser = app.signed_in(MANAGER).await;
    let businesses = app.businesses("eligible").await;
    onboard(&browser, &businesses[0]).await;
    break_syncs(&app);

    // A request that is being sent comes first.
    app.simulator.plan(Operation::Onboard, Fault::HangBefore, 1);
    let sending = async {
        app.until("it to be under way", async || state(&app, &businesses[1]).await.as_deref() == Some("sending")).await;
        check(&browser, &businesses[0]).await
    };
    let watching = async {
        app.until("it to be under way", async || state(&app, &businesses[1]).await.as_deref() == Some("sending")).await;
        loop {
            let asked = app.simulator.count(Operation::ReadMany);
            if state(&app, &businesses[1]).await.as_deref() != Some("sending") {
                return;
            }
            assert_eq!(asked, 0, "nothing is asked while a request is under way");
        }
    };
    let (_, checked, ()) = futures::join!(onboard(&browser, &businesses[1]), sending, watching);
    assert!(checked.url.ends_with("notice=checked"), "{}", checked.url);
    assert_eq!(app.simulator.count(Operation::ReadMany), 1);
    let again = check(&browser, &businesses[0]).await;
    assert!(again.url.ends_with("notice=checked_lately"), "{}", again.url);
    assert!(again.body.contains("Checked less than a minute ago"), "{}", again.body);
    let told = again.body.matches("asked for a check at Meta").count();
    assert_eq!(
        (told, again.body.matches("Asked Meta: it stands as before").count()),
        (1, 0),
        "it was news: {}",
        again.body
    );

    // Told to wait, it waits.
    app.advance(Duration::from_secs(10)).await;
    app.until_request_is(&businesses[1], "requested").await;
    app.simulator.plan(Operation::Onboard, Fault::PartnerLimit, 1);
    onboard(&browser, &businesses[2]).await;
    app.until_request_is(&businesses[2], "waiting_to_retry").await;
    app.advance(Duration::from_mins(45)).await;
    let held = check(&browser, &businesses[0]).await;
    assert!(held.url.ends_with("notice=asking"), "{}", held.url);
    assert_eq!(app.simulator.count(Operation::ReadMany), 1);
    app.advance(Duration::from_mins(46)).await;
    app.until("it to be asked about", async || app.simulator.count(Operation::ReadMany) > 1).await;
    let page = format!("/businesses/{}", businesses[0]);
    app.until("the timeline to say so", async || {
        browser.open(&page).await.unwrap().body.contains("Asked Meta: it stands as before")
    })
    .await;
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn one_that_left_does_not_keep_us_from_hearing_of_the_others(pool: PgPool) {
    let app = slow(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let businesses = app.businesses("eligible").await;
    for business in &businesses[..5] {
        onboard(&browser, business).await;
    }
    break_syncs(&app);
    app.simulator.leave_partner(&businesses[2], NORTHLANE).unwrap();
    app.simulator.accept_all();
    app.advance(Duration::from_mins(31)).await;
    for business in businesses[..5].iter().filter(|business| **business != businesses[2]) {
        app.until_request_is(business, "accepted").await;
    }
    app.until("the one that left to be found", async || {
        let mut tx = app.tenant(NORTHLANE).await;
        let row =
            sqlx::query!("SELECT business_id::text AS \"id!\", due_at, cause FROM business_polls WHERE refusals > 0")
                .fetch_all(&mut *tx)
                .await
                .unwrap();
        row.len() == 1
            && row[0].id == businesses[2]
            && row[0].cause.as_deref() == Some("not_found_or_no_access")
            && row[0].due_at > app.clock.now() + Duration::from_hours(23)
    })
    .await;
    let calls = app.simulator.count(Operation::ReadMany);
    assert!(calls < 25, "{calls}");
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn asking_goes_on_with_the_next_token_when_one_dies(pool: PgPool) {
    let app = slow(pool).await;
    app.signed_in(ADMIN).await;
    app.advance(Duration::from_secs(1)).await;
    let browser = app.signed_in(MANAGER).await;
    let business = app.eligible_business().await;
    onboard(&browser, &business).await;
    break_syncs(&app);
    app.simulator.accept(&business).unwrap();
    app.simulator.revoke_tokens_of(MANAGER).unwrap();
    app.advance(Duration::from_mins(31)).await;
    app.until_request_is(&business, "accepted").await;
    let mut tx = app.tenant(NORTHLANE).await;
    let dead = sqlx::query_scalar!(
        "SELECT m.facebook_user_id::text AS \"id!\" FROM tokens t JOIN members m USING (member_id) WHERE t.problem IS NOT NULL"
    )
    .fetch_all(&mut *tx)
    .await
    .unwrap();
    assert_eq!(dead, [MANAGER]);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn requests_are_asked_about_by_their_ids_only_while_the_partner_wants_it(pool: PgPool) {
    let app = slow(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let business = app.eligible_business().await;
    onboard(&browser, &business).await;
    app.until_request_is(&business, "requested").await;
    let id = app.request_for(&business).await.2.expect("Meta gave an id");
    break_syncs(&app);
    for (wanted, probes) in [(false, 0), (true, 1), (false, 1)] {
        app.decide(PartnerSettings { probe_request_ids: wanted, ..PartnerSettings::default() }).await;
        let before = app.simulator.count(Operation::ReadMany);
        app.advance(Duration::from_hours(3)).await;
        app.until("what was heard to be kept", async || {
            let mut tx = app.tenant(NORTHLANE).await;
            let now = app.clock.now();
            let kept = sqlx::query_scalar!(
                "SELECT NOT EXISTS (SELECT FROM business_polls WHERE due_at <= $1) AS \"so!\"",
                now
            )
            .fetch_one(&mut *tx)
            .await
            .unwrap();
            kept && app.simulator.count(Operation::ReadMany) > before
        })
        .await;
        let asked = app.simulator.calls().iter().filter(|call| call.path.ends_with(&format!("/{id}"))).count();
        assert_eq!(asked, probes, "wanted: {wanted}");
    }
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_note_stands_in_the_timeline_and_its_writer_takes_it_back(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (manager, admin, support) =
        (app.signed_in(MANAGER).await, app.signed_in(ADMIN).await, app.signed_in(SUPPORT).await);
    let business = app.eligible_business().await;
    let page = format!("/businesses/{business}");
    let add = async |browser: &Browser, words: &str| {
        browser.send("/businesses/add_note", &[("business_id", business.as_str()), ("words", words)]).await.unwrap()
    };
    let noted = add(&manager, "Spoke to Carla, the <owner>.\r\nShe shares it first.").await;
    assert!(noted.url.contains("notice=noted"), "{}", noted.url);
    assert!(
        timeline(&noted).contains("Spoke to Carla, the &lt;owner&gt;.\nShe shares it first."),
        "{}",
        timeline(&noted)
    );
    assert!(timeline(&noted).contains("left a note") && timeline(&noted).contains("Delete note"));
    for (words, problem) in
        [("", "Nothing was written"), (" \n", "Nothing was written"), (&*"x".repeat(2_001), "up to 2,000 characters")]
    {
        let refused = add(&manager, words).await;
        assert!(refused.body.contains(problem) && refused.body.contains("Note not kept"), "{}", refused.body);
    }
    let seen = admin.open(&page).await.unwrap();
    assert!(timeline(&seen).contains("Spoke to Carla") && !timeline(&seen).contains("Delete note"));
    let seen = support.open(&page).await.unwrap();
    assert!(timeline(&seen).contains("Spoke to Carla") && !seen.body.contains("name=\"words\""));
    assert!(add(&support, "Mine").await.body.contains("Your role does not allow this"));
    let mut tx = app.tenant(NORTHLANE).await;
    let note = sqlx::query_scalar!("SELECT note_id FROM business_notes").fetch_one(&mut *tx).await.unwrap().to_string();
    drop(tx);
    let rival = app.signed_in(RIVAL).await;
    assert_eq!(rival.open(&page).await.unwrap().status.as_u16(), 404);
    assert!(add(&rival, "Theirs").await.body.contains("Not found"));
    for (browser, says) in [(&admin, "Not found"), (&rival, "Not found"), (&support, "Your role does not allow this")] {
        let refused = browser.send("/businesses/delete_note", &[("note", note.as_str())]).await.unwrap();
        assert!(refused.body.contains(says), "{says}: {}", refused.url);
    }
    let deleted = manager.send("/businesses/delete_note", &[("note", note.as_str())]).await.unwrap();
    assert!(deleted.url.contains(&page) && !deleted.body.contains("Spoke to Carla"), "{}", deleted.url);
    assert!(timeline(&deleted).contains("left a note") && timeline(&deleted).contains("Deleted by its writer"));
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn businesses_are_assigned_one_by_one_and_all_that_match(pool: PgPool) {
    let app = TestApp::start_with(pool, Options { businesses: 150, ..Options::default() }).await;
    let (manager, support) = (app.signed_in(MANAGER).await, app.signed_in(SUPPORT).await);
    let rival = app.signed_in(RIVAL).await;
    let (ines, rahul) = (member(&app, NORTHLANE, ADMIN).await, member(&app, NORTHLANE, MANAGER).await);
    let foreign = member(&app, HARBOUR_REACH, RIVAL).await;
    let eligible = app.businesses("eligible").await;
    let business = eligible[0].as_str();
    let assign = async |browser: &Browser, business: &str, to: &str| {
        browser.send("/businesses/assign", &[("business_id", business), ("manager", to)]).await.unwrap()
    };
    let page = assign(&manager, business, &ines).await;
    assert!(
        timeline(&page).contains("Assigned to ") && timeline(&page).contains("Ines Carvalho"),
        "{}",
        timeline(&page)
    );
    assert!(page.body.contains("Change manager"));
    for wrong in [foreign.as_str(), "0", "", "none ' OR", "99999999999"] {
        let refused = assign(&manager, business, wrong).await;
        assert!(
            refused.body.contains("Check what you entered") || refused.body.contains("Choose a member"),
            "{wrong}: {}",
            refused.body
        );
    }
    assert!(assign(&support, business, &ines).await.body.contains("Your role does not allow this"));
    let theirs = app.simulator.business_where(HARBOUR_REACH, Situation::Onboardable).unwrap();
    for unknown in [theirs.as_str(), "404404", "x"] {
        assert!(assign(&manager, unknown, &ines).await.body.contains("Not found"), "{unknown}");
    }
    let list = manager.open(&format!("/businesses?manager={ines}")).await.unwrap();
    assert!(
        list.body.contains("Remove filter: manager Ines Carvalho") && list.body.contains(business),
        "{}",
        list.body
    );
    assert!(!list.body.contains(&eligible[1]));

    // All that match, by the list's own selection.
    let view = format!("/businesses?status=eligible&manager={ines}");
    let all = manager.send("/businesses/select_matching", &[("view", "/businesses?status=eligible")]).await.unwrap();
    assert!(all.body.contains(&format!("{} selected", eligible.len())), "{}", all.body);
    let chooses = manager.send("/businesses/assign_ticked", &[("view", &view)]).await.unwrap();
    assert!(chooses.url.ends_with("/assign"), "{}", chooses.url);
    assert!(chooses.body.contains(&format!("Assign {} businesses", eligible.len())), "{}", chooses.body);
    assert!(chooses.body.contains("One of them has a manager now"));
    let refused = manager.send("/businesses/assign_selected", &[("manager", &foreign)]).await.unwrap();
    assert!(refused.url.contains("/assign"), "{}", refused.url);
    let assigned = manager.send("/businesses/assign_selected", &[("manager", &rahul)]).await.unwrap();
    assert!(
        assigned.url.contains(&format!("manager={rahul}")) && assigned.body.contains("Assigned"),
        "{}",
        assigned.url
    );
    let mut tx = app.tenant(NORTHLANE).await;
    let id: i64 = rahul.parse().unwrap();
    let (now, noted) = (
        sqlx::query_scalar!("SELECT count(*) AS \"n!\" FROM businesses WHERE assigned_to = $1", id)
            .fetch_one(&mut *tx)
            .await
            .unwrap(),
        sqlx::query_scalar!(
            "SELECT count(*) AS \"n!\" FROM business_assignments WHERE assigned_to = $1 AND member_id = $1",
            id
        )
        .fetch_one(&mut *tx)
        .await
        .unwrap(),
    );
    drop(tx);
    let expected = i64::try_from(eligible.len()).unwrap();
    assert_eq!((now, noted), (expected, expected));
    let nothing = manager.send("/businesses/assign_ticked", &[("view", &view)]).await.unwrap();
    assert!(nothing.body.contains("Nothing is selected"), "the ticks are used up: {}", nothing.url);
    let nobodys = manager.open("/businesses?manager=none").await.unwrap();
    assert!(nobodys.body.contains("Remove filter: manager Nobody") && !nobodys.body.contains(business));

    // Another partner sees nothing of it, and support changes nothing.
    assert_eq!(rival.open(&format!("/businesses/{business}")).await.unwrap().status.as_u16(), 404);
    let list = rival.open(&format!("/businesses?manager={rahul}")).await.unwrap();
    assert!(!list.body.contains("Tomás") && !list.body.contains(business), "{}", list.body);
    assert_eq!(support.open("/assign").await.unwrap().status.as_u16(), 403);
    let refused = support.send("/businesses/assign_selected", &[("manager", &ines)]).await.unwrap();
    assert!(refused.body.contains("Your role does not allow this"), "{}", refused.body);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_long_timeline_is_read_on_from_its_end(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let business = app.eligible_business().await;
    let mut tx = app.tenant(NORTHLANE).await;
    sqlx::query!(
        "INSERT INTO business_notes (partner_id, business_id, member_id, at, words)
         SELECT $1, $2, member_id, $3::timestamptz + make_interval(secs => n), 'note no. ' || n || '.'
         FROM members, generate_series(1, 70) AS n WHERE facebook_user_id = '122000000000002'",
        NORTHLANE as _,
        &business as _,
        app.clock.now(),
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    let page = browser.open(&format!("/businesses/{business}")).await.unwrap();
    assert!(timeline(&page).contains("note no. 70.") && timeline(&page).contains("note no. 21."));
    assert!(!timeline(&page).contains("note no. 20."));
    let older =
        timeline(&page).split("href=\"").find(|link| link.contains("older=")).unwrap().split('"').next().unwrap();
    let page = browser.open(older.split('#').next().unwrap()).await.unwrap();
    assert!(
        timeline(&page).contains("note no. 20.") && !timeline(&page).contains("note no. 21."),
        "{}",
        timeline(&page)
    );
    assert!(timeline(&page).contains("First seen in a sync") && !timeline(&page).contains("Show older"));
    for odd in ["?older=nonsense", "?older=1.2", "?older=99999999999999999999.0.0"] {
        let page = browser.open(&format!("/businesses/{business}{odd}")).await.unwrap();
        assert!(timeline(&page).contains("note no. 70."), "{odd}");
    }
}
