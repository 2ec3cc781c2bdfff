//! How many businesses each chip shows: from the rollup that a trigger keeps, or, under a search, counted up to a cap.

use time::OffsetDateTime;

use super::search::Found;
use crate::{businesses::query::Filter, db::TenantTx};

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

    /// Of what was counted of a range of names, up to one more than the cap, and of what a search found one by one. Once as many as
    /// the cap have been looked at, every count is a lower bound.
    pub(super) fn counted(
        mut numbers: [i64; Filter::ALL.len()],
        found: Option<&Found>,
        stalled_before: OffsetDateTime,
    ) -> Self {
        let or_more = found.is_some_and(|found| found.more) || numbers[0] > COUNTED;
        for (number, filter) in numbers.iter_mut().zip(Filter::ALL) {
            let hits =
                found.map_or(0, |found| found.hits.iter().filter(|hit| hit.is_behind(filter, stalled_before)).count());
            *number += i64::try_from(hits).unwrap_or(i64::MAX);
        }
        Self(numbers.map(|n| Count::of(Some(if or_more { n.min(COUNTED) } else { n }), or_more)))
    }
}

/// How many businesses there are behind each chip, from the rollup; those that stalled are found by their age. Whoever waits for its
/// admin has no WABA that signed, so none of them is counted twice for a missing payment.
pub async fn count_all(tx: &mut TenantTx, stalled_before: OffsetDateTime) -> sqlx::Result<Counts> {
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
                WHERE partner_id = $1 AND left_at IS NULL AND waiting_since IS NOT NULL AND waiting_since < $2
                -- In the order of the index that finds them.
                ORDER BY waiting_since LIMIT $3
            ) AS old) AS stalled
        FROM (
            SELECT standing, needs_payment, requested, n FROM business_counts WHERE partner_id = $1
            UNION ALL
            SELECT standing, needs_payment, requested, delta FROM business_count_deltas WHERE partner_id = $1
        ) AS parts",
        partner.as_str() as _,
        stalled_before,
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
        Count::of(Some(stalled.min(COUNTED)), stalled > COUNTED),
        exact(row.accepted),
        exact(row.ready),
        Count::of(Some(attention), stalled > COUNTED),
    ]))
}

/// What the frame of every page says of the businesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadCount {
    /// All of them.
    pub all: u64,
    /// Those whose last request failed.
    pub failed: u64,
}

/// How many businesses there are, and how many failed, from the rollup.
pub async fn head_count(tx: &mut TenantTx) -> sqlx::Result<HeadCount> {
    let partner = tx.partner().clone();
    let row = sqlx::query!(
        r#"SELECT sum(n)::bigint AS total, (sum(n) FILTER (WHERE standing = 'failed'))::bigint AS failed
        FROM (
            SELECT standing, n FROM business_counts WHERE partner_id = $1
            UNION ALL
            SELECT standing, delta FROM business_count_deltas WHERE partner_id = $1
        ) AS parts"#,
        partner.as_str() as _,
    )
    .fetch_one(&mut **tx)
    .await?;
    let count = |n: Option<i64>| u64::try_from(n.unwrap_or_default()).unwrap_or_default();
    Ok(HeadCount { all: count(row.total), failed: count(row.failed) })
}

/// How many of what a search found are behind each chip.
pub async fn count_found(tx: &mut TenantTx, found: &Found, stalled_before: OffsetDateTime) -> sqlx::Result<Counts> {
    let numbers = match &found.range {
        Some(range) => count_range(tx, range, stalled_before).await?,
        None => [0; Filter::ALL.len()],
    };
    Ok(Counts::counted(numbers, Some(found), stalled_before))
}

/// In the order of [`Filter::ALL`], of at most one more than the cap.
async fn count_range(
    tx: &mut TenantTx,
    (from, to): &(String, String),
    stalled_before: OffsetDateTime,
) -> sqlx::Result<[i64; Filter::ALL.len()]> {
    let partner = tx.partner().clone();
    let row = sqlx::query!(
        r#"SELECT count(*) AS "total!",
            count(*) FILTER (WHERE standing = 'eligible') AS "eligible!",
            count(*) FILTER (WHERE last_request_number IS NULL) AS "not_requested!",
            count(*) FILTER (WHERE standing IN ('requested', 'already_requested')) AS "waiting!",
            count(*) FILTER (WHERE waiting_since < $5) AS "stalled!",
            count(*) FILTER (WHERE standing = 'accepted') AS "accepted!",
            count(*) FILTER (WHERE standing = 'ready') AS "ready!",
            count(*) FILTER (WHERE standing = 'failed' OR needs_payment OR waiting_since < $5) AS "attention!"
        FROM (
            SELECT standing, needs_payment, last_request_number, waiting_since FROM businesses
            WHERE partner_id = $1 AND left_at IS NULL AND name_key >= $2 AND name_key < $3
            ORDER BY name_key, business_id LIMIT $4
        ) AS begin_so"#,
        partner.as_str() as _,
        from,
        to,
        COUNTED + 1,
        stalled_before,
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok([row.total, row.eligible, row.not_requested, row.waiting, row.stalled, row.accepted, row.ready, row.attention])
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
