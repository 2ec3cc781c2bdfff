//! Finds the condition that few requests fit, and these.

use sqlx::{Postgres, QueryBuilder};

use super::{super::asked::Cond, Filter, MOST_GATHERED, numbers::walk_in_order};
use crate::db::TenantTx;

/// Postgres's code for a statement that took too long.
const QUERY_CANCELED: &str = "57014";

/// Businesses of a country or a manager that are looked at one by one.
const MOST_BUSINESSES: i64 = 500;

impl Filter {
    /// Tries the conditions, the likely rarest first, until one is met by few. What is gathered only saves walking, so it may not take
    /// long: where statistics are old the planner may go by an index of something else.
    pub(super) async fn gather(&mut self, tx: &mut TenantTx) -> sqlx::Result<()> {
        sqlx::query!("SAVEPOINT gathering").execute(&mut **tx).await?;
        sqlx::query!("SET LOCAL statement_timeout = '200ms'").execute(&mut **tx).await?;
        walk_in_order(tx, true).await?;
        let about_requests = self.asked.is_about_requests();
        let few = if about_requests { self.few(tx).await } else { self.few_calls(tx).await };
        // Takes what was set back as well.
        sqlx::query!("ROLLBACK TO SAVEPOINT gathering").execute(&mut **tx).await?;
        let few = match few {
            Err(sqlx::Error::Database(refusal)) if refusal.code().as_deref() == Some(QUERY_CANCELED) => None,
            few => few?,
        };
        if !about_requests {
            self.only_calls = few;
            return Ok(());
        }
        self.only = few;
        let Some(only) = &mut self.only else { return Ok(()) };
        for cond in self.numbers.iter().filter(|cond| !cond.excluded) {
            only.retain(|number| cond.any.contains(number));
        }
        only.sort_unstable();
        only.dedup();
        Ok(())
    }

    async fn few(&self, tx: &mut TenantTx) -> sqlx::Result<Option<Vec<i64>>> {
        if let Some(cond) = positive(&self.numbers).next() {
            return Ok(Some(cond.any.clone()));
        }
        if let Some(cond) = positive(&self.asked.trace).next() {
            return Ok(Some(numbers_of_traces(tx, &cond.any).await?));
        }
        for cond in positive(&self.businesses) {
            if let Some(few) = gathered(tx, Way::Business, texts(&cond.any)).await? {
                return Ok(Some(few));
            }
        }
        for cond in positive(&self.asked.batch) {
            if let Some(few) = gathered(tx, Way::Batch, texts(&cond.any)).await? {
                return Ok(Some(few));
            }
        }
        for cond in positive(&self.asked.code) {
            if let Some(few) = gathered(tx, Way::Code, texts(&cond.any)).await? {
                return Ok(Some(few));
            }
        }
        for cond in positive(&self.members) {
            if let Some(few) = of_members(tx, &cond.any).await? {
                return Ok(Some(few));
            }
        }
        for cond in positive(&self.asked.cause) {
            let causes = cond.any.iter().map(|cause| cause.as_str().to_owned()).collect();
            if let Some(few) = gathered(tx, Way::Cause, causes).await? {
                return Ok(Some(few));
            }
        }
        for cond in positive(&self.solutions).filter(|cond| cond.any.iter().all(|id| !id.is_empty())) {
            if let Some(few) = gathered(tx, Way::Solution, texts(&cond.any)).await? {
                return Ok(Some(few));
            }
        }
        for cond in positive(&self.asked.country) {
            let found = of_businesses(tx, |q| {
                q.push("country = ANY(").push_bind(cond.any.clone()).push(")");
            });
            if let Some(few) = found.await? {
                return Ok(Some(few));
            }
        }
        for cond in positive(&self.managers).filter(|cond| !cond.any.contains(&0)) {
            // As the index on managers has it.
            let found = of_businesses(tx, |q| {
                q.push("left_at IS NULL AND assigned_to = ANY(").push_bind(cond.any.clone()).push(")");
            });
            if let Some(few) = found.await? {
                return Ok(Some(few));
            }
        }
        Ok(None)
    }

    /// The same of calls. What remains is met along their time: the refused ones have an index of their own.
    async fn few_calls(&self, tx: &mut TenantTx) -> sqlx::Result<Option<Vec<i64>>> {
        if let Some(cond) = positive(&self.asked.trace).next() {
            return Ok(Some(traced(tx, &cond.any).await?.into_iter().map(|call| call.call_id).collect()));
        }
        for cond in positive(&self.asked.code) {
            if let Some(few) = gathered(tx, Way::CallsOfCode, texts(&cond.any)).await? {
                return Ok(Some(few));
            }
        }
        Ok(None)
    }
}

fn positive<T>(conds: &[Cond<T>]) -> impl Iterator<Item = &Cond<T>> {
    conds.iter().filter(|cond| !cond.excluded)
}

fn few(found: Vec<i64>) -> Option<Vec<i64>> {
    (i64::try_from(found.len()).unwrap_or(i64::MAX) <= MOST_GATHERED).then_some(found)
}

/// An index that has requests, or calls, by something few may have.
#[derive(Clone, Copy)]
enum Way {
    Business,
    Batch,
    Cause,
    Solution,
    Code,
    CallsOfCode,
}

