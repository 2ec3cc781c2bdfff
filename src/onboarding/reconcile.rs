//! Dispatch: sends queued requests to Graph, and writes down what came of each.
//!
//! The request row is the unit of work. A pass first takes up what an ended process left as Sending, then claims what is due in
//! chunks, sends each chunk with bounded concurrency, and saves answers in groups as they come. What always holds: a row is
//! Sending, committed, before its POST leaves; an answer is saved only into the attempt it belongs to; a POST whose outcome
//! isn't known is never repeated before the business's status was read.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures::{FutureExt, StreamExt, future::BoxFuture, stream};
use tokio::sync::Mutex;

use super::{
    decide::{self, Answer, Attempt, Reading, Verdict},
    store::{self, Claimed, Outcome},
};
use crate::{
    clock::Clock,
    db::{Db, PartnerId},
    graph::{AccessToken, Advice, Caller, Cause, Error as GraphError, Graph, Origin},
    reconcile::{self, CancellationToken, Next, Reconciler},
    sign_in::{self, TokenError},
    vault::Vault,
};

/// Its name in wakes.
pub const DISPATCH: &str = "dispatch";

/// How many requests are claimed at once; also the most that one group of answers holds.
const CHUNK: i64 = 256;

/// How often an answer is tried to be saved while Postgres is away, a second apart. After that the row is taken up as
/// interrupted: nothing is lost, only read again.
const SAVE_TRIES: u32 = 20;

/// The name under which waiting clicks hear that outcomes of this partner were saved.
pub fn settled(partner: &PartnerId) -> String {
    format!("settled:{partner}")
}

/// Sends what is due for each partner.
pub struct Dispatch {
    db: Db,
    clock: Clock,
    graph: Graph,
    vault: Arc<Vault>,
    concurrency: usize,
}

impl Dispatch {
    pub fn new(db: Db, clock: Clock, graph: Graph, vault: Arc<Vault>, concurrency: usize) -> Self {
        Self { db, clock, graph, vault, concurrency }
    }

    async fn pass(&self, partner: &PartnerId, stop: &CancellationToken) -> anyhow::Result<Next> {
        let mut first = true;
        while !stop.is_cancelled() {
            let mut tx = self.db.tenant(partner).await?;
            if first {
                let now = self.clock.now();
                let left: Vec<Outcome> = store::interrupted(&mut tx)
                    .await?
                    .into_iter()
                    .map(|claimed| {
                        let verdict = decide::decide(&attempt_of(&claimed), Answer::Interrupted, now, 0);
                        Outcome { claimed, verdict }
                    })
                    .collect();
                if !left.is_empty() {
                    tracing::warn!(%partner, requests = left.len(), "taking up requests whose sender ended");
                    store::save(&mut tx, &left, now).await?;
                }
                first = false;
            }
            let claimed = store::claim(&mut tx, CHUNK, self.clock.now()).await?;
            let due = if claimed.is_empty() { store::next_due(&mut tx, self.clock.now()).await? } else { None };
            tx.commit().await?;
            if claimed.is_empty() {
                return Ok(due.map_or(Next::Idle, Next::At));
            }
            self.send_all(partner, claimed, stop).await?;
        }
        Ok(Next::Idle)
    }

    async fn send_all(
        &self,
        partner: &PartnerId,
        claimed: Vec<Claimed>,
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        let tokens = Tokens::default();
        let mut groups = stream::iter(claimed)
            .map(|claimed| self.send(partner, &tokens, claimed))
            .buffer_unordered(self.concurrency)
            .ready_chunks(CHUNK.unsigned_abs().try_into().unwrap_or(256));
        while let Some(group) = groups.next().await {
            self.save(partner, &group, stop).await?;
        }
        Ok(())
    }

    /// Sends one request and decides what became of it. Never fails: whatever goes wrong is an outcome.
    async fn send(&self, partner: &PartnerId, tokens: &Tokens, claimed: Claimed) -> Sent {
        let attempt = attempt_of(&claimed);
        let token = match tokens.of(self, partner, claimed.member_id).await {
            Ok(token) => token,
            Err(error) => return self.without_token(&attempt, claimed, &error),
        };
        let origin = Origin {
            partner: Some(partner.as_business().clone()),
            member: Some(claimed.member_id),
            request: Some(claimed.number.0),
            attempt: Some(claimed.attempt),
        };
        let caller = self.graph.with_token(token, origin);
        let mut token_problem = None;
        let mut refusal = None;
        let mut verdict = decide::begin(&attempt);
        loop {
            let answer = match verdict {
                Verdict::Settle(_) | Verdict::Wait(_) => break,
                Verdict::ReadStatus => read_status(&caller, &claimed, refusal.take()).await,
                Verdict::Post => match caller.onboard(&claimed.business_id, claimed.solution_id.as_ref()).await {
                    Ok(id) => Answer::Taken(id),
                    Err(error) => {
                        refusal = Some(error.cause());
                        token_problem = problem_of(&error);
                        refused(&error)
                    }
                },
            };
            if let Answer::Refused { cause: Cause::TokenInvalid, .. } = answer {
                token_problem = token_problem.or(Some("refused".to_owned()));
            }
            verdict = decide::decide(&attempt, answer, self.clock.now(), rand::random());
        }
        Sent { outcome: Outcome { claimed, verdict }, token_problem }
    }

