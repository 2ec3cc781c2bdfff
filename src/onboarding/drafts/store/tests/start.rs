//! Starting drafts.

use super::*;
use crate::{businesses, onboarding::store as requests};

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn each_row_to_send_becomes_one_queued_request(pool: PgPool) {
    let desk = Desk::of(&pool, "100").await;
    desk.businesses(["51", "52", "53", "54"]).await;
    desk.business("55", Standing::Accepted).await;
    desk.solution("31", "ACTIVE").await;
    desk.solution("32", "ACTIVE").await;
    let number = desk.draft("business_id,solution_id\n54,\n951,32\n51,\n52,\n53,\n55,\nx,\n").await;
    desk.correct(number, Correction { shown: vec![6], ..Correction::default() }).await;
    let starter = desk.hire("8").await;
    let mut tx = desk.tx().await;
    let draft = hold_draft(&mut tx, number).await.unwrap().unwrap();
    let solution = "31".parse().unwrap();
    let wish = Wish { member_id: starter, name: "Wave", solution: Some(&solution), to_send: 3 };
    assert_eq!(start(&mut tx, &draft, &wish, NOW).await.unwrap(), 3);
    let made = sqlx::query!(
        r#"SELECT r.business_id::text AS "business!", r.solution_id::text AS solution, r.state, r.alone, r.member_id, e.state AS told,
            b.standing
        FROM requests r JOIN request_events e USING (partner_id, number) JOIN businesses b USING (partner_id, business_id)
        WHERE r.batch_number = $1 ORDER BY r.number"#,
        number.0,
    )
    .fetch_all(&mut *tx)
    .await
    .unwrap();
    let told: Vec<_> = made.iter().map(|row| (row.business.as_str(), row.solution.as_deref())).collect();
    assert_eq!(told, [("54", Some("31")), ("51", Some("32")), ("52", Some("31"))], "in the order of the list");
    for row in &made {
        assert_eq!((row.state.as_str(), row.told.as_str(), row.alone), ("queued", "queued", false));
        assert_eq!((row.member_id, row.standing.as_str()), (starter, "queued"));
    }
    let batch = sqlx::query!("SELECT size, name, member_id, started_at FROM batches WHERE batch_number = $1", number.0)
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    assert_eq!((batch.size, batch.name.as_str(), batch.member_id, batch.started_at), (3, "Wave", starter, Some(NOW)));
    assert!(find_draft(&mut tx, number).await.unwrap().unwrap().is_started);
}

