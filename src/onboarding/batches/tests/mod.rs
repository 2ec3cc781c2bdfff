//! Laws of batches on a real Postgres, by subject. Whose rows are whose stands here.

mod controls;
mod list;
mod live;
mod progress;
mod results;
mod retry;

use sqlx::PgPool;
use time::{Duration, OffsetDateTime, macros::datetime};

use super::{
    model::{Batch, BatchNumber},
    results::tests::whole,
    store::{self, Retried, Window},
};
use crate::{
    db::{Db, PartnerId, TenantTx},
    onboarding::model::State,
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
        if matches!(retried, Retried::Started { .. }) {
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
