//! The measuring side of `bin/bench`: drives a release build of the server over HTTP and prints a table.
//!
//! Every figure stands beside another of the same run, and nothing is asserted: a machine that is busy gives other figures.

mod batches;
#[path = "../../tests/browser.rs"]
mod browser;
mod insights;
mod limit;
mod lookups;
mod requests;
mod stand;
mod webhooks;

use std::{
    error::Error,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use browser::Browser;
use clap::Parser;
use liteboard::graph_simulator::{Operation, Options, PEOPLE_IDS, Simulator};
use reqwest::{Method, header};
use sqlx::{AssertSqlSafe, PgPool, raw_sql};
use stand::{Server, browser_is_served, until_synced};
use tokio::{sync::Semaphore, task::JoinSet, time::interval};

/// What to measure, and with what.
#[derive(Parser)]
pub struct Flags {
    /// The release build of the server
    #[arg(long, default_value = "target/release/liteboard")]
    server: PathBuf,
    /// An empty database
    #[arg(long, env = "DATABASE_URL")]
    database_url: String,
    /// Seconds for each measurement
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Businesses in the small and the large case
    #[arg(long, value_delimiter = ',', default_values_t = [100_000, 1_000_000])]
    sizes: Vec<i64>,
    /// Requests of the large batch
    #[arg(long, default_value_t = 100_000)]
    requests: usize,
    /// The most calls under way at once while batches are sent
    #[arg(long, default_value_t = 256)]
    concurrency: u16,
    /// Graph calls among which ids are looked up
    #[arg(long, default_value_t = 1_000_000)]
    calls: i64,
    /// Requests that insights are shown of, with five times as many calls
    #[arg(long, default_value_t = 1_000_000)]
    history: i64,
    /// What to measure: pages, batches, limit, webhooks, lookups, requests, insights
    #[arg(
        long,
        value_delimiter = ',',
        default_values = ["pages", "batches", "limit", "webhooks", "lookups", "requests", "insights"]
    )]
    parts: Vec<String>,
    /// A program that sends the same requests otherwise, and its arguments, parted by spaces; may be given several times
    #[arg(long)]
    beside: Vec<String>,
}

pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// What one session may click in a short time is limited, and this stays below it.
const CLICKS_A_SESSION: usize = 50;

#[tokio::main]
async fn main() -> Outcome<()> {
    let flags = Flags::parse();
    println!("| what | p50 | p95 | p99 | more |");
    println!("|---|---|---|---|---|");
    for part in &flags.parts {
        match part.as_str() {
            "pages" => pages(&flags).await?,
            "batches" => batches::measure(&flags).await?,
            "limit" => limit::measure(&flags).await?,
            "lookups" => lookups::measure(&flags).await?,
            "webhooks" => webhooks::measure(&flags).await?,
            "requests" => requests::measure(&flags).await?,
            "insights" => insights::measure(&flags).await?,
            other => return Err(format!("--parts: there is no part '{other}'").into()),
        }
    }
    Ok(())
}

/// The main job: first load, the click, the list, search.
async fn pages(flags: &Flags) -> Outcome<()> {
    let simulator = Simulator::start(Options { businesses: 3_000, ..Options::default() }).await?;
    let pool = PgPool::connect(&flags.database_url).await?;
    let server = Server::start(flags, &flags.database_url, &simulator, &["serve"])?;
    let browser = Arc::new(Browser::at(&server.url));
    browser_is_served(&browser).await?;
    browser.sign_in(PEOPLE_IDS[0]).await?;
    until_synced(&pool).await?;

    first_load(&browser).await?;
    clicks(&server, &simulator, &pool).await?;
    throughput(&browser, &server, "/healthz (for comparison)", "/healthz", flags.seconds).await?;
    throughput(&browser, &server, "/businesses, 50 rows, 16 connections", "/businesses", flags.seconds.max(60)).await?;
    for size in &flags.sizes {
        fill(&pool, *size).await?;
        for (kind, words) in searches(&pool).await? {
            let paths = words.iter().map(|word| format!("/businesses?q={}", escape(word))).collect();
            at_rate(&browser, &format!("search {kind}, {size} businesses, 50 a second"), paths, flags.seconds).await?;
        }
        scan(&pool, *size).await?;
    }
    Ok(())
}

