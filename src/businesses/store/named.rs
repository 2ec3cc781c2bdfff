//! The businesses that a name or an id means, for other rooms.

use super::{
    find,
    search::{Found, spelt_out},
};
use crate::{
    businesses::{
        model::Business,
        query::{Filter, Place},
        search::Search,
        store::list,
    },
    db::TenantTx,
    graph::BusinessId,
};

/// The most businesses that a name may mean.
const MOST: usize = 1_000;

/// The businesses called so, or with that id, with those that have left; `None` when they are too many for a name to mean anything.
pub async fn businesses_called(tx: &mut TenantTx, typed: &str) -> sqlx::Result<Option<Vec<BusinessId>>> {
    let Some(search) = Search::read(typed) else { return Ok(Some(Vec::new())) };
    let Found { hits, range, more, .. } = find(tx, &search).await?;
    let mut ids: Vec<BusinessId> = hits.into_iter().map(|hit| BusinessId::from_stored(hit.id)).collect();
    if let Some((from, to)) = range {
        let partner = tx.partner().clone();
        let most = i64::try_from(MOST + 1).unwrap_or(i64::MAX);
        let begin = sqlx::query_scalar!(
            r#"SELECT business_id::text AS "id!" FROM businesses
            WHERE partner_id = $1 AND left_at IS NULL AND name_key >= $2 AND name_key < $3 LIMIT $4"#,
            partner.as_str() as _,
            from,
            to,
            most,
        )
        .fetch_all(&mut **tx)
        .await?;
        ids.extend(begin.into_iter().map(BusinessId::from_stored));
    }
    ids.extend(departed(tx, &search).await?);
    Ok((!more && ids.len() <= MOST).then_some(ids))
}

/// The businesses called so that have left, at most as many as a name may mean.
pub async fn departed(tx: &mut TenantTx, search: &Search) -> sqlx::Result<Vec<BusinessId>> {
    let partner = tx.partner().clone();
    let (from, to) = search.range().unzip();
    let words = spelt_out(tx, search.words.as_ref()).await?;
    let (strong, weak) = words.as_ref().map(|words| (words.strong(&partner), words.weak(&partner))).unzip();
    let found = sqlx::query_scalar!(
        r#"
        SELECT id AS "id!" FROM (
            (SELECT business_id::text AS id FROM businesses
            WHERE partner_id = $1 AND left_at IS NOT NULL AND name_key >= $2 AND name_key < $3 LIMIT $6)
            UNION
            SELECT found_id FROM departed_with_words($4::text::tsquery, $5::text::tsquery, $6::bigint::integer) WHERE $4 IS NOT NULL
        ) AS either LIMIT $6
        "#,
        partner.as_str() as _,
        from,
        to,
        strong,
        weak.flatten(),
        i64::try_from(MOST).unwrap_or(i64::MAX),
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(found.into_iter().map(BusinessId::from_stored).collect())
}

/// The first businesses a search shows.
pub async fn first_businesses(
    tx: &mut TenantTx,
    typed: &str,
    most: usize,
    now: time::OffsetDateTime,
) -> sqlx::Result<Vec<Business>> {
    let Some(search) = Search::read(typed) else { return Ok(Vec::new()) };
    let found = find(tx, &search).await?;
    // Nobody asks here since when anything waits.
    let listed = list(tx, Filter::All, Some(&found), &Place::Start, now).await?;
    Ok(listed.map(|listed| listed.businesses.into_iter().take(most).collect()).unwrap_or_default())
}
