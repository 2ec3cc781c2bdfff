//! Failed calls in groups: what is not yet counted, the counts, and what they say.

use std::collections::HashMap;

use time::{Date, OffsetDateTime};

use crate::{db::TenantTx, onboarding::RequestNumber};

/// What of a failed call decides its group, and what is counted of it.
#[derive(Clone, Debug)]
pub struct Fact {
    pub call_id: i64,
    pub operation: String,
    pub code: Option<i64>,
    pub subcode: Option<i64>,
    pub failure: Option<String>,
    pub http_status: Option<i16>,
    pub message: Option<String>,
    pub user_title: Option<String>,
    pub user_message: Option<String>,
    pub error_data: Option<String>,
    pub is_transient: Option<bool>,
    pub subject_id: Option<String>,
    pub number: Option<i64>,
    pub started_at: OffsetDateTime,
}

/// Takes what is noted and not yet counted, oldest first, at most `most`: gone with the transaction that counts it. Also gives how many
/// notes were taken, as a call may be gone.
pub async fn take_uncounted(tx: &mut TenantTx, most: i64) -> sqlx::Result<(Vec<Fact>, usize)> {
    let partner = tx.partner().clone();
    let noted = sqlx::query_scalar!(
        "DELETE FROM uncounted_failures WHERE partner_id = $1 AND call_id = ANY (ARRAY (
            SELECT call_id FROM uncounted_failures WHERE partner_id = $1 ORDER BY call_id LIMIT $2
         )) RETURNING call_id",
        partner.as_str() as _,
        most,
    )
    .fetch_all(&mut **tx)
    .await?;
    if noted.is_empty() {
        return Ok((Vec::new(), 0));
    }
    let facts = sqlx::query_as!(
        Fact,
        "SELECT call_id, operation, error_code AS code, error_subcode AS subcode, failure, http_status, error_message AS message,
            error_user_title AS user_title, error_user_message AS user_message, error_data, is_transient, subject_id, number, started_at
         FROM graph_calls WHERE partner_id = $1 AND call_id = ANY($2) ORDER BY call_id",
        partner.as_str() as _,
        &noted,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok((facts, noted.len()))
}

/// What calls of one group have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    pub code: Option<i64>,
    pub subcode: Option<i64>,
    pub failure: Option<String>,
    pub words: String,
}

/// What is added to one group.
#[derive(Clone, Debug)]
pub struct Counted {
    pub key: Key,
    /// `graph::Cause` by name.
    pub cause: &'static str,
    /// Calls by day.
    pub days: Vec<(Date, i64)>,
    /// Calls by business: its id, how many, and the newest of them.
    pub businesses: Vec<(String, i64, OffsetDateTime, i64, Option<i64>)>,
    pub calls: i64,
    pub first_at: OffsetDateTime,
    pub last_at: OffsetDateTime,
    pub last_call_id: i64,
}

/// Adds to the counts of one group.
pub async fn save_counts(tx: &mut TenantTx, counted: &Counted) -> sqlx::Result<()> {
    let partner = tx.partner().clone();
    let Key { code, subcode, failure, words } = &counted.key;
    let group = sqlx::query_scalar!(
        "INSERT INTO failure_groups AS g (partner_id, code, subcode, failure, words, cause, calls, businesses, first_at, last_at, last_call_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9, $10)
         ON CONFLICT (partner_id, code, subcode, failure, words) DO UPDATE SET calls = g.calls + EXCLUDED.calls,
            first_at = least(g.first_at, EXCLUDED.first_at), last_at = greatest(g.last_at, EXCLUDED.last_at),
            last_call_id = greatest(g.last_call_id, EXCLUDED.last_call_id)
         RETURNING group_id",
        partner.as_str() as _,
        *code,
        *subcode,
        failure.as_deref(),
        words,
        counted.cause,
        counted.calls,
        counted.first_at,
        counted.last_at,
        counted.last_call_id,
    )
    .fetch_one(&mut **tx)
    .await?;
    let (days, of_days): (Vec<Date>, Vec<i64>) = counted.days.iter().copied().unzip();
    sqlx::query!(
        "INSERT INTO failure_days AS d (partner_id, day, group_id, calls)
         SELECT $1, day, $2, calls FROM unnest($3::date[], $4::bigint[]) AS counted (day, calls)
         ON CONFLICT (partner_id, day, group_id) DO UPDATE SET calls = d.calls + EXCLUDED.calls",
        partner.as_str() as _,
        group,
        &days,
        &of_days,
    )
    .execute(&mut **tx)
    .await?;
    save_businesses(tx, group, counted).await
}

