//! What a partner's people look after together: the team and its sessions, the connection to Meta, what the partner decides for
//! itself, and the audit log.
//!
//! Who calls: `app.rs` (the pages), `server.rs` ([`routes`]: the log as a file). Members, sessions, tokens and the writing of the log
//! are `sign_in`'s; any room reads what was decided here by `sign_in::partner_settings`.
//!
//! What always holds:
//! - only admins change anything, or see a colleague's session or the log; everyone sees and ends their own sessions;
//! - a partner is never left without an admin who has come at least once;
//! - who was removed or whose session was ended is out with their next request;
//! - every change is in the log, in the transaction that makes it; nothing here has ever held a token.
#![cfg(feature = "ssr")]

mod api;
mod connection;
mod model;
mod page;
mod routes;
mod settings;
mod store;

pub use self::{
    api::{ChangeRole, EndSession, EndSessions, LetBackIn, RemoveMember, SaveSettings},
    model::Deployment,
    page::{audit_page, member_page, settings_page},
    routes::routes,
};
