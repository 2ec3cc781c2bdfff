//! What holds of the store and of applying, on a real Postgres.

pub mod fixtures;

use futures::future::{join, join_all};
use proptest::{
    prelude::*,
    strategy::{Strategy, ValueTree as _},
    test_runner::TestRunner,
};
use sqlx::{PgPool, raw_sql};
use time::{OffsetDateTime, macros::datetime};

use super::{
    read::{Arrival, read},
    reconcile::{Apply, Reconsider},
    store,
};
use crate::{
    clock::Clock,
    db::{Db, PartnerId, until_somebody_waits},
    onboarding::Follow,
    reconcile::{CancellationToken, Reconciler as _},
};

const NOON: OffsetDateTime = datetime!(2026-11-25 12:00 UTC);

/// Businesses B1 (two WABAs, a request that waits) and B2 (one WABA), and a solution, for a partner.
const WORLD: &str = "
    SELECT set_config('test.partner', '{partner}', false);
    INSERT INTO partners (partner_id, name, first_seen_at) VALUES ('{partner}', 'P', '2026-11-20Z');
    INSERT INTO businesses (partner_id, business_id, name, name_key, words, meta_status, meta_status_since, checked_at, first_seen_at)
    SELECT '{partner}', id, id, id, '', 'NOT_STARTED', '2026-11-20Z', '2026-11-20Z', '2026-11-20Z' FROM unnest(ARRAY['101', '102']) AS id;
    WITH sync AS (
        INSERT INTO syncs (partner_id, asked_at, started_at, finished_at) VALUES ('{partner}', '2026-11-20Z', '2026-11-20Z', '2026-11-20Z')
        RETURNING sync_id
    )
    INSERT INTO wabas (partner_id, waba_id, business_id, name, link, eligibility, first_seen_at, changed_at, sync_id)
    SELECT '{partner}', w, b, w, 'shared', 'ELIGIBLE', '2026-11-20Z', '2026-11-20Z', sync_id
    FROM sync, (VALUES ('201', '101'), ('202', '101'), ('203', '102')) AS given (w, b);
    INSERT INTO solutions (partner_id, solution_id, name, status, role, seen_at) VALUES ('{partner}', '301', 'S', 'INITIATED', 'owner', '2026-11-20Z');
    WITH member AS (
        INSERT INTO members (partner_id, facebook_user_id, name, role, joined_at) VALUES ('{partner}', '401', 'M', 'admin', '2026-11-20Z') RETURNING member_id
    ), batch AS (
        INSERT INTO batches (partner_id, member_id, started_at) SELECT '{partner}', member_id, '2026-11-21Z' FROM member RETURNING batch_number, member_id
    )
    INSERT INTO requests (partner_id, batch_number, business_id, member_id, state, attempts, meta_request_id, queued_at, answered_at, changed_at)
    SELECT '{partner}', batch_number, '101', member_id, 'requested', 1, '501', '2026-11-21Z', '2026-11-21Z', '2026-11-21Z' FROM batch";

async fn seed(pool: &PgPool, partner: &str) {
    raw_sql(sqlx::AssertSqlSafe(WORLD.replace("{partner}", partner))).execute(pool).await.unwrap();
}

fn told(entry: &str, minute: i64, event: &str, business: &str, waba: &str) -> String {
    let at = NOON.unix_timestamp() + 60 * minute;
    format!(
        r#"{{"entry":[{{"id":"{entry}","time":{at},"changes":[{{"field":"account_update","value":{{"event":"{event}","waba_info":{{"owner_business_id":"{business}","waba_id":"{waba}"}}}}}}]}}]}}"#
    )
}

fn of_waba(waba: &str, minute: i64, event: &str) -> String {
    let at = NOON.unix_timestamp() + 60 * minute;
    format!(
        r#"{{"entry":[{{"id":"{waba}","time":{at},"changes":[{{"field":"account_update","value":{{"event":"{event}"}}}}]}}]}}"#
    )
}

fn of_solution(entry: &str, minute: i64, status: &str) -> String {
    let at = NOON.unix_timestamp() + 60 * minute;
    format!(
        r#"{{"entry":[{{"id":"{entry}","time":{at},"changes":[{{"field":"partner_solutions","value":{{"event":"SOLUTION_UPDATED","solution_id":"301","solution_status":"{status}"}}}}]}}]}}"#
    )
}

