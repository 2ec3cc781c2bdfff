//! Who holds what: session advisory locks on one connection beside the pool.
//!
//! All locks of a process live and die with that connection. So before each pass a holder asks whether it still holds; a
//! connection found dead gives up every lock of the process at once, which is the truth Postgres already knows.

use std::collections::HashSet;

use sqlx::{Connection, PgConnection};
use tokio::sync::Mutex;

use crate::db::Db;

/// The locks of this process.
#[derive(Debug)]
pub struct Locks {
    db: Db,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    connection: Option<PgConnection>,
    names: HashSet<String>,
}

impl Locks {
    pub fn new(db: Db) -> Self {
        Self { db, held: Mutex::default() }
    }

    /// Takes the lock called `name`, or makes sure that it's still held. `false`: another instance has it.
    ///
    /// # Errors
    /// When Postgres can't be reached; then nothing is held any more.
    pub async fn hold(&self, name: &str) -> sqlx::Result<bool> {
        let mut held = self.held.lock().await;
        let outcome = self.try_hold(&mut held, name).await;
        if outcome.is_err() {
            *held = Held::default();
        }
        outcome
    }

    async fn try_hold(&self, held: &mut Held, name: &str) -> sqlx::Result<bool> {
        let mut connection = match held.connection.take() {
            Some(connection) => connection,
            None => PgConnection::connect_with(self.db.connect_options()).await?,
        };
        let holds = if held.names.contains(name) {
            sqlx::query_scalar!("SELECT TRUE AS \"alive!\"").fetch_one(&mut connection).await?
        } else {
            sqlx::query_scalar!("SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS \"held!\"", name)
                .fetch_one(&mut connection)
                .await?
        };
        held.connection = Some(connection);
        if holds {
            held.names.insert(name.to_owned());
        }
        Ok(holds)
    }

    /// Gives everything up, so that others needn't wait for the connection to be missed.
    pub async fn release_all(&self) {
        let held = std::mem::take(&mut *self.held.lock().await);
        let Some(mut connection) = held.connection else { return };
        // Said before the connection goes: Postgres takes a moment to miss one.
        let released = sqlx::query("SELECT pg_advisory_unlock_all()").execute(&mut connection).await;
        if let Err(error) = match released {
            Ok(_) => connection.close().await,
            Err(error) => Err(error),
        } {
            tracing::debug!(%error, "the lock connection was gone already");
        }
    }
}

#[cfg(test)]
mod tests {
    use sqlx::PgPool;

    use super::*;

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn one_holder_at_a_time_and_the_next_when_it_lets_go(pool: PgPool) {
        let (one, two) = (Locks::new(Db::from_pool(pool.clone())), Locks::new(Db::from_pool(pool)));
        let name = format!("law:{:p}", &raw const one);
        assert!(one.hold(&name).await.unwrap());
        assert!(one.hold(&name).await.unwrap(), "holding is not counted");
        assert!(!two.hold(&name).await.unwrap());
        one.release_all().await;
        assert!(two.hold(&name).await.unwrap());
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn a_lost_connection_loses_every_lock_and_says_so(pool: PgPool) {
        let locks = Locks::new(Db::from_pool(pool.clone()));
        assert!(locks.hold("law:lost").await.unwrap());
        sqlx::query!(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid() AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        .fetch_all(&pool)
        .await
        .unwrap();
        assert!(locks.hold("law:lost").await.is_err());
        assert!(locks.hold("law:lost").await.unwrap());
    }
}
