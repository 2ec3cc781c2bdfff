//! Calls: listed by their own time, within their budget, whatever they were made for.

use super::*;

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn calls_are_listed_call_by_call(pool: PgPool) {
    let mut tx = filled(&pool, "100").await;
    for (text, found) in [
        (
            "in:calls",
            &[
                "AXg7gggggggg",
                "AXf6ffffffff",
                "AXe5eeeeeeee",
                "AXd4dddddddd",
                "AXc3cccccccc",
                "AXb2bbbbbbbb",
                "AXa1aaaaaaaa",
            ][..],
        ),
        ("in:calls code:200", &["AXg7gggggggg", "AXb2bbbbbbbb"]),
        ("in:calls -code:200 is:failed", &["AXf6ffffffff", "AXd4dddddddd", "AXc3cccccccc"]),
        ("in:calls by:me", &["AXb2bbbbbbbb", "AXa1aaaaaaaa"]),
        ("in:calls status:none", &["AXc3cccccccc"]),
        ("in:calls country:BR code:100,4", &["AXf6ffffffff", "AXe5eeeeeeee"]),
        ("in:calls is:queued", &[]),
    ] {
        let (filter, problems) = read(&mut tx, text, 1).await;
        assert_eq!(problems, [], "{text}");
        let whole = calls_of_page(&mut tx, &filter, None, 50).await.unwrap();
        let traces = |rows: &[CallRow]| rows.iter().map(|row| row.fbtrace_id.clone().unwrap()).collect::<Vec<_>>();
        assert_eq!(traces(&whole), found, "{text}");
        // Page by page, two at a time, every call is there once.
        let (mut paged, mut after) = (Vec::new(), None);
        loop {
            let page = calls_of_page(&mut tx, &filter, after, 2).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.place());
            paged.extend(traces(&page));
        }
        assert_eq!(paged, found, "{text}, paged");
    }
}

