//! The axum router, its layers and what they share.
//!
//! Outermost first: a reference for each request (the log line and the page show the same), headers that hold for every
//! answer, bounds of size and time, addresses without secrets, the refusal of other sites' forms, limits, the session. Then pages, doors (server functions) and assets.
//! Meta's webhooks stand outside of limits and sessions: their signature is all that counts.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, FromRef, Path, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use leptos::{nonce::Nonce, prelude::*};
use leptos_axum::{LeptosRoutes, generate_route_list};
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer, timeout::TimeoutLayer};
use url::Url;

use crate::{
    app::{App, shell},
    assets::Assets,
    clock::Clock,
    db::{Db, PartnerId},
    graph::{self, Graph},
    limits::{Limits, limit},
    onboarding::{self, Exports, Live},
    palette,
    reconcile::{CancellationToken, Signals},
    sign_in::{self, SignIn},
    support,
    team::{self, Deployment},
    telemetry, ui,
    vault::Vault,
    webhooks::{self, Webhooks},
};

/// The longest address taken; a query of 10 kB still gets its answer.
const LONGEST_ADDRESS: usize = 16 * 1024;

/// The largest form taken.
const LARGEST_FORM: usize = 64 * 1024;

/// How long an answer may take to begin, streams may go on: a click waits up to 5 s for Meta, sign-in makes several calls of up to 30 s.
const LONGEST_ANSWER: Duration = Duration::from_mins(2);

/// What handlers and pages are given.
#[derive(Clone)]
pub struct AppState {
    pub db: Db,
    pub clock: Clock,
    pub graph: Graph,
    pub vault: Arc<Vault>,
    pub signals: Signals,
    /// Cancelled when the process is to end: what streams ends with it.
    pub stop: CancellationToken,
    pub assets: Assets,
    pub public_url: Url,
    pub partners: Vec<PartnerId>,
    pub limits: Limits,
    pub webhooks: Webhooks,
    pub options: LeptosOptions,
}

impl AppState {
    /// The settings leptos wants, from what the house knows.
    pub fn leptos_options(assets: &Assets) -> LeptosOptions {
        LeptosOptions::builder().output_name(assets.script_stem()).site_pkg_dir("pkg").env(Env::PROD).build()
    }

    /// What pages and doors find in their context.
    fn provide(&self, nonce: Option<Nonce>) {
        provide_context(self.db.clone());
        provide_context(self.clock.clone());
        provide_context(self.graph.clone());
        provide_context(Arc::clone(&self.vault));
        provide_context(self.signals.clone());
        provide_context(Deployment {
            public_url: self.public_url.clone(),
            verify_token_is_set: self.webhooks.can_be_verified(),
        });
        provide_context(self.webhooks.clone());
        if let Some(nonce) = nonce {
            provide_context(nonce);
        }
    }
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.options.clone()
    }
}

/// The whole application. Serve it with its peers' addresses (`into_make_service_with_connect_info`), which limits count by.
pub fn router(state: AppState) -> Router {
    ui::set_sprite_url(state.assets.url("icons.svg"));
    let sign_in = SignIn {
        db: state.db.clone(),
        clock: state.clock.clone(),
        graph: state.graph.clone(),
        vault: Arc::clone(&state.vault),
        public_url: state.public_url.clone(),
        partners: state.partners.clone().into(),
    };
    let live = Live::new(state.db.clone(), state.clock.clone(), state.signals.clone(), state.stop.clone());
    let exports = Exports::default();
    let secure = state.public_url.scheme() == "https";
    let pages = generate_route_list(App);
    let (context, options, assets) = (state.clone(), state.options.clone(), state.assets.clone());
    let members = Router::new()
        .leptos_routes_with_context(
            &state,
            pages,
            move || context.provide(nonce_of_request()),
            move || shell(options.clone(), &assets),
        )
        .merge(sign_in::routes(sign_in.clone()))
        .merge(onboarding::routes(live, sign_in.clone(), exports.clone()))
        .merge(onboarding::draft_routes(state.db.clone(), state.clock.clone()))
        .merge(team::routes(state.db.clone(), state.clock.clone()))
        .merge(support::routes(state.db.clone(), state.clock.clone()))
        .merge(onboarding::search_routes(state.db.clone(), state.clock.clone(), exports))
        .merge(palette::routes(state.db.clone(), state.clock.clone()))
        .fallback(lost)
        .layer(CompressionLayer::new().quality(tower_http::CompressionLevel::Precise(4)))
        .layer(middleware::from_fn(no_store))
        .layer(sign_in::session_layer(sign_in));
    Router::new()
        .merge(members)
        .route("/assets/{*path}", get(asset))
        .route("/favicon.svg", get(root_asset))
        .route("/robots.txt", get(root_asset))
        .route("/theme", post(sign_in::choose_theme))
        .route("/keys", post(sign_in::choose_keys))
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
        .layer(middleware::from_fn_with_state(state.limits.clone(), limit))
        .layer(middleware::from_fn(refuse_other_sites))
        .layer(middleware::from_fn(take_out_secrets))
        .merge(webhooks::routes(state.webhooks.clone()))
        .layer(middleware::from_fn(refuse_long_addresses))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, LONGEST_ANSWER))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(Headers { secure }, add_headers))
        .layer(middleware::from_fn(with_reference))
        .with_state(state)
}

