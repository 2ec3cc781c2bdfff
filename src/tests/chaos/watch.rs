//! How long what a blow interrupted stays Sending, measured beside everything else that happens.

use std::{
    fmt,
    time::{Duration, Instant},
};

use liteboard::reconcile;
use sqlx::PgPool;
use tokio::task::JoinHandle;

/// How long it may take.
const ALLOWED: Duration = Duration::from_secs(15);

/// After this long it counts as stuck.
const STUCK: Duration = Duration::from_mins(2);

/// What became of the requests that were Sending when a blow fell.
pub struct TakenUp {
    blow: String,
    requests: usize,
    after: Duration,
    /// Requests that nobody took up at all.
    pub stuck: Vec<i64>,
}

impl fmt::Display for TakenUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { blow, requests, after, stuck } = self;
        write!(f, "{blow}: {requests} under way, all moved on after {:.1} s", after.as_secs_f64())?;
        if *after > ALLOWED {
            write!(f, ", LATER than {} s", ALLOWED.as_secs())?;
        }
        if stuck.is_empty() { Ok(()) } else { write!(f, "; STUCK: {stuck:?}") }
    }
}

/// Notes which attempts are Sending now, and follows them until none is, from `began` on. Postgres may be killed meanwhile.
pub fn watch(pool: PgPool, blow: String, began: Instant) -> JoinHandle<TakenUp> {
    tokio::spawn(async move {
        let (numbers, attempts) = loop {
            let found = sqlx::query!("SELECT number, attempts FROM requests WHERE state = 'sending'").fetch_all(&pool);
            if let Ok(rows) = found.await {
                break rows.into_iter().map(|row| (row.number, row.attempts)).collect::<(Vec<i64>, Vec<i32>)>();
            }
        };
        let requests = numbers.len();
        let mut left = numbers.clone();
        while !left.is_empty() && began.elapsed() < STUCK {
            reconcile::pause(Duration::from_millis(20)).await;
            let still = sqlx::query_scalar!(
                "SELECT r.number FROM requests r JOIN unnest($1::bigint[], $2::integer[]) AS h(number, attempts)
                    ON h.number = r.number AND h.attempts = r.attempts WHERE r.state = 'sending'",
                &numbers,
                &attempts,
            );
            if let Ok(still) = still.fetch_all(&pool).await {
                left = still;
            }
        }
        TakenUp { blow, requests, after: began.elapsed(), stuck: left }
    })
}
