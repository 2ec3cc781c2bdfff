//! Keeps sessions in Postgres, for tower-sessions and for [`super::gate`].
//!
//! What always holds:
//! - only SHA-256 of a session's id is stored: who reads the table can't use what is in it;
//! - our clock decides when a session ends, 60 minutes after its last use and 12 hours after sign-in at the latest; the
//!   times tower-sessions puts into a record count for nothing;
//! - a session that was ended stays ended: saving never brings its row back;
//! - reading writes at most once a minute.

use std::collections::HashMap;

use futures::future::BoxFuture;
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
    session_store::{Error, Result},
};

use super::session::{End, SignedIn};
use crate::{clock::Clock, db::Db};

/// A session nobody uses ends after this.
pub(super) const IDLE: Duration = Duration::minutes(60);

/// A session ends after this even when used: then the person signs in again.
const LIFETIME: Duration = Duration::hours(12);

/// How long it's known whose a session was that has ended.
const KNOWN_FOR: Duration = Duration::days(1);

/// How far what is kept of a session's use may lag behind.
const TOUCH_EVERY: Duration = Duration::minutes(1);

/// What became of a look for a session.
pub(super) enum Found {
    /// It lasts, and was used by this.
    Open {
        record: Record,
        /// This use was noted, the first in a minute.
        noted: bool,
    },
    /// There is none.
    Ended(End),
}

/// The sessions. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Sessions {
    db: Db,
    clock: Clock,
}

impl Sessions {
    pub(super) fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }

    /// Looks for a session. Finding it open is a use of it, which is noted once a minute.
    pub(super) async fn find(&self, id: &Id) -> sqlx::Result<Found> {
        let (now, id_hash) = (self.clock.now(), hash(id));
        let row = sqlx::query!(
            r#"SELECT data, created_at, coalesce(used_at, created_at) AS "used_at!", ended FROM sessions
               WHERE id_hash = $1 AND expires_at > $2"#,
            &id_hash,
            now,
        )
        .fetch_optional(self.db.pool())
        .await?;
        let Some(row) = row else { return Ok(Found::Ended(End::Idle)) };
        if let Some(ended) = row.ended {
            return Ok(Found::Ended(End::from_stored(&ended)));
        }
        let expires_at = end_of(row.created_at, now);
        let noted = now - row.used_at >= TOUCH_EVERY;
        if noted {
            sqlx::query!(
                "UPDATE sessions SET expires_at = $2, used_at = $3 WHERE id_hash = $1 AND ended IS NULL",
                &id_hash,
                expires_at,
                now,
            )
            .execute(self.db.pool())
            .await?;
        }
        Ok(record(id, row.data, expires_at).map_or(Found::Ended(End::Idle), |record| Found::Open { record, noted }))
    }

    /// A session that hasn't ended, looked at without being used.
    pub(super) async fn peek(&self, id: &Id) -> sqlx::Result<Option<Record>> {
        let row = sqlx::query!(
            "SELECT data, expires_at FROM sessions WHERE id_hash = $1 AND expires_at > $2 AND ended IS NULL",
            &hash(id),
            self.clock.now(),
        )
        .fetch_optional(self.db.pool())
        .await?;
        Ok(row.and_then(|row| record(id, row.data, row.expires_at)))
    }

    /// Puts `after` in the place of `before`, for one of any number of askers: false for all others, and for an entry that
    /// is no longer `before`. `None`: there is no such entry yet. The other entries stay as they are.
    pub(super) async fn swap(&self, id: &Id, entry: &str, before: Option<&Value>, after: &Value) -> sqlx::Result<bool> {
        let done = sqlx::query!(
            "UPDATE sessions SET data = jsonb_set(data, ARRAY[$2], $4)
             WHERE id_hash = $1 AND data -> $2 IS NOT DISTINCT FROM $3 AND expires_at > $5 AND ended IS NULL",
            &hash(id),
            entry,
            before,
            after,
            self.clock.now(),
        )
        .execute(self.db.pool())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Who a session stood for, whether it lasts or has ended, for as long as ended ones are remembered.
    pub(super) async fn whose(&self, id: &Id) -> sqlx::Result<Option<SignedIn>> {
        let data = sqlx::query_scalar!("SELECT data FROM sessions WHERE id_hash = $1", &hash(id))
            .fetch_optional(self.db.pool())
            .await?;
        let data = data.and_then(|data| serde_json::from_value(data).ok());
        Ok(data.as_ref().and_then(SignedIn::find))
    }

    async fn insert(&self, record: &mut Record) -> sqlx::Result<()> {
        let now = self.clock.now();
        let data = Value::from_iter(record.data.clone());
        loop {
            let done = sqlx::query!(
                "INSERT INTO sessions (id_hash, data, created_at, expires_at) VALUES ($1, $2, $3, $4)
                 ON CONFLICT DO NOTHING",
                &hash(&record.id),
                data,
                now,
                end_of(now, now),
            )
            .execute(self.db.pool())
            .await?;
            if done.rows_affected() == 1 {
                return Ok(());
            }
            record.id = Id::default();
        }
    }

    async fn update(&self, record: &Record) -> sqlx::Result<()> {
        let data = Value::from_iter(record.data.clone());
        sqlx::query!("UPDATE sessions SET data = $2 WHERE id_hash = $1 AND ended IS NULL", &hash(&record.id), data)
            .execute(self.db.pool())
            .await
            .map(drop)
    }

    /// Ends a session within a transaction, and gives back what it held if it lasted until now.
    pub(super) async fn take(&self, connection: &mut PgConnection, id: &Id) -> sqlx::Result<Option<Record>> {
        let row = sqlx::query!(
            r#"DELETE FROM sessions WHERE id_hash = $1 RETURNING data, expires_at, expires_at > $2 AND ended IS NULL AS "lasted!""#,
            &hash(id),
            self.clock.now(),
        )
        .fetch_optional(connection)
        .await?;
        Ok(row.filter(|row| row.lasted).and_then(|row| record(id, row.data, row.expires_at)))
    }

    /// Ends a session, if there is one.
    pub(super) async fn end(&self, id: &Id) -> sqlx::Result<()> {
        sqlx::query!("DELETE FROM sessions WHERE id_hash = $1", &hash(id)).execute(self.db.pool()).await.map(drop)
    }
}

