//! Search: which businesses a question means. Never more than a bounded number of rows are looked at.

use crate::{
    businesses::search::Search,
    db::TenantTx,
    graph::{BusinessId, WabaId},
};

/// The most that one way of searching finds. A word that stands in more names than these is one to add another word to.
const MOST_FOUND: i32 = 1_000;
/// Near names to offer.
const MOST_LIKE: i32 = 3;

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Businesses found one by one.
    pub ids: Vec<String>,
    /// Beside those: every business whose folded name lies from the first up to, but not, the second.
    pub range: Option<(String, String)>,
    /// The ways of search that look at ids or words stopped at their most.
    pub more: bool,
    /// The id asked for is this WABA's, and whose it is.
    pub waba: Option<(WabaId, BusinessId)>,
}

impl Found {
    /// The range as bounds; an empty one if there is none.
    pub fn bounds(&self) -> (&str, &str) {
        self.range.as_ref().map_or(("", ""), |(from, to)| (from, to))
    }
}

/// Finds what was asked for: digits are an id, else its beginning, else a name; words are looked for at the beginning of a name and
/// inside it.
pub async fn find(tx: &mut TenantTx, search: &Search) -> sqlx::Result<Found> {
    if let (Some(digits), true) = (&search.digits, search.digits_first) {
        let found = by_id(tx, digits).await?;
        if !found.ids.is_empty() {
            return Ok(found);
        }
    }
    let found = by_name(tx, search).await?;
    match &search.digits {
        Some(digits) if !search.digits_first && is_empty(tx, &found).await? => by_id(tx, digits).await,
        _ => Ok(found),
    }
}

async fn by_id(tx: &mut TenantTx, digits: &str) -> sqlx::Result<Found> {
    let exact = whole_ids(tx, digits).await?;
    if !exact.ids.is_empty() {
        return Ok(exact);
    }
    let partner = tx.partner().clone();
    // The digit after 9 ends the range.
    let end = format!("{digits}:");
    let ids = sqlx::query_scalar!(
        r#"SELECT business_id::text AS "business_id!" FROM (
            (SELECT business_id FROM businesses
            WHERE partner_id = $1 AND business_id ~>=~ $2 AND business_id ~<~ $3 LIMIT $4)
            UNION
            (SELECT business_id FROM wabas
            WHERE partner_id = $1 AND waba_id ~>=~ $2 AND waba_id ~<~ $3 LIMIT $4)
        ) AS either"#,
        partner.as_str() as _,
        digits,
        end,
        i64::from(MOST_FOUND) + 1,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(capped(ids))
}

/// The business with this id, or whose WABA has it.
async fn whole_ids(tx: &mut TenantTx, digits: &str) -> sqlx::Result<Found> {
    let partner = tx.partner().clone();
    let rows = sqlx::query!(
        r#"SELECT business_id::text AS "business_id!", FALSE AS "by_waba!" FROM businesses WHERE partner_id = $1 AND business_id = $2
        UNION ALL
        SELECT business_id::text, TRUE FROM wabas WHERE partner_id = $1 AND waba_id = $2"#,
        partner.as_str() as _,
        digits as _,
    )
    .fetch_all(&mut **tx)
    .await?;
    let waba = rows
        .iter()
        .find(|row| row.by_waba)
        .map(|row| (WabaId::from_stored(digits.to_owned()), BusinessId::from_stored(row.business_id.clone())));
    let ids = rows.into_iter().map(|row| row.business_id).collect();
    Ok(Found { ids, waba, ..Found::default() })
}

async fn by_name(tx: &mut TenantTx, search: &Search) -> sqlx::Result<Found> {
    let range = search.range();
    let Some(words) = &search.words else { return Ok(Found { range, ..Found::default() }) };
    let ids = sqlx::query_scalar!(
        r#"SELECT found_id AS "found_id!" FROM businesses_with_words($1::text::tsquery, $2::text::tsquery, $3)"#,
        words.strong,
        words.weak,
        MOST_FOUND + 1,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(Found { range, ..capped(ids) })
}

fn capped(mut ids: Vec<String>) -> Found {
    let most = usize::try_from(MOST_FOUND).unwrap_or(usize::MAX);
    let more = ids.len() > most;
    ids.truncate(most);
    Found { ids, more, ..Found::default() }
}

async fn is_empty(tx: &mut TenantTx, found: &Found) -> sqlx::Result<bool> {
    if !found.ids.is_empty() {
        return Ok(false);
    }
    let partner = tx.partner().clone();
    let (from, to) = found.bounds();
    let any = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM businesses WHERE partner_id = $1 AND left_at IS NULL AND name_key >= $2 AND name_key < $3) AS "any!""#,
        partner.as_str() as _,
        from,
        to,
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(!any)
}

/// The names that look most like what was asked for, best first. It may take long on a common spelling, so Postgres stops after
/// 150 ms: then there is none. Takes the transaction, which isn't of use after that.
pub async fn name_like(mut tx: TenantTx, key: &str) -> sqlx::Result<Vec<(BusinessId, String)>> {
    sqlx::query!("SET LOCAL statement_timeout = '150ms'").execute(&mut *tx).await?;
    let rows = sqlx::query!(
        r#"SELECT found_id AS "found_id!", found_name AS "found_name!" FROM businesses_named_like($1, $2)"#,
        key,
        MOST_LIKE,
    )
    .fetch_all(&mut *tx)
    .await;
    match rows {
        Ok(rows) => Ok(rows.into_iter().map(|row| (BusinessId::from_stored(row.found_id), row.found_name)).collect()),
        Err(sqlx::Error::Database(refusal)) if refusal.code().as_deref() == Some(QUERY_CANCELED) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Postgres's code for a statement that took too long.
const QUERY_CANCELED: &str = "57014";
