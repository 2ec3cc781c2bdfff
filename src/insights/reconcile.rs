//! Counts what happened since the last look, a bounded step at a time.

use std::time::Duration;

use futures::{FutureExt, future::BoxFuture};

use super::store::{self, Source};
use crate::{
    clock::Clock,
    db::{Db, PartnerId},
    reconcile::{CancellationToken, Next, Reconciler},
};

/// Its name in wakes.
pub const INSIGHTS: &str = "insights";

/// Ids that one step goes through: a tenth of a second or two.
const STEP: i64 = 20_000;

/// While something may still be written that isn't counted yet.
const SOON: Duration = Duration::from_secs(1);

/// Keeps the sums of `/insights`.
pub struct CountInsights {
    db: Db,
    clock: Clock,
}

impl CountInsights {
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }

    async fn pass(&self, partner: &PartnerId, stop: &CancellationToken) -> anyhow::Result<Next> {
        let mut next = Next::Idle;
        for source in Source::ALL {
            loop {
                let now = self.clock.now();
                let mut tx = self.db.tenant(partner).await?;
                let progress = store::step(&mut tx, source, STEP, now).await?;
                tx.commit().await?;
                if !progress.is_behind {
                    if progress.is_awaiting {
                        next = Next::At(now + SOON);
                    }
                    break;
                }
                if stop.is_cancelled() {
                    return Ok(Next::Again);
                }
            }
        }
        Ok(next)
    }
}

impl Reconciler for CountInsights {
    fn name(&self) -> &'static str {
        INSIGHTS
    }

    fn period(&self) -> Duration {
        Duration::from_secs(10)
    }

    fn reconcile<'a>(
        &'a self,
        partner: &'a PartnerId,
        stop: &'a CancellationToken,
    ) -> BoxFuture<'a, anyhow::Result<Next>> {
        self.pass(partner, stop).boxed()
    }
}
