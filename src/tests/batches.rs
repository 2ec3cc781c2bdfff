//! Stories of a batch once it is started: watching it, holding it, stopping the rest, trying failures again, taking its results.

use std::time::Duration;

use liteboard::reconcile;
use reqwest::{Method, Response, StatusCode};
use sqlx::PgPool;

use super::{
    app::{ADMIN, MANAGER, NORTHLANE, RIVAL, SUPPORT, TestApp, onboard},
    browser::Browser,
};

/// A started batch of Northlane with a request in each of these states. What is queued isn't due for a year.
async fn batch(app: &TestApp, states: &[&str]) -> i64 {
    let businesses = app.businesses("eligible").await;
    let mut tx = app.tenant(NORTHLANE).await;
    let member = sqlx::query_scalar!("SELECT member_id FROM members WHERE facebook_user_id = $1", MANAGER as _)
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    let (now, size) = (app.clock.now(), i32::try_from(states.len()).unwrap());
    let number = sqlx::query_scalar!(
        "INSERT INTO batches (partner_id, member_id, started_at, source, name, size)
         VALUES ($1, $2, $3, 'selection', 'India <b>November</b>', $4) RETURNING batch_number",
        NORTHLANE as _,
        member,
        now,
        size,
    )
    .fetch_one(&mut *tx)
    .await
    .unwrap();
    for (state, business) in states.iter().zip(&businesses) {
        sqlx::query!(
            "INSERT INTO requests (partner_id, batch_number, business_id, member_id, state, cause, meta_request_id, queued_at, answered_at,
                failed_at, changed_at, alone)
             VALUES ($1, $2, $3, $4, $5::text, CASE WHEN $5 = 'failed' THEN 'access_denied' END, CASE WHEN $5 = 'requested' THEN '71' END,
                $6::timestamptz + interval '1 year', CASE WHEN $5 IN ('requested', 'taken_by_another_partner') THEN $6 END,
                CASE WHEN $5 = 'failed' THEN $6 END, $6, FALSE)",
            NORTHLANE as _,
            number,
            business as _,
            member,
            *state,
            now,
        )
        .execute(&mut *tx)
        .await
        .unwrap();
    }
    sqlx::query!("SELECT FROM refresh_standing($1)", &businesses).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    number
}

