//! Stories of the search over requests and calls, its exports, saved views and the palette.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use sqlx::{PgPool, postgres::PgPoolOptions};

use super::{
    app::{ADMIN, MANAGER, NORTHLANE, RIVAL, SUPPORT, TestApp, onboard},
    browser::Browser,
};

/// What is offered while one types, sent as the palette and the bar send it.
async fn offered(browser: &Browser, path: &str, fields: &[(&str, &str)]) -> String {
    let answer = browser.ask(Method::POST, path, Some(fields)).await.unwrap();
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
    answer.body.replace("<!>", "")
}

async fn see(browser: &Browser, path: &str) -> String {
    let answer = browser.open(path).await.unwrap();
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
    answer.body.replace("<!>", "")
}

/// Rows of the table on a page, without its head.
fn rows(page: &str) -> usize {
    page.matches("<tr role=\"row\"").count().saturating_sub(1)
}

/// Three requests of a manager, with everything settled.
async fn asked(app: &TestApp, browser: &Browser) -> Vec<String> {
    let eligible: Vec<String> = app.businesses("eligible").await.into_iter().take(3).collect();
    for business in &eligible {
        onboard(browser, business).await;
        app.until_request_is(business, "requested").await;
    }
    eligible
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_search_is_its_address_and_what_is_applied_can_be_taken_away(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    assert!(see(&browser, "/requests").await.contains("No request yet"));
    let businesses = asked(&app, &browser).await;
    assert_eq!(rows(&see(&browser, "/requests").await), 3);
    let page = see(&browser, &format!("/requests?q=is:requested%20by:me%20business:{}", businesses[0])).await;
    assert_eq!(rows(&page), 1, "{page}");
    assert!(
        page.contains("href=\"/requests?q=by:me%20business:") && page.contains("Remove filter: is:requested"),
        "{page}"
    );
    assert!(page.contains(&format!("value=\"is:requested by:me business:{}\"", businesses[0])), "{page}");
    assert!(page.contains("/requests/export.csv?q=is:requested%20by:me"), "{page}");
    assert_eq!(rows(&see(&browser, &format!("/requests?q={}", businesses[1])).await), 1, "an id by itself");
    let calls = see(&browser, "/requests?q=in:calls%20status:200").await;
    assert!(rows(&calls) >= 3 && calls.contains("Calls to Meta"), "{calls}");
    let none = see(&browser, "/requests?q=AXsgnV2Cm3ZMGF3dF_cfYIn").await;
    assert!(none.contains("No request matches") && none.contains("/support?q=AXsgnV2Cm3ZMGF3dF_cfYIn"), "{none}");
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn what_cant_be_read_is_said_beside_the_bar_and_stays_in_it(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(SUPPORT).await;
    for (query, said) in [
        ("stat:failed%20by:me", "There is no filter “stat:”."),
        ("by:%22Ana", "A quotation mark is opened and not closed"),
        ("by:nobody-is-called-so", "Nobody of this workspace is called “nobody-is-called-so”."),
        ("since:someday", "“since:” does not take “someday”."),
        ("code:", "“code:” needs a value"),
        ("code:99999999999999999999", "“code:” does not take “99999999999999999999”. It takes a number."),
        ("batch:4294967296", "“batch:” does not take “4294967296”."),
        ("since:9999-12-31", "“since:” does not take “9999-12-31”."),
        ("age:%3E99999999d", "“age:” does not take"),
        ("until:0001-01-01", "“until:” does not take “0001-01-01”."),
        ("nokey:%00", "There is no filter “nokey:”."),
    ] {
        let page = see(&browser, &format!("/requests?q={query}")).await;
        assert!(page.contains(said), "{query}: {page}");
        assert!(page.contains("aria-invalid=\"true\"") && !page.contains("/requests/export.csv"), "{query}: {page}");
    }
    let page = see(&browser, "/requests?q=stat:failed%20by:me").await;
    assert!(
        page.contains("value=\"stat:failed by:me\"") && page.contains("href=\"/requests?q=by:me%20state:failed\""),
        "{page}"
    );
    let many = see(&browser, &format!("/requests?q={}", "code:1%20".repeat(500))).await;
    assert!(many.contains("These are 500 terms. The first 50 are used."), "{many}");
    let export = browser.open("/requests/export.csv?q=stat:failed").await.unwrap();
    assert_eq!(export.status, StatusCode::BAD_REQUEST);
    assert!(export.body.contains("There is no filter “stat:”."), "{}", export.body);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn values_at_their_limits_are_answered_on_every_list(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    asked(&app, &browser).await;
    let (long, dates) = ("a".repeat(3_900), "since:1970-01-01 until:9000-12-31");
    for text in [
        "LB-999999999999999999",
        "LB-0 -LB-1",
        "99999999999999999999",
        "code:-9223372036854775808,9223372036854775807",
        "subcode:0 -status:none",
        "business:\0",
        "trace:\0,\u{fffd}",
        dates,
        "since:36500d",
        "is:open -is:open",
        &long,
        &format!("business:{}", "b,".repeat(150)),
        &format!("by:me -code:{}", "7,".repeat(90)),
    ] {
        for listed in ["", "in:calls "] {
            let q = url::form_urlencoded::byte_serialize(format!("{listed}{text}").as_bytes()).collect::<String>();
            see(&browser, &format!("/requests?q={q}")).await;
        }
    }
    for cursor in
        ["before=LB-999999999999999999", "after=LB-999999999999999999", "after=LB-0", "before=9223372036854775807.1"]
    {
        see(&browser, &format!("/requests?{cursor}")).await;
        see(&browser, &format!("/requests?q=in:calls&{cursor}")).await;
    }
    assert_eq!(rows(&see(&browser, "/requests?q=since:1970-01-01%20until:9000-12-31").await), 3);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_page_that_finds_little_among_many_says_how_far_it_looked_and_goes_on(pool: PgPool) {
    let app = TestApp::start(pool.clone()).await;
    let browser = app.signed_in(MANAGER).await;
    asked(&app, &browser).await;
    sqlx::query(
        "WITH b AS (
            INSERT INTO batches (partner_id, member_id, source, started_at)
            SELECT partner_id, min(member_id), 'selection', now() FROM members WHERE partner_id = $1 GROUP BY partner_id RETURNING *
        ), made AS (
            INSERT INTO requests (partner_id, batch_number, business_id, member_id, state, queued_at, cancelled_at, changed_at)
            SELECT partner_id, batch_number, (600000 + n)::text, member_id, 'cancelled', $2, now(), now() FROM b, generate_series(1, 5000) AS n
            RETURNING *
        )
        INSERT INTO graph_calls (partner_id, number, operation, method, path, query, graph_version, app_id, started_at, duration_ms, http_status, body)
        SELECT partner_id, number, 'x', 'POST', '/', '', 'v25.0', '7', $2, 1, 200, '{}' FROM made",
    )
    .bind(NORTHLANE)
    .bind(app.clock.now())
    .execute(&pool)
    .await
    .unwrap();
    for (search, what) in [("-solution:none", "request"), ("in:calls%20-solution:none", "call")] {
        let first = see(&browser, &format!("/requests?q={search}")).await;
        assert!(
            first.contains(&format!("No {what} found so far")) && first.contains("Looked back to "),
            "{search}: {first}"
        );
        let (before, _) = first.split_once(">Go on looking").expect(search);
        let on = before.rsplit_once("href=\"").unwrap().1.split('"').next().unwrap().replace("&amp;", "&");
        let last = see(&browser, &on).await;
        assert!(last.contains(&format!("No {what} matches")) && !last.contains("Go on looking"), "{search}: {last}");
    }
    // The states asked for are walked along by themselves, so what lies far behind others is met at once.
    let page = see(&browser, "/requests?q=status:2xx%20-is:cancelled").await;
    assert!(rows(&page) == 3 && !page.contains("Go on looking"), "{page}");
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn what_is_shown_is_exported_and_no_more(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let businesses = asked(&app, &browser).await;
    let mut tx = app.tenant(NORTHLANE).await;
    sqlx::query!(
        "UPDATE businesses SET name = '=HYPERLINK(\"http://evil.example\")' WHERE business_id = $1",
        businesses[0] as _
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    let csv = browser.open("/requests/export.csv").await.unwrap();
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    assert!(csv.headers["content-disposition"].to_str().unwrap().starts_with("attachment; filename=\"requests-"));
    assert_eq!(csv.body.lines().count(), 4, "{}", csv.body);
    assert!(
        csv.body.contains(",\"'=HYPERLINK(\"\"http://evil.example\"\")\",") && !csv.body.contains(",=HYP"),
        "{}",
        csv.body
    );
    let json = browser.open(&format!("/requests/export.json?q={}", businesses[1])).await.unwrap();
    let read: Vec<serde_json::Value> = serde_json::from_str(&json.body).unwrap();
    assert_eq!((read.len(), read[0]["business_id"].as_str()), (1, Some(businesses[1].as_str())));
    let calls = browser.open("/requests/export.json?q=in:calls").await.unwrap();
    let read: Vec<serde_json::Value> = serde_json::from_str(&calls.body).unwrap();
    assert!(read.len() >= 3 && read.iter().all(|call| call["operation"].is_string()), "{}", calls.body);

    // As browsers ask: packed, the file still comes to its end.
    for coding in ["gzip", "br"] {
        let cookies: Vec<String> =
            browser.cookies().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        let packed = reqwest::Client::new()
            .get(format!("{}/requests/export.csv", app.url))
            .header("cookie", cookies.join("; "))
            .header("accept-encoding", coding)
            .send()
            .await
            .unwrap();
        assert_eq!(packed.headers()["content-encoding"], coding);
        assert!(packed.bytes().await.is_ok_and(|bytes| !bytes.is_empty()), "{coding}");
    }

    let rival = app.signed_in(RIVAL).await;
    for path in ["/requests/export.csv", "/requests/export.json?q=in:calls", "/requests/export.csv?q=LB-1001"] {
        let theirs = rival.open(path).await.unwrap();
        assert!(businesses.iter().all(|business| !theirs.body.contains(business)), "{path}: {}", theirs.body);
    }
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn an_export_given_up_half_way_leaves_nothing_open(pool: PgPool) {
    // Each export holds a connection, and a test's own pool may have no more than there are places for them.
    let roomy = PgPoolOptions::new().max_connections(10).connect_with((*pool.connect_options()).clone()).await.unwrap();
    let app = TestApp::start(roomy).await;
    let browser = app.signed_in(MANAGER).await;
    // More than the pipe between the two holds.
    sqlx::query(
        "WITH b AS (
            INSERT INTO batches (partner_id, member_id, source, started_at)
            SELECT partner_id, min(member_id), 'selection', now() FROM members WHERE partner_id = $1 GROUP BY partner_id RETURNING *
        )
        INSERT INTO requests (partner_id, batch_number, business_id, member_id, state, queued_at, cancelled_at, changed_at)
        SELECT partner_id, batch_number, (600000 + n)::text, member_id, 'cancelled', now(), now(), now() FROM b, generate_series(1, 120000) AS n",
    )
    .bind(NORTHLANE)
    .execute(&pool)
    .await
    .unwrap();
    let cookies: Vec<String> = browser.cookies().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut answer = reqwest::Client::new()
        .get(format!("{}/requests/export.csv", app.url))
        .header("cookie", cookies.join("; "))
        .send()
        .await
        .unwrap();
    assert!(answer.chunk().await.unwrap().is_some());
    let open = async || {
        sqlx::query_scalar!(
            r#"SELECT count(*) AS "open!" FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%requests%' AND xact_start IS NOT NULL"#
        )
        .fetch_one(&pool)
        .await
        .unwrap()
    };
    app.until("the export to be under way", async || open().await > 0).await;

    // So many at once and no more, so that pages keep their connections.
    let ask = async || {
        reqwest::Client::new()
            .get(format!("{}/requests/export.json", app.url))
            .header("cookie", cookies.join("; "))
            .send()
            .await
            .unwrap()
    };
    let others = [ask().await, ask().await, ask().await];
    assert_eq!(others.each_ref().map(|answer| answer.status().as_u16()), [200; 3]);
    let refused = ask().await;
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (503, &"30".parse().unwrap()));
    assert!(refused.text().await.unwrap().contains("Try again in half a minute"));
    drop((answer, others));
    app.until("the export to end", async || open().await == 0).await;
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn suggestions_and_the_palette_know_the_partners_own_and_no_others(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (browser, rival) = (app.signed_in(MANAGER).await, app.signed_in(RIVAL).await);
    let members = offered(&browser, "/requests/suggest", &[("q", "is:open by:")]).await;
    assert!(members.contains("<code>Tomás Lindqvist</code>"), "{members}");
    let theirs = offered(&rival, "/requests/suggest", &[("q", "by:")]).await;
    assert!(theirs.contains("data-value=\"by:me \"") && !theirs.contains("Tomás Lindqvist"), "{theirs}");
    let keys = offered(&browser, "/requests/suggest", &[("q", "cou"), ("rest", " by:me")]).await;
    assert!(keys.contains("data-value=\"country: by:me\""), "{keys}");

    let business = app.eligible_business().await;
    let mut tx = app.tenant(NORTHLANE).await;
    let name = sqlx::query_scalar!("SELECT name FROM businesses WHERE business_id = $1", business as _)
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    drop(tx);
    let found = offered(&browser, "/palette", &[("q", &name)]).await;
    assert!(found.contains(&format!("data-href=\"/businesses/{business}\"")), "{name}: {found}");
    assert!(!offered(&rival, "/palette", &[("q", &name)]).await.contains(&business));
    let pasted = offered(&browser, "/palette", &[("q", "{\"error\":{\"fbtrace_id\":\"AXsgnV2Cm3ZM\"}}")]).await;
    assert!(pasted.contains("data-href=\"/support?q=AXsgnV2Cm3ZM\""), "{pasted}");
    let support = app.signed_in(SUPPORT).await;
    let all = async |who: &Browser| offered(who, "/palette", &[]).await;
    assert!(all(&browser).await.contains("/import") && !all(&support).await.contains("/import"));
    assert_eq!(
        browser.open("/palette?q=x").await.unwrap().status,
        StatusCode::METHOD_NOT_ALLOWED,
        "no words in an address"
    );
    let megabyte = format!("{} fbtrace_id: AXsgnV2Cm3ZMGF3dF_cfYIn", "x ".repeat(500_000));
    let long = offered(&browser, "/palette", &[("q", &megabyte)]).await;
    assert!(long.contains("/support?q=AXsgnV2Cm3ZMGF3dF_cfYIn"), "{long}");
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_pasted_token_is_in_no_address_no_view_and_no_log(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let (token, other) = ("EAAGm0PX4ZCpsBAKZCxyz1234567890", "0ther5ecret");
    let paste = format!("is:failed {token} Bearer {other} access_token={other}");
    let escaped = url::form_urlencoded::byte_serialize(paste.as_bytes()).collect::<String>();
    let holds = |text: &str| text.contains(token) || text.contains(other);
    let sent = browser.ask(Method::POST, "/requests", Some(&[("q", &paste)])).await.unwrap();
    let led = sent.location().unwrap().to_owned();
    assert!(led.starts_with("/requests?q=is:failed") && !holds(&led), "{led}");
    assert!(!holds(&see(&browser, &led).await));
    for path in ["/requests", "/businesses", "/support", "/requests/export.csv"] {
        let first = browser.ask(Method::GET, &format!("{path}?q={escaped}"), None).await.unwrap();
        let led = first.location().unwrap();
        assert!(led.starts_with(path) && !holds(led), "{path}: {led}");
        assert!(!holds(&browser.open(led).await.unwrap().body), "{path}");
    }
    assert!(!holds(&offered(&browser, "/palette", &[("q", &paste)]).await));
    let back = format!("/requests?q={escaped}");
    let saved = browser.ask(Method::POST, "/views/save", Some(&[("back", &back), ("name", "Pasted")])).await.unwrap();
    assert!(
        saved.location().is_some_and(|led| led.starts_with("/requests?q=") && !holds(led)),
        "{:?}",
        saved.location()
    );
    let mut tx = app.tenant(NORTHLANE).await;
    let kept = sqlx::query_scalar!(
        r#"SELECT string_agg(line, ' ') AS "kept!" FROM (SELECT query AS line FROM saved_views UNION ALL SELECT detail FROM audit_log) AS l"#
    )
    .fetch_one(&mut *tx)
    .await
    .unwrap();
    assert!(kept.contains("redacted") && kept.contains("Requests (CSV)") && !holds(&kept), "{kept}");
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn more_text_than_a_search_takes_is_said_and_its_beginning_used(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(SUPPORT).await;
    for text in ["is:failed 🦊".repeat(5_000), "\0".repeat(20_000), "x".repeat(300_000)] {
        let page = browser.send("/requests", &[("q", &text)]).await.unwrap();
        assert_eq!(page.status, StatusCode::OK, "{:.200}", page.url);
        assert!(page.body.contains("The search is too long. Only its beginning is used."), "{:.200}", page.url);
    }
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_view_is_saved_shared_renamed_and_deleted(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (browser, admin, rival) =
        (app.signed_in(MANAGER).await, app.signed_in(ADMIN).await, app.signed_in(RIVAL).await);
    let page = browser
        .send(
            "/views/save",
            &[("back", "/requests?q=is%3Afailed&before=LB-7"), ("name", " My  failures "), ("shared", "yes")],
        )
        .await
        .unwrap();
    assert!(
        page.url.contains("/requests?q=is%3Afailed") && page.body.contains("My failures"),
        "{}: {}",
        page.url,
        page.body
    );
    browser.send("/views/save", &[("back", "/businesses?q=casa&status=waiting"), ("name", "Casas")]).await.unwrap();
    assert!(see(&browser, "/businesses").await.contains("href=\"/businesses?q=casa&amp;status=waiting\""));
    let shared = see(&admin, "/requests").await;
    assert!(shared.contains("My failures") && shared.contains("Tomás Lindqvist"), "{shared}");
    assert!(
        !see(&admin, "/businesses").await.contains("Casas") && !see(&rival, "/requests").await.contains("My failures")
    );

    let mut tx = app.tenant(NORTHLANE).await;
    let id = sqlx::query_scalar!("SELECT view_id FROM saved_views WHERE name = 'My failures'")
        .fetch_one(&mut *tx)
        .await
        .unwrap()
        .to_string();
    drop(tx);
    for (who, door) in [(&rival, "/views/delete"), (&rival, "/views/change"), (&admin, "/views/change")] {
        let refused = who.send(door, &[("view", &id), ("name", "Mine")]).await.unwrap();
        assert!(refused.url.contains("problem=not_found"), "{door}: {}", refused.url);
    }
    let renamed = browser.send("/views/change", &[("view", &id), ("name", "Failures")]).await.unwrap();
    assert!(
        renamed.body.contains("Failures") && !see(&admin, "/requests").await.contains("Failures"),
        "no longer shared"
    );
    browser.send("/views/change", &[("view", &id), ("name", "Failures"), ("shared", "yes")]).await.unwrap();

    app.clock.advance(Duration::from_secs(1));
    let mut tx = app.tenant(NORTHLANE).await;
    sqlx::query!("UPDATE members SET removed_at = now() WHERE name = 'Tomás Lindqvist'")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let left = see(&admin, "/views").await;
    assert!(left.contains("Failures") && left.contains(", no longer a member"), "{left}");
    let gone = admin.send("/views/delete", &[("view", &id)]).await.unwrap();
    assert!(!gone.body.contains("Failures"), "{}", gone.body);
    for (back, name) in
        [("https://evil.example/requests", "a"), ("//evil.example", "a"), ("/settings", "a"), ("/requests?q=a", "")]
    {
        let refused = admin.ask(Method::POST, "/views/save", Some(&[("back", back), ("name", name)])).await.unwrap();
        let location = refused.location().unwrap_or_default();
        assert!(
            location.starts_with('/') && !location.starts_with("//") && location.contains("problem="),
            "{back}: {location}"
        );
    }
}
