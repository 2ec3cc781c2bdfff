//! Clears away sessions that have ended, and forms that nobody came back for.

use std::time::Duration;

use futures::{FutureExt, future::BoxFuture};

use super::{session_store::delete_expired_sessions, store, unsent::KEPT_FOR};
use crate::{
    clock::Clock,
    db::{Db, PartnerId},
    reconcile::{CancellationToken, Next, Reconciler},
};

/// Deletes what has expired. Sessions belong to no partner, so whichever partner's turn comes first does it for all.
pub struct ExpiredSessions {
    db: Db,
    clock: Clock,
}

impl ExpiredSessions {
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }

    async fn clear(&self, partner: &PartnerId) -> anyhow::Result<Next> {
        let mut tx = self.db.tenant(partner).await?;
        store::clear_unsent(&mut tx, self.clock.now() - KEPT_FOR).await?;
        tx.commit().await?;
        let gone = delete_expired_sessions(&self.db, self.clock.now()).await?;
        if gone > 0 {
            tracing::info!(sessions = gone, "expired sessions deleted");
        }
        Ok(Next::Idle)
    }
}

impl Reconciler for ExpiredSessions {
    fn name(&self) -> &'static str {
        "sessions"
    }

    fn period(&self) -> Duration {
        Duration::from_hours(1)
    }

    fn reconcile<'a>(
        &'a self,
        partner: &'a PartnerId,
        _: &'a CancellationToken,
    ) -> BoxFuture<'a, anyhow::Result<Next>> {
        self.clear(partner).boxed()
    }
}
