//! All SQL of this room.

use time::OffsetDateTime;

use super::model::{Role, Solution, Unusable, judge};
use crate::{
    db::TenantTx,
    graph::{self, SolutionId},
};

/// What a solution is called that Meta gave no name.
const NAMELESS: &str = "No name";

struct Row {
    solution_id: String,
    name: String,
    status: Option<String>,
    pending_status: Option<String>,
    role: String,
    gone: bool,
}

impl From<Row> for Solution {
    fn from(row: Row) -> Self {
        let (usable, ending) = judge(row.status.as_deref(), row.pending_status.as_deref(), row.gone);
        let role = if row.role == Role::Owner.as_str() { Role::Owner } else { Role::Partner };
        Self { id: SolutionId::from_stored(row.solution_id), name: row.name, role, usable, ending }
    }
}

/// The solutions Meta lists, those that can be used first, each by name.
pub async fn offered(tx: &mut TenantTx) -> sqlx::Result<Vec<Solution>> {
    let partner = tx.partner().clone();
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT solution_id AS "solution_id!: String", name, status, pending_status, role, FALSE AS "gone!" FROM solutions
        WHERE partner_id = $1 AND gone_at IS NULL ORDER BY name, solution_id"#,
        partner.as_str() as _,
    )
    .fetch_all(&mut **tx)
    .await?;
    let mut solutions: Vec<Solution> = rows.into_iter().map(Solution::from).collect();
    solutions.sort_by_key(|solution| solution.usable.is_err());
    Ok(solutions)
}

/// The solution with this id: `None` if the partner has none such, else whether it may be used now.
pub async fn find_usable(tx: &mut TenantTx, id: &SolutionId) -> sqlx::Result<Option<Result<Solution, Unusable>>> {
    let partner = tx.partner().clone();
    let row = sqlx::query_as!(
        Row,
        r#"SELECT solution_id AS "solution_id!: String", name, status, pending_status, role, gone_at IS NOT NULL AS "gone!"
        FROM solutions WHERE partner_id = $1 AND solution_id = $2"#,
        partner.as_str() as _,
        id.as_str() as _,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(Solution::from).map(|solution| match &solution.usable {
        Ok(()) => Ok(solution),
        Err(why) => Err(why.clone()),
    }))
}

/// Keeps a page of solutions as a sync saw them. One that is listed in both roles is kept as the app's own.
pub async fn upsert(tx: &mut TenantTx, role: Role, page: &[graph::Solution], now: OffsetDateTime) -> sqlx::Result<()> {
    let partner = tx.partner().clone();
    let ids: Vec<_> = page.iter().map(|solution| solution.id.as_str()).collect();
    let name = |name: &str| if name.trim().is_empty() { NAMELESS.to_owned() } else { storable(name.trim()) };
    let names: Vec<_> = page.iter().map(|solution| name(&solution.name)).collect();
    let statuses: Vec<_> = page.iter().map(|solution| solution.status.as_deref().map(storable)).collect();
    let pending: Vec<_> = page.iter().map(|solution| solution.pending.as_deref().map(storable)).collect();
    sqlx::query!(
        "INSERT INTO solutions AS s (partner_id, solution_id, name, status, pending_status, role, seen_at)
        SELECT DISTINCT ON (solution_id) $1, solution_id, name, status, pending_status, $6, $7
        FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS given (solution_id, name, status, pending_status)
        ORDER BY solution_id
        ON CONFLICT (partner_id, solution_id) DO UPDATE SET name = excluded.name, status = excluded.status,
            pending_status = excluded.pending_status, seen_at = excluded.seen_at, gone_at = NULL,
            role = CASE WHEN s.role = 'owner' AND s.gone_at IS NULL THEN s.role ELSE excluded.role END",
        partner.as_str() as _,
        &ids as _,
        &names as _,
        &statuses as _,
        &pending as _,
        role.as_str(),
        now,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// Postgres keeps no NUL.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

/// At the end of a whole sync that began at `began_at`: solutions it did not see are gone.
pub async fn mark_vanished(tx: &mut TenantTx, began_at: OffsetDateTime, now: OffsetDateTime) -> sqlx::Result<()> {
    let partner = tx.partner().clone();
    sqlx::query!(
        "UPDATE solutions SET gone_at = $3 WHERE partner_id = $1 AND gone_at IS NULL AND seen_at < $2",
        partner.as_str() as _,
        began_at,
        now,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

#[cfg(test)]
mod tests {
    use sqlx::PgPool;
    use time::macros::datetime;

    use super::*;
    use crate::db::{Db, PartnerId};

    const MONDAY: OffsetDateTime = datetime!(2026-11-23 08:00 UTC);

    fn partner(id: &str) -> PartnerId {
        id.parse().unwrap()
    }

    fn listed(id: &str, name: &str, status: &str) -> graph::Solution {
        graph::Solution {
            id: id.parse().unwrap(),
            name: name.to_owned(),
            status: Some(status.to_owned()),
            pending: Some("NONE".to_owned()),
        }
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn usable_solutions_come_first_and_those_meta_lists_no_more_go(pool: PgPool) {
        let db = Db::from_pool(pool);
        let mut tx = db.tenant(&partner("1")).await.unwrap();
        let page =
            [listed("11", "A draft", "DRAFT"), listed("12", "Retail\0", "ACTIVE"), listed("13", "Old", "ACTIVE")];
        upsert(&mut tx, Role::Owner, &page, MONDAY).await.unwrap();
        let names = |solutions: &[Solution]| solutions.iter().map(Solution::label).collect::<Vec<_>>();
        let all = offered(&mut tx).await.unwrap();
        assert_eq!(names(&all), ["Old", "Retail\u{FFFD}", "A draft (a draft, cannot be used yet)"]);

        let tuesday = MONDAY + time::Duration::DAY;
        upsert(&mut tx, Role::Owner, &page[..2], tuesday).await.unwrap();
        mark_vanished(&mut tx, tuesday, tuesday).await.unwrap();
        let all = offered(&mut tx).await.unwrap();
        assert_eq!(names(&all), ["Retail\u{FFFD}", "A draft (a draft, cannot be used yet)"]);
        let gone = find_usable(&mut tx, &page[2].id).await.unwrap();
        assert_eq!(gone.unwrap().unwrap_err(), Unusable::Gone);
        assert!(find_usable(&mut tx, &page[1].id).await.unwrap().unwrap().is_ok());
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn a_foreign_solution_does_not_exist(pool: PgPool) {
        let db = Db::from_pool(pool);
        let mut tx = db.tenant(&partner("1")).await.unwrap();
        let page = [listed("11", "Ours", "ACTIVE")];
        upsert(&mut tx, Role::Owner, &page, MONDAY).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = db.tenant(&partner("2")).await.unwrap();
        assert!(offered(&mut tx).await.unwrap().is_empty());
        assert!(find_usable(&mut tx, &page[0].id).await.unwrap().is_none());
    }
}
