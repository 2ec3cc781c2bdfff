//! Stories of lists: a file or pasted ids, row by row, corrected and started.

use reqwest::Method;
use sqlx::PgPool;

use super::{
    app::{MANAGER, NORTHLANE, TestApp, onboard},
    drafts::{draft_of, many, requests, start},
};

async fn waba_of(app: &TestApp, business: &str) -> String {
    let mut tx = app.tenant(NORTHLANE).await;
    sqlx::query_scalar!("SELECT waba_id::text AS \"id!\" FROM wabas WHERE business_id = $1 LIMIT 1", business as _)
        .fetch_one(&mut *tx)
        .await
        .unwrap()
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn every_row_of_a_list_is_accounted_for(pool: PgPool) {
    let app = many(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let eligible = app.businesses("eligible").await;
    let [good, by_waba, asked, wanted] = [0, 1, 2, 3].map(|at: usize| eligible[at].as_str());
    let not_eligible = app.businesses("not_eligible").await.remove(0);
    onboard(&browser, asked).await;
    app.until_request_is(asked, "requested").await;
    let waba = waba_of(&app, by_waba).await;
    let list = format!(
        "\u{FEFF}Name;Business ID\r\n\"Good; \"\"quoted\"\"\";{good}\r\n\r\nBy WABA;={}{waba}{}\r\nTwice;{good}\r\nRounded;1,02E+15\r\n\
         Not an ID;=HYPERLINK(1)\r\nUnknown;905127736481199\r\nAsked;{asked}\r\nNot eligible;{not_eligible}\r\nEmpty;\r\n",
        '"', '"'
    );
    let rows = browser.upload("/import", ("november-wave.csv", list.as_bytes()), "").await.unwrap();
    let number = draft_of(&rows);
    assert!(rows.url.ends_with(&format!("/drafts/{number}/rows")), "{}", rows.url);
    for part in [
        "Check the file before sending",
        "november-wave.csv",
        "9 rows",
        "WABA ID given",
        "Use the business ID in row 4",
        "Same business as row 2",
        "A spreadsheet rounded this number",
        "Not a Meta ID. Meta IDs are digits only.",
        "None of your synced businesses has this ID.",
        "has been waiting since",
        "None of its WABAs can be onboarded yet.",
        "No ID stands in this row.",
        "Continue with 2…",
        "2 of 9 rows",
    ] {
        assert!(rows.body.contains(part), "{part}: {}", rows.body);
    }
    assert_eq!(requests(&app, &number).await, 0);

    let csv = browser.ask(Method::GET, &format!("/drafts/{number}/problems.csv"), None).await.unwrap();
    assert!(csv.headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
    let lines: Vec<&str> = csv.body.trim_end().split("\r\n").collect();
    assert_eq!(lines.len(), 8, "{}", csv.body);
    assert!(csv.body.contains("\r\n7,'=HYPERLINK(1),,not_digits,"), "{}", csv.body);
    assert!(csv.body.contains("\r\n6,\"1,02E+15\",,rounded,"), "{}", csv.body);

    // Row 6 gets its id, row 4 is left out.
    let form = [
        ("number", number.as_str()),
        ("shown[]", "2"),
        ("shown[]", "4"),
        ("keep[]", "2"),
        ("line[]", "6"),
        ("line[]", "7"),
        ("id[]", wanted),
        ("id[]", ""),
        ("then", "confirm"),
    ];
    let confirm = browser.send("/onboarding/correct", &form).await.unwrap();
    assert!(confirm.body.contains("Send 2 requests") && confirm.body.contains("left out by you"), "{}", confirm.body);
    let started = start(&browser, &number, "2", "").await;
    assert_eq!(started.location(), Some(format!("/batches/{number}").as_str()));
    for business in [good, wanted] {
        app.until_request_is(business, "requested").await;
    }
    assert_eq!((requests(&app, &number).await, app.agreements(by_waba)), (2, 0));
    let again = browser.ask(Method::GET, &format!("/drafts/{number}"), None).await.unwrap();
    assert_eq!(again.location(), Some(format!("/batches/{number}").as_str()), "a started draft is its batch");
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn pasted_ids_are_a_list(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let eligible = app.businesses("eligible").await;
    for ids in [format!("{}\r\n{}\r\n", eligible[0], eligible[1]), format!("{}, {}", eligible[0], eligible[1])] {
        let rows = browser.upload("/import", ("", b""), &ids).await.unwrap();
        assert!(
            rows.body.contains("Check the list before sending") && rows.body.contains("Continue with 2…"),
            "{}",
            rows.body
        );
    }
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn what_is_no_list_is_refused_in_words_and_leaves_nothing(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let large = vec![b'1'; 10 * 1024 * 1024 + 1];
    let long = "1745093316208854\n".repeat(100_001);
    for (file, words) in [
        (&b""[..], "There is no row in it."),
        (b"PK\x03\x04 workbook", "This is a workbook"),
        (b"\xFF\xFE1\0", "This file is in UTF-16."),
        (b"1745093316208854\n\0", "This is not a text file."),
        (b"Aangan\nIkat\n", "No column holds business IDs"),
        (b"business_id,name\n17,\"open\n", "A quotation mark opens in row 2"),
        (&large, "larger than 10 MB"),
        (long.as_bytes(), "more than 100,000 rows"),
    ] {
        let page = browser.upload("/import", ("list.csv", file), "").await.unwrap();
        assert!(page.url.contains("/import?problem=list_"), "{words}: {}", page.url);
        assert!(page.body.contains(words), "{words}: {}", page.body);
        let mut tx = app.tenant(NORTHLANE).await;
        let left = sqlx::query_scalar!("SELECT count(*) AS \"count!\" FROM batches").fetch_one(&mut *tx).await.unwrap();
        assert_eq!(left, 0, "{words}");
    }
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_newer_sync_checks_the_rows_again(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let rows = browser.upload("/import", ("", b""), "905127736481199\n").await.unwrap();
    let number = draft_of(&rows);
    let checked = async || {
        let draft: i64 = number.parse().unwrap();
        let mut tx = app.tenant(NORTHLANE).await;
        sqlx::query!("SELECT checked_at AS \"at!\", (SELECT max(finished_at) FROM syncs) AS \"synced!\" FROM batches WHERE batch_number = $1", draft)
            .fetch_one(&mut *tx)
            .await
            .unwrap()
    };
    let before = checked().await;
    app.advance(std::time::Duration::from_mins(1)).await;
    let page = browser.send("/onboarding/correct", &[("number", number.as_str()), ("then", "sync")]).await.unwrap();
    assert!(page.url.contains(&format!("/drafts/{number}/rows")), "{}", page.url);
    app.until("the sync that was asked for", async || checked().await.synced > before.at).await;
    app.advance(std::time::Duration::from_mins(1)).await;
    browser.send("/businesses/sync", &[]).await.unwrap();
    let asked = checked().await.at;
    app.until("another sync", async || checked().await.synced > asked).await;
    browser.open(&format!("/drafts/{number}/rows")).await.unwrap();
    assert!(checked().await.at > asked);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_list_from_another_site_is_refused(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let cookies: Vec<String> = browser.cookies().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let answer = reqwest::Client::new()
        .post(format!("{}/import", app.url))
        .header("cookie", cookies.join("; "))
        .header("content-type", "multipart/form-data; boundary=x")
        .header("sec-fetch-site", "cross-site")
        .body("--x\r\nContent-Disposition: form-data; name=\"ids\"\r\n\r\n17\r\n--x--\r\n")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 403);
}
