//! The SQL of who looks after what.

use time::OffsetDateTime;

use super::Manager;
use crate::{db::TenantTx, graph::BusinessId};

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
    let partner = tx.partner().clone();
    sqlx::query_scalar!(
        r#"WITH known AS (
            SELECT business_id FROM businesses WHERE partner_id = $1 AND business_id = $2 FOR NO KEY UPDATE
        ), moved AS (
            UPDATE businesses b SET assigned_to = $3
            WHERE b.partner_id = $1 AND b.business_id = (SELECT business_id FROM known) AND b.assigned_to IS DISTINCT FROM $3
            RETURNING b.business_id
        ), noted AS (
            INSERT INTO business_assignments (partner_id, business_id, at, member_id, assigned_to)
            SELECT $1, business_id, $5, $4, $3 FROM moved
        )
        SELECT EXISTS (SELECT FROM known) AS "known!""#,
        partner.as_str() as _,
        business.as_str() as _,
        manager.member(),
        hand.member_id,
        hand.now,
    )
    .fetch_one(&mut **tx)
    .await
}

/// As many as are assigned in one statement: what is assigned is locked until it commits, and dispatch and syncs wait for it.
const MOST_AT_ONCE: i64 = 5_000;

/// Assigns of what the member has ticked as many as go at once, and takes their ticks away. Gives how many these were: none, when
/// nothing is left. Rows are locked in the order of their ids first, as `refresh_standing` locks them, and then written by their place
/// in the table.
pub async fn assign_selected(tx: &mut TenantTx, manager: Manager, hand: Hand) -> sqlx::Result<u64> {
    let partner = tx.partner().clone();
    let chosen = sqlx::query_scalar!(
        r#"WITH ticked AS MATERIALIZED (
            SELECT business_id FROM selected_businesses WHERE partner_id = $1 AND member_id = $3 ORDER BY business_id LIMIT $5
        ), chosen AS MATERIALIZED (
            SELECT b.row_at, b.business_id, b.assigned_to
            FROM ticked, LATERAL (
                SELECT o.ctid AS row_at, o.business_id, o.assigned_to FROM businesses o
                WHERE o.partner_id = $1 AND o.business_id = ticked.business_id FOR NO KEY UPDATE
            ) AS b
        ), moved AS (
            UPDATE businesses b SET assigned_to = $2 FROM chosen c
            WHERE b.ctid = c.row_at AND c.assigned_to IS DISTINCT FROM $2
        ), noted AS (
            INSERT INTO business_assignments (partner_id, business_id, at, member_id, assigned_to)
            SELECT $1, business_id, $4, $3, $2 FROM chosen WHERE assigned_to IS DISTINCT FROM $2
        ), cleared AS (
            DELETE FROM selected_businesses s USING ticked
            WHERE s.partner_id = $1 AND s.member_id = $3 AND s.business_id = ticked.business_id
        )
        SELECT count(*) AS "ticked!" FROM ticked"#,
        partner.as_str() as _,
        manager.member(),
        hand.member_id,
        hand.now,
        MOST_AT_ONCE,
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(u64::try_from(chosen).unwrap_or_default())
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
