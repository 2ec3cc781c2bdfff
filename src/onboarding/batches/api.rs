//! The doors of a batch that was started: pause, go on, cancel the rest, try failures again. Plain forms that end in a redirect.

use leptos::prelude::*;

use super::{
    model::{Batch, BatchNumber, Source},
    store::{self, Retried},
};
use crate::{
    db::TenantTx,
    graph::Cause,
    onboarding::reconcile::{DISPATCH, settled},
    reconcile,
    sign_in::{self, Act, Problem, Visit, audit, finish},
    telemetry::mishap,
    ui::{AppError, plural},
};

/// Sends nothing of a batch until it's resumed; what is in flight finishes. `batch` is its number.
#[server(prefix = "/onboarding", endpoint = "pause")]
pub async fn pause(batch: String) -> Result<(), AppError> {
    let visit = Visit::from_context()?;
    finish(hold(&visit, &batch).await)
}

/// Lets a paused batch go on.
#[server(prefix = "/onboarding", endpoint = "resume")]
pub async fn resume(batch: String) -> Result<(), AppError> {
    let visit = Visit::from_context()?;
    finish(go_on(&visit, &batch).await)
}

/// Stops everything of a batch that hasn't been sent, for good.
#[server(prefix = "/onboarding", endpoint = "cancel-rest")]
pub async fn cancel_rest(batch: String) -> Result<(), AppError> {
    let visit = Visit::from_context()?;
    finish(stop(&visit, &batch).await)
}

/// Asks anew for the businesses of a batch whose requests failed for one cause, as a batch of their own.
#[server(prefix = "/onboarding", endpoint = "retry-failed")]
pub async fn retry_failed(batch: String, cause: String) -> Result<(), AppError> {
    let visit = Visit::from_context()?;
    finish(again(&visit, &batch, &cause).await)
}

fn page(number: BatchNumber) -> String {
    format!("/batches/{number}")
}

/// A batch that somebody wants to do something with, and may.
struct Held {
    tx: TenantTx,
    batch: Batch,
}

impl Held {
    async fn open(visit: &Visit, number: &str) -> Result<Self, Problem> {
        let unknown = || Problem { error: AppError::NotFound, back_to: "/batches".to_owned() };
        let number: BatchNumber = number.trim().parse().map_err(|_| unknown())?;
        let problem = |error| Problem { error, back_to: page(number) };
        if !visit.viewer.role.may_onboard() {
            return Err(problem(AppError::Forbidden));
        }
        let mut tx = visit.tenant().await.map_err(problem)?;
        let batch = store::find_batch(&mut tx, number, visit.clock.now()).await;
        let batch = batch.map_err(|error| problem(mishap(error)))?;
        let started = batch.filter(|batch| batch.source != Source::Click && batch.started_at.is_some());
        Ok(Self { tx, batch: started.ok_or_else(unknown)? })
    }

    fn problem(&self, error: impl Into<AppError>) -> Problem {
        Problem { error: error.into(), back_to: page(self.batch.number) }
    }

    /// Writes into the audit log what is done.
    async fn note(&mut self, visit: &Visit, act: Act, detail: String) -> Result<(), Problem> {
        let entry = visit.entry(act, detail);
        audit(&mut self.tx, &entry).await.map_err(|error| self.problem(mishap(error)))
    }

    /// Tells those who watch, commits, and leads to the batch.
    async fn done(mut self) -> Result<String, Problem> {
        let (number, partner) = (self.batch.number, self.tx.partner().clone());
        let failed = |error: sqlx::Error| Problem { error: mishap(error), back_to: page(number) };
        reconcile::signal(&mut self.tx, &settled(&partner)).await.map_err(failed)?;
        self.tx.commit().await.map_err(failed)?;
        Ok(page(number))
    }
}

async fn hold(visit: &Visit, number: &str) -> Result<String, Problem> {
    let mut held = Held::open(visit, number).await?;
    let paused = store::pause(&mut held.tx, held.batch.number, visit.viewer.member_id, visit.clock.now()).await;
    paused.map_err(|error| held.problem(mishap(error)))?;
    if held.batch.paused.is_none() {
        held.note(visit, Act::BatchPaused, held.batch.long_title()).await?;
    }
    held.done().await
}

async fn go_on(visit: &Visit, number: &str) -> Result<String, Problem> {
    let mut held = Held::open(visit, number).await?;
    let resumed = async {
        store::resume(&mut held.tx, held.batch.number).await?;
        reconcile::wake(&mut held.tx, DISPATCH, &visit.viewer.partner).await
    };
    resumed.await.map_err(|error| held.problem(mishap(error)))?;
    if held.batch.paused.is_some() {
        held.note(visit, Act::BatchResumed, held.batch.long_title()).await?;
    }
    held.done().await
}

async fn stop(visit: &Visit, number: &str) -> Result<String, Problem> {
    let mut held = Held::open(visit, number).await?;
    let stopped = store::cancel_rest(&mut held.tx, held.batch.number, visit.viewer.member_id, visit.clock.now()).await;
    let stopped = stopped.map_err(|error| held.problem(mishap(error)))?;
    if held.batch.cancelled.is_none() || stopped > 0 {
        let told = format!("{}, {} not sent", held.batch.long_title(), plural(stopped as u64, "request", "requests"));
        held.note(visit, Act::BatchCancelled, told).await?;
    }
    held.done().await
}

async fn again(visit: &Visit, number: &str, cause: &str) -> Result<String, Problem> {
    let mut held = Held::open(visit, number).await?;
    let Ok(cause) = cause.parse::<Cause>() else {
        let message = "No failure has this cause.".to_owned();
        return Err(held.problem(AppError::Invalid { field: "cause".to_owned(), message }));
    };
    let (member, now) = (visit.viewer.member_id, visit.clock.now());
    let can_send = sign_in::can_send(&mut held.tx, member, now).await;
    if !can_send.map_err(|error| held.problem(mishap(error)))? {
        return Err(held.problem(AppError::TokenProblem));
    }
    let retried = store::retry(&mut held.tx, &held.batch, cause.as_str(), member, now).await;
    match retried.map_err(|error| held.problem(mishap(error)))? {
        Retried::Started { batch: made, size, left } => {
            let told = format!(
                "Batch {made}, {}: a retry of {}",
                plural(size as u64, "request", "requests"),
                held.batch.long_title()
            );
            held.note(visit, Act::BatchStarted, told).await?;
            let woken = reconcile::wake(&mut held.tx, DISPATCH, &visit.viewer.partner).await;
            woken.map_err(|error| held.problem(mishap(error)))?;
            held.done().await?;
            let notice = if left > 0 { "retried_some" } else { "retried" };
            Ok(format!("{}?notice={notice}", page(made)))
        }
        Retried::SolutionUnusable => Ok(format!("{}?notice=solution_unusable", page(held.batch.number))),
        Retried::Nothing(Some(made)) => Ok(format!("{}?notice=retried_before", page(made))),
        Retried::Nothing(None) => Ok(format!("{}?notice=nothing_to_retry", page(held.batch.number))),
    }
}
