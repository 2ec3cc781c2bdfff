//! Support: the record of every Graph call, and 'Look up', which finds one by whatever id somebody has in hand.
//!
//! Who calls: `main.rs` starts the [`Recorder`] and gives it to the Graph client; `app.rs` shows [`support_page`]. Other
//! rooms read the record (`graph_calls`) within their own queries.
//!
//! What always holds:
//! - each call to Meta ends as one row, or, when Postgres can't take it in time, as one line of the log with its facts;
//! - whoever waits for a call's answer gets it only when that is settled, and never waits for it longer than ten seconds;
//! - no token is in a record: [`crate::graph`] took them out before;
//! - what belongs to another partner looks the same as what nobody knows.

#[cfg(feature = "ssr")]
mod answer;
#[cfg(feature = "ssr")]
mod call;
#[cfg(feature = "ssr")]
mod find;
#[cfg(all(test, feature = "ssr"))]
mod fixture;
#[cfg(feature = "ssr")]
mod lookup;
#[cfg(feature = "ssr")]
mod page;
#[cfg(feature = "ssr")]
mod recorder;
#[cfg(feature = "ssr")]
mod store;
#[cfg(feature = "ssr")]
mod writer;

#[cfg(feature = "ssr")]
pub use self::{page::support_page, recorder::Recorder};
