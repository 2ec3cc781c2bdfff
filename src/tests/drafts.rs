//! Stories of many at once, up to the moment the requests are queued: ticking, looking, the start.

use futures::future::join_all;
use liteboard::graph_simulator::Options;
use reqwest::Method;
use sqlx::PgPool;

use super::{
    app::{ADMIN, MANAGER, NORTHLANE, RIVAL, SUPPORT, TestApp, onboard},
    browser::{Answer, Browser},
};

pub async fn many(pool: PgPool) -> TestApp {
    TestApp::start_with(pool, Options { businesses: 400, ..Options::default() }).await
}

/// The boxes of a page of the list: each business, and whether it's ticked.
fn boxes(page: &Answer) -> Vec<(String, bool)> {
    let inputs = page.body.split("name=\"tick[]\"").skip(1).map(|rest| rest.split('>').next().unwrap());
    inputs
        .map(|input| {
            let id = input.split("value=\"").nth(1).unwrap().split('"').next().unwrap();
            (id.to_owned(), input.contains(" checked"))
        })
        .collect()
}

/// Fills in the boxes of a page and sends them to a door.
async fn send_ticks(browser: &Browser, door: &str, view: &str, page: &Answer, ticked: &[String]) -> Answer {
    let shown = boxes(page);
    let mut form = vec![("view", view)];
    form.extend(shown.iter().map(|(id, _)| ("shown[]", id.as_str())));
    form.extend(ticked.iter().map(|id| ("tick[]", id.as_str())));
    browser.send(door, &form).await.unwrap()
}

/// The number of the draft whose page it is.
pub fn draft_of(page: &Answer) -> String {
    let rest = page.url.split("/drafts/").nth(1).unwrap_or_else(|| panic!("no draft: {} {}", page.url, page.body));
    rest.split(['/', '?']).next().unwrap().to_owned()
}

pub async fn start(browser: &Browser, number: &str, shown: &str, confirm: &str) -> Answer {
    let form = [("number", number), ("name", "Wave"), ("solution_id", ""), ("shown", shown), ("confirm", confirm)];
    browser.ask(Method::POST, "/onboarding/start", Some(&form)).await.unwrap()
}

