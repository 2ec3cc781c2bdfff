//! Asking end businesses to join MM Lite: the click, sending, and knowing at any time what became of each request.
//!
//! Who calls: `app.rs` (the pages, the doors), `worker.rs` ([`Dispatch`], [`Follow`]), `businesses` by waking [`FOLLOW`] after a
//! sync, `support` ([`explain`], [`find_request`] and the other look-ups), `webhooks` and `insights`.
//!
//! What always holds:
//! - a business has at most one open request of a partner, however many people click at once: Postgres decides;
//! - a wish is written and committed before anything is sent, and a request is Sending, committed, before its POST leaves;
//! - states change in `decide.rs` alone, and each change is one row of the request's story;
//! - what isn't known is asked for before it's repeated: no POST is sent twice in doubt;
//! - only admins and account managers send, since a request e-mails the admins of another company;
//! - every state and every error is explained in one place, [`explain`], whoever shows it.
#![cfg(feature = "ssr")]

mod api;
mod backoff;
mod check;
mod decide;
pub mod explain;
mod follow;
mod model;
mod page;
mod reconcile;
mod store;
#[cfg(test)]
mod tests;

pub use self::{
    api::{Cancel, Onboard},
    follow::{FOLLOW, Follow},
    model::{AttemptCall, Request, RequestEvent, RequestNumber, State},
    page::{Explained, business_page, request_page, requests_page},
    reconcile::{DISPATCH, Dispatch},
    store::{calls_of, events_of, find_request},
};
