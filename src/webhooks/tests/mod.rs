//! What holds of the store and of applying, on a real Postgres.

pub mod fixtures;
