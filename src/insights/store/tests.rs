//! The sums equal what one would count, however the counting went.

use rand::{RngExt, SeedableRng, rngs::StdRng};
use sqlx::{AssertSqlSafe, PgPool};
use time::{Duration, OffsetDateTime, macros::datetime};

use super::*;
use crate::{
    db::{Db, PartnerId},
    reconcile::pause,
};

const NOW: OffsetDateTime = datetime!(2026-11-24 10:00 UTC);

/// What one would count: name of the sums, and the same columns from the rows themselves.
const TRUTHS: [(&str, &str, &str); 4] = [
    (
        "insight_days",
        "solution_id, member_id, day, asked, requested, accepted, ready, failed, taken, cancelled",
        "SELECT solution, member, (queued_at AT TIME ZONE 'UTC')::date, count(*)::int,
            (count(*) FILTER (WHERE accepted_at IS NOT NULL OR state IN ('requested', 'already_requested')))::int,
            (count(*) FILTER (WHERE accepted_at IS NOT NULL))::int, (count(*) FILTER (WHERE ready_at IS NOT NULL))::int,
            (count(*) FILTER (WHERE state = 'failed'))::int, (count(*) FILTER (WHERE state = 'taken_by_another_partner'))::int,
            (count(*) FILTER (WHERE state = 'cancelled'))::int
         FROM sliced GROUP BY 1, 2, 3",
    ),
    (
        "insight_waits, unnest(accepted) WITH ORDINALITY AS cell (n, place)",
        "solution_id, member_id, day, (place - 1)::smallint, n",
        "SELECT solution, member, (queued_at AT TIME ZONE 'UTC')::date, wait_bucket(accepted_at - answered_at), count(*)::int
         FROM sliced WHERE accepted_at IS NOT NULL AND answered_at IS NOT NULL GROUP BY 1, 2, 3, 4",
    ),
    (
        "insight_waiting, unnest(waiting) WITH ORDINALITY AS cell (n, place)",
        "solution_id, member_id, day + make_interval(hours => (place - 1)::integer), n",
        "SELECT solution, member, date_trunc('hour', answered_at AT TIME ZONE 'UTC'), count(*)::int
         FROM sliced WHERE state IN ('requested', 'already_requested') AND answered_at IS NOT NULL GROUP BY 1, 2, 3",
    ),
    (
        "insight_errors",
        "solution_id, member_id, day, cause, failed, put_off",
        "SELECT solution, member, (e.at AT TIME ZONE 'UTC')::date, e.cause, (count(*) FILTER (WHERE e.state = 'failed'))::int,
            (count(*) FILTER (WHERE e.state = 'waiting_to_retry'))::int
         FROM sliced JOIN request_events e USING (number) WHERE e.state IN ('failed', 'waiting_to_retry') GROUP BY 1, 2, 3, 4",
    ),
];

struct House {
    db: Db,
    pool: PgPool,
    partner: PartnerId,
    members: Vec<i64>,
}

impl House {
    async fn build(pool: &PgPool, partner: &str) -> Self {
        let (db, id) = (Db::from_pool(pool.clone()), partner.parse::<PartnerId>().unwrap());
        let mut members = Vec::new();
        for person in 1..=3 {
            let member = sqlx::query_scalar!(
                "INSERT INTO members (partner_id, facebook_user_id, name, role, joined_at) VALUES ($1, $2, 'Ines', 'admin', $3)
                 RETURNING member_id",
                partner,
                format!("{partner}{person}"),
                NOW,
            )
            .fetch_one(pool)
            .await
            .unwrap();
            members.push(member);
        }
        Self { db, pool: pool.clone(), partner: id, members }
    }

    async fn tx(&self) -> TenantTx {
        self.db.tenant(&self.partner).await.unwrap()
    }

    /// A request that was asked for then, with its event.
    async fn ask(&self, solution: Option<&str>, member: i64, at: OffsetDateTime) -> i64 {
        sqlx::query_scalar!(
            r#"
            WITH batch AS (
                INSERT INTO batches (partner_id, member_id, started_at) VALUES ($1, $2, $4) RETURNING batch_number
            ), made AS (
                INSERT INTO requests (partner_id, batch_number, business_id, member_id, solution_id, state, queued_at, changed_at)
                SELECT $1, batch_number, batch_number::text, $2, $3, 'queued', $4, $4 FROM batch RETURNING number
            )
            INSERT INTO request_events (partner_id, number, at, state, attempt) SELECT $1, number, $4, 'queued', 0 FROM made
            RETURNING number
            "#,
            self.partner.as_str(),
            member,
            solution,
            at,
        )
        .fetch_one(&self.pool)
        .await
        .unwrap()
    }

