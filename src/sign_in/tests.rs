//! The doors as a browser meets them, with Postgres and without Meta.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{sync::Arc, time::Duration};

use axum::{Extension, Router, body::Body, http::Request, response::Response, routing::get};
use http::{
    HeaderMap,
    header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE},
};
use serde_json::json;
use sqlx::PgPool;
use time::OffsetDateTime;
use tower::ServiceExt;
use tower_sessions::{SessionStore, session::Record};
use url::Url;

use super::{
    SignIn,
    gate::Asker,
    routes,
    session::{Membership, SIGNED_IN, SignedIn},
    session_layer,
    whence::Whence,
};
use crate::{
    clock::Clock,
    db::{Db, PartnerId},
    graph::{Graph, Settings, Unobserved, Version},
    vault::Vault,
};

const START: OffsetDateTime = time::macros::datetime!(2026-11-22 10:00 UTC);

/// A browser at the application, with its cookie.
struct Browser {
    app: Router,
    state: SignIn,
    cookie: Option<String>,
}

impl Browser {
    /// Meta's addresses are those of a port where nobody listens.
    fn new(pool: PgPool) -> Self {
        let clock = Clock::standing_at(START);
        let nobody: Url = "http://127.0.0.1:1".parse().unwrap();
        let settings =
            Settings::new(nobody.clone(), nobody, Version::V25_0, "77".parse().unwrap(), "secret".into(), None);
        let telling = clock.clone();
        let graph = Graph::new(settings, Arc::new(move || telling.now()), Arc::new(Unobserved)).unwrap();
        let state = SignIn {
            db: Db::from_pool(pool),
            clock,
            graph,
            vault: Arc::new(Vault::from_setting(&"k1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=".into()).unwrap()),
            public_url: "http://127.0.0.1:3000".parse().unwrap(),
            partners: Arc::new(["1".parse().unwrap(), "2".parse().unwrap()]),
        };
        let app =
            Router::new().route("/who", get(who)).merge(routes(state.clone())).layer(session_layer(state.clone()));
        Self { app, state, cookie: None }
    }

    async fn get(&mut self, path: &str) -> Response {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn post(&mut self, path: &str, form: &str) -> Response {
        let request = Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(form.to_owned().into()).unwrap()).await
    }

    async fn send(&mut self, mut request: Request<Body>) -> Response {
        request.headers_mut().insert(ACCEPT, "text/html".parse().unwrap());
        if let Some(cookie) = &self.cookie {
            request.headers_mut().insert(COOKIE, cookie.parse().unwrap());
        }
        let response = self.app.clone().oneshot(request).await.unwrap();
        for set in response.headers().get_all(SET_COOKIE) {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            self.cookie = (!pair.ends_with('=')).then(|| pair.to_owned());
        }
        response
    }

    /// Who the application says is asking.
    async fn who(&mut self) -> String {
        let response = self.get("/who").await;
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    }

    /// Begins to sign in and gives the state that Facebook would hand back.
    async fn begin(&mut self, return_to: &str) -> String {
        let dialog = location(self.get(&format!("/sign-in/start?return_to={return_to}")).await.headers());
        let dialog = Url::parse(&dialog).unwrap();
        assert_eq!(dialog.path(), "/v25.0/dialog/oauth");
        let (_, state) = dialog.query_pairs().find(|(name, _)| name == "state").unwrap();
        state.into_owned()
    }

    /// Signs a person in for these partners, without Meta.
    async fn enter(&mut self, partners: &[&str]) {
        let mut memberships = Vec::new();
        for id in partners {
            let partner: PartnerId = id.parse().unwrap();
            let user = "9".parse().unwrap();
            let role = super::Role::Admin;
            let member_id = super::name_member(&self.state.db, &partner, &user, "Ines", role, START).await.unwrap();
            let name = format!("Partner {id}");
            sqlx::query!(
                "INSERT INTO partners (partner_id, name, first_seen_at) VALUES ($1::text, $2, $3)",
                *id,
                name,
                START
            )
            .execute(self.state.db.pool())
            .await
            .unwrap();
            memberships.push(Membership { partner, partner_name: name, member_id });
        }
        let signed_in = SignedIn::new("9".parse().unwrap(), memberships, Whence::default());
        let data = [(SIGNED_IN.to_owned(), json!(signed_in))].into();
        let mut record = Record { id: tower_sessions::session::Id::default(), data, expiry_date: START };
        self.state.sessions().create(&mut record).await.unwrap();
        self.cookie = Some(format!("liteboard={}", record.id));
    }

