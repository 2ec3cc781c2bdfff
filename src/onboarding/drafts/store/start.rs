//! Starting a draft: its rows become requests, all in one transaction.

use sqlx::PgConnection;
use time::OffsetDateTime;

use super::super::model::{Draft, Source};
use crate::{
    businesses,
    db::TenantTx,
    graph::{BusinessId, SolutionId},
    onboarding::store::stop_overtaken,
};

/// With what a draft is started.
#[derive(Clone, Debug)]
pub struct Wish<'a> {
    /// Who starts it: the requests are theirs.
    pub member_id: i64,
    /// What it's called, 80 characters at most; empty for nothing.
    pub name: &'a str,
    /// The solution of the rows that name none.
    pub solution: Option<&'a SolutionId>,
    /// Rows that are to be sent.
    pub to_send: u64,
}

/// Makes a request of each row of a checked draft that is to be sent, and says how many. Where somebody else's request for a business
/// was quicker, that one stands and the row says so. The draft must be held and not started.
pub async fn start(tx: &mut TenantTx, draft: &Draft, wish: &Wish<'_>, now: OffsetDateTime) -> sqlx::Result<u64> {
    let partner = tx.partner().clone();
    if draft.member_id != wish.member_id {
        // Its requests are theirs who starts it.
        sqlx::query!(
            "UPDATE batches SET member_id = $3 WHERE partner_id = $1 AND batch_number = $2 AND started_at IS NULL",
            partner.as_str(),
            draft.number.0,
            wish.member_id,
        )
        .execute(&mut **tx)
        .await?;
    }
    let made = queue(tx, draft, wish, now).await?;
    note_queued(tx, draft, wish.member_id, made, now).await?;
    if made < wish.to_send {
        tell_late_rows(tx, draft).await?;
    }
    sqlx::query!(
        "UPDATE batches SET started_at = $3, size = $4, name = left($5, 80), solution_id = $6
        WHERE partner_id = $1 AND batch_number = $2 AND started_at IS NULL",
        partner.as_str(),
        draft.number.0,
        now,
        i32::try_from(made).unwrap_or(i32::MAX),
        wish.name,
        wish.solution.map(SolutionId::as_str),
    )
    .execute(&mut **tx)
    .await?;
    if draft.source == Source::Selection {
        businesses::clear_selection(tx, draft.member_id).await?;
    }
    Ok(made)
}

