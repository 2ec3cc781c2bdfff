//! What searches find, on a real Postgres: however it is found, and page by page.

mod calls;

use sqlx::PgPool;
use time::{Duration, macros::datetime};

use super::*;
use crate::{
    db::{Db, TenantTx},
    onboarding::{
        model::RequestNumber,
        search::terms::{self, Problem},
    },
};

const NOW: OffsetDateTime = datetime!(2026-11-24 10:00 UTC);

/// Ten requests of two members, a day apart: number 1 was asked for ten days ago, number 10 today.
async fn filled(pool: &PgPool, partner: &str) -> TenantTx {
    let db = Db::from_pool(pool.clone());
    let mut tx = db.tenant(&partner.parse().unwrap()).await.unwrap();
    let base = if partner == "100" { 0 } else { 1_000 };
    sqlx::query(
        "WITH people AS (
            INSERT INTO members (member_id, partner_id, facebook_user_id, name, role, joined_at) OVERRIDING SYSTEM VALUE
            VALUES ($2 + 1, $1, '1', 'Ana Moreira', 'admin', $3), ($2 + 2, $1, '2', 'Miguel Santos', 'support', $3)
        ), shared AS (
            INSERT INTO solutions (partner_id, solution_id, name, role, seen_at) VALUES ($1, '71', 'Retail Reach', 'owner', $3)
        )
        INSERT INTO businesses (partner_id, business_id, name, name_key, words, country, first_seen_at)
        SELECT $1, (500 + n)::text, name, lower(name), ''::tsvector, country, $3
        FROM unnest(ARRAY['Banyan Leaf', 'Casa Dois', 'Casa Tres'], ARRAY['IN', 'BR', 'BR']) WITH ORDINALITY AS b (name, country, n)",
    )
    .bind(partner)
    .bind(base)
    .bind(NOW)
    .execute(&mut *tx)
    .await
    .unwrap();
    sqlx::query(
        "WITH assigned AS (UPDATE businesses SET assigned_to = $2 + 2 WHERE partner_id = $1 AND business_id = '502')
        INSERT INTO business_notes (partner_id, business_id, member_id, at, words, deleted_at)
        VALUES ($1, '502', $2 + 2, $3, 'Call Rita on Monday', NULL), ($1, '503', $2 + 1, $3, '', $3)",
    )
    .bind(partner)
    .bind(base)
    .bind(NOW)
    .execute(&mut *tx)
    .await
    .unwrap();
    for (number, state, member, business, solution, cause, meta) in [
        (1, "requested", 1, "501", None, None, Some("9001")),
        (2, "ready", 2, "502", Some("71"), None, Some("9002")),
        (3, "failed", 1, "503", None, Some("access_denied"), None),
        (4, "already_requested", 1, "502", Some("71"), None, Some("9004")),
        (5, "taken_by_another_partner", 2, "503", None, None, None),
        (6, "failed", 2, "501", None, Some("temporary"), None),
        (7, "cancelled", 1, "501", None, None, None),
        (8, "waiting_to_retry", 2, "503", None, Some("throttled"), None),
        (9, "failed", 2, "502", Some("71"), Some("access_denied"), None),
        (10, "queued", 1, "999", None, None, None),
    ] {
        let at = NOW - Duration::days(10 - number);
        sqlx::query(
            "WITH batch AS (
                INSERT INTO batches (batch_number, partner_id, member_id, started_at) OVERRIDING SYSTEM VALUE VALUES ($2, $1, $4, $8)
            )
            INSERT INTO requests (number, partner_id, batch_number, business_id, member_id, solution_id, state, cause, meta_request_id,
                queued_at, answered_at, accepted_at, ready_at, failed_at, cancelled_at, retry_at, changed_at) OVERRIDING SYSTEM VALUE
            VALUES ($2, $1, $2, $5, $4, $6, $3, $7, $9, $8, $8, NULL, $8, $8, CASE WHEN $3 = 'cancelled' THEN $8 END,
                CASE WHEN $3 = 'waiting_to_retry' THEN $8 END, $8)",
        )
        .bind(partner)
        .bind(base + number)
        .bind(state)
        .bind(base + member)
        .bind(business)
        .bind(solution)
        .bind(cause)
        .bind(at)
        .bind(meta)
        .execute(&mut *tx)
        .await
        .unwrap();
    }
    for (number, status, code, subcode, trace) in [
        (1, Some(200), None, None, "AXa1aaaaaaaa"),
        (3, Some(403), Some(200), None, "AXb2bbbbbbbb"),
        (6, None, None, None, "AXc3cccccccc"),
        (6, Some(500), Some(2), None, "AXd4dddddddd"),
        (8, Some(400), Some(4), None, "AXe5eeeeeeee"),
        (9, Some(400), Some(100), Some(33), "AXf6ffffffff"),
        (9, Some(403), Some(200), None, "AXg7gggggggg"),
    ] {
        sqlx::query(
            "INSERT INTO graph_calls (partner_id, number, attempt, operation, method, path, query, graph_version, app_id, started_at,
                duration_ms, http_status, failure, error_code, error_subcode, fbtrace_id, body)
            VALUES ($1, $2, 1, 'onboard_partners_to_mm_lite', 'POST', '/', '', 'v25.0', '7', $3, 340, $4,
                CASE WHEN $4 IS NULL THEN 'timed_out' END, $5, $6, $7, '{}')",
        )
        .bind(partner)
        .bind(base + number)
        .bind(NOW)
        .bind(status.map(|status: i32| i16::try_from(status).unwrap()))
        .bind(code.map(i64::from as fn(i32) -> i64))
        .bind(subcode.map(i64::from as fn(i32) -> i64))
        .bind(trace)
        .execute(&mut *tx)
        .await
        .unwrap();
    }
    tx.commit().await.unwrap();
    db.tenant(&partner.parse().unwrap()).await.unwrap()
}

