//! `/insights` over a partner's whole history: the page, and what keeping its sums costs.

use std::time::{Duration, Instant};

use liteboard::graph_simulator::{Options, PEOPLE_IDS, Simulator};
use sqlx::{PgPool, raw_sql};
use tokio::time::interval;

use super::{
    Flags, Outcome, at_rate,
    browser::Browser,
    report,
    stand::{Server, browser_is_served, new_database, until_synced},
};

/// The most time the first count may take.
const LONGEST: Duration = Duration::from_hours(1);

pub async fn measure(flags: &Flags) -> Outcome<()> {
    let simulator = Simulator::start(Options { businesses: 300, ..Options::default() }).await?;
    let database = new_database(flags, "insights").await?;
    let server = Server::start(flags, &database, &simulator, &["serve"])?;
    let browser = std::sync::Arc::new(Browser::at(&server.url));
    browser_is_served(&browser).await?;
    let pool = PgPool::connect(&database).await?;
    browser.sign_in(PEOPLE_IDS[0]).await?;
    until_synced(&pool).await?;
    let (requests, calls) = (flags.history, flags.history * 5);
    let mut connection = pool.acquire().await?;
    sqlx::query("SELECT set_config('bench.requests', $1, false), set_config('bench.calls', $2, false)")
        .bind(requests.to_string())
        .bind(calls.to_string())
        .execute(&mut *connection)
        .await?;
    raw_sql(include_str!("insights.sql")).execute(&mut *connection).await?;
    drop(connection);

    let began = Instant::now();
    until_counted(&pool).await?;
    report(
        &format!("first count of {requests} requests and {calls} calls"),
        vec![began.elapsed()],
        "in steps of 20,000 ids, while pages are served",
    );
    let mut steps = Vec::new();
    for _ in 0..5 {
        // A thousand requests are accepted: what a busy ten seconds bring.
        raw_sql(
            "WITH moved AS (
                UPDATE requests SET state = 'accepted', accepted_at = now(), changed_at = now()
                WHERE number IN (SELECT number FROM requests WHERE state = 'requested' LIMIT 1000) RETURNING partner_id, number
            )
            INSERT INTO request_events (partner_id, number, at, state, attempt) SELECT partner_id, number, now(), 'accepted', 1 FROM moved;
            SELECT pg_notify('liteboard', 'insights:102000000000001')",
        )
        .execute(&pool)
        .await?;
        let began = Instant::now();
        until_counted(&pool).await?;
        steps.push(began.elapsed());
    }
    report("1,000 acceptances until they are counted", steps, "two looks and a step, a second apart");
    for (what, path) in [
        ("/insights, 90 days", "/insights"),
        ("/insights, 90 days, by manager", "/insights?by=manager"),
        ("/insights, 366 days, by solution", "/insights?from=2020-01-01&to=&by=solution"),
        ("/insights, one solution and the week", "/insights?solution=none&range=30&by=week"),
    ] {
        at_rate(&browser, &format!("{what}, {requests} requests, 50 a second"), vec![path.to_owned()], flags.seconds)
            .await?;
    }
    Ok(())
}

async fn until_counted(pool: &PgPool) -> Outcome<()> {
    let mut tick = interval(Duration::from_millis(20));
    let began = Instant::now();
    while began.elapsed() < LONGEST {
        tick.tick().await;
        let done: bool = sqlx::query_scalar(
            "SELECT count(*) = 2 AND bool_and(counted_id >= CASE source
                WHEN 'graph_calls' THEN (SELECT last_value FROM graph_calls_call_id_seq)
                ELSE (SELECT last_value FROM request_events_event_id_seq) END)
             FROM insight_marks WHERE partner_id = '102000000000001'",
        )
        .fetch_one(pool)
        .await?;
        if done {
            return Ok(());
        }
    }
    Err("the counting did not end".into())
}
