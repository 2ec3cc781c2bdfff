//! What members have ticked in the list.

use std::collections::HashSet;

use time::OffsetDateTime;

use super::search::Found;
use crate::{
    businesses::{
        managers::Manager,
        query::Filter,
        selection::{MOST_SELECTED, Ticks},
    },
    db::TenantTx,
    graph::BusinessId,
};

/// What a member has ticked, as a page of the list shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selected {
    /// In all.
    pub count: u64,
    /// Those of the page.
    pub here: HashSet<BusinessId>,
}

/// How many a member has ticked, and which of these.
pub async fn selected(tx: &mut TenantTx, member_id: i64, listed: &[BusinessId]) -> sqlx::Result<Selected> {
    let partner = tx.partner().clone();
    let listed: Vec<&str> = listed.iter().map(BusinessId::as_str).collect();
    let row = sqlx::query!(
        r#"SELECT
            (SELECT count(*) FROM selected_businesses WHERE partner_id = $1 AND member_id = $2) AS "count!",
            ARRAY (
                SELECT business_id::text FROM selected_businesses
                WHERE partner_id = $1 AND member_id = $2 AND business_id = ANY ($3::text[])
            ) AS "here!""#,
        partner.as_str() as _,
        member_id,
        &listed as _,
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(Selected {
        count: u64::try_from(row.count).unwrap_or_default(),
        here: row.here.into_iter().map(BusinessId::from_stored).collect(),
    })
}

/// Keeps the boxes of a page as they are: what is ticked is selected, what is shown and isn't ticked isn't.
pub async fn keep_ticks(tx: &mut TenantTx, member_id: i64, ticks: &Ticks) -> sqlx::Result<()> {
    let partner = tx.partner().clone();
    let ids = |given: &[BusinessId]| given.iter().map(ToString::to_string).collect::<Vec<_>>();
    let (shown, ticked) = (ids(&ticks.shown), ids(&ticks.ticked));
    sqlx::query!(
        "DELETE FROM selected_businesses
        WHERE partner_id = $1 AND member_id = $2 AND business_id = ANY ($3::text[]) AND business_id <> ALL ($4::text[])",
        partner.as_str() as _,
        member_id,
        &shown,
        &ticked,
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "INSERT INTO selected_businesses (partner_id, member_id, business_id)
        SELECT partner_id, $2, business_id FROM businesses
        WHERE partner_id = $1 AND business_id = ANY ($3::text[])
        ORDER BY business_id
        ON CONFLICT DO NOTHING",
        partner.as_str() as _,
        member_id,
        &ticked,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// Adds every business behind a filter, of all or of those that a search found, or of one manager's, by name, up to as many as can be selected. Says
/// whether it's all of them.
pub async fn select_matching(
    tx: &mut TenantTx,
    member_id: i64,
    (filter, manager): (Filter, Option<Manager>),
    found: Option<&Found>,
    stalled_before: OffsetDateTime,
) -> sqlx::Result<bool> {
    let partner = tx.partner().clone();
    let standings: Option<Vec<&str>> =
        filter.standings().map(|standings| standings.iter().map(|standing| standing.as_str()).collect());
    let hits: Option<Vec<&str>> = found.map(|found| found.hits.iter().map(|hit| hit.id.as_str()).collect());
    let (from, to) = found.and_then(|found| found.range.clone()).unzip();
    let row = sqlx::query!(
        r#"WITH matching AS MATERIALIZED (
            SELECT business_id FROM businesses
            WHERE partner_id = $1 AND left_at IS NULL
                AND ($3::text[] IS NULL OR standing = ANY ($3))
                AND (NOT $4 OR last_request_number IS NULL)
                AND (NOT $5 OR standing = 'failed' OR needs_payment OR waiting_since < $6) AND (NOT $13 OR waiting_since < $6)
                AND ($7::text[] IS NULL OR business_id = ANY ($7) OR (name_key >= $8 AND name_key < $9))
                AND ($11::bigint IS NULL OR assigned_to = $11) AND (NOT $12 OR assigned_to IS NULL)
            ORDER BY name_key, business_id
            LIMIT $10
        ), added AS (
            INSERT INTO selected_businesses (partner_id, member_id, business_id)
            SELECT $1, $2, business_id FROM (
                SELECT business_id::text FROM matching
                EXCEPT SELECT business_id::text FROM selected_businesses WHERE partner_id = $1 AND member_id = $2
            ) AS fresh
            LIMIT greatest(0, $10 - 1 - (SELECT count(*) FROM selected_businesses WHERE partner_id = $1 AND member_id = $2))
            ON CONFLICT DO NOTHING
        )
        SELECT count(*) AS "matching!" FROM matching"#,
        partner.as_str() as _,
        member_id,
        standings as _,
        filter == Filter::NotRequested,
        filter == Filter::NeedsAttention,
        stalled_before,
        hits as _,
        from,
        to,
        MOST_SELECTED + 1,
        manager.and_then(Manager::member),
        manager == Some(Manager::Nobody),
        filter == Filter::Stalled,
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(row.matching <= MOST_SELECTED && !found.is_some_and(|found| found.more))
}

/// Takes every tick away.
pub async fn clear_selection(tx: &mut TenantTx, member_id: i64) -> sqlx::Result<()> {
    let partner = tx.partner().clone();
    sqlx::query!(
        "DELETE FROM selected_businesses WHERE partner_id = $1 AND member_id = $2",
        partner.as_str() as _,
        member_id,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}
