//! What Meta tells us by webhook: verified, stored, answered, and only then applied (section 5).
//!
//! Who calls: `server.rs` ([`routes`], outside of sessions and of the limits for people), `worker.rs` ([`Apply`], [`Reconsider`]),
//! `app.rs` (the pages), `support` ([`changes_naming`]: what Meta told of ids that nothing else is known of; [`drop_old_words`]).
//!
//! The way of a change: [`receiver`] checks the signature and reads (`signature.rs`, `read.rs`, `shape.rs`) -> one task writes what has gathered
//! in one transaction (`writer.rs`) -> Meta gets its 200 -> `reconcile.rs` decides what it means (`meaning.rs`) and applies it.
//!
//! What always holds:
//! - nothing is read of a delivery before its signature over the raw bytes holds, and nothing is kept of one that doesn't;
//! - what was answered with 200 is committed; what wasn't, Meta sends again;
//! - a signed delivery is never an error to Meta: what we don't understand is kept as it came;
//! - each change is kept once for each partner it concerns; one that concerns nobody we know is nobody's, and seen by nobody;
//! - order doesn't matter, and neither does how often: states only move forward, and what can go back and forth follows
//!   the latest hour that Meta named;
//! - where a webhook says that something changed and not to what, a sync is asked for: nothing is made up.
#![cfg(feature = "ssr")]

mod meaning;
mod model;
mod page;
mod read;
mod receiver;
mod reconcile;
mod refusal;
mod shape;
mod signature;
mod store;
#[cfg(test)]
mod tests;
mod writer;

pub use self::{
    model::{KeptChange, Outcome},
    page::{change_page, changes_table, webhooks_page},
    receiver::{Setup, Webhooks, routes},
    reconcile::{APPLY, Apply, RECONSIDER, Reconsider},
    store::{changes_naming, drop_old_words},
};
