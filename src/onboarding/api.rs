//! The doors of this room: the click, and stopping what hasn't left yet. Both are plain forms and end in a redirect.

use std::time::Duration;

use leptos::prelude::*;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    check::{self, Refusal},
    model::{Request, RequestNumber, State},
    poll::{POLL, polled},
    reconcile::{DISPATCH, settled},
    store::{self, Queued},
};
use crate::{
    businesses,
    db::TenantTx,
    graph::{BusinessId, Cause, SolutionId, WabaId},
    pauses,
    reconcile::{self, Signals},
    sign_in::{self, Problem, Visit, finish},
    solutions::{self, Unusable},
    telemetry::mishap,
    ui::AppError,
};

/// How long a click waits for Meta's answer. What takes longer goes on by itself; the request's page shows it.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a wish is written down anew when it met another one half way.
const LOOKS: u32 = 3;

/// Asks Meta to invite a business, with a solution or (empty) none. Ends on the request's page.
#[server(prefix = "/onboarding", endpoint = "onboard")]
pub async fn onboard(business_id: String, #[server(default)] solution_id: String) -> Result<(), AppError> {
    let signals = use_context::<Signals>().unwrap_or_default();
    let visit = Visit::from_context()?;
    finish(click(&visit, &signals, &Wish::read(&business_id, &solution_id)).await)
}

/// Stops a request that hasn't left yet. `number` is ours, such as `LB-1001`.
#[server(prefix = "/onboarding", endpoint = "cancel")]
pub async fn cancel(number: String) -> Result<(), AppError> {
    let visit = Visit::from_context()?;
    finish(stop(&visit, &number).await)
}

/// Has Meta asked how a business stands, and waits a moment for the answer. Ends on the page of the request `number`, or of the
/// business.
#[server(prefix = "/onboarding", endpoint = "check")]
pub async fn check(business_id: String, #[server(default)] number: String) -> Result<(), AppError> {
    let signals = use_context::<Signals>().unwrap_or_default();
    let visit = Visit::from_context()?;
    finish(ask(&visit, &signals, &business_id, &number).await)
}

/// What a form said, as far as it can be read.
#[derive(Debug, PartialEq, Eq)]
struct Wish {
    business: Result<BusinessId, Refusal>,
    solution: Result<Option<SolutionId>, Refusal>,
    /// The page with the form, without a query.
    page: String,
}

impl Wish {
    fn read(business: &str, solution: &str) -> Self {
        let (business, solution) = (business.trim(), solution.trim());
        let shown: String = if business.is_empty() { "-".to_owned() } else { business.chars().take(40).collect() };
        Self {
            business: business.parse().map_err(|_| Refusal::NotAnId),
            solution: if solution.is_empty() {
                Ok(None)
            } else {
                solution.parse().map(Some).map_err(|_| Refusal::SolutionNotAnId)
            },
            page: format!("/businesses/{}", utf8_percent_encode(&shown, NON_ALPHANUMERIC)),
        }
    }

    /// Back to the form with the choice kept.
    fn back(&self) -> String {
        match &self.solution {
            Ok(Some(solution)) => format!("{}?solution={solution}", self.page),
            _ => self.page.clone(),
        }
    }

    fn problem(&self, error: impl Into<AppError>) -> Problem {
        Problem { error: error.into(), back_to: self.back() }
    }

    fn refused(&self, refusal: Refusal) -> Problem {
        let back = self.back();
        let joint = if back.contains('?') { '&' } else { '?' };
        Problem { error: refusal.into(), back_to: format!("{back}{joint}problem={}", refusal.code()) }
    }
}

async fn click(visit: &Visit, signals: &Signals, wish: &Wish) -> Result<String, Problem> {
    if !visit.viewer.role.may_onboard() {
        return Err(wish.problem(AppError::Forbidden));
    }
    // Subscribed before the wish is committed: its outcome can't be missed.
    let mut outcomes = signals.subscribe();
    let queued = take_down(visit, wish).await?;
    let page = format!("/requests/{}", queued.number);
    let name = settled(&visit.viewer.partner);
    let answered = tokio::time::timeout(PATIENCE, async {
        // Looked up when the wish is on its way, which it would only hold up.
        if is_held_back(visit).await? {
            return Ok(None);
        }
        if queued.is_new {
            outcomes.heard(&name).await;
        }
        loop {
            let request = look(visit, queued.number).await?;
            match request {
                Some(request) if request.state.is_under_way() => outcomes.heard(&name).await,
                other => return Ok::<_, AppError>(other),
            }
        }
    });
    // Whatever goes wrong from here on, the wish is saved: its page tells how it stands.
    let request = answered.await.ok().and_then(Result::ok).flatten();
    if queued.is_new && request.as_ref().is_some_and(waits_for_sign_in) {
        return Err(Problem { error: AppError::TokenProblem, back_to: page });
    }
    Ok(landing(&page, &queued))
}

