//! All SQL of requests and batches.
//!
//! Every function works inside the caller's tenant transaction. After each change of state the businesses touched get their
//! standing refreshed in the same transaction, so that a list and a request's page never disagree.

use time::OffsetDateTime;

use super::{
    decide::{Progress, Settled, Verdict, Waiting},
    model::{AttemptCall, Request, RequestEvent, RequestNumber, State},
};
use crate::{
    businesses,
    db::TenantTx,
    graph::{BusinessId, MetaRequestId, SolutionId},
};

/// Which request a wish for a business ended up as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    pub business_id: BusinessId,
    pub number: RequestNumber,
    /// `false`: one was open already, and it's this.
    pub is_new: bool,
}

/// Writes one batch with a request for each business that has none open, and names the open one of each other.
///
/// A business is asked for once however many ask at the same time: the partial unique index decides. Nothing is written
/// when every business had an open request already.
pub async fn queue(
    tx: &mut TenantTx,
    member_id: i64,
    businesses: &[BusinessId],
    solution: Option<&SolutionId>,
    now: OffsetDateTime,
) -> sqlx::Result<Vec<Queued>> {
    let partner = tx.partner().clone();
    let mut queued = open_requests(tx, businesses).await?;
    let missing: Vec<String> = businesses
        .iter()
        .filter(|business| queued.iter().all(|known| known.business_id != **business))
        .map(|business| business.as_str().to_owned())
        .collect();
    if missing.is_empty() {
        return Ok(queued);
    }
    let made = sqlx::query!(
        r#"
        WITH batch AS (
            INSERT INTO batches (partner_id, member_id, solution_id, started_at)
            VALUES ($1, $2, $3, $5)
            RETURNING batch_number
        ), made AS (
            INSERT INTO requests (partner_id, batch_number, business_id, member_id, solution_id, state, queued_at, changed_at)
            SELECT $1, batch_number, business_id, $2, $3, 'queued', $5, $5
            FROM batch, unnest($4::text[]) AS business_id
            ON CONFLICT (partner_id, business_id)
                WHERE state IN ('queued', 'sending', 'waiting_to_retry', 'requested', 'already_requested', 'accepted')
                DO NOTHING
            RETURNING number, business_id
        ), told AS (
            INSERT INTO request_events (partner_id, number, at, state, attempt, member_id)
            SELECT $1, number, $5, 'queued', 0, $2 FROM made
        )
        SELECT number AS "number!", business_id::text AS "business_id!" FROM made
        "#,
        partner.as_str(),
        member_id,
        solution.map(SolutionId::as_str),
        &missing,
        now,
    )
    .fetch_all(&mut **tx)
    .await?;
    queued.extend(made.into_iter().map(|row| Queued {
        business_id: BusinessId::from_stored(row.business_id),
        number: RequestNumber(row.number),
        is_new: true,
    }));
    if queued.len() < businesses.len() {
        // Somebody else was quicker for the rest; their row is committed by now.
        let late: Vec<BusinessId> =
            businesses.iter().filter(|b| queued.iter().all(|known| known.business_id != **b)).cloned().collect();
        queued.extend(open_requests(tx, &late).await?);
    }
    refresh_standing(tx, &missing).await?;
    Ok(queued)
}

async fn open_requests(tx: &mut TenantTx, businesses: &[BusinessId]) -> sqlx::Result<Vec<Queued>> {
    let partner = tx.partner().clone();
    let ids: Vec<String> = businesses.iter().map(|business| business.as_str().to_owned()).collect();
    let rows = sqlx::query!(
        r#"
        SELECT number, business_id::text AS "business_id!" FROM requests
        WHERE partner_id = $1 AND business_id = ANY($2::text[])
          AND state IN ('queued', 'sending', 'waiting_to_retry', 'requested', 'already_requested', 'accepted')
        "#,
        partner.as_str(),
        &ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Queued {
            business_id: BusinessId::from_stored(row.business_id),
            number: RequestNumber(row.number),
            is_new: false,
        })
        .collect())
}

