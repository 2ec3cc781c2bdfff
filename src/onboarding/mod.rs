//! Asking end businesses to join MM Lite: the click, sending, and knowing at any time what became of each request.
//!
//! Who calls: `app.rs` (the pages, the doors), `server.rs` ([`routes`]), `worker.rs` ([`Dispatch`], [`Follow`], [`Poll`]), `businesses` by waking [`FOLLOW`] after a
//! sync, `support` ([`explain`], [`find_request`] and the other look-ups), `webhooks` and `insights`.
//!
//! What always holds:
//! - a business has at most one open request of a partner, however many people click at once: Postgres decides;
//! - a wish is written and committed before anything is sent, and a request is Sending, committed, before its POST leaves;
//! - states change in `decide.rs` alone, and each change is one row of the request's story;
//! - what isn't known is asked for before it's repeated: no POST is sent twice in doubt;
//! - thousands at once are one click's path: a draft becomes requests in one transaction, and dispatch sends them as any others;
//! - what became of a request is heard from webhooks, syncs and polls alike: each writes what Meta said of the business, and
//!   [`Follow`] moves the request;
//! - only admins and account managers send, since a request e-mails the admins of another company;
//! - every state and every error is explained in one place, [`explain`], whoever shows it.

mod batches;

mod search;

pub use batches::LiveBatch;
pub use search::Suggestions;

#[cfg(feature = "ssr")]
mod api;
#[cfg(feature = "ssr")]
mod backoff;
#[cfg(feature = "ssr")]
mod check;
#[cfg(feature = "ssr")]
mod decide;
#[cfg(feature = "ssr")]
mod drafts;
#[cfg(feature = "ssr")]
pub mod explain;
#[cfg(feature = "ssr")]
mod exports;
#[cfg(feature = "ssr")]
mod follow;
#[cfg(feature = "ssr")]
mod gauge;
#[cfg(feature = "ssr")]
mod model;
#[cfg(feature = "ssr")]
mod pace;
#[cfg(feature = "ssr")]
mod page;
#[cfg(feature = "ssr")]
mod poll;
#[cfg(feature = "ssr")]
mod reconcile;
#[cfg(feature = "ssr")]
mod send;
#[cfg(feature = "ssr")]
mod store;
#[cfg(test)]
#[cfg(feature = "ssr")]
mod tests;

#[cfg(feature = "ssr")]
pub use self::{
    api::{Cancel, Check, Onboard},
    batches::{
        AtWork, CancelRest, Live, Pause, Resume, RetryFailed, at_work, batch_page, batches_page, cancel_page, routes,
    },
    drafts::{Correct, Discard, Draft, Start, confirm_page, draft_routes, import_page, rows_page},
    exports::Exports,
    follow::{FOLLOW, Follow},
    model::{AttemptCall, Request, RequestEvent, RequestNumber, State},
    page::{Explained, business_event, business_page, call_path, headline, request_page},
    poll::{POLL, Poll},
    reconcile::{DISPATCH, Dispatch},
    search::{href, is_id, requests_page, search_routes},
    store::{calls_of, events_of, find_request, newer_request},
};
