//! Stories through the whole app, and what must hold of all of it: doors, imports, migrations, the README.
//!
//! Unit tests and store tests sit at the bottom of the file they test.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod app;
mod browser;
mod crash;
mod doors;
mod imports;
mod migrations;
mod onboarding;
mod readme;
mod signing_in;
mod syncing;
