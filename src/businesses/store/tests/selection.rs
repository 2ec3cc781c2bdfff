use super::*;
use crate::businesses::{
    query::Filter,
    search::Search,
    selection::{MOST_SELECTED, Ticks},
};

async fn member(tx: &mut TenantTx, person: &str) -> i64 {
    let partner = tx.partner().to_string();
    sqlx::query_scalar::<_, i64>(
        "INSERT INTO members (partner_id, facebook_user_id, name, role, joined_at) VALUES ($1, $2, 'Ines', 'admin', $3) RETURNING member_id",
    )
    .bind(partner)
    .bind(person)
    .bind(MONDAY)
    .fetch_one(&mut **tx)
    .await
    .unwrap()
}

fn ticks(shown: &[&str], ticked: &[&str]) -> Ticks {
    let ids = |given: &[&str]| given.iter().map(|digits| id(digits)).collect();
    Ticks { shown: ids(shown), ticked: ids(ticked) }
}

async fn selected_ids(tx: &mut TenantTx, member: i64) -> Vec<String> {
    sqlx::query_scalar("SELECT business_id::text FROM selected_businesses WHERE member_id = $1 ORDER BY business_id")
        .bind(member)
        .fetch_all(&mut **tx)
        .await
        .unwrap()
}

async fn select_all(tx: &mut TenantTx, member: i64, filter: Filter, typed: &str) -> Vec<String> {
    clear_selection(tx, member).await.unwrap();
    let found = match Search::read(typed) {
        Some(search) => Some(find(tx, &search).await.unwrap()),
        None => None,
    };
    assert!(select_matching(tx, member, (filter, None), found.as_ref(), STALLED_BEFORE).await.unwrap());
    selected_ids(tx, member).await
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn ticks_live_across_pages_and_belong_to_one_member(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    sync(&mut tx, &all_of(["51", "52", "53", "54"].map(|digits| business(digits, "Estrela", &["ELIGIBLE"]))), MONDAY)
        .await;
    let (ines, rahul) = (member(&mut tx, "7").await, member(&mut tx, "8").await);
    keep_ticks(&mut tx, ines, &ticks(&["51", "52"], &["51"])).await.unwrap();
    keep_ticks(&mut tx, ines, &ticks(&["53", "54"], &["53", "54"])).await.unwrap();
    keep_ticks(&mut tx, rahul, &ticks(&["51"], &["51"])).await.unwrap();
    assert_eq!(selected_ids(&mut tx, ines).await, ["51", "53", "54"]);
    keep_ticks(&mut tx, ines, &ticks(&["53", "54"], &["54"])).await.unwrap();
    let seen = selected(&mut tx, ines, &[id("51"), id("52"), id("53")]).await.unwrap();
    assert_eq!((seen.count, seen.here), (2, [id("51")].into()));
    clear_selection(&mut tx, ines).await.unwrap();
    assert_eq!(selected_ids(&mut tx, ines).await, [""; 0]);
    assert_eq!(selected_ids(&mut tx, rahul).await, ["51"]);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn only_businesses_of_the_partner_can_be_ticked(pool: PgPool) {
    let mut tx = tenant(&pool, "2").await;
    sync(&mut tx, &business("52", "Theirs", &["ELIGIBLE"]), MONDAY).await;
    tx.commit().await.unwrap();
    let mut tx = tenant(&pool, "1").await;
    sync(&mut tx, &business("51", "Ours", &["ELIGIBLE"]), MONDAY).await;
    let ines = member(&mut tx, "7").await;
    keep_ticks(&mut tx, ines, &ticks(&[], &["51", "52", "99"])).await.unwrap();
    assert_eq!(selected_ids(&mut tx, ines).await, ["51"]);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn all_that_match_are_those_the_list_shows(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    let seen = all_of([
        business("51", "Estrela Mercados", &["ELIGIBLE"]),
        business("52", "Casa Estrela", &["ONBOARDED"]),
        business("53", "Estrela Norte", &["PENDING_VALID_PAYMENT_METHOD"]),
        business("54", "Aangan", &["ELIGIBLE"]),
        business("55", "Ikat", &["INELIGIBLE_INACTIVE_OR_RESTRICTED"]),
        business("56", "Gone", &["ELIGIBLE"]),
    ]);
    sync(&mut tx, &seen, MONDAY).await;
    sqlx::query("UPDATE businesses SET left_at = $1 WHERE business_id = '56'")
        .bind(MONDAY)
        .execute(&mut *tx)
        .await
        .unwrap();
    let ines = member(&mut tx, "9").await;
    for filter in Filter::ALL {
        for typed in ["", "estrela", "aangan", "951", "53", "nobody"] {
            let found = match Search::read(typed) {
                Some(search) => Some(find(&mut tx, &search).await.unwrap()),
                None => None,
            };
            let listed =
                list(&mut tx, filter, found.as_ref(), &crate::businesses::query::Place::Start, STALLED_BEFORE).await;
            let mut listed: Vec<String> =
                listed.unwrap().unwrap().businesses.into_iter().map(|business| business.id.to_string()).collect();
            listed.sort_unstable();
            assert_eq!(select_all(&mut tx, ines, filter, typed).await, listed, "{filter:?} {typed:?}");
        }
    }
    assert_eq!(select_all(&mut tx, ines, Filter::All, "").await.len(), 5);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn no_more_are_selected_than_a_batch_holds_and_that_is_said(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    let ines = member(&mut tx, "7").await;
    sqlx::query(
        "INSERT INTO businesses (partner_id, business_id, name, name_key, words, first_seen_at)
        SELECT '1', (1000000 + n)::text, 'B', 'b' || n, '', $1 FROM generate_series(1, $2 + 3) AS n",
    )
    .bind(MONDAY)
    .bind(MOST_SELECTED)
    .execute(&mut *tx)
    .await
    .unwrap();
    for _ in 0..2 {
        assert!(!select_matching(&mut tx, ines, (Filter::All, None), None, STALLED_BEFORE).await.unwrap());
        let count = selected(&mut tx, ines, &[]).await.unwrap().count;
        assert_eq!(count, u64::try_from(MOST_SELECTED).unwrap());
    }
}