impl Way {
    /// What is gathered.
    const fn gathers(self) -> &'static str {
        if matches!(self, Self::CallsOfCode) { "call_id" } else { "number" }
    }

    /// The table, the column with its type, and what follows the column in the index.
    const fn index(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::Business => ("requests", "business_id", "text", "number DESC"),
            Self::Batch => ("requests", "batch_number", "bigint", "state, number"),
            Self::Cause => ("requests", "cause", "text", "number DESC"),
            Self::Solution => ("requests", "solution_id", "text", "number DESC"),
            Self::Code | Self::CallsOfCode => ("graph_calls", "error_code", "bigint", "call_id DESC"),
        }
    }
}

fn texts(values: &[impl ToString]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

/// The requests, or the calls, that have one of these values, if they are few. Each value is a range of one in the order of the index: where statistics
/// are old, only that keeps the planner from any other that begins with the partner.
async fn gathered(tx: &mut TenantTx, way: Way, values: Vec<String>) -> sqlx::Result<Option<Vec<i64>>> {
    let ((table, column, kind, behind), id) = (way.index(), way.gathers());
    let mut q = QueryBuilder::new("SELECT id FROM unnest(");
    q.push_bind(values).push("::text[]::").push(kind).push("[]) AS wanted (value), LATERAL (SELECT ");
    q.push(id).push(" AS id FROM ").push(table);
    q.push(" WHERE partner_id = ").push_bind(tx.partner().as_str().to_owned());
    q.push(" AND ").push(id).push(" IS NOT NULL AND ").push(column).push(" IS NOT NULL");
    q.push(" AND ").push(column).push(" >= wanted.value AND ").push(column).push(" <= wanted.value");
    q.push(" ORDER BY ").push(column).push(", ").push(behind).push(" LIMIT ").push_bind(MOST_GATHERED + 1);
    q.push(") AS r LIMIT ").push_bind(MOST_GATHERED + 1);
    Ok(few(q.build_query_scalar().fetch_all(&mut **tx).await?))
}

/// The requests for the businesses that fit a condition, if those are few.
async fn of_businesses(
    tx: &mut TenantTx,
    condition: impl FnOnce(&mut QueryBuilder<Postgres>),
) -> sqlx::Result<Option<Vec<i64>>> {
    let mut q = QueryBuilder::new("SELECT business_id::text FROM businesses WHERE partner_id = ");
    q.push_bind(tx.partner().as_str().to_owned()).push(" AND ");
    condition(&mut q);
    q.push(" LIMIT ").push_bind(MOST_BUSINESSES + 1);
    let ids: Vec<String> = q.build_query_scalar().fetch_all(&mut **tx).await?;
    if i64::try_from(ids.len()).unwrap_or(i64::MAX) > MOST_BUSINESSES {
        return Ok(None);
    }
    gathered(tx, Way::Business, ids).await
}

/// By their batches: a request has the member of its batch.
async fn of_members(tx: &mut TenantTx, members: &[i64]) -> sqlx::Result<Option<Vec<i64>>> {
    let partner = tx.partner().clone();
    let found = sqlx::query_scalar!(
        r#"
        SELECT r.number AS "number!" FROM (
            SELECT batch_number FROM batches WHERE partner_id = $1 AND member_id = ANY($2) AND started_at IS NOT NULL LIMIT $3
        ) AS b, LATERAL (
            SELECT number FROM requests
            WHERE partner_id = $1 AND batch_number >= b.batch_number AND batch_number <= b.batch_number
            ORDER BY batch_number, state, number OFFSET 0
        ) AS r
        LIMIT $3
        "#,
        partner.as_str(),
        members,
        MOST_GATHERED + 1,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(few(found))
}

/// The requests that were answered with these trace or request ids of Meta's.
pub async fn numbers_of_traces(tx: &mut TenantTx, traces: &[String]) -> sqlx::Result<Vec<i64>> {
    let mut numbers: Vec<i64> = traced(tx, traces).await?.into_iter().filter_map(|call| call.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}

/// A call with the request it was made for.
struct Traced {
    call_id: i64,
    number: Option<i64>,
}

/// The calls that were answered with these trace or request ids of Meta's.
async fn traced(tx: &mut TenantTx, traces: &[String]) -> sqlx::Result<Vec<Traced>> {
    let partner = tx.partner().clone();
    sqlx::query_as!(
        Traced,
        r#"
        SELECT call_id AS "call_id!", number FROM (
            SELECT c.call_id, c.number FROM unnest($2::text[]) AS wanted (id), LATERAL (
                SELECT call_id, number FROM graph_calls WHERE partner_id = $1 AND fbtrace_id >= wanted.id AND fbtrace_id <= wanted.id
                ORDER BY fbtrace_id OFFSET 0
            ) AS c
            UNION SELECT c.call_id, c.number FROM unnest($2::text[]) AS wanted (id), LATERAL (
                SELECT call_id, number FROM graph_calls WHERE partner_id = $1 AND x_fb_request_id >= wanted.id AND x_fb_request_id <= wanted.id
                ORDER BY x_fb_request_id OFFSET 0
            ) AS c
        ) AS either LIMIT $3
        "#,
        partner.as_str(),
        traces,
        MOST_GATHERED,
    )
    .fetch_all(&mut **tx)
    .await
}