async fn save_businesses(tx: &mut TenantTx, group: i64, counted: &Counted) -> sqlx::Result<()> {
    if counted.businesses.is_empty() {
        return Ok(());
    }
    let partner = tx.partner().clone();
    let ids: Vec<&str> = counted.businesses.iter().map(|business| business.0.as_str()).collect();
    let calls: Vec<i64> = counted.businesses.iter().map(|business| business.1).collect();
    let last: Vec<OffsetDateTime> = counted.businesses.iter().map(|business| business.2).collect();
    let last_calls: Vec<i64> = counted.businesses.iter().map(|business| business.3).collect();
    let numbers: Vec<Option<i64>> = counted.businesses.iter().map(|business| business.4).collect();
    // A row that is inserted has no transaction behind it that changed it.
    let new = sqlx::query_scalar!(
        r#"WITH saved AS (
            INSERT INTO failure_businesses AS b (partner_id, group_id, business_id, calls, last_at, last_call_id, last_number)
            SELECT $1, $2, business_id, calls, last_at, last_call_id, last_number
            FROM unnest($3::text[], $4::bigint[], $5::timestamptz[], $6::bigint[], $7::bigint[])
                AS counted (business_id, calls, last_at, last_call_id, last_number)
            ON CONFLICT (partner_id, group_id, business_id) DO UPDATE SET calls = b.calls + EXCLUDED.calls,
                last_at = greatest(b.last_at, EXCLUDED.last_at), last_call_id = greatest(b.last_call_id, EXCLUDED.last_call_id),
                last_number = CASE WHEN EXCLUDED.last_call_id > b.last_call_id THEN EXCLUDED.last_number ELSE b.last_number END
            RETURNING xmax = 0 AS is_new
        )
        SELECT count(*) FILTER (WHERE is_new) AS "new!" FROM saved"#,
        partner.as_str() as _,
        group,
        &ids as _,
        &calls,
        &last,
        &last_calls,
        &numbers as _,
    )
    .fetch_one(&mut **tx)
    .await?;
    sqlx::query!(
        "UPDATE failure_groups SET businesses = businesses + $3 WHERE partner_id = $1 AND group_id = $2",
        partner.as_str() as _,
        group,
        new,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// The days that are looked at: those since the first, up to today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub first: Date,
    pub days: i32,
}

/// A group as it is shown.
#[derive(Clone, Debug)]
pub struct Group {
    /// Ours.
    pub id: i64,
    pub key: Key,
    /// `graph::Cause` by name.
    pub cause: String,
    /// Calls within the window.
    pub calls: i64,
    /// Businesses within the window, counted up to [`MOST_COUNTED`].
    pub businesses: i64,
    pub first_at: OffsetDateTime,
    pub last_at: OffsetDateTime,
    pub last_call_id: i64,
    /// Calls of each day of the window.
    pub trend: Vec<i64>,
}

/// Businesses of a group are counted up to here.
pub const MOST_COUNTED: i64 = 1_000;

/// The groups with the most calls within the window, `most` of them.
pub async fn list_groups(tx: &mut TenantTx, window: Window, most: i64) -> sqlx::Result<Vec<Group>> {
    let partner = tx.partner().clone();
    let ids = sqlx::query_scalar!(
        "SELECT group_id FROM failure_days WHERE partner_id = $1 AND day >= $2
         GROUP BY group_id ORDER BY sum(calls) DESC, group_id LIMIT $3",
        partner.as_str() as _,
        window.first,
        most,
    )
    .fetch_all(&mut **tx)
    .await?;
    groups(tx, window, &ids).await
}

