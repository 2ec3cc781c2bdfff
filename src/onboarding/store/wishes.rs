//! Writing wishes down, and stopping those that haven't left.

use time::OffsetDateTime;

use super::{super::model::RequestNumber, refresh_standing};
use crate::{
    db::TenantTx,
    graph::{BusinessId, SolutionId},
};

/// Which request a wish for a business ended up as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    pub number: RequestNumber,
    /// `false`: one was open already, and it's this.
    pub is_new: bool,
    /// It's new, and its business was one that can be asked in the moment it was written down.
    pub is_listed: bool,
}

/// Lets one of a partner's starts go on at a time, of a draft or of failures tried again, until the transaction ends. Two that name the
/// same businesses in another order would else wait for each other. A click names one, and need not wait here.
pub async fn hold_starts(tx: &mut TenantTx) -> sqlx::Result<()> {
    let name = format!("start:{}", tx.partner());
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", name).fetch_one(&mut **tx).await.map(drop)
}

/// Writes a batch with a request for the business, unless one is open: then that one is named. Where somebody else was quicker in that
/// moment, the batch has no request, and theirs is named; `None` if it's open no more.
///
/// A business is asked for once however many ask at the same time: the partial unique index decides. One that can be asked stands as
/// Queued from the same statement on; of any other, which changed in that moment, `refresh_standing` says how it stands.
pub async fn queue(
    tx: &mut TenantTx,
    member_id: i64,
    business: &BusinessId,
    solution: Option<&SolutionId>,
    now: OffsetDateTime,
) -> sqlx::Result<Option<Queued>> {
    let partner = tx.partner().clone();
    let made = sqlx::query!(
        r#"
        WITH batch AS (
            INSERT INTO batches (partner_id, member_id, solution_id, started_at)
            SELECT $1::text, $2, $3, $5
            WHERE NOT EXISTS (
                SELECT FROM requests
                WHERE partner_id = $1 AND business_id = $4
                  AND state IN ('queued', 'sending', 'waiting_to_retry', 'requested', 'already_requested', 'accepted')
            )
            RETURNING batch_number
        ), made AS (
            INSERT INTO requests (partner_id, batch_number, business_id, member_id, solution_id, state, queued_at, changed_at)
            SELECT $1::text, batch_number, $4::text, $2, $3, 'queued', $5, $5 FROM batch
            ON CONFLICT (partner_id, business_id)
                WHERE state IN ('queued', 'sending', 'waiting_to_retry', 'requested', 'already_requested', 'accepted')
                DO NOTHING
            RETURNING number
        ), told AS (
            INSERT INTO request_events (partner_id, number, at, state, attempt, member_id)
            SELECT $1, number, $5, 'queued', 0, $2 FROM made
        ), listed AS (
            UPDATE businesses b SET standing = 'queued', waiting_since = NULL, last_request_number = made.number,
                last_requested_at = $5, last_requested_by = m.name
            FROM made, members m, (
                SELECT o.ctid AS place FROM businesses o WHERE o.partner_id = $1 AND o.business_id = $4 OFFSET 0
            ) AS kept
            WHERE m.member_id = $2 AND b.ctid = kept.place AND b.standing IN ('eligible', 'unknown', 'failed') AND b.left_at IS NULL
            RETURNING TRUE
        )
        SELECT number AS "number!", EXISTS (SELECT FROM listed) AS "is_listed!" FROM made
        "#,
        partner.as_str(),
        member_id,
        solution.map(SolutionId::as_str),
        business.as_str(),
        now,
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(made) = made else {
        // The open request is committed by now.
        return open_request(tx, business).await;
    };
    if !made.is_listed {
        refresh_standing(tx, &[business.as_str().to_owned()]).await?;
    }
    Ok(Some(Queued { number: RequestNumber(made.number), is_new: true, is_listed: made.is_listed }))
}

/// Stops requests of a batch that were written down a moment ago for businesses that signed, or left, in that moment. Their businesses
/// are locked by now, so what they say holds. Says how many there were.
pub async fn stop_overtaken(tx: &mut TenantTx, batch: i64, member_id: i64, now: OffsetDateTime) -> sqlx::Result<usize> {
    let partner = tx.partner().clone();
    let stopped = sqlx::query_scalar!(
        r#"
        WITH stopped AS (
            UPDATE requests r SET state = 'cancelled', cancelled_at = $4, changed_at = $4
            FROM businesses b
            WHERE r.partner_id = $1 AND r.batch_number = $2 AND r.state = 'queued'
                AND b.partner_id = $1 AND b.business_id = r.business_id
                AND (b.left_at IS NOT NULL OR b.standing IN ('accepted', 'ready'))
            RETURNING r.number, r.business_id, r.attempts
        ), told AS (
            INSERT INTO request_events (partner_id, number, at, state, attempt, member_id)
            SELECT $1, number, $4, 'cancelled', attempts, $3 FROM stopped ORDER BY number
        )
        SELECT business_id::text AS "business_id!" FROM stopped
        "#,
        partner.as_str(),
        batch,
        member_id,
        now,
    )
    .fetch_all(&mut **tx)
    .await?;
    if !stopped.is_empty() {
        refresh_standing(tx, &stopped).await?;
    }
    Ok(stopped.len())
}

async fn open_request(tx: &mut TenantTx, business: &BusinessId) -> sqlx::Result<Option<Queued>> {
    let partner = tx.partner().clone();
    let number = sqlx::query_scalar!(
        "SELECT number FROM requests
        WHERE partner_id = $1 AND business_id = $2
          AND state IN ('queued', 'sending', 'waiting_to_retry', 'requested', 'already_requested', 'accepted')",
        partner.as_str(),
        business.as_str(),
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(number.map(|number| Queued { number: RequestNumber(number), is_new: false, is_listed: false }))
}

/// Stops a request that hasn't left yet. `false`: it had, or it's not there.
pub async fn cancel(
    tx: &mut TenantTx,
    number: RequestNumber,
    member_id: i64,
    now: OffsetDateTime,
) -> sqlx::Result<bool> {
    let partner = tx.partner().clone();
    let business = sqlx::query_scalar!(
        r#"
        WITH stopped AS (
            UPDATE requests SET state = 'cancelled', cancelled_at = $3, retry_at = NULL, changed_at = $3
            WHERE partner_id = $1 AND number = $2 AND state IN ('queued', 'waiting_to_retry') AND NOT doubtful
            RETURNING number, business_id, attempts
        ), told AS (
            INSERT INTO request_events (partner_id, number, at, state, attempt, member_id)
            SELECT $1, number, $3, 'cancelled', attempts, $4 FROM stopped
        )
        SELECT business_id::text AS "business_id!" FROM stopped
        "#,
        partner.as_str(),
        number.0,
        now,
        member_id,
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(business) = business else { return Ok(false) };
    refresh_standing(tx, &[business]).await?;
    Ok(true)
}
