//! Every setting, one documented field each: from the environment, or from the flag of the same name.
//!
//! A missing or bad setting stops the start with one line that names it and says what it should be ([`explain`]).

use std::net::{IpAddr, SocketAddr};

use clap::{
    Args, CommandFactory, Parser, Subcommand,
    error::{ContextKind, ContextValue, ErrorKind},
};
use ipnet::IpNet;
use secrecy::SecretString;
use url::Url;

use crate::{
    db::PartnerId,
    graph::{AppId, Settings as GraphSettings, UserId, Version},
};

/// A dashboard with which a WhatsApp partner onboards its businesses to MM Lite, and knows what became of each request
#[derive(Debug, Parser)]
#[command(name = "liteboard", version, propagate_version = true)]
pub struct CommandLine {
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Answer browsers, and do the background work beside it
    Serve {
        #[command(flatten)]
        config: Box<Config>,
        /// Only answer browsers: the background work is done by `liteboard work` elsewhere
        #[arg(long)]
        no_worker: bool,
    },
    /// Only do the background work; any number of these may run
    Work {
        #[command(flatten)]
        config: Box<Config>,
    },
    /// Look at everything Liteboard needs, change nothing, and say what to mend
    Doctor {
        #[command(flatten)]
        config: Box<Config>,
    },
    /// Bring the database up to date; `serve` and `work` do it as well when they start
    Migrate {
        #[command(flatten)]
        database: DatabaseConfig,
    },
    /// Name a member of a partner before they sign in, or change a member's role
    Member {
        #[command(flatten)]
        database: DatabaseConfig,
        /// The partner's business portfolio id
        #[arg(long, value_parser = parse_partner)]
        partner: PartnerId,
        /// The person's Facebook user id, as the app sees it
        #[arg(long, value_parser = parse_user)]
        facebook_user: UserId,
        /// Their name until they sign in and Facebook tells it
        #[arg(long, default_value = "")]
        name: String,
        /// What they may do
        #[arg(long, value_parser = ["admin", "account_manager", "support"])]
        role: String,
    },
}

/// How to reach Postgres.
#[derive(Debug, Args)]
pub struct DatabaseConfig {
    /// Postgres 15 or newer, as postgres://user:password@host:port/database
    #[arg(long, env = "DATABASE_URL", value_name = "URL", value_parser = parse_database_url, hide_env_values = true)]
    pub database_url: SecretString,

    /// How many connections to Postgres this process may hold
    #[arg(long, env = "DATABASE_CONNECTIONS", value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u32).range(2..=500))]
    pub database_connections: u32,
}

/// Settings of a process that serves or works.
#[derive(Debug, Args)]
pub struct Config {
    #[command(flatten)]
    pub database: DatabaseConfig,

    /// The address to answer browsers on
    #[arg(long, env = "LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    pub listen: SocketAddr,

    /// The address browsers use, as `https://liteboard.example.com`; http only on this machine. Default: http:// and LISTEN
    #[arg(long, env = "PUBLIC_URL", value_name = "URL", value_parser = parse_public_url)]
    pub public_url: Option<Url>,

    /// Proxies in front whose X-Forwarded-For is believed, as addresses or networks (10.0.0.0/8) with commas between; none: it is ignored
    #[arg(long, env = "TRUSTED_PROXIES", value_name = "ADDRESSES", value_delimiter = ',', value_parser = parse_proxy)]
    pub trusted_proxies: Vec<IpNet>,

    /// The address to answer /metrics on, apart from the pages; none: no metrics
    #[arg(long, env = "METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,

    /// Meta's Graph API
    #[arg(long, env = "GRAPH_URL", value_name = "URL", default_value = "https://graph.facebook.com", value_parser = parse_meta_url)]
    pub graph_url: Url,

    /// Where Facebook's sign-in dialog is
    #[arg(long, env = "META_DIALOG_URL", value_name = "URL", default_value = "https://www.facebook.com", value_parser = parse_meta_url)]
    pub meta_dialog_url: Url,

    /// The Graph version to call: v23.0, v24.0, v25.0 or v26.0
    #[arg(long, env = "GRAPH_VERSION", value_name = "VERSION", default_value = "v25.0")]
    pub graph_version: Version,

    /// The app's id, from the App Dashboard: digits
    #[arg(long, env = "META_APP_ID", value_name = "ID", value_parser = parse_app)]
    pub meta_app_id: AppId,

    /// The app's secret, from the App Dashboard
    #[arg(long, env = "META_APP_SECRET", value_name = "SECRET", value_parser = parse_secret, hide_env_values = true)]
    pub meta_app_secret: SecretString,

    /// A configuration id of Facebook Login for Business; none: the dialog asks for permissions by name
    #[arg(long, env = "META_LOGIN_CONFIG_ID", value_name = "ID", value_parser = parse_digits)]
    pub meta_login_config_id: Option<String>,