async fn refresh_standing(tx: &mut TenantTx, touched: &[String]) -> sqlx::Result<()> {
    let touched: Vec<BusinessId> = touched.iter().cloned().map(BusinessId::from_stored).collect();
    businesses::refresh_standing(tx, &touched).await
}

/// A request whose turn has come, marked Sending.
#[derive(Clone, Debug)]
pub struct Claimed {
    pub number: RequestNumber,
    pub business_id: BusinessId,
    pub solution_id: Option<SolutionId>,
    pub member_id: i64,
    /// Which attempt this is, from 1; an answer is saved only while the row still says so.
    pub attempt: i32,
    pub faults: i32,
    pub doubtful: bool,
    /// Ids Meta gave to earlier requests for this business.
    pub known_ids: Vec<MetaRequestId>,
}

/// Marks up to `most` due requests Sending and hands them over, oldest first.
///
/// Left alone: requests of members whose token is dead, and everything while Meta asked us to wait. A request that waits for a
/// sign-in is due as soon as a newer token is there.
pub async fn claim(tx: &mut TenantTx, most: i64, now: OffsetDateTime) -> sqlx::Result<Vec<Claimed>> {
    let partner = tx.partner().clone();
    let rows = sqlx::query!(
        r#"
        WITH due AS (
            SELECT r.number
            FROM requests r
            JOIN tokens t ON t.partner_id = r.partner_id AND t.member_id = r.member_id
                AND t.problem IS NULL AND (t.expires_at IS NULL OR t.expires_at > $2)
            WHERE r.partner_id = $1
              AND r.state IN ('queued', 'waiting_to_retry')
              AND (coalesce(r.retry_at, r.queued_at) <= $2 OR (r.cause = 'token_invalid' AND t.stored_at > r.changed_at))
              AND NOT EXISTS (SELECT FROM dispatch_pauses p WHERE p.partner_id = $1 AND p.until > $2)
            ORDER BY coalesce(r.retry_at, r.queued_at), r.number
            LIMIT $3
            FOR UPDATE OF r SKIP LOCKED
        ), claimed AS (
            UPDATE requests r
            SET state = 'sending', attempts = attempts + 1, sending_at = $2, retry_at = NULL, cause = NULL, changed_at = $2
            FROM due
            WHERE r.number = due.number
            RETURNING r.number, r.business_id, r.solution_id, r.member_id, r.attempts, r.faults, r.doubtful
        )
        SELECT c.number AS "number!", c.business_id::text AS "business_id!", c.solution_id::text, c.member_id AS "member_id!",
            c.attempts AS "attempts!", c.faults AS "faults!", c.doubtful AS "doubtful!",
            ARRAY(
                SELECT e.meta_request_id FROM requests e
                WHERE e.partner_id = $1 AND e.business_id = c.business_id AND e.meta_request_id IS NOT NULL
                ORDER BY e.number
            ) AS "known_ids!: Vec<String>"
        FROM claimed c
        ORDER BY c.number
        "#,
        partner.as_str(),
        now,
        most,
    )
    .fetch_all(&mut **tx)
    .await?;
    let claimed: Vec<Claimed> = rows
        .into_iter()
        .map(|row| Claimed {
            number: RequestNumber(row.number),
            business_id: BusinessId::from_stored(row.business_id),
            solution_id: row.solution_id.map(SolutionId::from_stored),
            member_id: row.member_id,
            attempt: row.attempts,
            faults: row.faults,
            doubtful: row.doubtful,
            known_ids: row.known_ids.into_iter().map(MetaRequestId::from_stored).collect(),
        })
        .collect();
    if !claimed.is_empty() {
        let ids: Vec<String> = claimed.iter().map(|claimed| claimed.business_id.as_str().to_owned()).collect();
        refresh_standing(tx, &ids).await?;
    }
    Ok(claimed)
}

