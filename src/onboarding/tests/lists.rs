//! The list of requests.

use sqlx::PgPool;
use store::{Filter, Window, Within};

use super::*;

async fn numbers(house: &House, filter: Filter<'_>, window: Window, most: i64) -> Vec<RequestNumber> {
    let rows = store::list_requests(&mut house.tx().await, filter, Within::default(), window, most).await.unwrap();
    rows.into_iter().map(|row| row.number).collect()
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn the_windows_show_every_request_exactly_once_either_way(pool: PgPool) {
    let house = House::build(&pool, "100", 7).await;
    let mut newest_first = Vec::new();
    for nth in 0..7 {
        newest_first.insert(0, house.ask(nth).await.number);
    }
    let (mut seen, mut window) = (Vec::new(), Window::Newest);
    loop {
        let page = numbers(&house, Filter::All, window, 2).await;
        let Some(last) = page.last() else { break };
        window = Window::OlderThan(*last);
        seen.extend(page);
    }
    assert_eq!(seen, newest_first);

    let (mut seen, mut window) = (Vec::new(), Window::NewerThan(newest_first[6]));
    loop {
        let page = numbers(&house, Filter::All, window, 2).await;
        let Some(first) = page.first() else { break };
        window = Window::NewerThan(*first);
        seen.splice(0..0, page);
    }
    assert_eq!(seen, newest_first[..6]);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_filter_shows_its_states_and_what_has_stalled(pool: PgPool) {
    let house = House::build(&pool, "100", 4).await;
    for nth in 0..3 {
        house.ask(nth).await;
    }
    let claimed = house.claim(NOW).await;
    house.save(&claimed[0], requested("1"), at(0)).await;
    house.save(&claimed[1], requested("2"), at(10)).await;
    house.save(&claimed[2], failed(Cause::AccessDenied), at(10)).await;
    let queued = house.ask(3).await.number;
    let shown = async |states: &'static [State], stalled_before| {
        let mut shown = numbers(&house, Filter::Any { states, stalled_before }, Window::Newest, 9).await;
        shown.reverse();
        shown
    };
    assert_eq!(shown(&[State::Failed], None).await, [claimed[2].number]);
    assert_eq!(shown(&[State::Queued], None).await, [queued]);
    assert_eq!(shown(&[], Some(at(10))).await, [claimed[0].number], "the other was asked later");
    assert_eq!(shown(&[State::Failed], Some(at(11))).await, claimed.iter().map(|one| one.number).collect::<Vec<_>>());
    assert!(shown(&[], None).await.is_empty());
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_row_tells_the_last_error_of_what_failed(pool: PgPool) {
    let house = House::build(&pool, "100", 1).await;
    let number = house.ask(0).await.number;
    let claimed = house.claim(NOW).await.remove(0);
    house.save(&claimed, failed(Cause::AccessDenied), at(1)).await;
    let mut tx = house.tx().await;
    for code in [4_i64, 200] {
        sqlx::query!(
            "INSERT INTO graph_calls (partner_id, number, attempt, operation, method, path, query, graph_version, app_id, started_at,
                duration_ms, http_status, error_code, error_message, fbtrace_id, body)
             VALUES ('100', $1, 1, 'onboard_partners_to_mm_lite', 'POST', '/', '', 'v25.0', '7', $2, 340, 403, $3, 'no', 'AbC', '{}')",
            number.0,
            NOW,
            code,
        )
        .execute(&mut *tx)
        .await
        .unwrap();
    }
    let row = store::list_requests(&mut tx, Filter::All, Within::default(), Window::Newest, 9).await.unwrap().remove(0);
    assert_eq!((row.code, row.cause.as_deref(), row.state), (Some(200), Some("access_denied"), State::Failed));
    let calls = store::calls_of(&mut tx, number).await.unwrap();
    assert_eq!(calls.iter().map(|call| call.code).collect::<Vec<_>>(), [Some(200), Some(4)], "newest first");
    assert!(!calls[0].is_success());
}
