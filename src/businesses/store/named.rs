//! The businesses that a name or an id means, for other rooms.

use super::{find, search::Found};
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

/// The businesses called so, or with that id; `None` when they are too many for a name to mean anything.
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
    Ok((!more && ids.len() <= MOST).then_some(ids))
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
    let listed = list(tx, Filter::All, Some(&found), &Place::Start, now).await?;
    Ok(listed.map(|listed| listed.businesses.into_iter().take(most).collect()).unwrap_or_default())
}
