//! What is found of each row.

use super::*;
use crate::{businesses, onboarding::check};

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_row_is_judged_as_a_click_on_its_business_would_be(pool: PgPool) {
    let desk = Desk::of(&pool, "100").await;
    let ids: Vec<String> = (0..Standing::ALL.len()).map(|at| format!("5{at:02}")).collect();
    for (id, standing) in ids.iter().zip(Standing::ALL) {
        desk.business(id, standing).await;
    }
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let number = desk.draft(&list(&ids)).await;
    for has_left in [false, true] {
        let mut tx = desk.tx().await;
        sqlx::query!("UPDATE businesses SET left_at = $1", has_left.then_some(NOW)).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        desk.check(number).await;
        for (row, standing) in desk.rows(number).await.into_iter().zip(Standing::ALL) {
            let business = businesses::find_business(&mut desk.tx().await, &id(&row.given)).await.unwrap().unwrap();
            assert_eq!(business.standing, standing);
            if let Err(refusal) = check::may_be_asked(&business) {
                assert_eq!(row.finding.as_str(), refusal.code(), "{standing:?} {has_left}");
                continue;
            }
            let expected = match standing {
                Standing::Unknown => Finding::Unsaid,
                Standing::Eligible | Standing::Failed => Finding::Eligible,
                // A click on one that has been asked already leads to its request; a batch passes it by.
                _ => Finding::AlreadyRequested,
            };
            assert_eq!(row.finding, expected, "{standing:?}");
        }
    }
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_business_is_sent_once_by_whichever_id_it_is_named(pool: PgPool) {
    let desk = Desk::of(&pool, "100").await;
    desk.businesses(["51", "52"]).await;
    let number = desk.draft(&list(&["951", "51", "52", "52", "952", "77"])).await;
    assert_eq!(
        desk.found(number).await,
        [
            (2, Finding::WabaId, None),
            (3, Finding::Duplicate, Some(2)),
            (4, Finding::Eligible, None),
            (5, Finding::Duplicate, Some(4)),
            (6, Finding::Duplicate, Some(4)),
            (7, Finding::Unknown, None),
        ]
    );
    let first = desk.rows(number).await.remove(0);
    assert_eq!(first.business.map(|(id, _)| id), Some(id("51")));
    assert_eq!(first.waba_name.as_deref(), Some("WABA"));
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn checking_again_changes_nothing_by_itself(pool: PgPool) {
    let desk = Desk::of(&pool, "100").await;
    desk.businesses(["51", "52"]).await;
    let number = desk.draft(&list(&["951", "51", "52", "x", "77"])).await;
    let before = desk.found(number).await;
    desk.check(number).await;
    assert_eq!(desk.found(number).await, before);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_waba_row_left_out_names_nobody_and_any_other_keeps_its_business_back(pool: PgPool) {
    let desk = Desk::of(&pool, "100").await;
    desk.businesses(["51", "52"]).await;
    let number = desk.draft(&list(&["951", "51", "52", "52"])).await;
    desk.correct(number, Correction { shown: vec![2, 4], ..Correction::default() }).await;
    assert_eq!(
        desk.found(number).await,
        [
            (2, Finding::WabaId, None),
            (3, Finding::Eligible, None),
            (4, Finding::Eligible, None),
            (5, Finding::Duplicate, Some(4)),
        ]
    );
    let counts = count_rows(&mut desk.tx().await, number).await.unwrap();
    assert_eq!((counts.of(Group::ToSend), counts.of(Group::LeftOut)), (1, 2), "row 3 alone is sent");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_rows_own_solution_is_judged_as_the_page_judges_it(pool: PgPool) {
    let desk = Desk::of(&pool, "100").await;
    for (solution, status) in
        [("31", "ACTIVE"), ("32", "DEACTIVATED"), ("33", "active"), ("34", "PENDING_DEACTIVATION")]
    {
        desk.solution(solution, status).await;
    }
    let rows = [
        ("51", "31"),
        ("52", "32"),
        ("53", "33"),
        ("54", "34"),
        ("55", "99"),
        ("56", "none"),
        ("57", ""),
        ("959", "32"),
    ];
    desk.businesses(["51", "52", "53", "54", "55", "56", "57", "59"]).await;
    let lines: Vec<String> = rows.iter().map(|(business, solution)| format!("{business},{solution}\n")).collect();
    let number = desk.draft(&format!("business_id,solution_id\n{}", lines.concat())).await;
    let found: Vec<Finding> = desk.rows(number).await.into_iter().map(|row| row.finding).collect();
    assert_eq!(
        found,
        [
            Finding::Eligible,
            Finding::SolutionUnusable,
            Finding::Eligible,
            Finding::Eligible,
            Finding::SolutionGone,
            Finding::SolutionNotAnId,
            Finding::Eligible,
            Finding::SolutionUnusable,
        ]
    );
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn what_is_another_partners_is_unknown(pool: PgPool) {
    let (desk, rival) = (Desk::of(&pool, "100").await, Desk::of(&pool, "200").await);
    rival.businesses(["51"]).await;
    let number = desk.draft(&list(&["51", "951"])).await;
    assert_eq!(desk.found(number).await, [(2, Finding::Unknown, None), (3, Finding::Unknown, None)]);
    assert!(find_draft(&mut rival.tx().await, number).await.unwrap().is_none());
    assert_eq!(count_rows(&mut rival.tx().await, number).await.unwrap(), Counts::default());
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn what_cant_be_read_says_why(pool: PgPool) {
    let desk = Desk::of(&pool, "100").await;
    let number = desk.draft("business_id;name\nOakhaven;A\n1,02E+15;B\n123456789012345678901;C\n;D\n").await;
    assert_eq!(
        desk.found(number).await,
        [
            (2, Finding::NotDigits, None),
            (3, Finding::Rounded, None),
            (4, Finding::TooLong, None),
            (5, Finding::Empty, None),
        ]
    );
}
