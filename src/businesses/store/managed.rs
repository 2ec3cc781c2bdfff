//! The list of what one manager looks after, or of what nobody does: the same pages and counts as of all, along an index that holds
//! all a filter goes by.

use time::OffsetDateTime;

use super::{
    BusinessRow,
    counts::{COUNTED, Counts},
    list::{Listed, PAGE},
    search::Found,
};
use crate::{
    businesses::{
        managers::Manager,
        model::{Business, Standing},
        name_key::LAST_LETTER,
        query::{Filter, Place},
    },
    db::TenantTx,
};

/// One more than a page, which tells if there is another.
const ROWS: i64 = 51;

/// Runs a query for a member or for nobody: `assigned` selects by the parameter given.
macro_rules! whoever {
    ($query:ident, $manager:expr, $tx:expr, $($given:tt)+) => {
        match $manager {
            Manager::Member(_) => $query!($tx, "assigned_to = $6", $($given)+),
            Manager::Nobody => $query!($tx, "(assigned_to IS NULL AND $6::bigint IS NULL)", $($given)+),
        }
    };
}

/// The chip that is on, as `$7` to `$10` and `$14` say it.
macro_rules! page_of {
    ($tx:expr, $assigned:literal, $beyond:literal, $until:literal, $order:literal, $($given:expr),+ $(,)?) => {
        sqlx::query_as!(
            BusinessRow,
            r#"SELECT b.business_id AS "business_id!: String", b.name, b.name_key, b.country, b.verification_status, b.meta_status,
                b.meta_status_date, b.checked_at, b.wabas, b.eligible_wabas, b.ready_wabas, b.standing, b.needs_payment, b.setting_up,
                b.waiting_since, b.last_request_number, b.last_requested_at, b.last_requested_by, b.first_seen_at, b.left_at
            FROM (
                (SELECT business_id::text FROM businesses
                WHERE partner_id = $1 AND left_at IS NULL AND "# + $assigned + r#"
                    AND ($7::text[] IS NULL OR standing = ANY ($7)) AND (NOT $8 OR last_request_number IS NULL)
                    AND (NOT $9 OR standing = 'failed' OR needs_payment OR waiting_since < $10) AND (NOT $14 OR waiting_since < $10)
                    AND name_key "# + $until + r#" $2 AND (name_key, business_id) "# + $beyond + r#" ($3, $4)
                ORDER BY name_key "# + $order + r#", business_id "# + $order + r#" LIMIT $5)
                UNION ALL
                (SELECT hit.business_id::text FROM unnest($11::text[]) AS found (id), LATERAL (
                    SELECT business_id, name_key, standing, needs_payment, last_request_number, waiting_since FROM businesses
                    WHERE partner_id = $1 AND business_id = found.id AND left_at IS NULL
                        AND assigned_to IS NOT DISTINCT FROM $6 OFFSET 0
                ) AS hit
                WHERE ($7::text[] IS NULL OR standing = ANY ($7)) AND (NOT $8 OR last_request_number IS NULL)
                    AND (NOT $9 OR standing = 'failed' OR needs_payment OR waiting_since < $10) AND (NOT $14 OR waiting_since < $10)
                    AND (name_key, business_id) "# + $beyond + r#" ($12, $13)
                ORDER BY name_key "# + $order + r#", business_id "# + $order + r#" LIMIT $5)
            ) AS page, LATERAL (
                SELECT * FROM businesses WHERE partner_id = $1 AND business_id = page.business_id OFFSET 0
            ) AS b
            ORDER BY b.name_key "# + $order + r#", b.business_id "# + $order + r#" LIMIT $5"#,
            $($given),+
        )
        .fetch_all(&mut **$tx)
        .await
    };
}

/// As [`super::list()`], of what `manager` looks after.
pub async fn list_managed(
    tx: &mut TenantTx,
    filter: Filter,
    manager: Manager,
    found: Option<&Found>,
    place: &Place,
    stalled_before: OffsetDateTime,
) -> sqlx::Result<Option<Listed>> {
    let (beside, backwards) = match place {
        Place::Start => (Some((String::new(), String::new())), false),
        Place::After(id) => (key_of(tx, id.as_str()).await?, false),
        Place::Before(id) => (key_of(tx, id.as_str()).await?, true),
    };
    let Some((beside_name, beside_id)) = beside else { return Ok(None) };
    let (from, to) = range(found);
    let beside = (beside_name.as_str(), beside_id.as_str());
    // No id is empty, so these stand before each business of that name.
    let ((name, id), stop) = if backwards { (beside.min((to, "")), from) } else { (beside.max((from, "")), to) };
    let partner = tx.partner().clone();
    let partner = partner.as_str();
    let standings: Option<Vec<&str>> =
        filter.standings().map(|standings| standings.iter().copied().map(Standing::as_str).collect());
    let hits: Vec<&str> = found.map(|found| found.hits.iter().map(|hit| hit.id.as_str()).collect()).unwrap_or_default();
    let (not_requested, attention) = (filter == Filter::NotRequested, filter == Filter::NeedsAttention);
    let mut rows = if backwards {
        whoever!(
            page_of,
            manager,
            tx,
            "<",
            ">=",
            "DESC",
            partner as _,
            stop,
            name,
            id as _,
            ROWS,
            manager.member(),
            standings as _,
            not_requested,
            attention,
            stalled_before,
            &hits as _,
            beside.0,
            beside.1 as _,
            filter == Filter::Stalled,
        )?
    } else {
        whoever!(
            page_of,
            manager,
            tx,
            ">",
            "<",
            "ASC",
            partner as _,
            stop,
            name,
            id as _,
            ROWS,
            manager.member(),
            standings as _,
            not_requested,
            attention,
            stalled_before,
            &hits as _,
            beside.0,
            beside.1 as _,
            filter == Filter::Stalled,
        )?
    };
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    if backwards {
        rows.reverse();
    }
    let (more_before, more_after) = match place {
        Place::Start => (false, more),
        Place::After(_) => (true, more),
        Place::Before(_) => (more, true),
    };
    Ok(Some(Listed { businesses: rows.into_iter().map(Business::from).collect(), more_before, more_after }))
}

