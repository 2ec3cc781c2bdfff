//! The pages of drafts: bringing a list in, looking at its rows, and starting it.

mod confirm;
mod import;
mod rows;
#[cfg(test)]
mod tests;

use leptos::prelude::*;
use leptos_axum::ResponseOptions;

use super::{
    consent::Dissent,
    groups::Group,
    model::{Draft, DraftNumber, Source},
    reader::Refusal,
    store,
};
use crate::{
    businesses::{self, SyncState},
    db::TenantTx,
    sign_in::{Page, Visit},
    telemetry::mishap,
    ui::{AppError, ErrorNotice, Glyph, Icon, Notice, NoticeKind},
};

pub use self::{confirm::confirm_page, import::import_page, rows::rows_page};

/// A draft as a page finds it.
struct Found {
    tx: TenantTx,
    draft: Draft,
    sync: SyncState,
}

/// The draft that the address names, compared with what the last sync saw. A batch, which it may be by now, is found as well.
async fn find(visit: &Visit) -> Result<Found, AppError> {
    let number: DraftNumber = visit.param("number").and_then(|number| number.parse().ok()).ok_or(AppError::NotFound)?;
    let mut tx = visit.tenant().await?;
    let sync = businesses::sync_state(&mut tx).await.map_err(mishap)?;
    let draft = store::find_draft(&mut tx, number).await.map_err(mishap)?.ok_or(AppError::NotFound)?;
    let is_old = sync.synced_at.is_some_and(|synced_at| synced_at > draft.checked_at);
    if draft.is_started || !is_old {
        return Ok(Found { tx, draft, sync });
    }
    let draft = store::hold_draft(&mut tx, number).await.map_err(mishap)?.ok_or(AppError::NotFound)?;
    if !draft.is_started {
        store::check_rows(&mut tx, number, visit.clock.now()).await.map_err(mishap)?;
    }
    tx.commit().await.map_err(mishap)?;
    Ok(Found { tx: visit.tenant().await?, draft, sync })
}

/// Leads to the batch that a draft has become. `answer` is taken from the context before the first `await`.
fn batch_instead(answer: Option<&ResponseOptions>, draft: &Draft) -> Page {
    let path = format!("/batches/{}", draft.number);
    if let (Some(answer), Ok(location)) = (answer, http::HeaderValue::from_str(&path)) {
        answer.set_status(http::StatusCode::SEE_OTHER);
        answer.insert_header(http::header::LOCATION, location);
    }
    let view = view! { <p><a class="link" href=path>"This batch was started. Go to it"</a></p> };
    Page { title: "Batch".to_owned(), view: view.into_any() }
}

/// What a door said before it led here.
fn problem_notice(visit: &Visit) -> Option<AnyView> {
    let code = visit.query("problem")?;
    let told = if let Some(dissent) = Dissent::from_code(&code) {
        ("Not sent", dissent.words().to_owned())
    } else if let Some(refusal) = Refusal::from_code(&code, visit.query("line").as_deref()) {
        ("This list can not be taken", refusal.words())
    } else {
        let back = visit.path_and_query();
        return visit.problem().map(|error| view! { <ErrorNotice error=error back=back/> }.into_any());
    };
    let (title, words) = told;
    Some(view! { <Notice kind=NoticeKind::Error title=title alert=true><p>{words}</p></Notice> }.into_any())
}

/// The three steps of a list; a selection has none.
fn steps(source: Source, current: usize) -> Option<AnyView> {
    if source == Source::Selection {
        return None;
    }
    let steps = ["Upload", "Check", "Confirm"].into_iter().enumerate().map(|(at, word)| {
        if at < current {
            return view! { <li class="is-done"><Icon glyph=Glyph::Check/><span>{word}</span><span class="vh">", done"</span></li> }
                .into_any();
        }
        let current = (at == current).then_some("step");
        view! { <li aria-current=current><span class="step-n" aria-hidden="true">{at + 1}</span><span>{word}</span></li> }
            .into_any()
    });
    Some(view! { <ol class="steps" aria-label="Steps">{steps.collect_view()}</ol> }.into_any())
}

fn rows_url(number: DraftNumber, group: Group) -> String {
    format!("/drafts/{number}/rows?finding={}", group.key())
}