    async fn sessions_kept(&self) -> i64 {
        sqlx::query_scalar!("SELECT count(*) AS \"count!\" FROM sessions")
            .fetch_one(self.state.db.pool())
            .await
            .unwrap()
    }
}

async fn who(asker: Option<Extension<Asker>>) -> String {
    match asker {
        Some(Extension(Asker::Member(viewer))) => format!("{} of {}", viewer.name, viewer.partner_name),
        Some(Extension(Asker::Undecided(partners))) => format!("one of {} partners", partners.len()),
        Some(Extension(Asker::Stranger { ended })) => format!("a stranger, session ended: {}", ended.is_some()),
        Some(Extension(Asker::Unknown(error))) => format!("unknown: {}", error.title()),
        None => "not asked".to_owned(),
    }
}

fn location(headers: &HeaderMap) -> String {
    headers[LOCATION].to_str().unwrap().to_owned()
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn the_way_to_facebook_is_bound_to_the_browser_and_keeps_no_secret_in_its_cookie(pool: PgPool) {
    let mut browser = Browser::new(pool);
    let response = browser.get("/sign-in/start?return_to=/requests").await;
    let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
    for part in ["liteboard=", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let dialog = Url::parse(&location(response.headers())).unwrap();
    let query: std::collections::HashMap<_, _> = dialog.query_pairs().collect();
    assert_eq!(query["redirect_uri"], "http://127.0.0.1:3000/sign-in/callback");
    assert_eq!(query["code_challenge_method"], "S256");
    assert!(query["state"].len() >= 43 && query["code_challenge"].len() == 43);
    let kept = sqlx::query_scalar!("SELECT data::text AS \"data!\" FROM sessions")
        .fetch_one(browser.state.db.pool())
        .await
        .unwrap();
    assert!(!kept.contains(&*query["state"]), "only a digest of the state is kept");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_forged_missing_or_foreign_state_leads_to_a_kind_page(pool: PgPool) {
    let mut browser = Browser::new(pool.clone());
    let mut other = Browser::new(pool);
    let mine = browser.begin("/requests").await;
    other.begin("/requests").await;
    for path in ["/sign-in/callback", "/sign-in/callback?code=c", "/sign-in/callback?code=c&state=forged"] {
        assert_eq!(location(browser.get(path).await.headers()), "/sign-in?problem=state", "{path}");
    }
    let stolen = other.get(&format!("/sign-in/callback?code=c&state={mine}")).await;
    assert_eq!(location(stolen.headers()), "/sign-in?problem=state");
    let own = browser.get(&format!("/sign-in/callback?code=c&state={mine}")).await;
    let own = location(own.headers());
    assert!(own.starts_with("/sign-in?problem=meta_down"), "no wrong guess uses it up: {own}");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_callback_works_once(pool: PgPool) {
    let mut browser = Browser::new(pool);
    let state = browser.begin("/requests%3Fis%3Dfailed").await;
    let path = format!("/sign-in/callback?code=c&state={state}");
    let first = location(browser.get(&path).await.headers());
    assert_eq!(first, "/sign-in?problem=meta_down&return_to=%2Frequests%3Fis%3Dfailed");
    assert_eq!(location(browser.get(&path).await.headers()), "/sign-in?problem=state");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_state_is_too_old_after_ten_minutes(pool: PgPool) {
    let mut browser = Browser::new(pool);
    let state = browser.begin("/").await;
    browser.state.clock.advance(Duration::from_mins(10));
    let response = browser.get(&format!("/sign-in/callback?code=c&state={state}")).await;
    assert_eq!(location(response.headers()), "/sign-in?problem=state");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn who_cancels_at_facebook_is_told_that_nothing_changed(pool: PgPool) {
    let mut browser = Browser::new(pool);
    let state = browser.begin("/support").await;
    let denied = "error_reason=user_denied&error=access_denied&error_description=Permissions+error";
    let response = browser.get(&format!("/sign-in/callback?{denied}&state={state}")).await;
    assert_eq!(location(response.headers()), "/sign-in?problem=cancelled&return_to=%2Fsupport");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_cut_foreign_or_worn_out_cookie_is_a_strangers(pool: PgPool) {
    let mut browser = Browser::new(pool);
    assert_eq!(browser.who().await, "a stranger, session ended: false");
    browser.enter(&["1"]).await;
    assert_eq!(browser.who().await, "Ines of Partner 1");
    let good = browser.cookie.clone().unwrap();
    let cut = good[..good.len() - 3].to_owned();
    for bad in [cut, "liteboard=".into(), "liteboard=AAAAAAAAAAAAAAAAAAAAAA".into(), "liteboard=%00\"; x".into()] {
        browser.cookie = Some(bad.clone());
        assert_eq!(browser.who().await, "a stranger, session ended: true", "{bad}");
    }
    browser.cookie = Some(good);
    browser.state.clock.advance(Duration::from_hours(1));
    assert_eq!(browser.who().await, "a stranger, session ended: true");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn one_who_was_removed_is_out_at_once(pool: PgPool) {
    let mut browser = Browser::new(pool);
    browser.enter(&["1"]).await;
    sqlx::query!("UPDATE members SET removed_at = $1", START).execute(browser.state.db.pool()).await.unwrap();
    assert_eq!(browser.who().await, "a stranger, session ended: true");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn who_uses_the_app_is_seen_to_the_minute(pool: PgPool) {
    let mut browser = Browser::new(pool);
    browser.enter(&["1"]).await;
    let seen = async |browser: &Browser| {
        sqlx::query_scalar!("SELECT seen_at FROM members").fetch_one(browser.state.db.pool()).await.unwrap()
    };
    for (seconds, expected) in [(59, None), (1, Some(60)), (59, Some(60)), (1, Some(120))] {
        browser.state.clock.advance(Duration::from_secs(seconds));
        browser.who().await;
        let expected = expected.map(|after| START + time::Duration::seconds(after));
        assert_eq!(seen(&browser).await, expected);
    }
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_partner_taken_off_the_list_is_out_at_once(pool: PgPool) {
    let mut browser = Browser::new(pool);
    browser.enter(&["3"]).await;
    assert_eq!(browser.who().await, "a stranger, session ended: true");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_person_of_two_partners_chooses_one_and_switches(pool: PgPool) {
    let mut browser = Browser::new(pool);
    browser.enter(&["1", "2"]).await;
    assert_eq!(browser.who().await, "one of 2 partners");
    let chosen = browser.post("/sign-in/partner", "partner_id=2&back=/requests").await;
    assert_eq!(location(chosen.headers()), "/requests");
    assert_eq!(browser.who().await, "Ines of Partner 2");
    let switched = browser.post("/sign-in/partner", "partner_id=1&back=/requests/1001").await;
    assert_eq!(location(switched.headers()), "/businesses", "the other partner's page isn't this one's");
    assert_eq!(browser.who().await, "Ines of Partner 1");
    let foreign = browser.post("/sign-in/partner", "partner_id=3").await;
    assert_eq!(foreign.status(), 404);
    assert_eq!(browser.who().await, "Ines of Partner 1");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_stranger_chooses_no_partner(pool: PgPool) {
    let mut browser = Browser::new(pool);
    let response = browser.post("/sign-in/partner", "partner_id=1&back=//evil.example").await;
    assert_eq!(location(response.headers()), "/sign-in");
    let app = browser.app.clone();
    let program = app.oneshot(Request::post("/sign-in/partner").body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(program.status(), 401);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn signing_out_ends_the_session_on_the_server(pool: PgPool) {
    let mut browser = Browser::new(pool);
    browser.enter(&["1"]).await;
    let stolen = browser.cookie.clone();
    let response = browser.post("/sign-out", "").await;
    assert_eq!(
        (response.status().as_u16(), location(response.headers()).as_str()),
        (303, "/sign-in?problem=signed_out")
    );
    assert_eq!(response.headers()["clear-site-data"], "\"cache\", \"cookies\", \"storage\"");
    assert_eq!((browser.cookie.as_ref(), browser.sessions_kept().await), (None, 0));
    browser.cookie = stolen;
    assert_eq!(browser.who().await, "a stranger, session ended: true");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_session_ends_with_its_line_in_the_log_or_not_at_all(pool: PgPool) {
    let mut browser = Browser::new(pool.clone());
    browser.enter(&["1", "2"]).await;
    let kept = browser.cookie.clone();
    sqlx::raw_sql("REVOKE INSERT ON audit_log FROM liteboard_tenant").execute(&pool).await.unwrap();
    let response = browser.post("/sign-out", "").await;
    assert!(location(response.headers()).starts_with("/sign-in?problem=unexpected"), "{:?}", response.headers());
    assert_eq!(browser.sessions_kept().await, 1);
    sqlx::raw_sql("GRANT INSERT ON audit_log TO liteboard_tenant").execute(&pool).await.unwrap();
    browser.cookie = kept;
    browser.post("/sign-out", "").await;
    assert_eq!(browser.sessions_kept().await, 0);
    for partner in ["1", "2"] {
        let mut tx = browser.state.db.tenant(&partner.parse().unwrap()).await.unwrap();
        let told = sqlx::query_scalar!("SELECT count(*) AS \"count!\" FROM audit_log WHERE act = 'signed_out'");
        assert_eq!(told.fetch_one(&mut *tx).await.unwrap(), 1, "of partner {partner}");
    }
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_sign_in_that_begins_brings_back_none_that_was_taken_meanwhile(pool: PgPool) {
    let mut browser = Browser::new(pool.clone());
    browser.begin("/requests").await;
    let mut taking = pool.begin().await.unwrap();
    sqlx::raw_sql("UPDATE sessions SET data = jsonb_set(data, '{under_way}', '[]')")
        .execute(&mut *taking)
        .await
        .unwrap();
    let takes = async {
        crate::db::until_somebody_waits(&pool).await;
        taking.commit().await.unwrap();
    };
    let (fresh, ()) = futures::future::join(browser.begin("/businesses"), takes).await;
    let left = sqlx::query_scalar!(r#"SELECT data -> 'under_way' AS "under_way!" FROM sessions"#);
    let left = left.fetch_one(&pool).await.unwrap();
    assert_eq!(left.as_array().map(Vec::len), Some(1), "{left}");
    let landed = location(browser.get(&format!("/sign-in/callback?code=c&state={fresh}")).await.headers());
    assert!(!landed.contains("problem=state"), "the one that began is known: {landed}");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn without_postgres_nobody_is_taken_for_a_stranger(pool: PgPool) {
    let mut browser = Browser::new(pool.clone());
    browser.enter(&["1"]).await;
    pool.close().await;
    assert_eq!(browser.who().await, "unknown: This does not work right now");
    for path in ["/sign-in/start", "/sign-in/callback?code=c&state=s"] {
        let response = browser.get(path).await;
        assert!(location(response.headers()).starts_with("/sign-in?problem=unavailable&reference="), "{path}");
    }
    let response = browser.post("/sign-out", "").await;
    assert!(response.headers().contains_key("clear-site-data"), "the browser forgets all the same");
    let mut stranger = Browser::new(pool);
    assert_eq!(stranger.who().await, "a stranger, session ended: false");
    let response = stranger.get("/sign-in/start").await;
    assert!(location(response.headers()).starts_with("/sign-in?problem=unavailable"));
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn files_and_probes_are_served_without_a_look_at_the_session(pool: PgPool) {
    let mut browser = Browser::new(pool);
    browser.app = Router::new()
        .route("/assets/liteboard.css", get(who))
        .route("/healthz", get(who))
        .layer(session_layer(browser.state.clone()));
    browser.enter(&["1"]).await;
    for path in ["/assets/liteboard.css", "/healthz"] {
        let body = axum::body::to_bytes(browser.get(path).await.into_body(), 100).await.unwrap();
        assert_eq!(body, "not asked", "{path}");
    }
}
