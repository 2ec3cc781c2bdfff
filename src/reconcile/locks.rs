//! Who holds what: session advisory locks on one connection beside the pool.
//!
//! All locks of a process live and die with that connection. So before each pass a holder asks whether it still holds; a
//! connection found dead gives up every lock of the process at once, which is the truth Postgres already knows.

use std::collections::HashSet;

use sqlx::{Connection, PgConnection};
use tokio::sync::Mutex;

use super::signal;
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
    /// Counts the connections: a lock is as old as the one it was taken on.
    tenure: u64,
}

/// Since when a lock is held: another one of the same name means that somebody else may have had it between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tenure(u64);

impl Locks {
    pub fn new(db: Db) -> Self {
        Self { db, held: Mutex::default() }
    }

    /// Takes the lock called `name`, or makes sure that it's still held. `None`: another instance has it.
    ///
    /// # Errors
    /// When Postgres can't be reached; then nothing is held any more.
    pub async fn hold(&self, name: &str) -> sqlx::Result<Option<Tenure>> {
        let mut held = self.held.lock().await;
        // Put back when all went well: whatever ends it midway, no name stays without its connection.
        let mut taken = held.take();
        let holds = self.try_hold(&mut taken, name).await?;
        let tenure = Tenure(taken.tenure);
        *held = taken;
        Ok(holds.then_some(tenure))
    }

    async fn try_hold(&self, held: &mut Held, name: &str) -> sqlx::Result<bool> {
        let connection = match &mut held.connection {
            Some(connection) => connection,
            none => none.insert(PgConnection::connect_with(self.db.connect_options()).await?),
        };
        if held.names.contains(name) {
            return sqlx::query_scalar!("SELECT TRUE AS \"alive!\"").fetch_one(connection).await;
        }
        let holds = sqlx::query_scalar!("SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS \"held!\"", name)
            .fetch_one(connection)
            .await?;
        if holds {
            held.names.insert(name.to_owned());
        }
        Ok(holds)
    }

    /// Gives the lock called `name` up, if it's held, and wakes those who wait for it.
    pub async fn release(&self, name: &str) {
        let mut held = self.held.lock().await;
        if !held.names.contains(name) {
            return;
        }
        let mut taken = held.take();
        match Self::try_release(&mut taken, name).await {
            Ok(()) => *held = taken,
            Err(error) => tracing::debug!(%error, "the lock connection was gone already"),
        }
    }

    async fn try_release(held: &mut Held, name: &str) -> sqlx::Result<()> {
        let Some(connection) = &mut held.connection else { return Ok(()) };
        sqlx::query_scalar!("SELECT pg_advisory_unlock(hashtextextended($1, 0))", name)
            .fetch_one(&mut *connection)
            .await?;
        held.names.remove(name);
        // Not in one statement: whoever is woken must find it free.
        signal(connection, name).await
    }

    /// Gives everything up, so that others needn't wait for the connection to be missed.
    pub async fn release_all(&self) {
        let held = self.held.lock().await.take();
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

impl Held {
    /// What is held, leaving nothing; the next connection is a new one.
    fn take(&mut self) -> Self {
        let tenure = self.tenure + 1;
        std::mem::replace(self, Self { tenure, ..Self::default() })
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
        let tenure = one.hold(&name).await.unwrap();
        assert!(tenure.is_some());
        assert_eq!(one.hold(&name).await.unwrap(), tenure, "holding is not counted");
        assert_eq!(two.hold(&name).await.unwrap(), None);
        one.release_all().await;
        assert!(two.hold(&name).await.unwrap().is_some());
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn a_lost_connection_loses_every_lock_and_says_so(pool: PgPool) {
        let locks = Locks::new(Db::from_pool(pool.clone()));
        let before = locks.hold("law:lost").await.unwrap();
        assert!(before.is_some() && locks.hold("law:lost too").await.unwrap() == before);
        sqlx::query!(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid() AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        .fetch_all(&pool)
        .await
        .unwrap();
        assert!(locks.hold("law:lost").await.is_err());
        let after = locks.hold("law:lost too").await.unwrap();
        assert!(after.is_some() && after != before, "held again, and not all the time");
        assert_eq!(locks.hold("law:lost").await.unwrap(), after);
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn one_lock_is_given_up_without_the_others_and_wakes_who_waits(pool: PgPool) {
        let (one, two) = (Locks::new(Db::from_pool(pool.clone())), Locks::new(Db::from_pool(pool.clone())));
        for name in ["law:given up", "law:kept"] {
            assert!(one.hold(name).await.unwrap().is_some());
        }
        let mut listener = sqlx::postgres::PgListener::connect_with(&pool).await.unwrap();
        listener.listen(super::super::CHANNEL).await.unwrap();
        one.release("law:never held").await;
        one.release("law:given up").await;
        assert_eq!(listener.recv().await.unwrap().payload(), "law:given up");
        assert!(two.hold("law:given up").await.unwrap().is_some());
        assert_eq!(two.hold("law:kept").await.unwrap(), None);
    }
}
