//! Stories through the whole app, and what must hold of all of it: doors, imports, migrations, the README.
//!
//! Unit tests and store tests sit at the bottom of the file they test.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod app;
mod batches;
mod browser;
mod chaos;
mod crash;
mod doctor;
mod doors;
mod drafts;
mod follow;
mod imports;
mod insights;
mod limits;
mod lists;
mod migrations;
mod onboarding;
mod readme;
mod rivals;
mod searching;
mod settings;
mod signing_in;
mod stalled;
mod starting;
mod support;
mod syncing;
mod team;
mod waits;
mod webhooks;
