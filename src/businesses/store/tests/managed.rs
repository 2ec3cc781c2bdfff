//! What one manager looks after: listed, counted and selected as all are.

use super::*;
use crate::businesses::{
    managers::{self, Hand, Manager},
    query::{Filter, Place, Query},
    search::Search,
    selection::Ticks,
    store::search::Found,
};

async fn member(tx: &mut TenantTx, person: &str, name: &str) -> i64 {
    let partner = tx.partner().to_string();
    sqlx::query_scalar::<_, i64>(
        "INSERT INTO members (partner_id, facebook_user_id, name, role, joined_at) VALUES ($1, $2, $3, 'admin', $4) RETURNING member_id",
    )
    .bind(partner)
    .bind(person)
    .bind(name)
    .bind(MONDAY)
    .fetch_one(&mut **tx)
    .await
    .unwrap()
}

/// 150 businesses in every standing; Ines looks after two of three, Rahul after none.
async fn seed(tx: &mut TenantTx) -> (i64, i64) {
    let words =
        ["ELIGIBLE", "ONBOARDED", "PENDING_VALID_PAYMENT_METHOD", "INELIGIBLE_INACTIVE_OR_RESTRICTED", "ELIGIBLE"];
    let seen = all_of((0..150).map(|at| business(&format!("5{at:03}"), &format!("Loja {}", at % 7), &[words[at % 5]])));
    sync(tx, &seen, MONDAY).await;
    for at in (4..150).step_by(5) {
        let (state, days) = [("failed", 0), ("requested", 1), ("requested", 30)][at / 5 % 3];
        request(tx, &format!("5{at:03}"), state, MONDAY - time::Duration::days(days)).await;
    }
    let ids: Vec<BusinessId> = seen.businesses.into_iter().map(|business| business.id).collect();
    refresh_standing(tx, &ids).await.unwrap();
    let (ines, rahul) = (member(tx, "71", "Ines").await, member(tx, "72", "Rahul").await);
    let theirs: Vec<BusinessId> =
        ids.iter().enumerate().filter(|(at, _)| at % 3 != 0).map(|(_, id)| id.clone()).collect();
    keep_ticks(tx, ines, &Ticks { shown: Vec::new(), ticked: theirs }).await.unwrap();
    let hand = Hand { member_id: ines, now: TUESDAY };
    assert_eq!(managers::assign_selected(tx, Manager::Member(ines), hand).await.unwrap(), 100);
    (ines, rahul)
}

async fn walk(tx: &mut TenantTx, filter: Filter, manager: Manager, found: Option<&Found>) -> Vec<Vec<String>> {
    let (mut pages, mut place) = (Vec::new(), Place::Start);
    loop {
        let page = list_managed(tx, filter, manager, found, &place, STALLED_BEFORE).await.unwrap().unwrap();
        assert_eq!(page.more_before, place != Place::Start);
        let last = page.businesses.last().map(|business| business.id.clone());
        pages.push(page.businesses.iter().map(|business| business.id.to_string()).collect());
        match last {
            Some(last) if page.more_after => place = Place::After(last),
            _ => return pages,
        }
    }
}

