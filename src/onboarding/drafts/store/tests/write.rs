//! Writing drafts, and throwing them away.

use super::*;
use crate::businesses::{Ticks, keep_ticks};

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_draft_is_there_once_its_rows_are_checked(pool: PgPool) {
    let desk = Desk::of(&pool, "100").await;
    let mut tx = desk.tx().await;
    let number = begin(&mut tx, desk.member, Source::List, Some(&"x".repeat(999)), NOW).await.unwrap();
    add_rows(&mut tx, number, &read("17\n")).await.unwrap();
    assert!(find_draft(&mut tx, number).await.unwrap().is_none());
    check_rows(&mut tx, number, NOW).await.unwrap();
    let draft = find_draft(&mut tx, number).await.unwrap().unwrap();
    assert_eq!((draft.source, draft.is_started), (Source::List, false));
    assert_eq!(draft.file_name.map(|name| name.len()), Some(200));
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_click_is_no_draft(pool: PgPool) {
    let desk = Desk::of(&pool, "100").await;
    desk.businesses(["51"]).await;
    let mut tx = desk.tx().await;
    crate::onboarding::store::queue(&mut tx, desk.member, &id("51"), None, NOW).await.unwrap();
    let number = sqlx::query_scalar!("SELECT batch_number FROM batches").fetch_one(&mut *tx).await.unwrap();
    assert!(find_draft(&mut tx, DraftNumber(number)).await.unwrap().is_none());
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_selection_is_written_down_by_name_and_does_not_change_after(pool: PgPool) {
    let desk = Desk::of(&pool, "100").await;
    desk.businesses(["53", "51", "52"]).await;
    let mut tx = desk.tx().await;
    assert!(draft_selection(&mut tx, desk.member, NOW).await.unwrap().is_none(), "nothing is ticked");
    let none = sqlx::query_scalar!("SELECT count(*) AS \"count!\" FROM batches").fetch_one(&mut *tx).await.unwrap();
    assert_eq!(none, 0);
    let both = vec![id("53"), id("51")];
    keep_ticks(&mut tx, desk.member, &Ticks { shown: both.clone(), ticked: both.clone() }).await.unwrap();
    let number = draft_selection(&mut tx, desk.member, NOW).await.unwrap().unwrap();
    check_rows(&mut tx, number, NOW).await.unwrap();
    keep_ticks(&mut tx, desk.member, &Ticks { shown: both, ticked: vec![id("52")] }).await.unwrap();
    tx.commit().await.unwrap();
    let rows: Vec<_> = desk.rows(number).await.into_iter().map(|row| (row.line, row.given, row.finding)).collect();
    assert_eq!(rows, [(1, "51".to_owned(), Finding::Eligible), (2, "53".to_owned(), Finding::Eligible)]);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn only_a_draft_that_was_not_started_can_be_thrown_away(pool: PgPool) {
    let (desk, rival) = (Desk::of(&pool, "100").await, Desk::of(&pool, "200").await);
    desk.businesses(["51"]).await;
    let (kept, thrown) = (desk.draft(&list(&["51"])).await, desk.draft(&list(&["51"])).await);
    assert_eq!(desk.start(kept).await, 1);
    assert!(!discard(&mut rival.tx().await, thrown).await.unwrap(), "it's not theirs");
    let mut tx = desk.tx().await;
    assert!(!discard(&mut tx, kept).await.unwrap());
    assert!(discard(&mut tx, thrown).await.unwrap());
    assert!(!discard(&mut tx, thrown).await.unwrap());
    let rows = sqlx::query_scalar!("SELECT DISTINCT batch_number FROM batch_rows").fetch_all(&mut *tx).await.unwrap();
    assert_eq!(rows, [kept.0]);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn what_nobody_came_back_to_is_forgotten(pool: PgPool) {
    let desk = Desk::of(&pool, "100").await;
    desk.businesses(["51"]).await;
    let (draft, started) = (desk.draft(&list(&["x"])).await, desk.draft(&list(&["51"])).await);
    desk.start(started).await;
    let mut tx = desk.tx().await;
    let half = begin(&mut tx, desk.member, Source::List, None, NOW).await.unwrap();
    let mut left = Vec::new();
    for later in [Duration::minutes(59), Duration::minutes(61), Duration::days(29), Duration::days(31)] {
        forget_old(&mut tx, desk.member, NOW + later).await.unwrap();
        left.push(
            sqlx::query_scalar!("SELECT batch_number FROM batches ORDER BY 1").fetch_all(&mut *tx).await.unwrap(),
        );
    }
    let (draft, started, half) = (draft.0, started.0, half.0);
    assert_eq!(left, [vec![draft, started, half], vec![draft, started], vec![draft, started], vec![started]]);
}
