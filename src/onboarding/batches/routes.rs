//! The routes of this folder that stream, and so are no pages: live progress and the results.

use axum::{Router, routing::get};

use super::{events::events, live::Live, results::results};
use crate::{onboarding::exports::Exports, sign_in::SignIn};

/// What they need.
#[derive(Clone, Debug)]
pub(super) struct Rooms {
    pub(super) live: Live,
    pub(super) sign_in: SignIn,
    pub(super) exports: Exports,
}

/// These routes, ready to be merged into the application's. They belong inside the session's layer.
pub fn routes<S: Clone + Send + Sync + 'static>(live: Live, sign_in: SignIn, exports: Exports) -> Router<S> {
    Router::new()
        .route("/batches/{number}/events", get(events))
        .route("/batches/{number}/results.csv", get(results))
        .with_state(Rooms { live, sign_in, exports })
}
