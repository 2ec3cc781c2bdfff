//! The doors of assigning: plain forms that end in a redirect.

use leptos::prelude::*;

use super::{
    Manager,
    store::{self, Hand},
};
use crate::{
    businesses::{
        query::{PATH, Query},
        selection::{SelectionNotice, Ticks, view_href, view_with_notice},
        store as businesses_store,
    },
    db::TenantTx,
    graph::BusinessId,
    sign_in::{Problem, Visit, finish},
    telemetry::mishap,
    ui::AppError,
};

/// Assigns a business to a member, or (`none`) to nobody. Ends on its page.
#[server(prefix = "/businesses", endpoint = "assign")]
pub async fn assign(business_id: String, #[server(default)] manager: String) -> Result<(), AppError> {
    let visit = Visit::from_context()?;
    finish(assign_one(&visit, &business_id, &manager).await)
}

/// Keeps the ticks of a page of the list, and leads to where all that are ticked are assigned. The fields are those of `select`.
#[server(prefix = "/businesses", endpoint = "assign_ticked")]
pub async fn assign_ticked(
    #[server(default)] view: String,
    #[server(default)] shown: Vec<String>,
    #[server(default)] tick: Vec<String>,
) -> Result<(), AppError> {
    let visit = Visit::from_context()?;
    finish(keep_ticks(&visit, &view, &Ticks::read(&shown, &tick)).await)
}

/// Assigns all that are ticked to a member, or (`none`) to nobody. Ends on the list of what that member looks after now.
#[server(prefix = "/businesses", endpoint = "assign_selected")]
pub async fn assign_selected(#[server(default)] manager: String) -> Result<(), AppError> {
    let visit = Visit::from_context()?;
    finish(assign_all(&visit, &manager).await)
}

async fn assign_one(visit: &Visit, business_id: &str, manager: &str) -> Result<String, Problem> {
    let unknown = || Problem { error: AppError::NotFound, back_to: PATH.to_owned() };
    let business: BusinessId = business_id.trim().parse().map_err(|_| unknown())?;
    let page = format!("/businesses/{business}");
    let problem = |error| Problem { error, back_to: page.clone() };
    let failed = |error: sqlx::Error| problem(mishap(error));
    if !visit.viewer.role.may_onboard() {
        return Err(problem(AppError::Forbidden));
    }
    let mut tx = visit.tenant().await.map_err(problem)?;
    let manager = read(&mut tx, manager).await.map_err(failed)?.ok_or_else(|| problem(no_such_member()))?;
    let known = store::assign(&mut tx, &business, manager, hand(visit)).await.map_err(failed)?;
    if !known {
        return Err(unknown());
    }
    tx.commit().await.map_err(failed)?;
    Ok(format!("{page}?notice=assigned"))
}

async fn keep_ticks(visit: &Visit, view: &str, ticks: &Ticks) -> Result<String, Problem> {
    let problem = |error| Problem { error, back_to: view_href(view) };
    let failed = |error: sqlx::Error| problem(mishap(error));
    if !visit.viewer.role.may_onboard() {
        return Err(problem(AppError::Forbidden));
    }
    let mut tx = visit.tenant().await.map_err(problem)?;
    let member = visit.viewer.member_id;
    businesses_store::keep_ticks(&mut tx, member, ticks).await.map_err(failed)?;
    let selected = businesses_store::selected(&mut tx, member, &[]).await.map_err(failed)?;
    tx.commit().await.map_err(failed)?;
    if selected.count == 0 { Ok(view_with_notice(view, SelectionNotice::Nothing)) } else { Ok("/assign".to_owned()) }
}

async fn assign_all(visit: &Visit, manager: &str) -> Result<String, Problem> {
    let problem = |error| Problem { error, back_to: "/assign".to_owned() };
    let failed = |error: sqlx::Error| problem(mishap(error));
    if !visit.viewer.role.may_onboard() {
        return Err(problem(AppError::Forbidden));
    }
    let mut tx = visit.tenant().await.map_err(problem)?;
    let manager = read(&mut tx, manager).await.map_err(failed)?.ok_or_else(|| problem(no_such_member()))?;
    let mut chosen = store::assign_selected(&mut tx, manager, hand(visit)).await.map_err(failed)?;
    tx.commit().await.map_err(failed)?;
    // What is cut short here stays ticked: it's assigned when the form is sent again.
    let mut some = chosen;
    while some > 0 {
        let mut tx = visit.tenant().await.map_err(problem)?;
        some = store::assign_selected(&mut tx, manager, hand(visit)).await.map_err(failed)?;
        tx.commit().await.map_err(failed)?;
        chosen += some;
    }
    let theirs = Query { manager: Some(manager), ..Query::default() }.href();
    let notice = if chosen == 0 { SelectionNotice::Nothing } else { SelectionNotice::Assigned };
    Ok(view_with_notice(&theirs, notice))
}

/// `None` for what is no member of the partner's, or one who was removed.
async fn read(tx: &mut TenantTx, key: &str) -> sqlx::Result<Option<Manager>> {
    let Some(manager) = Manager::from_key(key.trim()) else { return Ok(None) };
    Ok(store::can_be(tx, manager).await?.then_some(manager))
}

fn hand(visit: &Visit) -> Hand {
    Hand { member_id: visit.viewer.member_id, now: visit.clock.now() }
}

fn no_such_member() -> AppError {
    AppError::Invalid {
        field: "manager".to_owned(),
        message: "Choose a member of your workspace, or nobody. Nothing was changed.".to_owned(),
    }
}