/// Tells the planner of requests that weren't there a moment ago, where they are more than a tenth of all, before anybody claims one of
/// them. Needs the owner's rights, so not a tenant transaction.
pub async fn refresh_statistics(conn: &mut PgConnection, made: u64) -> sqlx::Result<()> {
    let known =
        sqlx::query_scalar!(r#"SELECT reltuples::float8 AS "known!" FROM pg_class WHERE oid = 'requests'::regclass"#)
            .fetch_one(&mut *conn)
            .await?;
    #[expect(clippy::cast_precision_loss, reason = "a tenth, more or less")]
    let changes_plans = made as f64 > known / 10.0;
    if changes_plans {
        // Whoever holds the table is about to do the same.
        sqlx::query!("ANALYZE (SKIP_LOCKED) requests").execute(conn).await?;
    }
    Ok(())
}

async fn queue(tx: &mut TenantTx, draft: &Draft, wish: &Wish<'_>, now: OffsetDateTime) -> sqlx::Result<u64> {
    let partner = tx.partner().clone();
    let made = sqlx::query_scalar!(
        r#"
        WITH made AS (
            INSERT INTO requests (partner_id, batch_number, business_id, member_id, solution_id, state, queued_at, changed_at, alone)
            SELECT partner_id, batch_number, business_id, $3, coalesce(solution_id, $4), 'queued', $5, $5, FALSE
            FROM batch_rows
            WHERE partner_id = $1 AND batch_number = $2 AND finding IN ('eligible', 'unsaid', 'waba_id') AND NOT left_out
            ORDER BY line
            ON CONFLICT (partner_id, business_id)
                WHERE state IN ('queued', 'sending', 'waiting_to_retry', 'requested', 'already_requested', 'accepted')
                DO NOTHING
            RETURNING number
        ), told AS (
            INSERT INTO request_events (partner_id, number, at, state, attempt, member_id)
            SELECT $1, number, $5, 'queued', 0, $3 FROM made
        )
        SELECT count(*) AS "made!" FROM made
        "#,
        partner.as_str(),
        draft.number.0,
        wish.member_id,
        wish.solution.map(SolutionId::as_str),
        now,
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(u64::try_from(made).unwrap_or_default())
}

/// Lets the businesses stand as queued. Of a business that could be asked a moment ago and has a queued request now, `refresh_standing`
/// would say just that, in more than twice the time; one that changed in that moment is left to it, and where there is nothing to ask
/// for any more, the request is stopped.
async fn note_queued(
    tx: &mut TenantTx,
    draft: &Draft,
    member_id: i64,
    made: u64,
    now: OffsetDateTime,
) -> sqlx::Result<()> {
    let partner = tx.partner().clone();
    // In the order in which refresh_standing locks them, so that neither waits for the other for ever.
    sqlx::query!(
        r#"
        SELECT count(*) AS "locked!"
        FROM (
            SELECT business_id AS id FROM requests WHERE partner_id = $1 AND batch_number = $2 ORDER BY business_id
        ) AS asked, LATERAL (
            SELECT FROM businesses o WHERE o.partner_id = $1 AND o.business_id = asked.id FOR NO KEY UPDATE
        ) AS locked
        "#,
        partner.as_str(),
        draft.number.0,
    )
    .fetch_one(&mut **tx)
    .await?;
    let noted = sqlx::query!(
        "UPDATE businesses b SET standing = 'queued', waiting_since = NULL, last_request_number = q.number,
            last_requested_at = q.queued_at, last_requested_by = m.name
        FROM members m, (
            SELECT r.number, r.queued_at, o.row_at
            FROM requests r, LATERAL (
                SELECT p.ctid AS row_at FROM businesses p WHERE p.partner_id = $1 AND p.business_id = r.business_id OFFSET 0
            ) AS o
            WHERE r.partner_id = $1 AND r.batch_number = $2
        ) AS q
        WHERE m.member_id = $3 AND b.ctid = q.row_at AND b.standing IN ('eligible', 'unknown', 'failed') AND b.left_at IS NULL",
        partner.as_str(),
        draft.number.0,
        member_id,
    )
    .execute(&mut **tx)
    .await?;
    if noted.rows_affected() == made {
        return Ok(());
    }
    let others = sqlx::query_scalar!(
        r#"
        SELECT r.business_id::text AS "id!" FROM requests r JOIN businesses b USING (partner_id, business_id)
        WHERE r.partner_id = $1 AND r.batch_number = $2 AND (b.standing <> 'queued' OR b.left_at IS NOT NULL)
        "#,
        partner.as_str(),
        draft.number.0,
    )
    .fetch_all(&mut **tx)
    .await?;
    // All that may be overtaken are among these.
    if others.is_empty() {
        return Ok(());
    }
    let others: Vec<BusinessId> = others.into_iter().map(BusinessId::from_stored).collect();
    businesses::refresh_standing(tx, &others).await?;
    stop_overtaken(tx, draft.number.0, member_id, now).await.map(drop)
}

/// Says of the rows to be sent that got no request why: another one is open for their business.
async fn tell_late_rows(tx: &mut TenantTx, draft: &Draft) -> sqlx::Result<()> {
    let partner = tx.partner().clone();
    sqlx::query!(
        "UPDATE batch_rows r SET finding = 'already_requested'
        WHERE r.partner_id = $1 AND r.batch_number = $2 AND r.finding IN ('eligible', 'unsaid', 'waba_id') AND NOT r.left_out
            AND NOT EXISTS (
                SELECT FROM requests q WHERE q.partner_id = $1 AND q.business_id = r.business_id AND q.batch_number = $2
            )",
        partner.as_str(),
        draft.number.0,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}
