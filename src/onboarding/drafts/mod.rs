//! Many at once, up to the moment their requests are queued: a draft is made of what a member ticked or of a list of ids, looked at,
//! corrected, and started.
//!
//! Who calls: `app.rs` (the pages), `server.rs` ([`draft_routes`]), the bar under the list of businesses and the import page by their
//! forms.
//!
//! What always holds:
//! - nothing is sent from a draft until a member who may onboard starts it, and it's started once however often that is asked;
//! - what is sent is what was checked in the transaction that starts it: what was shown before is advice, and more than was shown is
//!   never sent;
//! - each row of a list is accounted for: it's sent, or it says why not;
//! - a list is read as it comes in and never held as a whole.

mod api;
mod consent;
mod groups;
mod import;
mod model;
mod page;
mod problems;
mod reader;
mod store;

pub use self::{
    api::{Correct, Discard, Draft, Start},
    import::draft_routes,
    page::{confirm_page, import_page, rows_page},
};
