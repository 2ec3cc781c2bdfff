//! Writing wishes down, stopping them, and who may see them.

use futures::future::join_all;
use sqlx::PgPool;

use super::{super::search, *};

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn asking_twice_is_one_open_request(pool: PgPool) {
    let house = House::build(&pool, "100", 1).await;
    let first = house.ask(0).await;
    let second = house.ask(0).await;
    assert!(first.is_new && !second.is_new);
    assert_eq!(first.number, second.number);
    assert_eq!(house.story(first.number).await, [State::Queued]);
    assert_eq!(house.standing(0).await, "queued");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_business_that_changed_meanwhile_stands_as_all_that_is_known_says(pool: PgPool) {
    let house = House::build(&pool, "100", 1).await;
    let mut tx = house.tx().await;
    sqlx::query("UPDATE businesses SET standing = 'not_eligible'").execute(&mut *tx).await.unwrap();
    let queued = store::queue(&mut tx, house.member, &business(0), None, NOW).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    assert!(queued.is_new);
    assert_eq!(house.standing(0).await, "queued");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn of_two_who_ask_at_once_the_second_is_led_to_the_firsts_request(pool: PgPool) {
    let house = House::build(&pool, "100", 1).await;
    let mut first = house.tx().await;
    let mine = store::queue(&mut first, house.member, &business(0), None, NOW).await.unwrap().unwrap();
    let (db, partner, member) = (house.db.clone(), house.partner.clone(), house.member);
    let second = tokio::spawn(async move {
        let mut tx = db.tenant(&partner).await.unwrap();
        let theirs = store::queue(&mut tx, member, &business(0), None, NOW).await.unwrap();
        tx.commit().await.unwrap();
        theirs
    });
    // The second waits for the first to commit: only then is the race the one that matters.
    while !sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock') AS "waits!""#
    )
    .fetch_one(&pool)
    .await
    .unwrap()
    {}
    first.commit().await.unwrap();
    let theirs = second.await.unwrap();
    assert_eq!(theirs, Some(Queued { is_new: false, is_listed: false, ..mine }));
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn however_many_click_at_once_there_is_one_open_request(pool: PgPool) {
    let house = House::build(&pool, "100", 1).await;
    let clicks = join_all((0..8).map(|_| house.ask(0))).await;
    assert_eq!(clicks.iter().filter(|click| click.is_new).count(), 1);
    assert!(clicks.iter().all(|click| click.number == clicks[0].number));
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_request_that_ended_leaves_room_for_another(pool: PgPool) {
    let house = House::build(&pool, "100", 1).await;
    let first = house.ask(0).await;
    let claimed = house.claim(NOW).await.remove(0);
    house.save(&claimed, failed(Cause::AccessDenied), at(1)).await;
    assert_eq!(house.standing(0).await, "failed");
    let second = house.ask(0).await;
    assert!(second.is_new && second.number > first.number);
    let mut tx = house.tx().await;
    let newer = store::newer_request(&mut tx, &business(0), first.number).await.unwrap();
    assert_eq!(newer, Some((second.number, State::Queued)));
    assert_eq!(store::newer_request(&mut tx, &business(0), second.number).await.unwrap(), None);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn what_has_not_left_can_be_stopped_and_what_has_can_not(pool: PgPool) {
    let house = House::build(&pool, "100", 3).await;
    let cancel = async |number| {
        let mut tx = house.tx().await;
        let stopped = store::cancel(&mut tx, number, house.member, at(1)).await.unwrap();
        tx.commit().await.unwrap();
        stopped
    };
    let queued = house.ask(0).await.number;
    assert!(cancel(queued).await);
    assert!(!cancel(queued).await, "once is enough");
    assert_eq!(house.story(queued).await, [State::Queued, State::Cancelled]);
    assert_eq!(house.standing(0).await, "unknown");

    let sending = house.ask(1).await.number;
    let claimed = house.claim(NOW).await.remove(0);
    assert!(!cancel(sending).await);
    house.save(&claimed, Verdict::Wait(Waiting { doubtful: true, ..waits(Cause::OutcomeUnknown, at(5)) }), at(1)).await;
    assert!(!cancel(sending).await, "Meta may hold it");

    let waiting = house.ask(2).await.number;
    let claimed = house.claim(NOW).await.remove(0);
    house.save(&claimed, Verdict::Wait(waits(Cause::Temporary, at(5))), at(1)).await;
    assert!(cancel(waiting).await);
    assert!(!cancel(RequestNumber(999)).await);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn nobody_sees_or_moves_another_partners_requests(pool: PgPool) {
    let (ours, theirs) = (House::build(&pool, "100", 1).await, House::build(&pool, "200", 1).await);
    let number = ours.ask(0).await.number;
    let mut tx = theirs.tx().await;
    assert!(store::find_request(&mut tx, number).await.unwrap().is_none());
    assert!(store::events_of(&mut tx, number).await.unwrap().is_empty());
    let all = crate::businesses::Span { before: None, since: None, most: 9 };
    assert!(store::story_of_requests(&mut tx, &business(0), None, all).await.unwrap().is_empty());
    assert!(search::rows_of(&mut tx, &[number.0]).await.unwrap().is_empty());
    assert!(store::claim_due(&mut tx, store::Room::of(9), NOW).await.is_empty());
    assert!(!store::cancel(&mut tx, number, theirs.member, NOW).await.unwrap());
    let seen = sqlx::query_scalar!(r#"SELECT count(*) AS "seen!" FROM requests"#).fetch_one(&mut *tx).await.unwrap();
    assert_eq!(seen, 0, "the wall is Postgres's own");
    drop(tx);
    assert!(theirs.ask(0).await.is_new, "the same business may be asked by both");
    let request = store::find_request(&mut ours.tx().await, number).await.unwrap().unwrap();
    assert_eq!((request.business_name.as_str(), request.member_name.as_str()), ("business 0", "Ines"));
}