/// Everything that can be told in this world, some of it taken back later.
fn everything(partner: &str) -> Vec<String> {
    vec![
        told(partner, 12, "MM_LITE_TERMS_SIGNED", "101", "201"),
        told(partner, 10, "MM_LITE_TERMS_SIGNED", "101", "202"),
        told(partner, 30, "MM_LITE_TERMS_SIGNED", "102", "203"),
        told(partner, 10, "MM_LITE_TERMS_SIGNED", "109", "209"),
        told(partner, 20, "PARTNER_REMOVED", "101", "201"),
        told(partner, 25, "PARTNER_ADDED", "101", "201"),
        told(partner, 35, "PARTNER_ADDED", "102", "203"),
        told(partner, 32, "PARTNER_REMOVED", "102", "203"),
        told(partner, 40, "PARTNER_REMOVED", "102", "203"),
        told(partner, 15, "PARTNER_APP_INSTALLED", "101", "201"),
        told(partner, 15, "FROM_THE_FUTURE", "101", "201"),
        of_waba("202", 45, "DISABLED_UPDATE"),
        of_waba("202", 50, "ACCOUNT_DELETED"),
        of_waba("299", 50, "ACCOUNT_DELETED"),
        of_solution(partner, 10, "ACTIVE"),
        of_solution(partner, 20, "PENDING_DEACTIVATION"),
        of_solution(partner, 20, "DEACTIVATED"),
    ]
}

async fn keep(db: &Db, partner: &str, bodies: &[&String]) {
    let changes: Vec<Arrival> = bodies.iter().flat_map(|body| read(body.as_bytes()).unwrap()).collect();
    store::keep(db, &[partner.to_owned()], &changes.iter().collect::<Vec<_>>(), NOON).await.unwrap();
}

async fn apply(db: &Db, partner: &str) {
    let partner: PartnerId = partner.parse().unwrap();
    let (clock, stop) = (Clock::standing_at(NOON), CancellationToken::new());
    Apply::new(db.clone(), clock.clone()).reconcile(&partner, &stop).await.unwrap();
    Follow::new(db.clone(), clock).reconcile(&partner, &stop).await.unwrap();
}