fn nonce_of_request() -> Option<Nonce> {
    let parts = use_context::<axum::http::request::Parts>()?;
    parts.extensions.get::<PageNonce>().map(|nonce| Nonce::from_value(nonce.0.clone()))
}

async fn asset(State(state): State<AppState>, Path(path): Path<String>, headers: HeaderMap) -> Response {
    state.assets.respond(&path, &headers)
}

async fn root_asset(State(state): State<AppState>, uri: Uri, headers: HeaderMap) -> Response {
    state.assets.respond(uri.path().trim_start_matches('/'), &headers)
}

/// Paths that are no page's: the same page that a missing page shows, so members and strangers see one answer.
async fn lost(State(state): State<AppState>, request: Request) -> Response {
    let (context, options, assets) = (state.clone(), state.options.clone(), state.assets.clone());
    let render = leptos_axum::render_app_async_with_context(
        move || context.provide(nonce_of_request()),
        move || shell(options.clone(), &assets),
    );
    let mut answer = render(request).await;
    *answer.status_mut() = StatusCode::NOT_FOUND;
    answer
}

/// Whether this process can serve: the database answers.
async fn ready(State(state): State<AppState>) -> Response {
    let asked = tokio::time::timeout(
        Duration::from_secs(2),
        sqlx::query_scalar!("SELECT 1 AS \"one!\"").fetch_one(state.db.pool()),
    );
    match asked.await {
        Ok(Ok(_)) => "ready".into_response(),
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "The database does not answer.").into_response()
        }
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "The database does not answer in time.").into_response(),
    }
}

/// Gives each request a reference, which its log lines and its error page carry.
async fn with_reference(request: Request, next: Next) -> Response {
    let reference = ui::reference(rand::random());
    let (method, path) = (request.method().clone(), graph::redacted(request.uri().path()));
    let started = std::time::Instant::now();
    let mut answer = telemetry::with_reference(reference.clone(), next.run(request)).await;
    let (status, took) = (answer.status(), started.elapsed());
    metrics::histogram!("liteboard_http_seconds", "method" => known_method(&method), "status" => status.as_u16().to_string()).record(took);
    // Meta delivers thousands a second; what is refused of them is logged with its reason.
    if !path.starts_with("/assets/") && !path.starts_with("/webhooks/") {
        tracing::info!(reference, %method, path, status = status.as_u16(), ms = took.as_millis(), "answered");
    }
    if let Ok(value) = HeaderValue::from_str(&reference) {
        answer.headers_mut().insert(HeaderName::from_static("x-reference"), value);
    }
    answer
}

/// The method as a label: of the few that have a meaning here. Anybody can make up others.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// The nonce of one answer's scripts.
#[derive(Clone, Debug)]
struct PageNonce(Arc<str>);

/// What the headers depend on.
#[derive(Clone, Copy, Debug)]
struct Headers {
    /// Browsers reach us by https.
    secure: bool,
}

/// Headers of every answer: what a browser may load, and from where.
async fn add_headers(State(known): State<Headers>, mut request: Request, next: Next) -> Response {
    let nonce: Arc<str> = hex::encode(rand::random::<[u8; 16]>()).into();
    request.extensions_mut().insert(PageNonce(Arc::clone(&nonce)));
    let mut answer = next.run(request).await;
    let headers = answer.headers_mut();
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if known.secure {
        headers
            .insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=63072000; includeSubDomains"));
    }
    answer
}

/// Pages hold partners' data: nothing between us and the browser keeps them.
async fn no_store(request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    answer.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    answer
}

async fn refuse_long_addresses(request: Request, next: Next) -> Response {
    let length = request.uri().path_and_query().map_or(0, |address| address.as_str().len());
    if length > LONGEST_ADDRESS {
        return (StatusCode::URI_TOO_LONG, "This address is too long. Shorten what you search for.").into_response();
    }
    next.run(request).await
}

/// A token that somebody pasted into a search, or into the address, leaves it before anything reads it: the browser is led to the same
/// address without it. So no page, no view and no line of a log has to look for one.
async fn take_out_secrets(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let clean = if reads { without_secrets(request.uri()) } else { None };
    match clean.and_then(|clean| HeaderValue::from_str(&clean).ok()) {
        Some(clean) => (StatusCode::SEE_OTHER, [(header::LOCATION, clean)]).into_response(),
        None => next.run(request).await,
    }
}

