//! Stories of the insights: the numbers on the page are what happened, and nobody else's.

use std::time::Duration;

use liteboard::{
    graph_simulator::{Fault, Operation, Options},
    reconcile,
};
use sqlx::PgPool;

use super::{
    app::{ADMIN, HARBOUR_REACH, MANAGER, NORTHLANE, RIVAL, SUPPORT, TestApp, onboard},
    browser::Browser,
};

/// The page without the marks that the framework leaves between its texts.
async fn page(browser: &Browser, path: &str) -> String {
    let answer = browser.open(path).await.unwrap();
    assert_eq!(answer.status.as_u16(), 200, "{path}: {}", answer.body);
    answer.body.replace("<!>", "")
}

/// Has the counting look at once, and waits until the page says so.
async fn until_page_says(app: &TestApp, browser: &Browser, path: &str, words: &str) -> String {
    app.until(&format!("{path} to say {words}"), async || {
        for partner in [NORTHLANE, HARBOUR_REACH] {
            let mut tx = app.tenant(partner).await;
            reconcile::wake(&mut tx, "insights", &partner.parse().unwrap()).await.unwrap();
            tx.commit().await.unwrap();
        }
        page(browser, path).await.contains(words)
    })
    .await;
    page(browser, path).await
}

/// The rows of the table with that caption: the cells of each, without markup.
fn table(page: &str, caption: &str) -> Vec<Vec<String>> {
    let begin = page.find(&format!(">{caption}</caption>")).unwrap_or_else(|| panic!("no table '{caption}' in {page}"));
    let table = page[begin..].split("</table>").next().unwrap();
    let text = |cell: &str| {
        let mut inside = false;
        let letters = cell.chars().filter(|letter| {
            let shown = !inside && *letter != '<';
            inside = (inside || *letter == '<') && *letter != '>';
            shown && *letter != '>'
        });
        letters.collect::<String>()
    };
    let rows = table.split("<tbody>").nth(1).unwrap().split("<tr").skip(1);
    rows.map(|row| {
        let cells = row.split("<td").flat_map(|part| part.split("<th")).skip(1);
        cells.map(|cell| text(cell.split_once('>').unwrap().1)).collect()
    })
    .collect()
}

async fn resync(app: &TestApp, browser: &Browser) {
    let syncs = async || {
        let mut tx = app.tenant(NORTHLANE).await;
        sqlx::query_scalar!("SELECT count(*) AS \"count!\" FROM syncs WHERE finished_at IS NOT NULL")
            .fetch_one(&mut *tx)
            .await
            .unwrap()
    };
    let before = syncs().await;
    browser.send("/businesses/sync", &[]).await.unwrap();
    app.until("the sync to finish", async || syncs().await > before).await;
}

