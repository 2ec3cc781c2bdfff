//! Laws of this room's tables, on a real Postgres.

mod dispatch;
mod polls;
mod progress;
mod turns;
mod wishes;

use sqlx::PgPool;
use time::{Duration, OffsetDateTime, macros::datetime};

use super::{
    decide::{Settled, Verdict, Waiting},
    model::{RequestNumber, State},
    store::{self, Claimed, Outcome, Queued},
};
use crate::{
    db::{Db, PartnerId, TenantTx},
    graph::{BusinessId, Cause, MetaRequestId},
};

const NOW: OffsetDateTime = datetime!(2026-11-24 10:00 UTC);

fn at(minutes: i64) -> OffsetDateTime {
    NOW + Duration::minutes(minutes)
}

fn business(nth: usize) -> BusinessId {
    format!("90000{nth}").parse().unwrap()
}

/// A partner with one member, whose token works, and some businesses.
struct House {
    db: Db,
    partner: PartnerId,
    member: i64,
}

impl House {
    async fn build(pool: &PgPool, partner: &str, businesses: usize) -> Self {
        let (db, partner) = (Db::from_pool(pool.clone()), partner.parse::<PartnerId>().unwrap());
        let mut tx = db.tenant(&partner).await.unwrap();
        let id = partner.as_str();
        sqlx::query!("INSERT INTO partners (partner_id, name, first_seen_at) VALUES ($1, 'Northlane', $2)", id, NOW)
            .execute(&mut *tx)
            .await
            .unwrap();
        let member = sqlx::query_scalar!(
            "INSERT INTO members (partner_id, facebook_user_id, name, role, joined_at) VALUES ($1, '7', 'Ines', 'admin', $2)
             RETURNING member_id",
            id,
            NOW,
        )
        .fetch_one(&mut *tx)
        .await
        .unwrap();
        sqlx::query!(
            "INSERT INTO tokens (partner_id, member_id, sealed, key_id, scopes, stored_at) VALUES ($1, $2, 'x', 'k', '{}', $3)",
            id,
            member,
            NOW,
        )
        .execute(&mut *tx)
        .await
        .unwrap();
        for nth in 0..businesses {
            let (business, name) = (business(nth), format!("business {nth}"));
            sqlx::query!(
                "INSERT INTO businesses (partner_id, business_id, name, name_key, words, first_seen_at)
                 VALUES ($1, $2, $3, $3, to_tsvector('simple', $3), $4)",
                id,
                business.as_str(),
                name,
                NOW,
            )
            .execute(&mut *tx)
            .await
            .unwrap();
        }
        tx.commit().await.unwrap();
        Self { db, partner, member }
    }

    async fn tx(&self) -> TenantTx {
        self.db.tenant(&self.partner).await.unwrap()
    }

    /// Asks for a business, and commits.
    async fn ask(&self, nth: usize) -> Queued {
        let mut tx = self.tx().await;
        let queued = store::queue(&mut tx, self.member, &business(nth), None, NOW).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        queued
    }

    async fn claim(&self, now: OffsetDateTime) -> Vec<Claimed> {
        let mut tx = self.tx().await;
        let claimed = store::claim_due(&mut tx, store::Room::of(100), now).await;
        tx.commit().await.unwrap();
        claimed
    }

    async fn save(&self, claimed: &Claimed, verdict: Verdict, now: OffsetDateTime) {
        let mut tx = self.tx().await;
        store::save(&mut tx, &[Outcome { claimed: claimed.clone(), verdict }], now).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn state(&self, number: RequestNumber) -> State {
        store::state_of(&mut self.tx().await, number).await.unwrap().unwrap()
    }

    async fn standing(&self, nth: usize) -> String {
        let (mut tx, business) = (self.tx().await, business(nth));
        sqlx::query_scalar!("SELECT standing FROM businesses WHERE business_id = $1", business.as_str())
            .fetch_one(&mut *tx)
            .await
            .unwrap()
    }

    /// The states a request has been in, oldest first.
    async fn story(&self, number: RequestNumber) -> Vec<State> {
        let events = store::events_of(&mut self.tx().await, number).await.unwrap();
        events.into_iter().map(|event| event.state).collect()
    }
}

fn requested(id: &str) -> Verdict {
    let id = id.parse::<MetaRequestId>().unwrap();
    Verdict::Settle(Settled { state: State::Requested, cause: None, meta_request_id: Some(id), doubtful: false })
}

fn failed(cause: Cause) -> Verdict {
    Verdict::Settle(Settled { state: State::Failed, cause: Some(cause), meta_request_id: None, doubtful: false })
}

fn waits(cause: Cause, until: OffsetDateTime) -> Waiting {
    Waiting { until, cause, faults: 1, doubtful: false, pauses_partner: false }
}