/// All that a webhook may move, one line each.
async fn state(pool: &PgPool, partner: &str) -> Vec<String> {
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT jsonb_build_object('b', business_id, 'status', meta_status, 'since', meta_status_since, 'date', meta_status_date,
                'standing', standing, 'left', left_at, 'wabas', wabas)::text FROM businesses WHERE partner_id = $1
        UNION ALL SELECT jsonb_build_object('w', waba_id, 'gone', gone_at)::text FROM wabas WHERE partner_id = $1
        UNION ALL SELECT jsonb_build_object('s', solution_id, 'status', status)::text FROM solutions WHERE partner_id = $1
        UNION ALL SELECT jsonb_build_object('r', business_id, 'state', state)::text FROM requests WHERE partner_id = $1
        UNION ALL SELECT jsonb_build_object('told', business_id, 'w', waba_id, 'detail', detail, 'at', at)::text FROM business_events
            WHERE partner_id = $1 AND kind = 'told'
        UNION ALL SELECT jsonb_build_object('kept', event, 'entry', CASE WHEN entry_id <> partner_id THEN entry_id END, 'at', sent_at)::text
            FROM webhook_changes WHERE partner_id = $1
        ORDER BY 1",
    )
    .bind(partner)
    .fetch_all(pool)
    .await
    .unwrap();
    rows
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn whatever_the_order_and_however_often_the_same_is_left(pool: PgPool) {
    let db = Db::from_pool(pool.clone());
    seed(&pool, "9000").await;
    keep(&db, "9000", &everything("9000").iter().collect::<Vec<_>>()).await;
    apply(&db, "9000").await;
    let expected = state(&pool, "9000").await;
    let holds = |part: &str| expected.iter().any(|line| line.contains(part));
    assert!(holds(r#""r": "101", "state": "accepted""#), "{expected:#?}");
    assert!(holds(r#""s": "301", "status": "PENDING_DEACTIVATION""#), "{expected:#?}");
    assert!(
        holds(r#""w": "201", "gone": null"#) && holds(r#""w": "203", "gone": "2026-11-25T12:40:00+00:00""#),
        "{expected:#?}"
    );

    let count = everything("").len();
    let ten_times: Vec<usize> = (0..count).flat_map(|place| [place; 10]).collect();
    let orders = (Just(ten_times).prop_shuffle(), prop::collection::vec(1_usize..30, 40));
    let mut runner = TestRunner::default();
    for case in 0..16 {
        let partner = format!("{}", 9_001 + case);
        let (order, sizes) = orders.new_tree(&mut runner).unwrap().current();
        seed(&pool, &partner).await;
        let bodies = everything(&partner);
        let mut rest = order.as_slice();
        for size in sizes.iter().cycle() {
            let (now, later) = rest.split_at((*size).min(rest.len()));
            keep(&db, &partner, &now.iter().map(|place| &bodies[*place]).collect::<Vec<_>>()).await;
            apply(&db, &partner).await;
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        assert_eq!(state(&pool, &partner).await, expected, "{order:?} in steps of {sizes:?}");
    }
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn the_timeline_says_of_each_change_that_a_webhook_told(pool: PgPool) {
    let db = Db::from_pool(pool.clone());
    seed(&pool, "9000").await;
    for (minute, event) in [(32, "PARTNER_REMOVED"), (35, "PARTNER_ADDED")] {
        keep(&db, "9000", &[&told("9000", minute, event, "102", "203")]).await;
        apply(&db, "9000").await;
    }
    let lines: Vec<(String, Option<String>)> =
        sqlx::query_as("SELECT kind, heard_from FROM business_events ORDER BY event_id")
            .fetch_all(&pool)
            .await
            .unwrap();
    let kinds: Vec<&str> = lines.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["left", "told", "returned", "told"]);
    assert!(lines.iter().all(|(_, heard_from)| heard_from.as_deref() == Some("webhook")), "{lines:?}");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn what_a_sync_saw_later_is_not_undone(pool: PgPool) {
    let db = Db::from_pool(pool.clone());
    seed(&pool, "9000").await;
    raw_sql("UPDATE syncs SET started_at = '2026-11-25 13:00Z', finished_at = '2026-11-25 13:01Z'; UPDATE solutions SET seen_at = '2026-11-25 13:00Z'")
        .execute(&pool)
        .await
        .unwrap();
    let before = state(&pool, "9000").await;
    keep(&db, "9000", &[&told("9000", 20, "PARTNER_REMOVED", "101", "201"), &of_solution("9000", 20, "REJECTED")])
        .await;
    apply(&db, "9000").await;
    let after = state(&pool, "9000").await;
    let mut kept = before.iter().filter(|line| line.starts_with("{\"w\"") || line.starts_with("{\"s\""));
    assert!(kept.all(|line| after.contains(line)), "{after:#?}");
    let outcomes: Vec<Option<String>> =
        sqlx::query_scalar("SELECT outcome FROM webhook_changes ORDER BY event").fetch_all(&pool).await.unwrap();
    assert_eq!(outcomes, [Some("outdated".to_owned()), Some("no_effect".to_owned())]);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_waba_that_a_sync_touched_meanwhile_goes_all_the_same(pool: PgPool) {
    let db = Db::from_pool(pool.clone());
    seed(&pool, "9000").await;
    keep(&db, "9000", &[&told("9000", 20, "PARTNER_REMOVED", "101", "201")]).await;
    let mut sync = db.tenant(&"9000".parse().unwrap()).await.unwrap();
    sqlx::query("UPDATE wabas SET country = 'PT' WHERE waba_id = '201'").execute(&mut *sync).await.unwrap();
    let touches = async {
        until_somebody_waits(&pool).await;
        sync.commit().await.unwrap();
    };
    join(apply(&db, "9000"), touches).await;
    let after = state(&pool, "9000").await;
    let gone = r#""w": "201", "gone": "2026-11-25T12:20:00+00:00""#;
    assert!(after.iter().any(|line| line.contains(gone)), "{after:#?}");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn what_is_told_of_a_waba_that_is_gone_is_kept_and_brings_nothing_back(pool: PgPool) {
    let db = Db::from_pool(pool.clone());
    seed(&pool, "9000").await;
    keep(&db, "9000", &[&told("9000", 20, "PARTNER_REMOVED", "102", "203")]).await;
    apply(&db, "9000").await;
    let late = [
        told("9000", 10, "PARTNER_ADDED", "102", "203"),
        told("9000", 30, "MM_LITE_TERMS_SIGNED", "102", "203"),
        told("9000", 31, "PARTNER_APP_INSTALLED", "102", "203"),
        of_waba("203", 32, "DISABLED_UPDATE"),
        told("8999", 33, "MM_LITE_TERMS_SIGNED", "102", "203"),
    ];
    keep(&db, "9000", &late.iter().collect::<Vec<_>>()).await;
    apply(&db, "9000").await;
    let after = state(&pool, "9000").await;
    let holds = |part: &str| after.iter().any(|line| line.contains(part));
    assert!(holds(r#""w": "203", "gone": "2026-11-25T12:20:00+00:00""#), "{after:#?}");
    assert!(after.iter().any(|line| line.contains(r#""b": "102""#) && !line.contains(r#""left": null"#)), "{after:#?}");
    for event in ["MM_LITE_TERMS_SIGNED", "PARTNER_APP_INSTALLED", "DISABLED_UPDATE"] {
        assert!(holds(&format!(r#""told": "102", "detail": "{event}""#)), "{event}: {after:#?}");
    }
    let kept: Vec<(Option<String>, Option<String>)> = sqlx::query_as(
        "SELECT partner_id::text, outcome FROM webhook_changes ORDER BY partner_id NULLS LAST, change_id",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert!(
        kept[..5].iter().all(|(partner, outcome)| partner.is_some() && outcome.as_deref() == Some("applied")),
        "{kept:?}"
    );
    assert_eq!(kept[5], (None, None), "a partner that isn't here");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn what_one_process_takes_up_no_other_does(pool: PgPool) {
    let db = Db::from_pool(pool.clone());
    seed(&pool, "9000").await;
    keep(&db, "9000", &[&of_waba("202", 45, "DISABLED_UPDATE")]).await;
    let mut one = db.tenant(&"9000".parse().unwrap()).await.unwrap();
    let mut other = db.tenant(&"9000".parse().unwrap()).await.unwrap();
    assert_eq!(store::take_fresh(&mut one, 10).await.unwrap().len(), 1);
    assert!(store::take_fresh(&mut other, 10).await.unwrap().is_empty());
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn every_printed_payload_is_kept_once_however_often_it_comes(pool: PgPool) {
    let db = Db::from_pool(pool.clone());
    let bodies: Vec<String> = fixtures::PRINTED.iter().map(|printed| printed.body.to_owned()).collect();
    let all: Vec<&String> = bodies.iter().chain(&bodies).collect();
    join_all((0..4).map(|_| keep(&db, "2949482758682047", &all))).await;
    let rows: Vec<(Option<String>, i64)> =
        sqlx::query_as("SELECT partner_id::text, count(*) FROM webhook_changes GROUP BY 1 ORDER BY 1")
            .fetch_all(&pool)
            .await
            .unwrap();
    assert_eq!(rows, [(Some("2949482758682047".to_owned()), 5), (None, 2)]);
    apply(&db, "2949482758682047").await;
    let mut waiting: Vec<String> =
        sqlx::query_scalar("SELECT outcome FROM webhook_changes WHERE partner_id IS NOT NULL")
            .fetch_all(&pool)
            .await
            .unwrap();
    waiting.dedup();
    assert_eq!(waiting, ["waits_for_business"]);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_change_about_a_waba_goes_to_each_partner_who_knows_it_and_to_no_other(pool: PgPool) {
    let db = Db::from_pool(pool.clone());
    for partner in ["9000", "9001"] {
        seed(&pool, partner).await;
    }
    let changes = read(of_waba("201", 1, "DISABLED_UPDATE").as_bytes()).unwrap();
    let partners = ["9000", "9001", "9002"].map(str::to_owned);
    for _ in 0..2 {
        store::keep(&db, &partners, &changes.iter().collect::<Vec<_>>(), NOON).await.unwrap();
    }
    for (partner, seen) in [("9000", 1), ("9001", 1), ("9002", 0)] {
        let mut tx = db.tenant(&partner.parse().unwrap()).await.unwrap();
        let recent = store::recent(&mut tx, None, 10).await.unwrap();
        assert_eq!(recent.len(), seen, "{partner}");
        assert!(recent.iter().all(|change| change.business_id.as_ref().is_some_and(|id| id.as_str() == "101")));
        assert_eq!(
            store::changes_naming(&mut tx, &["201".into(), "101".into(), "7".into()], 10).await.unwrap().len(),
            seen
        );
        for change in recent {
            assert_eq!(
                store::find_change(&mut tx, change.id).await.unwrap().map(|found| found.body),
                Some(change.body)
            );
            assert!(store::recent(&mut tx, Some(change.id), 10).await.unwrap().is_empty());
        }
    }
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn terms_signed_in_no_partners_name_are_signed_for_whoever_serves_the_business(pool: PgPool) {
    let db = Db::from_pool(pool.clone());
    for partner in ["9000", "9001"] {
        seed(&pool, partner).await;
    }
    // The other one serves this business no more.
    raw_sql("UPDATE wabas SET gone_at = now() WHERE partner_id = '9001' AND waba_id = '203'")
        .execute(&pool)
        .await
        .unwrap();
    let partners = ["9000", "9001", "9002"].map(str::to_owned);
    let owners = async |body: String| {
        let changes = read(body.as_bytes()).unwrap();
        store::keep(&db, &partners, &changes.iter().collect::<Vec<_>>(), NOON).await.unwrap();
        sqlx::query_scalar::<_, Option<String>>("DELETE FROM webhook_changes RETURNING partner_id::text")
            .fetch_all(&pool)
            .await
            .unwrap()
            .into_iter()
            .flatten()
            .collect::<std::collections::BTreeSet<_>>()
    };
    let both = ["9000", "9001"].map(str::to_owned).into();
    let (ours, nobody) = (["9000".to_owned()].into(), std::collections::BTreeSet::new());
    for (entry, event, business, waba, expected) in [
        ("0", "MM_LITE_TERMS_SIGNED", "101", "201", &both),
        ("101", "MM_LITE_TERMS_SIGNED", "101", "201", &both),
        ("0", "MM_LITE_TERMS_SIGNED", "101", "299", &both),
        ("0", "MM_LITE_TERMS_SIGNED", "199", "201", &both),
        ("0", "MM_LITE_TERMS_SIGNED", "199", "299", &nobody),
        ("0", "PARTNER_REMOVED", "101", "201", &nobody),
        ("7777", "MM_LITE_TERMS_SIGNED", "101", "201", &nobody),
        ("9000", "MM_LITE_TERMS_SIGNED", "101", "201", &ours),
        ("0", "MM_LITE_TERMS_SIGNED", "102", "203", &ours),
    ] {
        let found = owners(told(entry, 1, event, business, waba)).await;
        assert_eq!(&found, expected, "{event} of {entry} with {business} and {waba}");
    }
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_change_that_was_nobodys_is_adopted_by_all_who_come_to_know_its_waba(pool: PgPool) {
    let db = Db::from_pool(pool.clone());
    let body = of_waba("201", 1, "DISABLED_UPDATE");
    let partners: Vec<PartnerId> = ["9000", "9001"].map(|id| id.parse().unwrap()).into();
    let names: Vec<String> = partners.iter().map(ToString::to_string).collect();
    let changes = read(body.as_bytes()).unwrap();
    store::keep(&db, &names, &changes.iter().collect::<Vec<_>>(), NOON).await.unwrap();
    let again = Reconsider::new(db.clone(), Clock::standing_at(NOON), &partners);
    let stop = CancellationToken::new();
    again.reconcile(&partners[0], &stop).await.unwrap();
    let owners = async || {
        sqlx::query_scalar::<_, Option<String>>("SELECT partner_id::text FROM webhook_changes ORDER BY 1")
            .fetch_all(&pool)
            .await
            .unwrap()
    };
    assert_eq!(owners().await, [None]);
    for partner in &names {
        seed(&pool, partner).await;
    }
    again.reconcile(&partners[1], &stop).await.unwrap();
    assert_eq!(owners().await, [Some("9000".to_owned()), Some("9001".to_owned())]);
    store::keep(&db, &names, &changes.iter().collect::<Vec<_>>(), NOON).await.unwrap();
    assert_eq!(owners().await.len(), 2, "a repeated delivery is still the same change");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn the_role_of_members_neither_writes_nor_removes_what_meta_told(pool: PgPool) {
    let db = Db::from_pool(pool.clone());
    for statement in [
        "INSERT INTO webhook_changes (hash, sent_at, received_at, body) VALUES (sha256(''), now(), now(), '')",
        "DELETE FROM webhook_changes",
        "SELECT adopt_webhook_changes(ARRAY['1'], 1)",
        "INSERT INTO webhook_refusals VALUES (now(), 'x', 1)",
    ] {
        let mut tx = db.tenant(&"9000".parse().unwrap()).await.unwrap();
        let refused = sqlx::query(statement).execute(&mut *tx).await.unwrap_err();
        assert!(refused.to_string().contains("permission denied"), "{statement}: {refused}");
    }
}
