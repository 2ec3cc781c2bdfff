//! The command line: serve, work, doctor, migrate, member.

use std::{net::SocketAddr, process::ExitCode, sync::Arc, time::Duration};

use anyhow::Context;
use liteboard::{
    assets::Assets,
    clock::Clock,
    config::{self, Command, Config, DatabaseConfig, Refusal},
    db::{self, Db},
    doctor::{self, Patient},
    graph::Graph,
    limits::Limits,
    reconcile::{self, CancellationToken, Signals},
    server::{AppState, router},
    sign_in,
    support::Recorder,
    telemetry,
    vault::Vault,
    webhooks::{Setup, Webhooks},
    worker,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::Instant,
};

/// How long a start waits for its database.
const DATABASE_WAIT: Duration = Duration::from_secs(30);

/// How long what is in flight may take to finish after the signal to end.
const FAREWELL: Duration = Duration::from_secs(25);

fn main() -> ExitCode {
    let command = match config::read() {
        Ok(line) => line.command,
        Err(Refusal::Usage(error)) => error.exit(),
        Err(Refusal::Setting(line)) => {
            eprintln!("liteboard: {line}");
            return ExitCode::from(2);
        }
    };
    match start(command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("liteboard: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(command: Command) -> anyhow::Result<ExitCode> {
    telemetry::init()?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the runtime can't start")?;
    runtime.block_on(async {
        match command {
            Command::Serve { config, no_worker } => serve(*config, !no_worker).await?,
            Command::Work { config } => work(*config).await?,
            Command::Doctor { config } => return examine(&config).await,
            Command::Migrate { database } => drop(open_database(&database).await?),
            Command::Member { database, partner, facebook_user, name, role } => {
                let db = open_database(&database).await?;
                let role = role.parse()?;
                sign_in::name_member(&db, &partner, &facebook_user, &name, role, Clock::system().now()).await?;
                println!("{facebook_user} is {role} of {partner}");
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// A line for each thing looked at; fails when there is something to mend.
async fn examine(config: &Config) -> anyhow::Result<ExitCode> {
    let patient = Patient::of(config).context("DATABASE_URL can't be read")?;
    let findings = doctor::examine(&patient).await;
    for finding in &findings {
        println!("{finding}");
    }
    Ok(if findings.iter().all(|finding| finding.is_well) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn serve(config: Config, with_worker: bool) -> anyhow::Result<()> {
    let stop = stop_on_signal()?;
    let listener = tokio::net::TcpListener::bind(config.listen).await.with_context(|| {
        format!("LISTEN should be: an address this machine has and nobody else listens on, not {}", config.listen)
    })?;
    let house = open_house(&config, &stop).await?;
    let background = with_worker
        .then(|| tokio::spawn(worker::runner(&house.state, config.dispatch_concurrency.into()).run(stop.clone())));
    tracing::info!(address = %config.public_url(), "serving");
    let ended = stop.clone();
    let service = router(house.state.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(async move { ended.cancelled().await });
    let served = async move { serving.await.context("the server ended") };
    tokio::select! {
        served = served => served?,
        () = overdue(&stop) => tracing::warn!("ending with answers still under way"),
    }
    stop.cancel();
    if let Some(background) = background {
        finish(background).await;
    }
    house.close().await;
    Ok(())
}

async fn work(config: Config) -> anyhow::Result<()> {
    let stop = stop_on_signal()?;
    let house = open_house(&config, &stop).await?;
    tracing::info!("working");
    let background = tokio::spawn(worker::runner(&house.state, config.dispatch_concurrency.into()).run(stop.clone()));
    stop.cancelled().await;
    finish(background).await;
    house.close().await;
    Ok(())
}

/// What `serve` and `work` have in common.
struct House {
    state: AppState,
    recorder: Recorder,
    listening: tokio::task::JoinHandle<()>,
}

impl House {
    async fn close(self) {
        self.recorder.close().await;
        self.listening.abort();
    }
}

async fn open_house(config: &Config, stop: &CancellationToken) -> anyhow::Result<House> {
    if let Some(address) = config.metrics_listen {
        metrics_exporter_prometheus::PrometheusBuilder::new().with_http_listener(address).install().with_context(
            || {
                format!(
                    "METRICS_LISTEN should be: an address this machine has and nobody else listens on, not {address}"
                )
            },
        )?;
    }
    let vault = Arc::new(Vault::from_setting(&config.encryption_key).map_err(|error| {
        anyhow::anyhow!("ENCRYPTION_KEY should be: keys as id:base64, 32 bytes each (openssl rand -base64 32). {error}")
    })?);
    let assets = Assets::load().context("the site's files can't be read")?;
    let clock = Clock::system();
    let db = open_database(&config.database).await?;
    let recorder = Recorder::start(db.clone(), &config.partner_business_ids);
    let telling = clock.clone();
    let graph = Graph::new(config.graph(), Arc::new(move || telling.now()), Arc::new(recorder.clone()))
        .context("the Graph client can't start")?;
    let signals = Signals::default();
    let listening = tokio::spawn(signals.clone().listen(db.clone(), stop.clone()));
    let options = AppState::leptos_options(&assets);
    let webhooks = Webhooks::start(Setup {
        db: db.clone(),
        clock: clock.clone(),
        partners: config.partner_business_ids.clone(),
        app_secret: config.meta_app_secret.clone(),
        verify_token: config.meta_webhook_verify_token.clone(),
        public_url: config.public_url(),
        stop: stop.clone(),
    });
    let state = AppState {
        db,
        clock,
        graph,
        vault,
        signals,
        stop: stop.clone(),
        assets,
        public_url: config.public_url(),
        partners: config.partner_business_ids.clone(),
        limits: Limits::new(config.trusted_proxies.clone(), config.public_url()),
        webhooks,
        options,
    };
    Ok(House { state, recorder, listening })
}

/// Connects, waiting for a database that isn't up yet, and brings it up to date. One that goes away in the midst is waited for, too.
async fn open_database(config: &DatabaseConfig) -> anyhow::Result<Db> {
    let db = Db::new(&config.database_url, config.database_connections).context("DATABASE_URL can't be read")?;
    let patience = Instant::now() + DATABASE_WAIT;
    loop {
        match tokio::time::timeout_at(patience, answers(&db)).await {
            Ok(connected) => connected.context("Postgres refuses the connection that DATABASE_URL names")?,
            Err(_) => anyhow::bail!(
                "Postgres did not answer for 30 s at the address in DATABASE_URL: start it, or correct the setting"
            ),
        }
        // However long a migration takes, it isn't cut short.
        match db::bring_up_to_date(db.pool()).await {
            Ok(()) => return Ok(db),
            Err(error) if telemetry::database_is_away(&error) && Instant::now() < patience => {
                tracing::info!(%error, "Postgres went away: waiting for it");
            }
            Err(error) => return Err(error).context("the database can't be brought up to date"),
        }
    }
}

/// Waits until Postgres answers, or refuses.
async fn answers(db: &Db) -> sqlx::Result<()> {
    loop {
        match db.pool().acquire().await {
            Err(error) if telemetry::database_is_away(&error) => {
                tracing::info!(%error, "waiting for Postgres");
                reconcile::pause(Duration::from_secs(1)).await;
            }
            answered => return answered.map(drop),
        }
    }
}

/// Cancelled by SIGTERM, SIGINT or SIGHUP.
fn stop_on_signal() -> anyhow::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let mut signals =
        [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?, signal(SignalKind::hangup())?];
    let told = stop.clone();
    tokio::spawn(async move {
        let [terminate, interrupt, hangup] = &mut signals;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {}
        }
        tracing::info!("ending: what is in flight finishes first");
        told.cancel();
    });
    Ok(stop)
}

/// Comes back some time after `stop`, for those who do not end by themselves.
async fn overdue(stop: &CancellationToken) {
    stop.cancelled().await;
    reconcile::pause(FAREWELL).await;
}

async fn finish(background: tokio::task::JoinHandle<()>) {
    if tokio::time::timeout(FAREWELL, background).await.is_err() {
        tracing::warn!("ending with work in flight: the next one takes it up");
    }
}
