//! Listing rows and correcting them.

use super::*;

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn an_id_entered_takes_the_place_of_the_given_one_until_it_is_taken_away(pool: PgPool) {
    let desk = Desk::of(&pool, "100").await;
    desk.businesses(["51", "52"]).await;
    let number = desk.draft(&list(&["2.2E+15", "51", "x"])).await;
    let enter = |text: &str| Correction { entered: vec![(2, text.to_owned())], ..Correction::default() };
    for (text, finding, entered) in [
        (" 5-2 ", Finding::Eligible, Some("5-2")),
        ("51", Finding::Eligible, Some("51")),
        ("952", Finding::WabaId, Some("952")),
        ("no", Finding::NotDigits, Some("no")),
        ("", Finding::Rounded, None),
        ("2.2E+15", Finding::Rounded, None),
    ] {
        desk.correct(number, enter(text)).await;
        let row = desk.rows(number).await.remove(0);
        assert_eq!((row.finding, row.entered.as_deref(), row.given.as_str()), (finding, entered, "2.2E+15"), "{text}");
    }
    desk.correct(number, enter("51")).await;
    assert_eq!(desk.found(number).await[1], (3, Finding::Duplicate, Some(2)), "the later row is the duplicate now");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_correction_touches_the_rows_of_its_page_alone(pool: PgPool) {
    let desk = Desk::of(&pool, "100").await;
    desk.businesses(["51", "52", "53"]).await;
    let number = desk.draft(&list(&["51", "52", "53"])).await;
    desk.correct(number, Correction { shown: vec![2, 3], kept: vec![3], entered: Vec::new() }).await;
    let left_out = async || desk.rows(number).await.into_iter().map(|row| row.left_out).collect::<Vec<_>>();
    assert_eq!(left_out().await, [true, false, false]);
    desk.correct(number, Correction { shown: vec![2], kept: vec![2, 4], entered: Vec::new() }).await;
    assert_eq!(left_out().await, [false, false, false]);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn rows_are_paged_by_line_both_ways(pool: PgPool) {
    let desk = Desk::of(&pool, "100").await;
    desk.businesses(["51", "52", "53", "54"]).await;
    let number = desk.draft(&list(&["51", "x", "52", "x", "53", "54"])).await;
    let mut tx = desk.tx().await;
    for (group, part, lines) in [
        (Group::ToSend, Part::After(0), &[2, 4][..]),
        (Group::ToSend, Part::After(4), &[6, 7]),
        (Group::ToSend, Part::Before(7), &[4, 6]),
        (Group::Unreadable, Part::After(0), &[3, 5]),
        (Group::Problems, Part::After(3), &[5]),
        (Group::All, Part::Before(3), &[2]),
        (Group::Taken, Part::After(0), &[]),
    ] {
        let rows = list_rows(&mut tx, number, group, part, 2).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), lines, "{group:?} {part:?}");
    }
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn every_row_is_sent_or_rejected(pool: PgPool) {
    let desk = Desk::of(&pool, "100").await;
    desk.businesses(["51", "52", "53"]).await;
    let number = desk.draft(&list(&["51", "951", "952", "x", "77", "53"])).await;
    desk.correct(number, Correction { shown: vec![7], ..Correction::default() }).await;
    let mut tx = desk.tx().await;
    let mut rejected = Vec::new();
    while let Some(row) = rejected_rows(&mut tx, number, rejected.last().copied().unwrap_or(0), 1).await.unwrap().pop()
    {
        rejected.push(row.line);
    }
    let sent = list_rows(&mut tx, number, Group::ToSend, Part::After(0), 100).await.unwrap();
    assert_eq!(sent.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 4]);
    assert_eq!(rejected, [3, 5, 6, 7]);
}
