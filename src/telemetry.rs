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
/// Postgres being out of reach becomes `Unavailable`, everything else `Unexpected`.
pub fn mishap(error: impl StdError + 'static) -> AppError {
    let reference = reference();
    let away = database_is_away(&error);
    tracing::error!(reference, away, error = %Chain(&error), "could not answer");
    if away { AppError::Unavailable { reference } } else { AppError::Unexpected { reference } }
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
