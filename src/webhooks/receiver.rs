//! The two doors Meta knocks at: the question whether this address is ours (5.1), and deliveries (5.2 to 5.5).

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use subtle::ConstantTimeEq;
use tokio::sync::{mpsc, oneshot};
use url::Url;

use super::{
    read::{Arrival, read},
    refusal::{Refusal, Tally},
    signature::{SignedBody, Verifier},
    writer::{LONGEST_QUEUE, Letter, Writer},
};
use crate::{
    clock::Clock,
    db::{Db, PartnerId},
    reconcile::{CancellationToken, pause},
};

/// Where Meta is to send them, below the public address.
const PATH: &str = "/webhooks/meta";

/// The most Meta sends in one delivery (5.4).
const LARGEST: usize = 3 * 1024 * 1024;

/// How long a delivery waits for its commit before Meta is told to come again.
const PATIENCE: Duration = Duration::from_secs(10);

/// What receiving needs.
pub struct Setup {
    pub db: Db,
    pub clock: Clock,
    /// The partners whose entries are recognised by their id.
    pub partners: Vec<PartnerId>,
    /// What deliveries are signed with.
    pub app_secret: SecretString,
    /// What Meta proves itself with when it asks whether the address is ours; none: it can't subscribe.
    pub verify_token: Option<SecretString>,
    pub public_url: Url,
    /// Cancelled when the process is to end.
    pub stop: CancellationToken,
}

/// The receiving side. Cheap to clone; clones share one writer, which ends with the last of them.
#[derive(Clone)]
pub struct Webhooks(Arc<Inner>);

struct Inner {
    verifier: Verifier,
    verify_token: Option<SecretString>,
    callback_url: String,
    queue: mpsc::Sender<Letter>,
    tally: Arc<Tally>,
}

impl Webhooks {
    /// Starts the writer; must be called within a runtime.
    pub fn start(setup: Setup) -> Self {
        let Setup { db, clock, partners, app_secret, verify_token, public_url, stop } = setup;
        let (queue, waiting) = mpsc::channel(LONGEST_QUEUE);
        let partners = partners.iter().map(|partner| partner.as_str().to_owned()).collect();
        tokio::spawn(Writer { db: db.clone(), clock: clock.clone(), partners, waiting }.run());
        let tally = Arc::new(Tally::default());
        let counting = Arc::clone(&tally);
        tokio::spawn(async move { counting.write(db, clock, stop).await });
        let callback_url = format!("{}{PATH}", public_url.as_str().trim_end_matches('/'));
        Self(Arc::new(Inner { verifier: Verifier::new(&app_secret), verify_token, callback_url, queue, tally }))
    }

    /// The address to give Meta.
    pub fn callback_url(&self) -> &str {
        &self.0.callback_url
    }

    /// Whether Meta can subscribe: there is a token to verify with.
    pub fn can_be_verified(&self) -> bool {
        self.0.verify_token.is_some()
    }

    pub(super) fn verifier(&self) -> &Verifier {
        &self.0.verifier
    }

    /// Comes back when all is committed; `None`: it isn't known to be.
    async fn keep(&self, changes: Vec<Arrival>) -> Option<()> {
        let (kept, settled) = oneshot::channel();
        let written = async {
            self.0.queue.send(Letter { changes, kept }).await.ok()?;
            settled.await.ok()
        };
        tokio::select! {
            biased;
            written = written => written,
            () = pause(PATIENCE) => None,
        }
    }
}

/// Both doors. They are for Meta alone: no session, no check of where a form came from, no limit of what a stranger may ask.
pub fn routes<S: Clone + Send + Sync + 'static>(webhooks: Webhooks) -> Router<S> {
    Router::new().route(PATH, get(verify).post(receive)).layer(DefaultBodyLimit::max(LARGEST)).with_state(webhooks)
}

/// What Meta asks with.
#[derive(Deserialize)]
struct Question {
    #[serde(rename = "hub.mode")]
    mode: Option<String>,
    #[serde(rename = "hub.verify_token")]
    token: Option<String>,
    #[serde(rename = "hub.challenge")]
    challenge: Option<String>,
}

/// The bare challenge back to who knows the token.
async fn verify(State(webhooks): State<Webhooks>, Query(question): Query<Question>) -> Response {
    let Some(expected) = &webhooks.0.verify_token else {
        return (StatusCode::NOT_FOUND, "META_WEBHOOK_VERIFY_TOKEN is not set, so nobody can subscribe here.")
            .into_response();
    };
    let given = question.token.unwrap_or_default();
    if !bool::from(expected.expose_secret().as_bytes().ct_eq(given.as_bytes())) {
        tracing::warn!("somebody asked to subscribe webhooks with a wrong verify token");
        return (StatusCode::FORBIDDEN, "hub.verify_token is not the one that is set here.").into_response();
    }
    match (question.mode.as_deref(), question.challenge) {
        (Some("subscribe"), Some(challenge)) => challenge.into_response(),
        _ => {
            (StatusCode::BAD_REQUEST, "hub.mode should be subscribe, and hub.challenge is to be given.").into_response()
        }
    }
}

/// Stores, then answers.
async fn receive(State(webhooks): State<Webhooks>, body: Result<SignedBody, Refusal>) -> Response {
    let changes = match body.and_then(|body| read(&body.0)) {
        Ok(changes) => changes,
        Err(refusal) => {
            webhooks.0.tally.count(refusal);
            return refusal.into_response();
        }
    };
    metrics::counter!("liteboard_webhook_changes_total").increment(changes.len() as u64);
    match webhooks.keep(changes).await {
        Some(()) => "ok".into_response(),
        None => (StatusCode::SERVICE_UNAVAILABLE, "It could not be stored now. Send it again.").into_response(),
    }
}
