//! Liteboard: a dashboard with which a WhatsApp partner onboards its end businesses to MM Lite (Marketing Messages API for
//! WhatsApp) through Meta's Graph API, and always knows what became of each request.
//!
//! # The house
//!
//! A *room* is a feature that a user or Meta would name; a *tool* is something rooms use that knows nothing of them. Imports
//! run one way: `main` -> [`server`], [`worker`] -> [`app`] -> rooms -> tools, held by a test. Each room has the same
//! furniture, leaving out what it doesn't need: `mod.rs` (door plate and public names), `model.rs` (types), `api.rs` (doors:
//! server functions), `islands.rs` (what runs in the browser), `page.rs`, `store.rs` (all its SQL), `reconcile.rs`
//! (background work).
//!
//! # A member onboards a business
//!
//! 1. The form on the business's page posts to `onboarding/api.rs`: who is asking, may they, is it a business of theirs, is
//!    the solution usable.
//! 2. One transaction writes a batch and its request as Queued (`onboarding/store/`), and wakes dispatch by NOTIFY.
//! 3. `onboarding/reconcile.rs` holds the partner's lock and claims the row (Sending, committed), while the member's token is
//!    opened with the [`vault`]; then it calls [`graph`]. The call passes `support`'s recorder on its way back.
//! 4. `onboarding/decide.rs` says what the answer makes of the request; the outcome is saved and signalled.
//! 5. The click, waiting all along, hears the signal and redirects to the request's page, where `onboarding/explain/` puts
//!    it in words.
//!
//! # A member onboards two thousand
//!
//! 1. What was ticked, or a CSV that is read as it comes in, becomes a draft: rows, each with what was found of it
//!    (`onboarding/drafts/`). Nothing is sent of a draft.
//! 2. Started, its rows are checked once more and become requests in one transaction: the same rows a click makes.
//! 3. Dispatch takes clicks first and then from each batch in turn, as many at once as `onboarding/pace.rs` allows: it learns
//!    from Meta's usage headers and refusals, and slows down before a limit is reached.
//! 4. The batch's page (`onboarding/batches/`) follows by server-sent events: one watch a batch and process, whoever looks.
//!
//! # Meta tells that terms were signed
//!
//! 1. `webhooks/receiver.rs` checks the signature over the raw bytes; `writer.rs` stores the change; Meta gets its 200.
//! 2. `webhooks/reconcile.rs` marks the business signed, and wakes `onboarding/follow.rs`, which moves its request to Accepted.
//!
//! # Support is given an fbtrace_id
//!
//! 1. `support/lookup.rs` reads what was typed: an id of ours or of Meta's, or a whole error.
//! 2. `support/store.rs` finds the recorded call, within the partner's rows only ([`db`] sets the partner, Postgres holds
//!    the wall).
//! 3. The page shows the call, the request it belongs to, and what to do, in the same words as the request's own page.

// The furniture
#[cfg(feature = "ssr")]
pub mod app;
#[cfg(feature = "ssr")]
pub mod assets;
#[cfg(feature = "ssr")]
pub mod clock;
#[cfg(feature = "ssr")]
pub mod config;
#[cfg(feature = "ssr")]
pub mod db;
#[cfg(feature = "ssr")]
pub mod doctor;
#[cfg(feature = "ssr")]
pub mod limits;
#[cfg(feature = "ssr")]
pub mod pauses;
#[cfg(feature = "ssr")]
pub mod server;
#[cfg(feature = "ssr")]
pub mod telemetry;
#[cfg(feature = "ssr")]
pub mod worker;

// Rooms
pub mod businesses;
pub mod insights;
pub mod onboarding;
pub mod palette;
pub mod sign_in;
pub mod solutions;
pub mod support;
pub mod team;
#[cfg(feature = "ssr")]
pub mod views;
pub mod webhooks;

// Tools
pub mod graph;
#[cfg(feature = "ssr")]
pub mod reconcile;
pub mod ui;
#[cfg(feature = "ssr")]
pub mod vault;

// The stand-in for Meta
#[cfg(feature = "simulator")]
pub mod graph_simulator;

/// Wakes the islands; called by the page's script once the module is loaded.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
