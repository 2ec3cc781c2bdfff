//! The way to Postgres: the pool, the migrations and the tenant transaction.
//!
//! Rooms reach tenant tables only through [`Db::tenant`], which sets the partner that row-level security compares with and
//! gives up the owner's rights for the length of the transaction. Without it every tenant table is empty.

use std::{
    fmt,
    ops::{Deref, DerefMut},
    str::FromStr,
    time::Duration,
};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sqlx::{
    PgConnection, PgPool, Postgres, Transaction,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::graph::{BusinessId, InvalidId};

/// Every migration, embedded once: a copy in each test would swell the test binaries.
pub static MIGRATOR: Migrator = sqlx::migrate!();

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

    /// Opens a transaction that sees and writes `partner`'s rows, and no others.
    ///
    /// # Errors
    /// When Postgres can't be reached.
    pub async fn tenant(&self, partner: &PartnerId) -> Result<TenantTx, sqlx::Error> {
        self.begin("BEGIN; SET LOCAL ROLE liteboard_tenant", partner).await
    }

    /// The same, reading only, with everything from one moment: for what takes many statements.
    ///
    /// # Errors
    /// When Postgres can't be reached.
    pub async fn tenant_snapshot(&self, partner: &PartnerId) -> Result<TenantTx, sqlx::Error> {
        self.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL ROLE liteboard_tenant", partner).await
    }

    async fn begin(&self, statement: &'static str, partner: &PartnerId) -> Result<TenantTx, sqlx::Error> {
        let mut tx = self.pool.begin_with(statement).await?;
        sqlx::query_scalar!("SELECT set_config('app.partner_id', $1, true)", partner.as_str())
            .fetch_one(&mut *tx)
            .await?;
        Ok(TenantTx { tx, partner: partner.clone() })
    }
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