/// Everything kept about where businesses stand.
async fn standings(desk: &Desk) -> Vec<String> {
    let mut tx = desk.tx().await;
    sqlx::query_scalar!(r#"SELECT (b.*)::text AS "row!" FROM businesses b ORDER BY business_id"#)
        .fetch_all(&mut *tx)
        .await
        .unwrap()
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn businesses_stand_after_it_as_they_would_if_that_was_worked_out_anew(pool: PgPool) {
    let desk = Desk::of(&pool, "100").await;
    let ids = ["51", "52", "53", "54"];
    desk.businesses(ids).await;
    let refresh = async |desk: &Desk| {
        let mut tx = desk.tx().await;
        businesses::refresh_standing(&mut tx, &ids.map(id)).await.unwrap();
        tx.commit().await.unwrap();
    };
    let mut tx = desk.tx().await;
    // One is eligible, one failed, of two Meta said nothing.
    sqlx::query!("UPDATE wabas SET eligibility = 'ELIGIBLE' WHERE business_id = '51'").execute(&mut *tx).await.unwrap();
    requests::queue(&mut tx, desk.member, &id("52"), None, NOW).await.unwrap();
    sqlx::query!("UPDATE requests SET state = 'failed', failed_at = $1, cause = 'temporary'", NOW)
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    refresh(&desk).await;
    let number = desk.draft(&list(&ids)).await;
    let mut tx = desk.tx().await;
    hold_starts(&mut tx).await.unwrap();
    let draft = hold_draft(&mut tx, number).await.unwrap().unwrap();
    // A sync finds a WABA onboarded between the check and the start.
    let mut sync = desk.tx().await;
    sqlx::query!("UPDATE wabas SET eligibility = 'ONBOARDED' WHERE business_id = '54'")
        .execute(&mut *sync)
        .await
        .unwrap();
    businesses::refresh_standing(&mut sync, &[id("54")]).await.unwrap();
    sync.commit().await.unwrap();
    let wish = Wish { member_id: desk.member, name: "", solution: None, to_send: 4 };
    assert_eq!(start(&mut tx, &draft, &wish, NOW).await.unwrap(), 4);
    tx.commit().await.unwrap();
    let noted = standings(&desk).await;
    refresh(&desk).await;
    assert_eq!(standings(&desk).await, noted);
    let mut tx = desk.tx().await;
    let stand = sqlx::query_scalar!("SELECT standing FROM businesses ORDER BY business_id").fetch_all(&mut *tx).await;
    assert_eq!(stand.unwrap(), ["queued", "queued", "queued", "ready"]);
    let states =
        sqlx::query_scalar!("SELECT state FROM requests WHERE batch_number = $1 ORDER BY business_id", number.0);
    let states = states.fetch_all(&mut *tx).await.unwrap();
    assert_eq!(states, ["queued", "queued", "queued", "cancelled"], "there is nothing to ask for any more");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_request_that_was_quicker_stands_and_the_row_says_so(pool: PgPool) {
    let desk = Desk::of(&pool, "100").await;
    desk.businesses(["51", "52"]).await;
    let number = desk.draft(&list(&["51", "52"])).await;
    let mut tx = desk.tx().await;
    let draft = hold_draft(&mut tx, number).await.unwrap().unwrap();
    // Checked before somebody clicks, started after it.
    let mut click = desk.tx().await;
    requests::queue(&mut click, desk.member, &id("52"), None, NOW).await.unwrap();
    click.commit().await.unwrap();
    let wish = Wish { member_id: desk.member, name: "", solution: None, to_send: 2 };
    assert_eq!(start(&mut tx, &draft, &wish, NOW).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert_eq!(desk.found(number).await, [(2, Finding::Eligible, None), (3, Finding::AlreadyRequested, None)]);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn two_drafts_of_the_same_businesses_started_at_once_ask_each_once(pool: PgPool) {
    let desk = Desk::of(&pool, "100").await;
    let ids: Vec<String> = (0..200).map(|at| format!("5{at:03}")).collect();
    let mut ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    desk.businesses(ids.iter().copied()).await;
    let one = desk.draft(&list(&ids)).await;
    ids.reverse();
    let two = desk.draft(&list(&ids)).await;
    let (first, second) = tokio::join!(desk.start(one), desk.start(two));
    assert_eq!(first + second, 200);
    let mut tx = desk.tx().await;
    let open = sqlx::query_scalar!("SELECT count(DISTINCT business_id) AS \"count!\" FROM requests")
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    assert_eq!(open, 200);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn starting_a_selection_clears_it_and_starting_a_list_does_not(pool: PgPool) {
    let desk = Desk::of(&pool, "100").await;
    desk.businesses(["51", "52"]).await;
    let ticks = businesses::Ticks { shown: vec![id("51")], ticked: vec![id("51")] };
    let mut tx = desk.tx().await;
    businesses::keep_ticks(&mut tx, desk.member, &ticks).await.unwrap();
    tx.commit().await.unwrap();
    let ticked = async || {
        sqlx::query_scalar!("SELECT count(*) AS \"count!\" FROM selected_businesses")
            .fetch_one(&mut *desk.tx().await)
            .await
            .unwrap()
    };
    let from_list = desk.draft(&list(&["52"])).await;
    assert_eq!(desk.start(from_list).await, 1);
    assert_eq!(ticked().await, 1);
    let mut tx = desk.tx().await;
    let selection = draft_selection(&mut tx, desk.member, NOW).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    desk.check(selection).await;
    assert_eq!(desk.start(selection).await, 1);
    assert_eq!(ticked().await, 0);
}
