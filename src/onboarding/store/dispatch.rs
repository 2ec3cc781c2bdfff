//! What dispatch takes up, and what it writes down.

use std::collections::HashSet;

use time::OffsetDateTime;

use super::{
    super::{
        decide::{Bar, Settled, Verdict, Waiting},
        model::{RequestNumber, State},
    },
    refresh_standing,
};
use crate::{
    db::TenantTx,
    graph::{BusinessId, MetaRequestId, SolutionId},
    solutions,
};

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
    /// A POST of it left without a usable answer, or one of the request for this business before it.
    pub doubtful: bool,
    /// Ids Meta gave to earlier requests for this business.
    pub known_ids: Vec<MetaRequestId>,
    /// What has come to stand in its way since it was asked for.
    pub bar: Option<Bar>,
}

/// How many requests may be claimed.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Those asked for alone.
    pub alone: i64,
    /// Those of batches, where none is asked for alone.
    pub of_batches: i64,
}

#[cfg(test)]
impl Room {
    /// So many of either.
    pub const fn of(most: i64) -> Self {
        Self { alone: most, of_batches: most }
    }
}

/// A request whose turn it is, locked.
#[derive(Debug)]
pub struct Picked {
    number: i64,
    /// Where its row stands, which is where it stays as long as it's locked.
    place: String,
    pub member_id: i64,
    is_stopped: bool,
}

/// A request as it's claimed.
struct ClaimedRow {
    number: i64,
    business_id: String,
    solution_id: Option<String>,
    member_id: i64,
    attempts: i32,
    faults: i32,
    doubtful: bool,
    is_unlisted: bool,
    known_ids: Vec<String>,
    has_left: bool,
}

impl ClaimedRow {
    /// `usable`: the solutions that can be used now. `is_stopped`: its batch was cancelled.
    fn read(self, usable: &[SolutionId], is_stopped: bool) -> Claimed {
        let lacks_solution =
            self.solution_id.as_ref().is_some_and(|id| usable.iter().all(|usable| usable.as_str() != id));
        Claimed {
            number: RequestNumber(self.number),
            business_id: BusinessId::from_stored(self.business_id),
            solution_id: self.solution_id.map(SolutionId::from_stored),
            member_id: self.member_id,
            attempt: self.attempts,
            faults: self.faults,
            doubtful: self.doubtful,
            known_ids: self.known_ids.into_iter().map(MetaRequestId::from_stored).collect(),
            bar: match (is_stopped, self.has_left, lacks_solution) {
                (true, ..) => Some(Bar::Stopped),
                (_, true, _) => Some(Bar::BusinessLeft),
                (.., true) => Some(Bar::SolutionUnusable),
                (false, false, false) => None,
            },
        }
    }
}

/// Picks requests whose turn has come and locks them: those asked for alone, oldest first; where there are none, as many from each
/// batch as from any other. So a click is claimed without waiting until a batch's share is, and a batch waits while each claim finds
/// another click, which people don't keep up for long.
///
/// Left alone: requests of members for whom no token works, batches that are paused, and everything while Meta asked us to
/// wait. What is still open of a cancelled batch had left before, so its outcome is looked for, also where the batch was paused
/// when it was cancelled.
pub async fn pick(tx: &mut TenantTx, room: Room, now: OffsetDateTime) -> sqlx::Result<Vec<Picked>> {
    let alone = pick_alone(tx, room.alone, now).await?;
    if alone.is_empty() && room.of_batches > 0 { pick_of_batches(tx, room.of_batches, now).await } else { Ok(alone) }
}

async fn pick_alone(tx: &mut TenantTx, most: i64, now: OffsetDateTime) -> sqlx::Result<Vec<Picked>> {
    let partner = tx.partner().clone();
    sqlx::query_as!(
        Picked,
        r#"
        WITH senders AS MATERIALIZED (
            SELECT s.member AS member_id FROM senders($2) AS s
            WHERE NOT EXISTS (SELECT FROM paces p WHERE p.partner_id = $1 AND p.wait_until > $2)
        )
        SELECT r.number, r.ctid::text AS "place!", r.member_id, FALSE AS "is_stopped!" FROM requests r
        WHERE r.partner_id = $1 AND r.alone AND r.state IN ('queued', 'waiting_to_retry')
          AND coalesce(r.retry_at, r.queued_at) <= $2 AND r.member_id IN (SELECT member_id FROM senders)
        ORDER BY coalesce(r.retry_at, r.queued_at), r.number
        LIMIT $3
        FOR UPDATE OF r SKIP LOCKED
        "#,
        partner.as_str(),
        now,
        most,
    )
    .fetch_all(&mut **tx)
    .await
}

