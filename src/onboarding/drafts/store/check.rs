//! What becomes of each row of a draft: one statement over all of them, whether there are ten or a hundred thousand.

use time::OffsetDateTime;

use super::super::model::DraftNumber;
use crate::{
    db::TenantTx,
    solutions::{self, Solution},
};

/// Compares a draft's rows with what is known of the businesses now, and writes down what becomes of each.
///
/// A business is sent once: the first row that names it does, by its own id or a WABA's. A row with a WABA's id that is left out names
/// nobody: its business isn't what the member meant. Any other row that is left out keeps its business from being sent by a later one.
pub async fn check_rows(tx: &mut TenantTx, number: DraftNumber, now: OffsetDateTime) -> sqlx::Result<()> {
    let partner = tx.partner().clone();
    let offered = solutions::offered(tx).await?;
    let ids = |usable: bool| {
        let wanted = offered.iter().filter(move |solution: &&Solution| solution.usable.is_ok() || !usable);
        wanted.map(|solution| solution.id.to_string()).collect::<Vec<_>>()
    };
    // A row is written by its place in the table: the planner can't know how many were added a moment ago, and would walk through
    // all of them for each. For the same reason each business is looked up by its whole key.
    sqlx::query!(
        r#"
        WITH read AS MATERIALIZED (
            SELECT r.ctid AS row_at, r.line, r.unreadable, r.left_out, r.given_solution, r.solution_id,
                r.business_id AS was_business, r.finding AS was_finding, r.same_as AS was_same_as,
                coalesce(b.business_id, w.business_id) AS business_id, coalesce(b.standing, w.standing) AS standing,
                coalesce(b.has_left, w.has_left) AS has_left, w.business_id IS NOT NULL AS by_waba
            FROM batch_rows r
            LEFT JOIN LATERAL (
                SELECT o.business_id, o.standing, o.left_at IS NOT NULL AS has_left
                FROM businesses o WHERE o.partner_id = $1 AND o.business_id = r.given_id OFFSET 0
            ) AS b ON TRUE
            LEFT JOIN LATERAL (
                SELECT o.business_id, o.standing, o.left_at IS NOT NULL AS has_left
                FROM wabas a JOIN businesses o ON o.partner_id = a.partner_id AND o.business_id = a.business_id
                WHERE b.business_id IS NULL AND a.partner_id = $1 AND a.waba_id = r.given_id OFFSET 0
            ) AS w ON TRUE
            WHERE r.partner_id = $1 AND r.batch_number = $2
        ), placed AS (
            SELECT read.*,
                min(line) FILTER (WHERE business_id IS NOT NULL AND NOT (by_waba AND left_out)) OVER (PARTITION BY business_id) AS first_line
            FROM read
        ), found AS MATERIALIZED (
            SELECT row_at, was_business, was_finding, was_same_as, business_id,
                CASE WHEN first_line < line THEN first_line END AS same_as,
                CASE
                    WHEN unreadable IS NOT NULL THEN unreadable
                    WHEN business_id IS NULL THEN 'unknown'
                    WHEN first_line < line THEN 'duplicate'
                    WHEN has_left THEN 'left'
                    WHEN standing IN ('queued', 'sending', 'waiting_to_retry', 'requested', 'already_requested') THEN 'already_requested'
                    WHEN standing = 'taken_by_another_partner' THEN 'taken'
                    WHEN standing IN ('accepted', 'ready', 'not_eligible') THEN standing
                    WHEN given_solution IS NOT NULL AND solution_id IS NULL THEN 'solution_not_an_id'
                    WHEN solution_id IS NOT NULL AND solution_id <> ALL ($3::text[]) THEN 'solution_gone'
                    WHEN solution_id IS NOT NULL AND solution_id <> ALL ($4::text[]) THEN 'solution_unusable'
                    WHEN by_waba THEN 'waba_id'
                    WHEN standing = 'unknown' THEN 'unsaid'
                    ELSE 'eligible'
                END AS finding
            FROM placed
        )
        UPDATE batch_rows r SET business_id = f.business_id, finding = f.finding, same_as = f.same_as
        FROM found f
        WHERE r.ctid = f.row_at
            AND (f.was_business, f.was_finding, f.was_same_as) IS DISTINCT FROM (f.business_id, f.finding, f.same_as)
        "#,
        partner.as_str(),
        number.0,
        &ids(false),
        &ids(true),
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "UPDATE batches SET checked_at = $3 WHERE partner_id = $1 AND batch_number = $2",
        partner.as_str(),
        number.0,
        now,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}
