//! What operators see: log lines, metrics, and the reference number that ties a page a person saw to the line we logged.

use std::{error::Error as StdError, fmt, io::IsTerminal};

use tracing_subscriber::{EnvFilter, fmt::format::FmtSpan, layer::SubscriberExt, util::SubscriberInitExt};

use crate::ui::AppError;

tokio::task_local! {
    /// The reference of the HTTP request being answered; set by the server's layer.
    static REFERENCE: String;
}

/// Starts logging: compact text on a terminal, JSON lines elsewhere; levels by `RUST_LOG`.
///
/// # Errors
/// When a subscriber is set already.
pub fn init() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn,hyper=warn"));
    let registry = tracing_subscriber::registry().with(filter);
    if std::io::stderr().is_terminal() {
        registry.with(tracing_subscriber::fmt::layer().compact().with_writer(std::io::stderr)).try_init()?;
    } else {
        let json = tracing_subscriber::fmt::layer().json().with_span_events(FmtSpan::NONE).with_writer(std::io::stderr);
        registry.with(json).try_init()?;
    }
    Ok(())
}

/// Runs `work` under a reference that [`mishap`] will log and show.
pub async fn with_reference<F: Future>(reference: String, work: F) -> F::Output {
    REFERENCE.scope(reference, work).await
}

/// The running request's reference; `-` outside of one.
pub fn reference() -> String {
    REFERENCE.try_with(Clone::clone).unwrap_or_else(|_| "-".to_owned())
}

/// Turns what nobody planned for into what a person may see: logged once, here, with the reference the page shows.
///
/// Postgres being out of reach becomes `Unavailable`, a limit of time that ran out `TookTooLong`, everything else `Unexpected`.
pub fn mishap(error: impl StdError + 'static) -> AppError {
    let reference = reference();
    let (away, late) = (database_is_away(&error), took_too_long(&error));
    tracing::error!(reference, away, late, error = %Chain(&error), "could not answer");
    match (away, late) {
        (true, _) => AppError::Unavailable { reference },
        (false, true) => AppError::TookTooLong { reference },
        (false, false) => AppError::Unexpected { reference },
    }
}

/// Whether the cause is that Postgres broke a statement off: it took too long (57014), or waited too long for what others hold (55P03).
fn took_too_long(error: &(dyn StdError + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(sqlx::Error::Database(refusal)) = error.downcast_ref::<sqlx::Error>() {
            return refusal.code().is_some_and(|code| code == "57014" || code == "55P03");
        }
        cause = error.source();
    }
    false
}

/// Whether the cause is that Postgres can't be reached just now.
pub fn database_is_away(error: &(dyn StdError + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<sqlx::Error>() {
            return match error {
                sqlx::Error::Io(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed
                | sqlx::Error::Protocol(_) => true,
                // 57P01-57P03: shutting down or starting up; 08xxx: connection trouble; 53300: too many connections.
                sqlx::Error::Database(refusal) => refusal
                    .code()
                    .is_some_and(|code| code.starts_with("57P0") || code.starts_with("08") || code == "53300"),
                _ => false,
            };
        }
        cause = error.source();
    }
    false
}

/// An error with all its causes, in one line.
struct Chain<'a>(&'a (dyn StdError + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use sqlx::PgPool;

    use super::*;

    #[sqlx::test(migrations = false)]
    async fn what_took_too_long_is_told_with_its_reference(pool: PgPool) {
        let mut holder = pool.begin().await.unwrap();
        sqlx::raw_sql("SELECT pg_advisory_xact_lock(7)").execute(&mut *holder).await.unwrap();
        for slow in [
            "SET LOCAL statement_timeout = '1ms'; SELECT pg_sleep(9)",
            "SET LOCAL lock_timeout = '1ms'; SELECT pg_advisory_xact_lock(7)",
        ] {
            let mut tx = pool.begin().await.unwrap();
            let error = sqlx::raw_sql(slow).execute(&mut *tx).await.unwrap_err();
            let told = with_reference("E7F3-92QD-K4".to_owned(), async { mishap(error) }).await;
            assert_eq!(told, AppError::TookTooLong { reference: "E7F3-92QD-K4".to_owned() }, "{slow}");
        }
        let error = sqlx::raw_sql("SELECT 1 / 0").execute(&pool).await.unwrap_err();
        assert!(matches!(mishap(error), AppError::Unexpected { .. }));
    }
}
