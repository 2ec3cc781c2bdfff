//! The doors of the system user's token: storing and removing it. Admins only; both end on the settings page.

use std::sync::Arc;

use leptos::prelude::*;
use secrecy::SecretString;

use super::{
    super::{
        audit::{Act, audit},
        members::hold_as_admin,
        model::Role,
        visit::{Problem, Visit, finish},
    },
    check::check,
    seal, store,
};
use crate::{
    graph::Graph,
    reconcile::wake,
    telemetry::{self, mishap},
    ui::AppError,
    vault::Vault,
};

/// The page with the form.
const PAGE: &str = "/settings";

/// Keeps a system user's token, once Meta has said that it's good. From then on requests are sent with it.
#[server(prefix = "/settings", endpoint = "store-system-user-token")]
pub async fn store_system_user_token(#[server(default)] token: String) -> Result<(), AppError> {
    let (visit, tools) = (Visit::from_context()?, Tools::from_context()?);
    finish(keep(&visit, &tools, &token.into()).await)
}

/// Forgets it. From then on each member's requests are sent with their own.
#[server(prefix = "/settings", endpoint = "remove-system-user-token")]
pub async fn remove_system_user_token() -> Result<(), AppError> {
    let visit = Visit::from_context()?;
    finish(forget(&visit).await.map(|()| format!("{PAGE}?notice=removed")).map_err(back))
}

/// What checking and sealing need.
struct Tools {
    graph: Graph,
    vault: Arc<Vault>,
}

impl Tools {
    fn from_context() -> Result<Self, AppError> {
        let (Some(graph), Some(vault)) = (use_context::<Graph>(), use_context::<Arc<Vault>>()) else {
            tracing::error!("a door runs without Graph and Vault in its context");
            return Err(AppError::Unexpected { reference: telemetry::reference() });
        };
        Ok(Self { graph, vault })
    }
}

async fn keep(visit: &Visit, tools: &Tools, typed: &SecretString) -> Result<String, Problem> {
    let (viewer, now) = (&visit.viewer, visit.clock.now());
    if viewer.role != Role::Admin {
        return Err(back(AppError::Forbidden));
    }
    let checked = check(&tools.graph, &viewer.partner, viewer.member_id, typed, now).await;
    let checked =
        checked.map_err(|refusal| Problem { error: AppError::from(&refusal), back_to: refusal.carried_by(PAGE) })?;
    let sealed = seal(&tools.vault, &viewer.partner, checked.system_user.id.as_str(), &checked.token)
        .map_err(|error| back(mishap(error)))?;
    // Meta may have taken its time: the token stands from now on.
    let now = visit.clock.now();
    let failed = |error: sqlx::Error| back(mishap(error));
    let mut tx = visit.tenant().await.map_err(back)?;
    if !hold_as_admin(&mut tx, viewer.member_id).await.map_err(failed)? {
        return Err(back(AppError::Forbidden));
    }
    store::save(&mut tx, &checked, &sealed, viewer.member_id, now).await.map_err(failed)?;
    let stored = visit.entry(Act::TokenStored, checked.system_user.name.as_str());
    audit(&mut tx, &stored).await.map_err(failed)?;
    // What waited because there was no working token goes on.
    wake(&mut tx, "dispatch", &viewer.partner).await.map_err(failed)?;
    tx.commit().await.map_err(failed)?;
    tracing::info!(partner = %viewer.partner, member_id = viewer.member_id, "a system user's token was stored");
    Ok(format!("{PAGE}?notice=stored"))
}

async fn forget(visit: &Visit) -> Result<(), AppError> {
    let viewer = &visit.viewer;
    if viewer.role != Role::Admin {
        return Err(AppError::Forbidden);
    }
    let mut tx = visit.tenant().await?;
    if !hold_as_admin(&mut tx, viewer.member_id).await.map_err(mishap)? {
        return Err(AppError::Forbidden);
    }
    if store::remove(&mut tx).await.map_err(mishap)? {
        audit(&mut tx, &visit.entry(Act::TokenRemoved, "")).await.map_err(mishap)?;
    }
    // Whoever has opened it to send with forgets it.
    wake(&mut tx, "dispatch", &viewer.partner).await.map_err(mishap)?;
    tx.commit().await.map_err(mishap)?;
    tracing::info!(partner = %viewer.partner, member_id = viewer.member_id, "the system user's token was removed");
    Ok(())
}

fn back(error: AppError) -> Problem {
    Problem { error, back_to: PAGE.to_owned() }
}
