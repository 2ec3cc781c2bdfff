//! The Graph simulator as a program of its own: prints its URL and answers until SIGINT or SIGTERM.

use std::{io, net::SocketAddr, time::Duration};

use clap::Parser;
use liteboard::graph_simulator::{APP_ID, APP_SECRET, Chance, Options, PartnerKind, Quirk, Simulator, Webhook};

/// A stand-in for Meta's Graph API and Facebook Login, on this machine.
#[derive(Parser)]
#[command(name = "graph-simulator", version)]
struct Arguments {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:4000")]
    listen: SocketAddr,
    /// Start of the URLs in answers; by default that of each call.
    #[arg(long)]
    public_url: Option<String>,
    /// Businesses of the first partner.
    #[arg(long, default_value_t = 3000)]
    businesses: usize,
    /// Businesses of the rival partner alone.
    #[arg(long, default_value_t = 50)]
    rival_businesses: usize,
    /// The same seed makes the same world.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What the first partner is: bsp or tp.
    #[arg(long, default_value = "bsp")]
    partner_kind: PartnerKind,
    /// The app's id.
    #[arg(long, default_value = APP_ID)]
    app_id: String,
    /// The app's secret.
    #[arg(long, default_value = APP_SECRET)]
    app_secret: String,
    /// A redirect URI the app allows; repeat for more, leave out to allow any.
    #[arg(long)]
    redirect_uri: Vec<String>,
    /// Where webhooks go.
    #[arg(long)]
    webhook_url: Option<String>,
    /// The token webhooks are verified with.
    #[arg(long, default_value = "simulator-verify-token")]
    webhook_verify_token: String,
    /// Milliseconds before each answer.
    #[arg(long, default_value_t = 0)]
    latency_ms: u64,
    /// Seconds after which admins accept; by default only when told to.
    #[arg(long)]
    accept_after: Option<u64>,
    /// Seconds until a signed WABA is set up.
    #[arg(long, default_value_t = 600)]
    setup_after: u64,
    /// Calls the app may make in an hour.
    #[arg(long)]
    limit_per_hour: Option<u32>,
    /// WhatsApp management and onboarding calls a partner may make in an hour.
    #[arg(long)]
    partner_limit_per_hour: Option<u32>,
    /// A departure from plain behaviour, by name; repeat for more.
    #[arg(long)]
    quirk: Vec<Quirk>,
    /// A fault by chance, as operation:fault:probability; repeat for more.
    #[arg(long)]
    chance: Vec<Chance>,
}

impl From<Arguments> for Options {
    fn from(arguments: Arguments) -> Self {
        let verify_token = arguments.webhook_verify_token;
        let retry_after = Duration::from_secs(1);
        Self {
            listen: arguments.listen,
            public_url: arguments.public_url,
            app_id: arguments.app_id,
            app_secret: arguments.app_secret,
            businesses: arguments.businesses,
            rival_businesses: arguments.rival_businesses,
            seed: arguments.seed,
            northlane: arguments.partner_kind,
            redirect_uris: arguments.redirect_uri,
            accept_after: arguments.accept_after.map(Duration::from_secs),
            setup_after: Duration::from_secs(arguments.setup_after),
            webhook: arguments.webhook_url.map(|url| Webhook { url, verify_token, retry_after }),
            limit_per_hour: arguments.limit_per_hour,
            partner_limit_per_hour: arguments.partner_limit_per_hour,
            latency: Duration::from_millis(arguments.latency_ms),
            quirks: arguments.quirk,
            chances: arguments.chance,
            ..Self::default()
        }
    }
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let simulator = Simulator::start(Arguments::parse().into()).await?;
    println!("{}", simulator.url());
    stop_signal().await?;
    simulator.stop().await;
    Ok(())
}

/// Waits for SIGINT or, where there is one, SIGTERM.
async fn stop_signal() -> io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            result = tokio::signal::ctrl_c() => result,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