/// A call made for no request, as a sync, a poll or a sign-in leaves it.
async fn call(tx: &mut TenantTx, operation: &str, subject: Option<&str>, status: i16, trace: &str) {
    let partner = tx.partner().to_string();
    sqlx::query(
        "INSERT INTO graph_calls (partner_id, member_id, subject_id, operation, method, path, query, graph_version, app_id, started_at,
            duration_ms, http_status, error_code, fbtrace_id, body)
        SELECT $1, max(member_id), $2, $3, 'GET', '/', '', 'v25.0', '7', $4, 340, $5, CASE WHEN $5 >= 400 THEN 2 END, $6, '{}'
        FROM members WHERE partner_id = $1",
    )
    .bind(partner)
    .bind(subject)
    .bind(operation)
    .bind(NOW)
    .bind(status)
    .bind(trace)
    .execute(&mut **tx)
    .await
    .unwrap();
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn calls_made_for_no_request_are_listed_too_where_nothing_of_a_request_is_asked(pool: PgPool) {
    let mut others = filled(&pool, "200").await;
    call(&mut others, "list_client_wabas", Some("200"), 500, "AXz9zzzzzzzz").await;
    others.commit().await.unwrap();
    let mut tx = filled(&pool, "100").await;
    call(&mut tx, "list_client_wabas", Some("100"), 500, "AXh8hhhhhhhh").await;
    call(&mut tx, "read_business_statuses", None, 200, "AXi9iiiiiiii").await;
    call(&mut tx, "read_me", None, 200, "AXj1jjjjjjjj").await;
    for (text, found) in [
        ("in:calls status:5xx", &["AXh8hhhhhhhh", "AXd4dddddddd"][..]),
        ("in:calls code:2", &["AXh8hhhhhhhh", "AXd4dddddddd"]),
        ("in:calls -code:2 status:5xx", &[]),
        ("in:calls call:list_client_wabas", &["AXh8hhhhhhhh"]),
        ("in:calls -call:onboard_partners_to_mm_lite", &["AXj1jjjjjjjj", "AXi9iiiiiiii", "AXh8hhhhhhhh"]),
        ("in:calls AXh8hhhhhhhh", &["AXh8hhhhhhhh"]),
        ("in:calls trace:AXi9iiiiiiii,AXa1aaaaaaaa", &["AXi9iiiiiiii", "AXa1aaaaaaaa"]),
        ("in:calls AXz9zzzzzzzz", &[]),
        ("in:calls by:miguel status:200,5xx", &["AXd4dddddddd"]),
        ("in:calls -by:miguel status:200,5xx", &["AXa1aaaaaaaa"]),
        ("in:calls -business:\"casa dois\" status:200,5xx", &["AXd4dddddddd", "AXa1aaaaaaaa"]),
        ("in:calls is:failed status:5xx", &["AXd4dddddddd"]),
        ("in:calls -solution:71 status:5xx", &["AXd4dddddddd"]),
        ("in:calls -call:onboard_partners_to_mm_lite is:open", &[]),
    ] {
        let (filter, problems) = read(&mut tx, text, 1).await;
        assert_eq!(problems, [], "{text}");
        for walking in [false, true] {
            let filter =
                if walking { Filter { only: None, only_calls: None, ..filter.clone() } } else { filter.clone() };
            let rows = calls_of_page(&mut tx, &filter, None, 50).await.unwrap();
            let traces: Vec<&str> = rows.iter().filter_map(|row| row.fbtrace_id.as_deref()).collect();
            assert_eq!(traces, found, "{text}, walking: {walking}");
        }
    }
    let (filter, _) = read(&mut tx, "in:calls call:list_client_wabas,read_me", 1).await;
    let rows = calls_of_page(&mut tx, &filter, None, 50).await.unwrap();
    assert!(rows.iter().all(|row| row.number.is_none() && row.business_id.is_none() && row.member_name.is_none()));
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_page_of_calls_looks_at_no_more_of_them_than_its_budget_either(pool: PgPool) {
    let mut tx = filled(&pool, "100").await;
    for text in [
        "in:calls",
        "in:calls status:5xx,none",
        "in:calls -status:4xx,5xx",
        "in:calls by:miguel",
        "in:calls is:failed code:200",
    ] {
        let filter = Filter { only: None, ..read(&mut tx, text, 1).await.0 };
        let whole: Vec<i64> =
            calls_of_page(&mut tx, &filter, None, 50).await.unwrap().iter().map(|row| row.call_id).collect();
        for budget in 1..8 {
            let (mut found, mut after, mut steps) = (Vec::new(), None, 0);
            loop {
                let LookedAtCalls { rows, looked_to } =
                    look_at_calls(&mut tx, &filter, after, 50, budget).await.unwrap();
                assert!(i64::try_from(rows.len()).unwrap() <= budget, "{text}");
                found.extend(rows.iter().map(|row| row.call_id));
                after = looked_to;
                if after.is_none() {
                    break;
                }
                steps += 1;
            }
            assert_eq!(found, whole, "{text}, {budget} calls a page");
            assert!(steps <= 7, "{text}: each page comes further");
        }
    }
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn calls_are_in_the_order_of_their_own_time_and_asked_for_by_it(pool: PgPool) {
    let mut tx = filled(&pool, "100").await;
    // The oldest request is called again, later than all the others.
    sqlx::query("UPDATE graph_calls SET started_at = started_at + interval '1 hour' WHERE fbtrace_id = 'AXa1aaaaaaaa'")
        .execute(&pool)
        .await
        .unwrap();
    let traces = async |tx: &mut TenantTx, text: &str| {
        let (filter, problems) = read(tx, text, 1).await;
        assert_eq!(problems, [], "{text}");
        let rows = calls_of_page(tx, &filter, None, 50).await.unwrap();
        rows.iter().map(|row| row.fbtrace_id.clone().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(traces(&mut tx, "in:calls by:me").await, ["AXa1aaaaaaaa", "AXb2bbbbbbbb"]);
    assert_eq!(traces(&mut tx, "in:calls LB-1").await, ["AXa1aaaaaaaa"]);
    assert_eq!(
        traces(&mut tx, "in:calls since:2026-11-24T10:30").await,
        ["AXa1aaaaaaaa"],
        "though it was asked for long before"
    );
    assert_eq!(traces(&mut tx, "in:calls until:2026-11-24T10:30 by:me").await, ["AXb2bbbbbbbb"]);
}
