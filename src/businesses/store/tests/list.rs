use super::*;
use crate::businesses::{
    query::{Filter, Place},
    store::search::Found,
};

/// The ids of every page, by going on and on; the pages themselves.
async fn walk(tx: &mut TenantTx, filter: Filter, found: Option<&Found>) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut place = Place::Start;
    loop {
        let page = list(tx, filter, found, &place, STALLED_BEFORE).await.unwrap().unwrap();
        assert_eq!(page.more_before, place != Place::Start);
        let ids: Vec<String> = page.businesses.iter().map(|business| business.id.to_string()).collect();
        let last = page.businesses.last().map(|business| business.id.clone());
        pages.push(ids);
        match last {
            Some(last) if page.more_after => place = Place::After(last),
            _ => return pages,
        }
    }
}

async fn seed(tx: &mut TenantTx) {
    let words = ["ELIGIBLE", "ONBOARDED", "PENDING_VALID_PAYMENT_METHOD", "INELIGIBLE_INACTIVE_OR_RESTRICTED"];
    let seen = all_of((0..230).map(|at| {
        // Many share a name, so that the id has to decide.
        business(&format!("5{at:03}"), &format!("Loja {}", at % 7), &[words[at % 4]])
    }));
    sync(tx, &seen, MONDAY).await;
    for at in (0..230).step_by(4) {
        let (state, days) = [("failed", 0), ("requested", 1), ("requested", 30)][at / 4 % 3];
        request(tx, &format!("5{at:03}"), state, MONDAY - time::Duration::days(days)).await;
    }
    let ids: Vec<BusinessId> = seen.businesses.into_iter().map(|business| business.id).collect();
    refresh_standing(tx, &ids).await.unwrap();
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn the_pages_of_every_filter_hold_each_business_once_and_as_many_as_its_chip_says(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    seed(&mut tx).await;
    let counts = count_all(&mut tx, STALLED_BEFORE).await.unwrap();
    for filter in Filter::ALL {
        let pages = walk(&mut tx, filter, None).await;
        let ids = pages.concat();
        assert_eq!(u64::try_from(ids.len()).unwrap(), counts.of(filter).n, "{filter:?}");
        let mut once = ids.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), ids.len(), "{filter:?}");
        assert!(pages.iter().rev().skip(1).all(|page| page.len() == 50), "{filter:?}");
    }
    assert_eq!(counts.of(Filter::All).n, 230);
    assert!(counts.of(Filter::NeedsAttention).n > counts.of(Filter::Accepted).n);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn going_back_shows_the_pages_that_going_on_showed(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    seed(&mut tx).await;
    for filter in Filter::ALL {
        let pages = walk(&mut tx, filter, None).await;
        for (at, page) in pages.iter().enumerate().skip(1) {
            let before = Place::Before(id(&page[0]));
            let back = list(&mut tx, filter, None, &before, STALLED_BEFORE).await.unwrap().unwrap();
            let ids: Vec<String> = back.businesses.iter().map(|business| business.id.to_string()).collect();
            assert_eq!(ids, pages[at - 1], "{filter:?}");
            assert_eq!((back.more_before, back.more_after), (at > 1, true));
        }
    }
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_search_is_paged_and_filtered_the_same_way(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    seed(&mut tx).await;
    for typed in ["loja", "loja 3", "3", "5"] {
        let search = crate::businesses::search::Search::read(typed).unwrap();
        let found = find(&mut tx, &search).await.unwrap();
        let counts = count_found(&mut tx, &found, STALLED_BEFORE).await.unwrap();
        assert!(counts.of(Filter::All).n > 0, "{typed}");
        for filter in Filter::ALL {
            let ids = walk(&mut tx, filter, Some(&found)).await.concat();
            assert_eq!(u64::try_from(ids.len()).unwrap(), counts.of(filter).n, "{typed} {filter:?}");
        }
    }
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_page_beside_a_business_of_nobody_is_no_page(pool: PgPool) {
    let mut tx = tenant(&pool, "2").await;
    sync(&mut tx, &business("77", "Foreign", &["ELIGIBLE"]), MONDAY).await;
    tx.commit().await.unwrap();
    let mut tx = tenant(&pool, "1").await;
    for place in [Place::After(id("77")), Place::Before(id("404"))] {
        assert!(list(&mut tx, Filter::All, None, &place, STALLED_BEFORE).await.unwrap().is_none());
    }
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_page_stays_put_while_its_edge_leaves(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    let seen = |ids: &[&str]| all_of(ids.iter().map(|digits| business(digits, &format!("B{digits}"), &["ELIGIBLE"])));
    sync(&mut tx, &seen(&["51", "52", "53"]), MONDAY).await;
    sync(&mut tx, &seen(&["51", "53"]), TUESDAY).await;
    let page = list(&mut tx, Filter::All, None, &Place::After(id("52")), STALLED_BEFORE).await.unwrap().unwrap();
    let ids: Vec<&str> = page.businesses.iter().map(|business| business.id.as_str()).collect();
    assert_eq!(ids, ["53"]);
}
