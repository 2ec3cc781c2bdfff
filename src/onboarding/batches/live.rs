//! How a batch stands, told to whoever watches: one look for all viewers of this process, at most one a second.
//!
//! A watch begins with the first viewer of a batch and ends with the last. It is woken by outcomes being saved, here or in
//! another instance, and by a timer; what it saw is handed to every viewer, who sends it on when it differs from what they sent
//! last. So a viewer may miss steps, but never the newest state; and one who connects anew is told that first.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::watch;

use super::{
    model::{BatchNumber, Pulse},
    store,
};
use crate::{
    clock::Clock,
    db::{Db, PartnerId},
    onboarding::reconcile::settled,
    reconcile::{CancellationToken, Signals, pause},
};

/// The least time between two looks.
const REST: Duration = Duration::from_secs(1);

/// The longest time after that, when nobody tells of anything: a wait that is over tells nobody.
const PATIENCE: Duration = Duration::from_secs(4);

/// What is watched: a batch of a partner.
type Key = (PartnerId, BatchNumber);

/// What was seen last; `None` before the first look.
type Seen = Option<Arc<Pulse>>;

/// The watches of this process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Live {
    pub(super) db: Db,
    pub(super) clock: Clock,
    /// Cancelled when the process is to end: streams end with it.
    pub(super) stop: CancellationToken,
    signals: Signals,
    watched: Arc<Mutex<HashMap<Key, watch::Sender<Seen>>>>,
}

impl Live {
    pub fn new(db: Db, clock: Clock, signals: Signals, stop: CancellationToken) -> Self {
        Self { db, clock, stop, signals, watched: Arc::default() }
    }

    /// Joins the watch of a batch, or begins it.
    pub(super) fn join(&self, partner: &PartnerId, batch: BatchNumber) -> watch::Receiver<Seen> {
        let key = (partner.clone(), batch);
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = watched.get(&key) {
            return sender.subscribe();
        }
        let (sender, receiver) = watch::channel(None);
        watched.insert(key.clone(), sender.clone());
        tokio::spawn(self.clone().watch(key, sender));
        receiver
    }

    /// How a batch stands now.
    pub(super) async fn look(&self, partner: &PartnerId, batch: BatchNumber) -> sqlx::Result<Option<Pulse>> {
        let mut tx = self.db.tenant(partner).await?;
        store::pulse(&mut tx, batch, self.clock.now()).await
    }

    async fn watch(self, key: Key, sender: watch::Sender<Seen>) {
        let mut signalled = self.signals.subscribe();
        let name = settled(&key.0);
        loop {
            match self.look(&key.0, key.1).await {
                Ok(Some(pulse)) => drop(sender.send_replace(Some(Arc::new(pulse)))),
                Ok(None) => {}
                Err(error) => tracing::debug!(%error, batch = %key.1, "can't look at a batch that is watched"),
            }
            // What is signalled meanwhile is heard right after.
            for (wait, hears) in [(REST, false), (PATIENCE, true)] {
                tokio::select! {
                    () = self.stop.cancelled() => return,
                    () = sender.closed() => if self.leave(&key) { return },
                    () = signalled.heard(&name), if hears => {}
                    () = pause(wait) => {}
                }
            }
        }
    }

    /// Ends a watch that nobody joined since its last viewer left.
    fn leave(&self, key: &Key) -> bool {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let alone = watched.get(key).is_none_or(|sender| sender.receiver_count() == 0);
        if alone {
            watched.remove(key);
        }
        alone
    }

    /// How many batches are watched.
    #[cfg(test)]
    pub(super) fn watches(&self) -> usize {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}
