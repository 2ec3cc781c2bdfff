//! How much one asker may ask for in a short time. Signing in and doors (whatever changes something) are limited; reading isn't.
//!
//! `server.rs` puts [`limit`] round the application, inside of what refuses the forms of other sites, so that these use up
//! nobody's share, and outside of the session, so that a refused request costs no query.
//!
//! What always holds:
//! - sign-in is counted by address: who signs in has no session yet;
//! - a door is counted by session, and all doors of an address together against a far larger share, so that cookies made up
//!   for each request gain nothing and an office behind one address doesn't stop its own people;
//! - `X-Forwarded-For` counts only where the one who speaks is a proxy in `TRUSTED_PROXIES`: see [`address`].
//!
//! Pages and files have no limit. They change nothing, a slow query is stopped by Postgres, and those who read most are the
//! people at work: a search box that asks at each key, a batch watched all day by a whole office behind one address. A limit
//! above all of that (the benchmark reads thousands of pages a second in one session) would protect nothing; what floods a server
//! with reads is the proxy's to stop.

mod address;

use std::{
    hash::Hash,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::NonZeroU32,
    sync::{
        Arc, Once,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use ipnet::IpNet;
use leptos::prelude::FromServerFnError;
use sha2::{Digest, Sha256};
use url::Url;

use self::address::{FORWARDED_FOR, asker_of, block_of};
use crate::{
    sign_in::{AskedFrom, session_cookie},
    ui::AppError,
};

/// Sign-ins begun by one address, and as many brought to their end: a whole office may arrive at once.
const SIGN_IN: Rate = Rate { burst: 30, every: Duration::from_secs(2) };

/// What one session changes, or one address without a session. Nobody clicks that often.
const DOOR: Rate = Rate { burst: 60, every: Duration::from_millis(200) };

/// What all sessions of one address change together.
const CROWD: Rate = Rate { burst: 600, every: Duration::from_millis(20) };

/// What is sent and read all the same: boxes that ask at each key, by a form since what is pasted may hold a token.
const READS: [&str; 2] = ["/palette", "/requests/suggest"];

/// After how many questions those are forgotten whose share is whole again.
const TIDY_EVERY: u32 = 1_024;

/// The limits of this process. Cheap to clone; clones count together.
#[derive(Clone)]
pub struct Limits(Option<Arc<Counters>>);

struct Counters {
    proxies: Vec<IpNet>,
    public_url: Url,
    sign_in: Counter<(Step, IpAddr)>,
    door: Counter<Asker>,
    crowd: Counter<IpAddr>,
    proxy_unnamed: Once,
}

impl Limits {
    /// Limits that believe these proxies; `public_url` tells the name of the session's cookie.
    pub fn new(proxies: Vec<IpNet>, public_url: Url) -> Self {
        Self(Some(Arc::new(Counters {
            proxies,
            public_url,
            sign_in: Counter::new(SIGN_IN),
            door: Counter::new(DOOR),
            crowd: Counter::new(CROWD),
            proxy_unnamed: Once::new(),
        })))
    }

    /// No limits, for tests that ask hundreds of times from one address.
    pub fn off() -> Self {
        Self(None)
    }

    /// How long the asker has to wait, if they do.
    fn wait(&self, request: &Request) -> Option<Duration> {
        let counters = self.0.as_ref()?;
        let counted = Counted::of(request.method(), request.uri().path())?;
        counters.wait(counted, peer_of(request), request.headers())
    }

    /// The address that asks, with our proxies looked through.
    fn asker(&self, request: &Request) -> AskedFrom {
        let proxies = self.0.as_ref().map_or(&[][..], |counters| &counters.proxies);
        AskedFrom(asker_of(peer_of(request), request.headers(), proxies))
    }
}

impl Counters {
    fn wait(&self, counted: Counted, peer: IpAddr, headers: &HeaderMap) -> Option<Duration> {
        let asker = asker_of(peer, headers, &self.proxies);
        if asker == peer && headers.contains_key(FORWARDED_FOR) {
            self.proxy_unnamed.call_once(|| {
                tracing::warn!(%peer, "X-Forwarded-For isn't believed: if this is your proxy, name it in TRUSTED_PROXIES");
            });
        }
        let block = block_of(asker);
        match counted {
            Counted::SignIn(step) => self.sign_in.wait(&(step, block)),
            Counted::Door => {
                let asker = session_cookie(headers, &self.public_url)
                    .map_or(Asker::Address(block), |cookie| Asker::Session(Sha256::digest(cookie).into()));
                self.crowd.wait(&block).or_else(|| self.door.wait(&asker))
            }
        }
    }
}

fn peer_of(request: &Request) -> IpAddr {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip())
}

/// Lets a request through with the address it comes from, or says when to come again.
pub async fn limit(State(limits): State<Limits>, mut request: Request, next: Next) -> Response {
    let from = limits.asker(&request);
    request.extensions_mut().insert(from);
    match limits.wait(&request) {
        Some(wait) => refusal(wait, request.headers()),
        None => next.run(request).await,
    }
}

fn refusal(wait: Duration, headers: &HeaderMap) -> Response {
    let seconds = (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1);
    let is_browser =
        headers.get_all(header::ACCEPT).iter().any(|line| line.to_str().is_ok_and(|line| line.contains("text/html")));
    let retry_after = [(header::RETRY_AFTER, HeaderValue::from(seconds))];
    if !is_browser {
        let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        return (StatusCode::TOO_MANY_REQUESTS, retry_after, json, AppError::TooMany.ser()).into_response();
    }
    let when = if seconds == 1 { "in a second".to_owned() } else { format!("in {seconds} seconds") };
    let text = format!("That was too much in a short time, so nothing was done. Go back and try again {when}.\n");
    (StatusCode::TOO_MANY_REQUESTS, retry_after, text).into_response()
}

/// What a request is counted as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counted {
    SignIn(Step),
    Door,
}