    /// Moves a request as `onboarding` does.
    async fn move_to<'e>(
        &self,
        to: impl sqlx::PgExecutor<'e>,
        number: i64,
        state: &str,
        cause: Option<&str>,
        at: OffsetDateTime,
    ) {
        sqlx::query!(
            "WITH moved AS (
                UPDATE requests SET state = $3::text, cause = $4::text, changed_at = $5::timestamptz,
                    meta_request_id = coalesce(meta_request_id, number::text),
                    retry_at = CASE WHEN $3::text = 'waiting_to_retry' THEN $5::timestamptz END,
                    answered_at = CASE WHEN $3::text IN ('requested', 'already_requested', 'taken_by_another_partner') THEN $5::timestamptz ELSE answered_at END,
                    accepted_at = CASE WHEN $3::text IN ('accepted', 'ready') THEN coalesce(accepted_at, $5::timestamptz) END,
                    ready_at = CASE WHEN $3::text = 'ready' THEN $5::timestamptz END,
                    failed_at = CASE WHEN $3::text = 'failed' THEN $5::timestamptz END,
                    cancelled_at = CASE WHEN $3::text = 'cancelled' THEN $5::timestamptz END
                WHERE number = $2 RETURNING number
            )
            INSERT INTO request_events (partner_id, number, at, state, attempt, cause) SELECT $1, number, $5::timestamptz, $3::text, 1, $4::text FROM moved",
            self.partner.as_str(),
            number,
            state,
            cause,
            at,
        )
        .execute(to)
        .await
        .unwrap();
    }

    async fn step(&self, source: Source, most: i64) -> count::Progress {
        let mut tx = self.tx().await;
        let progress = step(&mut tx, source, most, NOW).await.unwrap();
        tx.commit().await.unwrap();
        progress
    }

    /// Counts until nothing is left. Other tests' transactions in the same cluster are waited for, too.
    async fn count_all(&self, source: Source, most: i64) {
        for _ in 0..2_000 {
            let progress = self.step(source, most).await;
            if !progress.is_awaiting {
                return;
            }
            if !progress.is_behind {
                pause(std::time::Duration::from_millis(10)).await;
            }
        }
        panic!("the counting does not end");
    }

    /// What the sums say and the rows don't, and the other way round.
    async fn assert_true(&self, told: &str) {
        for (table, columns, truth) in TRUTHS {
            let nothing = if table.contains("cell") { " AND n <> 0" } else { "" };
            let sums = format!("SELECT {columns} FROM {table} WHERE partner_id = '{}'{nothing}", self.partner);
            let truth = format!(
                "WITH sliced AS (
                    SELECT r.*, slice.solution, slice.member FROM requests r CROSS JOIN LATERAL (
                        VALUES ('*', 0), (coalesce(r.solution_id::text, ''), 0), ('*', r.member_id), (coalesce(r.solution_id::text, ''), r.member_id)
                    ) AS slice (solution, member) WHERE r.partner_id = '{}'
                ) {truth}",
                self.partner
            );
            for (one, other) in [(&sums, &truth), (&truth, &sums)] {
                let wrong: Vec<String> = sqlx::query_scalar(AssertSqlSafe(format!(
                    "SELECT wrong::text FROM ((SELECT * FROM ({one}) AS one) EXCEPT (SELECT * FROM ({other}) AS other)) AS wrong"
                )))
                .fetch_all(&self.pool)
                .await
                .unwrap();
                assert!(wrong.is_empty(), "{told}, {table}: {wrong:?}");
            }
        }
    }
}

