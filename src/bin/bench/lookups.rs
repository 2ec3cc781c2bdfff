//! Looking up any id among millions of Graph calls, by HTTP; beside it, what the same question costs without an index.

use std::{sync::Arc, time::Instant};

use liteboard::graph_simulator::{Options, PEOPLE_IDS, Simulator};
use sqlx::{AssertSqlSafe, PgPool, raw_sql};

use super::{
    Flags, Outcome, at_rate,
    browser::Browser,
    report,
    stand::{NORTHLANE, Server, browser_is_served, new_database, until_synced},
};

/// Ids of each kind that are looked up in turn.
const SAMPLE: i64 = 400;

pub async fn measure(flags: &Flags) -> Outcome<()> {
    let simulator = Simulator::start(Options { businesses: 3_000, ..Options::default() }).await?;
    let database = new_database(flags, "lookups").await?;
    let server = Server::start(flags, &database, &simulator, &["serve"])?;
    let browser = Arc::new(Browser::at(&server.url));
    browser_is_served(&browser).await?;
    let pool = PgPool::connect(&database).await?;
    browser.sign_in(PEOPLE_IDS[0]).await?;
    until_synced(&pool).await?;
    fill(&pool, flags.calls).await?;

    let mut mixed = Vec::new();
    for (kind, ids) in kinds(&pool).await? {
        let paths: Vec<String> = ids.iter().map(|id| format!("/support?q={id}")).collect();
        mixed.extend(paths.iter().take(100).cloned());
        at_rate(&browser, &format!("look-up by {kind}, {} calls, 50 a second", flags.calls), paths, flags.seconds)
            .await?;
    }
    // One after the other as they come, so that kinds alternate.
    let count = mixed.len();
    let mixed = (0..count).map(|at| mixed[at * 101 % count].clone()).collect();
    at_rate(&browser, &format!("look-up of any id, {} calls, 50 a second", flags.calls), mixed, flags.seconds).await?;
    at_rate(&browser, "failures by cause, 50 a second", vec!["/support/causes?days=90".to_owned()], flags.seconds)
        .await?;
    scan(&pool).await
}

/// Calls of the partner, one in twelve of them refused, for as many businesses as the simulator has; a request for each tenth.
async fn fill(pool: &PgPool, calls: i64) -> Outcome<()> {
    let began = Instant::now();
    let mut connection = pool.acquire().await?;
    sqlx::query("SELECT set_config('bench.calls', $1, false)")
        .bind(calls.to_string())
        .execute(&mut *connection)
        .await?;
    raw_sql(include_str!("lookups.sql")).execute(&mut *connection).await?;
    for table in ["graph_calls", "requests", "request_events", "uncounted_failures"] {
        raw_sql(AssertSqlSafe(format!("VACUUM ANALYZE {table}"))).execute(&mut *connection).await?;
    }
    println!("| {calls} Graph calls made up in SQL | | | | {:.0} s |", began.elapsed().as_secs_f64());
    let began = Instant::now();
    let mut tick = tokio::time::interval(std::time::Duration::from_secs(1));
    loop {
        tick.tick().await;
        let left: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM uncounted_failures WHERE partner_id = $1)")
            .bind(NORTHLANE)
            .fetch_one(&mut *connection)
            .await?;
        if !left {
            break;
        }
    }
    let counted: i64 = sqlx::query_scalar("SELECT coalesce(sum(calls), 0)::bigint FROM failure_groups")
        .fetch_one(&mut *connection)
        .await?;
    println!("| {counted} failures counted in the background | | | | {:.0} s |", began.elapsed().as_secs_f64());
    raw_sql("ANALYZE failure_groups, failure_days, failure_businesses").execute(&mut *connection).await?;
    Ok(())
}

/// Ids of each kind, taken from all over the table.
async fn kinds(pool: &PgPool) -> Outcome<Vec<(&'static str, Vec<String>)>> {
    let of_calls = |column: &str| {
        format!(
            "SELECT {column} FROM graph_calls TABLESAMPLE SYSTEM (5) WHERE partner_id = '{NORTHLANE}' AND {column} IS NOT NULL
             ORDER BY md5({column}) LIMIT {SAMPLE}"
        )
    };
    let mut kinds = Vec::new();
    for (kind, sql) in [
        ("fbtrace_id", of_calls("fbtrace_id")),
        ("x-fb-request-id", of_calls("x_fb_request_id")),
        (
            "business ID",
            format!("SELECT business_id::text FROM businesses WHERE partner_id = '{NORTHLANE}' LIMIT {SAMPLE}"),
        ),
        ("WABA ID", format!("SELECT waba_id::text FROM wabas WHERE partner_id = '{NORTHLANE}' LIMIT {SAMPLE}")),
        (
            "Meta's request ID",
            format!(
                "SELECT meta_request_id FROM requests WHERE meta_request_id IS NOT NULL ORDER BY md5(meta_request_id) LIMIT {SAMPLE}"
            ),
        ),
        ("our number", format!("SELECT 'LB-' || number FROM requests ORDER BY md5(number::text) LIMIT {SAMPLE}")),
        ("an unknown id", format!("SELECT md5(n::text) || 'x' FROM generate_series(1, {SAMPLE}) AS n")),
    ] {
        let ids: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(pool).await?;
        if ids.is_empty() {
            return Err(format!("there is nothing to look up by {kind}").into());
        }
        kinds.push((kind, ids));
    }
    Ok(kinds)
}

/// What the same question costs without an index.
async fn scan(pool: &PgPool) -> Outcome<()> {
    let mut took = Vec::new();
    for _ in 0..3 {
        let started = Instant::now();
        let _: Option<i64> =
            sqlx::query_scalar("SELECT call_id FROM graph_calls WHERE fbtrace_id || '' = 'AnUnknownTraceId'")
                .fetch_optional(pool)
                .await?;
        took.push(started.elapsed());
    }
    report("for comparison: a trace id by a scan of all calls, SQL alone", took, "3 runs");
    Ok(())
}