/// The same address, if its query holds a secret. What Meta itself sends a browser back with is no paste.
fn without_secrets(address: &Uri) -> Option<String> {
    let query = address.query().filter(|_| address.path() != "/sign-in/callback")?;
    let mut found = false;
    let mut clean = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let without = graph::without_secrets(&value);
        found |= without.is_some();
        clean.append_pair(&name, without.as_deref().unwrap_or(&value));
    }
    found.then(|| format!("{}?{}", address.path(), clean.finish()))
}

/// Lets a change through only from our own pages: a form on another site carries the member's cookie as well.
async fn refuse_other_sites(request: Request, next: Next) -> Response {
    if is_from_our_pages(request.method(), request.headers()) {
        return next.run(request).await;
    }
    (
        StatusCode::FORBIDDEN,
        "This form was not sent from Liteboard's own pages. Open the page in Liteboard and send it from there.",
    )
        .into_response()
}

/// Safe methods pass. Others need `Sec-Fetch-Site: same-origin` (or `none`: typed by the person); without that header, an
/// `Origin` that is this host; without either it's no browser's, and carries no one's cookie by surprise.
fn is_from_our_pages(method: &Method, headers: &HeaderMap) -> bool {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return true;
    }
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    if let Some(site) = text(HeaderName::from_static("sec-fetch-site")) {
        return matches!(site, "same-origin" | "none");
    }
    match (text(header::ORIGIN), text(header::HOST)) {
        (None, _) => true,
        (Some(origin), Some(host)) => {
            origin.split_once("://").is_some_and(|(_, origin_host)| origin_host.eq_ignore_ascii_case(host))
        }
        (Some(_), None) => false,
    }
}

/// A bug of ours: the person gets a page, the log gets the reference.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands it over by value")]
fn panicked(panic: Box<dyn std::any::Any + Send + 'static>) -> Response {
    let message = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    let reference = telemetry::reference();
    tracing::error!(reference, message, "panicked while answering");
    let text = format!(
        "This page could not be loaded. The fault is ours. Give this reference to your support team: {reference}\n"
    );
    let mut answer = Response::new(Body::from(text));
    *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_with_a_secret_leads_to_the_same_without_and_no_further() {
        let clean = |address: &str| without_secrets(&address.parse().unwrap());
        let led = clean("/requests?q=is%3Afailed+access_token%3Dabc&before=LB-7").unwrap();
        assert_eq!(led, "/requests?q=is%3Afailed+access_token%3D%5Bredacted%5D&before=LB-7");
        assert_eq!(clean(&led), None);
        let way_in = clean("/sign-in?return_to=%2Fsupport%3Fq%3DEAAGm0PX4ZCpsBAKZCxyz1234567890").unwrap();
        assert!(way_in.starts_with("/sign-in?return_to=%2Fsupport") && !way_in.contains("EAAG"), "{way_in}");
        for address in [
            "/requests",
            "/requests?q=code:200",
            "/businesses?q=a%00b",
            "/sign-in/callback?code=EAAGm0PX4ZCpsBAKZCxyz1234567890&state=s",
        ] {
            assert_eq!(clean(address), None, "{address}");
        }
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_made_up_method_makes_no_label_of_its_own() {
        for (method, label) in
            [("GET", "GET"), ("POST", "POST"), ("DELETE", "other"), ("MADEUP1", "other"), ("get", "other")]
        {
            assert_eq!(known_method(&Method::from_bytes(method.as_bytes()).unwrap()), label);
        }
    }

    #[test]
    fn a_change_comes_from_our_own_pages_or_not_at_all() {
        for (pairs, passes) in [
            (&[("sec-fetch-site", "same-origin")][..], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "same-site")], false),
            (
                &[
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "https://liteboard.example"),
                    ("host", "liteboard.example"),
                ],
                false,
            ),
            (&[("origin", "https://liteboard.example"), ("host", "liteboard.example")], true),
            (&[("origin", "http://127.0.0.1:3000"), ("host", "127.0.0.1:3000")], true),
            (&[("origin", "https://evil.example"), ("host", "liteboard.example")], false),
            (&[("origin", "https://liteboard.example.evil.example"), ("host", "liteboard.example")], false),
            (&[("origin", "null"), ("host", "liteboard.example")], false),
            (&[("origin", "https://liteboard.example")], false),
            (&[], true),
        ] {
            assert_eq!(is_from_our_pages(&Method::POST, &headers(pairs)), passes, "{pairs:?}");
            assert!(is_from_our_pages(&Method::GET, &headers(pairs)), "reading is always allowed: {pairs:?}");
        }
    }
}