/// Some legal next move of a request in that state.
fn next(random: &mut StdRng, state: &str) -> Option<(&'static str, Option<&'static str>)> {
    let causes = ["access_denied", "throttled", "temporary", "token_invalid", "obo_conflict"];
    let cause = Some(causes[random.random_range(0..causes.len())]);
    let choices = match state {
        "queued" | "waiting_to_retry" => vec![
            ("requested", None),
            ("requested", None),
            ("already_requested", None),
            ("taken_by_another_partner", None),
            ("accepted", None),
            ("failed", cause),
            ("waiting_to_retry", cause),
            ("cancelled", None),
        ],
        "requested" | "already_requested" => vec![("accepted", None), ("ready", None)],
        "accepted" => vec![("ready", None)],
        _ => return None,
    };
    Some(choices[random.random_range(0..choices.len())])
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn the_sums_equal_what_one_would_count_in_any_history_in_any_steps_and_after_crashes(pool: PgPool) {
    for seed in 1..=4_u64 {
        let mut random = StdRng::seed_from_u64(seed);
        let house = House::build(&pool, &format!("70{seed}")).await;
        let solutions = [None, Some("77"), Some("88")];
        let mut requests: Vec<(i64, &str)> = Vec::new();
        let mut at = NOW - Duration::days(80);
        for _ in 0..250 {
            at += Duration::minutes(random.random_range(0..900));
            if requests.is_empty() || random.random_bool(0.3) {
                let solution = solutions[random.random_range(0..solutions.len())];
                let member = house.members[random.random_range(0..house.members.len())];
                requests.push((house.ask(solution, member, at).await, "queued"));
            } else {
                let nth = random.random_range(0..requests.len());
                let (number, state) = requests[nth];
                if let Some((state, cause)) = next(&mut random, state) {
                    house.move_to(&house.pool, number, state, cause, at).await;
                    requests[nth].1 = state;
                }
            }
            match random.random_range(0..6) {
                0 => drop(house.step(Source::Events, random.random_range(1..40)).await),
                1 => {
                    let mut tx = house.tx().await;
                    step(&mut tx, Source::Events, random.random_range(1..40), NOW).await.unwrap();
                    // Never committed, as when the process ends here.
                    drop(tx);
                }
                _ => {}
            }
        }
        house.count_all(Source::Events, random.random_range(1..60)).await;
        house.assert_true(&format!("seed {seed}, step by step")).await;
        house.count_all(Source::Events, 1_000).await;
        house.assert_true(&format!("seed {seed}, once more")).await;
        sqlx::query("CALL recount_insights($1)").bind(house.partner.as_str()).execute(&pool).await.unwrap();
        let days: i64 = sqlx::query_scalar("SELECT count(*) FROM insight_days WHERE partner_id = $1")
            .bind(house.partner.as_str())
            .fetch_one(&pool)
            .await
            .unwrap();
        assert_eq!(days, 0, "forgotten");
        house.count_all(Source::Events, 10_000).await;
        house.assert_true(&format!("seed {seed}, counted anew")).await;
    }
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn what_is_committed_late_is_counted_all_the_same(pool: PgPool) {
    let house = House::build(&pool, "70").await;
    let member = house.members[0];
    let first = house.ask(None, member, NOW).await;
    let second = house.ask(None, member, NOW).await;
    let mut late = pool.begin().await.unwrap();
    house.move_to(&mut *late, first, "requested", None, NOW).await;
    house.move_to(&pool, second, "requested", None, NOW).await;
    let last: i64 = sqlx::query_scalar("SELECT max(event_id) FROM request_events").fetch_one(&pool).await.unwrap();
    for _ in 0..10 {
        assert!(house.step(Source::Events, 100).await.is_awaiting, "something runs that may have an id below");
    }
    let counted: i64 = sqlx::query_scalar("SELECT counted_id FROM insight_marks WHERE source = 'request_events'")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert!(counted < last - 1, "{counted} of {last}: the row that isn't there yet was passed over");
    late.commit().await.unwrap();
    house.count_all(Source::Events, 100).await;
    house.assert_true("after the late commit").await;
    // What is rolled back leaves a gap that nobody waits for.
    let mut undone = pool.begin().await.unwrap();
    house.move_to(&mut *undone, first, "accepted", None, NOW).await;
    undone.rollback().await.unwrap();
    house.move_to(&pool, second, "accepted", None, NOW + Duration::HOUR).await;
    house.count_all(Source::Events, 100).await;
    house.assert_true("after the rollback").await;
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn nothing_is_called_complete_before_the_first_count_is_over(pool: PgPool) {
    let house = House::build(&pool, "70").await;
    for _ in 0..5 {
        house.ask(None, house.members[0], NOW).await;
    }
    let mut looks = 0;
    loop {
        let progress = house.step(Source::Events, 1).await;
        let standing = standing(&mut house.tx().await).await.unwrap();
        assert!(standing.counted_at.is_none() || standing.share == (5, 5), "look {looks}: {standing:?}");
        looks += 1;
        if !progress.is_awaiting {
            assert_eq!(standing.counted_at, Some(NOW));
            break;
        }
        if !progress.is_behind {
            pause(std::time::Duration::from_millis(10)).await;
        }
        assert!(looks < 2_000, "the counting does not end");
    }
    assert!(looks >= 5);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_fence_of_another_cluster_holds_nothing_up(pool: PgPool) {
    let house = House::build(&pool, "70").await;
    house.ask(None, house.members[0], NOW).await;
    house.step(Source::Events, 100).await;
    sqlx::query("UPDATE insight_marks SET fence = 9000000000000000, fenced_id = 1").execute(&pool).await.unwrap();
    house.count_all(Source::Events, 100).await;
    house.assert_true("restored elsewhere").await;
}

async fn call(house: &House, at: OffsetDateTime, app: Option<&str>, business: Option<&str>, code: Option<i64>) {
    sqlx::query!(
        "INSERT INTO graph_calls (partner_id, operation, method, path, query, graph_version, app_id, started_at, duration_ms, body,
            app_usage, business_use_case_usage, error_code)
         VALUES ($1, 'x', 'GET', '/', '', 'v25.0', '1', $2, 1, '', $3, $4, $5)",
        house.partner.as_str(),
        at,
        app,
        business,
        code,
    )
    .execute(&house.pool)
    .await
    .unwrap();
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn usage_is_the_highest_of_five_minutes_and_broken_headers_stop_nothing(pool: PgPool) {
    let house = House::build(&pool, "70").await;
    let business = r#"{"1":[{"type":"x","call_count":62,"total_cputime":"25.5","total_time":3,"estimated_time_to_regain_access":0}]}"#;
    let full = r#"{"1":[{"call_count":100,"estimated_time_to_regain_access":4}],"2":[{"call_count":7,"estimated_time_to_regain_access":19}]}"#;
    call(&house, NOW - Duration::days(3), Some(r#"{"call_count":99}"#), None, None).await;
    call(&house, NOW, Some(r#"{"call_count":28,"total_time":25.5,"total_cputime":"30"}"#), Some(business), None).await;
    call(&house, NOW + Duration::minutes(4), Some("{broken"), Some(r#"{"call_count":NaN}"#), None).await;
    call(&house, NOW + Duration::minutes(5), None, Some(full), Some(80_008)).await;
    call(&house, NOW + Duration::minutes(9), None, None, Some(4)).await;
    call(&house, NOW + Duration::minutes(11), None, None, Some(100)).await;
    let other = House::build(&pool, "71").await;
    call(&other, NOW, Some(r#"{"call_count":77}"#), None, None).await;
    house.count_all(Source::Calls, 2).await;
    let kept = usage(&mut house.tx().await, NOW - Duration::days(9)).await.unwrap();
    let expected = [
        Usage { at: NOW, app: Some(30.0), business: Some(62.0), refused: 0, wait_minutes: None },
        Usage { at: NOW + Duration::minutes(5), app: None, business: Some(100.0), refused: 2, wait_minutes: Some(19) },
    ];
    assert_eq!(kept, expected);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_slice_is_of_one_partner_one_solution_and_one_member(pool: PgPool) {
    let (house, other) = (House::build(&pool, "70").await, House::build(&pool, "71").await);
    let day = NOW.date();
    for (solution, member) in [(Some("77"), 0), (Some("77"), 1), (None, 1)] {
        let number = house.ask(solution, house.members[member], NOW).await;
        house.move_to(&pool, number, "requested", None, NOW).await;
    }
    other.ask(Some("77"), other.members[0], NOW).await;
    house.count_all(Source::Events, 100).await;
    other.count_all(Source::Events, 100).await;
    for (solution, member, expected) in [
        ("*", 0, 3),
        ("77", 0, 2),
        ("", 0, 1),
        ("*", house.members[1], 2),
        ("77", house.members[1], 1),
        ("88", 0, 0),
        ("*", other.members[0], 0),
    ] {
        let slice = Slice { solution: solution.to_owned(), member, from: day, to: day };
        let days = days(&mut house.tx().await, &slice).await.unwrap();
        assert_eq!(days.iter().map(|(_, counts)| counts.requested).sum::<u64>(), expected, "{solution} {member}");
    }
    let all = Slice { solution: "*".to_owned(), member: 0, from: day, to: day };
    let by_solution = groups(&mut house.tx().await, &all, By::Solution).await.unwrap();
    let named: Vec<_> = by_solution.iter().map(|group| (group.name.as_str(), group.counts.requested)).collect();
    assert_eq!(named, [("77", 2), ("No solution", 1)]);
    let by_manager = groups(&mut house.tx().await, &all, By::Manager).await.unwrap();
    assert_eq!(by_manager.iter().map(|group| group.counts.requested).collect::<Vec<_>>(), [2, 1]);
    let stalled = waiting_since(&mut house.tx().await, &all, NOW + Duration::HOUR).await.unwrap();
    assert_eq!((stalled, waiting_since(&mut house.tx().await, &all, NOW).await.unwrap()), (3, 0));
}

/// What the name says of buckets in Rust and in the database is one thing.
#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_wait_falls_into_the_bucket_that_begins_before_it(pool: PgPool) {
    for hours in (0..400).chain([1_439, 1_440, 5_000]) {
        let bucket: i16 = sqlx::query_scalar("SELECT wait_bucket($1 * interval '1 hour')")
            .bind(f64::from(hours) + 0.5)
            .fetch_one(&pool)
            .await
            .unwrap();
        let waits = Waits::new([(usize::try_from(bucket).unwrap(), 1)]);
        let within = waits.within(100).unwrap();
        let at = f64::from(hours);
        assert!(within > at || hours >= 1_440, "{hours} h ended by {within}");
        assert!(
            within
                <= at
                    + if hours < 72 {
                        1.0
                    } else if hours < 336 {
                        6.0
                    } else {
                        24.0
                    },
            "{hours} h: {within}"
        );
    }
}
