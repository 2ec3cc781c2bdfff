//! The end businesses a partner serves and their WABAs: read from Graph, kept, searched, listed.
//!
//! Who calls: `app.rs` (the page, the doors, [`head_count`] for the frame), `worker.rs` ([`SyncBusinesses`]), `onboarding` (one
//! business's page, drafts of what is ticked, and [`refresh_standing`] after each change of a request), `webhooks`
//! ([`lock_businesses`]), `support` and `insights` (look-ups).
//!
//! What always holds:
//! - a business is found from its WABAs; the onboarding call goes to the business's id, never to a WABA's (2.3);
//! - nothing is deleted: a WABA that Meta lists no more is gone, a business without any has left, and either may return;
//! - absent is not "not started": what Meta doesn't say stays unknown, and leaves what it said before;
//! - where a business stands is recomputed by one SQL function, in the transaction of whatever changed it;
//! - a note belongs to who wrote it, and each change of who looks after a business is kept; both stand in its timeline ([`story_of`]);
//! - what a member ticks is kept for them until they act on it or clear it, whichever page of the list they look at;
//! - search never leaves Postgres's indexes, and no search looks at more than a bounded number of rows.

mod islands;
mod model;

#[cfg(feature = "hydrate")]
mod browser;
#[cfg(feature = "hydrate")]
mod ticks;

pub use islands::LiveList;
pub use model::{Business, Event, EventKind, HeardFrom, LastRequest, Link, Running, Standing, SyncState, Waba};

#[cfg(feature = "ssr")]
mod api;
#[cfg(feature = "ssr")]
mod country;
#[cfg(feature = "ssr")]
mod first_run;
#[cfg(feature = "ssr")]
mod managers;
#[cfg(feature = "ssr")]
mod name_key;
#[cfg(feature = "ssr")]
mod named;
#[cfg(feature = "ssr")]
mod notes;
#[cfg(feature = "ssr")]
mod page;
#[cfg(feature = "ssr")]
mod pages;
#[cfg(feature = "ssr")]
mod query;
#[cfg(feature = "ssr")]
mod reasons;
#[cfg(feature = "ssr")]
mod reconcile;
#[cfg(feature = "ssr")]
mod results;
#[cfg(feature = "ssr")]
mod search;
#[cfg(feature = "ssr")]
mod selection;
#[cfg(feature = "ssr")]
mod store;
#[cfg(feature = "ssr")]
mod story;
#[cfg(feature = "ssr")]
mod sync;
#[cfg(feature = "ssr")]
mod sync_line;
#[cfg(feature = "ssr")]
mod table;
#[cfg(feature = "ssr")]
mod waba_table;
#[cfg(feature = "ssr")]
mod words;

#[cfg(feature = "ssr")]
pub use self::{
    api::{ClearSelection, Select, SelectMatching, SyncNow, ask_for_sync, sync_soon},
    country::country_name,
    managers::{
        Assign, AssignSelected, AssignTicked, Colleague, Manager, ManagerSelect, assign_page, colleagues, manager_of,
    },
    name_key::fold,
    named::businesses_named,
    notes::{AddNote, DeleteNote, LONGEST_NOTE, NoteRefusal, businesses_noted},
    page::businesses_page,
    reasons::{Reason, meta_status_words, reason_words, remedy},
    reconcile::SyncBusinesses,
    selection::{SelectionNotice, Ticks, view_href, view_with_notice},
    store::{
        HeadCount, News, businesses_called, clear_selection, find_business, first_businesses, fold_counts, head_count,
        keep_ticks, keep_told, lock_businesses, lock_wabas, note_check, refresh_standing, sync_state, wabas_in,
        wabas_of, whose_waba,
    },
    story::{Assignment, Deed, Mark, Note, Span, events_of, story_of},
    waba_table::WabaTable,
    words::{ToldWords, told_words},
};
