//! [`Graph`], the client a process has one of, and [`Caller`], the same with somebody's token.

use std::{
    fmt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use reqwest::Client;
use serde_json::Value;
use time::OffsetDateTime;

use super::{
    access_token::{AccessToken, Prover},
    call::{Call, Observer, Origin},
    error::{Error, Failure},
    request::Request,
    settings::Settings,
    transport,
};

/// Tells the time.
pub type Now = Arc<dyn Fn() -> OffsetDateTime + Send + Sync>;

/// The client can't be made with these settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// An address Graph or the dialog can't be at.
    #[error("{0} must be an http or https address with a host, such as https://graph.facebook.com.")]
    Address(&'static str),
    /// The app's secret can't sign calls.
    #[error("The app secret can't be used to sign calls.")]
    AppSecret,
    /// TLS or the HTTP client can't be set up.
    #[error("The HTTP client can't be set up: {0}.")]
    Http(String),
}

/// Meta's Graph API, for one app. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Graph {
    shared: Arc<Shared>,
    observer: Arc<dyn Observer>,
}

struct Shared {
    settings: Settings,
    prover: Prover,
    http: Client,
    now: Now,
}

impl Graph {
    /// A client that calls where `settings` say, takes the time from `now` and shows every exchange to `observer`.
    ///
    /// Its calls must be made within a tokio runtime.
    pub fn new(settings: Settings, now: Now, observer: Arc<dyn Observer>) -> Result<Self, BuildError> {
        for (name, url) in [("The Graph URL", &settings.graph_url), ("The dialog URL", &settings.dialog_url)] {
            if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
                return Err(BuildError::Address(name));
            }
        }
        let prover = Prover::new(&settings.app_secret).ok_or(BuildError::AppSecret)?;
        let http = transport::http_client(&settings).map_err(BuildError::Http)?;
        Ok(Self { shared: Arc::new(Shared { settings, prover, http, now }), observer })
    }

    /// The same client, showing its exchanges to another observer.
    #[must_use]
    pub fn observed_by(&self, observer: Arc<dyn Observer>) -> Self {
        Self { shared: Arc::clone(&self.shared), observer }
    }

    /// The same client, showing its exchanges to `first` and then to whoever sees them now.
    #[must_use]
    pub fn observed_first_by(&self, first: Arc<dyn Observer>) -> Self {
        self.observed_by(Arc::new(InTurn { first, then: Arc::clone(&self.observer) }))
    }

    /// What it was made with.
    pub fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    /// Calls with a token, each signed with it and recorded as made for `origin`.
    pub fn with_token(&self, token: AccessToken, origin: Origin) -> Caller {
        Caller { graph: self.clone(), token, origin, fewer_fields: Arc::default() }
    }

    pub(super) fn now(&self) -> OffsetDateTime {
        (self.shared.now)()
    }

    pub(super) fn observer(&self) -> &dyn Observer {
        &*self.observer
    }

    pub(super) fn http(&self) -> &Client {
        &self.shared.http
    }
}

/// Two who see every exchange.
struct InTurn {
    first: Arc<dyn Observer>,
    then: Arc<dyn Observer>,
}

impl Observer for InTurn {
    fn observe<'a>(&'a self, call: &'a Call) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move {
            self.first.observe(call).await;
            self.then.observe(call).await;
        })
    }
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Graph").field("settings", self.settings()).finish_non_exhaustive()
    }
}

/// Calls Graph with one token, for one origin: `Authorization: Bearer` and `appsecret_proof` on each call. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Caller {
    graph: Graph,
    token: AccessToken,
    origin: Origin,
    fewer_fields: Arc<AtomicBool>,
}

impl Caller {
    /// The same token, for another origin.
    #[must_use]
    pub fn on_behalf(&self, origin: Origin) -> Self {
        Self { origin, ..self.clone() }
    }

    pub(super) fn graph(&self) -> &Graph {
        &self.graph
    }

    pub(super) async fn call<T: Send + 'static>(
        &self,
        request: Request,
        read: impl FnOnce(&Value) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Error> {
        let proof = self.graph.shared.prover.prove(&self.token);
        self.graph.exchange(self.origin.clone(), request.signed(&self.token, proof), read).await
    }

    /// Whether Graph refused one of the fields wished for, so that this caller asks for fewer from then on.
    pub(super) fn asks_fewer_fields(&self) -> bool {
        self.fewer_fields.load(Ordering::Relaxed)
    }

    pub(super) fn ask_fewer_fields(&self) {
        self.fewer_fields.store(true, Ordering::Relaxed);
    }
}