/// The ids behind a filter of all, those that are or aren't looked after.
async fn expected(tx: &mut TenantTx, filter: Filter, typed: &str, manager: Manager) -> Vec<String> {
    let found = match Search::read(typed) {
        Some(search) => Some(find(tx, &search).await.unwrap()),
        None => None,
    };
    let (mut ids, mut place) = (Vec::new(), Place::Start);
    loop {
        let page = list(tx, filter, found.as_ref(), &place, STALLED_BEFORE).await.unwrap().unwrap();
        let last = page.businesses.last().map(|business| business.id.clone());
        ids.extend(page.businesses.into_iter().map(|business| business.id.to_string()));
        match last {
            Some(last) if page.more_after => place = Place::After(last),
            _ => break,
        }
    }
    let theirs: Vec<String> =
        sqlx::query_scalar("SELECT business_id::text FROM businesses WHERE assigned_to IS NOT DISTINCT FROM $1")
            .bind(manager.member())
            .fetch_all(&mut **tx)
            .await
            .unwrap();
    ids.retain(|id| theirs.contains(id));
    ids
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_manager_s_list_is_the_list_of_all_without_the_others(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    let (ines, rahul) = seed(&mut tx).await;
    for manager in [Manager::Member(ines), Manager::Member(rahul), Manager::Nobody, Manager::Member(i64::MAX)] {
        for typed in ["", "loja", "loja 3", "3", "5012", "55", "nobody"] {
            let asked = Query { typed: typed.to_owned(), manager: Some(manager), ..Query::default() };
            let found = find_asked(&mut tx, &asked).await.unwrap();
            let counts = count_managed(&mut tx, manager, found.as_ref(), STALLED_BEFORE).await.unwrap();
            for filter in Filter::ALL {
                let pages = walk(&mut tx, filter, manager, found.as_ref()).await;
                let ids = pages.concat();
                assert_eq!(ids, expected(&mut tx, filter, typed, manager).await, "{manager} {typed:?} {filter:?}");
                assert_eq!(u64::try_from(ids.len()).unwrap(), counts.of(filter).n, "{manager} {typed:?} {filter:?}");
                for (at, page) in pages.iter().enumerate().skip(1) {
                    let before = Place::Before(id(&page[0]));
                    let back = list_managed(&mut tx, filter, manager, found.as_ref(), &before, STALLED_BEFORE).await;
                    let back: Vec<String> =
                        back.unwrap().unwrap().businesses.into_iter().map(|business| business.id.to_string()).collect();
                    assert_eq!(back, pages[at - 1], "{manager} {typed:?} {filter:?}");
                }
            }
        }
    }
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn all_that_match_of_a_manager_are_those_the_list_shows(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    let (ines, rahul) = seed(&mut tx).await;
    for manager in [Manager::Member(ines), Manager::Nobody] {
        for (typed, filter) in [("", Filter::All), ("", Filter::NeedsAttention), ("loja 3", Filter::Eligible)] {
            clear_selection(&mut tx, rahul).await.unwrap();
            let found = match Search::read(typed) {
                Some(search) => Some(find(&mut tx, &search).await.unwrap()),
                None => None,
            };
            select_matching(&mut tx, rahul, (filter, Some(manager)), found.as_ref(), STALLED_BEFORE).await.unwrap();
            let mut selected: Vec<String> =
                sqlx::query_scalar("SELECT business_id::text FROM selected_businesses WHERE member_id = $1")
                    .bind(rahul)
                    .fetch_all(&mut *tx)
                    .await
                    .unwrap();
            let mut listed = expected(&mut tx, filter, typed, manager).await;
            selected.sort_unstable();
            listed.sort_unstable();
            assert!(!listed.is_empty());
            assert_eq!(selected, listed, "{manager} {typed:?} {filter:?}");
        }
    }
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_change_is_noted_once_and_what_stays_is_not(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    sync(&mut tx, &all_of(["51", "52"].map(|digits| business(digits, "Estrela", &["ELIGIBLE"]))), MONDAY).await;
    let (ines, rahul) = (member(&mut tx, "71", "Ines").await, member(&mut tx, "72", "Rahul").await);
    let hand = |now| Hand { member_id: ines, now };
    assert!(managers::assign(&mut tx, &id("51"), Manager::Member(rahul), hand(MONDAY)).await.unwrap());
    keep_ticks(&mut tx, ines, &Ticks { shown: Vec::new(), ticked: vec![id("51"), id("52")] }).await.unwrap();
    assert_eq!(managers::selected_managed(&mut tx, ines).await.unwrap(), (2, 1));
    assert_eq!(managers::assign_selected(&mut tx, Manager::Member(rahul), hand(TUESDAY)).await.unwrap(), 2);
    assert_eq!(managers::selected_managed(&mut tx, ines).await.unwrap(), (0, 0), "the ticks are used up");
    assert!(managers::assign(&mut tx, &id("51"), Manager::Nobody, hand(WEDNESDAY)).await.unwrap());
    assert!(!managers::assign(&mut tx, &id("404"), Manager::Nobody, hand(WEDNESDAY)).await.unwrap());
    let noted: Vec<(String, OffsetDateTime, Option<i64>)> = sqlx::query_as(
        "SELECT business_id::text, at, assigned_to FROM business_assignments ORDER BY business_id, assignment_id",
    )
    .fetch_all(&mut *tx)
    .await
    .unwrap();
    assert_eq!(
        noted,
        [
            ("51".to_owned(), MONDAY, Some(rahul)),
            ("51".to_owned(), WEDNESDAY, None),
            ("52".to_owned(), TUESDAY, Some(rahul))
        ]
    );
    assert_eq!(
        managers::manager_of(&mut tx, &id("52")).await.unwrap().map(|manager| manager.name),
        Some("Rahul".into())
    );
    assert_eq!(managers::manager_of(&mut tx, &id("51")).await.unwrap(), None);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn no_business_is_assigned_to_another_partner_s_member(pool: PgPool) {
    let mut tx = tenant(&pool, "2").await;
    let foreign = member(&mut tx, "71", "Viktor").await;
    tx.commit().await.unwrap();
    let mut tx = tenant(&pool, "1").await;
    let (ines, gone) = (member(&mut tx, "72", "Ines").await, member(&mut tx, "73", "Gone").await);
    sqlx::query("UPDATE members SET removed_at = now() WHERE name = 'Gone'").execute(&mut *tx).await.unwrap();
    for (manager, can) in [
        (Manager::Member(foreign), false),
        (Manager::Member(gone), false),
        (Manager::Member(i64::MAX), false),
        (Manager::Member(ines), true),
        (Manager::Nobody, true),
    ] {
        assert_eq!(managers::can_be(&mut tx, manager).await.unwrap(), can, "{manager}");
    }
    assert_eq!(managers::colleague(&mut tx, foreign).await.unwrap(), None);
    let names: Vec<String> =
        managers::colleagues(&mut tx).await.unwrap().into_iter().map(|colleague| colleague.name).collect();
    assert_eq!(names, ["Ines"]);
}
