use super::*;

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn asking_while_a_sync_is_open_is_the_same_sync(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    ask_for_sync(&mut tx, None, MONDAY).await.unwrap();
    let first = open_sync(&mut tx).await.unwrap().unwrap();
    ask_for_sync(&mut tx, None, TUESDAY).await.unwrap();
    assert_eq!(open_sync(&mut tx).await.unwrap().unwrap().id, first.id);
    finish_sync_now(&mut tx, first.id).await;
    ask_for_sync(&mut tx, None, TUESDAY).await.unwrap();
    assert_ne!(open_sync(&mut tx).await.unwrap().unwrap().id, first.id);
}

async fn finish_sync_now(tx: &mut TenantTx, sync_id: i64) {
    begin_sync(tx, sync_id, MONDAY).await.unwrap();
    finish_sync(tx, sync_id, MONDAY).await.unwrap();
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_sync_goes_on_where_it_was_and_knows_how_far_the_last_one_came(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    ask_for_sync(&mut tx, None, MONDAY).await.unwrap();
    let sync = open_sync(&mut tx).await.unwrap().unwrap();
    let running = sync_state(&mut tx).await.unwrap().running.unwrap();
    assert_eq!((running.wabas, running.expected), (0, None));
    put_off(&mut tx, sync.id, TUESDAY, 1, Refusal { cause: "temporary", fbtrace_id: Some("Ab") }).await.unwrap();
    assert_eq!(sync_state(&mut tx).await.unwrap().running.unwrap().waits_until, Some(TUESDAY));
    let place = Some((Part::OwnedWabas, Some("next")));
    let read = Progress { place, pages: 2, wabas: 100, businesses: 40, skipped: 1 };
    record_pages(&mut tx, sync.id, read).await.unwrap();
    let open = open_sync(&mut tx).await.unwrap().unwrap();
    assert_eq!((open.part, open.cursor.as_deref(), open.skipped), (Part::OwnedWabas, Some("next"), 1));
    assert_eq!((open.tries, open.retry_at), (0, None));
    finish_sync_now(&mut tx, sync.id).await;

    ask_for_sync(&mut tx, None, TUESDAY).await.unwrap();
    let state = sync_state(&mut tx).await.unwrap();
    assert_eq!((state.synced_at, state.running.unwrap().expected), (Some(MONDAY), Some(100)));
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_failure_is_told_until_a_later_sync_finishes(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    ask_for_sync(&mut tx, None, MONDAY).await.unwrap();
    let sync = open_sync(&mut tx).await.unwrap().unwrap();
    fail_sync(&mut tx, sync.id, Refusal { cause: "access_denied", fbtrace_id: None }, MONDAY).await.unwrap();
    let state = sync_state(&mut tx).await.unwrap();
    assert_eq!((state.failure.as_deref(), state.synced_at, state.running), (Some("access_denied"), None, None));
    assert_eq!(last_ended(&mut tx).await.unwrap().unwrap().cause.as_deref(), Some("access_denied"));
    super::sync(&mut tx, &Seen::default(), TUESDAY).await;
    assert_eq!(sync_state(&mut tx).await.unwrap().failure, None);
    assert_eq!(last_ended(&mut tx).await.unwrap().unwrap().cause, None);
}
