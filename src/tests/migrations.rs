//! Every migration is applied to a database that has rows.

use std::borrow::Cow;

use liteboard::db::MIGRATOR;
use sqlx::{PgPool, migrate::Migrator, raw_sql};

/// Rows that a database may hold once the migration of that number is applied.
const SAMPLES: &[(i64, &str)] = &[
    (20_261_122_000_001, ""),
    (20_261_122_000_002, include_str!("migrations/2_sessions.sql")),
    (20_261_122_000_003, include_str!("migrations/3_members.sql")),
    (20_261_122_000_004, include_str!("migrations/4_businesses.sql")),
    (20_261_122_000_005, include_str!("migrations/5_solutions.sql")),
    (20_261_122_000_006, include_str!("migrations/6_requests.sql")),
    (20_261_122_000_007, include_str!("migrations/7_graph_calls.sql")),
    (20_261_122_000_008, ""),
    (20_261_124_000_001, include_str!("migrations/8_business_words.sql")),
    (20_261_124_000_002, include_str!("migrations/9_batches.sql")),
    (20_261_124_000_003, include_str!("migrations/10_system_user_tokens.sql")),
    (20_261_124_000_010, ""),
    (20_261_124_000_011, include_str!("migrations/11_drafts.sql")),
    (20_261_124_000_030, ""),
    (20_261_125_000_001, ""),
    (20_261_125_000_010, include_str!("migrations/10_webhooks.sql")),
    (20_261_125_000_011, include_str!("migrations/11_told_events.sql")),
    (20_261_125_000_012, ""),
    (20_261_125_000_020, include_str!("migrations/20_assignment.sql")),
    (20_261_125_000_021, include_str!("migrations/21_notes.sql")),
    (20_261_125_000_022, include_str!("migrations/22_polls.sql")),
    (20_261_125_000_023, include_str!("migrations/23_request_status.sql")),
    (20_261_125_000_030, include_str!("migrations/12_failure_groups.sql")),
    (20_261_125_000_031, include_str!("migrations/13_look_ups.sql")),
    (20_261_125_000_032, include_str!("migrations/14_raw_answers.sql")),
    (20_261_125_000_040, ""),
    (20_261_125_000_041, include_str!("migrations/41_saved_views.sql")),
    (20_261_125_000_050, include_str!("migrations/50_team.sql")),
    (20_261_125_000_051, include_str!("migrations/51_sessions_of_members.sql")),
    (20_261_125_000_060, include_str!("migrations/insights.sql")),
    (20_261_130_000_200, ""),
    (20_261_130_000_201, include_str!("migrations/201_ended_sessions.sql")),
    (20_261_130_000_202, ""),
    (20_261_130_000_300, ""),
    (20_261_130_000_301, ""),
    (20_261_130_000_302, ""),
    (20_261_130_000_400, ""),
    (20_261_130_000_401, ""),
    (20_261_130_000_500, ""),
    (20_261_130_000_501, include_str!("migrations/501_insight_cells.sql")),
    (20_261_130_000_600, ""),
    (20_261_130_000_601, include_str!("migrations/601_name_words.sql")),
    (20_261_130_000_602, ""),
    (20_261_130_000_700, ""),
    (20_261_130_000_800, ""),
    (20_261_130_000_801, ""),
    (20_261_130_000_802, ""),
    (20_261_201_000_100, ""),
    (20_261_201_000_200, ""),
    (20_261_201_000_300, ""),
];

#[sqlx::test(migrations = false)]
async fn every_migration_goes_over_a_database_with_rows(pool: PgPool) {
    let all: Vec<_> = MIGRATOR.iter().cloned().collect();
    for count in 1..=all.len() {
        let version = all[count - 1].version;
        let until = Migrator { migrations: Cow::Owned(all[..count].to_vec()), ..Migrator::DEFAULT };
        until.run(&pool).await.unwrap_or_else(|error| panic!("migration {version}: {error}"));
        let sample = SAMPLES.iter().find(|(of, _)| *of == version).map(|(_, rows)| *rows);
        let rows = sample.unwrap_or_else(|| panic!("migration {version} has no sample rows in src/tests/migrations/"));
        raw_sql(rows).execute(&pool).await.unwrap_or_else(|error| panic!("rows after {version}: {error}"));
    }
    let kept = sqlx::query_scalar!("SELECT count(*) AS \"count!\" FROM requests").fetch_one(&pool).await.unwrap();
    assert!(kept > 0, "the rows are still there");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn every_tenant_table_has_its_wall_and_every_column_a_comment(pool: PgPool) {
    let open = sqlx::query_scalar!(
        r#"
        SELECT c.relname::text AS "name!"
        FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'partner_id' AND NOT a.attisdropped
        WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
          AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
        "#
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert!(open.is_empty(), "no wall round {open:?}");
    let silent = sqlx::query_scalar!(
        r#"
        SELECT (c.relname || '.' || a.attname)::text AS "name!"
        FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND c.relname <> '_sqlx_migrations'
          AND col_description(c.oid, a.attnum) IS NULL
        ORDER BY 1
        "#
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let silent: Vec<_> = silent.into_iter().filter(|name| !name.ends_with(".partner_id")).collect();
    assert!(silent.is_empty(), "columns without a comment: {silent:?}");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn without_a_partner_every_tenant_table_is_empty(pool: PgPool) {
    raw_sql(include_str!("migrations/3_members.sql")).execute(&pool).await.unwrap();
    let mut tx = pool.begin_with("BEGIN; SET LOCAL ROLE liteboard_tenant").await.unwrap();
    let seen = sqlx::query_scalar!("SELECT count(*) AS \"count!\" FROM members").fetch_one(&mut *tx).await.unwrap();
    assert_eq!(seen, 0);
}