/// Requests of a batch.
pub async fn requests(app: &TestApp, number: &str) -> i64 {
    let number: i64 = number.parse().unwrap();
    let mut tx = app.tenant(NORTHLANE).await;
    sqlx::query_scalar!("SELECT count(*) AS \"count!\" FROM requests WHERE batch_number = $1", number)
        .fetch_one(&mut *tx)
        .await
        .unwrap()
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn ticks_survive_paging_and_searching_and_are_sent_together(pool: PgPool) {
    let app = many(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let eligible = app.businesses("eligible").await;
    let ticked_of = |page: &Answer, most: usize| -> Vec<String> {
        boxes(page).into_iter().map(|(id, _)| id).filter(|id| eligible.contains(id)).take(most).collect()
    };

    let first = browser.open("/businesses").await.unwrap();
    let on_first = ticked_of(&first, 2);
    let kept = send_ticks(&browser, "/businesses/select", "/businesses", &first, &on_first).await;
    assert!(kept.body.contains("2 selected"), "{}", kept.body);
    let shown: Vec<String> = boxes(&kept).into_iter().filter(|(_, ticked)| *ticked).map(|(id, _)| id).collect();
    assert_eq!(shown, on_first);

    let next = format!("/businesses?after={}", boxes(&first).last().unwrap().0);
    let second = browser.open(&next).await.unwrap();
    let on_second = ticked_of(&second, 3);
    let kept = send_ticks(&browser, "/businesses/select", &next, &second, &on_second[..1]).await;
    assert!(kept.url.ends_with(&next) && kept.body.contains("3 selected"), "{}", kept.url);
    let searched = browser.open("/businesses?q=a").await.unwrap();
    assert!(searched.body.contains("3 selected"));
    let other = app.signed_in(ADMIN).await.open("/businesses").await.unwrap();
    assert!(other.body.contains("0 selected"), "a selection is its member's own");

    let confirm = send_ticks(&browser, "/onboarding/draft", &next, &second, &on_second).await;
    assert!(confirm.body.contains("Onboard 5 businesses to MM Lite?"), "{}", confirm.body);
    assert!(confirm.body.contains("Send 5 requests") && confirm.body.contains("Keep selecting"));
    let number = draft_of(&confirm);
    assert_eq!(requests(&app, &number).await, 0, "nothing is sent before it's started");

    let started = start(&browser, &number, "5", "").await;
    assert_eq!(started.location(), Some(format!("/batches/{number}").as_str()));
    assert_eq!(requests(&app, &number).await, 5);
    let list = browser.open("/businesses").await.unwrap();
    assert!(list.body.contains("0 selected") && boxes(&list).iter().all(|(_, ticked)| !ticked));
    for business in on_first.iter().chain(&on_second) {
        app.until_request_is(business, "requested").await;
        assert_eq!(app.agreements(business), 1);
    }
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn all_that_match_a_search_are_selected_on_the_server(pool: PgPool) {
    let app = many(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let view = "/businesses?q=a&status=eligible";
    let page = browser.open(view).await.unwrap();
    let word = page.body.split("Select all ").find_map(|rest| rest.split_once(" that match")).unwrap().0.to_owned();
    let matching: usize = word.parse().unwrap_or_else(|_| panic!("{word:.80}"));
    assert!(matching > 0);
    let all = send_ticks(&browser, "/businesses/select_matching", view, &page, &[]).await;
    assert!(all.url.ends_with(view) && all.body.contains(&format!("{matching} selected")), "{matching}: {}", all.body);
    assert!(boxes(&all).iter().all(|(_, ticked)| *ticked));
    let confirm = send_ticks(
        &browser,
        "/onboarding/draft",
        view,
        &all,
        &boxes(&all).into_iter().map(|(id, _)| id).collect::<Vec<_>>(),
    )
    .await;
    let businesses = if matching == 1 { "business" } else { "businesses" };
    assert!(confirm.body.contains(&format!("Onboard {matching} {businesses} to MM Lite?")), "{}", confirm.body);
    let cleared = browser.send("/businesses/clear_selection", &[("view", view)]).await.unwrap();
    assert!(cleared.url.ends_with(view) && cleared.body.contains("0 selected"));
    let nothing = browser.send("/onboarding/draft", &[("view", view)]).await.unwrap();
    assert!(nothing.url.contains("notice=nothing_selected") && nothing.body.contains("Nothing is selected"));
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn started_twice_it_is_one_batch(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (one, two) = (app.signed_in(MANAGER).await, app.signed_in(ADMIN).await);
    let eligible = app.businesses("eligible").await;
    let rows = one.upload("/import", ("", b""), &eligible[..3].join("\n")).await.unwrap();
    let number = draft_of(&rows);
    let starts = join_all([&one, &two, &one, &two].map(|browser| start(browser, &number, "3", ""))).await;
    let batch = format!("/batches/{number}");
    for answer in starts {
        assert_eq!(answer.location(), Some(batch.as_str()));
    }
    for business in &eligible[..3] {
        app.until_request_is(business, "requested").await;
        assert_eq!(app.agreements(business), 1);
    }
    let replayed = start(&one, &number, "3", "").await;
    assert_eq!(replayed.location(), Some(batch.as_str()));
    assert_eq!(requests(&app, &number).await, 3);
    let discarded = one.ask(Method::POST, "/onboarding/discard", Some(&[("number", &number)])).await.unwrap();
    assert_eq!(discarded.location(), Some(batch.as_str()), "what is started can't be thrown away");
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_large_number_is_typed_and_never_exceeded(pool: PgPool) {
    let app = many(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let eligible = app.businesses("eligible").await;
    assert!(eligible.len() > 101, "{}", eligible.len());
    let rows = browser.upload("/import", ("", b""), &eligible[..101].join("\n")).await.unwrap();
    let number = draft_of(&rows);
    let confirm = browser.open(&format!("/drafts/{number}")).await.unwrap();
    assert!(confirm.body.contains("Type 101 to confirm"), "{}", confirm.body);
    for (shown, typed, problem) in [
        ("101", "", "not_confirmed"),
        ("101", "100", "not_confirmed"),
        ("100", "100", "more_to_send"),
        ("", "", "more_to_send"),
    ] {
        let answer = start(&browser, &number, shown, typed).await;
        let back = answer.location().unwrap().to_owned();
        assert!(
            back.starts_with(&format!("/drafts/{number}?name=Wave")) && back.ends_with(&format!("problem={problem}")),
            "{back}"
        );
        let page = browser.open(&back).await.unwrap();
        assert!(page.body.contains("Nothing was sent.") && page.body.contains("value=\"Wave\""), "{}", page.body);
    }
    assert_eq!(requests(&app, &number).await, 0);
    let started = start(&browser, &number, "101", "101").await;
    assert_eq!(started.location(), Some(format!("/batches/{number}").as_str()));
    assert_eq!(requests(&app, &number).await, 101);
    for business in &eligible[..101] {
        app.until_request_is(business, "requested").await;
    }
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn what_changed_since_the_preview_is_checked_again(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let eligible = app.businesses("eligible").await;
    let rows = browser.upload("/import", ("", b""), &eligible[..2].join("\n")).await.unwrap();
    let number = draft_of(&rows);
    onboard(&browser, &eligible[0]).await;
    app.until_request_is(&eligible[0], "requested").await;
    let started = start(&browser, &number, "2", "").await;
    assert_eq!(started.location(), Some(format!("/batches/{number}").as_str()));
    assert_eq!(requests(&app, &number).await, 1);
    app.until_request_is(&eligible[1], "requested").await;
    let nothing = browser.upload("/import", ("", b""), &eligible[0]).await.unwrap();
    let answer = start(&browser, &draft_of(&nothing), "1", "").await;
    assert!(answer.location().unwrap().ends_with("problem=nothing_to_send"), "{:?}", answer.location());
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn support_sees_drafts_and_changes_nothing(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let manager = app.signed_in(MANAGER).await;
    let business = app.eligible_business().await;
    let number = draft_of(&manager.upload("/import", ("", b""), &business).await.unwrap());
    let support = app.signed_in(SUPPORT).await;
    let list = support.open("/businesses").await.unwrap();
    assert!(boxes(&list).is_empty() && !list.body.contains("selected") && !list.body.contains("/import"));
    assert_eq!(support.open("/import").await.unwrap().status.as_u16(), 403);
    for page in [format!("/drafts/{number}"), format!("/drafts/{number}/rows")] {
        let page = support.open(&page).await.unwrap();
        assert!(page.status.is_success() && !page.body.contains("action=\"/onboarding/"), "{}", page.body);
    }
    for door in [
        "/onboarding/draft",
        "/onboarding/start",
        "/onboarding/correct",
        "/onboarding/discard",
        "/businesses/select",
        "/businesses/select_matching",
        "/businesses/clear_selection",
    ] {
        let form = [("number", number.as_str()), ("shown", "1"), ("tick[]", business.as_str())];
        let form = if door == "/onboarding/start" { &form[..2] } else { &[form[0], form[2]][..] };
        let answer = support.ask(Method::POST, door, Some(form)).await.unwrap();
        assert!(answer.location().unwrap().contains("problem=forbidden"), "{door}: {:?}", answer.location());
    }
    let uploaded = support.upload("/import", ("", b""), &business).await.unwrap();
    assert!(uploaded.url.contains("problem=forbidden") && uploaded.status.as_u16() == 403, "{}", uploaded.url);
    let mut tx = app.tenant(NORTHLANE).await;
    let left = sqlx::query!(
        "SELECT (SELECT count(*) FROM batches) AS \"drafts!\", (SELECT count(*) FROM selected_businesses) AS \"ticks!\",
            (SELECT count(*) FROM requests) AS \"requests!\""
    )
    .fetch_one(&mut *tx)
    .await
    .unwrap();
    assert_eq!((left.drafts, left.ticks, left.requests), (1, 0, 0));
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn whether_it_may_be_started_is_asked_when_it_is_started(pool: PgPool) {
    let app = TestApp::start(pool.clone()).await;
    let manager = app.signed_in(MANAGER).await;
    let business = app.eligible_business().await;
    let number = draft_of(&manager.upload("/import", ("", b""), &business).await.unwrap());
    let run = async |statement: &'static str| sqlx::query(statement).execute(&pool).await.unwrap();
    run("UPDATE members SET role = 'support'").await;
    let refused = start(&manager, &number, "1", "").await;
    let back = refused.location().unwrap().to_owned();
    assert!(back.contains(&format!("/drafts/{number}")) && back.contains("problem=forbidden"), "{back}");
    let page = manager.open(back.strip_prefix(app.url.as_str()).unwrap_or(&back)).await.unwrap();
    assert!(page.body.contains("Your role may look, and sends nothing"), "{}", page.body);
    run("UPDATE members SET role = 'account_manager'").await;
    run("UPDATE tokens SET problem = 'expired', problem_at = now()").await;
    let refused = start(&manager, &number, "1", "").await;
    assert!(refused.location().unwrap().contains("/sign-in"), "{:?}", refused.location());
    assert_eq!(requests(&app, &number).await, 0);
    // A system user's token sends for everybody, whatever became of one's own.
    run(
        "INSERT INTO system_user_tokens (partner_id, system_user_id, system_user_name, sealed, key_id, scopes, stored_at, stored_by)
         SELECT partner_id, '5', 'Sender', 'x', 'lost', '{}', now(), member_id FROM tokens LIMIT 1",
    )
    .await;
    let started = start(&manager, &number, "1", "").await;
    assert!(started.location().unwrap().ends_with(&format!("/batches/{number}")), "{:?}", started.location());
    assert_eq!(requests(&app, &number).await, 1);
    // Its key is lost, so the request waits until somebody has mended that.
    let waits = async || {
        let mut tx = app.tenant(NORTHLANE).await;
        let states = sqlx::query_scalar!("SELECT state FROM requests").fetch_all(&mut *tx).await.unwrap();
        states == ["waiting_to_retry"]
    };
    app.until("the request to wait", waits).await;
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn another_partners_draft_is_not_there(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let manager = app.signed_in(MANAGER).await;
    let business = app.eligible_business().await;
    let number = draft_of(&manager.upload("/import", ("", b""), &business).await.unwrap());
    let rival = app.signed_in(RIVAL).await;
    for number in [number.as_str(), "999999", "x"] {
        for page in
            [format!("/drafts/{number}"), format!("/drafts/{number}/rows"), format!("/drafts/{number}/problems.csv")]
        {
            assert_eq!(rival.ask(Method::GET, &page, None).await.unwrap().status.as_u16(), 404, "{page}");
        }
        for door in ["/onboarding/start", "/onboarding/correct", "/onboarding/discard"] {
            let form = [("number", number), ("then", "confirm")];
            let answer = rival.ask(Method::POST, door, Some(&form)).await.unwrap();
            assert_eq!(answer.location(), Some("/businesses?problem=not_found"), "{door}");
        }
    }
    assert_eq!(requests(&app, &number).await, 0);
    let page = manager.open(&format!("/drafts/{number}")).await.unwrap();
    assert!(page.body.contains("Send 1 request"), "it's as it was");
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_draft_thrown_away_is_gone(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let business = app.eligible_business().await;
    let number = draft_of(&browser.upload("/import", ("", b""), &business).await.unwrap());
    let landed = browser.send("/onboarding/discard", &[("number", &number)]).await.unwrap();
    assert!(landed.url.ends_with("/businesses"), "{}", landed.url);
    assert_eq!(browser.open(&format!("/drafts/{number}")).await.unwrap().status.as_u16(), 404);
    let answer = start(&browser, &number, "1", "").await;
    assert!(answer.location().unwrap().contains("problem=not_found"));
}
