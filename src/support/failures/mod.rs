//! Failed calls in groups by what Meta said: counted as they come, read from the counts.
//!
//! What always holds: each failed call is counted once, in the group of its code and its words; a page reads counts, never the calls
//! themselves, so that it costs the same at five million calls as at five.

mod count;
mod page;
mod view;
mod words;

pub(super) use self::view::{group_heading, group_path};
pub use self::{
    count::CountFailures,
    page::{cause_page, causes_page, week},
    words::key_of,
};