    fn without_token(&self, attempt: &Attempt, claimed: Claimed, error: &TokenError) -> Sent {
        tracing::warn!(request = %claimed.number, %error, "no token to send with");
        let cause = match error {
            TokenError::Missing | TokenError::Dead { .. } => Cause::TokenInvalid,
            _ => Cause::Unreachable,
        };
        let answer = Answer::Refused { cause, advice: cause.advice(None) };
        let verdict = decide::decide(attempt, answer, self.clock.now(), rand::random());
        Sent { outcome: Outcome { claimed, verdict }, token_problem: None }
    }

    async fn save(&self, partner: &PartnerId, group: &[Sent], stop: &CancellationToken) -> anyhow::Result<()> {
        let mut tries = 0;
        loop {
            match self.try_save(partner, group).await {
                Ok(()) => return Ok(()),
                Err(error) if tries < SAVE_TRIES && !stop.is_cancelled() => {
                    tries += 1;
                    tracing::warn!(%partner, %error, tries, "can't save outcomes yet");
                    reconcile::pause(Duration::from_secs(1)).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn try_save(&self, partner: &PartnerId, group: &[Sent]) -> sqlx::Result<()> {
        let now = self.clock.now();
        let mut tx = self.db.tenant(partner).await?;
        let outcomes: Vec<Outcome> = group.iter().map(|sent| sent.outcome.clone()).collect();
        store::save(&mut tx, &outcomes, now).await?;
        for sent in group {
            if let Some(problem) = &sent.token_problem {
                sign_in::mark_token_dead(&mut tx, sent.outcome.claimed.member_id, problem, now).await?;
            }
        }
        reconcile::signal(&mut tx, &settled(partner)).await?;
        tx.commit().await
    }
}

impl Reconciler for Dispatch {
    fn name(&self) -> &'static str {
        DISPATCH
    }

    fn period(&self) -> Duration {
        Duration::from_secs(10)
    }

    fn reconcile<'a>(
        &'a self,
        partner: &'a PartnerId,
        stop: &'a CancellationToken,
    ) -> BoxFuture<'a, anyhow::Result<Next>> {
        self.pass(partner, stop).boxed()
    }
}

/// A request that was sent, or couldn't be.
struct Sent {
    outcome: Outcome,
    /// Why Graph refused the member's token, if it did.
    token_problem: Option<String>,
}

/// The members' tokens, opened once a chunk.
#[derive(Default)]
struct Tokens(Mutex<HashMap<i64, AccessToken>>);

impl Tokens {
    async fn of(&self, dispatch: &Dispatch, partner: &PartnerId, member_id: i64) -> Result<AccessToken, TokenError> {
        let mut opened = self.0.lock().await;
        if let Some(token) = opened.get(&member_id) {
            return Ok(token.clone());
        }
        let live = sign_in::live_token(&dispatch.db, &dispatch.vault, partner, member_id).await?;
        opened.insert(member_id, live.token.clone());
        Ok(live.token)
    }
}

fn attempt_of(claimed: &Claimed) -> Attempt {
    Attempt { faults: claimed.faults.unsigned_abs(), doubtful: claimed.doubtful, known_ids: claimed.known_ids.clone() }
}

/// Reads the business's status. Before a repeated POST, a status that can't be had for lack of access settles nothing, and the
/// POST will say why itself; after a refusal, any trouble leaves the refusal as it is.
async fn read_status(caller: &Caller, claimed: &Claimed, refusal: Option<Cause>) -> Answer {
    match caller.business_status(&claimed.business_id).await {
        Ok(status) => Answer::Status(Reading { status: status.status, refusal }),
        Err(error) => {
            let lacks_access = matches!(error.advice(), Advice::FixAccess | Advice::Stop);
            if refusal.is_some() || lacks_access {
                Answer::Status(Reading { status: None, refusal })
            } else {
                refused(&error)
            }
        }
    }
}

fn refused(error: &GraphError) -> Answer {
    Answer::Refused { cause: error.cause(), advice: error.advice() }
}

fn problem_of(error: &GraphError) -> Option<String> {
    error.token_problem().map(|problem| problem.as_str().to_owned())
}