fn cells(rows: &[&[&str]]) -> Vec<Vec<String>> {
    rows.iter().map(|row| row.iter().map(ToString::to_string).collect()).collect()
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn the_numbers_on_the_page_are_what_happened(pool: PgPool) {
    let app = TestApp::start_with(pool, Options { businesses: 60, ..Options::default() }).await;
    let browser = app.signed_in(MANAGER).await;
    let empty = page(&browser, "/insights").await;
    assert!(empty.contains("Nothing to count yet"), "{empty}");

    let businesses = app.businesses("eligible").await;
    for business in &businesses[..4] {
        onboard(&browser, business).await;
        app.until_request_is(business, "requested").await;
    }
    app.simulator.plan(Operation::Onboard, Fault::PermissionDenied, 1);
    onboard(&browser, &businesses[4]).await;
    app.until_request_is(&businesses[4], "failed").await;
    let admin = app.signed_in(ADMIN).await;
    onboard(&admin, &businesses[5]).await;
    app.until_request_is(&businesses[5], "requested").await;

    // Sessions that nobody uses for an hour end.
    app.advance(Duration::from_hours(3)).await;
    let browser = app.signed_in(MANAGER).await;
    app.simulator.accept(&businesses[0]).unwrap();
    app.simulator.accept(&businesses[1]).unwrap();
    for business in &businesses[..2] {
        // A sync that was under way may have read it before.
        app.until("a sync to see it accepted", async || {
            resync(&app, &browser).await;
            app.request_for(business).await.0 == "accepted"
        })
        .await;
    }
    app.advance(Duration::from_hours(2)).await;
    let browser = app.signed_in(MANAGER).await;
    for business in &businesses[..2] {
        // A sync that was under way may have read it before.
        app.until("a sync to see it ready", async || {
            resync(&app, &browser).await;
            app.request_for(business).await.0 == "ready"
        })
        .await;
    }

    let words = "5 requested, 2 accepted, 2 ready";
    let all = until_page_says(&app, &browser, "/insights", words).await;
    assert_eq!(
        table(&all, "From request to ready"),
        cells(&[&["Requested", "5", "–"], &["Accepted", "2", "40 %"], &["Ready", "2", "100 %"]])
    );
    let waited = table(&all, "Days from request to acceptance");
    assert_eq!(waited[0], ["0", "2"]);
    assert!(waited.iter().any(|row| row[0] == "Median" && row[1].contains("hour")), "{waited:?}");
    assert!(all.contains("2 of 5 accepted."), "{all}");
    let errors = table(&all, "Errors each week by cause");
    assert_eq!(errors.last().unwrap()[1..], ["1", "1"], "one error of one cause, given up");
    assert!(all.contains("App lacks permission"), "{all}");

    let by_manager = page(&browser, "/insights?by=manager&range=7").await;
    assert_eq!(
        table(&by_manager, "From request to ready, by requester"),
        cells(&[&["Tomás Lindqvist", "4", "2", "2", "50 %"], &["Ana Moreira", "1", "0", "0", "0 %"]])
    );
    let by_week = page(&browser, "/insights?by=week&range=30").await;
    let weeks = table(&by_week, "From request to ready, by week");
    assert_eq!(weeks.iter().map(|row| row[1].parse::<u64>().unwrap()).sum::<u64>(), 5);
    let none = page(&browser, "/insights?solution=none&by=solution").await;
    assert_eq!(table(&none, "From request to ready, by solution")[0][..2], ["No solution", "5"]);

    let mut tx = app.tenant(NORTHLANE).await;
    let tomas = sqlx::query_scalar!("SELECT member_id FROM members WHERE name = 'Tomás Lindqvist'")
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    drop(tx);
    let theirs = page(&browser, &format!("/insights?range=7&manager={tomas}")).await;
    assert!(
        theirs.contains("4 requested, 2 accepted, 2 ready") && theirs.contains(">Requested by</label>"),
        "{theirs}"
    );
    assert!(theirs.contains(&format!("range=30&amp;manager={tomas}")), "another period keeps whose they are: {theirs}");

    let of_another = page(&browser, "/insights?manager=999999&solution=1&range=x").await;
    for remark in ["not one of yours", "not in your team", "the last 90 days are shown", "5 requested, 2 accepted"] {
        assert!(of_another.contains(remark), "{remark}: {of_another}");
    }
    let past = page(&browser, "/insights?from=2020-01-01&to=2020-02-01").await;
    assert!(past.contains("Nothing was requested on these days."), "{past}");

    let support = app.signed_in(SUPPORT).await;
    assert!(page(&support, "/insights").await.contains(words), "support may look");
    let rival = app.signed_in(RIVAL).await;
    let theirs = page(&rival, "/insights").await;
    assert!(theirs.contains("Nothing to count yet") && !theirs.contains("5 requested"), "{theirs}");
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn what_stalls_is_counted_and_the_limit_is_drawn_from_what_meta_named(pool: PgPool) {
    let app = TestApp::start_with(
        pool,
        Options { businesses: 40, partner_limit_per_hour: Some(2_000), ..Options::default() },
    )
    .await;
    let browser = app.signed_in(MANAGER).await;
    let business = app.eligible_business().await;
    onboard(&browser, &business).await;
    app.until_request_is(&business, "requested").await;
    until_page_says(&app, &browser, "/insights", "<dt>Stalled now</dt><dd>0<").await;
    let page_now =
        until_page_says(&app, &browser, "/insights", "Highest share of the call limit used in each hour").await;
    let hours = table(&page_now, "Highest share of the call limit used in each hour");
    assert!(hours[0][1].ends_with(" %"), "{hours:?}");
    app.advance(Duration::from_hours(8 * 24)).await;
    let browser = app.signed_in(MANAGER).await;
    let later = until_page_says(&app, &browser, "/insights", "<dt>Stalled now</dt><dd>1<").await;
    assert!(later.contains("None of 1 request has accepted so far."), "{later}");
}
