//! Who is asking, and what they may do: signing in with Facebook, sessions, members and their tokens.
//!
//! Who calls: everyone. Pages and doors begin with [`Visit::from_context`]; background work takes a token to
//! read with by [`any_live_token`], and what requests are sent with by [`sending_token`]; routes that stream begin with
//! [`Presence::of`]; whoever does what colleagues may ask about later writes it down with [`audit`]; `server.rs` merges [`routes`] and wraps everything in [`session_layer`].
//!
//! The way in: `/sign-in` (a page) -> `/sign-in/start` -> Facebook's dialog -> `/sign-in/callback` -> the page one wanted, or
//! `/sign-in/partner` (a page) for people of several partners.
//!
//! What always holds:
//! - a browser holds one cookie with a random id; the server holds its hash, who it stands for, and when it ends;
//! - a state of ours is used once, within ten minutes, in the browser that began; no code is exchanged twice;
//! - only people of partners in `PARTNER_BUSINESS_IDS` come in, the first as admin, later ones as support;
//! - tokens are sealed before they are stored, and leave this room only as [`LiveToken`] or [`SendingToken`];
//! - nobody is led to another site: a way back is a path of ours or it is forgotten;
//! - when who asks can't be known, because Postgres is away, that is said; nobody is asked to sign in for it.

mod model;
pub use model::{Role, UnknownRole};

#[cfg(feature = "ssr")]
mod arrival;
#[cfg(feature = "ssr")]
mod audit;
#[cfg(feature = "ssr")]
mod cookie;
#[cfg(feature = "ssr")]
mod doors;
#[cfg(feature = "ssr")]
mod examine;
#[cfg(feature = "ssr")]
mod finish;
#[cfg(feature = "ssr")]
mod gate;
#[cfg(feature = "ssr")]
mod handshake;
#[cfg(feature = "ssr")]
mod keys;
#[cfg(feature = "ssr")]
mod members;
#[cfg(feature = "ssr")]
mod open_sessions;
#[cfg(feature = "ssr")]
mod page;
#[cfg(feature = "ssr")]
mod partner_settings;
#[cfg(feature = "ssr")]
mod presence;
#[cfg(feature = "ssr")]
mod problem;
#[cfg(feature = "ssr")]
mod reconcile;
#[cfg(feature = "ssr")]
mod return_to;
#[cfg(feature = "ssr")]
mod sending;
#[cfg(feature = "ssr")]
mod session;
#[cfg(feature = "ssr")]
mod session_store;
#[cfg(feature = "ssr")]
mod state;
#[cfg(feature = "ssr")]
mod store;
#[cfg(feature = "ssr")]
mod system_user;
#[cfg(feature = "ssr")]
mod theme;
#[cfg(feature = "ssr")]
mod tokens;
#[cfg(feature = "ssr")]
mod unsent;
#[cfg(feature = "ssr")]
pub mod visit;
#[cfg(feature = "ssr")]
mod whence;

#[cfg(all(test, feature = "ssr"))]
mod tests;

#[cfg(feature = "ssr")]
pub use self::{
    audit::{Act, Entry, Who, audit},
    cookie::session_cookie,
    doors::routes,
    examine::{TriedToken, partner_token, try_tokens},
    finish::{Problem, finish, refuse_request, respond},
    keys::{are_keys_on, choose_keys},
    members::{hold_as_admin, name_member},
    open_sessions::{OpenSession, SessionMark, end_session, end_sessions, open_sessions},
    page::{choice_page, sign_in_page},
    partner_settings::{PartnerKind, PartnerSettings, partner_settings, save_partner_settings},
    presence::Presence,
    reconcile::ExpiredSessions,
    return_to::ReturnTo,
    sending::{Holder, SendingToken, Whose, can_send, mark_dead, reading_token, sending_token},
    session::End as SessionEnd,
    state::{SignIn, session_layer},
    system_user::{
        Connection, OwnToken, Refusal as SystemUserRefusal, RemoveSystemUserToken, StoreSystemUserToken,
        SystemUserToken, connection,
    },
    theme::{choose_theme, theme_of, zone_of},
    tokens::{LiveToken, NEEDED, TokenError, any_live_token},
    visit::{Page, Viewer, Visit, way_to_new_token, way_to_sign_in},
    whence::{AskedFrom, Whence},
};
