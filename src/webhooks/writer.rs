//! The one task that writes what Meta tells: while one commit is under way deliveries gather, and go together in the next.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::{read::Arrival, store};
use crate::{clock::Clock, db::Db, reconcile::pause, telemetry::database_is_away};

/// The most deliveries that wait to be written; beyond it they wait with their senders.
pub const LONGEST_QUEUE: usize = 1_000;

/// The most deliveries of one commit.
const LARGEST_GROUP: usize = 500;

/// The most bytes of one commit, but for a single delivery.
const HEAVIEST_GROUP: usize = 16 * 1024 * 1024;

/// The delays between tries while Postgres is away: the first, doubled up to the last.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// How long one try may hang, as on a connection whose other end vanished.
const LONGEST_INSERT: Duration = Duration::from_secs(30);

/// A delivery on its way to its rows.
#[derive(Debug)]
pub struct Letter {
    pub changes: Vec<Arrival>,
    /// Told when its rows are committed; dropped when there will be none.
    pub kept: oneshot::Sender<()>,
}

impl Letter {
    fn weight(&self) -> usize {
        self.changes.iter().map(|change| change.body.len()).sum()
    }
}

/// Takes what waits, and writes it.
pub struct Writer {
    pub db: Db,
    pub clock: Clock,
    /// Ids that are a partner's when an entry names them.
    pub partners: Vec<String>,
    pub waiting: mpsc::Receiver<Letter>,
}

impl Writer {
    /// Writes for as long as anybody may still send.
    pub async fn run(mut self) {
        let mut taken = Vec::new();
        while self.waiting.recv_many(&mut taken, LARGEST_GROUP).await > 0 {
            for group in by_weight(std::mem::take(&mut taken)) {
                self.write(group).await;
            }
        }
    }

    /// Writes one group, waiting for Postgres as long as it takes. If Postgres refuses the group, each delivery goes alone, so that one
    /// that can't be kept costs the others nothing.
    async fn write(&self, mut group: Vec<Letter>) {
        let changes: Vec<&Arrival> = group.iter().flat_map(|letter| &letter.changes).collect();
        match self.insert(&changes).await {
            Ok(()) => group.into_iter().for_each(tell_kept),
            Err(error) if group.len() == 1 => tracing::error!(%error, "Postgres refuses a webhook delivery"),
            Err(_) => {
                for letter in group.drain(..) {
                    let changes: Vec<&Arrival> = letter.changes.iter().collect();
                    match self.insert(&changes).await {
                        Ok(()) => tell_kept(letter),
                        Err(error) => tracing::error!(%error, "Postgres refuses a webhook delivery"),
                    }
                }
            }
        }
    }

    /// Tries until Postgres answers; an error is its refusal.
    async fn insert(&self, changes: &[&Arrival]) -> sqlx::Result<()> {
        let (mut delay, longest) = RETRY;
        let mut told = false;
        loop {
            let tried = tokio::select! {
                tried = store::keep(&self.db, &self.partners, changes, self.clock.now()) => tried,
                () = pause(LONGEST_INSERT) => Err(sqlx::Error::PoolTimedOut),
            };
            match tried {
                Err(error) if database_is_away(&error) => {
                    if !told {
                        tracing::warn!(%error, "Postgres is away: webhooks wait to be stored");
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

fn tell_kept(letter: Letter) {
    // Whoever waited may have lost patience, and Meta will send it again: its rows are there already.
    let _ = letter.kept.send(());
}

/// Groups that Postgres takes in one go, in the order they came.
fn by_weight(letters: Vec<Letter>) -> Vec<Vec<Letter>> {
    let mut groups: Vec<Vec<Letter>> = Vec::new();
    let mut weight = 0;
    for letter in letters {
        weight += letter.weight();
        match groups.last_mut() {
            Some(group) if weight <= HEAVIEST_GROUP => group.push(letter),
            _ => {
                weight = letter.weight();
                groups.push(vec![letter]);
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::{super::read::read, *};

    #[test]
    fn heavy_deliveries_go_in_groups_of_their_own() {
        let letter = |bytes: usize| {
            let body = format!("\"{}\"", "x".repeat(bytes - 2));
            Letter { changes: read(body.as_bytes()).unwrap(), kept: oneshot::channel().0 }
        };
        let megabyte = 1024 * 1024;
        let letters = [3, 3, 3, 3, 3, 3, 1, 20, 1].map(|size| letter(size * megabyte));
        let sizes: Vec<usize> = by_weight(letters.into()).iter().map(Vec::len).collect();
        assert_eq!(sizes, [5, 2, 1, 1]);
    }
}
