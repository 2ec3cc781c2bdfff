use sqlx::Row as _;

use super::*;
use crate::businesses::{
    managers::Manager,
    query::{Filter, Place},
    search::Search,
};

/// The same counts, counted row by row.
async fn by_hand(tx: &mut TenantTx) -> Vec<i64> {
    let row = sqlx::query(
        "SELECT count(*), count(*) FILTER (WHERE standing = 'eligible'), count(*) FILTER (WHERE last_request_number IS NULL),
            count(*) FILTER (WHERE standing IN ('requested', 'already_requested')), count(*) FILTER (WHERE waiting_since < $1),
            count(*) FILTER (WHERE standing = 'accepted'),
            count(*) FILTER (WHERE standing = 'ready'), count(*) FILTER (WHERE standing = 'failed' OR needs_payment OR waiting_since < $1)
        FROM businesses WHERE left_at IS NULL",
    )
    .bind(WEDNESDAY - time::Duration::days(7))
    .fetch_one(&mut **tx)
    .await
    .unwrap();
    (0..Filter::ALL.len()).map(|at| row.get(at)).collect()
}

async fn rolled_up(tx: &mut TenantTx) -> Vec<i64> {
    let counts = count_all(tx, STALLED_BEFORE).await.unwrap();
    Filter::ALL.into_iter().map(|filter| i64::try_from(counts.of(filter).n).unwrap()).collect()
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn the_rollup_counts_what_is_there_whatever_happens(pool: PgPool) {
    const WORDS: [&str; 6] = [
        "ELIGIBLE",
        "ONBOARDED",
        "PENDING_VALID_PAYMENT_METHOD",
        "PENDING_INTERNAL_SETUP",
        "INELIGIBLE_INACTIVE_OR_RESTRICTED",
        "",
    ];
    const STATES: [&str; 5] = ["failed", "cancelled", "taken_by_another_partner", "ready", "requested"];
    let mut tx = tenant(&pool, "1").await;
    let mut dice = Dice(42);
    for round in 0..25 {
        let mut seen = Seen::default();
        for at in 0..30 {
            if dice.throw(3) > 0 {
                let one = business(&format!("5{at:02}"), "Estrela", &[WORDS[dice.throw(6)], WORDS[dice.throw(6)]]);
                seen = all_of([seen, one]);
            }
        }
        sync(&mut tx, &seen, MONDAY + time::Duration::minutes(round)).await;
        let digits = format!("5{:02}", dice.throw(30));
        let known = find_business(&mut tx, &id(&digits)).await.unwrap();
        if known.is_some_and(|business| !business.standing.is_waiting()) {
            let long_ago = MONDAY - time::Duration::days(30 * i64::try_from(dice.throw(2)).unwrap());
            request(&mut tx, &digits, STATES[dice.throw(4)], long_ago).await;
            refresh_standing(&mut tx, &[id(&digits)]).await.unwrap();
        }
        if dice.throw(3) == 0 {
            fold_counts(&mut tx).await.unwrap();
        }
        assert_eq!(rolled_up(&mut tx).await, by_hand(&mut tx).await, "round {round}");
        let failed: i64 =
            sqlx::query_scalar("SELECT count(*) FROM businesses WHERE left_at IS NULL AND standing = 'failed'")
                .fetch_one(&mut *tx)
                .await
                .unwrap();
        let HeadCount { all, failed: told } = head_count(&mut tx).await.unwrap();
        assert_eq!(
            (i64::try_from(all), i64::try_from(told)),
            (Ok(by_hand(&mut tx).await[0]), Ok(failed)),
            "round {round}"
        );
    }
    request(&mut tx, "529", STATES[4], MONDAY - time::Duration::days(30)).await;
    refresh_standing(&mut tx, &[id("529")]).await.unwrap();
    assert_eq!(rolled_up(&mut tx).await, by_hand(&mut tx).await);
    sqlx::query("RESET ROLE").execute(&mut *tx).await.unwrap();
    sqlx::query("DELETE FROM wabas").execute(&mut *tx).await.unwrap();
    sqlx::query("DELETE FROM businesses").execute(&mut *tx).await.unwrap();
    assert_eq!(rolled_up(&mut tx).await, [0; Filter::ALL.len()]);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn folding_changes_no_count_and_leaves_nothing_to_fold(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    sync(&mut tx, &all_of((0..9).map(|at| business(&format!("5{at}"), "Estrela", &["ELIGIBLE"]))), MONDAY).await;
    let before = rolled_up(&mut tx).await;
    assert_eq!(before[..2], [9, 9]);
    for _ in 0..2 {
        fold_counts(&mut tx).await.unwrap();
        assert_eq!(rolled_up(&mut tx).await, before);
    }
    let unfolded: i64 =
        sqlx::query_scalar("SELECT count(*) FROM business_count_deltas").fetch_one(&mut *tx).await.unwrap();
    assert_eq!(unfolded, 0);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn what_waits_since_before_the_time_given_counts_as_stalled_by_every_way(pool: PgPool) {
    const CASES: [(&str, i64, u64, Filter); 4] = [
        ("1", 3, 1, Filter::NeedsAttention),
        ("2", 7, 0, Filter::NeedsAttention),
        ("3", 3, 1, Filter::Stalled),
        ("4", 7, 0, Filter::Stalled),
    ];
    for (partner, stalled_days, stalled, chip) in CASES {
        let stalled_before = WEDNESDAY - time::Duration::days(stalled_days);
        let mut tx = tenant(&pool, partner).await;
        sync(&mut tx, &business("51", "Estrela", &["ELIGIBLE"]), MONDAY).await;
        request(&mut tx, "51", "requested", WEDNESDAY - time::Duration::days(4)).await;
        refresh_standing(&mut tx, &[id("51")]).await.unwrap();
        let found = find(&mut tx, &Search::read("estrela").unwrap()).await.unwrap();
        for counts in [
            count_all(&mut tx, stalled_before).await.unwrap(),
            count_found(&mut tx, &found, stalled_before).await.unwrap(),
            count_managed(&mut tx, Manager::Nobody, None, stalled_before).await.unwrap(),
        ] {
            assert_eq!(counts.of(chip).n, stalled, "{partner}");
        }
        for listed in [
            list(&mut tx, chip, None, &Place::Start, stalled_before).await.unwrap().unwrap(),
            list(&mut tx, chip, Some(&found), &Place::Start, stalled_before).await.unwrap().unwrap(),
            list_managed(&mut tx, chip, Manager::Nobody, None, &Place::Start, stalled_before).await.unwrap().unwrap(),
        ] {
            assert_eq!(listed.businesses.len() as u64, stalled, "{partner}");
        }
        let member = sqlx::query_scalar("SELECT member_id FROM members").fetch_one(&mut *tx).await.unwrap();
        select_matching(&mut tx, member, (chip, None), None, stalled_before).await.unwrap();
        assert_eq!(selected(&mut tx, member, &[]).await.unwrap().count, stalled, "{partner}");
        tx.commit().await.unwrap();
    }
}

/// Chance that is the same each time.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % sides).unwrap()
    }
}
