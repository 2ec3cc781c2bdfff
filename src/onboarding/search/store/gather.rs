//! Finds the condition that few requests fit, and these.

use sqlx::{Postgres, QueryBuilder};

use super::{super::asked::Cond, Filter, MOST_GATHERED};
use crate::{db::TenantTx, graph::Cause};

/// Businesses of a country or a manager that are looked at one by one.
const MOST_BUSINESSES: i64 = 500;

impl Filter {
    /// Tries the conditions, the likely rarest first, until one is met by few.
    pub(super) async fn gather(&mut self, tx: &mut TenantTx) -> sqlx::Result<()> {
        self.only = self.few(tx).await?;
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
            let found = gathered(tx, |q| {
                q.push("business_id = ANY(").push_bind(cond.any.clone()).push("::text[])");
            });
            if let Some(few) = found.await? {
                return Ok(Some(few));
            }
        }
        for cond in positive(&self.asked.batch) {
            let found = gathered(tx, |q| {
                q.push("batch_number = ANY(").push_bind(cond.any.clone()).push(")");
            });
            if let Some(few) = found.await? {
                return Ok(Some(few));
            }
        }
        if !self.asked.code.iter().all(|cond| cond.excluded)
            && let Some(few) = self.of_calls(tx).await?
        {
            return Ok(Some(few));
        }
        for cond in positive(&self.members) {
            if let Some(few) = of_members(tx, &cond.any).await? {
                return Ok(Some(few));
            }
        }
        for cond in positive(&self.asked.cause) {
            let causes: Vec<&str> = cond.any.iter().map(|cause| Cause::as_str(*cause)).collect();
            let found = gathered(tx, |q| {
                q.push("cause = ANY(").push_bind(causes).push(")");
            });
            if let Some(few) = found.await? {
                return Ok(Some(few));
            }
        }
        for cond in positive(&self.solutions).filter(|cond| cond.any.iter().all(|id| !id.is_empty())) {
            let found = gathered(tx, |q| {
                q.push("solution_id = ANY(").push_bind(cond.any.clone()).push("::text[])");
            });
            if let Some(few) = found.await? {
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

    /// By the index on error codes.
    async fn of_calls(&self, tx: &mut TenantTx) -> sqlx::Result<Option<Vec<i64>>> {
        let mut q = QueryBuilder::new("SELECT number FROM graph_calls WHERE partner_id = ");
        q.push_bind(tx.partner().as_str().to_owned());
        q.push(" AND number IS NOT NULL AND error_code IS NOT NULL");
        for cond in positive(&self.asked.code) {
            q.push(" AND error_code = ANY(").push_bind(cond.any.clone()).push(")");
        }
        q.push(" LIMIT ").push_bind(MOST_GATHERED + 1);
        let found: Vec<i64> = q.build_query_scalar().fetch_all(&mut **tx).await?;
        Ok(few(found))
    }
}

fn positive<T>(conds: &[Cond<T>]) -> impl Iterator<Item = &Cond<T>> {
    conds.iter().filter(|cond| !cond.excluded)
}

fn few(found: Vec<i64>) -> Option<Vec<i64>> {
    (i64::try_from(found.len()).unwrap_or(i64::MAX) <= MOST_GATHERED).then_some(found)
}

/// The requests that fit one condition, if they are few.
async fn gathered(
    tx: &mut TenantTx,
    condition: impl FnOnce(&mut QueryBuilder<Postgres>),
) -> sqlx::Result<Option<Vec<i64>>> {
    let mut q = QueryBuilder::new("SELECT number FROM requests WHERE partner_id = ");
    q.push_bind(tx.partner().as_str().to_owned()).push(" AND ");
    condition(&mut q);
    q.push(" LIMIT ").push_bind(MOST_GATHERED + 1);
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
    gathered(tx, |q| {
        q.push("business_id = ANY(").push_bind(ids).push("::text[])");
    })
    .await
}

/// By their batches: a request has the member of its batch.
async fn of_members(tx: &mut TenantTx, members: &[i64]) -> sqlx::Result<Option<Vec<i64>>> {
    let partner = tx.partner().clone();
    let found = sqlx::query_scalar!(
        r#"
        SELECT r.number AS "number!" FROM (
            SELECT batch_number FROM batches WHERE partner_id = $1 AND member_id = ANY($2) AND started_at IS NOT NULL LIMIT $3
        ) AS b, LATERAL (
            SELECT number FROM requests WHERE partner_id = $1 AND batch_number = b.batch_number OFFSET 0
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
    let partner = tx.partner().clone();
    sqlx::query_scalar!(
        r#"
        SELECT number AS "number!" FROM (
            SELECT number FROM graph_calls WHERE partner_id = $1 AND fbtrace_id IS NOT NULL AND fbtrace_id = ANY($2)
            UNION SELECT number FROM graph_calls WHERE partner_id = $1 AND x_fb_request_id IS NOT NULL AND x_fb_request_id = ANY($2)
        ) AS either WHERE number IS NOT NULL LIMIT $3
        "#,
        partner.as_str(),
        traces,
        MOST_GATHERED,
    )
    .fetch_all(&mut **tx)
    .await
}
