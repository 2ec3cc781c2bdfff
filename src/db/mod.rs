//! The way to Postgres: the pool, the migrations and the tenant transaction.
//!
//! Rooms reach tenant tables only through [`Db::tenant`], which sets the partner that row-level security compares with and
//! gives up the owner's rights for the length of the transaction. Without it every tenant table is empty.
//!
//! The user of `DATABASE_URL` owns the database and needs no more than that: `liteboard_tenant` and the roles of functions that see
//! more than one partner's rows are made by whoever may make roles, and granted to that user ([`bring_up_to_date`]).

use std::{
    fmt,
    ops::{Deref, DerefMut},
    str::FromStr,
    time::Duration,
};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sqlx::{
    AssertSqlSafe, Connection, PgConnection, PgPool, Postgres, Transaction,
    migrate::{MigrateError, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
    raw_sql,
};

use crate::graph::{BusinessId, InvalidId};

mod roles;

pub use roles::{ROLES, RoleMissing, can_become};

/// Every migration, embedded once: a copy in each test would swell the test binaries.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// Why the database isn't as this program needs it.
#[derive(Debug, thiserror::Error)]
pub enum NotUpToDate {
    #[error(transparent)]
    Role(#[from] RoleMissing),
    #[error("Postgres refuses")]
    Refused(#[from] sqlx::Error),
    #[error("a migration can't be applied")]
    Migration(#[from] MigrateError),
}

/// Makes what migrations need of the cluster, then applies those that are missing.
///
/// # Errors
/// When a role is missing that the database's user may not make, and when a migration can't be applied.
pub async fn bring_up_to_date(pool: &PgPool) -> Result<(), NotUpToDate> {
    roles::prepare(pool).await?;
    MIGRATOR.run(pool).await?;
    Ok(())
}

/// The tenant: Meta's id of the solution partner's business portfolio.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PartnerId(BusinessId);

impl PartnerId {
    /// A value that a CHECK constraint already guards.
    pub fn from_stored(id: String) -> Self {
        Self(BusinessId::from_stored(id))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The same portfolio as Graph sees it: the node whose WABA lists are read.
    pub fn as_business(&self) -> &BusinessId {
        &self.0
    }
}

impl From<BusinessId> for PartnerId {
    fn from(id: BusinessId) -> Self {
        Self(id)
    }
}

impl FromStr for PartnerId {
    type Err = InvalidId;

    fn from_str(id: &str) -> Result<Self, InvalidId> {
        id.parse().map(Self)
    }
}

impl fmt::Display for PartnerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// After so long without use a connection is tried before it's handed out. Trying each one each time costs every page a way to
/// Postgres and back for every transaction; of those that were just used, at most those that broke this moment are found too late.
const TRIED_AFTER: Duration = Duration::from_secs(1);

/// Begins a tenant transaction. Whoever waits 5 s for what others hold gives up: a person is told, background work comes again.
macro_rules! tenant {
    ($more:literal) => {
        concat!("BEGIN; SET LOCAL ROLE liteboard_tenant; SET LOCAL lock_timeout = '5s'", $more)
    };
}

/// The pool. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Db {
    pool: PgPool,
    options: PgConnectOptions,
}

impl Db {
    /// A pool that connects when first used, so that a server can start before its database.
    ///
    /// # Errors
    /// When the URL can't be read.
    pub fn new(url: &SecretString, max_connections: u32) -> Result<Self, sqlx::Error> {
        let options = PgConnectOptions::from_str(url.expose_secret())?.application_name("liteboard");
        let pool = PgPoolOptions::new()
            .max_connections(max_connections)
            .acquire_timeout(Duration::from_secs(5))
            .test_before_acquire(false)
            .before_acquire(|connection, of| {
                Box::pin(async move {
                    if of.idle_for >= TRIED_AFTER {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(options.clone());
        Ok(Self { pool, options })
    }

    /// The pool of a database that a test made.
    pub fn from_pool(pool: PgPool) -> Self {
        let options = (*pool.connect_options()).clone();
        Self { pool, options }
    }

    /// For what belongs to no tenant: sessions, health, migrations.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// How to open a connection of one's own beside the pool: for locks and LISTEN, which live as long as theirs.
    pub fn connect_options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// Opens a transaction that sees and writes `partner`'s rows, and no others. For background work, whose statements may take long.
    ///
    /// # Errors
    /// When Postgres can't be reached.
    pub async fn tenant(&self, partner: &PartnerId) -> Result<TenantTx, sqlx::Error> {
        self.begin(tenant!(""), partner).await
    }

    /// The same for statements that find rows by their keys, whatever the values: each is planned once a connection. Left to itself,
    /// Postgres plans the first five anew, and some for ever, which takes longer than such a statement itself. A plan is as old as the
    /// statistics: whoever fills a table has it analyzed.
    ///
    /// # Errors
    /// When Postgres can't be reached.
    pub async fn tenant_by_keys(&self, partner: &PartnerId) -> Result<TenantTx, sqlx::Error> {
        self.begin(
            tenant!("; SET LOCAL statement_timeout = '60s'; SET LOCAL plan_cache_mode = 'force_generic_plan'"),
            partner,
        )
        .await
    }

    /// The same for a page: a statement that takes longer than anybody waits for a page is broken off.
    ///
    /// # Errors
    /// When Postgres can't be reached.
    pub async fn tenant_for_page(&self, partner: &PartnerId) -> Result<TenantTx, sqlx::Error> {
        self.begin(tenant!("; SET LOCAL statement_timeout = '15s'"), partner).await
    }

    /// The same for a deed, which may be of a hundred thousand rows.
    ///
    /// # Errors
    /// When Postgres can't be reached.
    pub async fn tenant_for_deed(&self, partner: &PartnerId) -> Result<TenantTx, sqlx::Error> {
        self.begin(tenant!("; SET LOCAL statement_timeout = '60s'"), partner).await
    }

    /// As [`Db::tenant`], reading only, with everything from one moment: for what takes many statements.
    ///
    /// # Errors
    /// When Postgres can't be reached.
    pub async fn tenant_snapshot(&self, partner: &PartnerId) -> Result<TenantTx, sqlx::Error> {
        self.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL ROLE liteboard_tenant", partner).await
    }

    async fn begin(&self, how: &'static str, partner: &PartnerId) -> Result<TenantTx, sqlx::Error> {
        let tx = self.pool.begin_with(within(how, partner)?).await?;
        Ok(TenantTx { tx, partner: partner.clone() })
    }
}

/// What `how` says, and whose rows are seen until the transaction ends: together, since every page begins a few of these.
fn within(how: &str, partner: &PartnerId) -> sqlx::Result<AssertSqlSafe<String>> {
    let id = partner.as_str();
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(sqlx::Error::Protocol("a partner's id has other signs than digits".into()));
    }
    Ok(AssertSqlSafe(format!("{how}; SET LOCAL app.partner_id = '{id}'")))
}

/// A transaction within one partner's rows. Dropped without [`TenantTx::commit`] it leaves nothing behind.
#[derive(Debug)]
pub struct TenantTx {
    tx: Transaction<'static, Postgres>,
    partner: PartnerId,
}

impl TenantTx {
    /// Whose rows these are: for the `partner_id` of an INSERT, which the policy checks against.
    pub fn partner(&self) -> &PartnerId {
        &self.partner
    }

    /// Goes on with a transaction of the owner's within one partner's rows: for a deed that belongs to both, such as the end of a
    /// session and its line in the partner's audit log.
    ///
    /// # Errors
    /// When Postgres is gone.
    pub async fn enter(mut tx: Transaction<'static, Postgres>, partner: &PartnerId) -> sqlx::Result<Self> {
        let how = "SET LOCAL ROLE liteboard_tenant; SET LOCAL lock_timeout = '5s'";
        raw_sql(within(how, partner)?).execute(&mut *tx).await?;
        Ok(Self { tx, partner: partner.clone() })
    }

    /// Goes on with the owner's rights, for what belongs to no tenant.
    ///
    /// # Errors
    /// When Postgres is gone.
    pub async fn leave(mut self) -> sqlx::Result<Transaction<'static, Postgres>> {
        raw_sql("SET LOCAL ROLE NONE; SET LOCAL app.partner_id = ''").execute(&mut *self.tx).await?;
        Ok(self.tx)
    }

    /// Makes the writes last.
    ///
    /// # Errors
    /// When Postgres refuses or is gone: then nothing was written, or (connection lost during COMMIT) it isn't known.
    pub async fn commit(self) -> Result<(), sqlx::Error> {
        self.tx.commit().await
    }
}

impl Deref for TenantTx {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.tx
    }
}

impl DerefMut for TenantTx {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.tx
    }
}

/// Comes back when somebody in this database waits for a lock: for tests of what comes after the wait.
///
/// # Panics
/// When Postgres is gone.
#[cfg(test)]
pub async fn until_somebody_waits(pool: &PgPool) {
    let waits =
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')";
    while !sqlx::query_scalar::<_, bool>(waits).fetch_one(pool).await.expect("Postgres answers") {
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[sqlx::test(migrator = "MIGRATOR")]
    async fn nobody_waits_for_ever_and_a_page_less_than_a_deed(pool: PgPool) {
        let (db, partner) = (Db::from_pool(pool), BusinessId::from_stored("7".into()).into());
        let limits = async |tx: sqlx::Result<TenantTx>| {
            let mut tx = tx.unwrap();
            let limit = "SELECT current_setting('lock_timeout'), current_setting('statement_timeout')";
            sqlx::query_as::<_, (String, String)>(limit).fetch_one(&mut *tx).await.unwrap()
        };
        for (tx, statement) in [
            (db.tenant(&partner).await, "0"),
            (db.tenant_for_page(&partner).await, "15s"),
            (db.tenant_for_deed(&partner).await, "1min"),
            (TenantTx::enter(db.pool().begin().await.unwrap(), &partner).await, "0"),
        ] {
            assert_eq!(limits(tx).await, ("5s".to_owned(), statement.to_owned()));
        }
        let outside = sqlx::query_scalar::<_, String>("SELECT current_setting('lock_timeout')");
        assert_eq!(outside.fetch_one(db.pool()).await.unwrap(), "0", "it ends with the transaction");
    }

    #[sqlx::test(migrator = "MIGRATOR")]
    async fn what_is_no_id_begins_nothing(pool: PgPool) {
        let db = Db::from_pool(pool);
        for id in ["", "7'; RESET ROLE; --", "7 ", "७"] {
            let partner = BusinessId::from_stored(id.into()).into();
            assert!(matches!(db.tenant(&partner).await, Err(sqlx::Error::Protocol(_))), "{id}");
        }
    }

    #[sqlx::test(migrator = "MIGRATOR")]
    async fn who_leaves_a_partners_rows_takes_nothing_along(pool: PgPool) {
        let (db, partner) = (Db::from_pool(pool), BusinessId::from_stored("7".into()).into());
        let user = async |connection: &mut PgConnection| {
            let who = "SELECT current_user::text, coalesce(current_partner(), '')";
            sqlx::query_as::<_, (String, String)>(who).fetch_one(connection).await.unwrap()
        };
        let mut outside = db.pool().begin().await.unwrap();
        let (owner, _) = user(&mut outside).await;
        let mut within = TenantTx::enter(outside, &partner).await.unwrap();
        assert_eq!(user(&mut within).await, ("liteboard_tenant".to_owned(), "7".to_owned()));
        let mut outside = within.leave().await.unwrap();
        assert_eq!(user(&mut outside).await, (owner, String::new()));
    }
}
