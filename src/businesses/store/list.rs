//! One page of businesses in the order of their names, by key: a page costs the same wherever in the list it lies.

use std::cmp::Ordering;

use time::OffsetDateTime;

use super::{BusinessRow, search::Found};
use crate::{
    businesses::{
        model::{Business, Standing},
        name_key::LAST_LETTER,
        query::{Filter, Place},
    },
    db::TenantTx,
};

/// Rows of a page.
pub const PAGE: usize = 50;
/// One more than a page, which tells if there is another.
const ROWS: i64 = 51;
/// As many stalled businesses as are sorted on the spot. Are there more, then the names are walked along and one in so many is
/// stalled, which is soon enough a page.
const SORTED_ON_THE_SPOT: i64 = 2_000;

/// A page.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    /// Its rows, by name.
    pub businesses: Vec<Business>,
    /// Whether others come before.
    pub more_before: bool,
    /// Whether others follow.
    pub more_after: bool,
}

/// Where a page begins, and which way it is read.
struct Edge {
    /// Folded name and id of the business beside the page; `None` for the first page.
    beside: Option<(String, String)>,
    backwards: bool,
}

impl Edge {
    /// The order a page is read in.
    fn order(&self, a: (&str, &str), b: (&str, &str)) -> Ordering {
        if self.backwards { b.cmp(&a) } else { a.cmp(&b) }
    }

    /// The page of a range of names as one comparison of keys to begin from and one of names to stop at: with a third one Postgres
    /// may begin at the wrong end of the index.
    fn bounds<'a>(&'a self, (from, to): (&'a str, &'a str)) -> Bounds<'a> {
        let beside = self.beside.as_ref().map(|(name, id)| (name.as_str(), id.as_str()));
        // No id is empty, so these stand before each business of that name.
        let ((name, id), stop) = if self.backwards {
            (beside.map_or((to, ""), |beside| beside.min((to, ""))), from)
        } else {
            (beside.map_or((from, ""), |beside| beside.max((from, ""))), to)
        };
        Bounds { name, id, stop }
    }
}

struct Bounds<'a> {
    name: &'a str,
    id: &'a str,
    stop: &'a str,
}

/// The page at `place`, of all businesses behind `filter` or of those that `found` names. `None`: there is no such place, for no
/// business of this partner has the id in it.
pub async fn list(
    tx: &mut TenantTx,
    filter: Filter,
    found: Option<&Found>,
    place: &Place,
    stalled_before: OffsetDateTime,
) -> sqlx::Result<Option<Listed>> {
    let Some(edge) = edge(tx, place).await? else { return Ok(None) };
    let mut rows = match found {
        None => walk(tx, filter, ("", LAST_LETTER), &edge, stalled_before).await?,
        Some(found) => {
            let mut rows = match &found.range {
                Some((from, to)) => walk(tx, filter, (from, to), &edge, stalled_before).await?,
                None => Vec::new(),
            };
            rows.extend(rows_of(tx, &page_of_hits(found, filter, &edge, stalled_before)).await?);
            rows.sort_unstable_by(|a, b| edge.order(key(a), key(b)));
            rows
        }
    };
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    if edge.backwards {
        rows.reverse();
    }
    // A page that was come to from a side has that side to go back to.
    let (more_before, more_after) = match place {
        Place::Start => (false, more),
        Place::After(_) => (true, more),
        Place::Before(_) => (more, true),
    };
    Ok(Some(Listed { businesses: rows.into_iter().map(Business::from).collect(), more_before, more_after }))
}

fn key(row: &BusinessRow) -> (&str, &str) {
    (&row.name_key, &row.business_id)
}

