//! What the instances tell each other through Postgres: one LISTEN connection a process, handed on to whoever waits.

use std::{sync::Arc, time::Duration};

use sqlx::postgres::PgListener;
use tokio::sync::broadcast;

use super::{CHANNEL, CancellationToken, pause};
use crate::db::Db;

/// One thing heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Somebody signalled this name.
    Named(Arc<str>),
    /// The connection was lost and is back: anything may have been missed, so everyone looks.
    Missed,
}

impl Signal {
    /// Whether one who waits for `name` should look.
    pub fn concerns(&self, name: &str) -> bool {
        match self {
            Self::Named(heard) => **heard == *name,
            Self::Missed => true,
        }
    }
}

/// The hub of this process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Signals(broadcast::Sender<Signal>);

impl Default for Signals {
    fn default() -> Self {
        Self(broadcast::Sender::new(1_024))
    }
}

impl Signals {
    /// Hears everything from now on.
    pub fn subscribe(&self) -> Subscription {
        Subscription(self.0.subscribe())
    }

    /// Listens until `stop`, reconnecting for as long as it takes.
    pub async fn listen(self, db: Db, stop: CancellationToken) {
        let mut failures = 0_u32;
        loop {
            let heard = tokio::select! {
                () = stop.cancelled() => return,
                ended = self.listen_once(&db) => ended,
            };
            if let Err(error) = heard {
                failures += 1;
                if failures == 1 {
                    tracing::warn!(%error, "can't listen to Postgres: trying again every second");
                }
            } else {
                failures = 0;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = pause(Duration::from_secs(1)) => {}
            }
        }
    }

    async fn listen_once(&self, db: &Db) -> sqlx::Result<()> {
        let mut listener = PgListener::connect_with(db.pool()).await?;
        listener.listen(CHANNEL).await?;
        self.tell(Signal::Missed);
        while let Some(notification) = listener.try_recv().await? {
            self.tell(Signal::Named(notification.payload().into()));
        }
        Ok(())
    }

    fn tell(&self, signal: Signal) {
        // Nobody listening is no error: the timers look all the same.
        drop(self.0.send(signal));
    }
}

/// A waiter's end of the hub.
#[derive(Debug)]
pub struct Subscription(broadcast::Receiver<Signal>);

impl Subscription {
    /// Waits until `name` was signalled, or may have been.
    pub async fn heard(&mut self, name: &str) {
        loop {
            match self.0.recv().await {
                Ok(signal) if !signal.concerns(name) => {}
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_waiter_hears_its_own_name_and_nothing_else() {
        let signals = Signals::default();
        let mut waiter = signals.subscribe();
        signals.tell(Signal::Named("dispatch:2".into()));
        signals.tell(Signal::Named("dispatch:1".into()));
        waiter.heard("dispatch:1").await;
        assert!(waiter.0.is_empty());
    }

    #[tokio::test]
    async fn whoever_waits_looks_after_a_lost_connection() {
        let signals = Signals::default();
        let mut waiter = signals.subscribe();
        signals.tell(Signal::Missed);
        waiter.heard("anything").await;
    }
}