/// The two halves of a sign-in; each has its own count, or a person would use up two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Step {
    Start,
    Callback,
}

impl Counted {
    /// `None`: it isn't limited.
    fn of(method: &Method, path: &str) -> Option<Self> {
        match path {
            "/sign-in/start" => Some(Self::SignIn(Step::Start)),
            "/sign-in/callback" => Some(Self::SignIn(Step::Callback)),
            // Meta tells what it has to tell, signed, as fast as it likes.
            _ if path.starts_with("/webhooks") => None,
            _ if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) || READS.contains(&path) => None,
            _ => Some(Self::Door),
        }
    }
}

/// Whose share of doors a request uses up.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Asker {
    /// SHA-256 of the session's cookie, real or made up.
    Session([u8; 32]),
    Address(IpAddr),
}

/// So many at once, then one more each time this has passed.
#[derive(Clone, Copy)]
struct Rate {
    burst: u32,
    every: Duration,
}

/// Counts what each asker has used up.
struct Counter<K: Hash + Eq + Clone> {
    limiter: DefaultKeyedRateLimiter<K>,
    asked: AtomicU32,
}

impl<K: Hash + Eq + Clone> Counter<K> {
    fn new(rate: Rate) -> Self {
        let quota = Quota::with_period(rate.every).unwrap_or(Quota::per_second(NonZeroU32::MIN));
        let quota = quota.allow_burst(NonZeroU32::new(rate.burst).unwrap_or(NonZeroU32::MIN));
        Self { limiter: RateLimiter::keyed(quota), asked: AtomicU32::new(0) }
    }

