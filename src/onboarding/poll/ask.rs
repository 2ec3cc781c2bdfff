//! The questions of one turn to Meta, and what was heard. What is kept of it, and what follows, is the reconciler's.

use std::{collections::HashSet, sync::Arc};

use super::{Poll, REST, Turn, schedule};
use crate::{
    businesses,
    db::PartnerId,
    graph::{self, Advice, BusinessId, BusinessStatus, Caller, Cause, MOST_IDS, MetaRequestId, Origin, WabaId},
    onboarding::store::{self, Asked, Waits},
    pauses::Ear,
    sign_in::{Holder, SendingToken, Whose},
};

/// What Meta said in a turn.
#[derive(Default)]
pub struct Heard {
    pub statuses: Vec<(BusinessId, BusinessStatus)>,
    pub eligibilities: Vec<(WabaId, Option<String>)>,
    /// What became of requests by their own ids.
    pub requests: Vec<(MetaRequestId, String)>,
    pub asked: Vec<Asked>,
    pub dead_token: Option<(Whose, String)>,
    /// What the turn comes to, where it isn't [`Turn::More`].
    pub ends: Option<Turn>,
}

/// The line to Meta of one turn.
pub struct Line<'a> {
    poll: &'a Poll,
    partner: &'a PartnerId,
    caller: Caller,
    whose: Whose,
}

impl<'a> Line<'a> {
    pub fn new(
        poll: &'a Poll,
        partner: &'a PartnerId,
        SendingToken { whose, token }: SendingToken,
        ear: Arc<Ear>,
    ) -> Self {
        let member = match whose.holder {
            Holder::Member(member) => Some(member),
            Holder::SystemUser => None,
        };
        let origin = Origin { partner: Some(partner.as_business().clone()), member, ..Origin::default() };
        let caller = poll.graph.observed_first_by(ear).with_token(token, origin);
        Self { poll, partner, caller, whose }
    }

    /// `probes`: whether the ids of requests are asked about as well (1.12), which only a hypothesis says can be read.
    pub async fn ask(&self, due: &[(BusinessId, Waits)], probes: bool) -> sqlx::Result<Heard> {
        let ids: Vec<BusinessId> = due.iter().map(|(id, _)| id.clone()).collect();
        let mut heard = Heard::default();
        let statuses = match self.caller.business_statuses(&ids).await {
            Ok(statuses) => statuses,
            Err(error) => {
                self.refused(&error, due, &mut heard);
                return Ok(heard);
            }
        };
        heard.statuses = statuses.into_iter().collect();
        let signed = signed_of(&heard.statuses, due);
        if !self.hear_wabas(&signed, due, &mut heard).await? {
            return Ok(heard);
        }
        if probes {
            self.probe(&ids, &mut heard).await?;
        }
        let now = self.poll.clock.now();
        // Of whom Meta says nothing nothing was heard.
        let told: HashSet<&BusinessId> = heard.statuses.iter().map(|(business, _)| business).collect();
        heard.asked = due
            .iter()
            .map(|(business, waits)| Asked {
                business: business.clone(),
                due_at: now + schedule::every(waits.since, now),
                refusal: None,
                polled: told.contains(business),
            })
            .collect();
        Ok(heard)
    }

    /// Asks about the WABAs of those that signed. `false`: Meta refused, and all are asked about again.
    async fn hear_wabas(
        &self,
        signed: &[BusinessId],
        due: &[(BusinessId, Waits)],
        heard: &mut Heard,
    ) -> sqlx::Result<bool> {
        if signed.is_empty() {
            return Ok(true);
        }
        let mut tx = self.poll.db.tenant(self.partner).await?;
        let wabas = businesses::wabas_in(&mut tx, signed).await?;
        drop(tx);
        for some in wabas.chunks(MOST_IDS) {
            match self.caller.waba_eligibilities(some).await {
                Ok(said) => heard.eligibilities.extend(said),
                // One WABA of a single business may be gone: the others are asked about without it.
                Err(error) if due.len() == 1 && some.len() > 1 && is_of_an_id(&error) => {
                    for waba in some {
                        if let Ok(said) = self.caller.waba_eligibilities(std::slice::from_ref(waba)).await {
                            heard.eligibilities.extend(said);
                        }
                    }
                }
                Err(error) => {
                    self.refused(&error, due, heard);
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Asks what became of each request by its id. A refusal says nothing of it, so nothing follows but that no more are asked about.
    async fn probe(&self, businesses: &[BusinessId], heard: &mut Heard) -> sqlx::Result<()> {
        let mut tx = self.poll.db.tenant(self.partner).await?;
        let ids = store::open_meta_ids(&mut tx, businesses).await?;
        drop(tx);
        for id in ids {
            match self.caller.request_status(&id).await {
                Ok(said) => heard.requests.extend(said.map(|said| (id, said))),
                Err(error) => {
                    tracing::debug!(partner = %self.partner, request = %id, %error, "the id of a request can't be read");
                    break;
                }
            }
        }
        Ok(())
    }

    /// Meta gave no answer about these: later, with somebody else's token, or with fewer at once.
    fn refused(&self, error: &graph::Error, due: &[(BusinessId, Waits)], heard: &mut Heard) {
        let now = self.poll.clock.now();
        let cause = error.cause();
        tracing::info!(businesses = due.len(), %cause, fbtrace_id = error.fbtrace_id(), %error, "Meta did not tell what it was asked");
        if is_of_an_id(error) {
            let alone = due.len() == 1;
            let due_at = if alone { now + schedule::AFTER_REFUSAL } else { now };
            heard.asked = due
                .iter()
                .map(|(business, _)| Asked { business: business.clone(), due_at, refusal: Some(cause), polled: true })
                .collect();
            heard.ends = alone.then_some(Turn::Refused);
            return;
        }
        heard.ends = Some(match error.advice() {
            Advice::SignInAgain => {
                let problem = error.token_problem().map_or("other", graph::TokenProblem::as_str);
                heard.dead_token = Some((self.whose, problem.to_owned()));
                Turn::More
            }
            Advice::Wait { until } => Turn::Until(until.filter(|until| *until > now).unwrap_or(now + REST.0)),
            Advice::Retry | Advice::FixAccess | Advice::Stop => Turn::Until(now + REST.0),
        });
    }
}

/// Those whose WABAs matter: the terms are signed, or Meta doesn't say.
fn signed_of(statuses: &[(BusinessId, BusinessStatus)], due: &[(BusinessId, Waits)]) -> Vec<BusinessId> {
    let known = |id: &BusinessId| due.iter().any(|(business, waits)| business == id && waits.signed);
    let says = |said: &BusinessStatus| said.status.as_deref().is_none_or(|said| said == "TERM_OF_SERVICE_SIGNED");
    statuses.iter().filter(|(id, said)| known(id) || says(said)).map(|(id, _)| id.clone()).collect()
}

/// Whether it may be one of the ids that Meta won't tell about: then fewer at once can help.
fn is_of_an_id(error: &graph::Error) -> bool {
    matches!(
        error.cause(),
        Cause::NotFoundOrNoAccess | Cause::AccessDenied | Cause::InvalidParameter | Cause::Unrecognised
    )
}
