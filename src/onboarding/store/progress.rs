//! Requests whose business has moved on at Meta.

use time::OffsetDateTime;

use super::{
    super::{
        decide::Progress,
        model::{RequestNumber, State},
    },
    refresh_standing,
};
use crate::db::TenantTx;

/// An open request whose business has moved on at Meta.
#[derive(Clone, Copy, Debug)]
pub struct Behind {
    pub number: RequestNumber,
    pub state: State,
    pub progress: Progress,
}

/// Requests whose business signed, or got a WABA onboarded, since they were last looked at; `most` at a time.
pub async fn behind(tx: &mut TenantTx, most: i64) -> sqlx::Result<Vec<Behind>> {
    let partner = tx.partner().clone();
    let rows = sqlx::query!(
        r#"
        SELECT r.number, r.state, b.standing = 'ready' AS "ready!"
        FROM requests r
        JOIN businesses b ON b.partner_id = r.partner_id AND b.business_id = r.business_id
        WHERE r.partner_id = $1
          AND ((r.state IN ('requested', 'already_requested') AND b.standing IN ('accepted', 'ready'))
            OR (r.state = 'accepted' AND b.standing = 'ready'))
        ORDER BY r.number
        LIMIT $2
        FOR UPDATE OF r SKIP LOCKED
        "#,
        partner.as_str(),
        most,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let progress = if row.ready { Progress::Ready } else { Progress::Signed };
            Some(Behind { number: RequestNumber(row.number), state: row.state.parse().ok()?, progress })
        })
        .collect())
}

/// Moves requests to Accepted or Ready. Accepted since the hour at which Meta says the terms were signed; where it names a day alone, since
/// the end of that day; never since before Meta took the request, nor later than now.
pub async fn advance(tx: &mut TenantTx, moves: &[(RequestNumber, State)], now: OffsetDateTime) -> sqlx::Result<()> {
    let numbers: Vec<i64> = moves.iter().map(|(number, _)| number.0).collect();
    let states: Vec<String> = moves.iter().map(|(_, state)| state.as_str().to_owned()).collect();
    let partner = tx.partner().clone();
    let businesses = sqlx::query_scalar!(
        r#"
        WITH moved AS (
            UPDATE requests r SET
                state = o.state,
                accepted_at = coalesce(r.accepted_at, greatest(r.answered_at, least($4, (
                    SELECT b.meta_status_since + CASE
                        WHEN date_trunc('day', b.meta_status_since, 'UTC') = b.meta_status_since THEN interval '1 day' ELSE interval '0'
                    END
                    FROM businesses b
                    WHERE b.partner_id = $1 AND b.business_id = r.business_id AND upper(b.meta_status) = 'TERM_OF_SERVICE_SIGNED'
                )))),
                ready_at = CASE WHEN o.state = 'ready' THEN $4 END,
                changed_at = $4
            FROM unnest($2::bigint[], $3::text[]) AS o(number, state)
            WHERE r.partner_id = $1 AND r.number = o.number
            RETURNING r.number, r.state, r.attempts, r.business_id
        ), told AS (
            INSERT INTO request_events (partner_id, number, at, state, attempt)
            SELECT $1, number, $4, state, attempts FROM moved ORDER BY number
        )
        SELECT business_id::text AS "business_id!" FROM moved
        "#,
        partner.as_str(),
        &numbers,
        &states,
        now,
    )
    .fetch_all(&mut **tx)
    .await?;
    refresh_standing(tx, &businesses).await
}
