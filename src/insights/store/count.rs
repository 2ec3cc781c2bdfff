//! Counting, exactly once.
//!
//! Rows are counted in the order of their ids, in one transaction with the mark that says how far. An id is given before its row is
//! committed, so a row may appear below ids that were counted already. Therefore ids are counted only behind a fence: at one look the
//! last id given is noted; at the next, the number of the transaction that looks; and when every transaction before that one is over,
//! whatever will ever be of those ids can be seen. There are two looks because an id is given a moment before its transaction gets a
//! number: what is between the two at the first look has its number by the second.

use time::{Duration, OffsetDateTime};

use crate::db::TenantTx;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// What became of requests.
    Events,
    /// What Meta said of its limits.
    Calls,
}

impl Source {
    pub const ALL: [Self; 2] = [Self::Events, Self::Calls];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Events => "request_events",
            Self::Calls => "graph_calls",
        }
    }
}

/// How far a step came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// There is more that can be counted now.
    pub is_behind: bool,
    /// There are ids that can't be counted yet.
    pub is_awaiting: bool,
}

/// How long usage is kept: the page shows a day of it.
const USAGE_KEPT: Duration = Duration::days(2);

/// Counts up to `most` ids further.
pub async fn step(tx: &mut TenantTx, source: Source, most: i64, now: OffsetDateTime) -> sqlx::Result<Progress> {
    let partner = tx.partner().clone();
    sqlx::query!(
        "INSERT INTO insight_marks (partner_id, source, fenced_at, seen_at) VALUES ($1, $2, $3, $3) ON CONFLICT DO NOTHING",
        partner.as_str(),
        source.as_str(),
        now,
    )
    .execute(&mut **tx)
    .await?;
    let mark = sqlx::query!(
        "SELECT counted_id, fenced_id, fence, fenced_at, seen_id, seen_at FROM insight_marks
         WHERE partner_id = $1 AND source = $2 FOR UPDATE",
        partner.as_str(),
        source.as_str(),
    )
    .fetch_one(&mut **tx)
    .await?;
    // After the lock: what the holder before this one saw is in the past.
    let horizon = horizon(tx, source).await?;
    let (mut counted, mut fenced) = (mark.counted_id, mark.fenced_id);
    let mut fence = mark.fence;
    let (mut fenced_at, mut seen_id, mut seen_at) = (mark.fenced_at, mark.seen_id, mark.seen_at);
    if fence > horizon.own {
        // The rows were brought here from another cluster, whose transactions say nothing of this one's.
        fence = horizon.own;
    }
    let mut complete = None;
    if counted == fenced && fence <= horizon.oldest {
        // At the very first look nothing is fenced, and nothing is known to be complete.
        complete = (fenced > 0).then_some(fenced_at);
        (fenced, fence, fenced_at) = (seen_id, horizon.own, seen_at);
        (seen_id, seen_at) = (horizon.last_id, now);
    }
    let may_count = fence <= horizon.oldest;
    if may_count && counted < fenced {
        let until = fenced.min(counted + most);
        match source {
            Source::Events => count_events(tx, counted, until).await?,
            Source::Calls => count_calls(tx, counted, until, now - USAGE_KEPT).await?,
        }
        counted = until;
    }
    if may_count && counted == fenced && fenced > 0 {
        complete = Some(fenced_at);
    }
    sqlx::query!(
        "UPDATE insight_marks SET counted_id = $3, fenced_id = $4, fence = $5, fenced_at = $6, seen_id = $7, seen_at = $8,
            counted_at = coalesce($9, counted_at)
         WHERE partner_id = $1 AND source = $2",
        partner.as_str(),
        source.as_str(),
        counted,
        fenced,
        fence,
        fenced_at,
        seen_id,
        seen_at,
        complete,
    )
    .execute(&mut **tx)
    .await?;
    Ok(Progress { is_behind: may_count && counted < fenced, is_awaiting: counted < seen_id })
}

/// Where ids and transactions stand.
struct Horizon {
    last_id: i64,
    /// Transactions before it are over, but for this one.
    oldest: i64,
    /// This one's: whoever had a number before has a lower one.
    own: i64,
}

