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
