//! Laws of what is kept, on a real Postgres.

mod counts;
mod list;
mod managed;
mod noted;
mod search;
mod selection;
mod standing;
mod syncs;
mod upsert;
mod waits;
mod walls;

use sqlx::PgPool;
use time::{OffsetDateTime, macros::datetime};

use super::*;
use crate::{
    businesses::{
        events_of,
        model::EventKind,
        name_key::clean_name,
        sync::{Seen, SeenBusiness, SeenWaba},
    },
    db::{Db, PartnerId},
    graph::BusinessStatus,
};

const MONDAY: OffsetDateTime = datetime!(2026-11-23 08:00 UTC);
const TUESDAY: OffsetDateTime = datetime!(2026-11-24 08:00 UTC);
const WEDNESDAY: OffsetDateTime = datetime!(2026-11-25 08:00 UTC);
/// A week before, as a partner has it that decided nothing.
const STALLED_BEFORE: OffsetDateTime = datetime!(2026-11-18 08:00 UTC);

fn partner(id: &str) -> PartnerId {
    id.parse().unwrap()
}

fn id(digits: &str) -> BusinessId {
    digits.parse().unwrap()
}

async fn tenant(pool: &PgPool, partner_id: &str) -> TenantTx {
    Db::from_pool(pool.clone()).tenant(&partner(partner_id)).await.unwrap()
}

/// A business with WABAs that Meta says this of; the WABAs' ids are the business's with a digit more.
fn business(digits: &str, name: &str, eligibilities: &[&str]) -> Seen {
    let business = SeenBusiness {
        id: id(digits),
        name: Some(clean_name(name)),
        country: Some("BR".to_owned()),
        verification_status: None,
        meta_status: None,
        meta_status_date: None,
    };
    let wabas = eligibilities.iter().enumerate().map(|(at, eligibility)| SeenWaba {
        id: format!("{digits}{at}").parse().unwrap(),
        business: id(digits),
        name: format!("WABA {at}"),
        link: Link::Shared,
        eligibility: (!eligibility.is_empty()).then(|| (*eligibility).to_owned()),
        country: None,
        currency: None,
        review_status: None,
        verification_status: None,
        ownership_type: None,
    });
    Seen { businesses: vec![business], wabas: wabas.collect(), ownerless: Vec::new() }
}

fn all_of(parts: impl IntoIterator<Item = Seen>) -> Seen {
    let mut all = Seen::default();
    for part in parts {
        all.businesses.extend(part.businesses);
        all.wabas.extend(part.wabas);
    }
    all
}

/// A whole sync that sees this and nothing else.
async fn sync(tx: &mut TenantTx, seen: &Seen, at: OffsetDateTime) {
    ask_for_sync(tx, None, at).await.unwrap();
    let open = open_sync(tx).await.unwrap().unwrap();
    begin_sync(tx, open.id, at).await.unwrap();
    let reading = Reading { sync_id: open.id, began_at: at, now: at };
    upsert(tx, reading, seen).await.unwrap();
    mark_vanished(tx, reading).await.unwrap();
    finish_sync(tx, open.id, at).await.unwrap();
}

/// What a poll was told of a business.
async fn told(tx: &mut TenantTx, id: &BusinessId, status: Option<&str>, at: OffsetDateTime) {
    let status = BusinessStatus { status: status.map(str::to_owned), date: None };
    keep_told(tx, &[(id.clone(), status)], &[], at).await.unwrap();
}

async fn standing_of(tx: &mut TenantTx, digits: &str) -> Standing {
    find_business(tx, &id(digits)).await.unwrap().unwrap().standing
}

/// The timeline, oldest first, as kinds and details.
async fn story(tx: &mut TenantTx, digits: &str) -> Vec<(EventKind, Option<String>)> {
    let mut events = events_of(tx, &id(digits), 100).await.unwrap();
    events.reverse();
    events.into_iter().map(|event| (event.kind, event.detail)).collect()
}

/// A request of ours in some state, written as dispatch would leave it.
async fn request(tx: &mut TenantTx, digits: &str, state: &str, at: OffsetDateTime) -> i64 {
    let partner = tx.partner().to_string();
    sqlx::query_scalar::<_, i64>(
        "WITH member AS (
            INSERT INTO members (partner_id, facebook_user_id, name, role, joined_at) VALUES ($1, '7', 'Ines Carvalho', 'admin', $4)
            ON CONFLICT (partner_id, facebook_user_id) DO UPDATE SET name = excluded.name RETURNING member_id
        ), batch AS (
            INSERT INTO batches (partner_id, member_id, started_at) SELECT $1, member_id, $4 FROM member RETURNING batch_number, member_id
        )
        INSERT INTO requests (partner_id, batch_number, business_id, member_id, state, queued_at, changed_at, sending_at, retry_at,
            answered_at, accepted_at, ready_at, failed_at, cause, cancelled_at, meta_request_id)
        SELECT $1, batch_number, $2, member_id, $3, $4, $4, $4, CASE WHEN $3 = 'waiting_to_retry' THEN $4 END,
            $4, $4, $4, $4, 'unrecognised', CASE WHEN $3 = 'cancelled' THEN $4 END, '55'
        FROM batch RETURNING number",
    )
    .bind(partner)
    .bind(digits)
    .bind(state)
    .bind(at)
    .fetch_one(&mut **tx)
    .await
    .unwrap()
}
