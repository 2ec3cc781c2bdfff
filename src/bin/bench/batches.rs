//! Thousands at once: the first sync, a list taken in, a batch drained, and what the pages do meanwhile. Beside the drain, the same
//! requests as others would send them.

use std::{
    io::Write,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use liteboard::graph_simulator::{Operation, Options, PEOPLE_IDS, Simulator};
use reqwest::{Method, header};
use sqlx::{PgPool, raw_sql};
use tokio::{task::JoinSet, time::interval};

use super::{
    Flags, Outcome,
    browser::Browser,
    report,
    stand::{NORTHLANE, Server, browser_is_served, new_database, until_synced},
};

/// Of the simulator's businesses, about so many are one that can be sent.
const BUSINESSES_PER_ELIGIBLE: usize = 3;

/// Businesses kept back for clicks while a batch is drained; fewer than one session may click at once.
const CLICKS: usize = 50;

pub async fn measure(flags: &Flags) -> Outcome<()> {
    let businesses = (flags.requests + CLICKS) * BUSINESSES_PER_ELIGIBLE;
    let simulator = Simulator::start(Options { businesses, ..Options::default() }).await?;
    let database = new_database(flags, "batches").await?;
    let server = Server::start(flags, &database, &simulator, &["serve", "--no-worker"])?;
    let browser = Browser::at(&server.url);
    browser_is_served(&browser).await?;
    let pool = PgPool::connect(&database).await?;

    let worker = Server::start(flags, &database, &simulator, &["work"])?;
    let began = Instant::now();
    browser.sign_in(PEOPLE_IDS[0]).await?;
    until_synced(&pool).await?;
    let wabas: i64 = sqlx::query_scalar("SELECT count(*) FROM wabas").fetch_one(&pool).await?;
    let rate = per_second(usize::try_from(wabas)?, began.elapsed());
    row("first sync", &format!("{wabas} WABAs of {businesses} businesses, {rate} a second, Graph's pages included"));
    drop(worker);

    let mut eligible: Vec<String> =
        sqlx::query_scalar("SELECT business_id::text FROM businesses WHERE standing = 'eligible' ORDER BY business_id")
            .fetch_all(&pool)
            .await?;
    let clicked = eligible.split_off(eligible.len().saturating_sub(CLICKS));
    eligible.truncate(flags.requests);
    let small = eligible.split_off(eligible.len().saturating_sub(10_000));
    // The table below is of one batch at a time.
    for ids in [&small, &eligible] {
        take_in(&server, &browser, &pool, ids).await?;
    }

    let ids: Vec<String> = eligible.iter().chain(&small).cloned().collect();
    let ours = drain(flags, &database, &simulator, &pool, ids.len()).await?;
    for program in &flags.beside {
        let database = new_database(flags, "beside").await?;
        beside(program, &simulator, &database, &ids, ours)?;
    }

    again(&pool).await?;
    meanwhile(flags, &database, &simulator, &pool, &server, &clicked).await
}

fn row(what: &str, more: &str) {
    println!("| {what} | | | | {more} |");
}

fn per_second(count: usize, took: Duration) -> u64 {
    count as u64 * 1_000 / u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1)
}