async fn horizon(tx: &mut TenantTx, source: Source) -> sqlx::Result<Horizon> {
    let last_id = match source {
        Source::Events => {
            sqlx::query_scalar!(
                r#"SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS "id!" FROM request_events_event_id_seq"#
            )
            .fetch_one(&mut **tx)
            .await?
        }
        Source::Calls => {
            sqlx::query_scalar!(
                r#"SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS "id!" FROM graph_calls_call_id_seq"#
            )
            .fetch_one(&mut **tx)
            .await?
        }
    };
    let row = sqlx::query!(
        r#"SELECT pg_current_xact_id()::text::bigint AS "own!",
            least(pg_snapshot_xmax(now)::text::bigint, (
                SELECT min(running::text::bigint) FROM pg_snapshot_xip(now) AS running
            )) AS "oldest!"
        FROM pg_current_snapshot() AS now"#
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(Horizon { last_id, oldest: row.oldest, own: row.own })
}

/// Facts that are alike are added up before anything is looked at twice; then each sum goes into four cells: for all, for its
/// solution, for its member, for both.
async fn count_events(tx: &mut TenantTx, after: i64, until: i64) -> sqlx::Result<()> {
    let partner = tx.partner().clone();
    sqlx::query!(
        r#"
        WITH told AS (
            SELECT e.state, e.cause, (e.at AT TIME ZONE 'UTC')::date AS error_day, (r.queued_at AT TIME ZONE 'UTC')::date AS day,
                date_trunc('hour', r.answered_at AT TIME ZONE 'UTC') AS answered_hour, r.solution_id, r.member_id,
                e.state IN ('accepted', 'ready') AND NOT EXISTS (
                    SELECT FROM request_events b
                    WHERE b.partner_id = $1 AND b.number = e.number AND b.event_id < e.event_id AND b.state IN ('accepted', 'ready')
                ) AS signs,
                CASE WHEN e.state IN ('accepted', 'ready') THEN wait_bucket(r.accepted_at - r.answered_at) END AS bucket
            FROM request_events e
            JOIN requests r ON r.number = e.number
            WHERE e.partner_id = $1 AND e.event_id > $2 AND e.event_id <= $3
        ), alike AS (
            SELECT state, cause, error_day, day, answered_hour, solution_id, member_id, signs, bucket, count(*) AS facts
            FROM told
            GROUP BY state, cause, error_day, day, answered_hour, solution_id, member_id, signs, bucket
        ), sliced AS MATERIALIZED (
            SELECT a.state, a.cause, a.error_day, a.day, a.answered_hour, a.signs, a.bucket, a.facts, slice.solution_id, slice.member_id
            FROM alike a
            CROSS JOIN LATERAL (
                VALUES ('*', 0), (coalesce(a.solution_id::text, ''), 0), ('*', a.member_id), (coalesce(a.solution_id::text, ''), a.member_id)
            ) AS slice (solution_id, member_id)
        ), days AS (
            INSERT INTO insight_days AS d
                (partner_id, solution_id, member_id, day, asked, requested, accepted, ready, failed, taken, cancelled)
            SELECT $1, solution_id, member_id, day,
                coalesce(sum(facts) FILTER (WHERE state = 'queued'), 0),
                -- Found signed when it was sent, it was never taken; it's as far as those that were.
                coalesce(sum(facts) FILTER (WHERE state IN ('requested', 'already_requested') OR (signs AND answered_hour IS NULL)), 0),
                coalesce(sum(facts) FILTER (WHERE signs), 0),
                coalesce(sum(facts) FILTER (WHERE state = 'ready'), 0),
                coalesce(sum(facts) FILTER (WHERE state = 'failed'), 0),
                coalesce(sum(facts) FILTER (WHERE state = 'taken_by_another_partner'), 0),
                coalesce(sum(facts) FILTER (WHERE state = 'cancelled'), 0)
            FROM sliced
            WHERE state <> 'waiting_to_retry'
            GROUP BY solution_id, member_id, day
            ON CONFLICT (partner_id, solution_id, member_id, day) DO UPDATE SET
                asked = d.asked + excluded.asked,
                requested = d.requested + excluded.requested,
                accepted = d.accepted + excluded.accepted,
                ready = d.ready + excluded.ready,
                failed = d.failed + excluded.failed,
                taken = d.taken + excluded.taken,
                cancelled = d.cancelled + excluded.cancelled
        ), waits AS (
            INSERT INTO insight_waits AS w (partner_id, solution_id, member_id, day, accepted)
            SELECT $1, solution_id, member_id, day, cells(bucket, facts)
            FROM sliced
            WHERE signs AND answered_hour IS NOT NULL
            GROUP BY solution_id, member_id, day
            ON CONFLICT (partner_id, solution_id, member_id, day) DO UPDATE SET accepted = added(w.accepted, excluded.accepted)
        ), waiting AS (
            INSERT INTO insight_waiting AS w (partner_id, solution_id, member_id, day, waiting)
            SELECT $1, solution_id, member_id, answered_hour::date,
                cells(extract(HOUR FROM answered_hour)::integer, CASE WHEN signs THEN -facts ELSE facts END)
            FROM sliced
            WHERE answered_hour IS NOT NULL AND (signs OR state IN ('requested', 'already_requested'))
            GROUP BY solution_id, member_id, answered_hour::date
            ON CONFLICT (partner_id, solution_id, member_id, day) DO UPDATE SET waiting = added(w.waiting, excluded.waiting)
        )
        INSERT INTO insight_errors AS f (partner_id, solution_id, member_id, day, cause, failed, put_off)
        SELECT $1, solution_id, member_id, error_day, cause, coalesce(sum(facts) FILTER (WHERE state = 'failed'), 0),
            coalesce(sum(facts) FILTER (WHERE state = 'waiting_to_retry'), 0)
        FROM sliced
        WHERE cause IS NOT NULL AND state IN ('failed', 'waiting_to_retry')
        GROUP BY solution_id, member_id, error_day, cause
        ON CONFLICT (partner_id, solution_id, member_id, day, cause) DO UPDATE SET
            failed = f.failed + excluded.failed, put_off = f.put_off + excluded.put_off
        "#,
        partner.as_str(),
        after,
        until,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// The headers are kept as they came, so numbers are picked out of them rather than read as JSON: a broken one must not stop the rest.
async fn count_calls(tx: &mut TenantTx, after: i64, until: i64, since: OffsetDateTime) -> sqlx::Result<()> {
    let partner = tx.partner().clone();
    sqlx::query!(
        r#"
        WITH told AS MATERIALIZED (
            -- Within five minutes most calls hear the same: each saying is read once.
            SELECT date_bin('5 minutes', started_at, 'epoch') AS at, app_usage, business_use_case_usage AS business_usage,
                count(*) FILTER (WHERE error_code IN (4, 17, 32, 341, 613) OR error_code BETWEEN 80000 AND 80014 OR http_status = 429) AS refused
            FROM graph_calls
            WHERE partner_id = $1 AND call_id > $2 AND call_id <= $3 AND started_at >= $4
            GROUP BY 1, 2, 3
        ), heard AS (
            SELECT at, refused, app.percent AS app, business.percent AS business, business.minutes
            FROM told
            CROSS JOIN LATERAL (
                SELECT max(found[1]::real) AS percent
                FROM regexp_matches(app_usage, '"(?:call_count|total_time|total_cputime)"\s*:\s*"?(\d{1,6}(?:\.\d{1,6})?)', 'g') AS found
            ) AS app
            CROSS JOIN LATERAL (
                SELECT max(found[2]::real) FILTER (WHERE found[1] <> 'estimated_time_to_regain_access') AS percent,
                    max(found[2]::real) FILTER (WHERE found[1] = 'estimated_time_to_regain_access') AS minutes
                FROM regexp_matches(business_usage,
                    '"(call_count|total_time|total_cputime|estimated_time_to_regain_access)"\s*:\s*"?(\d{1,6}(?:\.\d{1,6})?)', 'g') AS found
            ) AS business
            WHERE refused > 0 OR app_usage IS NOT NULL OR business_usage IS NOT NULL
        )
        INSERT INTO insight_usage AS u (partner_id, at, app_percent, business_percent, refused, wait_minutes)
        SELECT $1, at, max(app), max(business), sum(refused), nullif(ceil(max(minutes))::int, 0)
        FROM heard
        GROUP BY at
        ON CONFLICT (partner_id, at) DO UPDATE SET
            app_percent = greatest(u.app_percent, excluded.app_percent),
            business_percent = greatest(u.business_percent, excluded.business_percent),
            refused = u.refused + excluded.refused,
            wait_minutes = greatest(u.wait_minutes, excluded.wait_minutes)
        "#,
        partner.as_str(),
        after,
        until,
        since,
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!("DELETE FROM insight_usage WHERE partner_id = $1 AND at < $2", partner.as_str(), since)
        .execute(&mut **tx)
        .await
        .map(drop)
}
