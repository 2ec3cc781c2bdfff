//! A stand-in for Meta: Graph API, Facebook Login and webhooks, as a careful reader of Meta's documents expects them to behave.
//!
//! For tests, which start a [`Simulator`] in their process, and for `bin/dev`, which starts the `graph-simulator` binary. Never
//! part of a release. It is stateful: what a call does, later calls see, and the ledger tells how many agreements there are.
//!
//! What always holds:
//! - It imports nothing of the crate and shares no type with the Graph client, or one misreading would make both agree.
//! - The same [`Options::seed`] and sizes make the same partners, people, businesses and ids.
//! - A fault that says "after" lets the call take effect; every other fault leaves the world as it was.
//! - Time is the simulator's own clock, moved by [`Simulator::advance`]; `clock.rs` alone reads real time.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use liteboard::graph_simulator::{Fault, NORTHLANE, Operation, Options, PEOPLE_IDS, Simulator, Situation};
//!
//! let meta = Simulator::start(Options { businesses: 50, ..Options::default() }).await?;
//! let token = meta.token_for(PEOPLE_IDS[0])?;
//! let business = meta.business_where(NORTHLANE, Situation::Onboardable)?;
//! meta.plan(Operation::Onboard, Fault::ResetAfter, 1);
//! // POST {meta.url()}/v25.0/{business}/onboard_partners_to_mm_lite with the token: no answer comes, yet
//! // meta.ledger() has one agreement.
//! # Ok(()) }
//! ```
//!
//! Where things are: `server` takes a request, `call` and `params` read it, `graph` and `routes` lead it on; `oauth`, `dialog`, `nodes`,
//! `lists`, `onboarding` answer; `world` is what exists and `seed` makes it; `events` and `webhooks` are what happens by
//! itself; `faults`, `throttle`, `wire` are what goes wrong; `control`, `entries` and `home` are its own page and controls.

mod access;
mod call;
mod clock;
mod control;
mod dialog;
mod entries;
mod error;
mod events;
mod faults;
mod fields;
mod graph;
mod home;
mod html;
mod lists;
mod many;
mod named;
mod names;
mod nodes;
mod oauth;
mod onboarding;
mod opaque;
mod operation;
mod options;
mod outbound;
mod params;
mod record;
mod routes;
mod seed;
mod server;
mod shared;
mod simulator;
mod situation;
#[cfg(test)]
mod testing;
mod throttle;
mod tokens;
mod webhooks;
mod wire;
mod world;

pub use call::VERSIONS;
pub use entries::{BusinessEntry, LedgerEntry, PartnerEntry, PersonEntry, Unknown, WabaEntry};
pub use faults::{Chance, Fault};
pub use operation::Operation;
pub use options::{
    APP_ID, APP_SECRET, HARBOUR_REACH, LOGIN_CONFIG_ID, NORTHLANE, OTHER_APP_ID, Options, PartnerKind, Quirk,
    SYSTEM_LOGIN_CONFIG_ID, Webhook,
};
pub use record::RecordedCall;
pub use seed::{FOREIGN_SOLUTION_ID, PEOPLE_IDS};
pub use simulator::Simulator;
pub use situation::Situation;
pub use tokens::Ending;