async fn pick_of_batches(tx: &mut TenantTx, most: i64, now: OffsetDateTime) -> sqlx::Result<Vec<Picked>> {
    let partner = tx.partner().clone();
    sqlx::query_as!(
        Picked,
        r#"
        WITH RECURSIVE senders AS MATERIALIZED (
            SELECT s.member AS member_id FROM senders($2) AS s
            WHERE NOT EXISTS (SELECT FROM paces p WHERE p.partner_id = $1 AND p.wait_until > $2)
        ), open_batches AS (
            -- From one batch to the next along the index, however many rows each has.
            (
                SELECT r.batch_number FROM requests r
                WHERE r.partner_id = $1 AND NOT r.alone AND r.state IN ('queued', 'waiting_to_retry')
                ORDER BY r.batch_number LIMIT 1
            )
            UNION ALL
            SELECT (
                SELECT r.batch_number FROM requests r
                WHERE r.partner_id = $1 AND NOT r.alone AND r.state IN ('queued', 'waiting_to_retry')
                  AND r.batch_number > b.batch_number
                ORDER BY r.batch_number LIMIT 1
            )
            FROM open_batches b WHERE b.batch_number IS NOT NULL
        ), running AS MATERIALIZED (
            SELECT b.batch_number, b.cancelled_at IS NOT NULL AS is_stopped FROM open_batches o JOIN batches b ON b.batch_number = o.batch_number
            WHERE (b.paused_at IS NULL OR b.cancelled_at IS NOT NULL) AND b.member_id IN (SELECT member_id FROM senders)
        )
        SELECT turn.number AS "number!", turn.place::text AS "place!", turn.member_id AS "member_id!", running.is_stopped AS "is_stopped!"
        FROM running, LATERAL (
            SELECT r.place, r.number, r.member_id, row_number() OVER () AS nth FROM (
                SELECT q.ctid AS place, q.number, q.member_id FROM requests q
                WHERE q.partner_id = $1 AND q.batch_number = running.batch_number AND NOT q.alone
                  AND q.state IN ('queued', 'waiting_to_retry') AND coalesce(q.retry_at, q.queued_at) <= $2
                ORDER BY coalesce(q.retry_at, q.queued_at), q.number
                LIMIT ($3 + (SELECT count(*) FROM running) - 1) / (SELECT count(*) FROM running)
                FOR UPDATE OF q SKIP LOCKED
            ) AS r
        ) AS turn
        ORDER BY turn.nth, turn.number
        LIMIT $3
        "#,
        partner.as_str(),
        now,
        most,
    )
    .fetch_all(&mut **tx)
    .await
}

/// Marks what was picked in this transaction Sending and hands it over.
///
/// Those asked for alone are listed as Sending at once. Of a batch they stay listed as they stood until their outcome is saved, a moment later:
/// telling the list twice would cost as much as the sending.
pub async fn claim(tx: &mut TenantTx, picked: &[Picked], now: OffsetDateTime) -> sqlx::Result<Vec<Claimed>> {
    if picked.is_empty() {
        return Ok(Vec::new());
    }
    let partner = tx.partner().clone();
    let places: Vec<String> = picked.iter().map(|picked| picked.place.clone()).collect();
    let rows = sqlx::query_as!(
        ClaimedRow,
        r#"
        WITH claimed AS (
            UPDATE requests r
            SET state = 'sending', attempts = attempts + 1, sending_at = $2, retry_at = NULL, cause = NULL, changed_at = $2
            -- Cast before they are rows: row-level security lets no cast of a row's value find rows by their place.
            FROM unnest($3::text[]::tid[]) AS picked (place)
            WHERE r.ctid = picked.place
            RETURNING r.number, r.business_id, r.solution_id, r.member_id, r.attempts, r.faults, r.doubtful, r.alone
        ), listed AS (
            -- In the order in which refresh_standing locks them, so that neither waits for the other for ever. One that somebody wrote
            -- anew meanwhile isn't found by its place: refresh_standing says how it stands.
            UPDATE businesses b SET standing = 'sending'
            FROM (SELECT c.business_id FROM claimed c WHERE c.alone ORDER BY c.business_id) AS alone, LATERAL (
                SELECT o.ctid AS place FROM businesses o
                WHERE o.partner_id = $1 AND o.business_id = alone.business_id FOR NO KEY UPDATE
            ) AS locked
            WHERE b.ctid = locked.place AND b.standing IN ('queued', 'waiting_to_retry')
            RETURNING b.business_id
        )
        SELECT c.number AS "number!", c.business_id::text AS "business_id!", c.solution_id::text, c.member_id AS "member_id!",
            c.attempts AS "attempts!", c.faults AS "faults!", c.doubtful OR coalesce(earlier.doubtful, FALSE) AS "doubtful!",
            earlier.known_ids AS "known_ids!: Vec<String>",
            c.alone AND c.business_id NOT IN (SELECT business_id FROM listed) AS "is_unlisted!",
            coalesce((
                SELECT b.left_at IS NOT NULL FROM businesses b WHERE b.partner_id = $1 AND b.business_id = c.business_id
            ), FALSE) AS "has_left!"
        FROM claimed c
        -- By the business alone: statistics older than the batch make the planner believe that hardly any request has an id of
        -- Meta's, and it would walk through all that have one.
        CROSS JOIN LATERAL (
            SELECT coalesce(array_agg(e.meta_request_id ORDER BY e.number) FILTER (WHERE e.meta_request_id IS NOT NULL), '{}') AS known_ids,
                (array_agg(e.doubtful AND e.state = 'failed' ORDER BY e.number DESC)
                    FILTER (WHERE e.number < c.number AND e.state <> 'cancelled'))[1] AS doubtful
            FROM (
                SELECT o.number, o.state, o.doubtful, o.meta_request_id FROM requests o
                WHERE o.partner_id = $1 AND o.business_id = c.business_id OFFSET 0
            ) AS e
        ) AS earlier
        ORDER BY c.number
        "#,
        partner.as_str(),
        now,
        &places,
    )
    .fetch_all(&mut **tx)
    .await?;
    let usable =
        if rows.iter().any(|row| row.solution_id.is_some()) { usable_solutions(tx).await? } else { Vec::new() };
    list(tx, rows.iter().filter(|row| row.is_unlisted)).await?;
    let stopped: HashSet<i64> = picked.iter().filter(|picked| picked.is_stopped).map(|picked| picked.number).collect();
    Ok(rows
        .into_iter()
        .map(|row| {
            let is_stopped = stopped.contains(&row.number);
            row.read(&usable, is_stopped)
        })
        .collect())
}

