//! The one task that writes Graph calls: in groups, per partner, for as long as Postgres needs.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::store;
use crate::{
    db::{Db, PartnerId},
    graph::Call,
    reconcile::{CancellationToken, pause},
    telemetry::database_is_away,
};

/// The most calls in one insert.
const LARGEST_GROUP: usize = 500;

/// The delays between tries while Postgres is away: the first, doubled up to the last.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// How long one try may hang, as on a connection whose other end vanished.
const LONGEST_INSERT: Duration = Duration::from_secs(30);

/// A call on its way to its row.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) call: Call,
    /// Told when the row is committed; dropped when there will be none.
    pub(super) kept: oneshot::Sender<()>,
}

/// Takes what waits, and writes it.
pub(super) struct Writer {
    pub(super) db: Db,
    pub(super) waiting: mpsc::Receiver<Entry>,
    /// How long to go on after the end was called.
    pub(super) patience: Duration,
}

impl Writer {
    /// Writes until `stop`, then for as long as `patience` what is still there.
    pub(super) async fn run(self, stop: CancellationToken) {
        let patience = self.patience;
        let limit = async {
            stop.cancelled().await;
            pause(patience).await;
        };
        tokio::select! {
            biased;
            () = self.write_all(&stop) => {}
            () = limit => tracing::error!("the recorder ends with Graph calls it could not write"),
        }
    }

    async fn write_all(mut self, stop: &CancellationToken) {
        let mut taken = Vec::new();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled(), if !self.waiting.is_closed() => self.waiting.close(),
                count = self.waiting.recv_many(&mut taken, LARGEST_GROUP) => {
                    if count == 0 {
                        return;
                    }
                    for (partner, group) in by_partner(std::mem::take(&mut taken)) {
                        self.write(partner.as_ref(), group).await;
                    }
                }
            }
        }
    }

    /// Writes one group, waiting for Postgres as long as it takes. If Postgres refuses the group, each call goes alone, so that
    /// one that can't be kept costs the others nothing.
    async fn write(&self, partner: Option<&PartnerId>, group: Vec<Entry>) {
        let calls: Vec<&Call> = group.iter().map(|entry| &entry.call).collect();
        match self.insert(partner, &calls).await {
            Ok(()) => group.into_iter().for_each(tell_kept),
            Err(error) => {
                if group.len() == 1 {
                    tracing::error!(%error, "Postgres refuses the record of a Graph call");
                    return;
                }
                for entry in group {
                    match self.insert(partner, &[&entry.call]).await {
                        Ok(()) => tell_kept(entry),
                        Err(error) => tracing::error!(%error, "Postgres refuses the record of a Graph call"),
                    }
                }
            }
        }
    }

    /// Tries until Postgres answers; an error is its refusal.
    async fn insert(&self, partner: Option<&PartnerId>, calls: &[&Call]) -> sqlx::Result<()> {
        let (mut delay, longest) = RETRY;
        let mut told = false;
        loop {
            let tried = tokio::select! {
                tried = store::insert(&self.db, partner, calls) => tried,
                () = pause(LONGEST_INSERT) => Err(sqlx::Error::PoolTimedOut),
            };
            match tried {
                Err(error) if database_is_away(&error) => {
                    if !told {
                        tracing::warn!(%error, "Postgres is away: Graph calls wait to be recorded");
                        told = true;
                    }
                    pause(delay).await;
                    delay = longest.min(delay * 2);
                }
                settled => return settled,
            }
        }
    }
}

fn tell_kept(entry: Entry) {
    // Whoever waited may have lost patience; the row is there all the same.
    let _ = entry.kept.send(());
}

/// The calls of each partner, in their order; few partners, so a list does.
fn by_partner(entries: Vec<Entry>) -> Vec<(Option<PartnerId>, Vec<Entry>)> {
    let mut groups: Vec<(Option<PartnerId>, Vec<Entry>)> = Vec::new();
    for entry in entries {
        let partner = entry.call.origin.partner.clone().map(PartnerId::from);
        match groups.iter_mut().find(|(known, _)| *known == partner) {
            Some((_, group)) => group.push(entry),
            None => groups.push((partner, vec![entry])),
        }
    }
    groups
}
