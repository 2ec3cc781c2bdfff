//! The numbers of a page: what passes the filter, newest first.

use super::{
    super::standings::Part,
    Filter,
    conditions::{Sql, push_part, push_request_conditions, push_times},
};
use crate::{db::TenantTx, onboarding::model::RequestNumber};

/// Which part of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// The newest.
    Newest,
    /// Those next older than this one.
    OlderThan(RequestNumber),
    /// Those next newer than this one.
    NewerThan(RequestNumber),
}

/// The numbers of a window, at most `most` of them: newest first, but oldest first in [`Window::NewerThan`].
pub async fn numbers_of_page(tx: &mut TenantTx, filter: &Filter, window: Window, most: i64) -> sqlx::Result<Vec<i64>> {
    let (mut first, mut end, ascending) = match window {
        Window::Newest => (filter.first, filter.end, false),
        Window::OlderThan(number) => (filter.first, filter.end.min(number.0), false),
        Window::NewerThan(number) => (filter.first.max(number.0.saturating_add(1)), filter.end, true),
    };
    let order = if ascending { " ORDER BY number" } else { " ORDER BY number DESC" };
    let only = filter.only.as_ref().map(|only| {
        let from = only.partition_point(|number| *number < first);
        let to = only.partition_point(|number| *number < end);
        only[from.min(to)..to].to_vec()
    });
    if let (Some(least), Some(most)) =
        (only.as_ref().and_then(|only| only.first()), only.as_ref().and_then(|only| only.last()))
    {
        (first, end) = (first.max(*least), end.min(most.saturating_add(1)));
    }
    let parts: Vec<_> =
        if filter.asked.standings.is_all() { vec![None] } else { filter.asked.standings.parts().map(Some).collect() };
    if parts.is_empty() || first >= end || only.as_ref().is_some_and(Vec::is_empty) {
        return Ok(Vec::new());
    }
    let mut q = Sql::new("SELECT number FROM (");
    let partner = tx.partner().as_str().to_owned();
    for (at, part) in parts.into_iter().enumerate() {
        if at > 0 {
            q.push(" UNION ALL ");
        }
        // Of each state only as many as a page holds: each walks along its own index.
        q.push("(SELECT r.number FROM requests r WHERE r.partner_id = ").push_bind(partner.clone());
        let mut end = end;
        if let Some((state, part)) = part {
            push_part(&mut q, state, part, filter.stalled_before);
            if part == Part::Stalled {
                end = end.min(filter.stalled_end);
            }
        }
        q.push(" AND r.number >= ").push_bind(first).push(" AND r.number < ").push_bind(end);
        if let Some(only) = &only {
            q.push(" AND r.number = ANY(").push_bind(only.clone()).push(")");
        }
        push_times(&mut q, filter);
        push_request_conditions(&mut q, filter);
        q.push(order).push(" LIMIT ").push_bind(most).push(")");
    }
    q.push(") AS found").push(order).push(" LIMIT ").push_bind(most);
    if only.is_none() {
        walk_in_order(tx, true).await?;
    }
    let found = q.build_query_scalar().fetch_all(&mut **tx).await?;
    if only.is_none() {
        walk_in_order(tx, false).await?;
    }
    Ok(found)
}

/// Several conditions at once look rarer to the planner than they are: it would rather fetch all of a state and sort it than walk along
/// until the page is full. Until the end of the transaction, or until it is told otherwise, it walks; and compiles
/// nothing, which takes longer than the walk.
async fn walk_in_order(tx: &mut TenantTx, walk: bool) -> sqlx::Result<()> {
    sqlx::query!(
        "SELECT set_config('enable_sort', $1, TRUE) AS a, set_config('enable_bitmapscan', $1, TRUE) AS b, \
            set_config('enable_seqscan', $1, TRUE) AS c, set_config('jit', 'off', TRUE) AS d",
        if walk { "off" } else { "on" },
    )
    .fetch_one(&mut **tx)
    .await
    .map(drop)
}
