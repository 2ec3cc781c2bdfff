//! Trying failures again.

use futures::future::{join, join_all};

use super::*;
use crate::{
    businesses::Standing,
    db::until_somebody_waits,
    graph::BusinessId,
    onboarding::store::{hold_starts, queue},
    reconcile::pause,
};

impl Yard {
    async fn solution(&self, id: &str, status: &str) {
        let mut tx = self.tx().await;
        sqlx::query!(
            "INSERT INTO solutions (partner_id, solution_id, name, status, role, seen_at) VALUES ($1, $2, 'S', $3, 'owner', $4)
             ON CONFLICT (partner_id, solution_id) DO UPDATE SET status = $3",
            self.partner.as_str() as _,
            id as _,
            status,
            NOW,
        )
        .execute(&mut *tx)
        .await
        .unwrap();
        tx.commit().await.unwrap();
    }

    /// The `nth` request of a batch is for a solution.
    async fn choose(&self, batch: BatchNumber, nth: usize, solution: &str) {
        let (mut tx, business) = (self.tx().await, Self::business(batch, nth));
        sqlx::query!("UPDATE requests SET solution_id = $1 WHERE business_id = $2", solution as _, business as _)
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// The `nth` business of a batch shares nothing any more.
    async fn leave(&self, batch: BatchNumber, nth: usize) {
        let (mut tx, business) = (self.tx().await, Self::business(batch, nth));
        sqlx::query!("UPDATE businesses SET left_at = $1 WHERE business_id = $2", NOW, business as _)
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// Open requests of each business that has any.
    async fn open_requests(&self) -> Vec<i64> {
        let mut tx = self.tx().await;
        sqlx::query_scalar!(
            "SELECT count(*) AS \"n!\" FROM requests WHERE state IN ('queued', 'sending', 'waiting_to_retry', 'requested')
             GROUP BY business_id"
        )
        .fetch_all(&mut *tx)
        .await
        .unwrap()
    }
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn what_failed_is_tried_again_once_and_lands_on_the_batch_that_did(pool: PgPool) {
    let yard = Yard::lay(&pool, "100").await;
    let number = yard.batch(&[State::Failed, State::Failed, State::Requested, State::Failed]).await;
    let mut tx = yard.tx().await;
    sqlx::query!("UPDATE requests SET cause = 'temporary' WHERE business_id = $1", Yard::business(number, 3) as _)
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    yard.solution("23", "ACTIVE").await;
    yard.choose(number, 1, "23").await;
    let groups = store::failures(&mut yard.tx().await, number).await.unwrap();
    let told: Vec<_> = groups.iter().map(|group| (group.cause.as_str(), group.count, group.retriable)).collect();
    assert_eq!(told, [("access_denied", 2, 2), ("temporary", 1, 1)]);

    let Retried::Started { batch: made, size: 2, left: 0 } = yard.retry(number).await else {
        panic!("two are tried again")
    };
    let batch = yard.find(made).await;
    assert_eq!((batch.title().as_str(), batch.size, batch.retry_of), ("Retry of November", 2, Some(number)));
    assert!(batch.started_at.is_some());
    assert_eq!(yard.states(made).await, ["queued", "queued"]);
    let mut tx = yard.tx().await;
    let solutions = sqlx::query_scalar!(
        r#"SELECT coalesce(solution_id::text, '-') AS "s!" FROM requests WHERE batch_number = $1 AND NOT alone ORDER BY business_id"#,
        made.0
    )
    .fetch_all(&mut *tx)
    .await
    .unwrap();
    assert_eq!(solutions, ["-", "23"], "each keeps its solution");
    drop(tx);
    assert_eq!(yard.states(number).await, ["failed", "failed", "requested", "failed"], "the past stays as it was");
    assert_eq!(yard.retry(number).await, Retried::Nothing(Some(made)));
    let groups = store::failures(&mut yard.tx().await, number).await.unwrap();
    assert_eq!(groups.iter().map(|group| group.retriable).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(store::retries_of(&mut yard.tx().await, number).await.unwrap(), [made]);
    // What was cancelled before it left may be tried again.
    let mut tx = yard.tx().await;
    store::cancel_rest(&mut tx, made, yard.member, NOW).await.unwrap();
    tx.commit().await.unwrap();
    assert!(matches!(yard.retry(number).await, Retried::Started { size: 2, .. }));
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn those_who_try_again_at_once_make_one_batch(pool: PgPool) {
    let yard = Yard::lay(&pool, "100").await;
    let number = yard.batch(&[State::Failed; 20]).await;
    let retried = join_all((0..4).map(|_| yard.retry(number))).await;
    let made = store::retries_of(&mut yard.tx().await, number).await.unwrap();
    let [made] = made[..] else { panic!("one batch, not {made:?}") };
    let started = Retried::Started { batch: made, size: 20, left: 0 };
    assert_eq!(retried.iter().filter(|one| **one == started).count(), 1, "{retried:?}");
    assert_eq!(retried.iter().filter(|one| **one == Retried::Nothing(Some(made))).count(), 3, "{retried:?}");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_start_that_came_first_keeps_what_it_asks_and_the_rest_is_tried_again(pool: PgPool) {
    let yard = Yard::lay(&pool, "100").await;
    let number = yard.batch(&[State::Failed; 40]).await;
    let mut tx = yard.tx().await;
    hold_starts(&mut tx).await.unwrap();
    // In another order than failures are tried again in, and slowly.
    let start = async {
        for nth in (0..40).rev().step_by(2) {
            let business: BusinessId = Yard::business(number, nth).parse().unwrap();
            assert!(queue(&mut tx, yard.member, &business, None, NOW).await.unwrap().unwrap().is_new);
            pause(std::time::Duration::from_millis(5)).await;
        }
        tx.commit().await.unwrap();
    };
    let (retried, ()) = join(yard.retry(number), start).await;
    assert!(matches!(retried, Retried::Started { size: 20, left: 0, .. }), "{retried:?}");
    assert_eq!(yard.open_requests().await, [1; 40]);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn clicks_in_the_midst_of_a_retry_ask_no_business_twice(pool: PgPool) {
    let yard = Yard::lay(&pool, "100").await;
    let number = yard.batch(&[State::Failed; 8]).await;
    let click = async |nth: usize| {
        let mut tx = yard.tx().await;
        let business: BusinessId = Yard::business(number, nth).parse().unwrap();
        let queued = queue(&mut tx, yard.member, &business, None, NOW).await.unwrap();
        tx.commit().await.unwrap();
        usize::from(queued.is_some_and(|queued| queued.is_new))
    };
    let clicks = join_all((0..8).rev().map(click));
    let (clicked, retried) = join(clicks, yard.retry(number)).await;
    let again = if let Retried::Started { size, .. } = retried { size } else { 0 };
    assert_eq!(clicked.into_iter().sum::<usize>() + again, 8, "{retried:?}");
    assert_eq!(yard.open_requests().await, [1; 8]);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_business_that_signs_in_the_midst_of_a_retry_is_not_asked_again(pool: PgPool) {
    let yard = Yard::lay(&pool, "100").await;
    let number = yard.batch(&[State::Failed; 2]).await;
    let (mut told, business) = (yard.tx().await, Yard::business(number, 0));
    sqlx::query!(
        "UPDATE businesses SET meta_status = 'TERM_OF_SERVICE_SIGNED', meta_status_since = $1, checked_at = $1 WHERE business_id = $2",
        NOW,
        business as _,
    )
    .execute(&mut *told)
    .await
    .unwrap();
    sqlx::query!("SELECT FROM refresh_standing($1)", &[business]).execute(&mut *told).await.unwrap();
    let tells = async {
        until_somebody_waits(&pool).await;
        told.commit().await.unwrap();
    };
    let (retried, ()) = join(yard.retry(number), tells).await;
    let Retried::Started { batch, .. } = retried else { panic!("{retried:?}") };
    assert_eq!(yard.states(batch).await, ["cancelled", "queued"]);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn nothing_is_tried_again_with_a_solution_that_cant_be_used_any_more(pool: PgPool) {
    let yard = Yard::lay(&pool, "100").await;
    yard.solution("23", "ACTIVE").await;
    yard.solution("24", "DEACTIVATED").await;
    let number = yard.batch(&[State::Failed; 3]).await;
    for (nth, solution) in [(0, "24"), (1, "25"), (2, "23")] {
        yard.choose(number, nth, solution).await;
    }
    let retried = yard.retry(number).await;
    assert!(matches!(retried, Retried::Started { size: 1, left: 2, .. }), "{retried:?}");
    assert_eq!(yard.retry(number).await, Retried::SolutionUnusable);
    assert_eq!(yard.open_requests().await, [1], "nothing was sent");
    assert_eq!(store::retries_of(&mut yard.tx().await, number).await.unwrap().len(), 1, "and no batch made");
    yard.solution("24", "ACTIVE").await;
    let retried = yard.retry(number).await;
    assert!(matches!(retried, Retried::Started { size: 1, left: 1, .. }), "{retried:?}");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn only_businesses_that_may_be_asked_are_tried_again(pool: PgPool) {
    let yard = Yard::lay(&pool, "100").await;
    for standing in Standing::ALL {
        let number = yard.batch(&[State::Failed]).await;
        let mut tx = yard.tx().await;
        sqlx::query!(
            "UPDATE businesses SET standing = $1, waiting_since = NULL WHERE business_id = $2",
            standing.as_str(),
            Yard::business(number, 0) as _,
        )
        .execute(&mut *tx)
        .await
        .unwrap();
        tx.commit().await.unwrap();
        let may = !matches!(
            standing,
            Standing::NotEligible | Standing::TakenByAnotherPartner | Standing::Accepted | Standing::Ready
        );
        let group = store::failures(&mut yard.tx().await, number).await.unwrap().remove(0);
        assert_eq!(group.retriable > 0, may, "{standing:?}");
        assert_eq!(matches!(yard.retry(number).await, Retried::Started { size: 1, .. }), may, "{standing:?}");
    }
    let number = yard.batch(&[State::Failed; 2]).await;
    yard.leave(number, 0).await;
    assert!(matches!(yard.retry(number).await, Retried::Started { size: 1, .. }), "the other one stays");
    let number = yard.batch(&[State::Failed]).await;
    yard.leave(number, 0).await;
    assert_eq!(yard.retry(number).await, Retried::Nothing(None));
}
