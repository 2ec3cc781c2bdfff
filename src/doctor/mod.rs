//! `liteboard doctor`: looks at everything Liteboard needs from outside, changes nothing, and says in a line each what is well and
//! what to mend.
//!
//! Who calls: `main.rs`. The settings themselves are checked before, as at every start.
//!
//! What always holds:
//! - it reads only: no migration is applied, and Meta is asked nothing that leaves a trace in the record;
//! - no line holds a secret: a key is named by its id, a token by whose it is;
//! - a check that can't be made, since the one before it failed, is left out rather than guessed.

mod database;
mod handshake;
mod keys;
mod meta;

use std::{fmt, sync::Arc};

use secrecy::SecretString;
use time::{Duration, OffsetDateTime};
use url::Url;

use crate::{
    clock::Clock,
    config::{Config, is_loopback},
    db::{Db, PartnerId},
    graph::Settings,
    vault::Vault,
};

/// What was found of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at, in a word or two.
    pub about: String,
    /// Whether it's as it should be.
    pub is_well: bool,
    /// How it stands, or what to do.
    pub text: String,
}

impl Finding {
    fn ok(about: impl Into<String>, text: impl Into<String>) -> Self {
        Self { about: about.into(), is_well: true, text: text.into() }
    }

    fn mend(about: impl Into<String>, text: impl Into<String>) -> Self {
        Self { about: about.into(), is_well: false, text: text.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<5} {}: {}", if self.is_well { "ok" } else { "mend" }, self.about, self.text)
    }
}

/// What is looked at.
pub struct Patient {
    pub db: Db,
    pub clock: Clock,
    pub graph: Settings,
    pub encryption_key: SecretString,
    pub public_url: Url,
    pub partners: Vec<PartnerId>,
    /// What Meta proves itself with when it subscribes webhooks.
    pub verify_token: Option<SecretString>,
    /// Where the callback URL is asked: the public address, as Meta sees it.
    pub asked_at: Url,
}

impl Patient {
    /// What `serve` would run with.
    ///
    /// # Errors
    /// When `DATABASE_URL` can't be read.
    pub fn of(config: &Config) -> Result<Self, sqlx::Error> {
        Ok(Self {
            db: Db::new(&config.database.database_url, 2)?,
            clock: Clock::system(),
            graph: config.graph(),
            encryption_key: config.encryption_key.clone(),
            public_url: config.public_url(),
            partners: config.partner_business_ids.clone(),
            verify_token: config.meta_webhook_verify_token.clone(),
            asked_at: config.public_url(),
        })
    }
}

/// Looks at everything, in the order in which one thing needs the other.
pub async fn examine(patient: &Patient) -> Vec<Finding> {
    let mut findings = vec![public_url(&patient.public_url)];
    let has_tables = database::examine(patient, &mut findings).await;
    let vault = match Vault::from_setting(&patient.encryption_key) {
        Ok(vault) => Some(Arc::new(vault)),
        Err(error) => {
            findings.push(Finding::mend("ENCRYPTION_KEY", format!("it can’t be used: {error}")));
            None
        }
    };
    let vault = vault.filter(|_| has_tables);
    if let Some(vault) = &vault {
        findings.push(keys::examine(patient, vault).await);
    }
    meta::examine(patient, vault.as_deref(), &mut findings).await;
    findings.push(handshake::examine(patient).await);
    findings
}

fn public_url(url: &Url) -> Finding {
    let shown = url.as_str().trim_end_matches('/');
    if url.scheme() == "https" {
        Finding::ok("PUBLIC_URL", format!("{shown} is https"))
    } else if is_loopback(url) {
        Finding::mend(
            "PUBLIC_URL",
            format!("{shown} is this machine only: set it to the https address that browsers and Meta use"),
        )
    } else {
        Finding::mend("PUBLIC_URL", format!("{shown} is not https: sessions and tokens would travel in the clear"))
    }
}

/// How two clocks stand to each other; `most` is how far they may be apart.
fn clocks(about: &str, ours: OffsetDateTime, theirs: OffsetDateTime, most: Duration) -> Finding {
    let ahead = ours - theirs;
    let apart = ahead.abs();
    let seconds = format!("{:.1} s", apart.as_seconds_f64());
    if apart <= most {
        return Finding::ok(about, format!("{seconds} apart"));
    }
    let word = if ahead.is_positive() { "ahead" } else { "behind" };
    Finding::mend(about, format!("this machine’s clock is {seconds} {word}: have both keep time by NTP"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_is_good_enough_for_others_than_this_machine() {
        for (url, well) in [
            ("https://liteboard.example", true),
            ("http://127.0.0.1:3000", false),
            ("http://localhost:3000", false),
            ("http://liteboard.example", false),
        ] {
            let found = public_url(&url.parse().unwrap());
            assert_eq!(found.is_well, well, "{found}");
            assert!(found.to_string().contains(url), "{found}");
        }
    }

    #[test]
    fn clocks_may_be_a_little_apart_in_either_direction() {
        let now = OffsetDateTime::UNIX_EPOCH;
        for (ours, well, words) in [
            (now, true, "0.0 s apart"),
            (now + Duration::seconds(5), true, "5.0 s apart"),
            (now + Duration::seconds(6), false, "6.0 s ahead"),
            (now - Duration::milliseconds(90_500), false, "90.5 s behind"),
        ] {
            let found = clocks("Clock", ours, now, Duration::seconds(5));
            assert_eq!((found.is_well, found.text.contains(words)), (well, true), "{found}");
        }
    }

    #[test]
    fn a_line_says_at_its_start_whether_there_is_something_to_mend() {
        assert_eq!(Finding::ok("Keys", "all open").to_string(), "ok    Keys: all open");
        assert_eq!(Finding::mend("Keys", "add k0").to_string(), "mend  Keys: add k0");
    }
}
