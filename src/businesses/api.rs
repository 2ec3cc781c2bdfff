//! The doors of this room: 'Sync now', and ticking businesses.

use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    query::{PATH, Query},
    reconcile::NAME,
    selection::{SelectionNotice, Ticks, view_with_notice},
    store,
};
use crate::{
    db::TenantTx,
    reconcile::wake,
    sign_in::{Problem, Visit, finish},
    telemetry::mishap,
    ui::AppError,
};

/// Asks for a sync. Anyone of the partner may: it sends nothing to anyone. While one runs it is that one.
#[server(prefix = "/businesses", endpoint = "sync")]
pub async fn sync_now() -> Result<(), AppError> {
    let visit = Visit::from_context()?;
    finish(ask(&visit).await.map(|()| PATH.to_owned()).map_err(|error| Problem { error, back_to: PATH.to_owned() }))
}

/// Keeps the ticks of a page of the list. `view` is that page's URL, `shown` its businesses, `tick` those that are ticked.
#[server(prefix = "/businesses", endpoint = "select")]
pub async fn select(
    #[server(default)] view: String,
    #[server(default)] shown: Vec<String>,
    #[server(default)] tick: Vec<String>,
) -> Result<(), AppError> {
    let visit = Visit::from_context()?;
    finish(keep(&visit, &view, &Ticks::read(&shown, &tick), Then::Nothing).await)
}

/// As [`select`], and adds all that match the search and the filter of the page.
#[server(prefix = "/businesses", endpoint = "select_matching")]
pub async fn select_matching(
    #[server(default)] view: String,
    #[server(default)] shown: Vec<String>,
    #[server(default)] tick: Vec<String>,
) -> Result<(), AppError> {
    let visit = Visit::from_context()?;
    finish(keep(&visit, &view, &Ticks::read(&shown, &tick), Then::SelectMatching).await)
}

/// Takes every tick away.
#[server(prefix = "/businesses", endpoint = "clear_selection")]
pub async fn clear_selection(#[server(default)] view: String) -> Result<(), AppError> {
    let visit = Visit::from_context()?;
    finish(keep(&visit, &view, &Ticks::default(), Then::Clear).await)
}

async fn ask(visit: &Visit) -> Result<(), AppError> {
    let mut tx = visit.tenant().await?;
    ask_for_sync(&mut tx, visit).await.map_err(mishap)?;
    tx.commit().await.map_err(mishap)
}

/// Asks for a sync when the transaction commits.
pub async fn ask_for_sync(tx: &mut TenantTx, visit: &Visit) -> sqlx::Result<()> {
    store::ask_for_sync(tx, Some(visit.viewer.member_id), visit.clock.now()).await?;
    let partner = tx.partner().clone();
    wake(tx, NAME, &partner).await
}

/// Asks for a sync that nobody clicked for, when the transaction commits: Meta has told that something changed. While one runs it is that one.
pub async fn sync_soon(tx: &mut TenantTx, now: OffsetDateTime) -> sqlx::Result<()> {
    store::ask_for_sync(tx, None, now).await?;
    let partner = tx.partner().clone();
    wake(tx, NAME, &partner).await
}

/// What follows once the ticks of the page are kept.
#[derive(Clone, Copy, Debug)]
enum Then {
    Nothing,
    SelectMatching,
    Clear,
}

async fn keep(visit: &Visit, view: &str, ticks: &Ticks, then: Then) -> Result<String, Problem> {
    let query = Query::from_href(view);
    let href = query.href();
    let problem = |error| Problem { error, back_to: href.clone() };
    let failed = |error: sqlx::Error| problem(mishap(error));
    if !visit.viewer.role.may_onboard() {
        return Err(problem(AppError::Forbidden));
    }
    let mut tx = visit.tenant().await.map_err(problem)?;
    let member = visit.viewer.member_id;
    store::keep_ticks(&mut tx, member, ticks).await.map_err(failed)?;
    let mut all = true;
    match then {
        Then::Nothing => {}
        Then::SelectMatching => {
            let found = store::find_asked(&mut tx, &query).await.map_err(failed)?;
            let (behind, since) = ((query.filter, query.manager), visit.stalled_before());
            all = store::select_matching(&mut tx, member, behind, found.as_ref(), since).await.map_err(failed)?;
        }
        Then::Clear => store::clear_selection(&mut tx, member).await.map_err(failed)?,
    }
    tx.commit().await.map_err(failed)?;
    Ok(if all { href } else { view_with_notice(&href, SelectionNotice::NotAll) })
}