    /// What Meta proves itself with when it subscribes its webhooks: any text, given to Meta as well; none: it can't subscribe
    #[arg(long, env = "META_WEBHOOK_VERIFY_TOKEN", value_name = "TOKEN", value_parser = parse_secret, hide_env_values = true)]
    pub meta_webhook_verify_token: Option<SecretString>,

    /// Keys that seal tokens at rest, as id:base64,id:base64 with 32 bytes each (openssl rand -base64 32); the first seals, all open
    #[arg(long, env = "ENCRYPTION_KEY", value_name = "KEYS", value_parser = parse_secret, hide_env_values = true)]
    pub encryption_key: SecretString,

    /// Business portfolio ids of the partners whose people may sign in, with commas between
    #[arg(long, env = "PARTNER_BUSINESS_IDS", value_name = "IDS", value_delimiter = ',', required = true, value_parser = parse_partner)]
    pub partner_business_ids: Vec<PartnerId>,

    /// The most calls of one partner that may be under way at Meta at once; how many are follows from what Meta answers
    #[arg(long, env = "DISPATCH_CONCURRENCY", value_name = "NUMBER", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub dispatch_concurrency: u16,
}

impl Config {
    /// The address browsers use, without a trailing path.
    pub fn public_url(&self) -> Url {
        self.public_url.clone().unwrap_or_else(|| {
            let mut url = Url::parse("http://127.0.0.1").unwrap_or_else(|_| self.graph_url.clone());
            let host =
                if self.listen.ip().is_unspecified() { "127.0.0.1".to_owned() } else { self.listen.ip().to_string() };
            let host =
                if self.listen.is_ipv6() && !self.listen.ip().is_unspecified() { format!("[{host}]") } else { host };
            // Both are known to be an address and a port, which every URL takes.
            let _ = url.set_host(Some(&host));
            let _ = url.set_port(Some(self.listen.port()));
            url
        })
    }

    /// What the Graph client needs.
    pub fn graph(&self) -> GraphSettings {
        GraphSettings::new(
            self.graph_url.clone(),
            self.meta_dialog_url.clone(),
            self.graph_version,
            self.meta_app_id.clone(),
            self.meta_app_secret.clone(),
            self.meta_login_config_id.clone(),
        )
    }
}

/// Reads the command line and the environment, or says in one line what is wrong with them.
///
/// # Errors
/// The line to print. `--help` and `--version` come back as clap's own error.
pub fn read() -> Result<CommandLine, Refusal> {
    CommandLine::try_parse().map_err(explain)
}

/// Why the start is off.
#[derive(Debug)]
pub enum Refusal {
    /// A setting is missing or bad: one line.
    Setting(String),
    /// `--help`, `--version`, or a mistake in the command itself: clap says it best.
    Usage(clap::Error),
}

/// One line for a missing or bad setting: its name in the environment and what it should be.
fn explain(error: clap::Error) -> Refusal {
    match error.kind() {
        ErrorKind::MissingRequiredArgument => {
            let Some(ContextValue::Strings(missing)) = error.get(ContextKind::InvalidArg) else {
                return Refusal::Usage(error);
            };
            let lines: Vec<String> = missing.iter().filter_map(|flag| describe(flag)).collect();
            match lines.first() {
                None => Refusal::Usage(error),
                Some(line) if lines.len() == 1 => Refusal::Setting(format!("{line} It is not set.")),
                Some(line) => {
                    Refusal::Setting(format!("{line} It is not set, nor are {} more settings.", lines.len() - 1))
                }
            }
        }
        ErrorKind::ValueValidation | ErrorKind::InvalidValue => {
            let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else {
                return Refusal::Usage(error);
            };
            let reason = std::error::Error::source(&error)
                .map(|reason| format!(" {}", reason.to_string().trim_end_matches('.')))
                .unwrap_or_default();
            match describe(flag) {
                Some(line) => Refusal::Setting(format!("{line} The value given can't be used:{reason}.")),
                None => Refusal::Usage(error),
            }
        }
        _ => Refusal::Usage(error),
    }
}

/// `META_APP_ID should be: the app's id, ...` for `--meta-app-id <ID>`.
fn describe(flag: &str) -> Option<String> {
    let long = flag.trim_start_matches("--").split([' ', '=']).next()?;
    let command = CommandLine::command();
    let argument =
        command.get_subcommands().flat_map(clap::Command::get_arguments).find(|a| a.get_long() == Some(long))?;
    let name = argument.get_env().map_or_else(|| format!("--{long}"), |name| name.to_string_lossy().into_owned());
    Some(format!("{name} should be: {}.", argument.get_help()?))
}

fn parse_secret(value: &str) -> Result<SecretString, String> {
    if value.trim().is_empty() { Err("it is empty".into()) } else { Ok(value.trim().to_owned().into()) }
}

fn parse_database_url(value: &str) -> Result<SecretString, String> {
    let url: Url = value.parse().map_err(|_| "it is no URL".to_owned())?;
    if matches!(url.scheme(), "postgres" | "postgresql") {
        Ok(value.to_owned().into())
    } else {
        Err("it does not begin with postgres://".into())
    }
}

