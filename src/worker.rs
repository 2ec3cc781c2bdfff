//! The list of everything that runs in the background.

use std::sync::Arc;

use crate::{
    businesses::SyncBusinesses,
    insights::CountInsights,
    onboarding::{Dispatch, Follow, Poll},
    reconcile::{Reconciler, Runner},
    server::AppState,
    sign_in::ExpiredSessions,
    support::{CountFailures, DropOldAnswers},
    webhooks::{Apply, Reconsider},
};

/// The runner of all reconcilers, for the partners that may sign in.
///
/// `concurrency`: how many calls of one partner may be under way at Meta at once.
pub fn runner(state: &AppState, concurrency: usize) -> Runner {
    let reconcilers: Vec<Arc<dyn Reconciler>> = vec![
        Arc::new(Dispatch::new(
            state.db.clone(),
            state.clock.clone(),
            state.graph.clone(),
            Arc::clone(&state.vault),
            state.signals.clone(),
            concurrency,
        )),
        Arc::new(Follow::new(state.db.clone(), state.clock.clone())),
        Arc::new(Poll::new(state.db.clone(), state.clock.clone(), state.graph.clone(), Arc::clone(&state.vault))),
        Arc::new(Apply::new(state.db.clone(), state.clock.clone())),
        Arc::new(Reconsider::new(state.db.clone(), state.clock.clone(), &state.partners)),
        Arc::new(CountInsights::new(state.db.clone(), state.clock.clone())),
        Arc::new(ExpiredSessions::new(state.db.clone(), state.clock.clone())),
        Arc::new(CountFailures::new(state.db.clone())),
        Arc::new(DropOldAnswers::new(state.db.clone(), state.clock.clone())),
        Arc::new(SyncBusinesses::new(
            state.db.clone(),
            state.clock.clone(),
            state.graph.clone(),
            Arc::clone(&state.vault),
        )),
    ];
    Runner::new(state.db.clone(), state.clock.clone(), state.signals.clone(), state.partners.clone(), reconcilers)
}
