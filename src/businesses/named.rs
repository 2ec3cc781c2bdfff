//! Businesses by name, for a look-up that may be one: the same search as the list's, cut to a few, and beside it those that have left.

use time::OffsetDateTime;

use super::{
    model::Business,
    query::{Filter, Place},
    search::Search,
    store,
};
use crate::db::TenantTx;

/// The businesses that a name may mean, at most `most`, and whether there are more; those that have left come last. Digits are part of
/// the name and no id.
pub async fn businesses_named(
    tx: &mut TenantTx,
    name: &str,
    most: usize,
    now: OffsetDateTime,
) -> sqlx::Result<(Vec<Business>, bool)> {
    let Some(search) = Search::read(name).map(Search::by_name_alone) else { return Ok(Default::default()) };
    let found = store::find(tx, &search).await?;
    // Nobody asks here since when anything waits.
    let listed = store::list(tx, Filter::All, Some(&found), &Place::Start, now).await?.unwrap_or_default();
    let mut businesses = listed.businesses;
    let mut more = listed.more_after || businesses.len() > most;
    businesses.truncate(most);
    for id in store::departed(tx, &search).await? {
        if businesses.len() == most {
            more = true;
            break;
        }
        businesses.extend(store::find_business(tx, &id).await?);
    }
    Ok((businesses, more))
}