/// What a page finds that looks at so many rows, and how far it came.
async fn looked(tx: &mut TenantTx, filter: &Filter, window: Window, budget: i64) -> (Vec<i64>, Option<i64>) {
    let Looked { numbers, looked_to } = look(tx, filter, window, 50, budget).await.unwrap();
    (numbers, looked_to.map(|number| number.0))
}

async fn read(tx: &mut TenantTx, text: &str, me: i64) -> (Filter, Vec<Problem>) {
    let mut terms = terms::read(text);
    let asked = Asked::read(&mut terms, NOW);
    let filter = Filter::resolve(tx, asked, me, NOW - Duration::days(7), &mut terms.problems).await.unwrap();
    (filter, terms.problems)
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn each_term_finds_what_it_says_gathered_or_walked(pool: PgPool) {
    let mut tx = filled(&pool, "100").await;
    for (text, found) in [
        ("", &[10, 9, 8, 7, 6, 5, 4, 3, 2, 1][..]),
        ("is:failed", &[9, 6, 3]),
        ("state:failed,ready", &[9, 6, 3, 2]),
        ("-is:failed", &[10, 8, 7, 5, 4, 2, 1]),
        ("is:stalled", &[1]),
        ("is:waiting -is:stalled", &[4]),
        ("is:attention", &[9, 6, 3, 1]),
        ("is:open", &[10, 8, 4, 1]),
        ("is:failed is:ready", &[]),
        ("by:me", &[10, 7, 4, 3, 1]),
        ("by:miguel", &[9, 8, 6, 5, 2]),
        ("-by:me,\"miguel santos\"", &[]),
        ("manager:miguel", &[9, 4, 2]),
        ("-manager:none", &[9, 4, 2]),
        ("manager:none,miguel is:failed", &[9, 6, 3]),
        ("note:any", &[9, 4, 2]),
        ("note:RITA", &[9, 4, 2]),
        ("note:\"rita on\"", &[9, 4, 2]),
        ("note:nobody,monday is:failed", &[9]),
        ("note:nobody", &[]),
        ("-note:any is:failed", &[6, 3]),
        ("code:200", &[9, 3]),
        ("code:100,2", &[9, 6]),
        ("-code:200 is:failed", &[6]),
        ("code:100 subcode:33", &[9]),
        ("code:200 subcode:33", &[]),
        ("code:200 status:403", &[9, 3]),
        ("status:5xx,none", &[6]),
        ("status:none", &[6]),
        ("-status:2xx,4xx is:failed", &[6]),
        ("trace:AXg7gggggggg", &[9]),
        ("AXg7gggggggg", &[9]),
        ("-AXg7gggggggg is:failed", &[6, 3]),
        ("trace:axg7gggggggg", &[]),
        ("solution:none is:failed", &[6, 3]),
        ("solution:retail", &[9, 4, 2]),
        ("-solution:71 by:me", &[10, 7, 3, 1]),
        ("batch:9,3", &[9, 3]),
        ("cause:access_denied", &[9, 3]),
        ("-cause:access_denied,temporary", &[10, 8, 7, 5, 4, 2, 1]),
        ("country:BR", &[9, 8, 5, 4, 3, 2]),
        ("-country:br", &[10, 7, 6, 1]),
        ("country:BR,IN code:200", &[9, 3]),
        ("casa", &[9, 8, 5, 4, 3, 2]),
        ("casa tres", &[8, 5, 3]),
        ("business:banyan,999", &[10, 7, 6, 1]),
        ("-casa", &[10, 7, 6, 1]),
        ("business:502", &[9, 4, 2]),
        ("9004", &[4]),
        ("501", &[7, 6, 1]),
        ("LB-7", &[7]),
        ("LB-7 LB-6", &[]),
        ("LB-4711", &[]),
        ("age:>7d", &[2, 1]),
        ("since:3d", &[10, 9, 8, 7]),
        ("since:2026-11-20 until:2026-11-22", &[7, 6]),
        ("age:<1d", &[10, 9]),
        ("is:failed code:100 by:miguel since:7d solution:71 country:BR", &[9]),
    ] {
        let (filter, problems) = read(&mut tx, text, 1).await;
        assert_eq!(problems, [], "{text}");
        let gathered = numbers_of_page(&mut tx, &filter, Window::Newest, 50).await.unwrap();
        assert_eq!(gathered, found, "{text}");
        // What is gathered only saves walking: without it the same is found.
        let walking = Filter { only: None, ..filter };
        let walked = numbers_of_page(&mut tx, &walking, Window::Newest, 50).await.unwrap();
        assert_eq!(walked, found, "{text}, walked");
        assert_eq!(rows_of(&mut tx, &walked).await.unwrap().len(), found.len(), "{text}");
    }
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn the_windows_show_every_request_exactly_once_either_way(pool: PgPool) {
    let mut tx = filled(&pool, "100").await;
    for text in ["", "is:open", "by:miguel", "country:BR -is:cancelled"] {
        let (filter, _) = read(&mut tx, text, 1).await;
        let whole = numbers_of_page(&mut tx, &filter, Window::Newest, 50).await.unwrap();
        let (mut seen, mut window) = (Vec::new(), Window::Newest);
        loop {
            let page = numbers_of_page(&mut tx, &filter, window, 2).await.unwrap();
            let Some(last) = page.last() else { break };
            window = Window::OlderThan(RequestNumber(*last));
            seen.extend(page);
        }
        assert_eq!(seen, whole, "{text}");
        let (mut seen, mut window) = (Vec::new(), Window::NewerThan(RequestNumber(0)));
        loop {
            let page = numbers_of_page(&mut tx, &filter, window, 2).await.unwrap();
            let Some(last) = page.last() else { break };
            window = Window::NewerThan(RequestNumber(*last));
            seen.extend(page);
        }
        seen.reverse();
        assert_eq!(seen, whole, "{text}, the other way");
    }
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_page_looks_at_no_more_rows_than_its_budget_and_says_how_far_it_came(pool: PgPool) {
    let mut tx = filled(&pool, "100").await;
    let walking = async |tx: &mut TenantTx, text: &str| Filter { only: None, ..read(tx, text, 1).await.0 };
    let filter = walking(&mut tx, "is:failed cause:temporary").await;
    assert_eq!(looked(&mut tx, &filter, Window::Newest, 1).await, (vec![], Some(7)));
    assert_eq!(looked(&mut tx, &filter, Window::Newest, 2).await, (vec![6], Some(4)));
    assert_eq!(looked(&mut tx, &filter, Window::Newest, 3).await, (vec![6], None), "there are no more of them");
    assert_eq!(looked(&mut tx, &filter, Window::OlderThan(RequestNumber(6)), 1).await, (vec![], None));
    assert_eq!(looked(&mut tx, &filter, Window::NewerThan(RequestNumber(0)), 1).await, (vec![], Some(5)));
    for text in [
        "by:miguel",
        "-is:failed country:BR",
        "status:4xx,5xx",
        "is:open by:me",
        "-code:200 -by:miguel",
        "is:attention",
        "is:stalled",
        "is:stalled,ready",
    ] {
        let filter = walking(&mut tx, text).await;
        let mut whole = numbers_of_page(&mut tx, &filter, Window::Newest, 50).await.unwrap();
        for newer in [false, true] {
            for budget in 1..12 {
                let way = |number| if newer { Window::NewerThan(number) } else { Window::OlderThan(number) };
                let start = if newer { way(RequestNumber(0)) } else { Window::Newest };
                let (mut found, mut window, mut steps) = (Vec::new(), start, 0);
                loop {
                    let (numbers, looked_to) = looked(&mut tx, &filter, window, budget).await;
                    found.extend(numbers);
                    let Some(number) = looked_to else { break };
                    window = way(RequestNumber(number));
                    steps += 1;
                }
                assert_eq!(found, whole, "{text}, {budget} rows a page, newer {newer}");
                assert!(steps <= 11, "{text}: each page comes further");
            }
            whole.reverse();
        }
    }
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_name_with_digits_and_a_name_that_has_left_find_their_requests(pool: PgPool) {
    let mut tx = filled(&pool, "100").await;
    for (id, name) in [("501", "Studio 54"), ("502", "Northlane24"), ("503", "Casa Velha")] {
        let words: Vec<String> = name.to_lowercase().split(' ').map(|word| format!("'100/{word}'")).collect();
        sqlx::query(
            "WITH named AS (UPDATE businesses SET name = $2, name_key = lower($2), left_at = CASE WHEN $1 = '503' THEN $4 END WHERE business_id = $1)
            INSERT INTO business_words (partner_id, business_id, name_key, words) VALUES ('100', $1, lower($2), $3::tsvector)
            ON CONFLICT (partner_id, business_id) DO UPDATE SET words = excluded.words",
        )
        .bind(id)
        .bind(name)
        .bind(words.join(" "))
        .bind(NOW)
        .execute(&pool)
        .await
        .unwrap();
    }
    for (text, found) in [
        ("Studio 54", &[7, 6, 1][..]),
        ("54", &[7, 6, 1]),
        ("Northlane24", &[9, 4, 2]),
        ("northlane24 is:failed", &[9]),
        ("casa velha", &[8, 5, 3]),
        ("velha", &[8, 5, 3]),
        ("business:\"casa velha\" is:failed", &[3]),
        ("Studio 55", &[]),
        ("55", &[]),
    ] {
        let (filter, problems) = read(&mut tx, text, 1).await;
        assert_eq!(problems, [], "{text}");
        assert_eq!(numbers_of_page(&mut tx, &filter, Window::Newest, 50).await.unwrap(), found, "{text}");
    }
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn another_partners_requests_names_and_ids_are_not_there(pool: PgPool) {
    drop(filled(&pool, "100").await);
    let mut rival = filled(&pool, "200").await;
    for text in ["LB-9", "AXg7gggggggg LB-9", "batch:9", "in:calls LB-9"] {
        let (filter, _) = read(&mut rival, text, 1_001).await;
        assert_eq!(numbers_of_page(&mut rival, &filter, Window::Newest, 50).await.unwrap(), [0_i64; 0], "{text}");
    }
    let (filter, _) = read(&mut rival, "", 1_001).await;
    let numbers = numbers_of_page(&mut rival, &filter, Window::Newest, 50).await.unwrap();
    assert!(numbers.len() == 10 && numbers.iter().all(|number| *number > 1_000), "{numbers:?}");
    assert!(rows_of(&mut rival, &[9]).await.unwrap().is_empty());

    let db = Db::from_pool(pool);
    let mut stranger = db.tenant(&"300".parse().unwrap()).await.unwrap();
    for key in [terms::Key::By, terms::Key::Solution, terms::Key::Country, terms::Key::Batch] {
        assert_eq!(names(&mut stranger, key).await.unwrap(), [], "{key:?}");
        let known = names(&mut rival, key).await.unwrap();
        assert!(!known.is_empty() || key == terms::Key::Batch, "{key:?}");
    }
    let (_, problems) = read(&mut stranger, "by:ana solution:retail", 5).await;
    assert_eq!(problems.len(), 2, "names of another partner are nobody's: {problems:?}");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_time_is_found_among_the_numbers_by_halving(pool: PgPool) {
    let mut tx = filled(&pool, "100").await;
    for (at, number) in [
        (NOW - Duration::days(100), 1),
        (NOW - Duration::days(3) + Duration::minutes(10), 7),
        (NOW - Duration::days(3) + Duration::minutes(11), 8),
        (NOW + Duration::days(1), 11),
    ] {
        let found =
            sqlx::query_scalar!(r#"SELECT requests_begin_at($1) AS "number!""#, at).fetch_one(&mut *tx).await.unwrap();
        assert_eq!(found, number, "{at}");
    }
    let counts = state_counts(&mut tx, 1_001, NOW - Duration::days(7)).await.unwrap();
    let of = |state: &str| {
        counts.iter().find(|count| count.state.as_str() == state).map(|count| (count.all, count.stalled)).unwrap()
    };
    assert_eq!(
        (of("failed"), of("requested"), of("already_requested"), of("accepted")),
        ((3, 0), (1, 1), (1, 0), (0, 0))
    );
    // Number 1 waits for nine days: not long for a partner that says so.
    let since = NOW - Duration::days(12);
    let counts = state_counts(&mut tx, 1_001, since).await.unwrap();
    assert!(counts.iter().all(|count| count.stalled == 0), "{counts:?}");
    let asked = Asked::read(&mut terms::read("is:stalled"), NOW);
    let filter = Filter::resolve(&mut tx, asked, 1, since, &mut Vec::new()).await.unwrap();
    assert_eq!(numbers_of_page(&mut tx, &filter, Window::Newest, 50).await.unwrap(), [0; 0]);
    let mut nobody = Db::from_pool(pool).tenant(&"300".parse().unwrap()).await.unwrap();
    let found =
        sqlx::query_scalar!(r#"SELECT requests_begin_at($1) AS "number!""#, NOW).fetch_one(&mut *nobody).await.unwrap();
    assert_eq!(found, 0);
}
