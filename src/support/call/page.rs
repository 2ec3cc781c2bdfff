//! `/support/calls/{call_id}`: one call to Meta under an address of its own, for whoever of the partner's it is sent to.

use leptos::prelude::*;

use super::{
    call_answer,
    words::{call_heading, deed_of},
};
use crate::{
    sign_in::{Page, Visit},
    support::{find::find_call, page::graph_url},
    telemetry::mishap,
    ui::{AppError, Breadcrumbs, PageHead},
};

/// The page.
///
/// # Errors
/// `NotFound` for what is no call of this partner's.
pub async fn call_page(visit: Visit) -> Result<Page, AppError> {
    let graph = graph_url()?;
    let call_id = visit.param("call").and_then(|id| id.parse().ok()).ok_or(AppError::NotFound)?;
    let (viewer, now) = (&visit.viewer, visit.clock.now());
    let mut tx = visit.tenant().await?;
    let story = find_call(&mut tx, call_id, now).await.map_err(mishap)?.ok_or(AppError::NotFound)?;
    drop(tx);
    let title = call_heading(&deed_of(&story.call), story.call.failure.as_deref(), story.call.is_refused());
    let answer = call_answer(&story, viewer, &graph, now);
    let view = view! {
        <Breadcrumbs above=vec![("Look up", "/support".to_owned())] here=format!("Call {call_id}")/>
        <PageHead title="One call to Meta"/>
        {answer}
    };
    Ok(Page { title, view: view.into_any() })
}