/// One group; `None` when there is none of that id, or it's another partner's.
pub async fn find_group(tx: &mut TenantTx, group_id: i64, window: Window) -> sqlx::Result<Option<Group>> {
    Ok(groups(tx, window, &[group_id]).await?.pop())
}

async fn groups(tx: &mut TenantTx, window: Window, ids: &[i64]) -> sqlx::Result<Vec<Group>> {
    let partner = tx.partner().clone();
    let since = window.first.midnight().assume_utc();
    let rows = sqlx::query!(
        r#"SELECT g.group_id, g.code, g.subcode, g.failure, g.words, g.cause, g.first_at, g.last_at, g.last_call_id,
            b.n AS "businesses!"
        FROM failure_groups g, LATERAL (
            SELECT count(*) AS n FROM (
                SELECT FROM failure_businesses b WHERE b.partner_id = $1 AND b.group_id = g.group_id AND b.last_at >= $2 LIMIT $4
            ) AS counted
        ) AS b
        WHERE g.partner_id = $1 AND g.group_id = ANY($3)"#,
        partner.as_str() as _,
        since,
        ids,
        MOST_COUNTED,
    )
    .fetch_all(&mut **tx)
    .await?;
    // All days of all groups in one go: asked for by group, Postgres may read all there are for each.
    let days = sqlx::query!(
        "SELECT group_id, day, calls FROM failure_days WHERE partner_id = $1 AND day >= $2 AND group_id = ANY($3)",
        partner.as_str() as _,
        window.first,
        ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    let mut trends: HashMap<i64, Vec<i64>> = HashMap::new();
    let length = usize::try_from(window.days).unwrap_or_default();
    for row in days {
        let trend = trends.entry(row.group_id).or_insert_with(|| vec![0; length]);
        let place = usize::try_from((row.day - window.first).whole_days()).ok();
        // A call may have left on a day that isn't there yet for a clock that is behind.
        if let Some(calls) = place.and_then(|place| trend.get_mut(place)) {
            *calls += row.calls;
        }
    }
    let mut found: Vec<Group> = rows
        .into_iter()
        .map(|row| {
            let trend = trends.remove(&row.group_id).unwrap_or_else(|| vec![0; length]);
            Group {
                id: row.group_id,
                key: Key { code: row.code, subcode: row.subcode, failure: row.failure, words: row.words },
                cause: row.cause,
                calls: trend.iter().sum(),
                businesses: row.businesses,
                first_at: row.first_at,
                last_at: row.last_at,
                last_call_id: row.last_call_id,
                trend,
            }
        })
        .collect();
    found.sort_by_key(|group| (std::cmp::Reverse(group.calls), group.id));
    Ok(found)
}

/// A business of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupBusiness {
    pub business_id: String,
    /// `None` if we don't know the business any more.
    pub name: Option<String>,
    pub calls: i64,
    pub last_at: OffsetDateTime,
    pub last_call_id: i64,
    /// The request that was for, and its state.
    pub request: Option<(RequestNumber, String)>,
}

