//! Watching a batch.

use super::{
    super::{live::Live, model::Pulse},
    *,
};
use crate::{
    clock::Clock,
    onboarding::reconcile::settled,
    reconcile::{self, CancellationToken, Signals},
};

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_watch_begins_with_the_first_viewer_is_shared_and_ends_with_the_last(pool: PgPool) {
    let yard = Yard::lay(&pool, "100").await;
    let number = yard.batch(&[State::Queued, State::Queued]).await;
    let (stop, signals) = (CancellationToken::new(), Signals::default());
    tokio::spawn(signals.clone().listen(yard.db.clone(), stop.clone()));
    let live = Live::new(yard.db.clone(), Clock::standing_at(NOW), signals, stop.clone());
    let (mut one, two) = (live.join(&yard.partner, number), live.join(&yard.partner, number));
    assert_eq!(live.watches(), 1, "one watch for both");
    let patience = std::time::Duration::from_secs(15);
    let open = async |news: &mut tokio::sync::watch::Receiver<_>, n: u64| {
        let seen = news.wait_for(|seen: &Option<std::sync::Arc<Pulse>>| {
            seen.as_ref().is_some_and(|pulse| pulse.counts.open() == n)
        });
        tokio::time::timeout(patience, seen).await.expect("it is told in time").unwrap();
    };
    open(&mut one, 2).await;
    let mut tx = yard.tx().await;
    store::cancel_rest(&mut tx, number, yard.member, NOW).await.unwrap();
    reconcile::signal(&mut tx, &settled(&yard.partner)).await.unwrap();
    tx.commit().await.unwrap();
    open(&mut one, 0).await;
    drop(one);
    reconcile::pause(std::time::Duration::from_millis(50)).await;
    assert_eq!(live.watches(), 1, "somebody still watches");
    drop(two);
    let ended = async {
        while live.watches() > 0 {
            reconcile::pause(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(patience, ended).await.expect("the watch ends with its last viewer");
    stop.cancel();
}
