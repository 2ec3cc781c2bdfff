//! Whom Meta is asked about, and when.

use std::time::Duration as Length;

use super::store::Wanted;
use super::*;
use crate::{businesses::News, graph::BusinessStatus};

const FIRST: Length = Length::from_mins(30);

impl House {
    /// Asked at Meta at a time, by a request of ours that stands as Requested.
    async fn requested(&self, nth: usize, when: OffsetDateTime) -> RequestNumber {
        let number = self.ask(nth).await.number;
        let claimed = self.claim(NOW).await.remove(0);
        self.save(&claimed, super::requested(&format!("77{nth}")), when).await;
        number
    }

    async fn enrol(&self, now: OffsetDateTime) {
        let mut tx = self.tx().await;
        store::enrol(&mut tx, FIRST, now).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn due(&self, now: OffsetDateTime) -> Vec<usize> {
        let due = store::due(&mut self.tx().await, 50, now).await.unwrap();
        let nth = |id: &BusinessId| (0..100).find(|nth| business(*nth) == *id).unwrap();
        due.iter().map(|due| nth(&due.business)).collect()
    }

    async fn asked(&self, nth: usize, due_at: OffsetDateTime, refusal: Option<Cause>, now: OffsetDateTime) {
        let mut tx = self.tx().await;
        let asked = store::Asked { business: business(nth), due_at, refusal, polled: true };
        store::reschedule(&mut tx, &[asked], now).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn told(&self, nth: usize, status: &str, now: OffsetDateTime) -> News {
        let mut tx = self.tx().await;
        let said = BusinessStatus { status: Some(status.to_owned()), date: None };
        let news = crate::businesses::keep_told(&mut tx, &[(business(nth), said)], &[], now).await.unwrap();
        tx.commit().await.unwrap();
        news
    }
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn the_longest_due_comes_first_and_only_what_waits_comes(pool: PgPool) {
    let house = House::build(&pool, "100", 5).await;
    let other = House::build(&pool, "200", 2).await;
    for (nth, when) in [(0, at(20)), (1, at(0)), (2, at(10))] {
        house.requested(nth, when).await;
    }
    other.requested(0, at(0)).await;
    house.ask(3).await;
    house.enrol(at(21)).await;
    assert_eq!(house.due(at(29)).await, [] as [usize; 0], "for the first time after half an hour");
    assert_eq!(house.due(at(41)).await, [1, 2]);
    assert_eq!(
        house.due(at(300)).await,
        [1, 2, 0],
        "neither what is queued, nor what nobody asked for, nor another partner's"
    );
    house.asked(1, at(330), None, at(300)).await;
    assert_eq!(house.due(at(329)).await, [2, 0]);
    assert_eq!(house.due(at(330)).await, [2, 0, 1]);
    house.enrol(at(331)).await;
    assert_eq!(house.due(at(331)).await, [2, 0, 1], "taken up once");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn what_moved_on_is_looked_at_anew_and_what_is_over_forgotten(pool: PgPool) {
    let house = House::build(&pool, "100", 2).await;
    house.requested(0, at(0)).await;
    house.enrol(at(0)).await;
    house.asked(0, at(10_000), None, at(40)).await;
    assert_eq!(house.told(0, "TERM_OF_SERVICE_SIGNED", at(50)).await, News::Some);
    assert_eq!(house.standing(0).await, "accepted");
    house.enrol(at(51)).await;
    assert_eq!(house.due(at(80)).await, [] as [usize; 0]);
    assert_eq!(house.due(at(81)).await, [0], "half an hour after it signed, not in a week");
    let due = store::due(&mut house.tx().await, 9, at(81)).await.unwrap().remove(0);
    let waits = due.waits.unwrap();
    assert!(waits.signed);
    assert_eq!((waits.since, waits.told_at, waits.asked_at), (at(50), Some(at(50)), Some(at(40))));
    let mut tx = house.tx().await;
    sqlx::query("UPDATE businesses SET left_at = now()").execute(&mut *tx).await.unwrap();
    let due = store::due(&mut tx, 9, at(81)).await.unwrap().remove(0);
    assert_eq!(due.waits, None);
    store::forget(&mut tx, &[due.business]).await.unwrap();
    assert!(store::due(&mut tx, 9, at(81)).await.unwrap().is_empty());
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn refusals_are_counted_until_an_answer_comes(pool: PgPool) {
    let house = House::build(&pool, "100", 1).await;
    house.requested(0, at(0)).await;
    house.enrol(at(0)).await;
    for refusals in 1..=3 {
        house.asked(0, at(30), Some(Cause::NotFoundOrNoAccess), at(40)).await;
        let due = store::due(&mut house.tx().await, 9, at(40)).await.unwrap().remove(0);
        assert_eq!((due.refusals, due.waits.unwrap().asked_at), (refusals, None));
    }
    house.asked(0, at(60), None, at(41)).await;
    let due = store::due(&mut house.tx().await, 9, at(60)).await.unwrap().remove(0);
    assert_eq!((due.refusals, due.waits.unwrap().asked_at), (0, Some(at(41))));
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_member_may_have_it_asked_about_now_but_not_all_the_time(pool: PgPool) {
    let house = House::build(&pool, "100", 2).await;
    house.requested(0, at(0)).await;
    house.enrol(at(0)).await;
    let mut tx = house.tx().await;
    assert_eq!(store::make_due(&mut tx, &business(1), at(1)).await.unwrap(), Wanted::NotWaiting);
    assert_eq!(store::make_due(&mut tx, &business(0), at(1)).await.unwrap(), Wanted::Newly);
    assert_eq!(store::make_due(&mut tx, &business(0), at(1)).await.unwrap(), Wanted::Already);
    tx.commit().await.unwrap();
    assert_eq!(house.due(at(1)).await, [0]);
    let mut tx = house.tx().await;
    assert!(!store::is_polled(&mut tx, &business(0), at(1)).await.unwrap());
    drop(tx);
    house.asked(0, at(31), None, at(1)).await;
    let mut tx = house.tx().await;
    assert!(store::is_polled(&mut tx, &business(0), at(1)).await.unwrap());
    assert_eq!(store::make_due(&mut tx, &business(0), at(1)).await.unwrap(), Wanted::Already);
    assert!(store::due(&mut tx, 9, at(2)).await.unwrap().is_empty(), "it was asked about a moment ago");
    assert_eq!(store::make_due(&mut tx, &business(0), at(3)).await.unwrap(), Wanted::Newly);
    let due = store::due(&mut tx, 9, at(3)).await.unwrap().remove(0);
    assert!(due.waits.unwrap().wanted);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn dispatch_goes_first(pool: PgPool) {
    let house = House::build(&pool, "100", 3).await;
    let has_work = async |now| store::dispatch_has_work(&mut house.tx().await, now).await.unwrap();
    assert!(!has_work(NOW).await);
    house.ask(0).await;
    assert!(has_work(NOW).await, "one is due");
    let claimed = house.claim(NOW).await.remove(0);
    assert!(has_work(NOW).await, "one is under way");
    house.save(&claimed, Verdict::Wait(waits(Cause::Temporary, at(4))), NOW).await;
    assert!(!has_work(at(3)).await, "it waits");
    assert!(has_work(at(4)).await);
    let mut tx = house.tx().await;
    sqlx::query("UPDATE tokens SET problem = 'expired', problem_at = now()").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    assert!(!has_work(at(4)).await, "nobody can send it");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn what_meta_says_moves_the_request_once_and_stands_in_the_timeline(pool: PgPool) {
    let house = House::build(&pool, "100", 1).await;
    let number = house.requested(0, at(0)).await;
    assert_eq!(house.told(0, "REQUEST_SENT", at(30)).await, News::Some);
    assert_eq!(house.told(0, "REQUEST_SENT", at(60)).await, News::None);
    assert_eq!(house.told(0, "TERM_OF_SERVICE_SIGNED", at(90)).await, News::Some);
    let behind = store::behind(&mut house.tx().await, 9).await.unwrap();
    assert_eq!(behind.len(), 1);
    assert_eq!((behind[0].number, behind[0].progress), (number, crate::onboarding::decide::Progress::Signed));
    let span = crate::businesses::Span { before: None, since: None, most: 9 };
    let story = crate::businesses::story_of(&mut house.tx().await, &business(0), span).await.unwrap();
    let said: Vec<_> = story
        .into_iter()
        .filter_map(|(_, deed)| match deed {
            crate::businesses::Deed::Changed(event) => Some((event.detail.unwrap(), event.heard_from)),
            _ => None,
        })
        .collect();
    let poll = Some(crate::businesses::HeardFrom::Poll);
    assert_eq!(said, [("TERM_OF_SERVICE_SIGNED".to_owned(), poll), ("REQUEST_SENT".to_owned(), poll)]);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn what_became_of_a_request_by_its_own_id_is_kept(pool: PgPool) {
    let house = House::build(&pool, "100", 2).await;
    let number = house.requested(0, at(0)).await;
    house.ask(1).await;
    let mut tx = house.tx().await;
    let ids = store::open_meta_ids(&mut tx, &[business(0), business(1)]).await.unwrap();
    assert_eq!(ids, ["770".parse::<MetaRequestId>().unwrap()]);
    store::keep_request_statuses(&mut tx, &[(ids[0].clone(), "DECLINE".to_owned())]).await.unwrap();
    let request = store::find_request(&mut tx, number).await.unwrap().unwrap();
    assert_eq!((request.meta_request_status.as_deref(), request.state), (Some("DECLINE"), State::Requested));
}
