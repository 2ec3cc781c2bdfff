//! Webhooks at the rate of a large partner, each signed, and a kill -9 in the midst of them.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use hmac::{Hmac, KeyInit as _, Mac as _};
use liteboard::graph_simulator::{Options, PEOPLE_IDS, Simulator};
use sqlx::PgPool;
use tokio::{task::JoinSet, time::interval};

use super::{
    Flags, Outcome,
    browser::Browser,
    report,
    stand::{NORTHLANE, Server, browser_is_served, new_database, until_synced},
};

/// Deliveries a second.
const RATE: u64 = 1_000;

/// Deliveries that are sent together: the steps in which the rate is kept.
const AT_ONCE: u64 = 5;

pub async fn measure(flags: &Flags) -> Outcome<()> {
    let simulator = Simulator::start(Options { businesses: 3_000, ..Options::default() }).await?;
    let database = new_database(flags, "webhooks").await?;
    let server = Server::start(flags, &database, &simulator, &["serve"])?;
    let browser = Browser::at(&server.url);
    browser_is_served(&browser).await?;
    let pool = PgPool::connect(&database).await?;
    browser.sign_in(PEOPLE_IDS[0]).await?;
    until_synced(&pool).await?;
    let businesses: Vec<String> =
        sqlx::query_scalar("SELECT business_id::text FROM businesses ORDER BY business_id").fetch_all(&pool).await?;

    let client = reqwest::Client::builder().no_proxy().build()?;
    let url = format!("{}/webhooks/meta", server.url);
    // One second more than is measured: the process is killed while these are under way.
    let total = RATE * (flags.seconds + 1);
    let measured = RATE * flags.seconds;
    let mut tick = interval(Duration::from_millis(1_000 * AT_ONCE / RATE));
    let mut sent = JoinSet::new();
    let mut server = Some(server);
    for number in 0..total {
        if number % AT_ONCE == 0 {
            tick.tick().await;
        }
        if number == measured + RATE / 2 {
            // SIGKILL.
            drop(server.take());
        }
        let business = &businesses[usize::try_from(number)? % businesses.len()];
        let body = delivery(number, business);
        let request =
            client.post(&url).header("x-hub-signature-256", signature(simulator.app_secret(), &body)).body(body);
        sent.spawn(async move {
            let started = Instant::now();
            let answered = request.send().await.is_ok_and(|answer| answer.status() == 200);
            answered.then(|| (number, started.elapsed()))
        });
    }
    let answered: Vec<(u64, Duration)> = sent.join_all().await.into_iter().flatten().collect();
    let took = answered.iter().filter(|(number, _)| *number < measured).map(|(_, took)| *took).collect::<Vec<_>>();
    let stored: Vec<String> = sqlx::query_scalar("SELECT waba_id::text FROM webhook_changes").fetch_all(&pool).await?;
    let stored: HashSet<u64> = stored.iter().filter_map(|waba| waba.parse().ok()).collect();
    let lost = answered.iter().filter(|(number, _)| !stored.contains(&waba(*number))).count();
    let settled: i64 = sqlx::query_scalar("SELECT count(*) FROM webhook_changes WHERE settled_at IS NOT NULL")
        .fetch_one(&pool)
        .await?;
    let what = format!("webhooks, {RATE} a second for {} s", flags.seconds);
    let more = format!("{} of {measured} answered 200, {settled} applied by the end", took.len());
    report(&what, took, &more);
    println!(
        "| webhooks, kill -9 while they come | | | | {} answered 200, {} stored, {lost} lost |",
        answered.len(),
        stored.len()
    );
    Ok(())
}

/// One change, of a WABA that is told of once.
fn delivery(number: u64, business: &str) -> String {
    let (at, waba) = (1_764_000_000 + number / RATE, waba(number));
    format!(
        r#"{{"object":"whatsapp_business_account","entry":[{{"id":"{NORTHLANE}","time":{at},"changes":[{{"field":"account_update","value":{{"event":"MM_LITE_TERMS_SIGNED","waba_info":{{"owner_business_id":"{business}","waba_id":"{waba}"}}}}}}]}}]}}"#
    )
}

fn waba(number: u64) -> u64 {
    900_000_000_000 + number
}

fn signature(secret: &str, body: &str) -> String {
    let mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes());
    let digest = mac.map(|mac| mac.chain_update(body).finalize().into_bytes());
    format!("sha256={}", digest.map(hex::encode).unwrap_or_default())
}
