//! The doors of notes: plain forms that lead back to the business.

use leptos::prelude::*;

use super::{NoteRefusal, clean, store};
use crate::{
    graph::BusinessId,
    sign_in::{Problem, Visit, finish},
    telemetry::mishap,
    ui::AppError,
};

/// Leaves a note on a business. Ends in its timeline.
#[server(prefix = "/businesses", endpoint = "add_note")]
pub async fn add_note(business_id: String, #[server(default)] words: String) -> Result<(), AppError> {
    let visit = Visit::from_context()?;
    finish(add(&visit, &business_id, &words).await)
}

/// Deletes a note of one's own. Ends in the timeline of its business.
#[server(prefix = "/businesses", endpoint = "delete_note")]
pub async fn delete_note(note: String) -> Result<(), AppError> {
    let visit = Visit::from_context()?;
    finish(delete(&visit, &note).await)
}

async fn add(visit: &Visit, business_id: &str, typed: &str) -> Result<String, Problem> {
    let unknown = || Problem { error: AppError::NotFound, back_to: super::super::query::PATH.to_owned() };
    let business: BusinessId = business_id.trim().parse().map_err(|_| unknown())?;
    let page = format!("/businesses/{business}");
    let problem = |error| Problem { error, back_to: page.clone() };
    if !visit.viewer.role.may_onboard() {
        return Err(problem(AppError::Forbidden));
    }
    let words = clean(typed).map_err(|refusal: NoteRefusal| Problem {
        error: AppError::Invalid { field: "words".to_owned(), message: refusal.words().to_owned() },
        back_to: format!("{page}?problem={}", refusal.code()),
    })?;
    let failed = |error: sqlx::Error| problem(mishap(error));
    let mut tx = visit.tenant().await.map_err(problem)?;
    let kept =
        store::add(&mut tx, &business, visit.viewer.member_id, &words, visit.clock.now()).await.map_err(failed)?;
    if !kept {
        return Err(unknown());
    }
    tx.commit().await.map_err(failed)?;
    Ok(format!("{page}?notice=noted#timeline"))
}

async fn delete(visit: &Visit, note: &str) -> Result<String, Problem> {
    let problem = |error| Problem { error, back_to: super::super::query::PATH.to_owned() };
    let failed = |error: sqlx::Error| problem(mishap(error));
    if !visit.viewer.role.may_onboard() {
        return Err(problem(AppError::Forbidden));
    }
    let note: i64 = note.parse().map_err(|_| problem(AppError::NotFound))?;
    let mut tx = visit.tenant().await.map_err(problem)?;
    let business = store::delete(&mut tx, note, visit.viewer.member_id, visit.clock.now()).await.map_err(failed)?;
    let business = business.ok_or_else(|| problem(AppError::NotFound))?;
    tx.commit().await.map_err(failed)?;
    Ok(format!("/businesses/{business}?notice=note_deleted#timeline"))
}
