//! What a partner's people look after together: at present the connection to Meta.
//!
//! Who calls: `app.rs` (the settings page). The tokens themselves are `sign_in`'s, and so are the doors that change them.
//!
//! What always holds: everyone may look, only admins find a form, and nothing here has ever held a token.
#![cfg(feature = "ssr")]

mod connection;
mod page;

pub use self::page::settings_page;
