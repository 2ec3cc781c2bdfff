//! Claiming, saving, and taking up what was left behind.

use sqlx::PgPool;

use crate::pauses;

use super::*;
use crate::graph::BusinessStatus;

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_claim_reads_the_rows_it_claims_and_not_all_there_are(pool: PgPool) {
    let house = House::build(&pool, "100", 3).await;
    let number = house.ask(0).await.number;
    let mut past = pool.begin().await.unwrap();
    sqlx::raw_sql(
        "INSERT INTO requests (partner_id, batch_number, business_id, member_id, state, queued_at, changed_at, failed_at, cause)
         SELECT partner_id, batch_number, 7000000 + n, member_id, 'failed', queued_at, changed_at, changed_at, 'temporary'
         FROM requests, generate_series(1, 5000) AS n;
         ANALYZE requests",
    )
    .execute(&mut *past)
    .await
    .unwrap();
    past.commit().await.unwrap();
    let mut tx = house.db.tenant_by_keys(&house.partner).await.unwrap();
    let claimed = store::claim_due(&mut tx, store::Room::of(2), NOW).await;
    assert_eq!(claimed.iter().map(|claimed| claimed.number).collect::<Vec<_>>(), [number]);
    let read = sqlx::query_scalar::<_, i64>(
        "SELECT (seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint FROM pg_stat_xact_user_tables WHERE relname = 'requests'",
    );
    let read = read.fetch_one(&mut *tx).await.unwrap();
    assert!(read < 50, "{read} rows of requests were read");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn what_is_due_is_claimed_once_and_oldest_first(pool: PgPool) {
    let house = House::build(&pool, "100", 3).await;
    let mut numbers = Vec::new();
    for nth in 0..3 {
        numbers.push(house.ask(nth).await.number);
    }
    let mut tx = house.tx().await;
    let first: Vec<_> =
        store::claim_due(&mut tx, store::Room::of(2), NOW).await.into_iter().map(|claimed| claimed.number).collect();
    tx.commit().await.unwrap();
    assert_eq!(first, numbers[..2]);
    let rest: Vec<_> = house.claim(NOW).await.into_iter().map(|claimed| claimed.number).collect();
    assert_eq!(rest, numbers[2..]);
    assert!(house.claim(NOW).await.is_empty());
    assert_eq!(house.standing(0).await, "sending");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_member_whose_token_died_sends_nothing_until_there_is_a_newer_one(pool: PgPool) {
    let house = House::build(&pool, "100", 2).await;
    let number = house.ask(0).await.number;
    let claimed = house.claim(NOW).await.remove(0);
    house.save(&claimed, Verdict::Wait(waits(Cause::TokenInvalid, at(60))), at(1)).await;
    let mut tx = house.tx().await;
    sqlx::query!("UPDATE tokens SET problem = 'expired', problem_at = $1", at(1)).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    house.ask(1).await;
    assert!(house.claim(at(120)).await.is_empty(), "neither the old nor the new one");
    assert_eq!(store::next_due(&mut house.tx().await, at(120)).await.unwrap(), None);

    let mut tx = house.tx().await;
    sqlx::query!("UPDATE tokens SET problem = NULL, problem_at = NULL, stored_at = $1", at(2))
        .execute(&mut *tx)
        .await
        .unwrap();
    store::resume_after_sign_in(&mut tx, at(3)).await.unwrap();
    tx.commit().await.unwrap();
    let due: Vec<_> = house.claim(at(3)).await.into_iter().map(|claimed| (claimed.number, claimed.attempt)).collect();
    assert!(due.contains(&(number, 2)), "a newer token needn't wait for the hour: {due:?}");
    assert_eq!(due.len(), 2);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn an_expired_token_sends_nothing(pool: PgPool) {
    let house = House::build(&pool, "100", 1).await;
    house.ask(0).await;
    let mut tx = house.tx().await;
    sqlx::query!("UPDATE tokens SET expires_at = $1", at(10)).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    assert!(house.claim(at(10)).await.is_empty());
    assert_eq!(house.claim(at(9)).await.len(), 1);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn when_meta_asks_to_wait_the_whole_partner_waits_and_others_do_not(pool: PgPool) {
    let house = House::build(&pool, "100", 2).await;
    let other = House::build(&pool, "200", 1).await;
    house.ask(0).await;
    let claimed = house.claim(NOW).await.remove(0);
    let asked = Waiting { pauses_partner: true, ..waits(Cause::Throttled, at(19)) };
    house.save(&claimed, Verdict::Wait(asked), at(1)).await;
    house.ask(1).await;
    other.ask(0).await;
    assert!(house.claim(at(18)).await.is_empty());
    assert_eq!(store::next_due(&mut house.tx().await, at(2)).await.unwrap(), Some(at(19)));
    assert_eq!(pauses::until(&mut house.tx().await, at(2)).await.unwrap(), Some(at(19)));
    assert_eq!(other.claim(at(2)).await.len(), 1);
    assert_eq!(house.claim(at(19)).await.len(), 2);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_pause_is_never_made_shorter(pool: PgPool) {
    let house = House::build(&pool, "100", 2).await;
    house.ask(0).await;
    house.ask(1).await;
    for (claimed, until) in house.claim(NOW).await.iter().zip([at(19), at(5)]) {
        house
            .save(claimed, Verdict::Wait(Waiting { pauses_partner: true, ..waits(Cause::Throttled, until) }), at(1))
            .await;
    }
    assert_eq!(pauses::until(&mut house.tx().await, at(2)).await.unwrap(), Some(at(19)));
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn an_answer_is_saved_only_into_its_own_attempt(pool: PgPool) {
    let house = House::build(&pool, "100", 1).await;
    let number = house.ask(0).await.number;
    let first = house.claim(NOW).await.remove(0);
    house.save(&first, Verdict::Wait(waits(Cause::Temporary, at(1))), NOW).await;
    let second = house.claim(at(2)).await.remove(0);
    house.save(&first, failed(Cause::Blocked), at(3)).await;
    assert_eq!(house.state(number).await, State::Sending, "an answer from before changes nothing");
    house.save(&second, requested("555"), at(3)).await;
    house.save(&second, failed(Cause::Blocked), at(4)).await;
    assert_eq!(house.state(number).await, State::Requested, "and neither does a second answer");
    assert_eq!(house.story(number).await, [State::Queued, State::WaitingToRetry, State::Requested]);
    let request = store::find_request(&mut house.tx().await, number).await.unwrap().unwrap();
    assert_eq!(
        (request.meta_request_id.as_deref(), request.answered_at, request.attempts),
        (Some("555"), Some(at(3)), 2)
    );
    assert_eq!(house.standing(0).await, "requested");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn what_an_ended_process_left_sending_is_taken_up_in_doubt(pool: PgPool) {
    let house = House::build(&pool, "100", 1).await;
    let number = house.ask(0).await.number;
    house.claim(NOW).await;
    let is_interrupted = async || store::find_start(&mut house.tx().await, 64, NOW).await.unwrap().is_interrupted;
    assert!(is_interrupted().await);
    let left = store::interrupted(&mut house.tx().await).await.unwrap();
    assert_eq!(left.iter().map(|claimed| (claimed.number, claimed.attempt)).collect::<Vec<_>>(), [(number, 1)]);
    let taken_up =
        Waiting { until: at(1), cause: Cause::OutcomeUnknown, faults: 0, doubtful: true, pauses_partner: false };
    house.save(&left[0], Verdict::Wait(taken_up), at(1)).await;
    assert!(!is_interrupted().await);
    let again = house.claim(at(1)).await.remove(0);
    assert!(again.doubtful, "the status is read before anything is sent");
    assert_eq!(again.attempt, 2);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_later_request_knows_the_ids_meta_gave_before(pool: PgPool) {
    let house = House::build(&pool, "100", 1).await;
    let first = house.ask(0).await.number;
    let claimed = house.claim(NOW).await.remove(0);
    house.save(&claimed, requested("555"), at(1)).await;
    let mut tx = house.tx().await;
    store::advance(&mut tx, &[(first, State::Ready)], at(2)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(house.story(first).await, [State::Queued, State::Requested, State::Ready]);
    house.ask(0).await;
    let claimed = house.claim(at(3)).await.remove(0);
    assert_eq!(claimed.known_ids, ["555".parse().unwrap()]);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_request_follows_its_business(pool: PgPool) {
    let house = House::build(&pool, "100", 2).await;
    for nth in 0..2 {
        house.ask(nth).await;
    }
    for claimed in house.claim(NOW).await {
        house.save(&claimed, requested("555"), at(1)).await;
    }
    assert!(store::behind(&mut house.tx().await, 9).await.unwrap().is_empty());
    let mut tx = house.tx().await;
    let signed = BusinessStatus { status: Some("TERM_OF_SERVICE_SIGNED".to_owned()), date: None };
    crate::businesses::keep_told(&mut tx, &[(business(0), signed)], &[], at(2)).await.unwrap();
    let ready = business(1);
    sqlx::query!(
        "INSERT INTO wabas (partner_id, waba_id, business_id, name, link, eligibility, first_seen_at, changed_at)
         VALUES ('100', '1', $1, 'W', 'shared', 'ONBOARDED', $2, $2)",
        ready.as_str(),
        NOW,
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    crate::businesses::refresh_standing(&mut tx, &[business(0), business(1)]).await.unwrap();
    let behind = store::behind(&mut tx, 9).await.unwrap();
    let moves: Vec<_> = behind
        .iter()
        .map(|behind| (behind.number, crate::onboarding::decide::follow(behind.state, behind.progress).unwrap()))
        .collect();
    assert_eq!(moves.iter().map(|(_, state)| *state).collect::<Vec<_>>(), [State::Accepted, State::Ready]);
    store::advance(&mut tx, &moves, at(3)).await.unwrap();
    assert!(store::behind(&mut tx, 9).await.unwrap().is_empty(), "what has followed is not behind");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn the_doubt_of_a_request_that_failed_is_its_successors(pool: PgPool) {
    let house = House::build(&pool, "100", 1).await;
    let end = |doubtful| Settled {
        state: State::Failed,
        cause: Some(Cause::OutcomeUnknown),
        meta_request_id: None,
        doubtful,
    };
    for (nth, (inherits, leaves)) in
        [(false, true), (true, true), (true, false), (false, false)].into_iter().enumerate()
    {
        let number = house.ask(0).await.number;
        let claimed = house.claim(at(3 * i64::try_from(nth).unwrap())).await.remove(0);
        assert_eq!((claimed.number, claimed.doubtful), (number, inherits), "the {nth}th");
        house.save(&claimed, Verdict::Settle(end(leaves)), at(1 + 3 * i64::try_from(nth).unwrap())).await;
    }
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn one_that_was_stopped_at_its_turn_is_cancelled_and_leaves_room(pool: PgPool) {
    let house = House::build(&pool, "100", 1).await;
    let number = house.ask(0).await.number;
    let claimed = house.claim(NOW).await.remove(0);
    let stopped = Settled { state: State::Cancelled, cause: None, meta_request_id: None, doubtful: false };
    house.save(&claimed, Verdict::Settle(stopped), at(1)).await;
    assert_eq!(house.story(number).await, [State::Queued, State::Cancelled]);
    assert!(house.ask(0).await.is_new);
}
