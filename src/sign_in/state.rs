//! What this room is given at the start, and the layers it puts around the application.

use std::{convert::Infallible, sync::Arc};

use axum::{extract::Request, middleware, response::IntoResponse, routing::Route};
use tower::{Layer, Service, ServiceBuilder};
use url::Url;

use super::{cookie, gate, session_store::Sessions, unsent};
use crate::{
    clock::Clock,
    db::{Db, PartnerId},
    graph::Graph,
    vault::Vault,
};

/// Everything sign-in needs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// Postgres.
    pub db: Db,
    /// The hour.
    pub clock: Clock,
    /// Meta, observed by whoever records the calls.
    pub graph: Graph,
    /// Seals the tokens.
    pub vault: Arc<Vault>,
    /// Where browsers reach us: the base of the address Facebook sends them back to.
    pub public_url: Url,
    /// The partners whose people may come in.
    pub partners: Arc<[PartnerId]>,
}

impl SignIn {
    pub(super) fn sessions(&self) -> Sessions {
        Sessions::new(self.db.clone(), self.clock.clone())
    }
}

/// Makes every request below carry its session and who is asking.
///
/// Put it outside of all pages and doors, [`super::routes`] included. Files, probes and webhooks pass without a look at
/// the session.
pub fn session_layer(
    state: SignIn,
) -> impl Layer<
    Route,
    Service: Service<Request, Response: IntoResponse, Error = Infallible, Future: Send> + Clone + Send + Sync + 'static,
> + Clone
+ Send
+ Sync
+ 'static {
    let sessions = cookie::layer(state.sessions(), &state.public_url);
    ServiceBuilder::new()
        .layer(sessions)
        .layer(middleware::from_fn_with_state(state.clone(), gate::find_the_asker))
        .layer(middleware::from_fn_with_state(state, unsent::keep_unsent))
        .into_inner()
}