/// Prints one line of the table from durations.
pub fn report(what: &str, mut took: Vec<Duration>, more: &str) {
    took.sort_unstable();
    let at = |share: usize| {
        took.get((took.len() * share / 100).min(took.len().saturating_sub(1))).copied().unwrap_or_default()
    };
    let ms = |duration: Duration| format!("{:.2} ms", duration.as_secs_f64() * 1_000.0);
    println!("| {what} | {} | {} | {} | {more} |", ms(at(50)), ms(at(95)), ms(at(99)));
}

/// Bytes on the wire for the first load of `/businesses`, brotli, cold cache.
async fn first_load(browser: &Browser) -> Outcome<()> {
    let client = reqwest::Client::new();
    let cookies: Vec<String> = browser.cookies().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let page = browser.ask(Method::GET, "/businesses", None).await?;
    let origin = page.url.trim_end_matches("/businesses").to_owned();
    let fetch = async |path: &str, coding: &'static str| -> Outcome<usize> {
        let answer = client
            .get(format!("{origin}{path}"))
            .header(header::COOKIE, cookies.join("; "))
            .header(header::ACCEPT, "text/html")
            .header(header::ACCEPT_ENCODING, coding)
            .send()
            .await?
            .error_for_status()?;
        Ok(answer.bytes().await?.len())
    };
    let mut files: Vec<String> = page
        .body
        .split(['"', '\''])
        .filter(|part| {
            part.starts_with("/assets/")
                && !part.contains("icons")
                && part.rsplit('.').next().is_some_and(|ending| matches!(ending, "css" | "js" | "wasm"))
        })
        .map(str::to_owned)
        .collect();
    files.sort_unstable();
    files.dedup();
    let (mut packed, mut plain) = (0, 0);
    for file in &files {
        packed += fetch(file, "br").await?;
        plain += fetch(file, "identity").await?;
    }
    let (html, html_plain) = (fetch("/businesses", "br").await?, fetch("/businesses", "identity").await?);
    println!(
        "| first load: wasm + js + css, brotli | | | | {:.1} kB, plain {:.1} kB ({} files) |",
        kb(packed),
        kb(plain),
        files.len()
    );
    println!("| first load: HTML, brotli | | | | {:.1} kB, plain {:.1} kB |", kb(html), kb(html_plain));
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "file sizes are far below 2^52")]
fn kb(bytes: usize) -> f64 {
    bytes as f64 / 1_000.0
}

/// From the click's POST leaving us to Graph's POST arriving at the simulator; beside it, until the answer is on the page.
async fn clicks(server: &Server, simulator: &Simulator, pool: &PgPool) -> Outcome<()> {
    let businesses: Vec<String> = sqlx::query_scalar(
        "SELECT business_id::text FROM businesses WHERE standing = 'eligible' ORDER BY business_id LIMIT 300",
    )
    .fetch_all(pool)
    .await?;
    let mut sessions = Vec::new();
    for _ in businesses.chunks(CLICKS_A_SESSION) {
        let browser = Browser::at(&server.url);
        browser.sign_in(PEOPLE_IDS[0]).await?;
        sessions.push(browser);
    }
    let (mut to_graph, mut in_all) = (Vec::new(), Vec::new());
    let clicks = sessions.iter().zip(businesses.chunks(CLICKS_A_SESSION));
    for (browser, business) in clicks.flat_map(|(browser, some)| some.iter().map(move |business| (browser, business))) {
        let started = Instant::now();
        let answer = browser
            .ask(Method::POST, "/onboarding/onboard", Some(&[("business_id", business), ("solution_id", "")]))
            .await?;
        if !answer.status.is_redirection() {
            return Err(format!("a click was answered with {}", answer.status).into());
        }
        in_all.push(started.elapsed());
        let call = simulator.calls().into_iter().rfind(|call| call.operation == Operation::Onboard);
        if let Some(call) = call.filter(|call| call.arrived > started) {
            to_graph.push(call.arrived - started);
        }
    }
    let sent = to_graph.len();
    report("click's POST to Graph's POST", to_graph, &format!("{sent} clicks, one after the other"));
    report("click's POST to its answer", in_all, "simulator answering at once");
    Ok(())
}

/// As many requests as sixteen connections can make.
async fn throughput(
    browser: &Arc<Browser>,
    server: &Server,
    what: &str,
    path: &'static str,
    seconds: u64,
) -> Outcome<()> {
    let until = Instant::now() + Duration::from_secs(seconds);
    let mut tasks = JoinSet::new();
    for _ in 0..16 {
        let browser = Arc::clone(browser);
        tasks.spawn(async move {
            let mut took = Vec::new();
            while Instant::now() < until {
                let started = Instant::now();
                if browser.ask(Method::GET, path, None).await.is_ok_and(|answer| answer.status.is_success()) {
                    took.push(started.elapsed());
                }
            }
            took
        });
    }
    let took: Vec<Duration> = tasks.join_all().await.into_iter().flatten().collect();
    let rate = took.len() as u64 / seconds;
    report(what, took, &format!("{rate} a second, server resident {:.0} MB", server.resident_mb()?));
    Ok(())
}