/// Deletes the sessions that have ended, and says how many; for the worker, now and then. Those of somebody last a day longer: it's known
/// whose they were.
///
/// # Errors
/// When Postgres can't be reached.
pub(super) async fn delete_expired_sessions(db: &Db, now: OffsetDateTime) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "DELETE FROM sessions WHERE expires_at <= $1 AND (expires_at <= $2 OR NOT data ? 'signed_in')",
        now,
        now - KNOWN_FOR
    )
    .execute(db.pool())
    .await?;
    Ok(done.rows_affected())
}

/// When a session ends that is used now.
fn end_of(created_at: OffsetDateTime, now: OffsetDateTime) -> OffsetDateTime {
    (now + IDLE).min(created_at + LIFETIME)
}

/// A row's data; one that can't be read is as good as none.
fn record(id: &Id, data: Value, expiry_date: OffsetDateTime) -> Option<Record> {
    let data = serde_json::from_value::<HashMap<String, Value>>(data).ok()?;
    Some(Record { id: *id, data, expiry_date })
}

pub(super) fn hash(id: &Id) -> Vec<u8> {
    Sha256::digest(id.to_string().as_bytes()).to_vec()
}

/// The trait is written for `async_trait`; these are the signatures that macro would make.
impl SessionStore for Sessions {
    fn create<'store, 'record, 'future>(&'store self, record: &'record mut Record) -> BoxFuture<'future, Result<()>>
    where
        'store: 'future,
        'record: 'future,
        Self: 'future,
    {
        Box::pin(async move { self.insert(record).await.map_err(backend) })
    }

    fn save<'store, 'record, 'future>(&'store self, record: &'record Record) -> BoxFuture<'future, Result<()>>
    where
        'store: 'future,
        'record: 'future,
        Self: 'future,
    {
        Box::pin(async move { self.update(record).await.map_err(backend) })
    }

    fn load<'store, 'id, 'future>(&'store self, id: &'id Id) -> BoxFuture<'future, Result<Option<Record>>>
    where
        'store: 'future,
        'id: 'future,
        Self: 'future,
    {
        Box::pin(async move {
            match self.find(id).await.map_err(backend)? {
                Found::Open { record, .. } => Ok(Some(record)),
                Found::Ended(_) => Ok(None),
            }
        })
    }

    fn delete<'store, 'id, 'future>(&'store self, id: &'id Id) -> BoxFuture<'future, Result<()>>
    where
        'store: 'future,
        'id: 'future,
        Self: 'future,
    {
        Box::pin(async move { self.end(id).await.map_err(backend) })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "takes what map_err hands over")]
