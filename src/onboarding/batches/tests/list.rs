//! The list of batches.

use super::*;

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn the_list_shows_every_batch_once_either_way_and_no_click(pool: PgPool) {
    let yard = Yard::lay(&pool, "100").await;
    let mut newest_first = Vec::new();
    for states in [&[State::Requested, State::Queued][..], &[State::Failed], &[State::Cancelled, State::Ready]] {
        newest_first.insert(0, yard.batch(states).await);
    }
    let mut tx = yard.tx().await;
    sqlx::query!(
        "INSERT INTO batches (partner_id, member_id, started_at) VALUES ($1, $2, $3)",
        yard.partner.as_str() as _,
        yard.member,
        NOW,
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    let draft = sqlx::query_scalar!(
        "INSERT INTO batches (partner_id, member_id, drafted_at, source) VALUES ($1, $2, $3, 'list') RETURNING batch_number",
        yard.partner.as_str() as _,
        yard.member,
        NOW,
    )
    .fetch_one(&mut *tx)
    .await
    .unwrap();
    newest_first.insert(0, BatchNumber(draft));
    let all = store::list(&mut tx, Window::Newest, 9, NOW).await.unwrap();
    let told: Vec<_> = all.iter().map(|row| (row.phase.words(), row.answered, row.size)).collect();
    let done = |answered, size| ("Done".to_owned(), answered, size);
    assert_eq!(told[1..], [done(1, 2), done(1, 1), ("Running".to_owned(), 1, 2)]);
    assert_eq!(told[0].0, "Draft");
    let (mut seen, mut window) = (Vec::new(), Window::Newest);
    while let Some(row) = store::list(&mut tx, window, 1, NOW).await.unwrap().pop() {
        window = Window::OlderThan(row.number);
        seen.push(row.number);
    }
    assert_eq!(seen, newest_first);
    let (mut seen, mut window) = (Vec::new(), Window::NewerThan(newest_first[3]));
    while let Some(row) = store::list(&mut tx, window, 1, NOW).await.unwrap().pop() {
        window = Window::NewerThan(row.number);
        seen.insert(0, row.number);
    }
    assert_eq!(seen, newest_first[..3]);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn what_runs_has_something_to_send_and_is_neither_held_nor_stopped(pool: PgPool) {
    let (ours, theirs) = (Yard::lay(&pool, "100").await, Yard::lay(&pool, "200").await);
    let mut made = Vec::new();
    for states in [&[State::Queued, State::Failed][..], &[State::WaitingToRetry], &[State::Requested, State::Ready]] {
        made.push(ours.batch(states).await);
    }
    let mut tx = ours.tx().await;
    assert_eq!(store::running(&mut tx).await.unwrap(), 2);
    store::pause(&mut tx, made[0], ours.member, NOW).await.unwrap();
    assert_eq!(store::running(&mut tx).await.unwrap(), 1);
    store::resume(&mut tx, made[0]).await.unwrap();
    store::cancel_rest(&mut tx, made[1], ours.member, NOW).await.unwrap();
    assert_eq!(store::running(&mut tx).await.unwrap(), 1);
    assert_eq!(store::running(&mut theirs.tx().await).await.unwrap(), 0);
}
