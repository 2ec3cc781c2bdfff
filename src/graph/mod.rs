//! The Graph API client: every call Liteboard makes to Meta, and everything Meta says back.
//!
//! Rooms call it through [`Graph`] (the app's own calls: sign-in dialog, tokens) and [`Caller`] (calls with somebody's
//! token); `support` keeps each exchange through an [`Observer`]. It is a tool: it knows no room, no database and no page.
//!
//! What always holds:
//! - one place sends HTTP (`transport.rs`); only the configured hosts are called, and no redirect is followed;
//! - every exchange, whatever its end, is observed exactly once, before its result is handed back, even when the caller
//!   stopped waiting;
//! - nothing is sent twice: repeating is the caller's decision (the one exception, a list of fields Graph refuses, is a read);
//! - no token, code, proof or secret is in a [`Call`], an [`Error`] or any `Debug` text;
//! - what Meta says is kept as said. A status nobody knows stays text, and what is missing stays missing.
//!
//! Section numbers in comments are those of Graph facts, the project's reading of Meta's documents.
//! The ids compile for the browser, too; the rest is for the server.

mod ids;
pub use ids::{AppId, BusinessId, InvalidId, MOST_DIGITS, MetaRequestId, SolutionId, UserId, WabaId};

#[cfg(feature = "ssr")]
mod access_token;
#[cfg(feature = "ssr")]
mod accounts;
#[cfg(feature = "ssr")]
mod answer;
#[cfg(feature = "ssr")]
mod businesses;
#[cfg(feature = "ssr")]
mod call;
#[cfg(feature = "ssr")]
mod cause;
#[cfg(feature = "ssr")]
mod classify;
#[cfg(feature = "ssr")]
mod client;
#[cfg(feature = "ssr")]
mod error;
#[cfg(feature = "ssr")]
mod many;
#[cfg(feature = "ssr")]
mod onboarding;
#[cfg(feature = "ssr")]
mod paging;
#[cfg(feature = "ssr")]
mod redaction;
#[cfg(feature = "ssr")]
mod request;
#[cfg(feature = "ssr")]
mod settings;
#[cfg(feature = "ssr")]
mod solutions;
#[cfg(feature = "ssr")]
mod subscriptions;
#[cfg(feature = "ssr")]
mod tls;
#[cfg(feature = "ssr")]
mod tokens;
#[cfg(feature = "ssr")]
mod transport;
#[cfg(feature = "ssr")]
mod usage;
#[cfg(feature = "ssr")]
mod wire;

#[cfg(test)]
#[cfg(feature = "ssr")]
mod stand_in;

#[cfg(feature = "ssr")]
pub use self::{
    access_token::AccessToken,
    accounts::{Owner, Waba},
    businesses::{BusinessStatus, Person, Portfolio},
    call::{Call, Observer, Operation, Origin, Unobserved},
    cause::{Advice, Cause, TokenProblem, UnknownCause},
    client::{BuildError, Caller, Graph, Now},
    error::{Error, Failure, GraphError, Kind, cause_of},
    many::MOST_IDS,
    paging::{Cursor, Page},
    redaction::{REDACTED, redacted, without_secrets},
    settings::{Settings, UnknownVersion, Version},
    solutions::{Solution, SolutionRole},
    subscriptions::Subscription,
    tls::config as tls_config,
    tokens::{GrantedToken, GranularScope, SCOPES, TokenFacts},
    usage::{AppUsage, BusinessUsage, Usage},
};