fn backend(error: sqlx::Error) -> Error {
    Error::Backend(error.to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;
    use sqlx::PgPool;
    use tower_sessions::Session;

    use super::*;

    const START: OffsetDateTime = time::macros::datetime!(2026-11-22 10:00 UTC);

    fn sessions(pool: PgPool) -> (Sessions, Clock) {
        let clock = Clock::standing_at(START);
        (Sessions::new(Db::from_pool(pool), clock.clone()), clock)
    }

    fn record(data: &Value) -> Record {
        Record { id: Id::default(), data: serde_json::from_value(data.clone()).unwrap(), expiry_date: START }
    }

    const fn minutes(count: u64) -> std::time::Duration {
        std::time::Duration::from_secs(count * 60)
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn only_a_hash_of_the_id_is_stored(pool: PgPool) {
        let (sessions, _) = sessions(pool);
        let mut record = record(&json!({"a": 1}));
        sessions.create(&mut record).await.unwrap();
        let row = sqlx::query!("SELECT id_hash, data FROM sessions").fetch_one(sessions.db.pool()).await.unwrap();
        assert_eq!(row.id_hash, Sha256::digest(record.id.to_string()).to_vec());
        assert!(!row.data.to_string().contains(&record.id.to_string()));
        assert_eq!(sessions.load(&record.id).await.unwrap().unwrap().data, record.data);
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn two_sessions_never_share_an_id(pool: PgPool) {
        let (sessions, _) = sessions(pool);
        let mut first = record(&json!({"who": "first"}));
        sessions.create(&mut first).await.unwrap();
        let mut second = Record { id: first.id, ..record(&json!({"who": "second"})) };
        sessions.create(&mut second).await.unwrap();
        assert_ne!(first.id, second.id);
        assert_eq!(sessions.load(&first.id).await.unwrap().unwrap().data, first.data);
        assert_eq!(sessions.load(&second.id).await.unwrap().unwrap().data, second.data);
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn a_session_ends_an_hour_after_its_last_use(pool: PgPool) {
        let (sessions, clock) = sessions(pool);
        let mut record = record(&json!({}));
        sessions.create(&mut record).await.unwrap();
        clock.advance(minutes(59));
        assert!(sessions.load(&record.id).await.unwrap().is_some(), "used within the hour");
        clock.advance(minutes(59));
        assert!(sessions.load(&record.id).await.unwrap().is_some(), "that use began a new hour");
        clock.advance(minutes(60));
        assert!(sessions.load(&record.id).await.unwrap().is_none());
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn a_session_ends_after_twelve_hours_of_use(pool: PgPool) {
        let (sessions, clock) = sessions(pool);
        let mut record = record(&json!({}));
        sessions.create(&mut record).await.unwrap();
        for half_hours in 1..24 {
            clock.advance(minutes(30));
            assert!(sessions.load(&record.id).await.unwrap().is_some(), "after {half_hours} half hours");
        }
        clock.advance(minutes(30));
        assert!(sessions.load(&record.id).await.unwrap().is_none());
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn reading_writes_at_most_once_a_minute(pool: PgPool) {
        let (sessions, clock) = sessions(pool);
        let mut record = record(&json!({}));
        sessions.create(&mut record).await.unwrap();
        let row_version = async || {
            let row = sqlx::query!("SELECT xmin::text FROM sessions").fetch_one(sessions.db.pool()).await.unwrap();
            row.xmin
        };
        let first = row_version().await;
        clock.advance(std::time::Duration::from_secs(59));
        sessions.load(&record.id).await.unwrap();
        assert_eq!(row_version().await, first);
        clock.advance(std::time::Duration::from_secs(1));
        sessions.load(&record.id).await.unwrap();
        assert_ne!(row_version().await, first);
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn an_ended_session_is_not_brought_back_by_saving(pool: PgPool) {
        let (sessions, _) = sessions(pool);
        let mut record = record(&json!({"a": 1}));
        sessions.create(&mut record).await.unwrap();
        sessions.delete(&record.id).await.unwrap();
        sessions.save(&record).await.unwrap();
        assert!(sessions.load(&record.id).await.unwrap().is_none());
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn a_new_id_at_sign_in_makes_the_old_one_worthless(pool: PgPool) {
        let (sessions, _) = sessions(pool);
        let session = Session::new(None, Arc::new(sessions.clone()), None);
        session.insert("a", 1).await.unwrap();
        session.save().await.unwrap();
        let before = session.id().unwrap();
        session.cycle_id().await.unwrap();
        session.save().await.unwrap();
        let after = session.id().unwrap();
        assert!(sessions.load(&before).await.unwrap().is_none());
        assert_eq!(sessions.load(&after).await.unwrap().unwrap().data["a"], json!(1));
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn of_two_who_swap_one_entry_only_one_does(pool: PgPool) {
        let (sessions, _) = sessions(pool);
        let (full, empty) = (json!(["x"]), json!([]));
        let mut record = record(&json!({"entry": full, "other": 1}));
        sessions.create(&mut record).await.unwrap();
        let swap = || sessions.swap(&record.id, "entry", Some(&full), &empty);
        let (one, two) = futures::future::join(swap(), swap()).await;
        assert_eq!(usize::from(one.unwrap()) + usize::from(two.unwrap()), 1);
        let left = sessions.load(&record.id).await.unwrap().unwrap().data;
        assert_eq!(Value::from_iter(left), json!({"entry": [], "other": 1}));
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn expired_sessions_are_deleted_and_whose_they_were_is_known_for_a_day(pool: PgPool) {
        let (sessions, clock) = sessions(pool);
        let (mut of_nobody, mut old) = (record(&json!({})), record(&json!({"signed_in": 1})));
        let mut young = record(&json!({"signed_in": 1}));
        sessions.create(&mut of_nobody).await.unwrap();
        sessions.create(&mut old).await.unwrap();
        clock.advance(minutes(30));
        sessions.create(&mut young).await.unwrap();
        clock.advance(minutes(30));
        let gone = async || delete_expired_sessions(&sessions.db, clock.now()).await.unwrap();
        assert_eq!(gone().await, 1, "nobody's");
        assert!(sessions.load(&young.id).await.unwrap().is_some() && sessions.load(&old.id).await.unwrap().is_none());
        clock.advance(minutes(24 * 60));
        assert_eq!(gone().await, 1, "the old one");
    }
}
