//! What is written by those who waited for somebody else's lock: it's written, and by what holds after the wait.

use futures::future::join;

use super::*;
use crate::{
    businesses::{
        managers::{self, Hand, Manager},
        selection::Ticks,
    },
    db::until_somebody_waits,
    graph::BusinessStatus,
};

async fn member(tx: &mut TenantTx, person: &str) -> i64 {
    let partner = tx.partner().to_string();
    sqlx::query_scalar::<_, i64>(
        "INSERT INTO members (partner_id, facebook_user_id, name, role, joined_at) VALUES ($1, $2, 'M', 'admin', $3) RETURNING member_id",
    )
    .bind(partner)
    .bind(person)
    .bind(MONDAY)
    .fetch_one(&mut **tx)
    .await
    .unwrap()
}

/// Commits `first` once somebody waits for it.
async fn commit_when_waited_for(pool: &PgPool, first: TenantTx) {
    until_somebody_waits(pool).await;
    first.commit().await.unwrap();
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn an_assignment_that_waits_for_another_one_holds_after_it(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    sync(&mut tx, &all_of(["51", "52"].map(|digits| business(digits, "Estrela", &["ELIGIBLE"]))), MONDAY).await;
    let (ines, rahul) = (member(&mut tx, "71").await, member(&mut tx, "72").await);
    keep_ticks(&mut tx, ines, &Ticks { shown: Vec::new(), ticked: vec![id("51"), id("52")] }).await.unwrap();
    tx.commit().await.unwrap();
    let mut first = tenant(&pool, "1").await;
    let hand = Hand { member_id: rahul, now: MONDAY };
    managers::assign(&mut first, &id("51"), Manager::Member(rahul), hand).await.unwrap();
    let second = async {
        let mut tx = tenant(&pool, "1").await;
        let hand = Hand { member_id: ines, now: TUESDAY };
        let count = managers::assign_selected(&mut tx, Manager::Member(ines), hand).await.unwrap();
        tx.commit().await.unwrap();
        count
    };
    let (count, ()) = join(second, commit_when_waited_for(&pool, first)).await;
    assert_eq!(count, 2);
    let mut tx = tenant(&pool, "1").await;
    for digits in ["51", "52"] {
        let manager = managers::manager_of(&mut tx, &id(digits)).await.unwrap();
        assert_eq!(manager.map(|manager| manager.member_id), Some(ines), "{digits}");
    }
    let noted: Vec<(String, Option<i64>)> = sqlx::query_as(
        "SELECT business_id::text, assigned_to FROM business_assignments ORDER BY business_id, assignment_id",
    )
    .fetch_all(&mut *tx)
    .await
    .unwrap();
    let noted: Vec<_> = noted.iter().map(|(business, manager)| (business.as_str(), *manager)).collect();
    assert_eq!(noted, [("51", Some(rahul)), ("51", Some(ines)), ("52", Some(ines))]);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn what_a_poll_was_told_is_kept_though_a_row_changed_while_it_waited(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    sync(&mut tx, &business("51", "Estrela", &["ELIGIBLE"]), MONDAY).await;
    tx.commit().await.unwrap();
    for (held, expected) in
        [("UPDATE businesses SET country = 'PT'", "ELIGIBLE"), ("UPDATE wabas SET country = 'PT'", "ONBOARDED")]
    {
        let mut first = tenant(&pool, "1").await;
        sqlx::query(held).execute(&mut *first).await.unwrap();
        let told = async {
            let mut tx = tenant(&pool, "1").await;
            let status = BusinessStatus { status: Some("REQUEST_SENT".to_owned()), date: None };
            let waba = ("510".parse().unwrap(), Some(expected.to_owned()));
            keep_told(&mut tx, &[(id("51"), status)], &[waba], TUESDAY).await.unwrap();
            tx.commit().await.unwrap();
        };
        join(told, commit_when_waited_for(&pool, first)).await;
        let mut tx = tenant(&pool, "1").await;
        let kept = find_business(&mut tx, &id("51")).await.unwrap().unwrap();
        assert_eq!(kept.meta_status.as_deref(), Some("REQUEST_SENT"), "{held}");
        assert_eq!(wabas_of(&mut tx, &id("51")).await.unwrap()[0].eligibility.as_deref(), Some(expected), "{held}");
    }
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_sync_that_waits_for_a_poll_notes_nothing_twice(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    let mut seen = business("51", "Estrela", &["ELIGIBLE"]);
    sync(&mut tx, &seen, MONDAY).await;
    tx.commit().await.unwrap();
    let mut first = tenant(&pool, "1").await;
    let status = BusinessStatus { status: Some("REQUEST_SENT".to_owned()), date: None };
    keep_told(&mut first, &[(id("51"), status)], &[], TUESDAY).await.unwrap();
    seen.businesses[0].meta_status = Some("REQUEST_SENT".to_owned());
    let synced = async {
        let mut tx = tenant(&pool, "1").await;
        sync(&mut tx, &seen, TUESDAY).await;
        tx.commit().await.unwrap();
    };
    join(synced, commit_when_waited_for(&pool, first)).await;
    let story = story(&mut tenant(&pool, "1").await, "51").await;
    let told = story.iter().filter(|(kind, _)| *kind == EventKind::MetaStatusChanged).count();
    assert_eq!(told, 1, "{story:?}");
}
