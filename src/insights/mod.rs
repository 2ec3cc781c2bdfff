//! What became of all requests together: how many accept and how soon, what goes wrong, how much of Meta's limits is used.
//!
//! Who calls: `app.rs` ([`insights_page`]), `worker.rs` ([`CountInsights`]).
//!
//! What always holds:
//! - a page reads sums, never the requests themselves, so that it's as quick with a million of them as with ten;
//! - the sums equal what one would count: each event and call is counted once, in one transaction with the mark that says so, also
//!   after a crash, and also when it was written late (`store/count.rs`);
//! - they can be thrown away: `CALL recount_insights('<partner>')` has them counted anew;
//! - days are days in UTC, and a request belongs to the day on which it was asked for, whenever it is accepted;
//! - every drawing has its finding in a sentence and its numbers in a table.

#[cfg(feature = "ssr")]
mod drawings;
#[cfg(feature = "ssr")]
mod findings;
#[cfg(feature = "ssr")]
mod model;
#[cfg(feature = "ssr")]
mod page;
#[cfg(feature = "ssr")]
mod query;
#[cfg(feature = "ssr")]
mod reconcile;
#[cfg(feature = "ssr")]
mod store;
#[cfg(feature = "ssr")]
mod waits;

#[cfg(feature = "ssr")]
pub use self::{
    page::insights_page,
    reconcile::{CountInsights, INSIGHTS},
};
