//! The loop round the reconcilers: lock, look, wait for a wake or the clock.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::FutureExt;
use tokio::task::JoinSet;

use super::{
    CancellationToken, Next, Reconciler, Signals,
    locks::{Locks, Tenure},
    pause,
};
use crate::{
    clock::Clock,
    db::{Db, PartnerId},
};

/// How often one who isn't the holder asks for the lock: a dead holder's work waits no longer than this.
const LOCK_RETRY: Duration = Duration::from_secs(5);

/// How often a holder in the midst of a pass makes sure that it still is one. When Postgres was away its locks went too, and another
/// may have taken them.
const STILL_HOLDING: Duration = Duration::from_secs(1);

/// How long to leave work alone after it failed; Postgres being away is the usual cause.
const FAILURE_DELAY: Duration = Duration::from_secs(2);

/// Everything that runs in the background of one process.
pub struct Runner {
    db: Db,
    clock: Clock,
    signals: Signals,
    partners: Vec<PartnerId>,
    reconcilers: Vec<Arc<dyn Reconciler>>,
}

impl Runner {
    pub fn new(
        db: Db,
        clock: Clock,
        signals: Signals,
        partners: Vec<PartnerId>,
        reconcilers: Vec<Arc<dyn Reconciler>>,
    ) -> Self {
        Self { db, clock, signals, partners, reconcilers }
    }

    /// Runs until `stop`, then lets what is in flight finish and gives up its locks.
    pub async fn run(self, stop: CancellationToken) {
        let locks = Arc::new(Locks::new(self.db.clone()));
        let mut posts = JoinSet::new();
        for reconciler in &self.reconcilers {
            for partner in &self.partners {
                let post = Post {
                    clock: self.clock.clone(),
                    signals: self.signals.clone(),
                    locks: Arc::clone(&locks),
                    reconciler: Arc::clone(reconciler),
                    partner: partner.clone(),
                    trouble: Mutex::default(),
                };
                posts.spawn(post.stand(stop.clone()));
            }
        }
        while let Some(ended) = posts.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a reconciler's loop ended");
            }
        }
        locks.release_all().await;
    }
}

/// One reconciler watching over one partner.
struct Post {
    clock: Clock,
    signals: Signals,
    locks: Arc<Locks>,
    reconciler: Arc<dyn Reconciler>,
    partner: PartnerId,
    /// The failure last logged: one that repeats is told once.
    trouble: Mutex<Option<String>>,
}

impl Post {
    async fn stand(self, stop: CancellationToken) {
        let name = format!("{}:{}", self.reconciler.name(), self.partner);
        let mut wakes = self.signals.subscribe();
        while !stop.is_cancelled() {
            let wait = self.look(&name, &stop).await;
            if wait.is_zero() {
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = wakes.heard(&name) => {}
                () = pause(wait) => {}
            }
        }
        // At once, not when the slowest of the process has ended: others go on.
        self.locks.release(&name).await;
    }

    /// One pass, and how long to wait after it.
    async fn look(&self, name: &str, stop: &CancellationToken) -> Duration {
        let tenure = match self.locks.hold(name).await {
            Ok(Some(tenure)) => tenure,
            Ok(None) => return LOCK_RETRY,
            Err(error) => return self.note_trouble(name, &error.to_string()),
        };
        let end = stop.child_token();
        let mut pass = AssertUnwindSafe(self.reconciler.reconcile(&self.partner, &end)).catch_unwind();
        let ended = tokio::select! {
            ended = &mut pass => ended,
            () = self.loss(name, tenure) => {
                tracing::warn!(reconciler = name, "the lock was lost: what is in flight finishes, then it's looked at anew");
                end.cancel();
                pass.await
            }
        };
        match ended {
            Ok(Ok(next)) => {
                self.note_recovery(name);
                if end.is_cancelled() { Duration::ZERO } else { self.wait_until(next) }
            }
            Ok(Err(error)) => self.note_trouble(name, &format!("{error:#}")),
            Err(_) => self.note_trouble(name, "it panicked"),
        }
    }

    /// Comes back when the lock is another's, or may have been. While Postgres is away nobody can have it, and a pass may be about
    /// to save what it did.
    async fn loss(&self, name: &str, tenure: Tenure) {
        loop {
            pause(STILL_HOLDING).await;
            // On a task of its own: given up midway, it would take the connection and every lock with it.
            let (locks, name) = (Arc::clone(&self.locks), name.to_owned());
            let held = tokio::spawn(async move { locks.hold(&name).await }).await;
            if matches!(held, Ok(Ok(held)) if held != Some(tenure)) {
                return;
            }
        }
    }

    fn wait_until(&self, next: Next) -> Duration {
        let period = self.reconciler.period();
        match next {
            Next::Again => Duration::ZERO,
            Next::Idle => period,
            // At least a millisecond: a time just past must not spin.
            Next::At(at) => {
                Duration::try_from(at - self.clock.now()).unwrap_or_default().clamp(Duration::from_millis(1), period)
            }
        }
    }

    fn note_trouble(&self, name: &str, error: &str) -> Duration {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if trouble.as_deref() != Some(error) {
            tracing::error!(reconciler = name, error, "background work failed: looking again every two seconds");
            *trouble = Some(error.to_owned());
        }
        FAILURE_DELAY
    }

    fn note_recovery(&self, name: &str) {
        if self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take().is_some() {
            tracing::info!(reconciler = name, "background work goes on");
        }
    }
}
