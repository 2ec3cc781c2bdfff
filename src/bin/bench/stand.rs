//! The release build as a process, a database for it, and waiting for both.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

use liteboard::graph_simulator::Simulator;
use reqwest::Method;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use tokio::time::interval;

use super::{Flags, Outcome, browser::Browser};

/// The partner whose businesses are measured.
pub const NORTHLANE: &str = "102000000000001";

/// Makes an empty database beside the one that was given, and gives its address.
pub async fn new_database(flags: &Flags, name: &str) -> Outcome<String> {
    let mut url = url::Url::parse(&flags.database_url)?;
    let name = format!("{}_{name}", url.path().trim_start_matches('/'));
    let mut connection = PgConnection::connect(&flags.database_url).await?;
    for statement in [format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"), format!("CREATE DATABASE {name}")] {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await?;
    }
    url.set_path(&name);
    Ok(url.to_string())
}

/// A process of the release build; killed when dropped.
pub struct Server {
    child: Child,
    pub url: String,
}

impl Server {
    /// Starts the program with a command and its flags.
    pub fn start(flags: &Flags, database: &str, simulator: &Simulator, command: &[&str]) -> Outcome<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let url = format!("http://{address}");
        let child = Command::new(&flags.server)
            .args(command)
            .env("DATABASE_URL", database)
            .env("DISPATCH_CONCURRENCY", flags.concurrency.to_string())
            .env("LISTEN", address.to_string())
            .env("PUBLIC_URL", &url)
            .env("GRAPH_URL", simulator.url())
            .env("META_DIALOG_URL", simulator.url())
            .env("META_APP_ID", simulator.app_id())
            .env("META_APP_SECRET", simulator.app_secret())
            .env("ENCRYPTION_KEY", "bench:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
            .env("PARTNER_BUSINESS_IDS", NORTHLANE)
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .spawn()?;
        Ok(Self { child, url })
    }

    /// Resident memory of the process alone, in MB.
    pub fn resident_mb(&self) -> Outcome<f64> {
        self.megabytes("VmRSS:")
    }

    /// The most that was resident since [`Server::forget_peak`], in MB.
    pub fn peak_mb(&self) -> Outcome<f64> {
        self.megabytes("VmHWM:")
    }

    /// Begins to look for the peak anew.
    pub fn forget_peak(&self) -> Outcome<()> {
        Ok(std::fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5")?)
    }

    fn megabytes(&self, name: &str) -> Outcome<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with(name)).ok_or("no such line")?;
        let kilobytes: f64 = line.split_whitespace().nth(1).ok_or("no figure")?.parse()?;
        Ok(kilobytes / 1_000.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Waits until the server answers.
pub async fn browser_is_served(browser: &Browser) -> Outcome<()> {
    let mut tick = interval(Duration::from_millis(100));
    for _ in 0..300 {
        tick.tick().await;
        if browser.ask(Method::GET, "/readyz", None).await.is_ok_and(|answer| answer.status.is_success()) {
            return Ok(());
        }
    }
    Err("the server did not get ready within 30 s".into())
}

/// Waits until the first sync of the partner is over.
pub async fn until_synced(pool: &PgPool) -> Outcome<()> {
    let mut tick = interval(Duration::from_millis(100));
    for _ in 0..6_000 {
        tick.tick().await;
        let done: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM syncs WHERE finished_at IS NOT NULL)")
            .fetch_one(pool)
            .await?;
        if done {
            return Ok(());
        }
    }
    Err("the first sync did not end within 10 min".into())
}
