//! The door of this room: 'Sync now'.

use leptos::prelude::*;

use super::{query::PATH, reconcile::NAME, store};
use crate::{
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

async fn ask(visit: &Visit) -> Result<(), AppError> {
    let mut tx = visit.tenant().await?;
    store::ask_for_sync(&mut tx, Some(visit.viewer.member_id), visit.clock.now()).await.map_err(mishap)?;
    let partner = tx.partner().clone();
    wake(&mut tx, NAME, &partner).await.map_err(mishap)?;
    tx.commit().await.map_err(mishap)
}
