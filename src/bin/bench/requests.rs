//! The list of requests under three terms, and its export, over a million requests and five million calls.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use liteboard::graph_simulator::{Options, PEOPLE_IDS, Simulator};
use reqwest::header;
use sqlx::{AssertSqlSafe, PgPool, raw_sql};
use tokio::time::interval;

use super::{
    Flags, Outcome, at_rate,
    browser::Browser,
    report,
    stand::{Server, browser_is_served, new_database, until_synced},
};

/// Requests of the partner; calls are five times as many.
const REQUESTS: i64 = 1_000_000;

/// Searches of three terms: of what many are and of what few are, of calls, of times, and of what nothing is.
const SEARCHES: [&str; 16] = [
    "is:failed code:100 by:miguel",
    "is:failed code:100 since:90d",
    "is:stalled solution:none country:BR",
    "is:requested by:me country:IN",
    "is:open by:miguel since:30d",
    "is:ready country:BR until:2026-06-01",
    "is:failed cause:access_denied country:MX",
    "is:attention by:me age:>30d",
    "is:failed code:190 by:rare",
    "by:rare country:BR is:ready",
    "code:131000 is:ready country:BR",
    "status:5xx is:failed by:miguel",
    "-is:ready -by:me country:BR",
    "in:calls code:200 by:miguel",
    "in:calls status:5xx since:90d",
    "solution:71 is:failed code:200",
];

pub async fn measure(flags: &Flags) -> Outcome<()> {
    let simulator = Simulator::start(Options { businesses: 300, ..Options::default() }).await?;
    let database = new_database(flags, "requests").await?;
    let server = Server::start(flags, &database, &simulator, &["serve"])?;
    let browser = Arc::new(Browser::at(&server.url));
    browser_is_served(&browser).await?;
    let pool = PgPool::connect(&database).await?;
    browser.sign_in(PEOPLE_IDS[0]).await?;
    until_synced(&pool).await?;
    fill(&pool).await?;

    let path = |search: &str| format!("/requests?q={}", super::escape(search));
    let all: Vec<String> = SEARCHES.iter().map(|search| path(search)).collect();
    at_rate(&browser, &format!("/requests, three terms, {REQUESTS} requests, 50 a second"), all, flags.seconds).await?;
    for search in SEARCHES {
        let mut took = Vec::new();
        for _ in 0..20 {
            let started = Instant::now();
            let answer = browser.ask(reqwest::Method::GET, &path(search), None).await?;
            if !answer.status.is_success() || answer.body.contains("was left out") {
                return Err(format!("{search} was answered with {}", answer.status).into());
            }
            took.push(started.elapsed());
        }
        report(&format!("/requests?q={search}"), took, "20 runs, one after the other");
    }
    at_rate(&browser, "/requests, no term, 50 a second", vec!["/requests".to_owned()], flags.seconds).await?;
    for ending in ["csv", "json"] {
        export(&browser, &server, ending).await?;
    }
    cancelled(&browser, &server, &pool).await
}

/// Requests of three members for as many businesses, a minute apart, with five calls each.
async fn fill(pool: &PgPool) -> Outcome<()> {
    let mut connection = pool.acquire().await?;
    sqlx::query("SELECT set_config('bench.requests', $1, false)")
        .bind(REQUESTS.to_string())
        .execute(&mut *connection)
        .await?;
    raw_sql(include_str!("requests.sql")).execute(&mut *connection).await?;
    for table in ["businesses", "batches", "requests", "graph_calls"] {
        raw_sql(AssertSqlSafe(format!("VACUUM ANALYZE {table}"))).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Asks for a file, again while there is no place for it: one whose reader has gone keeps its place until that is noticed. Beside the
/// answer, when that was asked for.
async fn ask(browser: &Browser, server: &Server, path: &str) -> Outcome<(Instant, reqwest::Response)> {
    let cookies: Vec<String> = browser.cookies().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let (client, cookies) = (reqwest::Client::new(), cookies.join("; "));
    let mut tick = interval(Duration::from_millis(100));
    for _ in 0..300 {
        tick.tick().await;
        let began = Instant::now();
        let answer = client.get(format!("{}{path}", server.url)).header(header::COOKIE, &cookies).send().await?;
        if answer.status() != reqwest::StatusCode::SERVICE_UNAVAILABLE {
            return Ok((began, answer.error_for_status()?));
        }
    }
    Err("no file could be made within 30 s".into())
}

/// The whole list as a file: until its first byte, until its last, and the memory it took.
async fn export(browser: &Browser, server: &Server, ending: &str) -> Outcome<()> {
    let mut firsts = Vec::new();
    for _ in 0..10 {
        let (started, mut answer) = ask(browser, server, &format!("/requests/export.{ending}")).await?;
        answer.chunk().await?;
        firsts.push(started.elapsed());
    }
    let before = server.resident_mb()?;
    server.forget_peak()?;
    let (started, mut answer) = ask(browser, server, &format!("/requests/export.{ending}")).await?;
    let (mut bytes, mut lines) = (0, 0);
    while let Some(piece) = answer.chunk().await? {
        bytes += piece.len();
        lines += piece.split(|byte| *byte == b'\n').count() - 1;
    }
    let took = started.elapsed();
    let more = format!(
        "whole: {lines} lines, {} MB in {:.1} s; server {before:.0} MB resident before, at most {:.0} MB",
        bytes / 1_000_000,
        took.as_secs_f64(),
        server.peak_mb()?
    );
    report(&format!("export of {REQUESTS} requests as {ending}, first byte"), firsts, &more);
    Ok(())
}

/// A reader that goes away leaves no connection at work.
async fn cancelled(browser: &Browser, server: &Server, pool: &PgPool) -> Outcome<()> {
    for _ in 0..5 {
        let (_, mut answer) = ask(browser, server, "/requests/export.csv").await?;
        answer.chunk().await?;
    }
    let mut tick = interval(Duration::from_millis(50));
    let gone = Instant::now();
    loop {
        tick.tick().await;
        let open: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
               AND application_name = 'liteboard' AND xact_start IS NOT NULL",
        )
        .fetch_one(pool)
        .await?;
        if open == 0 || gone.elapsed() > Duration::from_secs(30) {
            println!(
                "| five exports cancelled half-way | | | | {open} transactions open after {:.2} s |",
                gone.elapsed().as_secs_f64()
            );
            return Ok(());
        }
    }
}
