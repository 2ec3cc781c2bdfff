//! All SQL of insights. Here: what the page reads, which is sums alone.

mod count;
#[cfg(test)]
mod tests;

use time::{Date, OffsetDateTime};

use super::{
    model::{By, Counts, ErrorsOfDay, Group, Named, Standing, Usage},
    waits::Waits,
};
use crate::db::TenantTx;

pub use self::count::{Source, step};

/// One slice of the sums.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// As `insight_days.solution_id`.
    pub solution: String,
    /// As `insight_days.member_id`.
    pub member: i64,
    pub from: Date,
    /// The last day.
    pub to: Date,
}

fn count(n: i64) -> u64 {
    u64::try_from(n).unwrap_or_default()
}

/// How far the counting is.
pub async fn standing(tx: &mut TenantTx) -> sqlx::Result<Standing> {
    let partner = tx.partner().clone();
    let mark = sqlx::query!(
        "SELECT counted_id, fenced_id, counted_at FROM insight_marks WHERE partner_id = $1 AND source = 'request_events'",
        partner.as_str(),
    )
    .fetch_optional(&mut **tx)
    .await?;
    let any = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM insight_days WHERE partner_id = $1) AS "any!""#,
        partner.as_str()
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(Standing {
        any,
        counted_at: mark.as_ref().and_then(|mark| mark.counted_at),
        share: mark.map_or((0, 0), |mark| (count(mark.counted_id), count(mark.fenced_id))),
    })
}

/// What became of the requests of each day, in order; days without any are left out.
pub async fn days(tx: &mut TenantTx, slice: &Slice) -> sqlx::Result<Vec<(Date, Counts)>> {
    let partner = tx.partner().clone();
    let rows = sqlx::query!(
        "SELECT day, asked, requested, accepted, ready, failed, taken, cancelled FROM insight_days
         WHERE partner_id = $1 AND solution_id = $2 AND member_id = $3 AND day BETWEEN $4 AND $5
         ORDER BY day",
        partner.as_str(),
        slice.solution,
        slice.member,
        slice.from,
        slice.to,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let [asked, requested, accepted, ready, failed, taken, cancelled] =
                [row.asked, row.requested, row.accepted, row.ready, row.failed, row.taken, row.cancelled]
                    .map(|n| count(n.into()));
            (row.day, Counts { asked, requested, accepted, ready, failed, taken, cancelled })
        })
        .collect())
}

/// The sums of each solution, or of each member, the largest first.
pub async fn groups(tx: &mut TenantTx, slice: &Slice, by: By) -> sqlx::Result<Vec<Group>> {
    let partner = tx.partner().clone();
    let rows = sqlx::query!(
        r#"
        SELECT g.solution_id AS "solution_id!", s.name AS "solution?", m.name AS "member?", g.requested AS "requested!",
            g.accepted AS "accepted!", g.ready AS "ready!"
        FROM (
            SELECT solution_id, member_id, sum(requested) AS requested, sum(accepted) AS accepted, sum(ready) AS ready
            FROM insight_days
            WHERE partner_id = $1 AND day BETWEEN $4 AND $5
              AND CASE WHEN $6 AND $2 = '*' THEN solution_id <> '*' ELSE solution_id = $2 END
              AND CASE WHEN NOT $6 AND $3 = 0::bigint THEN member_id <> 0 ELSE member_id = $3 END
            GROUP BY solution_id, member_id
        ) g
        LEFT JOIN solutions s ON s.partner_id = $1 AND s.solution_id = g.solution_id
        LEFT JOIN members m ON m.partner_id = $1 AND m.member_id = g.member_id
        WHERE g.requested > 0
        ORDER BY g.requested DESC, g.solution_id, g.member_id
        "#,
        partner.as_str(),
        slice.solution,
        slice.member,
        slice.from,
        slice.to,
        by == By::Solution,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Group {
            name: match (by, row.solution_id.as_str()) {
                (By::Solution, "") => "No solution".to_owned(),
                (By::Solution, id) => row.solution.unwrap_or_else(|| id.to_owned()),
                _ => row.member.unwrap_or_default(),
            },
            counts: Counts {
                requested: count(row.requested),
                accepted: count(row.accepted),
                ready: count(row.ready),
                ..Counts::default()
            },
        })
        .collect())
}

