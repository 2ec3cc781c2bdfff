//! Laws of batches on a real Postgres: counting, pace, stopping, trying again, and whose rows are whose.

use sqlx::PgPool;
use time::{Duration, OffsetDateTime, macros::datetime};

use super::{
    live::Live,
    model::{Batch, BatchNumber, Hold, Phase},
    results::tests::whole,
    store::{self, Retried, Window},
};
use crate::{
    businesses::Standing,
    clock::Clock,
    db::{Db, PartnerId, TenantTx},
    onboarding::{decide, model::State, reconcile::settled},
    reconcile::{self, CancellationToken, Signals},
};

const NOW: OffsetDateTime = datetime!(2026-11-24 10:42 UTC);

/// A partner with a member whose token works, and batches made by hand.
pub(super) struct Yard {
    pub(super) db: Db,
    pub(super) partner: PartnerId,
    pub(super) member: i64,
}

impl Yard {
    pub(super) async fn lay(pool: &PgPool, partner: &str) -> Self {
        let (db, partner) = (Db::from_pool(pool.clone()), partner.parse::<PartnerId>().unwrap());
        let mut tx = db.tenant(&partner).await.unwrap();
        sqlx::query!(
            "INSERT INTO partners (partner_id, name, first_seen_at) VALUES ($1, 'Northlane', $2)",
            partner.as_str() as _,
            NOW
        )
        .execute(&mut *tx)
        .await
        .unwrap();
        let member = sqlx::query_scalar!(
            "INSERT INTO members (partner_id, facebook_user_id, name, role, joined_at) VALUES ($1, '7', 'Ines', 'admin', $2)
             RETURNING member_id",
            partner.as_str() as _,
            NOW,
        )
        .fetch_one(&mut *tx)
        .await
        .unwrap();
        sqlx::query!(
            "INSERT INTO tokens (partner_id, member_id, sealed, key_id, scopes, stored_at) VALUES ($1, $2, 'x', 'k', '{}', $3)",
            partner.as_str() as _,
            member,
            NOW,
        )
        .execute(&mut *tx)
        .await
        .unwrap();
        tx.commit().await.unwrap();
        Self { db, partner, member }
    }

    pub(super) async fn tx(&self) -> TenantTx {
        self.db.tenant(&self.partner).await.unwrap()
    }

    /// A started batch with a request in each of these states, for businesses of its own.
    pub(super) async fn batch(&self, states: &[State]) -> BatchNumber {
        let mut tx = self.tx().await;
        let number = sqlx::query_scalar!(
            "INSERT INTO batches (partner_id, member_id, started_at, source, name, size)
             VALUES ($1, $2, $3, 'selection', 'November', $4) RETURNING batch_number",
            self.partner.as_str() as _,
            self.member,
            NOW - Duration::minutes(13),
            i32::try_from(states.len()).unwrap(),
        )
        .fetch_one(&mut *tx)
        .await
        .unwrap();
        tx.commit().await.unwrap();
        for (nth, state) in states.iter().enumerate() {
            self.request(BatchNumber(number), nth, *state, false).await;
        }
        BatchNumber(number)
    }

    pub(super) fn business(batch: BatchNumber, nth: usize) -> String {
        format!("9{:06}{nth:03}", batch.0)
    }

