//! Runs the rooms' background work: each [`Reconciler`] for each partner, one holder at a time among all instances.
//!
//! A reconciler compares what is with what should be and does what is missing. It takes no message: it's told only that
//! it's worth looking (a wake, by NOTIFY in the transaction that made work) and looks all the same when its period is over,
//! so that a lost wake costs time, never work. It must be idempotent and find its way after a crash from the tables alone.
//!
//! Who may look is settled by a Postgres session lock ([`locks`]): when a holder dies its connection goes, and with it the
//! lock; others ask every few seconds, and at once when a holder that ends says so. What always holds: while
//! [`Reconciler::reconcile`] runs for a partner, no other instance runs it for the same partner, but for the moments after
//! Postgres itself was away: then a holder finds within a second that its lock is gone, and ends its pass.

mod locks;
mod runner;
mod signals;

use std::time::Duration;

use futures::future::{BoxFuture, Fuse};
use sqlx::PgConnection;
use time::OffsetDateTime;
pub use tokio_util::sync::CancellationToken;

use crate::db::PartnerId;
pub use runner::Runner;
pub use signals::{Signal, Signals, Subscription};

/// Background work of a room.
pub trait Reconciler: Send + Sync + 'static {
    /// Its name in locks, logs and wakes.
    fn name(&self) -> &'static str;

    /// How long it may go without looking when nobody wakes it.
    fn period(&self) -> Duration;

    /// Looks, and does what is missing. `stop` is cancelled when the process is to end, or the lock was lost: finish what is in
    /// flight, begin nothing. An error is logged and the work looked at again after a delay.
    fn reconcile<'a>(
        &'a self,
        partner: &'a PartnerId,
        stop: &'a CancellationToken,
    ) -> BoxFuture<'a, anyhow::Result<Next>>;
}

/// Work of a pass that goes on beside its other work, at most one of its kind at a time; none when it's terminated.
pub type Lane<'a, T> = Fuse<BoxFuture<'a, T>>;

/// When to look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// When woken, or when the period is over.
    Idle,
    /// At once: there is more.
    Again,
    /// At this time, unless woken earlier.
    At(OffsetDateTime),
}

/// The channel of all signals.
const CHANNEL: &str = "liteboard";

/// Wakes `reconciler` for `partner`, in all instances, when the transaction commits.
///
/// # Errors
/// When Postgres is gone.
pub async fn wake(conn: &mut PgConnection, reconciler: &str, partner: &PartnerId) -> sqlx::Result<()> {
    signal(conn, &format!("{reconciler}:{partner}")).await
}

/// Tells everyone who listens for `name`, in all instances, when the transaction commits. For waking, use [`wake`].
///
/// # Errors
/// When Postgres is gone.
pub async fn signal(conn: &mut PgConnection, name: &str) -> sqlx::Result<()> {
    sqlx::query!("SELECT pg_notify($1, $2)", CHANNEL, name).fetch_one(conn).await.map(drop)
}

/// Waits: the one place of the house that sleeps, so that nothing else has to.
#[expect(clippy::disallowed_methods, reason = "this is reconcile/, where waiting lives")]
pub async fn pause(length: Duration) {
    tokio::time::sleep(length).await;
}
