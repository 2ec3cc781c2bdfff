//! Counting, and the limits that hold a batch back.

use super::{
    super::{at_work, model::Hold},
    *,
};

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_batch_counts_its_own_requests_and_no_other(pool: PgPool) {
    let yard = Yard::lay(&pool, "100").await;
    let number = yard.batch(&State::ALL).await;
    yard.batch(&[State::Failed; 3]).await;
    let pulse = store::pulse(&mut yard.tx().await, number, NOW).await.unwrap().unwrap();
    for state in State::ALL {
        assert_eq!(pulse.counts.of(state), 1, "{state}");
    }
    assert_eq!((pulse.counts.answered(), pulse.counts.open(), pulse.counts.total()), (6, 3, 10));
    assert_eq!((pulse.batch.size, pulse.batch.title()), (10, "November".to_owned()));
    assert_eq!(pulse.answered_at, Some(NOW));
    let minutes = store::minutes(&mut yard.tx().await, number, NOW + Duration::seconds(59)).await.unwrap();
    assert_eq!(minutes.last(), 6, "what waits to retry wasn't answered");
    let later = store::minutes(&mut yard.tx().await, number, NOW + Duration::minutes(12)).await.unwrap();
    assert_eq!(later.all().iter().sum::<u64>(), 0);
    let latest = store::latest(&mut yard.tx().await, number, 20).await.unwrap();
    assert_eq!(latest.len(), 7, "queued, sending and cancelled were not answered: {latest:?}");
    assert_eq!(store::latest(&mut yard.tx().await, number, 2).await.unwrap().len(), 2);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn the_limit_is_the_worse_of_the_partners_and_the_apps_while_it_is_fresh(pool: PgPool) {
    let (ours, theirs) = (Yard::lay(&pool, "100").await, Yard::lay(&pool, "200").await);
    let mut tx = ours.tx().await;
    assert_eq!(at_work(&mut tx, NOW).await.unwrap().limit, None);
    sqlx::query!(
        "INSERT INTO paces (partner_id, concurrency, used_percent, used_at, wait_until, told_at, cause)
         VALUES ($1, 8, 99.6, $2, $3, $2, 'near_limit')",
        ours.partner.as_str() as _,
        NOW,
        NOW + Duration::minutes(2),
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(at_work(&mut ours.tx().await, NOW).await.unwrap().limit, Some(99), "not yet all of it");
    assert_eq!(at_work(&mut theirs.tx().await, NOW).await.unwrap().limit, None, "another partner's is theirs");
    let limit = store::limit(&mut ours.tx().await, NOW).await.unwrap();
    assert_eq!(limit.wait.map(|wait| wait.hold), Some(Hold::NearLimit));
    sqlx::query!(
        "INSERT INTO app_paces (app_id, used_percent, used_at, wait_until, told_at) VALUES ('7', 140, $1, $2, $1)",
        NOW,
        NOW + Duration::minutes(4),
    )
    .execute(&pool)
    .await
    .unwrap();
    for yard in [&ours, &theirs] {
        let limit = store::limit(&mut yard.tx().await, NOW).await.unwrap();
        assert_eq!((limit.used_percent, limit.wait.map(|wait| wait.hold)), (Some(100), Some(Hold::Told)));
        let later = store::limit(&mut yard.tx().await, NOW + Duration::hours(1)).await.unwrap();
        assert_eq!((later.used_percent, later.wait), (None, None));
    }
}
