//! The doors of drafts: made of a selection, corrected, started, thrown away. Plain forms that end in a redirect; a list comes in by a
//! route of its own, see [`super::import`].

use leptos::prelude::*;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    consent::{Dissent, consents},
    groups::Group,
    model::DraftNumber,
    store::{self, Correction, Wish},
};
use crate::{
    businesses::{self, SelectionNotice, Ticks, view_with_notice},
    graph::SolutionId,
    onboarding::{reconcile::DISPATCH, store::hold_starts},
    reconcile,
    sign_in::{self, Act, Problem, Visit, audit, finish},
    solutions,
    telemetry::mishap,
    ui::{AppError, plural},
};

/// Makes a draft of everything the member has ticked, the boxes of the page at `view` included.
#[server(prefix = "/onboarding", endpoint = "draft")]
pub async fn draft(
    #[server(default)] view: String,
    #[server(default)] shown: Vec<String>,
    #[server(default)] tick: Vec<String>,
) -> Result<(), AppError> {
    let visit = Visit::from_context()?;
    finish(draft_ticked(&visit, &view, &Ticks::read(&shown, &tick)).await)
}

/// Starts a draft: `shown` is the number of requests the page said, `confirm` what was typed for it. Ends on the batch's page.
#[server(prefix = "/onboarding", endpoint = "start")]
pub async fn start(
    number: String,
    #[server(default)] name: String,
    #[server(default)] solution_id: String,
    #[server(default)] shown: String,
    #[server(default)] confirm: String,
) -> Result<(), AppError> {
    let visit = Visit::from_context()?;
    let form = StartForm { name, solution_id, shown, confirm };
    finish(start_draft(&visit, &number, &form).await)
}

/// Corrects rows of a draft. `shown` and `keep` are lines with a box and those whose box is ticked; `line` and `id` go in pairs: what
/// stands in the field of a line. `then` is where to go: `confirm`, `sync`, or back to the rows.
#[server(prefix = "/onboarding", endpoint = "correct")]
pub async fn correct(
    number: String,
    #[server(default)] shown: Vec<String>,
    #[server(default)] keep: Vec<String>,
    #[server(default)] line: Vec<String>,
    #[server(default)] id: Vec<String>,
    #[server(default)] then: String,
    #[server(default)] finding: String,
) -> Result<(), AppError> {
    let visit = Visit::from_context()?;
    let correction = read_correction(&shown, &keep, &line, id);
    finish(correct_rows(&visit, &number, &correction, Then::read(&then), &finding).await)
}

/// Throws a draft away that wasn't started.
#[server(prefix = "/onboarding", endpoint = "discard")]
pub async fn discard(number: String) -> Result<(), AppError> {
    let visit = Visit::from_context()?;
    finish(throw_away(&visit, &number).await)
}

/// What was filled in on the page that starts a draft.
#[derive(Clone, Debug, Default)]
struct StartForm {
    name: String,
    solution_id: String,
    shown: String,
    confirm: String,
}

async fn draft_ticked(visit: &Visit, view: &str, ticks: &Ticks) -> Result<String, Problem> {
    let problem = |error| Problem { error, back_to: businesses::view_href(view) };
    let failed = |error: sqlx::Error| problem(mishap(error));
    if !visit.viewer.role.may_onboard() {
        return Err(problem(AppError::Forbidden));
    }
    let (member, now) = (visit.viewer.member_id, visit.clock.now());
    let mut tx = visit.tenant().await.map_err(problem)?;
    businesses::keep_ticks(&mut tx, member, ticks).await.map_err(failed)?;
    store::forget_old(&mut tx, member, now).await.map_err(failed)?;
    let Some(number) = store::draft_selection(&mut tx, member, now).await.map_err(failed)? else {
        // The boxes stay as they were left all the same.
        tx.commit().await.map_err(failed)?;
        return Ok(view_with_notice(view, SelectionNotice::Nothing));
    };
    store::check_rows(&mut tx, number, now).await.map_err(failed)?;
    tx.commit().await.map_err(failed)?;
    Ok(format!("/drafts/{number}"))
}

async fn start_draft(visit: &Visit, number: &str, form: &StartForm) -> Result<String, Problem> {
    let number = read_number(number)?;
    let page = form.page(number);
    let problem = |error| Problem { error, back_to: page.clone() };
    let failed = |error: sqlx::Error| problem(mishap(error));
    let dissents = |dissent: Dissent| Problem {
        error: AppError::Invalid { field: String::new(), message: dissent.words().to_owned() },
        back_to: format!("{page}&problem={}", dissent.code()),
    };
    if !visit.viewer.role.may_onboard() {
        return Err(problem(AppError::Forbidden));
    }
    let mut tx = visit.tenant().await.map_err(problem)?;
    hold_starts(&mut tx).await.map_err(failed)?;
    let Some(draft) = store::hold_draft(&mut tx, number).await.map_err(failed)? else { return Err(not_found()) };
    let batch = format!("/batches/{number}");
    if draft.is_started {
        return Ok(batch);
    }
    let (member, now) = (visit.viewer.member_id, visit.clock.now());
    if !sign_in::can_send(&mut tx, member, now).await.map_err(failed)? {
        return Err(problem(AppError::TokenProblem));
    }
    let solution = match form.solution_id.trim() {
        "" => None,
        id => Some(id.parse::<SolutionId>().map_err(|_| dissents(Dissent::Solution))?),
    };
    if let Some(solution) = &solution {
        let usable = solutions::find_usable(&mut tx, solution).await.map_err(failed)?;
        usable.and_then(Result::ok).ok_or_else(|| dissents(Dissent::Solution))?;
    }
    let name = form.name.replace('\0', "\u{FFFD}");
    store::check_rows(&mut tx, number, now).await.map_err(failed)?;
    let counts = store::count_rows(&mut tx, number).await.map_err(failed)?;
    consents(&counts, &form.shown, &form.confirm).map_err(dissents)?;
    let wish =
        Wish { member_id: member, name: name.trim(), solution: solution.as_ref(), to_send: counts.of(Group::ToSend) };
    let queued = store::start(&mut tx, &draft, &wish, now).await.map_err(failed)?;
    if queued == 0 {
        return Err(dissents(Dissent::Nothing));
    }
    let told = format!("Batch {number}, {}", plural(queued, "request", "requests"));
    audit(&mut tx, &visit.entry(Act::BatchStarted, told)).await.map_err(failed)?;
    let partner = tx.partner().clone();
    reconcile::wake(&mut tx, DISPATCH, &partner).await.map_err(failed)?;
    let mut owner = tx.leave().await.map_err(failed)?;
    store::refresh_statistics(&mut owner, queued).await.map_err(failed)?;
    owner.commit().await.map_err(failed)?;
    tracing::info!(batch = number.0, queued, "a batch was started");
    Ok(batch)
}

