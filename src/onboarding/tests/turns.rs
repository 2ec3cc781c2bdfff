//! Whose turn it is: clicks before batches, batches in turn, nobody twice, nobody for whom no token works.

use std::collections::BTreeMap;

use sqlx::PgPool;

use super::*;
use crate::pauses;

impl House {
    /// A started batch of a member for businesses `from..to`; gives its number.
    async fn batch(&self, from: usize, to: usize) -> i64 {
        let mut tx = self.tx().await;
        let partner = self.partner.as_str();
        let number = sqlx::query_scalar!(
            "INSERT INTO batches (partner_id, member_id, source, started_at, size) VALUES ($1, $2, 'selection', $3, 1)
             RETURNING batch_number",
            partner,
            self.member,
            NOW,
        )
        .fetch_one(&mut *tx)
        .await
        .unwrap();
        for nth in from..to {
            let business = business(nth);
            sqlx::query!(
                "INSERT INTO requests (partner_id, batch_number, business_id, member_id, state, alone, queued_at, changed_at)
                 VALUES ($1, $2, $3, $4, 'queued', FALSE, $5, $5)",
                partner,
                number,
                business.as_str(),
                self.member,
                NOW,
            )
            .execute(&mut *tx)
            .await
            .unwrap();
        }
        tx.commit().await.unwrap();
        number
    }

    /// Claims in one turn; gives the batches of what was claimed, in the order of sending.
    async fn turn(&self, room: store::Room) -> Vec<i64> {
        let mut tx = self.tx().await;
        let claimed = store::claim_due(&mut tx, room, NOW).await;
        let mut batches = Vec::new();
        for claimed in claimed {
            let batch = sqlx::query_scalar!("SELECT batch_number FROM requests WHERE number = $1", claimed.number.0);
            batches.push(batch.fetch_one(&mut *tx).await.unwrap());
        }
        tx.commit().await.unwrap();
        batches
    }

    async fn run(&self, statement: &'static str) {
        let mut tx = self.tx().await;
        sqlx::query(statement).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    }
}

fn room(alone: i64, of_batches: i64) -> store::Room {
    store::Room { alone, of_batches }
}