/// Requests that stand as Sending though nobody sends them: their process ended. Asked at the start of a pass.
pub async fn interrupted(tx: &mut TenantTx) -> sqlx::Result<Vec<Claimed>> {
    let partner = tx.partner().clone();
    let rows = sqlx::query!(
        r#"
        SELECT number, business_id::text AS "business_id!", solution_id::text, member_id, attempts, faults, doubtful
        FROM requests
        WHERE partner_id = $1 AND state = 'sending'
        FOR UPDATE
        "#,
        partner.as_str(),
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Claimed {
            number: RequestNumber(row.number),
            business_id: BusinessId::from_stored(row.business_id),
            solution_id: row.solution_id.map(SolutionId::from_stored),
            member_id: row.member_id,
            attempt: row.attempts,
            faults: row.faults,
            doubtful: row.doubtful,
            known_ids: Vec::new(),
        })
        .collect())
}

/// What an attempt came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub claimed: Claimed,
    pub verdict: Verdict,
}

/// Saves a group of outcomes at once. An outcome whose row has gone on since (another holder took it up) changes nothing.
pub async fn save(tx: &mut TenantTx, outcomes: &[Outcome], now: OffsetDateTime) -> sqlx::Result<()> {
    let mut rows = Rows::default();
    for outcome in outcomes {
        rows.push(outcome, now);
    }
    let partner = tx.partner().clone();
    sqlx::query!(
        r#"
        WITH told AS (
            SELECT * FROM unnest($2::bigint[], $3::int[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::int[], $9::bool[])
                AS o(number, attempt, state, cause, meta_request_id, retry_at, faults, doubtful)
        ), moved AS (
            UPDATE requests r SET
                state = o.state,
                cause = o.cause,
                meta_request_id = coalesce(o.meta_request_id, r.meta_request_id),
                retry_at = o.retry_at,
                faults = o.faults,
                doubtful = o.doubtful,
                answered_at = CASE WHEN o.state IN ('requested', 'already_requested', 'taken_by_another_partner') THEN $10 ELSE r.answered_at END,
                accepted_at = CASE WHEN o.state = 'accepted' THEN $10 ELSE r.accepted_at END,
                failed_at = CASE WHEN o.state = 'failed' THEN $10 ELSE r.failed_at END,
                changed_at = $10
            FROM told o
            WHERE r.partner_id = $1 AND r.number = o.number AND r.state = 'sending' AND r.attempts = o.attempt
            RETURNING r.number, r.state, r.attempts, r.cause, r.retry_at
        )
        INSERT INTO request_events (partner_id, number, at, state, attempt, cause, retry_at)
        SELECT $1, number, $10, state, attempts, cause, retry_at FROM moved ORDER BY number
        "#,
        partner.as_str(),
        &rows.numbers,
        &rows.attempts,
        &rows.states,
        &rows.causes as &[Option<String>],
        &rows.meta_request_ids as &[Option<String>],
        &rows.retry_at as &[Option<OffsetDateTime>],
        &rows.faults,
        &rows.doubtful,
        now,
    )
    .execute(&mut **tx)
    .await?;
    refresh_standing(tx, &rows.business_ids).await?;
    if let Some((until, cause)) = rows.pause {
        sqlx::query!(
            "INSERT INTO dispatch_pauses (partner_id, until, told_at, cause) VALUES ($1, $2, $3, $4)
             ON CONFLICT (partner_id) DO UPDATE SET until = greatest(dispatch_pauses.until, excluded.until), told_at = excluded.told_at, cause = excluded.cause",
            partner.as_str(),
            until,
            now,
            cause,
        )
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// The columns of a group of outcomes, as UNNEST takes them.
#[derive(Default)]
struct Rows {
    numbers: Vec<i64>,
    business_ids: Vec<String>,
    attempts: Vec<i32>,
    states: Vec<String>,
    causes: Vec<Option<String>>,
    meta_request_ids: Vec<Option<String>>,
    retry_at: Vec<Option<OffsetDateTime>>,
    faults: Vec<i32>,
    doubtful: Vec<bool>,
    pause: Option<(OffsetDateTime, &'static str)>,
}

impl Rows {
    fn push(&mut self, outcome: &Outcome, now: OffsetDateTime) {
        let claimed = &outcome.claimed;
        // Verdicts that only say what to do next never reach the store; one that did would be tried again.
        let waiting = Waiting {
            until: now,
            cause: crate::graph::Cause::OutcomeUnknown,
            faults: claimed.faults.unsigned_abs(),
            doubtful: true,
            pauses_partner: false,
        };
        let (settled, waiting) = match &outcome.verdict {
            Verdict::Settle(settled) => (Some(settled), None),
            Verdict::Wait(waiting) => (None, Some(waiting)),
            Verdict::ReadStatus | Verdict::Post => (None, Some(&waiting)),
        };
        self.numbers.push(claimed.number.0);
        self.business_ids.push(claimed.business_id.as_str().to_owned());
        self.attempts.push(claimed.attempt);
        self.states.push(settled.map_or(State::WaitingToRetry, |settled| settled.state).as_str().to_owned());
        let cause = waiting.map(|waiting| waiting.cause).or(settled.and_then(|settled| settled.cause));
        self.causes.push(cause.map(|cause| cause.as_str().to_owned()));
        let id = settled.and_then(|Settled { meta_request_id, .. }| meta_request_id.as_ref());
        self.meta_request_ids.push(id.map(|id| id.as_str().to_owned()));
        self.retry_at.push(waiting.map(|waiting| waiting.until));
        self.faults.push(waiting.map_or(0, |waiting| i32::try_from(waiting.faults).unwrap_or(i32::MAX)));
        self.doubtful.push(waiting.is_some_and(|waiting| waiting.doubtful));
        if let Some(waiting) = waiting.filter(|waiting| waiting.pauses_partner) {
            let until = self.pause.map_or(waiting.until, |(until, _)| until.max(waiting.until));
            self.pause = Some((until, waiting.cause.as_str()));
        }
    }
}

/// When the next request of the partner is due, if any waits that can be sent at all.
pub async fn next_due(tx: &mut TenantTx, now: OffsetDateTime) -> sqlx::Result<Option<OffsetDateTime>> {
    let partner = tx.partner().clone();
    sqlx::query_scalar!(
        r#"
        SELECT greatest(
            min(coalesce(r.retry_at, r.queued_at)),
            (SELECT p.until FROM dispatch_pauses p WHERE p.partner_id = $1 AND p.until > $2)
        )
        FROM requests r
        JOIN tokens t ON t.partner_id = r.partner_id AND t.member_id = r.member_id
            AND t.problem IS NULL AND (t.expires_at IS NULL OR t.expires_at > $2)
        WHERE r.partner_id = $1 AND r.state IN ('queued', 'waiting_to_retry')
        "#,
        partner.as_str(),
        now,
    )
    .fetch_one(&mut **tx)
    .await
}

/// Until when Meta asked this partner to wait, if it still does.
pub async fn pause_until(tx: &mut TenantTx, now: OffsetDateTime) -> sqlx::Result<Option<OffsetDateTime>> {
    let partner = tx.partner().clone();
    sqlx::query_scalar!("SELECT until FROM dispatch_pauses WHERE partner_id = $1 AND until > $2", partner.as_str(), now)
        .fetch_optional(&mut **tx)
        .await
}

/// Stops a request that hasn't left yet. `false`: it had, or it's not there.
pub async fn cancel(tx: &mut TenantTx, number: RequestNumber, member_id: i64, now: OffsetDateTime) -> sqlx::Result<bool> {
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
        SELECT r.number, r.state, b.ready_wabas > 0 AS "ready!"
        FROM requests r
        JOIN businesses b ON b.partner_id = r.partner_id AND b.business_id = r.business_id
        WHERE r.partner_id = $1
          AND ((r.state IN ('requested', 'already_requested')
                AND (b.ready_wabas > 0 OR b.needs_payment OR b.setting_up OR b.meta_status = 'TERM_OF_SERVICE_SIGNED'))
            OR (r.state = 'accepted' AND b.ready_wabas > 0))
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

/// Moves requests to Accepted or Ready.
pub async fn advance(tx: &mut TenantTx, moves: &[(RequestNumber, State)], now: OffsetDateTime) -> sqlx::Result<()> {
    let numbers: Vec<i64> = moves.iter().map(|(number, _)| number.0).collect();
    let states: Vec<String> = moves.iter().map(|(_, state)| state.as_str().to_owned()).collect();
    let partner = tx.partner().clone();
    let businesses = sqlx::query_scalar!(
        r#"
        WITH moved AS (
            UPDATE requests r SET
                state = o.state,
                accepted_at = coalesce(r.accepted_at, $4),
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

/// One request; `None` when there is none of that number, or it's another partner's.
pub async fn find_request(tx: &mut TenantTx, number: RequestNumber) -> sqlx::Result<Option<Request>> {
    let partner = tx.partner().clone();
    let row = sqlx::query!(
        r#"
        SELECT r.number, r.business_id::text AS "business_id!", b.name AS "business_name?", r.solution_id::text,
            s.name AS "solution_name?", r.member_id, m.name AS member_name, r.state, r.attempts, r.doubtful, r.cause,
            r.meta_request_id, r.queued_at, r.retry_at, r.changed_at, r.answered_at,
            t.member_id IS NOT NULL AND t.problem IS NULL AS "token_works!", t.expires_at AS "token_expires_at?"
        FROM requests r
        JOIN members m ON m.member_id = r.member_id
        LEFT JOIN tokens t ON t.partner_id = r.partner_id AND t.member_id = r.member_id
        LEFT JOIN businesses b ON b.partner_id = r.partner_id AND b.business_id = r.business_id
        LEFT JOIN LATERAL (
            SELECT s.name FROM solutions s WHERE s.partner_id = r.partner_id AND s.solution_id = r.solution_id LIMIT 1
        ) s ON TRUE
        WHERE r.partner_id = $1 AND r.number = $2
        "#,
        partner.as_str(),
        number.0,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.and_then(|row| {
        Some(Request {
            number: RequestNumber(row.number),
            business_name: row.business_name.unwrap_or_else(|| row.business_id.clone()),
            business_id: BusinessId::from_stored(row.business_id),
            solution_id: row.solution_id.map(SolutionId::from_stored),
            solution_name: row.solution_name,
            member_id: row.member_id,
            member_name: row.member_name,
            token_works: row.token_works,
            token_expires_at: row.token_expires_at,
            state: row.state.parse().ok()?,
            attempts: row.attempts,
            doubtful: row.doubtful,
            cause: row.cause,
            meta_request_id: row.meta_request_id,
            queued_at: row.queued_at,
            retry_at: row.retry_at,
            changed_at: row.changed_at,
            answered_at: row.answered_at,
        })
    }))
}

/// The state alone: what a click waits for.
pub async fn state_of(tx: &mut TenantTx, number: RequestNumber) -> sqlx::Result<Option<State>> {
    let partner = tx.partner().clone();
    let state = sqlx::query_scalar!("SELECT state FROM requests WHERE partner_id = $1 AND number = $2", partner.as_str(), number.0)
        .fetch_optional(&mut **tx)
        .await?;
    Ok(state.and_then(|state| state.parse().ok()))
}

/// The newest request for a business.
pub async fn latest_request(tx: &mut TenantTx, business: &BusinessId) -> sqlx::Result<Option<RequestNumber>> {
    let partner = tx.partner().clone();
    let number = sqlx::query_scalar!(
        "SELECT number FROM requests WHERE partner_id = $1 AND business_id = $2 ORDER BY number DESC LIMIT 1",
        partner.as_str(),
        business.as_str(),
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(number.map(RequestNumber))
}

/// A line of `request_events` with the name of whoever did it.
struct EventRow {
    number: i64,
    at: OffsetDateTime,
    state: String,
    attempt: i32,
    cause: Option<String>,
    retry_at: Option<OffsetDateTime>,
    member_name: Option<String>,
}

impl EventRow {
    fn read(self) -> Option<RequestEvent> {
        Some(RequestEvent {
            number: RequestNumber(self.number),
            at: self.at,
            state: self.state.parse().ok()?,
            attempt: self.attempt,
            cause: self.cause,
            retry_at: self.retry_at,
            member_name: self.member_name,
        })
    }
}

/// Everything a request has been, oldest first.
pub async fn events_of(tx: &mut TenantTx, number: RequestNumber) -> sqlx::Result<Vec<RequestEvent>> {
    let partner = tx.partner().clone();
    let rows = sqlx::query_as!(
        EventRow,
        r#"
        SELECT e.number, e.at, e.state, e.attempt, e.cause, e.retry_at, m.name AS "member_name?"
        FROM request_events e LEFT JOIN members m ON m.member_id = e.member_id
        WHERE e.partner_id = $1 AND e.number = $2
        ORDER BY e.event_id
        "#,
        partner.as_str(),
        number.0,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().filter_map(EventRow::read).collect())
}

/// What happened to a business's requests, newest first, `most` lines.
pub async fn events_of_business(tx: &mut TenantTx, business: &BusinessId, most: i64) -> sqlx::Result<Vec<RequestEvent>> {
    let partner = tx.partner().clone();
    let rows = sqlx::query_as!(
        EventRow,
        r#"
        SELECT e.number, e.at, e.state, e.attempt, e.cause, e.retry_at, m.name AS "member_name?"
        FROM requests r
        JOIN request_events e ON e.partner_id = r.partner_id AND e.number = r.number
        LEFT JOIN members m ON m.member_id = e.member_id
        WHERE r.partner_id = $1 AND r.business_id = $2
        ORDER BY e.event_id DESC
        LIMIT $3
        "#,
        partner.as_str(),
        business.as_str(),
        most,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().filter_map(EventRow::read).collect())
}

/// The calls made for a request, newest first, from the record support keeps.
pub async fn calls_of(tx: &mut TenantTx, number: RequestNumber) -> sqlx::Result<Vec<AttemptCall>> {
    let partner = tx.partner().clone();
    sqlx::query_as!(
        AttemptCall,
        r#"
        SELECT coalesce(attempt, 0) AS "attempt!", operation, started_at, duration_ms, http_status, failure,
            error_code AS code, error_subcode AS subcode, error_message AS message, error_user_title AS user_title,
            error_user_message AS user_message, coalesce(fbtrace_id, x_fb_trace_id) AS fbtrace_id, x_fb_request_id,
            graph_version, app_id, body
        FROM graph_calls
        WHERE partner_id = $1 AND number = $2
        ORDER BY call_id DESC
        LIMIT 100
        "#,
        partner.as_str(),
        number.0,
    )
    .fetch_all(&mut **tx)
    .await
}

/// One row of the list of requests.
#[derive(Clone, Debug)]
pub struct ListedRequest {
    pub number: RequestNumber,
    pub business_name: String,
    pub state: State,
    pub meta_request_id: Option<String>,
    pub solution_id: Option<SolutionId>,
    /// The solution's name, while we know it.
    pub solution_name: Option<String>,
    pub member_name: String,
    pub queued_at: OffsetDateTime,
    pub answered_at: Option<OffsetDateTime>,
    pub cause: Option<String>,
    /// Code of the last error Graph gave.
    pub code: Option<i64>,
}

/// Which part of the list of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// The newest.
    Newest,
    /// Those next older than this one.
    OlderThan(RequestNumber),
    /// Those next newer than this one.
    NewerThan(RequestNumber),
}

/// Which requests are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter<'a> {
    /// All of them.
    All,
    /// Those in one of these states, and those that wait for an admin since before then.
    Any {
        states: &'a [State],
        stalled_before: Option<OffsetDateTime>,
    },
}

/// Requests that pass the filter, newest first, `most` of them.
pub async fn list_requests(
    tx: &mut TenantTx,
    filter: Filter<'_>,
    window: Window,
    most: i64,
) -> sqlx::Result<Vec<ListedRequest>> {
    let partner = tx.partner().clone();
    let numbers = window_of(tx, filter, window, most).await?;
    let rows = sqlx::query!(
        r#"
        SELECT r.number, r.business_id::text AS "business_id!", b.name AS "business_name?", r.state, r.meta_request_id,
            r.solution_id::text, s.name AS "solution_name?", m.name AS member_name, r.queued_at, r.answered_at,
            r.cause, c.error_code AS "code?"
        FROM requests r
        JOIN members m ON m.member_id = r.member_id
        LEFT JOIN businesses b ON b.partner_id = r.partner_id AND b.business_id = r.business_id
        LEFT JOIN solutions s ON s.partner_id = r.partner_id AND s.solution_id = r.solution_id
        LEFT JOIN LATERAL (
            SELECT error_code FROM graph_calls c
            WHERE c.partner_id = r.partner_id AND c.number = r.number AND r.state IN ('failed', 'waiting_to_retry')
            ORDER BY c.call_id DESC LIMIT 1
        ) c ON TRUE
        WHERE r.partner_id = $1 AND r.number = ANY($2)
        ORDER BY r.number DESC
        "#,
        partner.as_str(),
        &numbers,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            Some(ListedRequest {
                number: RequestNumber(row.number),
                business_name: row.business_name.unwrap_or(row.business_id),
                state: row.state.parse().ok()?,
                meta_request_id: row.meta_request_id,
                solution_id: row.solution_id.map(SolutionId::from_stored),
                solution_name: row.solution_name,
                member_name: row.member_name,
                queued_at: row.queued_at,
                answered_at: row.answered_at,
                cause: row.cause,
                code: row.code,
            })
        })
        .collect())
}

/// The numbers of one window: found by index, so that only the rows shown are joined.
async fn window_of(tx: &mut TenantTx, filter: Filter<'_>, window: Window, most: i64) -> sqlx::Result<Vec<i64>> {
    let partner = tx.partner().clone();
    let (all, states, stalled_before) = match filter {
        Filter::All => (true, &[] as &[State], None),
        Filter::Any { states, stalled_before } => (false, states, stalled_before),
    };
    let states: Vec<String> = states.iter().map(|state| state.as_str().to_owned()).collect();
    if let Window::NewerThan(number) = window {
        return sqlx::query_scalar!(
            "SELECT number FROM requests
             WHERE partner_id = $1 AND number > $2
               AND ($3 OR state = ANY($4::text[]) OR (state IN ('requested', 'already_requested') AND answered_at < $5))
             ORDER BY number LIMIT $6",
            partner.as_str(),
            number.0,
            all,
            &states,
            stalled_before,
            most,
        )
        .fetch_all(&mut **tx)
        .await;
    }
    let below = if let Window::OlderThan(number) = window { number.0 } else { i64::MAX };
    sqlx::query_scalar!(
        "SELECT number FROM requests
         WHERE partner_id = $1 AND number < $2
           AND ($3 OR state = ANY($4::text[]) OR (state IN ('requested', 'already_requested') AND answered_at < $5))
         ORDER BY number DESC LIMIT $6",
        partner.as_str(),
        below,
        all,
        &states,
        stalled_before,
        most,
    )
    .fetch_all(&mut **tx)
    .await
}
