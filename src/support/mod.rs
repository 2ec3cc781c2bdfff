//! Support: the record of every Graph call, and 'Look up', which finds one by whatever id somebody has in hand.
//!
//! Who calls: `main.rs` starts the [`Recorder`] and gives it to the Graph client; `app.rs` shows the pages; `server.rs` merges [`routes`];
//! the palette offers what [`recognise`] reads;
//! `worker.rs` runs [`CountFailures`] and [`DropOldAnswers`]. Other rooms read the record (`graph_calls`) within their own queries.
//!
//! What always holds:
//! - each call to Meta ends as one row, or, when Postgres can't take it in time, as one line of the log with its facts;
//! - whoever waits for a call's answer gets it only when that is settled, and never waits for it longer than ten seconds;
//! - no token is in a record: [`crate::graph`] took them out before; none that is pasted gets into an address or is kept;
//! - what belongs to another partner looks the same as what nobody knows;
//! - anything may be pasted: it is read in one pass, and no look-up asks Postgres for more than a few ids;
//! - raw answers are dropped for their age, the facts read from them stay.

#[cfg(feature = "ssr")]
mod answer;
#[cfg(feature = "ssr")]
mod call;
#[cfg(feature = "ssr")]
mod curl;
#[cfg(feature = "ssr")]
mod failures;
#[cfg(feature = "ssr")]
mod find;
#[cfg(all(test, feature = "ssr"))]
mod fixture;
#[cfg(feature = "ssr")]
mod lookup;
#[cfg(feature = "ssr")]
mod page;
#[cfg(feature = "ssr")]
mod paste;
#[cfg(feature = "ssr")]
mod recognise;
#[cfg(feature = "ssr")]
mod recorder;
#[cfg(feature = "ssr")]
mod retention;
#[cfg(feature = "ssr")]
mod scan;
#[cfg(feature = "ssr")]
mod start;
#[cfg(feature = "ssr")]
mod stated;
#[cfg(feature = "ssr")]
mod store;
#[cfg(feature = "ssr")]
mod writer;

#[cfg(feature = "ssr")]
pub use self::{
    call::call_page,
    failures::{CountFailures, cause_page, causes_page},
    page::support_page,
    paste::{LARGEST_FORM, routes},
    recognise::{Recognised, recognise},
    recorder::Recorder,
    retention::DropOldAnswers,
};