fn counted(batches: &[i64]) -> BTreeMap<i64, usize> {
    batches.iter().fold(BTreeMap::new(), |mut counts, batch| {
        *counts.entry(*batch).or_default() += 1;
        counts
    })
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_click_goes_before_a_batch_that_was_there_first(pool: PgPool) {
    let house = House::build(&pool, "100", 12).await;
    let batch = house.batch(0, 10).await;
    assert_eq!(house.turn(room(4, 3)).await, [batch; 3]);
    let click = house.ask(11).await.number;
    let mut tx = house.tx().await;
    let claimed = store::claim_due(&mut tx, room(4, 3), NOW).await;
    assert_eq!(claimed.into_iter().map(|claimed| claimed.number).collect::<Vec<_>>(), [click], "first, and alone");
    tx.commit().await.unwrap();
    assert_eq!((house.standing(11).await, house.standing(5).await), ("sending".into(), "unknown".into()));
    let another = house.ask(10).await.number;
    let mut tx = house.tx().await;
    let claimed = store::claim_due(&mut tx, room(2, 0), NOW).await;
    assert_eq!(claimed.into_iter().map(|claimed| claimed.number).collect::<Vec<_>>(), [another]);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn batches_take_turns_whatever_their_size_and_age(pool: PgPool) {
    let house = House::build(&pool, "100", 60).await;
    let other = House::build(&pool, "200", 9).await;
    let (large, middle, small) = (house.batch(0, 40).await, house.batch(40, 54).await, house.batch(54, 60).await);
    let elsewhere = other.batch(0, 9).await;
    let first = house.turn(room(0, 9)).await;
    assert_eq!(counted(&first), BTreeMap::from([(large, 3), (middle, 3), (small, 3)]));
    let second = house.turn(room(0, 12)).await;
    assert_eq!(counted(&second), BTreeMap::from([(large, 4), (middle, 4), (small, 3)]), "one batch is over");
    let third = house.turn(room(0, 12)).await;
    assert_eq!(counted(&third), BTreeMap::from([(large, 6), (middle, 6)]));
    assert_eq!(counted(&other.turn(room(0, 5)).await), BTreeMap::from([(elsewhere, 5)]), "another partner's goes on");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_batch_that_is_paused_is_passed_over_and_what_a_cancelled_one_left_open_is_not(pool: PgPool) {
    let house = House::build(&pool, "100", 9).await;
    let (one, two, three) = (house.batch(0, 3).await, house.batch(3, 6).await, house.batch(6, 9).await);
    let mut tx = house.tx().await;
    sqlx::query!("UPDATE batches SET paused_at = $2, paused_by = $3 WHERE batch_number = $1", one, NOW, house.member)
        .execute(&mut *tx)
        .await
        .unwrap();
    sqlx::query!(
        "UPDATE batches SET cancelled_at = $2, cancelled_by = $3 WHERE batch_number = $1",
        two,
        NOW,
        house.member
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    let turn = house.turn(room(0, 9)).await;
    assert_eq!(counted(&turn), BTreeMap::from([(two, 3), (three, 3)]), "what is still open had left before");
    assert_eq!(store::next_due(&mut house.tx().await, NOW).await.unwrap(), None, "there is nothing to wait for");
    house.run("UPDATE batches SET paused_at = NULL, paused_by = NULL").await;
    assert_eq!(house.turn(room(0, 9)).await, [one; 3]);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn what_has_come_to_stand_in_the_way_is_seen_when_it_is_claimed(pool: PgPool) {
    use crate::onboarding::decide::Bar;
    let house = House::build(&pool, "100", 5).await;
    let (one, two) = (house.batch(0, 4).await, house.batch(4, 5).await);
    let solution = async |business: &'static str, solution: &'static str| {
        let mut tx = house.tx().await;
        sqlx::query!("UPDATE requests SET solution_id = $2 WHERE business_id = $1", business as _, solution as _)
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    };
    solution("900002", "11").await;
    solution("900003", "12").await;
    house.run("INSERT INTO solutions (partner_id, solution_id, name, status, role, seen_at, gone_at) VALUES ('100', '11', 'Retail', 'ACTIVE', 'owner', now(), NULL), ('100', '12', 'Old', 'ACTIVE', 'owner', now(), now())").await;
    house.run("UPDATE businesses SET left_at = now() WHERE business_id = '900001'").await;
    house.run("UPDATE batches SET cancelled_at = now(), cancelled_by = member_id WHERE batch_number = (SELECT max(batch_number) FROM batches)").await;
    let mut found: Vec<_> =
        house.claim(NOW).await.into_iter().map(|claimed| (claimed.business_id.to_string(), claimed.bar)).collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let expected = [
        ("900000", None),
        ("900001", Some(Bar::BusinessLeft)),
        ("900002", None),
        ("900003", Some(Bar::SolutionUnusable)),
        ("900004", Some(Bar::Stopped)),
    ];
    assert_eq!(found, expected.map(|(id, bar)| (id.to_owned(), bar)), "of batches {one} and {two}");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn what_a_removed_member_started_goes_on_with_another_s_token(pool: PgPool) {
    let house = House::build(&pool, "100", 4).await;
    let batch = house.batch(0, 4).await;
    house.run("UPDATE members SET removed_at = now()").await;
    assert!(house.turn(room(0, 1)).await.is_empty(), "nobody is left to send it");
    house
        .run(
            "INSERT INTO members (partner_id, facebook_user_id, name, role, joined_at) VALUES ('100', '77', 'Ana', 'support', now())",
        )
        .await;
    house
        .run(
            "INSERT INTO tokens (partner_id, member_id, sealed, key_id, scopes, stored_at)
             SELECT partner_id, member_id, 'x', 'k', '{}', now() FROM members WHERE name = 'Ana'",
        )
        .await;
    assert!(house.turn(room(0, 1)).await.is_empty(), "one who may only look stands in for nobody");
    house.run("UPDATE members SET role = 'account_manager' WHERE name = 'Ana'").await;
    assert_eq!(house.turn(room(0, 1)).await, [batch]);
    house.run("UPDATE tokens SET problem = 'expired', problem_at = now()").await;
    assert!(house.turn(room(0, 1)).await.is_empty());
    house
        .run(
            "INSERT INTO system_user_tokens (partner_id, system_user_id, system_user_name, sealed, key_id, scopes, stored_at, stored_by)
             SELECT partner_id, '5', 'Sender', 'x', 'k', '{}', now(), member_id FROM members WHERE name = 'Ana'",
        )
        .await;
    assert_eq!(house.turn(room(0, 1)).await, [batch], "a system user's token sends for everybody");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_pace_that_was_kept_is_found_again(pool: PgPool) {
    use crate::onboarding::pace::{Lesson, Pace};
    let house = House::build(&pool, "100", 1).await;
    let mut tx = house.tx().await;
    assert_eq!(store::find_start(&mut tx, 64, NOW).await.unwrap().pace, Pace::new(64));
    let mut pace = Pace::new(64);
    for _ in 0..200 {
        pace.learn(Lesson::Answered, NOW);
    }
    pace.heard(Some(83.0), None, NOW);
    pace.learn(Lesson::Throttled(Some(at(4))), NOW);
    store::save_pace(&mut tx, &pace, NOW).await.unwrap();
    store::save_pace(&mut tx, &pace, NOW).await.unwrap();
    let found = store::find_start(&mut tx, 64, NOW).await.unwrap().pace;
    assert_eq!(found.past(NOW), pace.past(NOW));
    assert_eq!(pauses::until(&mut tx, at(1)).await.unwrap(), Some(at(4)));
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn with_a_pace_goes_the_wait_that_another_partner_was_told_of_the_app(pool: PgPool) {
    use crate::pauses::Said;
    let (ours, theirs) = (House::build(&pool, "100", 1).await, House::build(&pool, "200", 1).await);
    let app = "680000000000001".parse().unwrap();
    let mut tx = theirs.tx().await;
    pauses::keep_app(&mut tx, &app, Said { used: None, wait: Some((at(9), NOW)) }).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = ours.tx().await;
    for (now, goes) in [(at(1), false), (at(9), true)] {
        // Once without a pace of its own, then with one.
        for _ in 0..2 {
            let pace = store::find_start(&mut tx, 64, now).await.unwrap().pace;
            assert_eq!(pace.width(now) > 0, goes, "{now}");
            store::save_pace(&mut tx, &pace, now).await.unwrap();
        }
    }
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_pace_that_is_kept_shortens_no_wait_that_others_were_told_of(pool: PgPool) {
    use crate::{
        onboarding::pace::{Lesson, Pace},
        pauses::{Heard, Said},
    };
    let house = House::build(&pool, "100", 1).await;
    let mut tx = house.tx().await;
    let app = "680000000000001".parse().unwrap();
    let told = |until| Heard { partner: Said { used: None, wait: Some((until, NOW)) }, ..Heard::default() };
    pauses::keep(&mut tx, &app, told(at(9))).await.unwrap();
    let mut pace = Pace::new(64);
    pace.learn(Lesson::Answered, NOW);
    store::save_pace(&mut tx, &pace, at(1)).await.unwrap();
    assert_eq!(pauses::until(&mut tx, at(1)).await.unwrap(), Some(at(9)), "by none of its own");
    pace.learn(Lesson::Throttled(Some(at(4))), at(1));
    store::save_pace(&mut tx, &pace, at(1)).await.unwrap();
    assert_eq!(pauses::until(&mut tx, at(1)).await.unwrap(), Some(at(9)), "nor by a shorter one");
    pace.learn(Lesson::Throttled(Some(at(20))), at(2));
    store::save_pace(&mut tx, &pace, at(2)).await.unwrap();
    assert_eq!(pauses::until(&mut tx, at(2)).await.unwrap(), Some(at(20)));
    pace.learn(Lesson::Answered, at(21));
    store::save_pace(&mut tx, &pace, at(21)).await.unwrap();
    assert_eq!(
        store::find_start(&mut tx, 64, at(21)).await.unwrap().pace.past(at(21)).wait,
        None,
        "what is over is forgotten"
    );
}