/// `paths` in turn at fifty a second, whether or not earlier ones are answered; where one leads on, until that is answered.
pub async fn at_rate(browser: &Arc<Browser>, what: &str, paths: Vec<String>, seconds: u64) -> Outcome<()> {
    let mut tick = interval(Duration::from_millis(20));
    let open = Arc::new(Semaphore::new(256));
    let mut tasks = JoinSet::new();
    let total = usize::try_from(seconds * 50)?;
    for index in 0..total {
        tick.tick().await;
        let Ok(permit) = Arc::clone(&open).try_acquire_owned() else { continue };
        let (browser, path) = (Arc::clone(browser), paths[index % paths.len()].clone());
        tasks.spawn(async move {
            let started = Instant::now();
            let answer = browser.open(&path).await;
            drop(permit);
            answer.is_ok_and(|answer| answer.status.is_success()).then(|| started.elapsed())
        });
    }
    let took: Vec<Duration> = tasks.join_all().await.into_iter().flatten().collect();
    let answered = took.len();
    report(what, took, &format!("{answered} of {total} answered"));
    Ok(())
}

/// Fills the table up to `size` businesses for the partner, and as many in all for nineteen others.
async fn fill(pool: &PgPool, size: i64) -> Outcome<()> {
    let mut connection = pool.acquire().await?;
    sqlx::query("SELECT set_config('bench.size', $1, false)").bind(size.to_string()).execute(&mut *connection).await?;
    raw_sql(include_str!("fill.sql")).execute(&mut *connection).await?;
    // Each by itself, as Postgres wants it.
    for table in ["businesses", "business_words", "name_words", "wabas"] {
        raw_sql(AssertSqlSafe(format!("VACUUM ANALYZE {table}"))).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Words of each kind of search, taken from what is there.
async fn searches(pool: &PgPool) -> Outcome<Vec<(&'static str, Vec<String>)>> {
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM businesses TABLESAMPLE SYSTEM (1) WHERE partner_id = '102000000000001' AND left_at IS NULL LIMIT 200",
    )
    .fetch_all(pool)
    .await?;
    let ids: Vec<String> = sqlx::query_scalar(
        "SELECT business_id::text FROM businesses TABLESAMPLE SYSTEM (1) WHERE partner_id = '102000000000001' LIMIT 200",
    )
    .fetch_all(pool)
    .await?;
    let word = |name: &String, most: usize| {
        name.split_whitespace().next().unwrap_or(name).chars().take(most).collect::<String>()
    };
    let typing: Vec<String> = names.iter().enumerate().map(|(index, name)| word(name, 1 + index % 6)).collect();
    let two: Vec<String> = names
        .iter()
        .map(|name| {
            let mut words = name.split_whitespace();
            let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            format!("{second} {}", first.chars().take(4).collect::<String>())
        })
        .collect();
    let unknown: Vec<String> = names.iter().map(|name| format!("{}zq", word(name, 5))).collect();
    let mixed = typing
        .iter()
        .zip(&ids)
        .zip(&two)
        .flat_map(|((one, two), three)| [one.clone(), two.clone(), three.clone()])
        .collect();
    Ok(vec![
        ("mixed", mixed),
        ("by id", ids),
        ("one word, as typed", typing),
        ("two words", two),
        ("no match (did you mean)", unknown),
    ])
}

/// What the same question costs without an index, in SQL alone: the figure search is to be held against.
async fn scan(pool: &PgPool, size: i64) -> Outcome<()> {
    let mut took = Vec::new();
    for _ in 0..5 {
        let started = Instant::now();
        let _: Vec<String> = sqlx::query_scalar(
            "SELECT name FROM businesses WHERE partner_id = '102000000000001' AND name ILIKE '%zebra%' ORDER BY name_key LIMIT 50",
        )
        .fetch_all(pool)
        .await?;
        took.push(started.elapsed());
    }
    report(&format!("for comparison: ILIKE over {size}, SQL alone"), took, "5 runs");
    Ok(())
}

fn escape(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