/// How long acceptance took.
pub async fn waits(tx: &mut TenantTx, slice: &Slice) -> sqlx::Result<Waits> {
    let partner = tx.partner().clone();
    let rows = sqlx::query_scalar!(
        r#"SELECT accepted AS "accepted: Vec<Option<i32>>" FROM insight_waits
         WHERE partner_id = $1 AND solution_id = $2 AND member_id = $3 AND day BETWEEN $4 AND $5"#,
        partner.as_str(),
        slice.solution,
        slice.member,
        slice.from,
        slice.to,
    )
    .fetch_all(&mut **tx)
    .await?;
    let cells = rows.into_iter().flat_map(|day| day.into_iter().enumerate());
    Ok(Waits::new(cells.map(|(bucket, n)| (bucket, count(n.unwrap_or_default().into())))))
}

/// Requests that Meta took before an hour and that nobody has signed, whatever the slice's days.
pub async fn waiting_since(tx: &mut TenantTx, slice: &Slice, before: OffsetDateTime) -> sqlx::Result<u64> {
    let partner = tx.partner().clone();
    let waiting = sqlx::query_scalar!(
        r#"SELECT coalesce(sum(n), 0) AS "waiting!" FROM insight_waiting, unnest(waiting) WITH ORDINALITY AS cell (n, place)
         WHERE partner_id = $1 AND solution_id = $2 AND member_id = $3
            AND day + make_interval(hours => place::integer) <= $4::timestamptz AT TIME ZONE 'UTC'"#,
        partner.as_str(),
        slice.solution,
        slice.member,
        before,
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(count(waiting))
}

/// Errors of each day by cause.
pub async fn errors(tx: &mut TenantTx, slice: &Slice) -> sqlx::Result<Vec<ErrorsOfDay>> {
    let partner = tx.partner().clone();
    let rows = sqlx::query!(
        "SELECT day, cause, failed, put_off FROM insight_errors
         WHERE partner_id = $1 AND solution_id = $2 AND member_id = $3 AND day BETWEEN $4 AND $5
         ORDER BY day, cause",
        partner.as_str(),
        slice.solution,
        slice.member,
        slice.from,
        slice.to,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            Some(ErrorsOfDay {
                day: row.day,
                cause: row.cause.parse().ok()?,
                failed: count(row.failed.into()),
                put_off: count(row.put_off.into()),
            })
        })
        .collect())
}

/// What Meta said of its limits since, oldest first.
pub async fn usage(tx: &mut TenantTx, since: OffsetDateTime) -> sqlx::Result<Vec<Usage>> {
    let partner = tx.partner().clone();
    let rows = sqlx::query!(
        "SELECT at, app_percent, business_percent, refused, wait_minutes FROM insight_usage
         WHERE partner_id = $1 AND at >= $2 ORDER BY at",
        partner.as_str(),
        since,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Usage {
            at: row.at,
            app: row.app_percent,
            business: row.business_percent,
            refused: count(row.refused.into()),
            wait_minutes: row.wait_minutes.map(|minutes| count(minutes.into())),
        })
        .collect())
}

/// Solutions that a request was ever made with, by name.
pub async fn solutions(tx: &mut TenantTx) -> sqlx::Result<Vec<Named>> {
    let partner = tx.partner().clone();
    let rows = sqlx::query!(
        r#"SELECT solution_id::text AS "id!", name FROM solutions WHERE partner_id = $1 ORDER BY name, solution_id LIMIT 500"#,
        partner.as_str(),
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|row| Named { id: row.id, name: row.name }).collect())
}

/// Members who may ask, or did once, by name.
pub async fn managers(tx: &mut TenantTx) -> sqlx::Result<Vec<Named>> {
    let partner = tx.partner().clone();
    let rows = sqlx::query!(
        r#"
        SELECT m.member_id, m.name FROM members m
        WHERE m.partner_id = $1 AND ((m.role <> 'support' AND m.removed_at IS NULL)
            OR EXISTS (SELECT FROM insight_days d WHERE d.partner_id = $1 AND d.solution_id = '*' AND d.member_id = m.member_id))
        ORDER BY m.name, m.member_id LIMIT 500
        "#,
        partner.as_str(),
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|row| Named { id: row.member_id.to_string(), name: row.name }).collect())
}