/// Picks and claims at once, as tests do.
#[cfg(test)]
pub async fn claim_due(tx: &mut TenantTx, room: Room, now: OffsetDateTime) -> Vec<Claimed> {
    let picked = pick(tx, room, now).await.unwrap();
    claim(tx, &picked, now).await.unwrap()
}

/// Says how the businesses of these stand, where there are any.
async fn list(tx: &mut TenantTx, rows: impl Iterator<Item = &ClaimedRow>) -> sqlx::Result<()> {
    let businesses: Vec<String> = rows.map(|row| row.business_id.clone()).collect();
    if businesses.is_empty() { Ok(()) } else { refresh_standing(tx, &businesses).await }
}

async fn usable_solutions(tx: &mut TenantTx) -> sqlx::Result<Vec<SolutionId>> {
    let offered = solutions::offered(tx).await?;
    Ok(offered.into_iter().filter(|solution| solution.usable.is_ok()).map(|solution| solution.id).collect())
}

/// Requests that wait for a sign-in are due as soon as another token is there: a newer one, or the next in line when one died. Says
/// whether any is.
pub async fn resume_after_sign_in(tx: &mut TenantTx, now: OffsetDateTime) -> sqlx::Result<bool> {
    let partner = tx.partner().clone();
    sqlx::query!(
        r#"
        UPDATE requests r SET retry_at = $2
        FROM senders($2) AS s
        WHERE r.partner_id = $1 AND r.state = 'waiting_to_retry' AND r.cause = 'token_invalid' AND r.retry_at > $2
          AND s.member = r.member_id AND s.since >= r.sending_at
        "#,
        partner.as_str(),
        now,
    )
    .execute(&mut **tx)
    .await
    .map(|resumed| resumed.rows_affected() > 0)
}

/// Requests that stand as Sending though nobody sends them: their process ended. Asked at the start of a pass that `find_start` says
/// has some.
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
            bar: None,
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
    // First the rows, so that what the next statement reads of them is how they stand. It finds them by their place: by number, the
    // planner may take an index of states, where every request that was ever Sending has left an entry.
    sqlx::query!(
        "SELECT FROM requests WHERE partner_id = $1 AND number = ANY($2) ORDER BY number FOR NO KEY UPDATE",
        partner.as_str(),
        &rows.numbers,
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        r#"
        WITH told AS (
            SELECT * FROM unnest($2::bigint[], $3::int[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::int[], $9::bool[])
                AS o(number, attempt, state, cause, meta_request_id, retry_at, faults, doubtful)
        ), held AS MATERIALIZED (
            SELECT r.ctid AS place, o.* FROM told o
            CROSS JOIN LATERAL (
                SELECT q.ctid, q.state, q.attempts FROM requests q
                WHERE q.partner_id = $1 AND q.number = o.number
                LIMIT 1
            ) AS r
            WHERE r.state = 'sending' AND r.attempts = o.attempt
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
                cancelled_at = CASE WHEN o.state = 'cancelled' THEN $10 END,
                changed_at = $10
            FROM held o
            WHERE r.ctid = o.place
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
            "INSERT INTO paces (partner_id, wait_until, told_at, cause) VALUES ($1, $2, $3, $4)
             ON CONFLICT (partner_id) DO UPDATE SET wait_until = greatest(paces.wait_until, excluded.wait_until), told_at = excluded.told_at, cause = excluded.cause",
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
        self.doubtful
            .push(waiting.map(|waiting| waiting.doubtful).or(settled.map(|settled| settled.doubtful)).unwrap_or(true));
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
            (SELECT p.wait_until FROM paces p WHERE p.partner_id = $1 AND p.wait_until > $2)
        )
        FROM requests r
        JOIN batches b ON b.batch_number = r.batch_number AND (b.paused_at IS NULL OR b.cancelled_at IS NOT NULL)
        JOIN senders($2) AS s ON s.member = r.member_id
        WHERE r.partner_id = $1 AND r.state IN ('queued', 'waiting_to_retry')
        "#,
        partner.as_str(),
        now,
    )
    .fetch_one(&mut **tx)
    .await
}