async fn edge(tx: &mut TenantTx, place: &Place) -> sqlx::Result<Option<Edge>> {
    let (id, backwards) = match place {
        Place::Start => return Ok(Some(Edge { beside: None, backwards: false })),
        Place::After(id) => (id, false),
        Place::Before(id) => (id, true),
    };
    let partner = tx.partner().clone();
    let key = sqlx::query_scalar!(
        "SELECT name_key FROM businesses WHERE partner_id = $1 AND business_id = $2",
        partner.as_str() as _,
        id.as_str() as _,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(key.map(|key| Edge { beside: Some((key, id.as_str().to_owned())), backwards }))
}

/// One way of walking along names: `$keys` selects the ids of a page, and reads `<` and `DESC` backwards.
macro_rules! page_of {
    ($tx:expr, $order:literal, [$($keys:literal),+], $($given:expr),+ $(,)?) => {
        sqlx::query_as!(
            BusinessRow,
            r#"SELECT b.business_id AS "business_id!: String", b.name, b.name_key, b.country, b.verification_status, b.meta_status,
                b.meta_status_date, b.checked_at, b.wabas, b.eligible_wabas, b.ready_wabas, b.standing, b.needs_payment, b.setting_up,
                b.waiting_since, b.last_request_number, b.last_requested_at, b.last_requested_by, b.first_seen_at, b.left_at
            FROM ("# $(+ $keys)+ + ") AS page, LATERAL (
                SELECT * FROM businesses WHERE partner_id = $1 AND business_id = page.business_id OFFSET 0
            ) AS b
            ORDER BY b.name_key " + $order + ", b.business_id " + $order + " LIMIT $5",
            $($given),+
        )
        .fetch_all(&mut **$tx)
        .await
    };
}

/// Runs one of the ways below forwards or backwards.
macro_rules! either_way {
    ($way:ident, $tx:expr, $edge:expr, $($given:expr),+ $(,)?) => {
        if $edge.backwards { $way!($tx, "<", ">=", "DESC", $($given),+) } else { $way!($tx, ">", "<", "ASC", $($given),+) }
    };
}

macro_rules! all {
    ($tx:expr, $beyond:literal, $until:literal, $order:literal, $($given:expr),+) => {
        page_of!($tx, $order, [
            "SELECT business_id FROM businesses
            WHERE partner_id = $1 AND left_at IS NULL AND name_key ", $until, " $2 AND (name_key, business_id) ",
            $beyond, " ($3, $4) ORDER BY name_key ", $order, ", business_id ", $order, " LIMIT $5"
        ], $($given),+)
    };
}

macro_rules! not_requested {
    ($tx:expr, $beyond:literal, $until:literal, $order:literal, $($given:expr),+) => {
        page_of!($tx, $order, [
            "SELECT business_id FROM businesses
            WHERE partner_id = $1 AND left_at IS NULL AND last_request_number IS NULL AND name_key ", $until, " $2 AND (name_key, business_id) ",
            $beyond, " ($3, $4) ORDER BY name_key ", $order, ", business_id ", $order, " LIMIT $5"
        ], $($given),+)
    };
}

// A page's worth of each standing: the index gives each in order, and the outer query merges.
macro_rules! of_standings {
    ($tx:expr, $beyond:literal, $until:literal, $order:literal, $($given:expr),+) => {
        page_of!($tx, $order, [
            "SELECT one.business_id FROM unnest($6::text[]) AS wanted (standing), LATERAL (
                SELECT business_id FROM businesses
                WHERE partner_id = $1 AND left_at IS NULL AND standing = wanted.standing AND name_key ", $until, " $2 AND (name_key, business_id) ",
            $beyond, " ($3, $4) ORDER BY name_key ", $order, ", business_id ", $order, " LIMIT $5
            ) AS one"
        ], $($given),+)
    };
}