    /// Takes one off the asker's share; or says how long it's used up, and takes nothing.
    fn wait(&self, asker: &K) -> Option<Duration> {
        if self.asked.fetch_add(1, Ordering::Relaxed) % TIDY_EVERY == TIDY_EVERY - 1 {
            self.limiter.retain_recent();
        }
        let refusal = self.limiter.check_key(asker).err()?;
        Some(refusal.wait_time_from(DefaultClock::default().now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));

    fn counters(limits: &Limits) -> &Counters {
        limits.0.as_deref().unwrap()
    }

    fn limits() -> Limits {
        Limits::new(vec!["10.0.0.0/8".parse().unwrap()], "http://127.0.0.1:3000".parse().unwrap())
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (header::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    #[test]
    fn reading_files_probes_and_webhooks_are_not_limited() {
        for (method, path, counted) in [
            (Method::GET, "/businesses", None),
            (Method::GET, "/businesses?q=a", None),
            (Method::HEAD, "/requests", None),
            (Method::GET, "/assets/liteboard.css", None),
            (Method::GET, "/healthz", None),
            (Method::GET, "/readyz", None),
            (Method::GET, "/sign-in", None),
            (Method::POST, "/webhooks/meta", None),
            (Method::GET, "/sign-in/start", Some(Counted::SignIn(Step::Start))),
            (Method::HEAD, "/sign-in/callback", Some(Counted::SignIn(Step::Callback))),
            (Method::POST, "/onboarding/onboard", Some(Counted::Door)),
            (Method::POST, "/sign-in/partner", Some(Counted::Door)),
            (Method::DELETE, "/nowhere", Some(Counted::Door)),
        ] {
            assert_eq!(Counted::of(&method, path), counted, "{method} {path}");
        }
    }

    #[test]
    fn one_session_uses_up_its_own_share_and_no_other() {
        let limits = limits();
        let (mine, other) =
            (headers(&[("cookie", "liteboard=mine")]), headers(&[("cookie", "theme=dark; liteboard=other")]));
        for _ in 0..DOOR.burst {
            assert_eq!(counters(&limits).wait(Counted::Door, PEER, &mine), None);
        }
        let wait = counters(&limits).wait(Counted::Door, PEER, &mine).unwrap();
        assert!(wait <= DOOR.every, "{wait:?}");
        assert_eq!(counters(&limits).wait(Counted::Door, PEER, &other), None);
        assert_eq!(counters(&limits).wait(Counted::SignIn(Step::Start), PEER, &mine), None);
    }

    #[test]
    fn a_cookie_made_up_for_each_request_gains_nothing_in_the_end() {
        let limits = limits();
        let made_up = |number: u32| headers(&[("cookie", &format!("liteboard={number}"))]);
        let let_in =
            (0..2 * CROWD.burst).filter(|n| counters(&limits).wait(Counted::Door, PEER, &made_up(*n)).is_none());
        let let_in = u32::try_from(let_in.count()).unwrap();
        assert!((CROWD.burst..CROWD.burst + CROWD.burst / 2).contains(&let_in), "{let_in}");
    }

    #[test]
    fn each_half_of_a_sign_in_is_counted_by_address() {
        let limits = limits();
        let elsewhere = "203.0.113.8".parse().unwrap();
        let with_cookie = headers(&[("cookie", "liteboard=x")]);
        for _ in 0..SIGN_IN.burst {
            assert_eq!(counters(&limits).wait(Counted::SignIn(Step::Start), PEER, &HeaderMap::new()), None);
        }
        assert!(
            counters(&limits).wait(Counted::SignIn(Step::Start), PEER, &with_cookie).is_some(),
            "a cookie is no way round"
        );
        assert_eq!(counters(&limits).wait(Counted::SignIn(Step::Callback), PEER, &HeaderMap::new()), None);
        assert_eq!(counters(&limits).wait(Counted::SignIn(Step::Start), elsewhere, &HeaderMap::new()), None);
    }

    #[test]
    fn askers_behind_a_trusted_proxy_are_told_apart_and_made_up_ones_are_not() {
        let limits = limits();
        let said = |number: u32| headers(&[("x-forwarded-for", &format!("198.51.100.{number}"))]);
        let proxy: IpAddr = "10.1.2.3".parse().unwrap();
        for number in 0..=SIGN_IN.burst {
            assert_eq!(counters(&limits).wait(Counted::SignIn(Step::Start), proxy, &said(number)), None);
        }
        let refused = (0..=SIGN_IN.burst)
            .filter(|number| counters(&limits).wait(Counted::SignIn(Step::Start), PEER, &said(*number)).is_some());
        assert_eq!(refused.count(), 1, "one who writes the header themselves is one asker");
    }

    #[test]
    fn who_has_been_away_is_forgotten() {
        let counter = Counter::new(Rate { burst: 1, every: Duration::from_nanos(1) });
        for asker in 0..2 * TIDY_EVERY {
            counter.wait(&asker);
        }
        assert!(counter.limiter.len() <= TIDY_EVERY as usize, "{}", counter.limiter.len());
    }

    #[tokio::test]
    async fn a_refusal_says_when_to_come_again() {
        let browser = headers(&[("accept", "text/html,*/*")]);
        for (wait, seconds, words) in [
            (Duration::from_millis(1), "1", "in a second."),
            (Duration::from_millis(1_001), "2", "in 2 seconds."),
            (Duration::from_secs(3), "3", "in 3 seconds."),
        ] {
            let answer = refusal(wait, &browser);
            assert_eq!(
                (answer.status().as_u16(), &answer.headers()[header::RETRY_AFTER]),
                (429, &HeaderValue::from_static(seconds))
            );
            let body = axum::body::to_bytes(answer.into_body(), 1_000).await.unwrap();
            assert!(std::str::from_utf8(&body).unwrap().contains(words), "{body:?}");
        }
        let program = refusal(Duration::from_secs(3), &headers(&[("accept", "application/json")]));
        let body = axum::body::to_bytes(program.into_body(), 1_000).await.unwrap();
        assert_eq!(AppError::de(body), AppError::TooMany);
    }
}