fn parse_meta_url(value: &str) -> Result<Url, String> {
    let url: Url = value.parse().map_err(|_| "it is no URL".to_owned())?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err("http is taken only for this machine, since tokens travel on it".into()),
        _ => Err("it does not begin with https://".into()),
    }
}

fn parse_public_url(value: &str) -> Result<Url, String> {
    let url = parse_meta_url(value).map_err(|reason| reason.replace("tokens travel", "sessions travel"))?;
    if url.path() == "/" && url.query().is_none() {
        Ok(url)
    } else {
        Err("it has a path; Liteboard needs a host of its own".into())
    }
}

/// Whether a URL points at this machine, where http is good enough.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn parse_proxy(value: &str) -> Result<IpNet, String> {
    let value = value.trim();
    let net = value.parse::<IpNet>().or_else(|_| value.parse::<IpAddr>().map(IpNet::from));
    net.map_err(|_| format!("“{value}” is neither an address nor a network"))
}

fn parse_digits(value: &str) -> Result<String, String> {
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        Ok(value.to_owned())
    } else {
        Err("it is not made of digits".into())
    }
}

fn parse_partner(value: &str) -> Result<PartnerId, String> {
    value.trim().parse().map_err(|_| format!("“{value}” is not 1 to 20 digits"))
}

fn parse_app(value: &str) -> Result<AppId, String> {
    value.trim().parse().map_err(|_| "it is not 1 to 20 digits".to_owned())
}

fn parse_user(value: &str) -> Result<UserId, String> {
    value.trim().parse().map_err(|_| "it is not 1 to 20 digits".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Flags that make `serve` start, in pairs.
    const GOOD: [&str; 10] = [
        "--database-url",
        "postgres://localhost/x",
        "--meta-app-id",
        "680000000000001",
        "--meta-app-secret",
        "s",
        "--encryption-key",
        "k:AAAA",
        "--partner-business-ids",
        "102000000000001,102000000000002",
    ];

    fn refusal(flags: &[&str]) -> String {
        let args = ["liteboard", "serve"].iter().chain(flags);
        match CommandLine::try_parse_from(args).map_err(explain) {
            Err(Refusal::Setting(line)) => line,
            other => panic!("expected one line, got {other:?}"),
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn a_missing_setting_is_named_in_one_line_that_says_what_it_should_be() {
        let line = refusal(&GOOD[..8]);
        assert!(line.starts_with("PARTNER_BUSINESS_IDS should be: Business portfolio ids"), "{line}");
        assert!(!line.contains('\n'));
    }

    #[test]
    fn a_bad_setting_is_named_in_one_line_with_the_reason() {
        for (flag, value, expected) in [
            ("--graph-version", "v19.0", "GRAPH_VERSION should be: The Graph version"),
            ("--graph-url", "http://graph.example.com", "http is taken only for this machine"),
            ("--public-url", "https://example.com/liteboard", "it has a path"),
            ("--listen", "everywhere", "LISTEN should be: The address"),
            ("--meta-login-config-id", "abc", "not made of digits"),
            ("--trusted-proxies", "10.0.0.1,proxy.example", "“proxy.example” is neither an address nor a network"),
            ("--trusted-proxies", "10.0.0.0/33", "TRUSTED_PROXIES should be"),
            ("--dispatch-concurrency", "0", "DISPATCH_CONCURRENCY should be"),
        ] {
            let line = refusal(&[&GOOD[..], &[flag, value]].concat());
            assert!(line.contains(expected), "{flag}: {line}");
            assert!(!line.contains('\n'), "{line}");
        }
    }

    #[test]
    fn a_proxy_is_an_address_or_a_network() {
        let flags = ["--trusted-proxies", "10.0.0.1, 192.0.2.0/24,fd00::/8,::1"];
        let args = ["liteboard", "serve"].iter().chain(&GOOD).chain(&flags);
        let Ok(CommandLine { command: Command::Serve { config, .. } }) = CommandLine::try_parse_from(args) else {
            panic!("these settings start");
        };
        let proxies: Vec<String> = config.trusted_proxies.iter().map(ToString::to_string).collect();
        assert_eq!(proxies, ["10.0.0.1/32", "192.0.2.0/24", "fd00::/8", "::1/128"]);
    }

    #[test]
    fn the_public_url_is_where_we_listen_unless_told() {
        let args = ["liteboard", "serve"].iter().chain(&GOOD);
        let Ok(CommandLine { command: Command::Serve { config, .. } }) = CommandLine::try_parse_from(args) else {
            panic!("these settings start");
        };
        assert_eq!(config.public_url().as_str(), "http://127.0.0.1:3000/");
        assert_eq!(config.partner_business_ids.len(), 2);
        assert!(config.trusted_proxies.is_empty(), "nobody is believed unless named");
    }
}
