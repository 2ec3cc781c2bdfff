//! How many requests there are in each state, counted up to a limit.

use time::OffsetDateTime;

use super::numbers::walk_in_order;
use crate::{db::TenantTx, onboarding::model::State};

/// Requests in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateCount {
    pub state: State,
    pub all: i64,
    /// Of those, the ones that have stalled.
    pub stalled: i64,
}

/// Every state's count, each up to `most`; what waits since before `stalled_before` has stalled.
pub async fn state_counts(
    tx: &mut TenantTx,
    most: i64,
    stalled_before: OffsetDateTime,
) -> sqlx::Result<Vec<StateCount>> {
    let partner = tx.partner().clone();
    let stalled_end = super::resolve::ends_before(tx, stalled_before).await?;
    // Each state as a range of one, as where they are walked along: see numbers.rs.
    walk_in_order(tx, true).await?;
    let states = State::ALL.map(|state| state.as_str().to_owned());
    let rows = sqlx::query!(
        r#"
        SELECT s.state AS "state!", (
            SELECT count(*) FROM (
                SELECT FROM requests WHERE partner_id = $1 AND state >= s.state AND state <= s.state ORDER BY state, number LIMIT $3
            ) AS these
        ) AS "all!", CASE WHEN s.state IN ('requested', 'already_requested') THEN (
            SELECT count(*) FROM (
                SELECT FROM requests WHERE partner_id = $1 AND (state, number) < (s.state, $5) AND state >= s.state AND answered_at < $4
                ORDER BY state DESC, number DESC LIMIT $3
            ) AS these
        ) ELSE 0 END AS "stalled!"
        FROM unnest($2::text[]) AS s (state)
        "#,
        partner.as_str() as _,
        &states,
        most,
        stalled_before,
        stalled_end,
    )
    .fetch_all(&mut **tx)
    .await?;
    walk_in_order(tx, false).await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| Some(StateCount { state: row.state.parse().ok()?, all: row.all, stalled: row.stalled }))
        .collect())
}
