//! Moves requests on when a sync has seen their business sign the terms or get a WABA onboarded.

use std::time::Duration;

use futures::{FutureExt, future::BoxFuture};

use super::{decide, store};
use crate::{
    clock::Clock,
    db::{Db, PartnerId},
    reconcile::{CancellationToken, Next, Reconciler},
};

/// Its name in wakes: a sync that ended wakes it.
pub const FOLLOW: &str = "follow";

const CHUNK: i64 = 1_000;

/// Compares open requests with what is known of their businesses.
pub struct Follow {
    db: Db,
    clock: Clock,
}

impl Follow {
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }

    async fn pass(&self, partner: &PartnerId) -> anyhow::Result<Next> {
        let mut tx = self.db.tenant(partner).await?;
        let behind = store::behind(&mut tx, CHUNK).await?;
        let moves: Vec<_> = behind
            .iter()
            .filter_map(|behind| Some((behind.number, decide::follow(behind.state, behind.progress)?)))
            .collect();
        if !moves.is_empty() {
            store::advance(&mut tx, &moves, self.clock.now()).await?;
        }
        tx.commit().await?;
        Ok(if behind.len() == usize::try_from(CHUNK)? { Next::Again } else { Next::Idle })
    }
}

impl Reconciler for Follow {
    fn name(&self) -> &'static str {
        FOLLOW
    }

    fn period(&self) -> Duration {
        Duration::from_mins(1)
    }

    fn reconcile<'a>(
        &'a self,
        partner: &'a PartnerId,
        _: &'a CancellationToken,
    ) -> BoxFuture<'a, anyhow::Result<Next>> {
        self.pass(partner).boxed()
    }
}
