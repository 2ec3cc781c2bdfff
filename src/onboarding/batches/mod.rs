//! A batch once it is started: how far it is, live; what went wrong; pausing, stopping and trying again; its results as a file.
//!
//! Who calls: `app.rs` (the pages, and [`at_work`] for the frame), `server.rs` ([`routes`]: what streams).
//!
//! What always holds:
//! - a batch's page, its events and its file show one partner's rows, and 404 to everyone else;
//! - numbers are counted from the requests themselves, so that no counter can drift from what it counts;
//! - all viewers of a batch cost one look a second, and each is told the newest state, also after connecting anew;
//! - stopping spares what has left: only what `decide::may_cancel` allows is cancelled;
//! - what failed is tried again once, however often it's asked for.

mod islands;

#[cfg(feature = "hydrate")]
mod browser;

pub use islands::LiveBatch;

#[cfg(feature = "ssr")]
mod api;
#[cfg(feature = "ssr")]
mod events;
#[cfg(feature = "ssr")]
mod live;
#[cfg(feature = "ssr")]
mod model;
#[cfg(feature = "ssr")]
mod pace;
#[cfg(feature = "ssr")]
mod page;
#[cfg(feature = "ssr")]
mod results;
#[cfg(feature = "ssr")]
mod routes;
#[cfg(feature = "ssr")]
mod store;
#[cfg(test)]
#[cfg(feature = "ssr")]
mod tests;

#[cfg(feature = "ssr")]
pub use self::{
    api::{CancelRest, Pause, Resume, RetryFailed},
    live::Live,
    model::BatchNumber,
    page::{batch_page, batches_page, cancel_page},
    routes::routes,
};

/// What is said of a partner's sending in the frame of every page.
#[cfg(feature = "ssr")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtWork {
    /// Percent of Meta's call limit that the partner has used up, if Meta named it lately.
    pub limit: Option<u8>,
    /// Batches that still have something to claim and aren't paused.
    pub running: u64,
}

/// What is under way.
///
/// # Errors
/// When Postgres is gone.
#[cfg(feature = "ssr")]
pub async fn at_work(tx: &mut crate::db::TenantTx, now: time::OffsetDateTime) -> sqlx::Result<AtWork> {
    Ok(AtWork { limit: store::limit(tx, now).await?.used_percent, running: store::running(tx).await? })
}
