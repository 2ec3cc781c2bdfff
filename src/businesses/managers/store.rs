//! The SQL of who looks after what.

use time::OffsetDateTime;

use super::Manager;
use crate::{businesses::store::lock_businesses, db::TenantTx, graph::BusinessId};

/// The most members that are offered.
const MOST_OFFERED: i64 = 500;

/// A member whom a business can be assigned to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Colleague {
    /// Ours.
    pub member_id: i64,
    /// Their name.
    pub name: String,
}

/// The members of the partner that weren't removed, by name.
pub async fn colleagues(tx: &mut TenantTx) -> sqlx::Result<Vec<Colleague>> {
    let partner = tx.partner().clone();
    sqlx::query_as!(
        Colleague,
        "SELECT member_id, name FROM members WHERE partner_id = $1 AND removed_at IS NULL ORDER BY lower(name), member_id LIMIT $2",
        partner.as_str() as _,
        MOST_OFFERED,
    )
    .fetch_all(&mut **tx)
    .await
}

/// Those whose businesses can be listed: the members, and who was removed and has businesses still.
pub async fn managing(tx: &mut TenantTx) -> sqlx::Result<Vec<Colleague>> {
    let partner = tx.partner().clone();
    sqlx::query_as!(
        Colleague,
        r#"SELECT member_id, CASE WHEN removed_at IS NULL THEN name ELSE name || ' (no longer a member)' END AS "name!" FROM members m
        WHERE partner_id = $1 AND (removed_at IS NULL OR EXISTS (
            SELECT FROM businesses WHERE partner_id = $1 AND assigned_to = m.member_id AND left_at IS NULL
        ))
        ORDER BY removed_at IS NOT NULL, lower(name), member_id LIMIT $2"#,
        partner.as_str() as _,
        MOST_OFFERED,
    )
    .fetch_all(&mut **tx)
    .await
}

/// A member by our id, removed or not: what they looked after stays theirs until somebody else does.
pub async fn colleague(tx: &mut TenantTx, member_id: i64) -> sqlx::Result<Option<Colleague>> {
    let partner = tx.partner().clone();
    sqlx::query_as!(
        Colleague,
        "SELECT member_id, name FROM members WHERE partner_id = $1 AND member_id = $2",
        partner.as_str() as _,
        member_id,
    )
    .fetch_optional(&mut **tx)
    .await
}

/// Whether businesses can be assigned so: to nobody, or to a member of the partner who is still there.
pub async fn can_be(tx: &mut TenantTx, manager: Manager) -> sqlx::Result<bool> {
    let Some(member_id) = manager.member() else { return Ok(true) };
    let partner = tx.partner().clone();
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM members WHERE partner_id = $1 AND member_id = $2 AND removed_at IS NULL) AS "can!""#,
        partner.as_str() as _,
        member_id,
    )
    .fetch_one(&mut **tx)
    .await
}

/// Who looks after a business.
pub async fn manager_of(tx: &mut TenantTx, business: &BusinessId) -> sqlx::Result<Option<Colleague>> {
    let partner = tx.partner().clone();
    sqlx::query_as!(
        Colleague,
        "SELECT m.member_id, m.name FROM businesses b JOIN members m ON m.member_id = b.assigned_to
         WHERE b.partner_id = $1 AND b.business_id = $2",
        partner.as_str() as _,
        business.as_str() as _,
    )
    .fetch_optional(&mut **tx)
    .await
}

/// Who changes it, and when.
#[derive(Clone, Copy, Debug)]
pub struct Hand {
    pub member_id: i64,
    pub now: OffsetDateTime,
}

/// Assigns one business. `false`: there is no such business.
pub async fn assign(tx: &mut TenantTx, business: &BusinessId, manager: Manager, hand: Hand) -> sqlx::Result<bool> {
    let known = lock_businesses(tx, &[business.as_str()]).await?;
    assign_locked(tx, &known.iter().map(String::as_str).collect::<Vec<_>>(), manager, hand).await?;
    Ok(!known.is_empty())
}

/// Assigns businesses that are locked, and writes down what changes by it.
async fn assign_locked(tx: &mut TenantTx, ids: &[&str], manager: Manager, hand: Hand) -> sqlx::Result<()> {
    let partner = tx.partner().clone();
    sqlx::query!(
        "WITH moved AS (
            UPDATE businesses b SET assigned_to = $3
            FROM unnest($2::text[]) AS asked (id), LATERAL (
                SELECT o.ctid AS row_at FROM businesses o
                WHERE o.partner_id = $1 AND o.business_id = asked.id AND o.assigned_to IS DISTINCT FROM $3 OFFSET 0
            ) AS chosen
            WHERE b.ctid = chosen.row_at
            RETURNING b.business_id
        )
        INSERT INTO business_assignments (partner_id, business_id, at, member_id, assigned_to)
        SELECT $1, business_id, $5, $4, $3 FROM moved ORDER BY business_id",
        partner.as_str() as _,
        ids as _,
        manager.member(),
        hand.member_id,
        hand.now,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// As many as are assigned in one transaction: what is assigned is locked until it commits, and dispatch and syncs wait for it.
const MOST_AT_ONCE: i64 = 5_000;

/// Assigns of what the member has ticked as many as go at once, and takes their ticks away. Gives how many these were: none, when
/// nothing is left. Rows are locked first and then written by their place in the table.
pub async fn assign_selected(tx: &mut TenantTx, manager: Manager, hand: Hand) -> sqlx::Result<u64> {
    let partner = tx.partner().clone();
    let ticked = sqlx::query_scalar!(
        r#"SELECT business_id::text AS "id!" FROM selected_businesses WHERE partner_id = $1 AND member_id = $2
        ORDER BY business_id LIMIT $3"#,
        partner.as_str() as _,
        hand.member_id,
        MOST_AT_ONCE,
    )
    .fetch_all(&mut **tx)
    .await?;
    let ids: Vec<&str> = ticked.iter().map(String::as_str).collect();
    lock_businesses(tx, &ids).await?;
    assign_locked(tx, &ids, manager, hand).await?;
    sqlx::query!(
        "DELETE FROM selected_businesses WHERE partner_id = $1 AND member_id = $2 AND business_id = ANY ($3::text[])",
        partner.as_str() as _,
        hand.member_id,
        &ids as _,
    )
    .execute(&mut **tx)
    .await?;
    Ok(u64::try_from(ids.len()).unwrap_or(u64::MAX))
}

/// How many the member has ticked, and how many of these somebody looks after.
pub async fn selected_managed(tx: &mut TenantTx, member_id: i64) -> sqlx::Result<(u64, u64)> {
    let partner = tx.partner().clone();
    let row = sqlx::query!(
        r#"SELECT count(*) AS "selected!", count(b.assigned_to) AS "managed!"
        FROM selected_businesses s, LATERAL (
            SELECT assigned_to FROM businesses WHERE partner_id = $1 AND business_id = s.business_id OFFSET 0
        ) AS b
        WHERE s.partner_id = $1 AND s.member_id = $2"#,
        partner.as_str() as _,
        member_id,
    )
    .fetch_one(&mut **tx)
    .await?;
    let count = |n: i64| u64::try_from(n).unwrap_or_default();
    Ok((count(row.selected), count(row.managed)))
}
