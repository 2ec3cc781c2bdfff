//! Files that are streamed out of Postgres: a few at once, and none for a reader who has gone to sleep.
//!
//! An export holds a connection until it ends, since the whole file is of one moment. So each instance has few places for them, and
//! one that gets no further for a minute, whether Postgres or the reader stands still, gives its place and its connection back.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    response::{IntoResponse, Response},
};
use futures::StreamExt;
use http::{HeaderValue, StatusCode, header::RETRY_AFTER};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Exports at once.
const PLACES: usize = 4;

/// How long one may stand still.
const PATIENCE: Duration = Duration::from_mins(1);

/// When to ask again, in seconds, where all places are taken.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("30");

/// The places of this instance, shared by whoever exports.
#[derive(Clone, Debug)]
pub struct Exports(Arc<Semaphore>);

impl Default for Exports {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(PLACES)))
    }
}

/// A place, given back when it's dropped.
pub type Place = OwnedSemaphorePermit;

impl Exports {
    /// A place, to be held until the export ends.
    ///
    /// # Errors
    /// The answer that all are taken.
    pub fn enter(&self) -> Result<Place, Box<Response>> {
        Arc::clone(&self.0).try_acquire_owned().map_err(|_| {
            let words = format!(
                "{PLACES} exports are being taken already, as many as can be at once. Try again in half a minute.\n"
            );
            Box::new((StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, ASK_AGAIN)], words).into_response())
        })
    }
}

/// Why an export broke off.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// Postgres.
    #[error(transparent)]
    Db(#[from] sqlx::Error),
    /// Nothing moved for too long.
    #[error("nothing moved for a minute")]
    StoodStill,
    /// Nobody reads it any more.
    #[error("its reader is gone")]
    ReaderGone,
}

/// The writing end of an export.
#[derive(Debug)]
pub struct Writer {
    pieces: mpsc::Sender<Result<Bytes, Broken>>,
    patience: Duration,
}

impl Writer {
    /// A writer, and what it writes as the body of an answer. `ahead`: pieces that may wait for a slow reader.
    pub fn open(ahead: usize) -> (Self, Body) {
        let (pieces, receiver) = mpsc::channel(ahead);
        let read = futures::stream::unfold(receiver, |mut receiver| async move {
            let piece = receiver.recv().await?;
            Some((piece, receiver))
        });
        // Compression asks once more after the end.
        (Self { pieces, patience: PATIENCE }, Body::from_stream(read.fuse()))
    }

    /// Waits for Postgres, but not for ever.
    pub async fn pull<T>(&self, rows: impl Future<Output = sqlx::Result<T>>) -> Result<T, Broken> {
        Ok(tokio::time::timeout(self.patience, rows).await.map_err(|_| Broken::StoodStill)??)
    }

    /// Hands a piece on, and waits for the reader, but not for ever.
    pub async fn put(&self, piece: String) -> Result<(), Broken> {
        match tokio::time::timeout(self.patience, self.pieces.send(Ok(piece.into()))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Broken::ReaderGone),
            Err(_) => Err(Broken::StoodStill),
        }
    }

    /// Ends the file. One that broke off must look so to a browser.
    pub fn close(self, written: Result<(), Broken>) {
        match written {
            Ok(()) | Err(Broken::ReaderGone) => {}
            Err(error) => {
                tracing::warn!(%error, "an export broke off");
                // Where the reader stands still there is no room for it, and the end of the channel would look like that of the file.
                if let Err(mpsc::error::TrySendError::Full(piece)) = self.pieces.try_send(Err(error)) {
                    tokio::spawn(async move { drop(self.pieces.send(piece).await) });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_four_places_and_whoever_finds_none_is_told_when_to_come_again() {
        let exports = Exports::default();
        let mut taken: Vec<Place> = (0..4).map(|_| exports.enter().unwrap()).collect();
        let refused = exports.clone().enter().unwrap_err();
        assert_eq!((refused.status(), &refused.headers()[RETRY_AFTER]), (StatusCode::SERVICE_UNAVAILABLE, &ASK_AGAIN));
        taken.pop();
        assert!(exports.enter().is_ok(), "a place that was given back is free");
    }

    #[tokio::test]
    async fn neither_a_reader_nor_postgres_is_waited_for_for_ever() {
        let (writer, body) = Writer::open(1);
        let writer = Writer { patience: Duration::from_millis(1), ..writer };
        writer.put("first".to_owned()).await.unwrap();
        assert!(matches!(writer.put("second".to_owned()).await, Err(Broken::StoodStill)), "nobody reads");
        let rows = std::future::pending::<sqlx::Result<()>>();
        assert!(matches!(writer.pull(rows).await, Err(Broken::StoodStill)));
        drop(body);
        assert!(matches!(writer.put("third".to_owned()).await, Err(Broken::ReaderGone)));
    }

    #[tokio::test]
    async fn a_file_that_broke_off_does_not_look_whole() {
        let (writer, body) = Writer::open(1);
        writer.put("first".to_owned()).await.unwrap();
        writer.close(Err(Broken::StoodStill));
        assert!(axum::body::to_bytes(body, 99).await.is_err());
        let (writer, body) = Writer::open(1);
        writer.put("all".to_owned()).await.unwrap();
        writer.close(Ok(()));
        assert_eq!(axum::body::to_bytes(body, 99).await.unwrap(), "all");
    }
}