impl StartForm {
    /// Back to the form, with what was filled in.
    fn page(&self, number: DraftNumber) -> String {
        let kept = |text: &str| {
            let text: String = text.trim().chars().take(80).collect();
            utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string()
        };
        format!("/drafts/{number}?name={}&solution={}", kept(&self.name), kept(&self.solution_id))
    }
}

/// Where a correction leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// Back to the rows.
    Rows,
    /// On to the page that starts the draft.
    Confirm,
    /// Back to the rows, while businesses are read from Meta.
    Sync,
}

impl Then {
    fn read(text: &str) -> Self {
        match text {
            "confirm" => Self::Confirm,
            "sync" => Self::Sync,
            _ => Self::Rows,
        }
    }
}

fn read_correction(shown: &[String], keep: &[String], line: &[String], id: Vec<String>) -> Correction {
    let lines = |given: &[String]| given.iter().filter_map(|line| line.parse().ok()).collect();
    let pairs = line.iter().zip(id).filter_map(|(line, id)| Some((line.parse().ok()?, id)));
    Correction { shown: lines(shown), kept: lines(keep), entered: pairs.collect() }
}

async fn correct_rows(
    visit: &Visit,
    number: &str,
    correction: &Correction,
    then: Then,
    finding: &str,
) -> Result<String, Problem> {
    let number = read_number(number)?;
    let group = Group::from_key(finding).map(|group| format!("?finding={}", group.key())).unwrap_or_default();
    let page = format!("/drafts/{number}/rows{group}");
    let problem = |error| Problem { error, back_to: page.clone() };
    let failed = |error: sqlx::Error| problem(mishap(error));
    if !visit.viewer.role.may_onboard() {
        return Err(problem(AppError::Forbidden));
    }
    let mut tx = visit.tenant().await.map_err(problem)?;
    let Some(draft) = store::hold_draft(&mut tx, number).await.map_err(failed)? else { return Err(not_found()) };
    if draft.is_started {
        return Ok(format!("/batches/{number}"));
    }
    store::correct(&mut tx, number, correction).await.map_err(failed)?;
    store::check_rows(&mut tx, number, visit.clock.now()).await.map_err(failed)?;
    if then == Then::Sync {
        businesses::ask_for_sync(&mut tx, visit).await.map_err(failed)?;
    }
    tx.commit().await.map_err(failed)?;
    Ok(if then == Then::Confirm { format!("/drafts/{number}") } else { page })
}

async fn throw_away(visit: &Visit, number: &str) -> Result<String, Problem> {
    let number = read_number(number)?;
    let problem = |error| Problem { error, back_to: format!("/drafts/{number}") };
    let failed = |error: sqlx::Error| problem(mishap(error));
    if !visit.viewer.role.may_onboard() {
        return Err(problem(AppError::Forbidden));
    }
    let mut tx = visit.tenant().await.map_err(problem)?;
    match store::hold_draft(&mut tx, number).await.map_err(failed)? {
        None => return Err(not_found()),
        Some(draft) if draft.is_started => return Ok(format!("/batches/{number}")),
        Some(_) => {}
    }
    store::discard(&mut tx, number).await.map_err(failed)?;
    tx.commit().await.map_err(failed)?;
    Ok("/businesses".to_owned())
}

fn read_number(number: &str) -> Result<DraftNumber, Problem> {
    number.trim().parse().map_err(|_| not_found())
}

fn not_found() -> Problem {
    Problem { error: AppError::NotFound, back_to: "/businesses".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cant_be_read_of_a_correction_is_left_out() {
        let texts = |given: &[&str]| given.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let read = read_correction(
            &texts(&["1", "x", "3"]),
            &texts(&["3", ""]),
            &texts(&["7", "y", "9"]),
            texts(&["17", "18", "19", "20"]),
        );
        let entered = vec![(7, "17".to_owned()), (9, "19".to_owned())];
        assert_eq!(read, Correction { shown: vec![1, 3], kept: vec![3], entered });
    }

    #[test]
    fn the_way_back_keeps_what_was_filled_in() {
        let form = StartForm { name: " India & Brazil? ".into(), solution_id: "23".into(), ..StartForm::default() };
        assert_eq!(form.page(DraftNumber(7)), "/drafts/7?name=India%20%26%20Brazil%3F&solution=23");
        let form = StartForm { name: "é".repeat(500), solution_id: "\"<>".repeat(50), ..StartForm::default() };
        assert!(form.page(DraftNumber(7)).len() < 800);
    }
}
