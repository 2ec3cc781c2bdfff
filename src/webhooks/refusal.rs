//! Deliveries that are turned away, and how many: nothing else of them is kept.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use tokio::sync::Notify;

use super::store;
use crate::{
    clock::Clock,
    db::Db,
    reconcile::{CancellationToken, pause},
};

/// How long counts gather before they are written: a stranger who knocks a thousand times a second costs one write.
const GATHERED: Duration = Duration::from_secs(1);

/// Why a delivery is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It carries no signature.
    NotSigned,
    /// What it carries as a signature is none.
    MalformedSignature,
    /// The signature is not of these bytes, or not by the app's secret.
    WrongSignature,
    /// It is larger than anything Meta sends.
    TooLarge,
    /// It ended before all that was announced had come.
    Cut,
    /// Signed, but no JSON.
    NotJson,
    /// It holds more changes than Meta sends at once.
    TooMany,
}

impl Refusal {
    pub const ALL: [Self; 7] = [
        Self::NotSigned,
        Self::MalformedSignature,
        Self::WrongSignature,
        Self::TooLarge,
        Self::Cut,
        Self::NotJson,
        Self::TooMany,
    ];

    /// The key it is counted by.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotSigned => "not_signed",
            Self::MalformedSignature => "malformed_signature",
            Self::WrongSignature => "wrong_signature",
            Self::TooLarge => "too_large",
            Self::Cut => "cut",
            Self::NotJson => "not_json",
            Self::TooMany => "too_many",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::NotSigned | Self::MalformedSignature | Self::WrongSignature => StatusCode::UNAUTHORIZED,
            Self::TooLarge | Self::TooMany => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Cut | Self::NotJson => StatusCode::BAD_REQUEST,
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::NotSigned => "X-Hub-Signature-256 is missing.",
            Self::MalformedSignature => "X-Hub-Signature-256 should be sha256= and 64 hexadecimal digits, once.",
            Self::WrongSignature => "X-Hub-Signature-256 does not fit this body.",
            Self::TooLarge => "A delivery has at most 3 MB.",
            Self::Cut => "The body ended early.",
            Self::NotJson => "The body is no JSON.",
            Self::TooMany => "A delivery has at most 1,000 changes.",
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status(), self.text()).into_response()
    }
}

/// Counts that have not been written yet.
#[derive(Debug, Default)]
pub struct Tally {
    counts: [AtomicU64; Refusal::ALL.len()],
    more: Notify,
}

impl Tally {
    /// Counts one, and says so in the log: the reason, never the body.
    pub fn count(&self, refusal: Refusal) {
        tracing::warn!(reason = refusal.as_str(), "a webhook delivery was refused");
        metrics::counter!("liteboard_webhooks_refused_total", "reason" => refusal.as_str()).increment(1);
        self.counts[refusal as usize].fetch_add(1, Ordering::Relaxed);
        self.more.notify_one();
    }

    /// Writes what gathers, until `stop`. While Postgres is away it goes on gathering.
    pub async fn write(&self, db: Db, clock: Clock, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.more.notified() => pause(GATHERED).await,
            }
            for refusal in Refusal::ALL {
                let count = self.counts[refusal as usize].swap(0, Ordering::Relaxed);
                if count == 0 {
                    continue;
                }
                if let Err(error) = store::count_refused(&db, refusal, count, clock.now()).await {
                    tracing::warn!(%error, "refused webhooks can't be counted now");
                    self.counts[refusal as usize].fetch_add(count, Ordering::Relaxed);
                    self.more.notify_one();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_its_own_place_and_key() {
        for (at, refusal) in Refusal::ALL.into_iter().enumerate() {
            assert_eq!(refusal as usize, at);
            assert!(Refusal::ALL.iter().filter(|other| other.as_str() == refusal.as_str()).count() == 1);
        }
    }
}