/// The businesses of a group, the last to fail first, `most` of them; `before`: those behind this one.
pub async fn businesses_of(
    tx: &mut TenantTx,
    group_id: i64,
    before: Option<(OffsetDateTime, &str)>,
    most: i64,
) -> sqlx::Result<Vec<GroupBusiness>> {
    let partner = tx.partner().clone();
    let (at, id) = before.map_or((time::macros::datetime!(9999-12-31 0:00 UTC), ""), |before| before);
    let rows = sqlx::query!(
        r#"SELECT f.business_id AS "business_id!: String", b.name AS "name?", f.calls, f.last_at, f.last_call_id, f.last_number,
            r.state AS "state?"
        FROM failure_businesses f
        LEFT JOIN businesses b ON b.partner_id = f.partner_id AND b.business_id = f.business_id
        LEFT JOIN requests r ON r.partner_id = f.partner_id AND r.number = f.last_number
        WHERE f.partner_id = $1 AND f.group_id = $2 AND f.last_at <= $3 AND (f.last_at < $3 OR f.business_id > $4)
        ORDER BY f.last_at DESC, f.business_id
        LIMIT $5"#,
        partner.as_str() as _,
        group_id,
        at,
        id as _,
        most,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| GroupBusiness {
            business_id: row.business_id,
            name: row.name,
            calls: row.calls,
            last_at: row.last_at,
            last_call_id: row.last_call_id,
            request: row.last_number.map(RequestNumber).zip(row.state),
        })
        .collect())
}

/// What failed alike lately.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alike {
    /// Businesses, counted up to [`MOST_COUNTED`].
    pub businesses: i64,
    /// The last of them.
    pub newest: Vec<AlikeBusiness>,
    /// The group to which the call itself belongs, once it is counted.
    pub group_id: Option<i64>,
}

/// A business whose call failed alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlikeBusiness {
    pub business_id: String,
    pub name: Option<String>,
    pub call_id: i64,
    pub at: OffsetDateTime,
}

/// Businesses whose calls failed since then with the same code, or, where Meta gave none, in the same way.
pub async fn alike(tx: &mut TenantTx, key: &Key, since: OffsetDateTime) -> sqlx::Result<Alike> {
    let partner = tx.partner().clone();
    let rows = sqlx::query!(
        r#"WITH alike AS (
            SELECT group_id FROM failure_groups
            WHERE partner_id = $1 AND CASE WHEN $2::bigint IS NULL
                THEN code IS NULL AND failure IS NOT DISTINCT FROM $3 AND (failure IS NOT NULL OR words = $4)
                ELSE code = $2 END
            ORDER BY last_at DESC LIMIT 20
        ), recent AS (
            SELECT b.business_id, b.last_at, b.last_call_id FROM alike, LATERAL (
                SELECT business_id, last_at, last_call_id FROM failure_businesses
                WHERE partner_id = $1 AND group_id = alike.group_id AND last_at >= $5
                ORDER BY last_at DESC LIMIT $6
            ) AS b
        ), newest AS (
            SELECT business_id, max(last_at) AS at, max(last_call_id) AS call_id, count(*) OVER () AS n
            FROM recent GROUP BY business_id ORDER BY 2 DESC LIMIT 4
        )
        SELECT newest.business_id AS "business_id!: String", b.name AS "name?", newest.at AS "at!", newest.call_id AS "call_id!", newest.n AS "n!"
        FROM newest LEFT JOIN businesses b ON b.partner_id = $1 AND b.business_id = newest.business_id
        ORDER BY newest.at DESC"#,
        partner.as_str() as _,
        key.code,
        key.failure.as_deref(),
        key.words,
        since,
        MOST_COUNTED,
    )
    .fetch_all(&mut **tx)
    .await?;
    let group_id = sqlx::query_scalar!(
        "SELECT group_id FROM failure_groups WHERE partner_id = $1 AND code IS NOT DISTINCT FROM $2 AND subcode IS NOT DISTINCT FROM $3
            AND failure IS NOT DISTINCT FROM $4 AND words = $5",
        partner.as_str() as _,
        key.code,
        key.subcode,
        key.failure.as_deref(),
        key.words,
    )
    .fetch_optional(&mut **tx)
    .await?;
    let businesses = rows.first().map_or(0, |row| row.n).min(MOST_COUNTED);
    let newest = rows.into_iter().map(|row| AlikeBusiness {
        business_id: row.business_id,
        name: row.name,
        call_id: row.call_id,
        at: row.at,
    });
    Ok(Alike { businesses, newest: newest.collect(), group_id })
}
