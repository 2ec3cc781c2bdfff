//! The settings page.

use leptos::prelude::*;

use super::connection::connection_section;
use crate::{
    graph::Graph,
    sign_in::{self, Page, SystemUserRefusal, Visit},
    telemetry::{self, mishap},
    ui::{AppError, ErrorNotice, Notice, NoticeKind, PageHead},
};

/// `/settings`, for every role. `?notice=` and `?problem=` tell what became of a form.
///
/// # Errors
/// Postgres being away.
pub async fn settings_page(visit: Visit) -> Result<Page, AppError> {
    let Some(settings) = use_context::<Graph>().map(|graph| graph.settings().clone()) else {
        tracing::error!("the settings page runs without Graph in its context");
        return Err(AppError::Unexpected { reference: telemetry::reference() });
    };
    let (viewer, now) = (&visit.viewer, visit.clock.now());
    let mut tx = visit.tenant().await?;
    let connection = sign_in::connection(&mut tx, viewer.member_id, now).await.map_err(mishap)?;
    drop(tx);
    let kept = connection.system_user.is_some();
    let partner = viewer.partner_name.clone();
    let view = view! {
        <PageHead title="Settings"><span><bdi>{partner}</bdi>", solution partner"</span></PageHead>
        {told(&visit, kept)}
        {connection_section(&connection, viewer, &settings, now)}
    };
    Ok(Page { title: "Settings".to_owned(), view: view.into_any() })
}

/// What a form that led here has to tell.
fn told(visit: &Visit, kept: bool) -> Option<AnyView> {
    if let Some(refusal) = SystemUserRefusal::read(|name| visit.query(name)) {
        return Some(refused(refusal, kept));
    }
    if let Some(error) = visit.problem() {
        return Some(view! { <ErrorNotice error=error back="/settings"/> }.into_any());
    }
    let (title, text) = match (visit.query("notice")?.as_str(), kept) {
        ("stored", true) => ("Token stored", "Requests are sent with it from now on. It will not be shown again."),
        ("removed", false) => ("Token removed", "Each member’s requests are sent with their own token from now on."),
        _ => return None,
    };
    Some(view! { <Notice kind=NoticeKind::Done title=title><p>{text}</p></Notice> }.into_any())
}

fn refused(refusal: SystemUserRefusal, kept: bool) -> AnyView {
    let (title, text) = (refusal.title(), refusal.text());
    let missing = (!refusal.missing.is_empty()).then(|| {
        let names = refusal.missing.into_iter().map(|name| view! { <li><code>{name}</code></li> }).collect_view();
        view! { <p>"Missing:"</p><ul class="missing">{names}</ul> }
    });
    let trace = refusal.fbtrace_id.map(|id| view! { <p>"Meta’s trace ID, for their support: "<code>{id}</code></p> });
    let rest = if kept {
        "What you pasted was not kept. The token stored before is still in use."
    } else {
        "What you pasted was not kept."
    };
    view! {
        <Notice kind=NoticeKind::Error title=title alert=true>
            <p>{text}</p>
            {missing}
            {trace}
            <p>{rest}</p>
        </Notice>
    }
    .into_any()
}
