//! What a note says as a filter: listed, counted and selected with search, chip and manager.

use super::*;
use crate::businesses::{
    managers::Manager,
    query::{ANY_NOTE, Filter, Place, Query},
};

async fn note(tx: &mut TenantTx, digits: &str, words: &str) {
    let partner = tx.partner().to_string();
    sqlx::query(
        "WITH member AS (
            INSERT INTO members (partner_id, facebook_user_id, name, role, joined_at) VALUES ($1, '7', 'Ines Carvalho', 'admin', $4)
            ON CONFLICT (partner_id, facebook_user_id) DO UPDATE SET name = excluded.name RETURNING member_id
        )
        INSERT INTO business_notes (partner_id, business_id, member_id, at, words) SELECT $1, $2, member_id, $4, $3 FROM member",
    )
    .bind(partner)
    .bind(digits)
    .bind(words)
    .bind(MONDAY)
    .execute(&mut **tx)
    .await
    .unwrap();
}

/// The ids that a view of the list shows, which its chip counts.
async fn shown(tx: &mut TenantTx, query: &Query) -> Vec<String> {
    let found = find_asked(tx, query).await.unwrap();
    let found = found.as_ref();
    let (listed, counts) = match query.manager {
        Some(manager) => (
            list_managed(tx, query.filter, manager, found, &Place::Start, STALLED_BEFORE).await,
            count_managed(tx, manager, found, STALLED_BEFORE).await,
        ),
        None => (
            list(tx, query.filter, found, &Place::Start, STALLED_BEFORE).await,
            count_found(tx, found.unwrap(), STALLED_BEFORE).await,
        ),
    };
    let ids: Vec<String> = listed.unwrap().unwrap().businesses.iter().map(|business| business.id.to_string()).collect();
    assert_eq!(counts.unwrap().of(query.filter).n, ids.len() as u64, "{}", query.href());
    ids
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_note_filters_the_list_beside_search_chip_and_manager(pool: PgPool) {
    let mut tx = tenant(&pool, "2").await;
    sync(&mut tx, &business("61", "Theirs", &["ELIGIBLE"]), MONDAY).await;
    note(&mut tx, "61", "call back").await;
    tx.commit().await.unwrap();
    let mut tx = tenant(&pool, "1").await;
    let seen = all_of([
        business("51", "Aangan", &["ELIGIBLE"]),
        business("52", "Estrela Norte", &["ONBOARDED"]),
        business("53", "Estrela Sul", &["ELIGIBLE"]),
        business("54", "Ikat", &["ELIGIBLE"]),
        business("55", "Gone", &["ELIGIBLE"]),
    ]);
    sync(&mut tx, &seen, MONDAY).await;
    for (digits, words) in [("51", "Call back in May"), ("52", "call BACK"), ("53", "50 % paid"), ("55", "call back")] {
        note(&mut tx, digits, words).await;
    }
    sqlx::query("UPDATE businesses SET left_at = $1 WHERE business_id = '55'")
        .bind(MONDAY)
        .execute(&mut *tx)
        .await
        .unwrap();
    sqlx::query("UPDATE business_notes SET words = '', deleted_at = at WHERE business_id = '54'")
        .execute(&mut *tx)
        .await
        .unwrap();
    note(&mut tx, "54", "passing").await;
    sqlx::query("UPDATE business_notes SET words = '', deleted_at = at WHERE business_id = '54'")
        .execute(&mut *tx)
        .await
        .unwrap();
    let asked = |note: &str, typed: &str, filter, manager| Query {
        note: note.to_owned(),
        typed: typed.to_owned(),
        filter,
        manager,
        place: Place::Start,
    };
    for (query, ids) in [
        (asked("call back", "", Filter::All, None), vec!["51", "52"]),
        (asked("back in", "", Filter::All, None), vec!["51"]),
        (asked("50 %", "", Filter::All, None), vec!["53"]),
        (asked("%", "", Filter::All, None), vec!["53"]),
        (asked("passing", "", Filter::All, None), vec![]),
        (asked(ANY_NOTE, "", Filter::All, None), vec!["51", "52", "53"]),
        (asked(ANY_NOTE, "", Filter::Eligible, None), vec!["51", "53"]),
        (asked(ANY_NOTE, "estrela", Filter::All, None), vec!["52", "53"]),
        (asked("call back", "estrela", Filter::All, None), vec!["52"]),
        (asked("call back", "norte", Filter::All, None), vec!["52"]),
        (asked("call back", "51", Filter::All, None), vec!["51"]),
        (asked("call back", "ikat", Filter::All, None), vec![]),
        (asked("call back", "", Filter::All, Some(Manager::Nobody)), vec!["51", "52"]),
        (asked("call back", "", Filter::All, Some(Manager::Member(i64::MAX))), vec![]),
    ] {
        assert_eq!(shown(&mut tx, &query).await, ids, "{}", query.href());
        let member = sqlx::query_scalar("SELECT member_id FROM members WHERE partner_id = '1'")
            .fetch_one(&mut *tx)
            .await
            .unwrap();
        clear_selection(&mut tx, member).await.unwrap();
        let found = find_asked(&mut tx, &query).await.unwrap();
        let behind = (query.filter, query.manager);
        assert!(select_matching(&mut tx, member, behind, found.as_ref(), STALLED_BEFORE).await.unwrap());
        assert_eq!(selected(&mut tx, member, &[]).await.unwrap().count, ids.len() as u64, "{}", query.href());
    }
}