/// The request's page, which says so if the request stood already.
fn landing(page: &str, queued: &Queued) -> String {
    if queued.is_new { page.to_owned() } else { format!("{page}?notice=already") }
}

/// Whether Meta asked us to send nothing for now, so that no answer is to be waited for.
async fn is_held_back(visit: &Visit) -> Result<bool, AppError> {
    let mut tx = visit.tenant().await?;
    pauses::until(&mut tx, visit.clock.now()).await.map(|until| until.is_some()).map_err(mishap)
}

/// Whether Graph refused the token the request was sent with.
fn waits_for_sign_in(request: &Request) -> bool {
    request.state == State::WaitingToRetry && request.cause.as_deref() == Some(Cause::TokenInvalid.as_str())
}

async fn look(visit: &Visit, number: RequestNumber) -> Result<Option<Request>, AppError> {
    let mut tx = visit.tenant().await?;
    store::find_request(&mut tx, number).await.map_err(mishap)
}

/// Checks the wish and writes it down; or finds the request that stands already.
async fn take_down(visit: &Visit, wish: &Wish) -> Result<Queued, Problem> {
    for _ in 0..LOOKS {
        if let Some(queued) = try_to_take_down(visit, wish).await? {
            return Ok(queued);
        }
        // Somebody else's request was open a moment ago and is not any more.
        tracing::debug!(page = wish.page, "a wish met another one that ended: looking again");
    }
    Err(wish.problem(AppError::Unavailable { reference: crate::telemetry::reference() }))
}

