//! How many businesses each chip shows: from the rollup that a trigger keeps, or, under a search, counted up to a cap.

use time::OffsetDateTime;

use super::search::Found;
use crate::{
    businesses::{model::STALLED_AFTER, query::Filter},
    db::TenantTx,
};

/// The most that is counted one by one.
pub const COUNTED: i64 = 1_000;

/// A count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// So many have been counted.
    pub n: u64,
    /// There may be more.
    pub or_more: bool,
}

impl Count {
    fn of(n: Option<i64>, or_more: bool) -> Self {
        Self { n: u64::try_from(n.unwrap_or_default()).unwrap_or_default(), or_more }
    }
}

/// The counts of the chips.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([Count; Filter::ALL.len()]);

impl Counts {
    /// The count of one chip.
    pub fn of(&self, filter: Filter) -> Count {
        Filter::ALL.iter().position(|known| *known == filter).map_or(Count::default(), |at| self.0[at])
    }
}

/// How many businesses there are behind each chip, from the rollup; those that stalled are found by their age.
pub async fn count_all(tx: &mut TenantTx, now: OffsetDateTime) -> sqlx::Result<Counts> {
    let partner = tx.partner().clone();
    let row = sqlx::query!(
        "SELECT sum(n)::bigint AS total,
            (sum(n) FILTER (WHERE standing = 'eligible'))::bigint AS eligible,
            (sum(n) FILTER (WHERE NOT requested))::bigint AS not_requested,
            (sum(n) FILTER (WHERE standing IN ('requested', 'already_requested')))::bigint AS waiting,
            (sum(n) FILTER (WHERE standing = 'accepted'))::bigint AS accepted,
            (sum(n) FILTER (WHERE standing = 'ready'))::bigint AS ready,
            (sum(n) FILTER (WHERE standing = 'failed' OR needs_payment))::bigint AS troubled,
            (SELECT count(*) FROM (
                SELECT FROM businesses
                WHERE partner_id = $1 AND left_at IS NULL AND waiting_since IS NOT NULL AND waiting_since < $2 AND NOT needs_payment
                LIMIT $3
            ) AS old) AS stalled
        FROM (
            SELECT standing, needs_payment, requested, n FROM business_counts WHERE partner_id = $1
            UNION ALL
            SELECT standing, needs_payment, requested, delta FROM business_count_deltas WHERE partner_id = $1
        ) AS parts",
        partner.as_str() as _,
        now - STALLED_AFTER,
        COUNTED + 1,
    )
    .fetch_one(&mut **tx)
    .await?;
    let exact = |n| Count::of(n, false);
    let stalled = row.stalled.unwrap_or_default();
    let attention = row.troubled.unwrap_or_default() + stalled.min(COUNTED);
    Ok(Counts([
        exact(row.total),
        exact(row.eligible),
        exact(row.not_requested),
        exact(row.waiting),
        exact(row.accepted),
        exact(row.ready),
        Count::of(Some(attention), stalled > COUNTED),
    ]))
}

/// How many of what a search found are behind each chip. Once as many as the cap have been looked at, every count is a lower bound.
pub async fn count_found(tx: &mut TenantTx, found: &Found, now: OffsetDateTime) -> sqlx::Result<Counts> {
    let partner = tx.partner().clone();
    let (from, to) = found.bounds();
    let row = sqlx::query!(
        "WITH begin_so AS (
            SELECT business_id, standing, needs_payment, last_request_number, waiting_since FROM businesses
            WHERE partner_id = $1 AND left_at IS NULL AND name_key >= $2 AND name_key < $3
            ORDER BY name_key, business_id LIMIT $5
        ), near AS (
            SELECT * FROM begin_so
            UNION
            SELECT business_id, standing, needs_payment, last_request_number, waiting_since FROM businesses
            WHERE partner_id = $1 AND left_at IS NULL AND business_id = ANY ($4)
        )
        SELECT count(*) AS total,
            count(*) FILTER (WHERE standing = 'eligible') AS eligible,
            count(*) FILTER (WHERE last_request_number IS NULL) AS not_requested,
            count(*) FILTER (WHERE standing IN ('requested', 'already_requested')) AS waiting,
            count(*) FILTER (WHERE standing = 'accepted') AS accepted,
            count(*) FILTER (WHERE standing = 'ready') AS ready,
            count(*) FILTER (WHERE standing = 'failed' OR needs_payment OR waiting_since < $6) AS attention,
            (SELECT count(*) FROM begin_so) AS begin_so
        FROM near",
        partner.as_str() as _,
        from,
        to,
        &found.ids as _,
        COUNTED + 1,
        now - STALLED_AFTER,
    )
    .fetch_one(&mut **tx)
    .await?;
    let or_more = found.more || row.begin_so.unwrap_or_default() > COUNTED;
    let count = |n: Option<i64>| Count::of(n.map(|n| if or_more { n.min(COUNTED) } else { n }), or_more);
    Ok(Counts([
        count(row.total),
        count(row.eligible),
        count(row.not_requested),
        count(row.waiting),
        count(row.accepted),
        count(row.ready),
        count(row.attention),
    ]))
}

/// Adds what has changed to the sums. A reader sees both or neither; writers are not held up.
pub async fn fold_counts(tx: &mut TenantTx) -> sqlx::Result<()> {
    let partner = tx.partner().clone();
    sqlx::query!(
        "WITH taken AS (
            DELETE FROM business_count_deltas WHERE partner_id = $1 RETURNING standing, needs_payment, requested, delta
        )
        INSERT INTO business_counts (partner_id, standing, needs_payment, requested, n)
        SELECT $1, standing, needs_payment, requested, sum(delta) FROM taken
        GROUP BY standing, needs_payment, requested HAVING sum(delta) <> 0
        ORDER BY standing, needs_payment, requested
        ON CONFLICT (partner_id, standing, needs_payment, requested) DO UPDATE SET n = business_counts.n + excluded.n",
        partner.as_str() as _,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}
