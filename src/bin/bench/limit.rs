//! A partner with a limit: how much of it is used, and how often Meta has to say stop.

use std::time::{Duration, Instant};

use liteboard::graph_simulator::{Options, PEOPLE_IDS, Simulator};
use sqlx::{PgPool, raw_sql};
use tokio::time::interval;

use super::{
    Flags, Outcome,
    browser::Browser,
    stand::{Server, browser_is_served, new_database, until_synced},
};

/// Calls a partner may make in an hour.
const LIMIT: u32 = 5_000;

/// How long Meta takes to answer.
const LATENCY: Duration = Duration::from_millis(150);

/// How long it may take; the limit is of an hour, and used up long before.
const LONGEST: Duration = Duration::from_mins(4);

pub async fn measure(flags: &Flags) -> Outcome<()> {
    let options =
        Options { businesses: 16_000, partner_limit_per_hour: Some(LIMIT), latency: LATENCY, ..Options::default() };
    let simulator = Simulator::start(options).await?;
    let database = new_database(flags, "limit").await?;
    let server = Server::start(flags, &database, &simulator, &["serve"])?;
    let browser = Browser::at(&server.url);
    browser_is_served(&browser).await?;
    let pool = PgPool::connect(&database).await?;
    browser.sign_in(PEOPLE_IDS[0]).await?;
    until_synced(&pool).await?;
    raw_sql(
        "WITH batch AS (
            INSERT INTO batches (partner_id, member_id, source, started_at, size)
            SELECT partner_id, member_id, 'selection', now(), 1 FROM members LIMIT 1 RETURNING *
        )
        INSERT INTO requests (partner_id, batch_number, business_id, member_id, state, alone, queued_at, changed_at)
        SELECT b.partner_id, batch_number, business_id, member_id, 'queued', FALSE, now(), now()
        FROM batch JOIN businesses b USING (partner_id) WHERE standing = 'eligible';
        SELECT pg_notify('liteboard', 'dispatch:102000000000001')",
    )
    .execute(&pool)
    .await?;

    let began = Instant::now();
    let mut tick = interval(Duration::from_millis(500));
    let (mut answered, mut throttled, mut quiet) = (0_i64, 0_i64, 0);
    while began.elapsed() < LONGEST && quiet < 60 {
        tick.tick().await;
        let before = (answered, throttled);
        // What counts against the limit: the reading of WABAs as well.
        (answered, throttled) = sqlx::query_as(
            "SELECT count(*) FILTER (WHERE error_code IS DISTINCT FROM 80008), count(*) FILTER (WHERE error_code = 80008)
             FROM graph_calls WHERE business_use_case_usage IS NOT NULL",
        )
        .fetch_one(&pool)
        .await?;
        quiet = if before == (answered, throttled) { quiet + 1 } else { 0 };
    }
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let (share, refused) =
        (answered as f64 / f64::from(LIMIT), throttled as f64 * 100.0 / (answered + throttled).max(1) as f64);
    println!(
        "| limit of {LIMIT} calls an hour, {} ms each | | | | {answered} answered: {share:.3} of the limit in {:.0} s; {throttled} throttled: {refused:.2} % |",
        LATENCY.as_millis(),
        began.elapsed().as_secs_f64() - if quiet >= 60 { 30.0 } else { 0.0 },
    );
    Ok(())
}