    /// One request of a batch, with its business.
    pub(super) async fn request(&self, batch: BatchNumber, nth: usize, state: State, doubtful: bool) -> i64 {
        let (mut tx, business) = (self.tx().await, Self::business(batch, nth));
        sqlx::query!(
            "INSERT INTO businesses (partner_id, business_id, name, name_key, first_seen_at)
             VALUES ($1, $2, $3, $3, $4) ON CONFLICT DO NOTHING",
            self.partner.as_str() as _,
            business as _,
            format!("=business {nth}"),
            NOW,
        )
        .execute(&mut *tx)
        .await
        .unwrap();
        sqlx::query!(
            "INSERT INTO wabas (partner_id, waba_id, business_id, name, link, eligibility, first_seen_at, changed_at)
             VALUES ($1, $2, $3, 'w', 'shared', 'ELIGIBLE', $4, $4) ON CONFLICT DO NOTHING",
            self.partner.as_str() as _,
            format!("8{business}") as _,
            business as _,
            NOW,
        )
        .execute(&mut *tx)
        .await
        .unwrap();
        let number = sqlx::query_scalar!(
            "INSERT INTO requests (partner_id, batch_number, business_id, member_id, state, doubtful, cause, meta_request_id,
                queued_at, sending_at, retry_at, answered_at, accepted_at, ready_at, failed_at, cancelled_at, changed_at, alone)
             VALUES ($1, $2, $3, $4, $5::text, $6, CASE WHEN $5 IN ('failed', 'waiting_to_retry') THEN 'access_denied' END,
                CASE WHEN $5 = 'requested' THEN '71' END, $7::timestamptz, $7, CASE WHEN $5 = 'waiting_to_retry' THEN $7 END,
                CASE WHEN $5 IN ('requested', 'already_requested', 'taken_by_another_partner') THEN $7 END,
                CASE WHEN $5 IN ('accepted', 'ready') THEN $7 END, CASE WHEN $5 = 'ready' THEN $7 END,
                CASE WHEN $5 = 'failed' THEN $7 END, CASE WHEN $5 = 'cancelled' THEN $7 END, $7, FALSE)
             RETURNING number",
            self.partner.as_str() as _,
            batch.0,
            business as _,
            self.member,
            state.as_str(),
            doubtful,
            NOW,
        )
        .fetch_one(&mut *tx)
        .await
        .unwrap();
        sqlx::query!("SELECT FROM refresh_standing($1)", &[business]).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        number
    }

    pub(super) async fn find(&self, number: BatchNumber) -> Batch {
        store::find_batch(&mut self.tx().await, number, NOW).await.unwrap().unwrap()
    }

    async fn retry(&self, number: BatchNumber) -> Retried {
        let batch = self.find(number).await;
        let mut tx = self.tx().await;
        let retried = store::retry(&mut tx, &batch, "access_denied", self.member, NOW).await.unwrap();
        if matches!(retried, Retried::Started(..)) {
            tx.commit().await.unwrap();
        }
        retried
    }

    async fn states(&self, number: BatchNumber) -> Vec<String> {
        let mut tx = self.tx().await;
        sqlx::query_scalar!("SELECT state FROM requests WHERE batch_number = $1 ORDER BY number", number.0)
            .fetch_all(&mut *tx)
            .await
            .unwrap()
    }
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_batch_counts_its_own_requests_and_no_other(pool: PgPool) {
    let yard = Yard::lay(&pool, "100").await;
    let number = yard.batch(&State::ALL).await;
    yard.batch(&[State::Failed; 3]).await;
    let pulse = store::pulse(&mut yard.tx().await, number, NOW).await.unwrap().unwrap();
    for state in State::ALL {
        assert_eq!(pulse.counts.of(state), 1, "{state}");
    }
    assert_eq!((pulse.counts.answered(), pulse.counts.open(), pulse.counts.total()), (6, 3, 10));
    assert_eq!((pulse.batch.size, pulse.batch.title()), (10, "November".to_owned()));
    assert_eq!(pulse.answered_at, Some(NOW));
    let minutes = store::minutes(&mut yard.tx().await, number, NOW + Duration::seconds(59)).await.unwrap();
    assert_eq!(minutes.last(), 6, "what waits to retry wasn't answered");
    let later = store::minutes(&mut yard.tx().await, number, NOW + Duration::minutes(12)).await.unwrap();
    assert_eq!(later.all().iter().sum::<u64>(), 0);
    let latest = store::latest(&mut yard.tx().await, number, 20).await.unwrap();
    assert_eq!(latest.len(), 7, "queued, sending and cancelled were not answered: {latest:?}");
    assert_eq!(store::latest(&mut yard.tx().await, number, 2).await.unwrap().len(), 2);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_batch_is_its_partners_alone(pool: PgPool) {
    let (ours, theirs) = (Yard::lay(&pool, "100").await, Yard::lay(&pool, "200").await);
    let number = ours.batch(&[State::Queued, State::Failed]).await;
    let batch = ours.find(number).await;
    let mut tx = theirs.tx().await;
    assert!(store::find_batch(&mut tx, number, NOW).await.unwrap().is_none());
    assert!(store::pulse(&mut tx, number, NOW).await.unwrap().is_none());
    assert!(store::list(&mut tx, Window::Newest, 9, NOW).await.unwrap().is_empty());
    assert!(store::failures(&mut tx, number).await.unwrap().is_empty());
    assert!(store::latest(&mut tx, number, 9).await.unwrap().is_empty());
    store::pause(&mut tx, number, theirs.member, NOW).await.unwrap();
    assert_eq!(store::cancel_rest(&mut tx, number, theirs.member, NOW).await.unwrap(), 0);
    let retried = store::retry(&mut tx, &batch, "access_denied", theirs.member, NOW).await.unwrap();
    assert_eq!(retried, Retried::Nothing(None));
    tx.commit().await.unwrap();
    assert_eq!(whole(&mut theirs.tx().await, number).await.lines().count(), 1, "the headings alone");
    let batch = ours.find(number).await;
    assert!(batch.paused.is_none() && batch.cancelled.is_none());
    assert_eq!(ours.states(number).await, ["queued", "failed"]);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn the_rest_that_is_cancelled_is_what_may_be_cancelled_and_each_has_its_story(pool: PgPool) {
    let yard = Yard::lay(&pool, "100").await;
    let number = yard.batch(&[]).await;
    let mut made = Vec::new();
    for (nth, state) in State::ALL.into_iter().enumerate() {
        for doubtful in [false, true] {
            let request = yard.request(number, nth * 2 + usize::from(doubtful), state, doubtful).await;
            made.push((request, state, doubtful));
        }
    }
    let mut tx = yard.tx().await;
    assert_eq!(store::stoppable(&mut tx, number).await.unwrap(), (2, 2));
    let later = NOW + Duration::minutes(1);
    assert_eq!(store::cancel_rest(&mut tx, number, yard.member, later).await.unwrap(), 2);
    tx.commit().await.unwrap();
    for ((request, before, doubtful), after) in made.iter().zip(yard.states(number).await) {
        let stopped = decide::may_cancel(*before, *doubtful);
        let expected = if stopped { "cancelled" } else { before.as_str() };
        assert_eq!(after, expected, "{before}, doubtful: {doubtful}");
        let mut tx = yard.tx().await;
        let told = sqlx::query_scalar!(
            "SELECT count(*) AS \"n!\" FROM request_events WHERE number = $1 AND state = 'cancelled' AND at = $2 AND member_id = $3",
            request,
            later,
            yard.member,
        )
        .fetch_one(&mut *tx)
        .await
        .unwrap();
        assert_eq!(told > 0, stopped, "{before}");
    }
    let batch = yard.find(number).await;
    assert_eq!(batch.cancelled.map(|deed| deed.by).as_deref(), Some("Ines"));
    let mut tx = yard.tx().await;
    let standing =
        sqlx::query_scalar!("SELECT standing FROM businesses WHERE business_id = $1", Yard::business(number, 0) as _)
            .fetch_one(&mut *tx)
            .await
            .unwrap();
    assert_eq!(standing, "eligible", "it can be asked again");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn pausing_names_who_did_it_first_and_resuming_forgets_it(pool: PgPool) {
    let yard = Yard::lay(&pool, "100").await;
    let number = yard.batch(&[State::Queued]).await;
    let mut tx = yard.tx().await;
    store::pause(&mut tx, number, yard.member, NOW).await.unwrap();
    store::pause(&mut tx, number, yard.member, NOW + Duration::minutes(1)).await.unwrap();
    let pulse = store::pulse(&mut tx, number, NOW).await.unwrap().unwrap();
    assert_eq!(pulse.batch.paused.as_ref().map(|deed| deed.at), Some(NOW));
    assert_eq!(pulse.phase(), Phase::PausedBy("Ines".into()));
    store::resume(&mut tx, number).await.unwrap();
    let pulse = store::pulse(&mut tx, number, NOW).await.unwrap().unwrap();
    assert_eq!(pulse.phase(), Phase::Running);
    store::cancel_rest(&mut tx, number, yard.member, NOW).await.unwrap();
    store::pause(&mut tx, number, yard.member, NOW).await.unwrap();
    assert!(store::find_batch(&mut tx, number, NOW).await.unwrap().unwrap().paused.is_none(), "it's over");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_batch_waits_for_a_token_only_while_none_can_send_it(pool: PgPool) {
    let yard = Yard::lay(&pool, "100").await;
    let number = yard.batch(&[State::Queued]).await;
    let mut tx = yard.tx().await;
    assert!(!store::find_batch(&mut tx, number, NOW).await.unwrap().unwrap().lacks_token);
    sqlx::query!("UPDATE tokens SET expires_at = $1", NOW).execute(&mut *tx).await.unwrap();
    let pulse = store::pulse(&mut tx, number, NOW).await.unwrap().unwrap();
    assert_eq!(pulse.phase(), Phase::SignInAgain);
    sqlx::query!(
        "INSERT INTO system_user_tokens (partner_id, system_user_id, system_user_name, sealed, key_id, scopes, stored_at, stored_by)
         VALUES ($1, '9', 'Sender', 'x', 'k', '{}', $2, $3)",
        yard.partner.as_str() as _,
        NOW,
        yard.member,
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    assert!(!store::find_batch(&mut tx, number, NOW).await.unwrap().unwrap().lacks_token);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn what_failed_is_tried_again_once_and_lands_on_the_batch_that_did(pool: PgPool) {
    let yard = Yard::lay(&pool, "100").await;
    let number = yard.batch(&[State::Failed, State::Failed, State::Requested, State::Failed]).await;
    let mut tx = yard.tx().await;
    sqlx::query!("UPDATE requests SET cause = 'temporary' WHERE business_id = $1", Yard::business(number, 3) as _)
        .execute(&mut *tx)
        .await
        .unwrap();
    sqlx::query!("UPDATE requests SET solution_id = '23' WHERE business_id = $1", Yard::business(number, 1) as _)
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let groups = store::failures(&mut yard.tx().await, number).await.unwrap();
    let told: Vec<_> = groups.iter().map(|group| (group.cause.as_str(), group.count, group.retriable)).collect();
    assert_eq!(told, [("access_denied", 2, 2), ("temporary", 1, 1)]);

    let Retried::Started(made, 2) = yard.retry(number).await else { panic!("two are tried again") };
    let batch = yard.find(made).await;
    assert_eq!((batch.title().as_str(), batch.size, batch.retry_of), ("Retry of November", 2, Some(number)));
    assert!(batch.started_at.is_some());
    assert_eq!(yard.states(made).await, ["queued", "queued"]);
    let mut tx = yard.tx().await;
    let solutions = sqlx::query_scalar!(
        r#"SELECT coalesce(solution_id::text, '-') AS "s!" FROM requests WHERE batch_number = $1 AND NOT alone ORDER BY business_id"#,
        made.0
    )
    .fetch_all(&mut *tx)
    .await
    .unwrap();
    assert_eq!(solutions, ["-", "23"], "each keeps its solution");
    drop(tx);
    assert_eq!(yard.states(number).await, ["failed", "failed", "requested", "failed"], "the past stays as it was");
    assert_eq!(yard.retry(number).await, Retried::Nothing(Some(made)));
    let groups = store::failures(&mut yard.tx().await, number).await.unwrap();
    assert_eq!(groups.iter().map(|group| group.retriable).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(store::retries_of(&mut yard.tx().await, number).await.unwrap(), [made]);
    // What was cancelled before it left may be tried again.
    let mut tx = yard.tx().await;
    store::cancel_rest(&mut tx, made, yard.member, NOW).await.unwrap();
    tx.commit().await.unwrap();
    assert!(matches!(yard.retry(number).await, Retried::Started(_, 2)));
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn two_who_try_again_at_once_make_one_batch(pool: PgPool) {
    let yard = Yard::lay(&pool, "100").await;
    let number = yard.batch(&[State::Failed; 20]).await;
    let (one, two) = futures::future::join(yard.retry(number), yard.retry(number)).await;
    let started = [one, two].into_iter().filter(|retried| matches!(retried, Retried::Started(_, 20))).count();
    assert_eq!(started, 1, "{one:?} and {two:?}");
    assert_eq!(store::retries_of(&mut yard.tx().await, number).await.unwrap().len(), 1);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn only_businesses_that_may_be_asked_are_tried_again(pool: PgPool) {
    let yard = Yard::lay(&pool, "100").await;
    for standing in Standing::ALL {
        let number = yard.batch(&[State::Failed]).await;
        let mut tx = yard.tx().await;
        sqlx::query!(
            "UPDATE businesses SET standing = $1, waiting_since = NULL WHERE business_id = $2",
            standing.as_str(),
            Yard::business(number, 0) as _,
        )
        .execute(&mut *tx)
        .await
        .unwrap();
        tx.commit().await.unwrap();
        let may = !matches!(
            standing,
            Standing::NotEligible | Standing::TakenByAnotherPartner | Standing::Accepted | Standing::Ready
        );
        let group = store::failures(&mut yard.tx().await, number).await.unwrap().remove(0);
        assert_eq!(group.retriable > 0, may, "{standing:?}");
        assert_eq!(matches!(yard.retry(number).await, Retried::Started(_, 1)), may, "{standing:?}");
    }
    let number = yard.batch(&[State::Failed]).await;
    let mut tx = yard.tx().await;
    sqlx::query!("UPDATE businesses SET left_at = $1 WHERE business_id = $2", NOW, Yard::business(number, 0) as _)
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(yard.retry(number).await, Retried::Nothing(None), "it has left");
}

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

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn the_limit_is_the_worse_of_the_partners_and_the_apps_while_it_is_fresh(pool: PgPool) {
    let (ours, theirs) = (Yard::lay(&pool, "100").await, Yard::lay(&pool, "200").await);
    let mut tx = ours.tx().await;
    assert_eq!(super::call_limit(&mut tx, NOW).await.unwrap(), None);
    sqlx::query!(
        "INSERT INTO paces (partner_id, concurrency, used_percent, used_at, wait_until, told_at, cause)
         VALUES ($1, 8, 99.6, $2, $3, $2, 'near_limit')",
        ours.partner.as_str() as _,
        NOW,
        NOW + Duration::minutes(2),
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(super::call_limit(&mut ours.tx().await, NOW).await.unwrap(), Some(99), "not yet all of it");
    assert_eq!(super::call_limit(&mut theirs.tx().await, NOW).await.unwrap(), None, "another partner's is theirs");
    let limit = store::limit(&mut ours.tx().await, NOW).await.unwrap();
    assert_eq!(limit.wait.map(|wait| wait.hold), Some(Hold::NearLimit));
    sqlx::query!(
        "INSERT INTO app_paces (app_id, used_percent, used_at, wait_until, told_at) VALUES ('7', 140, $1, $2, $1)",
        NOW,
        NOW + Duration::minutes(4),
    )
    .execute(&pool)
    .await
    .unwrap();
    for yard in [&ours, &theirs] {
        let limit = store::limit(&mut yard.tx().await, NOW).await.unwrap();
        assert_eq!((limit.used_percent, limit.wait.map(|wait| wait.hold)), (Some(100), Some(Hold::Told)));
        let later = store::limit(&mut yard.tx().await, NOW + Duration::hours(1)).await.unwrap();
        assert_eq!((later.used_percent, later.wait), (None, None));
    }
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_watch_begins_with_the_first_viewer_is_shared_and_ends_with_the_last(pool: PgPool) {
    let yard = Yard::lay(&pool, "100").await;
    let number = yard.batch(&[State::Queued, State::Queued]).await;
    let (stop, signals) = (CancellationToken::new(), Signals::default());
    tokio::spawn(signals.clone().listen(yard.db.clone(), stop.clone()));
    let live = Live::new(yard.db.clone(), Clock::standing_at(NOW), signals, stop.clone());
    let (mut one, two) = (live.join(&yard.partner, number), live.join(&yard.partner, number));
    assert_eq!(live.watches(), 1, "one watch for both");
    let patience = std::time::Duration::from_secs(15);
    let open = async |news: &mut tokio::sync::watch::Receiver<_>, n: u64| {
        let seen = news.wait_for(|seen: &Option<std::sync::Arc<super::model::Pulse>>| {
            seen.as_ref().is_some_and(|pulse| pulse.counts.open() == n)
        });
        tokio::time::timeout(patience, seen).await.expect("it is told in time").unwrap();
    };
    open(&mut one, 2).await;
    let mut tx = yard.tx().await;
    store::cancel_rest(&mut tx, number, yard.member, NOW).await.unwrap();
    reconcile::signal(&mut tx, &settled(&yard.partner)).await.unwrap();
    tx.commit().await.unwrap();
    open(&mut one, 0).await;
    drop(one);
    reconcile::pause(std::time::Duration::from_millis(50)).await;
    assert_eq!(live.watches(), 1, "somebody still watches");
    drop(two);
    let ended = async {
        while live.watches() > 0 {
            reconcile::pause(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(patience, ended).await.expect("the watch ends with its last viewer");
    stop.cancel();
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn the_results_hold_every_request_and_every_row_that_made_none(pool: PgPool) {
    let yard = Yard::lay(&pool, "100").await;
    let number = yard.batch(&[State::Requested, State::Failed]).await;
    let mut tx = yard.tx().await;
    for (line, given, finding, left_out) in [
        (1, "9", "eligible", false),
        (2, "=HYPERLINK(\"http://evil.example\")", "not_digits", false),
        (3, "12", "unknown", false),
        (4, "13", "eligible", true),
    ] {
        sqlx::query!(
            "INSERT INTO batch_rows (partner_id, batch_number, line, given, finding, left_out) VALUES ($1, $2, $3, $4, $5, $6)",
            yard.partner.as_str() as _,
            number.0,
            line,
            given,
            finding,
            left_out,
        )
        .execute(&mut *tx)
        .await
        .unwrap();
    }
    let text = whole(&mut tx, number).await;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 6, "{text}");
    assert!(lines[0].starts_with("business_id,business_name,state,meta_request_id,request,"), "{text}");
    assert!(lines[1].contains(",'=business 0,requested,71,LB-"), "{text}");
    assert!(lines[2].contains(",failed,,LB-") && lines[2].contains(",access_denied,"), "{text}");
    assert_eq!(lines[3], "\"'=HYPERLINK(\"\"http://evil.example\"\")\",,skipped,,,not_digits,,,,,,");
    assert_eq!(lines[4], "12,,skipped,,,unknown,,,,,,");
    assert_eq!(lines[5], "13,,skipped,,,left_out,,,,,,");
}
