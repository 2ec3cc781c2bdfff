//! The list of requests and of calls to Meta: one search bar, the page, its export, and suggestions while one types.
//!
//! Who calls: `app.rs` ([`requests_page`]), `server.rs` ([`search_routes`]).
//!
//! What always holds:
//! - no secret that was pasted stands in an address, a saved view or the audit log;
//! - the whole filter is the address's `?q=`: whatever is shown can be sent to a colleague;
//! - what can't be read is said beside the bar, and what was typed stays in it;
//! - a page costs as much among a million requests as among a thousand: see `store/`.

mod islands;

#[cfg(feature = "ssr")]
mod address;
#[cfg(feature = "ssr")]
mod asked;
#[cfg(feature = "hydrate")]
mod browser;
#[cfg(feature = "ssr")]
mod export;
#[cfg(feature = "ssr")]
mod form;
#[cfg(feature = "ssr")]
mod page;
#[cfg(feature = "ssr")]
mod standings;
#[cfg(feature = "ssr")]
mod store;
#[cfg(feature = "ssr")]
mod suggest;
#[cfg(feature = "ssr")]
mod terms;
#[cfg(feature = "ssr")]
mod times;

pub use islands::Suggestions;

#[cfg(test)]
pub use self::store::rows_of;
#[cfg(feature = "ssr")]
pub use self::{
    address::{export_href, href},
    asked::is_id,
    export::search_routes,
    page::requests_page,
};
