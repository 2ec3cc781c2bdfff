//! The real processes round one Postgres and one simulator: a server that only answers, and two workers.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use liteboard::{
    graph_simulator::{Options, Simulator},
    reconcile,
};
use sqlx::{PgPool, postgres::PgPoolOptions};

use super::{
    super::{app::NORTHLANE, browser::Browser},
    cluster::Cluster,
};

/// How long anything may take that has to come true: far longer than it should.
const PATIENCE: Duration = Duration::from_mins(2);

/// The workers, who are known to Postgres by these names.
const WORKERS: [&str; 2] = ["worker_0", "worker_1"];

/// One process; killed when dropped.
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    fn start(arguments: &[&str], settings: &[(&str, String)], log: PathBuf) -> Self {
        let told = File::options().create(true).append(true).open(&log).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_liteboard"))
            .args(arguments)
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .env("RUST_LOG", "warn,liteboard=info,liteboard::server=warn,sqlx=error")
            .stdin(Stdio::null())
            .stdout(told.try_clone().unwrap())
            .stderr(told)
            .spawn()
            .unwrap();
        Self { child, log }
    }

    /// SIGKILL: nothing of the process runs any more.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM: it may finish what it's doing.
    pub fn terminate(&self) {
        let told = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().unwrap();
        assert!(told.success());
    }

    /// Waits for its end.
    pub async fn end(&mut self) -> ExitStatus {
        let mut status = None;
        for _ in 0..6_000 {
            status = self.child.try_wait().unwrap();
            if status.is_some() {
                break;
            }
            reconcile::pause(Duration::from_millis(5)).await;
        }
        status.expect("a worker that is told to end does so within 30 s")
    }

    fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Everything; what is dropped first stands first.
pub struct Stand {
    server: Process,
    workers: [Process; 2],
    pub url: String,
    pub pool: PgPool,
    pub simulator: Simulator,
    pub cluster: Cluster,
}

impl Stand {
    pub async fn start(options: Options) -> Self {
        let cluster = tokio::task::block_in_place(Cluster::start);
        let site = cluster.folder().join("site");
        fs::create_dir(&site).unwrap();
        fs::write(site.join("manifest.txt"), "").unwrap();
        let simulator = Simulator::start(options).await.unwrap();
        let pool = PgPoolOptions::new().max_connections(8).connect(&cluster.url("postgres")).await.unwrap();
        for worker in WORKERS {
            let made = format!("CREATE ROLE {worker} SUPERUSER LOGIN PASSWORD '{}'", cluster.password());
            sqlx::raw_sql(sqlx::AssertSqlSafe(made)).execute(&pool).await.unwrap();
        }
        let listen = format!("127.0.0.1:{}", free_port());
        let url = format!("http://{listen}");
        let log = |name: &str| cluster.folder().join(format!("{name}.log"));
        let mut settings = settings_for("postgres", &cluster, &simulator, &site);
        settings.extend([("LISTEN", listen), ("PUBLIC_URL", url.clone())]);
        let server = Process::start(&["serve", "--no-worker"], &settings, log("server"));
        let ready = async || Browser::at(&url).open("/readyz").await.is_ok_and(|answer| answer.status.is_success());
        until("the server to be ready", ready).await;
        let worker =
            |name: &str| Process::start(&["work"], &settings_for(name, &cluster, &simulator, &site), log(name));
        let workers = WORKERS.map(worker);
        Self { server, workers, url, pool, simulator, cluster }
    }

    pub fn worker(&mut self, which: usize) -> &mut Process {
        &mut self.workers[which]
    }

    /// Starts a worker in place of one that ended.
    pub fn start_worker(&mut self, which: usize) {
        let (name, folder) = (WORKERS[which], self.cluster.folder());
        let settings = settings_for(name, &self.cluster, &self.simulator, &folder.join("site"));
        self.workers[which] = Process::start(&["work"], &settings, folder.join(format!("{name}.log")));
    }

    /// Which worker dispatches for the partner, if any does just now.
    pub async fn holder(&self) -> Option<usize> {
        let name = sqlx::query_scalar!(
            r#"
            SELECT a.usename::text AS "name!" FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
            WHERE l.locktype = 'advisory' AND l.granted
              AND ((l.classid::bigint << 32) | l.objid::bigint) = hashtextextended($1, 0)
            "#,
            format!("dispatch:{NORTHLANE}"),
        )
        .fetch_optional(&self.pool)
        .await
        .unwrap()?;
        WORKERS.iter().position(|worker| **worker == name)
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for process in self.workers.iter().chain([&self.server]) {
                eprintln!("--- {}\n{}", process.log.display(), process.last_words());
            }
        }
    }
}

fn settings_for(user: &str, cluster: &Cluster, simulator: &Simulator, site: &Path) -> Vec<(&'static str, String)> {
    vec![
        ("DATABASE_URL", cluster.url(user)),
        ("GRAPH_URL", simulator.url()),
        ("META_DIALOG_URL", simulator.url()),
        ("META_APP_ID", simulator.app_id().to_owned()),
        ("META_APP_SECRET", simulator.app_secret().to_owned()),
        ("ENCRYPTION_KEY", "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_owned()),
        ("PARTNER_BUSINESS_IDS", NORTHLANE.to_owned()),
        ("LITEBOARD_SITE_DIR", site.display().to_string()),
    ]
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits for something to come true.
pub async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let waiting = async {
        while !holds().await {
            reconcile::pause(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "waited in vain for {what}");
}
