//! Businesses by name, for a look-up that may be one: the same search as the list's, cut to a few.

use time::OffsetDateTime;

use super::{
    model::Business,
    query::{Filter, Place},
    search::Search,
    store,
};
use crate::db::TenantTx;

/// The businesses that a name may mean, at most `most`, and whether there are more. Those that have left aren't found.
pub async fn businesses_named(
    tx: &mut TenantTx,
    name: &str,
    most: usize,
    now: OffsetDateTime,
) -> sqlx::Result<(Vec<Business>, bool)> {
    let Some(search) = Search::read(name) else { return Ok(Default::default()) };
    let found = store::find(tx, &search).await?;
    let listed = store::list(tx, Filter::All, Some(&found), &Place::Start, now).await?.unwrap_or_default();
    let more = listed.more_after || listed.businesses.len() > most;
    Ok((listed.businesses.into_iter().take(most).collect(), more))
}
