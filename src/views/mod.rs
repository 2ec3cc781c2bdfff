//! Saved views: a search of a list, kept under a name, opened again by a click.
//!
//! Who calls: the rooms with a list ([`views_menu`] beside their search), `app.rs` ([`views_page`]).
//!
//! What always holds:
//! - a view is a place and a query: opening it is following a link, and it shows what that link shows today;
//! - a member's own views are theirs to rename, share and delete; an admin may delete any that is shared;
//! - a shared view outlives the membership of who made it, and says so.

mod api;
mod model;
mod page;
mod store;

pub use self::{
    api::{Change, Delete, Save},
    model::Place,
    page::{views_menu, views_page},
};
