//! All SQL of the search over requests and calls.
//!
//! Requests are listed by their numbers and calls by their time, newest first. Which way they are found is decided here and not by the
//! planner, which knows nothing of a partner that came a minute ago: what few requests have is gathered first ([`MOST_GATHERED`]), and
//! what many have is met by walking along the numbers of each state asked for, or along the times of calls, within the bounds that times
//! set. What neither finds soon ends a page at its [`BUDGET`]: the page says how far it looked, and goes on from there when asked to.

mod calls;
mod conditions;
mod counts;
mod gather;
mod numbers;
mod resolve;
mod rows;
mod suggest;
#[cfg(test)]
mod tests;

use time::OffsetDateTime;

pub use self::{
    calls::{CallPlace, CallRow, LookedAtCalls, calls_of_page, look_at_calls},
    counts::{StateCount, state_counts},
    numbers::{Looked, Window, look, numbers_of_page},
    rows::{RequestRow, rows_of, when_asked},
    suggest::{Named, names},
};
use super::asked::{Asked, Cond};

/// The most requests that are gathered before they are put in order. What more have than these, every two-hundredth of a million does,
/// and walking meets it soon.
const MOST_GATHERED: i64 = 5_000;

/// The most rows that are looked at for a page: a hundredth of a millisecond each, and nobody is to wait for long.
pub const BUDGET: i64 = 3_000;

/// The same for a step of a file, which nobody waits in front of.
const FILE_BUDGET: i64 = 10_000;

/// What was asked for, with names and times found.
#[derive(Clone, Debug)]
pub struct Filter {
    pub asked: Asked,
    members: Vec<Cond<i64>>,
    /// 0 stands for nobody.
    managers: Vec<Cond<i64>>,
    /// Ids; an empty one stands for none.
    solutions: Vec<Cond<String>>,
    businesses: Vec<Cond<String>>,
    numbers: Vec<Cond<i64>>,
    /// No number outside of these fits.
    only: Option<Vec<i64>>,
    /// The same of calls, where they needn't be made for requests.
    only_calls: Option<Vec<i64>>,
    /// Nor below this one,
    first: i64,
    /// nor from this one on.
    end: i64,
    stalled_before: OffsetDateTime,
    /// Below this number all that waits has stalled or may have.
    stalled_end: i64,
}
