//! Sends one claimed request, whatever that takes, and says what became of it. Touches Graph and tokens, not the requests' rows.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    decide::{self, Answer, Attempt, Reading, Verdict},
    gauge::Gauge,
    store::{Claimed, Outcome},
};
use crate::{
    clock::Clock,
    db::{Db, PartnerId},
    graph::{Advice, Caller, Cause, Error as GraphError, Graph, Origin},
    sign_in::{self, SendingToken, TokenError, Whose},
    vault::Vault,
};

/// What sending takes.
pub struct Sender {
    pub db: Db,
    pub clock: Clock,
    /// Shows its calls to `gauge` first.
    pub graph: Graph,
    pub vault: Arc<Vault>,
    pub partner: PartnerId,
    pub gauge: Arc<Gauge>,
    pub tokens: Tokens,
}

/// A request that was sent, or couldn't be.
pub struct Sent {
    pub outcome: Outcome,
    /// Whose token Graph refused and why, if it did.
    pub dead_token: Option<(Whose, String)>,
}

impl Sent {
    /// Others can't go as long as this hasn't been saved: their token is dead, or the partner waits.
    pub fn holds_back_others(&self) -> bool {
        let pauses = matches!(&self.outcome.verdict, Verdict::Wait(waiting) if waiting.pauses_partner);
        pauses || self.dead_token.is_some()
    }
}

impl Sender {
    /// Opens the token that requests of a member will be sent with. What is wrong with it is said when they are sent.
    pub async fn prepare(&self, member_id: Option<i64>) {
        if let Some(member_id) = member_id {
            drop(self.tokens.of(self, member_id).await);
        }
    }

    /// Sends one request and decides what became of it. Never fails: whatever goes wrong is an outcome.
    pub async fn send(&self, claimed: Claimed) -> Sent {
        let mut attempt = attempt_of(&claimed);
        let mut verdict = decide::begin(&attempt);
        if matches!(verdict, Verdict::Settle(_)) {
            return Sent { outcome: Outcome { claimed, verdict }, dead_token: None };
        }
        let token = match self.tokens.of(self, claimed.member_id).await {
            Ok(token) => token,
            Err(error) => return self.without_token(&attempt, claimed, &error),
        };
        let whose = token.whose;
        let origin = Origin {
            partner: Some(self.partner.as_business().clone()),
            member: Some(claimed.member_id),
            request: Some(claimed.number.0),
            attempt: Some(claimed.attempt),
        };
        let caller = self.graph.with_token(token.token, origin);
        let mut dead_token = None;
        let mut refusal = None;
        loop {
            let answer = match verdict {
                Verdict::Settle(_) | Verdict::Wait(_) => break,
                Verdict::ReadStatus => self.read_status(&caller, &claimed, refusal.take()).await,
                Verdict::Post => match caller.onboard(&claimed.business_id, claimed.solution_id.as_ref()).await {
                    Ok(id) => {
                        self.gauge.answered(self.clock.now());
                        Answer::Taken(id)
                    }
                    Err(error) => {
                        refusal = Some(error.cause());
                        dead_token = problem_of(&error);
                        self.refused(&error)
                    }
                },
            };
            if let Answer::Refused { cause: Cause::TokenInvalid, .. } = answer {
                dead_token = dead_token.or(Some("refused".to_owned()));
            }
            attempt.meta_is_away = self.gauge.meta_is_away();
            attempt.unanswered = self.gauge.unanswered();
            verdict = decide::decide(&attempt, answer, self.clock.now(), rand::random());
        }
        if dead_token.is_some() {
            self.tokens.forget();
        }
        Sent { outcome: Outcome { claimed, verdict }, dead_token: dead_token.map(|problem| (whose, problem)) }
    }

    fn without_token(&self, attempt: &Attempt, claimed: Claimed, error: &TokenError) -> Sent {
        tracing::warn!(request = %claimed.number, %error, "no token to send with");
        let answer = match error {
            TokenError::Missing | TokenError::Dead { .. } => {
                Answer::Refused { cause: Cause::TokenInvalid, advice: Cause::TokenInvalid.advice(None) }
            }
            TokenError::Vault(_) | TokenError::Db(_) => {
                self.gauge.own_trouble(self.clock.now());
                Answer::OwnTrouble
            }
        };
        let verdict = decide::decide(attempt, answer, self.clock.now(), rand::random());
        Sent { outcome: Outcome { claimed, verdict }, dead_token: None }
    }

    /// Reads the business's status. Before a repeated POST, a status that can't be had for lack of access settles nothing, and
    /// the POST will say why itself; after a refusal, any trouble leaves the refusal as it is.
    async fn read_status(&self, caller: &Caller, claimed: &Claimed, refusal: Option<Cause>) -> Answer {
        match caller.business_status(&claimed.business_id).await {
            Ok(status) => {
                self.gauge.answered(self.clock.now());
                Answer::Status(Reading { status: status.status, refusal })
            }
            Err(error) => {
                let answer = self.refused(&error);
                let lacks_access = matches!(error.advice(), Advice::FixAccess | Advice::Stop);
                if refusal.is_some() || lacks_access {
                    Answer::Status(Reading { status: None, refusal })
                } else {
                    answer
                }
            }
        }
    }

    fn refused(&self, error: &GraphError) -> Answer {
        self.gauge.failed(error, self.clock.now());
        Answer::Refused { cause: error.cause(), advice: error.advice() }
    }
}

/// Tokens that were opened, by the member whose requests they send. However many ask at once, each is opened once.
#[derive(Default)]
pub struct Tokens {
    opened: tokio::sync::Mutex<HashMap<i64, (u64, SendingToken)>>,
    /// Tokens opened before it rose aren't used again.
    generation: AtomicU64,
}

impl Tokens {
    async fn of(&self, sender: &Sender, member_id: i64) -> Result<SendingToken, TokenError> {
        let mut opened = self.opened.lock().await;
        let generation = self.generation.load(Ordering::Acquire);
        if let Some((of, token)) = opened.get(&member_id)
            && *of == generation
        {
            return Ok(token.clone());
        }
        let now = sender.clock.now();
        let sending = sign_in::sending_token(&sender.db, &sender.vault, &sender.partner, member_id, now).await?;
        opened.insert(member_id, (generation, sending.clone()));
        Ok(sending)
    }

    /// One was refused, or there may be a newer one.
    pub fn forget(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }
}

/// What `decide` knows of a request that was claimed.
pub fn attempt_of(claimed: &Claimed) -> Attempt {
    Attempt {
        faults: claimed.faults.unsigned_abs(),
        doubtful: claimed.doubtful,
        known_ids: claimed.known_ids.clone(),
        meta_is_away: false,
        unanswered: 0,
        bar: claimed.bar,
    }
}

fn problem_of(error: &GraphError) -> Option<String> {
    error.token_problem().map(|problem| problem.as_str().to_owned())
}