/// Answers `n` queued requests of a batch, as dispatch would.
async fn answer(app: &TestApp, number: i64, n: i64) {
    let mut tx = app.tenant(NORTHLANE).await;
    sqlx::query!(
        "UPDATE requests SET state = 'requested', meta_request_id = '72', answered_at = $3, changed_at = $3
         WHERE number IN (SELECT number FROM requests WHERE batch_number = $1 AND state = 'queued' ORDER BY number LIMIT $2)",
        number,
        n,
        app.clock.now(),
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    reconcile::signal(&mut tx, &format!("settled:{NORTHLANE}")).await.unwrap();
    tx.commit().await.unwrap();
}

async fn states(app: &TestApp, number: i64) -> Vec<String> {
    let mut tx = app.tenant(NORTHLANE).await;
    sqlx::query_scalar!("SELECT state FROM requests WHERE batch_number = $1 ORDER BY number", number)
        .fetch_all(&mut *tx)
        .await
        .unwrap()
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_batch_is_watched_listed_and_leads_to_its_requests(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let empty = browser.open("/batches").await.unwrap();
    assert!(empty.body.contains("No batch yet") && empty.body.contains("href=\"/businesses\""), "{}", empty.body);
    let number = batch(&app, &["requested", "requested", "failed", "queued", "queued"]).await;
    let page = browser.open(&format!("/batches/{number}")).await.unwrap();
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    let body = page.body.replace("<!>", "");
    for words in [
        "India &lt;b&gt;November",
        "Running",
        "<b>3</b> of 5 answered",
        "2 requested, 1 failed, 2 queued",
        "What went wrong",
        "Meta refused: the app may not act for this business",
        "Retry these 1",
        "Latest answers",
        "All 5 in Requests",
        "Tomás Lindqvist",
        "http-equiv=\"refresh\"",
        "Pause",
        "Cancel the rest…",
    ] {
        assert!(body.contains(words), "{words}: {body}");
    }
    assert!(!body.contains("<b>November") && !body.contains(" style="), "{body}");
    let list = browser.open("/batches").await.unwrap();
    assert!(list.body.replace("<!>", "").contains("3 of 5"), "{}", list.body);
    let requests = browser.open(&format!("/requests?batch={number}")).await.unwrap();
    assert_eq!(requests.body.matches("<tr role=\"row\"").count(), 6, "five and the head: {}", requests.body);
    let failed = browser.open(&format!("/requests?batch={number}&state=failed&cause=access_denied")).await.unwrap();
    assert_eq!(failed.body.matches("<tr role=\"row\"").count(), 2, "{}", failed.body);
    let none = browser.open(&format!("/requests?batch={number}&state=failed&cause=temporary")).await.unwrap();
    assert!(none.body.contains("No request matches"), "{}", none.body);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_batch_is_held_goes_on_and_its_rest_is_cancelled(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(ADMIN).await;
    let number = batch(&app, &["requested", "queued", "queued"]).await;
    let (here, form) = (format!("/batches/{number}"), number.to_string());
    let form = [("batch", form.as_str())];
    let waits = browser.open(&here).await.unwrap();
    assert!(
        waits.body.contains("Sign in again") && waits.body.contains("signs in to Liteboard again"),
        "{}",
        waits.body
    );
    app.signed_in(MANAGER).await;
    let held = browser.send("/onboarding/pause", &form).await.unwrap();
    assert!(held.url.ends_with(&here) && held.body.contains("Paused by Ana Moreira"), "{}", held.body);
    assert!(held.body.contains("Resume") && !held.body.contains("/onboarding/pause"), "{}", held.body);
    let resumed = browser.send("/onboarding/resume", &form).await.unwrap();
    assert!(resumed.body.contains("Running") && resumed.body.contains("/onboarding/pause"), "{}", resumed.body);

    let asked = browser.open(&format!("{here}/cancel")).await.unwrap();
    assert!(asked.body.contains("2 requests have not been sent"), "{}", asked.body);
    assert_eq!(states(&app, number).await, ["requested", "queued", "queued"], "asking stops nothing");
    let stopped = browser.send("/onboarding/cancel-rest", &form).await.unwrap();
    let body = stopped.body.replace("<!>", "");
    assert!(body.contains("<b>1</b> of 3 answered, 2 cancelled"), "{body}");
    assert!(body.contains("Cancelled by ") && !body.contains("/onboarding/"), "{body}");
    assert_eq!(states(&app, number).await, ["requested", "cancelled", "cancelled"]);
    let again = browser.open(&format!("{here}/cancel")).await.unwrap();
    assert!(again.body.contains("Nothing is left to cancel"), "{}", again.body);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn nothing_of_a_paused_batch_is_sent_until_it_goes_on(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let number = batch(&app, &["queued", "queued"]).await;
    let form = [("batch", &*number.to_string())];
    browser.send("/onboarding/pause", &form).await.unwrap();
    let mut tx = app.tenant(NORTHLANE).await;
    sqlx::query!("UPDATE requests SET queued_at = $1", app.clock.now()).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    // Dispatch is at work meanwhile: a click goes through.
    let other = app.eligible_business().await;
    onboard(&browser, &other).await;
    assert_eq!(app.request_for(&other).await.0, "requested");
    assert_eq!(states(&app, number).await, ["queued", "queued"]);
    browser.send("/onboarding/resume", &form).await.unwrap();
    app.until("both to be sent", async || states(&app, number).await == ["requested", "requested"]).await;
    let page = browser.open(&format!("/batches/{number}")).await.unwrap();
    assert!(page.body.contains("Done"), "{}", page.body);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn failures_are_tried_again_in_a_batch_of_their_own_and_only_once(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let number = batch(&app, &["failed", "failed", "requested"]).await;
    let form = [("batch", &*number.to_string()), ("cause", "access_denied")];
    let landed = browser.send("/onboarding/retry-failed", &form).await.unwrap();
    assert!(landed.body.contains("Trying again") && landed.body.contains("Retry of India"), "{}", landed.body);
    let made = landed.url.split(['/', '?']).find_map(|part| part.parse::<i64>().ok()).expect("a batch");
    assert_ne!(made, number);
    app.until("Meta to take both", async || states(&app, made).await == ["requested", "requested"]).await;
    let again = browser.send("/onboarding/retry-failed", &form).await.unwrap();
    assert!(again.url.ends_with(&format!("/batches/{made}?notice=retried_before")), "{}", again.url);
    assert!(again.body.contains("Tried again already") && again.body.contains("Done"), "{}", again.body);
    let old = browser.open(&format!("/batches/{number}")).await.unwrap();
    assert!(old.body.contains("Tried again in") && !old.body.contains("Retry these"), "{}", old.body);
    let nothing = browser
        .send("/onboarding/retry-failed", &[("batch", &*made.to_string()), ("cause", "temporary")])
        .await
        .unwrap();
    assert!(nothing.body.contains("Nothing to try again"), "{}", nothing.body);
    for cause in ["", "nonsense", "' OR 1=1"] {
        let form = [("batch", &*number.to_string()), ("cause", cause)];
        let refused = browser.send("/onboarding/retry-failed", &form).await.unwrap();
        assert!(refused.url.contains("problem=invalid"), "{cause}: {}", refused.url);
    }
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn support_looks_at_a_batch_and_changes_nothing_and_others_never_see_it(pool: PgPool) {
    let app = TestApp::start(pool).await;
    app.signed_in(MANAGER).await;
    let number = batch(&app, &["failed", "queued"]).await;
    let (support, rival) = (app.signed_in(SUPPORT).await, app.signed_in(RIVAL).await);
    let page = support.open(&format!("/batches/{number}")).await.unwrap();
    assert!(page.status.is_success() && !page.body.contains("/onboarding/"), "{}", page.body);
    assert!(!page.body.contains("Cancel the rest") && page.body.contains("Download results"), "{}", page.body);
    assert_eq!(support.open(&format!("/batches/{number}/cancel")).await.unwrap().status, StatusCode::FORBIDDEN);
    let before = states(&app, number).await;
    let number_text = number.to_string();
    let form = [("batch", number_text.as_str()), ("cause", "access_denied")];
    for door in ["pause", "resume", "cancel-rest", "retry-failed"] {
        let refused = support.send(&format!("/onboarding/{door}"), &form).await.unwrap();
        assert!(refused.url.contains("problem=forbidden"), "{door}: {}", refused.url);
        let refused = rival.send(&format!("/onboarding/{door}"), &form).await.unwrap();
        assert!(refused.url.contains("/batches?problem=not_found"), "{door}: {}", refused.url);
    }
    assert_eq!(states(&app, number).await, before);
    let still = support.open(&format!("/batches/{number}")).await.unwrap();
    assert!(still.body.contains("Running"), "nobody paused or cancelled it: {}", still.body);
    for path in ["", "/cancel", "/events", "/results.csv"] {
        let hidden = rival.open(&format!("/batches/{number}{path}")).await.unwrap();
        assert_eq!(hidden.status, StatusCode::NOT_FOUND, "{path}");
        assert!(!hidden.body.contains("India"), "{path}: {}", hidden.body);
        for nothing in ["999999", "0", "-1", "x", "99999999999999999999"] {
            let missing = support.open(&format!("/batches/{nothing}{path}")).await.unwrap();
            assert_eq!(missing.status, StatusCode::NOT_FOUND, "{nothing}{path}");
        }
    }
    let theirs = rival.open("/batches").await.unwrap();
    assert!(theirs.body.contains("No batch yet"), "{}", theirs.body);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_draft_and_a_click_have_pages_of_their_own(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let business = app.eligible_business().await;
    onboard(&browser, &business).await;
    let mut tx = app.tenant(NORTHLANE).await;
    let click = sqlx::query!("SELECT batch_number, number FROM requests").fetch_one(&mut *tx).await.unwrap();
    let draft = sqlx::query_scalar!(
        "INSERT INTO batches (partner_id, member_id, drafted_at, source) SELECT partner_id, member_id, started_at, 'list' FROM batches
         RETURNING batch_number"
    )
    .fetch_one(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    for (number, leads_to) in
        [(click.batch_number, format!("/requests/LB-{}", click.number)), (draft, format!("/drafts/{draft}"))]
    {
        let answer = browser.ask(Method::GET, &format!("/batches/{number}"), None).await.unwrap();
        assert_eq!(answer.location(), Some(leads_to.as_str()), "{}", answer.status);
        for path in ["events", "results.csv", "cancel"] {
            let answer = browser.ask(Method::GET, &format!("/batches/{number}/{path}"), None).await.unwrap();
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{number}/{path}");
        }
    }
    let list = browser.open("/batches").await.unwrap();
    assert!(list.body.contains(&format!("/drafts/{draft}")) && list.body.contains("Draft"), "{}", list.body);
    assert!(!list.body.contains(&format!("/batches/{}", click.batch_number)), "{}", list.body);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn meta_s_wait_and_limit_are_told_on_the_batch_and_in_the_frame(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let number = batch(&app, &["requested", "queued"]).await;
    let known = browser.open("/businesses").await.unwrap();
    assert!(known.body.contains("Meta call limit"), "the sync has heard of it: {}", known.body);
    let mut tx = app.tenant(NORTHLANE).await;
    for age in [
        "UPDATE paces SET used_at = used_at - interval '1 hour'",
        "UPDATE app_paces SET used_at = used_at - interval '1 hour'",
    ] {
        sqlx::query(age).execute(&mut *tx).await.unwrap();
    }
    tx.commit().await.unwrap();
    let quiet = browser.open("/businesses").await.unwrap();
    assert!(!quiet.body.contains("Meta call limit"), "nothing is known any more");
    let now = app.clock.now();
    for (cause, title, text) in [
        ("throttled", "Meta asks us to wait 4 min", "each one would lengthen the wait"),
        ("near_limit", "We hold back for 4 min", "hold back before it is reached"),
        ("meta_away", "Meta does not answer", "finds nobody there"),
    ] {
        let mut tx = app.tenant(NORTHLANE).await;
        sqlx::query!(
            "INSERT INTO paces (partner_id, concurrency, used_percent, used_at, wait_until, told_at, cause) VALUES ($1, 8, 100, $2, $3, $2, $4)
             ON CONFLICT (partner_id) DO UPDATE SET used_percent = 100, used_at = $2, wait_until = $3, told_at = $2, cause = $4",
            NORTHLANE as _,
            now,
            now + Duration::from_mins(4),
            cause,
        )
        .execute(&mut *tx)
        .await
        .unwrap();
        tx.commit().await.unwrap();
        let page = browser.open(&format!("/batches/{number}")).await.unwrap();
        for words in [title, text, "Waiting for Meta", "Call limit used", "Meta call limit used"] {
            assert!(page.body.contains(words), "{words}: {}", page.body);
        }
        let left = page.body.split("data-left=\"").nth(1).and_then(|rest| rest.split('"').next());
        let left: u64 = left.and_then(|left| left.parse().ok()).expect("what is left is counted down");
        assert!((200_000..=240_000).contains(&left), "{left}");
    }
    let framed = browser.open("/businesses").await.unwrap();
    assert!(
        framed.body.contains("Meta call limit") && framed.body.contains("aria-valuenow=\"100\""),
        "{}",
        framed.body
    );
    let note = |place: &str| {
        let note = framed.body.split("<span ").find(|span| span.contains(&format!("id=\"note-of-{place}\"")));
        note.and_then(|note| note.split_once('>')).map(|(_, words)| words.to_owned()).unwrap_or_default()
    };
    assert!(note("batches").starts_with("1 running<"), "{}", framed.body);
    assert!(note("businesses").starts_with(|sign: char| sign.is_ascii_digit()), "{}", framed.body);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn the_results_are_a_file_that_no_spreadsheet_runs(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let number = batch(&app, &["requested", "failed"]).await;
    let mut tx = app.tenant(NORTHLANE).await;
    sqlx::query!("UPDATE businesses SET name = '=cmd|calc' WHERE standing = 'failed'").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let file = browser.open(&format!("/batches/{number}/results.csv")).await.unwrap();
    let header = |name: &str| file.headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(
        header("content-disposition"),
        format!("attachment; filename=\"batch-{number}-india-b-november-b.csv\"")
    );
    assert_eq!(header("cache-control"), "no-store");
    let lines: Vec<&str> = file.body.split("\r\n").collect();
    assert_eq!(lines.len(), 4, "headings, two lines, and the last end: {}", file.body);
    assert!(lines[1].contains(",requested,71,LB-"), "{}", file.body);
    assert!(lines[2].contains(",'=cmd|calc,failed,,LB-") && lines[2].contains(",access_denied,"), "{}", file.body);
}

/// A page's stream of events.
struct Events {
    answer: Response,
    text: String,
}

impl Events {
    async fn connect(app: &TestApp, browser: &Browser, number: i64) -> Self {
        let cookies: Vec<String> =
            browser.cookies().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = reqwest::Client::new()
            .get(format!("{}/batches/{number}/events", app.url))
            .header("accept", "text/event-stream")
            .header("accept-encoding", "gzip, br")
            .header("cookie", cookies.join("; "))
            .send()
            .await
            .unwrap();
        Self { answer, text: String::new() }
    }

    /// The next event: its id and data. `None`: the stream ended.
    async fn next(&mut self) -> Option<(String, String)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                let told = field("id: ").zip(field("data: "));
                self.text = rest[..].into();
                if told.is_some() {
                    return told;
                }
                continue;
            }
            let piece = tokio::time::timeout(Duration::from_secs(20), self.answer.chunk()).await;
            let piece = piece.expect("something comes in time").ok()??;
            self.text.push_str(std::str::from_utf8(&piece).unwrap());
        }
    }
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn viewers_are_told_the_newest_state_also_after_connecting_anew(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (one, two) = (app.signed_in(MANAGER).await, app.signed_in(SUPPORT).await);
    let number = batch(&app, &["queued", "queued", "queued"]).await;
    let (mut first, mut second) =
        (Events::connect(&app, &one, number).await, Events::connect(&app, &two, number).await);
    for events in [&first, &second] {
        assert_eq!(events.answer.headers()["content-type"], "text/event-stream");
        assert_eq!(events.answer.headers()["cache-control"], "no-store");
        assert!(!events.answer.headers().contains_key("content-encoding"), "a stream is not gathered to be packed");
    }
    let (id, data) = first.next().await.unwrap();
    assert!(data.contains("\"answered\":0") && data.contains("\"size\":3"), "{data}");
    assert_eq!(second.next().await.unwrap().0, id, "both see the same");
    let page = one.open(&format!("/batches/{number}")).await.unwrap();
    assert!(page.body.contains(&format!("data-version=\"{id}\"")), "the page knows its version {id}: {}", page.body);

    answer(&app, number, 1).await;
    for events in [&mut first, &mut second] {
        let (next, data) = events.next().await.unwrap();
        assert!(data.contains("\"answered\":1"), "{data}");
        assert_ne!(next, id);
    }
    drop(second);
    answer(&app, number, 2).await;
    let mut anew = Events::connect(&app, &two, number).await;
    let (id, data) = anew.next().await.unwrap();
    assert!(data.contains("\"answered\":3") && data.contains("\"phase\":\"Done\""), "{data}");
    assert_eq!(first.next().await.unwrap().0, id);
    let page = one.open(&format!("/batches/{number}")).await.unwrap();
    assert!(page.body.contains(&format!("data-version=\"{id}\"")) && !page.body.contains("/events"), "{}", page.body);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_stream_ends_with_its_session_and_with_the_process(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (leaver, stayer) = (app.signed_in(MANAGER).await, app.signed_in(ADMIN).await);
    let number = batch(&app, &["queued"]).await;
    let mut left = Events::connect(&app, &leaver, number).await;
    let mut stays = Events::connect(&app, &stayer, number).await;
    left.next().await.unwrap();
    stays.next().await.unwrap();
    leaver.send("/sign-out", &[]).await.unwrap();
    app.advance(Duration::from_secs(61)).await;
    assert_eq!(left.next().await, None, "who signed out is told nothing more");
    answer(&app, number, 1).await;
    assert!(stays.next().await.unwrap().1.contains("\"answered\":1"));
    app.stop.cancel();
    assert_eq!(stays.next().await, None, "a stream does not hold the process");
    let stranger = app.browser();
    let refused = Events::connect(&app, &stranger, number).await;
    assert_eq!(refused.answer.status(), StatusCode::UNAUTHORIZED);
}
