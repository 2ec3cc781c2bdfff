//! The one cookie a sign-in needs: the id of the session. It says nothing of when it ends; the server knows.

use http::{HeaderMap, HeaderValue, header::COOKIE};
use tower_sessions::{Expiry, SessionManagerLayer, cookie::SameSite};
use url::{Host, Url};

use super::session_store::Sessions;

/// With this prefix browsers take the cookie only over https, for this host and for all its paths.
const NAME: &str = "__Host-liteboard";

/// Browsers refuse that prefix over plain http, which is only ever used on the machine itself.
const PLAIN_NAME: &str = "liteboard";

/// Whether browsers reach us by plain http on their own machine, so that the cookie can't be `Secure`.
pub(super) fn is_plain(public_url: &Url) -> bool {
    let on_loopback = match public_url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    public_url.scheme() == "http" && on_loopback
}

fn name(public_url: &Url) -> &'static str {
    if is_plain(public_url) { PLAIN_NAME } else { NAME }
}

/// Reads the cookie before a request is answered, and sets it where a session began.
pub(super) fn layer(sessions: Sessions, public_url: &Url) -> SessionManagerLayer<Sessions> {
    SessionManagerLayer::new(sessions)
        .with_name(name(public_url))
        .with_secure(!is_plain(public_url))
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_expiry(Expiry::OnSessionEnd)
}

/// A `Set-Cookie` that takes the cookie away. tower-sessions' own lacks `Secure`, so browsers ignore it for the prefixed name.
pub(super) fn removal(public_url: &Url) -> HeaderValue {
    if is_plain(public_url) {
        HeaderValue::from_static("liteboard=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax")
    } else {
        HeaderValue::from_static("__Host-liteboard=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax")
    }
}

/// What the browser sent as the session's cookie, readable or not, of a session or made up.
pub fn session_cookie<'h>(headers: &'h HeaderMap, public_url: &Url) -> Option<&'h [u8]> {
    let name = name(public_url);
    headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'))
        .find_map(|pair| pair.trim_ascii().strip_prefix(name.as_bytes())?.strip_prefix(b"="))
}

/// Whether the browser sent the cookie: who has one and no session had one once.
pub(super) fn is_sent(headers: &HeaderMap, public_url: &Url) -> bool {
    session_cookie(headers, public_url).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn the_cookie_is_plain_only_over_http_on_loopback() {
        for plain in ["http://localhost:3000", "http://127.0.0.1:3000", "http://[::1]:3000", "http://a.localhost"] {
            assert_eq!(name(&url(plain)), "liteboard", "{plain}");
        }
        for public in [
            "https://localhost",
            "https://liteboard.example",
            "http://liteboard.example",
            "http://10.0.0.1",
            "http://localhost.example",
        ] {
            assert_eq!(name(&url(public)), "__Host-liteboard", "{public}");
        }
    }

    #[test]
    fn the_removal_names_the_cookie_that_was_set() {
        for address in ["http://localhost:3000", "https://liteboard.example"] {
            let (name, removal) = (name(&url(address)), removal(&url(address)));
            let removal = removal.to_str().unwrap();
            assert!(removal.starts_with(&format!("{name}=; Max-Age=0; Path=/;")), "{removal}");
            assert_eq!(removal.contains("Secure"), address.starts_with("https"), "{removal}");
        }
    }

    #[test]
    fn a_sent_cookie_is_seen_among_others() {
        let address = url("https://liteboard.example");
        let headers = |line: &'static str| HeaderMap::from_iter([(COOKIE, HeaderValue::from_static(line))]);
        for with in ["__Host-liteboard=x", "theme=dark; __Host-liteboard=", "a=b;__Host-liteboard=c"] {
            assert!(is_sent(&headers(with), &address), "{with}");
        }
        for without in ["liteboard=x", "theme=dark", "x__Host-liteboard=1", "__Host-liteboard2=1", "__Host-liteboard"] {
            assert!(!is_sent(&headers(without), &address), "{without}");
        }
        assert!(!is_sent(&HeaderMap::new(), &address));
    }
}
