//! From where somebody asks, for the audit log and the list of sessions.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use http::{header::USER_AGENT, request::Parts};
use serde::{Deserialize, Serialize};

/// Characters of a browser's own name that are kept.
const LONGEST_AGENT: usize = 300;

/// The address a request comes from, with proxies of ours looked through: `limits` puts it into each request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskedFrom(pub IpAddr);

/// An address and a browser.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whence {
    /// `None`: not over the network.
    pub address: Option<IpAddr>,
    /// The browser, as it names itself.
    pub agent: String,
}

impl Whence {
    /// Of a request.
    pub fn of(parts: &Parts) -> Self {
        let peer = || parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
        let address = parts.extensions.get::<AskedFrom>().map(|from| from.0).or_else(peer);
        let agent = parts.headers.get(USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
        Self { address, agent: agent.unwrap_or_default().chars().take(LONGEST_AGENT).collect() }
    }

    /// The browser and its system in a few words; `None` for one that doesn't name itself as any we know.
    pub fn device(&self) -> Option<String> {
        let has = |word: &str| self.agent.contains(word);
        let name = |known: &[(&str, &'static str)]| known.iter().find(|(word, _)| has(word)).map(|(_, name)| *name);
        // Browsers name those they want to be taken for as well: the true one first.
        let browser = name(&[
            ("Edg/", "Edge"),
            ("OPR/", "Opera"),
            ("SamsungBrowser/", "Samsung Internet"),
            ("Firefox/", "Firefox"),
            ("FxiOS/", "Firefox"),
            ("CriOS/", "Chrome"),
            ("Chrome/", "Chrome"),
            ("Safari/", "Safari"),
            ("curl/", "curl"),
        ]);
        let system = name(&[
            ("iPhone", "iPhone"),
            ("iPad", "iPad"),
            ("Android", "Android"),
            ("Windows", "Windows"),
            ("Mac OS X", "macOS"),
            ("CrOS", "ChromeOS"),
            ("Ubuntu", "Ubuntu"),
            ("Linux", "Linux"),
        ]);
        match (browser, system) {
            (Some(browser), Some(system)) => Some(format!("{browser} on {system}")),
            (Some(one), None) | (None, Some(one)) => Some(one.to_owned()),
            (None, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(agent: &[u8]) -> Parts {
        http::Request::builder().header(USER_AGENT, agent).body(()).unwrap().into_parts().0
    }

    #[test]
    fn the_address_looked_through_proxies_counts_before_the_peers() {
        let mut parts = parts(b"curl/8.5.0");
        assert_eq!(Whence::of(&parts), Whence { address: None, agent: "curl/8.5.0".into() });
        parts.extensions.insert(ConnectInfo(SocketAddr::from(([10, 0, 0, 1], 4711))));
        assert_eq!(Whence::of(&parts).address, Some([10, 0, 0, 1].into()));
        parts.extensions.insert(AskedFrom([198, 51, 100, 1].into()));
        assert_eq!(Whence::of(&parts).address, Some([198, 51, 100, 1].into()));
    }

    #[test]
    fn a_browser_that_talks_too_much_is_cut_and_one_that_mumbles_is_read() {
        assert_eq!(Whence::of(&parts("é".repeat(1_000).as_bytes())).agent.chars().count(), LONGEST_AGENT);
        assert_eq!(Whence::of(&parts(b"a\xff")).agent, "a\u{FFFD}");
    }

    #[test]
    fn a_browser_is_called_by_its_own_name() {
        let chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
        for (agent, expected) in [
            (chrome, Some("Chrome on Windows")),
            (&format!("{chrome} Edg/142.0.0.0"), Some("Edge on Windows")),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) AppleWebKit/605.1.15 Version/26.1 Mobile/15E148 Safari/604.1",
                Some("Safari on iPhone"),
            ),
            (
                "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
                Some("Firefox on Ubuntu"),
            ),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/26.1 Safari/605.1.15", Some("Safari on macOS")),
            ("curl/8.5.0", Some("curl")),
            ("my-script", None),
            ("", None),
        ] {
            let whence = Whence { address: None, agent: agent.to_owned() };
            assert_eq!(whence.device().as_deref(), expected, "{agent}");
        }
    }
}
