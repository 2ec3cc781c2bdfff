//! Holding a batch, letting it go on, stopping the rest.

use super::{super::model::Phase, *};
use crate::onboarding::decide;

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn the_rest_that_is_cancelled_is_what_may_be_cancelled_and_each_has_its_story(pool: PgPool) {
    let yard = Yard::lay(&pool, "100").await;
    let number = yard.batch(&[]).await;
    let mut made = Vec::new();
    for (nth, state) in State::ALL.into_iter().enumerate() {
        for doubtful in [false, true] {
            let request = yard.request(number, nth * 2 + usize::from(doubtful), state, doubtful).await;
            made.push((request, state, doubtful));
        }
    }
    let mut tx = yard.tx().await;
    assert_eq!(store::stoppable(&mut tx, number).await.unwrap(), (2, 2));
    let later = NOW + Duration::minutes(1);
    assert_eq!(store::cancel_rest(&mut tx, number, yard.member, later).await.unwrap(), 2);
    tx.commit().await.unwrap();
    for ((request, before, doubtful), after) in made.iter().zip(yard.states(number).await) {
        let stopped = decide::may_cancel(*before, *doubtful);
        let expected = if stopped { "cancelled" } else { before.as_str() };
        assert_eq!(after, expected, "{before}, doubtful: {doubtful}");
        let mut tx = yard.tx().await;
        let told = sqlx::query_scalar!(
            "SELECT count(*) AS \"n!\" FROM request_events WHERE number = $1 AND state = 'cancelled' AND at = $2 AND member_id = $3",
            request,
            later,
            yard.member,
        )
        .fetch_one(&mut *tx)
        .await
        .unwrap();
        assert_eq!(told > 0, stopped, "{before}");
    }
    let batch = yard.find(number).await;
    assert_eq!(batch.cancelled.map(|deed| deed.by).as_deref(), Some("Ines"));
    let mut tx = yard.tx().await;
    let standing =
        sqlx::query_scalar!("SELECT standing FROM businesses WHERE business_id = $1", Yard::business(number, 0) as _)
            .fetch_one(&mut *tx)
            .await
            .unwrap();
    assert_eq!(standing, "eligible", "it can be asked again");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn pausing_names_who_did_it_first_and_resuming_forgets_it(pool: PgPool) {
    let yard = Yard::lay(&pool, "100").await;
    let number = yard.batch(&[State::Queued]).await;
    let mut tx = yard.tx().await;
    store::pause(&mut tx, number, yard.member, NOW).await.unwrap();
    store::pause(&mut tx, number, yard.member, NOW + Duration::minutes(1)).await.unwrap();
    let pulse = store::pulse(&mut tx, number, NOW).await.unwrap().unwrap();
    assert_eq!(pulse.batch.paused.as_ref().map(|deed| deed.at), Some(NOW));
    assert_eq!(pulse.phase(), Phase::PausedBy("Ines".into()));
    store::resume(&mut tx, number).await.unwrap();
    let pulse = store::pulse(&mut tx, number, NOW).await.unwrap().unwrap();
    assert_eq!(pulse.phase(), Phase::Running);
    store::cancel_rest(&mut tx, number, yard.member, NOW).await.unwrap();
    store::pause(&mut tx, number, yard.member, NOW).await.unwrap();
    assert!(store::find_batch(&mut tx, number, NOW).await.unwrap().unwrap().paused.is_none(), "it's over");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_batch_waits_for_a_token_only_while_none_can_send_it(pool: PgPool) {
    let yard = Yard::lay(&pool, "100").await;
    let number = yard.batch(&[State::Queued]).await;
    let mut tx = yard.tx().await;
    assert!(!store::find_batch(&mut tx, number, NOW).await.unwrap().unwrap().lacks_token);
    sqlx::query!("UPDATE tokens SET expires_at = $1", NOW).execute(&mut *tx).await.unwrap();
    let pulse = store::pulse(&mut tx, number, NOW).await.unwrap().unwrap();
    assert_eq!(pulse.phase(), Phase::SignInAgain);
    sqlx::query!(
        "INSERT INTO system_user_tokens (partner_id, system_user_id, system_user_name, sealed, key_id, scopes, stored_at, stored_by)
         VALUES ($1, '9', 'Sender', 'x', 'k', '{}', $2, $3)",
        yard.partner.as_str() as _,
        NOW,
        yard.member,
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    assert!(!store::find_batch(&mut tx, number, NOW).await.unwrap().unwrap().lacks_token);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn what_had_left_of_a_batch_that_was_paused_and_then_cancelled_is_looked_for(pool: PgPool) {
    use crate::onboarding::store as dispatch;
    let yard = Yard::lay(&pool, "100").await;
    let number = yard.batch(&[State::Queued]).await;
    let left = yard.request(number, 1, State::WaitingToRetry, true).await;
    let mut tx = yard.tx().await;
    store::pause(&mut tx, number, yard.member, NOW).await.unwrap();
    assert!(!dispatch::dispatch_has_work(&mut tx, NOW).await.unwrap());
    assert_eq!(store::cancel_rest(&mut tx, number, yard.member, NOW).await.unwrap(), 1);
    assert_eq!(dispatch::next_due(&mut tx, NOW).await.unwrap(), Some(NOW));
    assert!(dispatch::dispatch_has_work(&mut tx, NOW).await.unwrap());
    let claimed = dispatch::claim_due(&mut tx, dispatch::Room::of(9), NOW).await;
    assert_eq!(claimed.iter().map(|claimed| claimed.number.0).collect::<Vec<_>>(), [left]);
}