/// All names, or those that a search named; none where it named single businesses only.
fn range(found: Option<&Found>) -> (&str, &str) {
    match found {
        None => ("", LAST_LETTER),
        Some(found) => found.range.as_ref().map_or(("", ""), |(from, to)| (from.as_str(), to.as_str())),
    }
}

async fn key_of(tx: &mut TenantTx, id: &str) -> sqlx::Result<Option<(String, String)>> {
    let partner = tx.partner().clone();
    let key = sqlx::query_scalar!(
        "SELECT name_key FROM businesses WHERE partner_id = $1 AND business_id = $2",
        partner.as_str() as _,
        id as _,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(key.map(|key| (key, id.to_owned())))
}

macro_rules! count_of {
    ($tx:expr, $assigned:literal, $($given:expr),+ $(,)?) => {
        sqlx::query_as!(
            Numbers,
            r#"SELECT count(*) AS "total!",
                count(*) FILTER (WHERE standing = 'eligible') AS "eligible!",
                count(*) FILTER (WHERE last_request_number IS NULL) AS "not_requested!",
                count(*) FILTER (WHERE standing IN ('requested', 'already_requested')) AS "waiting!",
                count(*) FILTER (WHERE waiting_since < $5) AS "stalled!",
                count(*) FILTER (WHERE standing = 'accepted') AS "accepted!",
                count(*) FILTER (WHERE standing = 'ready') AS "ready!",
                count(*) FILTER (WHERE standing = 'failed' OR needs_payment OR waiting_since < $5) AS "attention!"
            FROM (
                SELECT standing, needs_payment, last_request_number, waiting_since FROM businesses
                WHERE partner_id = $1 AND left_at IS NULL AND name_key >= $2 AND name_key < $3 AND "# + $assigned + r#"
                ORDER BY name_key, business_id LIMIT $4
            ) AS theirs"#,
            $($given),+
        )
        .fetch_one(&mut **$tx)
        .await
    };
}

struct Numbers {
    total: i64,
    eligible: i64,
    not_requested: i64,
    waiting: i64,
    stalled: i64,
    accepted: i64,
    ready: i64,
    attention: i64,
}

/// How many of what `manager` looks after are behind each chip, of all or of what a search found and [`narrow`] left. Counted up to
/// the cap.
pub async fn count_managed(
    tx: &mut TenantTx,
    manager: Manager,
    found: Option<&Found>,
    stalled_before: OffsetDateTime,
) -> sqlx::Result<Counts> {
    let partner = tx.partner().clone();
    let partner = partner.as_str();
    let (from, to) = range(found);
    let n = whoever!(count_of, manager, tx, partner as _, from, to, COUNTED + 1, stalled_before, manager.member())?;
    let numbers = [n.total, n.eligible, n.not_requested, n.waiting, n.stalled, n.accepted, n.ready, n.attention];
    Ok(Counts::counted(numbers, found, stalled_before))
}

/// Of what a search found one by one, what `manager` looks after. Names in a row are narrowed where they are walked along.
pub async fn narrow(tx: &mut TenantTx, found: Found, manager: Manager) -> sqlx::Result<Found> {
    if found.hits.is_empty() {
        return Ok(found);
    }
    let partner = tx.partner().clone();
    let ids: Vec<&str> = found.hits.iter().map(|hit| hit.id.as_str()).collect();
    let theirs = sqlx::query_scalar!(
        r#"SELECT found.id AS "id!" FROM unnest($2::text[]) AS found (id), LATERAL (
            SELECT FROM businesses WHERE partner_id = $1 AND business_id = found.id AND assigned_to IS NOT DISTINCT FROM $3 OFFSET 0
        ) AS b"#,
        partner.as_str() as _,
        &ids as _,
        manager.member(),
    )
    .fetch_all(&mut **tx)
    .await?;
    let theirs: std::collections::HashSet<String> = theirs.into_iter().collect();
    Ok(Found { hits: found.hits.into_iter().filter(|hit| theirs.contains(&hit.id)).collect(), ..found })
}