// Those that have stalled, beside whatever else `$more` selects, each part of it with UNION behind.
macro_rules! stalled_and {
    ([$($more:literal),*], $tx:expr, $beyond:literal, $until:literal, $order:literal, $($given:expr),+) => {
        page_of!($tx, $order, [
            "WITH stalled AS MATERIALIZED (
                SELECT business_id, name_key FROM businesses
                WHERE partner_id = $1 AND left_at IS NULL AND waiting_since IS NOT NULL AND waiting_since < $6 LIMIT $7
            ), many AS MATERIALIZED (
                SELECT count(*) = $7 AS so FROM stalled
            )
            ", $($more,)* "(SELECT business_id FROM stalled
            WHERE NOT (SELECT so FROM many) AND name_key ", $until, " $2 AND (name_key, business_id) ",
            $beyond, " ($3, $4) ORDER BY name_key ", $order, ", business_id ", $order, " LIMIT $5)
            UNION
            (SELECT business_id FROM businesses
            WHERE (SELECT so FROM many) AND partner_id = $1 AND left_at IS NULL AND waiting_since IS NOT NULL AND waiting_since < $6
                AND name_key ", $until, " $2 AND (name_key, business_id) ",
            $beyond, " ($3, $4) ORDER BY name_key ", $order, ", business_id ", $order, " LIMIT $5)"
        ], $($given),+)
    };
}

macro_rules! stalled {
    ($($given:tt)+) => {
        stalled_and!([], $($given)+)
    };
}

macro_rules! needs_attention {
    ($tx:expr, $beyond:literal, $until:literal, $order:literal, $($given:expr),+) => {
        stalled_and!(
            [
                "(SELECT business_id FROM businesses
            WHERE partner_id = $1 AND left_at IS NULL AND (standing = 'failed' OR needs_payment) AND name_key ",
                $until, " $2 AND (name_key, business_id) ", $beyond, " ($3, $4) ORDER BY name_key ", $order, ", business_id ", $order,
                " LIMIT $5)
            UNION
            "
            ],
            $tx, $beyond, $until, $order, $($given),+
        )
    };
}

/// Along the index of the filter, through the names from the first of `range` up to, but not, the second.
async fn walk(
    tx: &mut TenantTx,
    filter: Filter,
    range: (&str, &str),
    edge: &Edge,
    stalled_before: OffsetDateTime,
) -> sqlx::Result<Vec<BusinessRow>> {
    let partner = tx.partner().clone();
    let partner = partner.as_str();
    let Bounds { name, id, stop } = edge.bounds(range);
    match filter {
        Filter::All => either_way!(all, tx, edge, partner as _, stop, name, id as _, ROWS),
        Filter::NotRequested => either_way!(not_requested, tx, edge, partner as _, stop, name, id as _, ROWS),
        Filter::Stalled => {
            let many = SORTED_ON_THE_SPOT + 1;
            either_way!(stalled, tx, edge, partner as _, stop, name, id as _, ROWS, stalled_before, many)
        }
        Filter::NeedsAttention => {
            let many = SORTED_ON_THE_SPOT + 1;
            either_way!(needs_attention, tx, edge, partner as _, stop, name, id as _, ROWS, stalled_before, many)
        }
        Filter::Eligible | Filter::Waiting | Filter::Accepted | Filter::Ready => {
            let standings = keys(filter).unwrap_or_default();
            either_way!(of_standings, tx, edge, partner as _, stop, name, id as _, ROWS, &standings as _)
        }
    }
}

/// The ids of the hits of a page, and of one more.
fn page_of_hits(found: &Found, filter: Filter, edge: &Edge, stalled_before: OffsetDateTime) -> Vec<String> {
    let beside = edge.beside.as_ref().map(|(name, id)| (name.as_str(), id.as_str()));
    let mut keys: Vec<(&str, &str)> = found
        .hits
        .iter()
        .filter(|hit| hit.is_behind(filter, stalled_before))
        .map(|hit| (hit.key.as_str(), hit.id.as_str()))
        .filter(|key| beside.is_none_or(|beside| edge.order(beside, *key).is_lt()))
        .collect();
    keys.sort_unstable_by(|a, b| edge.order(*a, *b));
    keys.into_iter().take(PAGE + 1).map(|(_, id)| id.to_owned()).collect()
}

async fn rows_of(tx: &mut TenantTx, ids: &[String]) -> sqlx::Result<Vec<BusinessRow>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let partner = tx.partner().clone();
    sqlx::query_as!(
        BusinessRow,
        r#"SELECT b.business_id AS "business_id!: String", b.name, b.name_key, b.country, b.verification_status, b.meta_status,
            b.meta_status_date, b.checked_at, b.wabas, b.eligible_wabas, b.ready_wabas, b.standing, b.needs_payment, b.setting_up,
            b.waiting_since, b.last_request_number, b.last_requested_at, b.last_requested_by, b.first_seen_at, b.left_at
        FROM unnest($2::text[]) AS wanted (id), LATERAL (
            SELECT * FROM businesses WHERE partner_id = $1 AND business_id = wanted.id OFFSET 0
        ) AS b"#,
        partner.as_str() as _,
        ids as _,
    )
    .fetch_all(&mut **tx)
    .await
}

fn keys(filter: Filter) -> Option<Vec<String>> {
    filter.standings().map(|standings| standings.iter().copied().map(Standing::as_str).map(str::to_owned).collect())
}