/// A file of ids uploaded, checked and started: until its requests are queued.
async fn take_in(server: &Server, browser: &Browser, pool: &PgPool, ids: &[String]) -> Outcome<()> {
    let file = ids.iter().fold("business_id\r\n".to_owned(), |file, id| file + id + "\r\n");
    let cookies: Vec<String> = browser.cookies().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    server.forget_peak()?;
    let began = Instant::now();
    let answer = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()?
        .post(format!("{}/import", server.url))
        .header(header::COOKIE, cookies.join("; "))
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=measured")
        .body(format!(
            "--measured\r\nContent-Disposition: form-data; name=\"file\"; filename=\"list.csv\"\r\nContent-Type: text/csv\r\n\r\n{file}\r\n--measured--\r\n"
        ))
        .send()
        .await?;
    let place = answer.headers().get(header::LOCATION).and_then(|place| place.to_str().ok()).unwrap_or_default();
    let number = place.strip_prefix("/drafts/").and_then(|rest| rest.split('/').next()).unwrap_or_default().to_owned();
    let checked = began.elapsed();
    let count = ids.len().to_string();
    let form = [("number", number.as_str()), ("shown", count.as_str()), ("confirm", count.as_str())];
    let answer = browser.ask(Method::POST, "/onboarding/start", Some(&form)).await?;
    let took = began.elapsed();
    let queued: i64 = sqlx::query_scalar("SELECT count(*) FROM requests WHERE batch_number = $1")
        .bind(number.parse::<i64>().map_err(|_| format!("no draft was made: {place}"))?)
        .fetch_one(pool)
        .await?;
    if usize::try_from(queued)? != ids.len() {
        return Err(format!("{queued} of {} were queued: {:?}", ids.len(), answer.location()).into());
    }
    row(
        &format!("{count} rows of CSV, from upload to queued"),
        &format!(
            "{:.2} s, {:.2} s of it until checked; server at most {:.0} MB resident",
            took.as_secs_f64(),
            checked.as_secs_f64(),
            server.peak_mb()?
        ),
    );
    Ok(())
}

/// Sends everything queued with one worker; gives the rate.
async fn drain(flags: &Flags, database: &str, simulator: &Simulator, pool: &PgPool, count: usize) -> Outcome<u64> {
    let before = simulator.count(Operation::Onboard);
    let worker = Server::start(flags, database, simulator, &["work"])?;
    until_called(simulator, before + 1).await?;
    let began = Instant::now();
    // Postgres isn't asked before Meta was: asking costs what is being measured.
    until_called(simulator, before + count as u64).await?;
    until_sent(pool, count).await?;
    let rate = per_second(count, began.elapsed());
    let calls = simulator.count(Operation::Onboard) - before;
    row(
        &format!("{count} queued requests sent, each call recorded and each outcome saved"),
        &format!("{rate} a second, {calls} calls; worker {:.0} MB resident", worker.resident_mb()?),
    );
    Ok(rate)
}

/// Waits until Meta was asked so many times to onboard somebody.
async fn until_called(simulator: &Simulator, count: u64) -> Outcome<()> {
    let mut tick = interval(Duration::from_millis(10));
    for _ in 0..60_000 {
        tick.tick().await;
        if simulator.count(Operation::Onboard) >= count {
            return Ok(());
        }
    }
    Err("the batch did not end within 10 min".into())
}

/// Waits until so many requests of batches are settled.
async fn until_sent(pool: &PgPool, count: usize) -> Outcome<()> {
    let mut tick = interval(Duration::from_millis(50));
    let mut all = 0;
    for _ in 0..12_000 {
        tick.tick().await;
        // Cheap to ask: what is left is found by index.
        if all == 0 {
            all = sqlx::query_scalar("SELECT count(*) FROM requests WHERE NOT alone").fetch_one(pool).await?;
        }
        let left: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM requests WHERE NOT alone AND state IN ('queued', 'sending', 'waiting_to_retry')",
        )
        .fetch_one(pool)
        .await?;
        if all - left >= i64::try_from(count)? {
            return Ok(());
        }
    }
    Err("the batch did not end within 10 min".into())
}

/// The same requests by another program, which reads their ids and prints one line of JSON. Meta has them by then, and answers with
/// the id it gave: a little less work than the first time.
fn beside(program: &str, simulator: &Simulator, database: &str, ids: &[String], ours: u64) -> Outcome<()> {
    let mut words = program.split(' ');
    let token = simulator.system_token_for(NORTHLANE).map_err(|error| error.to_string())?;
    let mut child = Command::new(words.next().unwrap_or_default())
        .args(words)
        .env("DATABASE_URL", database)
        .env("GRAPH_URL", simulator.url())
        .env("META_APP_ID", simulator.app_id())
        .env("META_APP_SECRET", simulator.app_secret())
        .env("ACCESS_TOKEN", token)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut given = child.stdin.take().ok_or("no way to tell it the ids")?;
    let lines = ids.join("\n");
    let writing = std::thread::spawn(move || given.write_all(lines.as_bytes()));
    let output = child.wait_with_output()?;
    writing.join().map_err(|_| "the ids could not be told")??;
    let text = String::from_utf8_lossy(&output.stdout);
    let said: serde_json::Value = serde_json::from_str(text.lines().last().unwrap_or_default())
        .map_err(|error| format!("{program}: {error}: {text}"))?;
    let (answered, seconds) = (said["answered"].as_u64().unwrap_or(0), said["seconds"].as_f64().unwrap_or(f64::MAX));
    #[expect(clippy::cast_precision_loss, reason = "a few thousand a second")]
    let (rate, ours) = (answered as f64 / seconds, ours as f64);
    row(
        &format!("for comparison: {}", program.rsplit('/').next().unwrap_or(program)),
        &format!(
            "{rate:.0} a second, {answered} of {} answered; ours is {:.1} times that; {}",
            ids.len(),
            ours / rate,
            said["settings"].as_str().unwrap_or_default()
        ),
    );
    Ok(())
}