async fn try_to_take_down(visit: &Visit, wish: &Wish) -> Result<Option<Queued>, Problem> {
    let failed = |error: sqlx::Error| wish.problem(mishap(error));
    let business_id = wish.business.as_ref().map_err(|refusal| wish.refused(*refusal))?;
    let solution = wish.solution.as_ref().map_err(|refusal| wish.refused(*refusal))?.as_ref();
    let mut tx = visit.db.tenant_by_keys(&visit.viewer.partner).await.map_err(failed)?;

    let Some(business) = businesses::find_business(&mut tx, business_id).await.map_err(failed)? else {
        let waba = WabaId::from_stored(business_id.as_str().to_owned());
        let owner = businesses::whose_waba(&mut tx, &waba).await.map_err(failed)?;
        return Err(if owner.is_some() { wish.refused(Refusal::WabaId) } else { wish.problem(AppError::NotFound) });
    };
    check::may_be_asked(&business).map_err(|refusal| wish.refused(refusal))?;
    if let Some(solution) = solution {
        check_solution(&mut tx, solution).await.map_err(failed)?.map_err(|refusal| wish.refused(refusal))?;
    }
    // Their own token was looked at when they came; others may do for them.
    let now = visit.clock.now();
    let can_send = visit.viewer.token_problem.is_none()
        || sign_in::can_send(&mut tx, visit.viewer.member_id, now).await.map_err(failed)?;
    if !can_send {
        return Err(wish.problem(AppError::TokenProblem));
    }

    let partner = visit.viewer.partner.clone();
    let queued = match store::queue(&mut tx, visit.viewer.member_id, business_id, solution, now).await {
        Ok(queued) => queued,
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if let Some(Queued { is_new: true, is_listed, .. }) = queued {
        if !is_listed {
            // The business is locked by now: what a webhook or a sync said while the wish waited for it holds.
            let business = businesses::find_business(&mut tx, business_id).await.map_err(failed)?;
            let overtaken = business.and_then(|business| check::may_be_asked(&business).err());
            if let Some(refusal) = overtaken {
                return Err(wish.refused(refusal));
            }
        }
        reconcile::wake(&mut tx, DISPATCH, &partner).await.map_err(failed)?;
    }
    tx.commit().await.map_err(failed)?;
    Ok(queued)
}

async fn ask(visit: &Visit, signals: &Signals, business_id: &str, number: &str) -> Result<String, Problem> {
    let unknown = || Problem { error: AppError::NotFound, back_to: "/businesses".to_owned() };
    let business: BusinessId = business_id.trim().parse().map_err(|_| unknown())?;
    let page = match number.parse::<RequestNumber>() {
        Ok(number) => format!("/requests/{number}"),
        Err(_) => format!("/businesses/{business}"),
    };
    let problem = |error| Problem { error, back_to: page.clone() };
    let failed = |error: sqlx::Error| problem(mishap(error));
    if !visit.viewer.role.may_onboard() {
        return Err(problem(AppError::Forbidden));
    }
    let mut answers = signals.subscribe();
    let mut tx = visit.tenant().await.map_err(problem)?;
    if businesses::find_business(&mut tx, &business).await.map_err(failed)?.is_none() {
        return Err(unknown());
    }
    let (now, partner) = (visit.clock.now(), visit.viewer.partner.clone());
    let wanted = store::make_due(&mut tx, &business, now).await.map_err(failed)?;
    if wanted == store::Wanted::NotWaiting {
        return Ok(format!("{page}?notice=not_waiting"));
    }
    if store::is_polled(&mut tx, &business, now).await.map_err(failed)? {
        return Ok(format!("{page}?notice=checked_lately"));
    }
    if wanted == store::Wanted::Newly {
        businesses::note_check(&mut tx, &business, visit.viewer.member_id, now).await.map_err(failed)?;
    }
    reconcile::wake(&mut tx, POLL, &partner).await.map_err(failed)?;
    tx.commit().await.map_err(failed)?;
    let answered = tokio::time::timeout(PATIENCE, async {
        let name = polled(&partner);
        loop {
            let mut tx = visit.tenant().await?;
            if store::is_polled(&mut tx, &business, now).await.map_err(mishap)? {
                return Ok::<_, AppError>(());
            }
            drop(tx);
            answers.heard(&name).await;
        }
    });
    let notice = if matches!(answered.await, Ok(Ok(()))) { "checked" } else { "asking" };
    Ok(format!("{page}?notice={notice}"))
}

async fn stop(visit: &Visit, number: &str) -> Result<String, Problem> {
    let Ok(number) = number.parse::<RequestNumber>() else {
        return Err(Problem { error: AppError::NotFound, back_to: "/requests".to_owned() });
    };
    let page = format!("/requests/{number}");
    let problem = |error| Problem { error, back_to: page.clone() };
    let failed = |error: sqlx::Error| problem(mishap(error));
    if !visit.viewer.role.may_onboard() {
        return Err(problem(AppError::Forbidden));
    }
    let mut tx = visit.tenant().await.map_err(problem)?;
    let stopped = store::cancel(&mut tx, number, visit.viewer.member_id, visit.clock.now()).await.map_err(failed)?;
    if !stopped {
        if store::state_of(&mut tx, number).await.map_err(failed)?.is_none() {
            return Err(Problem { error: AppError::NotFound, back_to: "/requests".to_owned() });
        }
        let message = "It had left already, so it can not be stopped any more.".to_owned();
        return Err(Problem {
            error: AppError::Invalid { field: "number".to_owned(), message },
            back_to: format!("{page}?problem=too_late"),
        });
    }
    tx.commit().await.map_err(failed)?;
    Ok(format!("{page}?notice=cancelled"))
}

/// Whether the solution is the app's and may be used now; the page that offered it may be old.
async fn check_solution(tx: &mut TenantTx, solution: &SolutionId) -> sqlx::Result<Result<(), Refusal>> {
    Ok(match solutions::find_usable(tx, solution).await? {
        None | Some(Err(Unusable::Gone)) => Err(Refusal::SolutionGone),
        Some(Err(_)) => Err(Refusal::SolutionUnusable),
        Some(Ok(_)) => Ok(()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_far_as_it_can_be() {
        let wish = Wish::read(" 1745093316208854 ", "");
        assert_eq!(wish.business.unwrap().as_str(), "1745093316208854");
        assert_eq!(wish.solution, Ok(None));
        for bad in ["", "abc", "12a", "-1", "1e9", "１２", "123456789012345678901", "1\u{0}1"] {
            assert_eq!(Wish::read(bad, "").business, Err(Refusal::NotAnId), "{bad:?}");
        }
        for bad in ["none", "1.5", "0x1", "<b>"] {
            assert_eq!(Wish::read("1", bad).solution, Err(Refusal::SolutionNotAnId), "{bad:?}");
        }
    }

    #[test]
    fn a_problem_leads_back_to_the_form_with_the_choice_kept() {
        let wish = Wish::read("17", "23");
        assert_eq!(wish.problem(AppError::TokenProblem).back_to, "/businesses/17?solution=23");
        assert_eq!(wish.refused(Refusal::Left).back_to, "/businesses/17?solution=23&problem=left");
        let wish = Wish::read("17", "");
        assert_eq!(wish.refused(Refusal::Left).back_to, "/businesses/17?problem=left");
    }

    #[test]
    fn whatever_was_typed_the_way_back_is_a_path_of_ours() {
        for typed in ["", "//evil.example", "..\\..", "a b?c#d", "é\u{202e}", &"9".repeat(500)] {
            let back = Wish::read(typed, typed).refused(Refusal::NotAnId).back_to;
            assert!(back.starts_with("/businesses/") && back.len() < 500, "{back}");
            let shown = back.trim_start_matches("/businesses/").trim_end_matches("?problem=not_an_id");
            assert!(
                !shown.is_empty() && shown.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'%' || b == b'-'),
                "{back}"
            );
        }
    }
}