/// Puts every request of the batches back to where it was when it was queued.
async fn again(pool: &PgPool) -> Outcome<()> {
    raw_sql(
        "UPDATE requests SET state = 'queued', meta_request_id = NULL, answered_at = NULL, failed_at = NULL, cause = NULL, retry_at = NULL
         WHERE NOT alone;
         UPDATE businesses SET standing = 'queued', waiting_since = NULL WHERE standing IN ('requested', 'already_requested', 'failed');
         TRUNCATE graph_calls;",
    )
    .execute(pool)
    .await?;
    for table in ["VACUUM ANALYZE requests", "VACUUM ANALYZE businesses"] {
        raw_sql(table).execute(pool).await?;
    }
    Ok(())
}

/// The pages and single clicks, first alone and then while a batch is drained.
async fn meanwhile(
    flags: &Flags,
    database: &str,
    simulator: &Simulator,
    pool: &PgPool,
    server: &Server,
    clicked: &[String],
) -> Outcome<()> {
    let browser = Arc::new(Browser::at(&server.url));
    browser.sign_in(PEOPLE_IDS[0]).await?;
    let idle = pages(&browser, Duration::from_secs(10)).await;
    report("/businesses, 20 a second, nothing else to do", idle, "");
    let worker = Server::start(flags, database, simulator, &["work"])?;
    until_sent(pool, 1_000).await?;
    let reading = tokio::spawn({
        let browser = Arc::clone(&browser);
        async move { pages(&browser, Duration::from_secs(10)).await }
    });
    let mut to_graph = Vec::new();
    let mut tick = interval(Duration::from_millis(180));
    for business in clicked {
        tick.tick().await;
        let form = [("business_id", business.as_str()), ("solution_id", "")];
        let started = Instant::now();
        browser.ask(Method::POST, "/onboarding/onboard", Some(&form)).await?;
        let arrived = simulator.calls().into_iter().rfind(|call| {
            call.operation == Operation::Onboard && call.arrived > started && call.path.contains(business.as_str())
        });
        to_graph.extend(arrived.map(|call| call.arrived - started));
    }
    let busy = reading.await?;
    let left: i64 =
        sqlx::query_scalar("SELECT count(*) FROM requests WHERE NOT alone AND state IN ('queued', 'sending')")
            .fetch_one(pool)
            .await?;
    report("/businesses, 20 a second, while a batch is sent", busy, &format!("{left} still to send at the end"));
    let seen = to_graph.len();
    report(
        "a click's POST to Graph's POST, while a batch is sent",
        to_graph,
        &format!("{seen} of {} clicks seen", clicked.len()),
    );
    drop(worker);
    Ok(())
}

/// The list, opened twenty times a second.
async fn pages(browser: &Arc<Browser>, length: Duration) -> Vec<Duration> {
    let mut tick = interval(Duration::from_millis(50));
    let until = Instant::now() + length;
    let mut tasks = JoinSet::new();
    while Instant::now() < until {
        tick.tick().await;
        let browser = Arc::clone(browser);
        tasks.spawn(async move {
            let started = Instant::now();
            let answer = browser.ask(Method::GET, "/businesses", None).await;
            answer.is_ok_and(|answer| answer.status.is_success()).then(|| started.elapsed())
        });
    }
    tasks.join_all().await.into_iter().flatten().collect()
}
