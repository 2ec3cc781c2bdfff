//! The whole app for a story: real router, real Postgres, the simulator in process, a clock that moves.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use liteboard::{
    assets::Assets,
    clock::Clock,
    config::is_loopback,
    db::{Db, PartnerId},
    graph::{Graph, Settings, Version},
    graph_simulator::{Options, Simulator, Webhook},
    limits::Limits,
    reconcile::{self, CancellationToken, Signals},
    server::{AppState, router},
    sign_in::{self, PartnerSettings, Role},
    support::Recorder,
    vault::Vault,
    webhooks::{Setup, Webhooks},
    worker,
};
use sqlx::PgPool;
use url::Url;

use super::browser::{Answer, Browser};

/// People of the simulator.
pub const ADMIN: &str = "122000000000001";
pub const MANAGER: &str = "122000000000002";
pub const SUPPORT: &str = "122000000000003";
pub const RIVAL: &str = "122000000000004";

/// Partners of the simulator.
pub const NORTHLANE: &str = "102000000000001";
pub const HARBOUR_REACH: &str = "102000000000002";

/// What tokens are sealed with.
pub const KEY: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// What the app is subscribed with.
pub const VERIFY_TOKEN: &str = "story-verify-token";

/// How long a story waits for something to come true before it fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running app. When it's dropped, it makes sure that nothing was left Sending.
pub struct TestApp {
    pub simulator: Simulator,
    pub db: Db,
    pub clock: Clock,
    pub url: String,
    /// What answers.
    pub router: Router,
    pub stop: CancellationToken,
    background: Option<tokio::task::JoinHandle<()>>,
}

impl TestApp {
    /// The app with the three people of Northlane named in their roles, and a simulator of few businesses.
    pub async fn start(pool: PgPool) -> Self {
        Self::start_with(pool, Options { businesses: 40, ..Options::default() }).await
    }

    pub async fn start_with(pool: PgPool, options: Options) -> Self {
        Self::start_limited(pool, options, |_| Limits::off()).await
    }

    /// With limits for the app at this address: stories ask hundreds of times from one address, so others have none.
    pub async fn start_limited(pool: PgPool, options: Options, limits: fn(&Url) -> Limits) -> Self {
        let simulator = Simulator::start(options).await.expect("the simulator starts");
        let db = Db::from_pool(pool);
        let clock = Clock::standing_at(Clock::system().now());
        let stop = CancellationToken::new();
        let (state, router) = Self::state(&simulator, &db, &clock, limits, stop.clone()).await;
        for (person, name, role) in [
            (ADMIN, "Ines Carvalho", Role::Admin),
            (MANAGER, "Rahul Mehta", Role::AccountManager),
            (SUPPORT, "Adaeze Nwosu", Role::Support),
        ] {
            let (partner, person) = (NORTHLANE.parse().unwrap(), person.parse().unwrap());
            sign_in::name_member(&db, &partner, &person, name, role, clock.now()).await.expect("a member is named");
        }
        tokio::spawn(state.signals.clone().listen(db.clone(), stop.clone()));
        let background = tokio::spawn(worker::runner(&state, 8).run(stop.clone()));
        let url = state.public_url.to_string().trim_end_matches('/').to_owned();
        Self { simulator, db, clock, url, router, stop, background: Some(background) }
    }

    async fn state(
        simulator: &Simulator,
        db: &Db,
        clock: &Clock,
        limits: fn(&Url) -> Limits,
        stop: CancellationToken,
    ) -> (AppState, Router) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let public_url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        assert!(is_loopback(&public_url));
        let vault = Vault::from_setting(&KEY.to_owned().into()).expect("a good key");
        let base = Url::parse(&simulator.url()).unwrap();
        let settings = Settings::new(
            base.clone(),
            base,
            Version::V25_0,
            simulator.app_id().parse().unwrap(),
            simulator.app_secret().to_owned().into(),
            None,
        );
        let settings = Settings { timeout: Duration::from_secs(2), ..settings };
        let telling = clock.clone();
        let partners = vec![NORTHLANE.parse().unwrap(), HARBOUR_REACH.parse().unwrap()];
        let recorder = Recorder::start(db.clone(), &partners);
        let graph = Graph::new(settings, Arc::new(move || telling.now()), Arc::new(recorder)).expect("a client");
        let assets = Assets::none();
        let webhooks = Webhooks::start(Setup {
            db: db.clone(),
            clock: clock.clone(),
            partners: Vec::clone(&partners),
            app_secret: simulator.app_secret().to_owned().into(),
            verify_token: Some(VERIFY_TOKEN.to_owned().into()),
            public_url: public_url.clone(),
            stop: stop.clone(),
        });
        let state = AppState {
            webhooks,
            db: db.clone(),
            clock: clock.clone(),
            graph,
            vault: Arc::new(vault),
            signals: Signals::default(),
            stop,
            options: AppState::leptos_options(&assets),
            assets,
            limits: limits(&public_url),
            public_url,
            partners,
        };
        let router = router(state.clone());
        let app = router.clone().into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, app).await });
        (state, router)
    }

    /// A browser nobody has signed in with.
    pub fn browser(&self) -> Browser {
        Browser::at(&self.url)
    }

    /// A browser in which `person` is signed in and the first sync is over.
    pub async fn signed_in(&self, person: &str) -> Browser {
        let browser = self.browser();
        let landed = browser.sign_in(person).await.expect("the app answers");
        assert!(landed.url.ends_with("/businesses"), "signed in and landed on {}: {}", landed.url, landed.body);
        self.synced(if person == RIVAL { HARBOUR_REACH } else { NORTHLANE }).await;
        browser
    }

    /// The same later on, when the session before has ended and a sync may not finish.
    pub async fn signed_in_again(&self, person: &str) -> Browser {
        let browser = self.browser();
        let landed = browser.sign_in(person).await.expect("the app answers");
        assert!(landed.url.ends_with("/businesses"), "signed in and landed on {}: {}", landed.url, landed.body);
        browser
    }

    /// Waits until a sync of the partner has finished.
    pub async fn synced(&self, partner: &str) {
        self.until("the sync to finish", async || {
            let mut tx = self.tenant(partner).await;
            sqlx::query_scalar!("SELECT EXISTS (SELECT FROM syncs WHERE finished_at IS NOT NULL) AS \"done!\"")
                .fetch_one(&mut *tx)
                .await
                .expect("Postgres answers")
        })
        .await;
    }

    pub async fn tenant(&self, partner: &str) -> liteboard::db::TenantTx {
        let partner: PartnerId = partner.parse().unwrap();
        self.db.tenant(&partner).await.expect("Postgres answers")
    }

    /// Northlane decides how things are to be.
    pub async fn decide(&self, settings: PartnerSettings) {
        let mut tx = self.tenant(NORTHLANE).await;
        sign_in::save_partner_settings(&mut tx, &settings).await.expect("the settings are in their range");
        tx.commit().await.expect("Postgres answers");
    }

    /// Northlane's businesses in a standing, by name.
    pub async fn businesses(&self, standing: &str) -> Vec<String> {
        self.businesses_of(NORTHLANE, standing).await
    }

    /// A partner's businesses in a standing, by name.
    pub async fn businesses_of(&self, partner: &str, standing: &str) -> Vec<String> {
        let mut tx = self.tenant(partner).await;
        sqlx::query_scalar!(
            "SELECT business_id::text AS \"id!\" FROM businesses WHERE standing = $1 ORDER BY name_key",
            standing
        )
        .fetch_all(&mut *tx)
        .await
        .expect("Postgres answers")
    }

    /// Some business that can be sent now.
    pub async fn eligible_business(&self) -> String {
        self.businesses("eligible").await.into_iter().next().expect("the simulator has an eligible business")
    }

    /// State, attempts and Meta's id of the newest request for a business.
    pub async fn request_for(&self, business: &str) -> (String, i32, Option<String>) {
        let mut tx = self.tenant(NORTHLANE).await;
        let row = sqlx::query!(
            "SELECT state, attempts, meta_request_id FROM requests WHERE business_id = $1 ORDER BY number DESC LIMIT 1",
            business as _,
        )
        .fetch_one(&mut *tx)
        .await
        .expect("there is a request");
        (row.state, row.attempts, row.meta_request_id)
    }

    /// Waits until the newest request for a business is in `state`.
    pub async fn until_request_is(&self, business: &str, state: &str) {
        self.until(&format!("the request to be {state}"), async || self.request_for(business).await.0 == state).await;
    }

    /// Moves the clock and has dispatch look at once.
    pub async fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.simulator.advance(by);
        let partner: PartnerId = NORTHLANE.parse().unwrap();
        let mut tx = self.db.tenant(&partner).await.expect("Postgres answers");
        for reconciler in ["dispatch", "follow", "sync", "poll", "webhooks", "webhooks_again"] {
            reconcile::wake(&mut tx, reconciler, &partner).await.expect("Postgres answers");
        }
        tx.commit().await.expect("Postgres answers");
    }

    /// Has the simulator tell the app by webhook from now on; without it webhooks are lost.
    pub fn subscribe(&self) {
        self.simulator.send_webhooks_to(Webhook {
            url: format!("{}/webhooks/meta", self.url),
            verify_token: VERIFY_TOKEN.to_owned(),
            retry_after: Duration::from_millis(20),
        });
    }

    /// Waits for something to come true, looking again whenever anything was signalled.
    pub async fn until(&self, what: &str, holds: impl AsyncFn() -> bool) {
        let waiting = async {
            while !holds().await {
                reconcile::pause(Duration::from_millis(20)).await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "waited in vain for {what}");
    }

    /// How many agreements the simulator has for a business.
    pub fn agreements(&self, business: &str) -> usize {
        self.simulator.ledger().iter().filter(|agreement| agreement.business_id == business).count()
    }
}

/// Clicks 'Onboard to MM Lite' and lands where the app leads.
pub async fn onboard(browser: &Browser, business: &str) -> Answer {
    browser
        .send("/onboarding/onboard", &[("business_id", business), ("solution_id", "")])
        .await
        .expect("the app answers")
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.stop.cancel();
        if std::thread::panicking() {
            return;
        }
        let (db, background) = (self.db.clone(), self.background.take());
        // Drop can't wait, so a thread of its own does.
        let left = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                drop(background);
                let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect_with(db.connect_options())
                    .await
                    .expect("Postgres answers");
                let mut left = 1;
                // What is in flight when the story ends may finish.
                for _ in 0..200 {
                    left = sqlx::query_scalar!("SELECT count(*) AS \"count!\" FROM requests WHERE state = 'sending'")
                        .fetch_one(&mut connection)
                        .await
                        .expect("Postgres answers");
                    if left == 0 {
                        break;
                    }
                    reconcile::pause(Duration::from_millis(25)).await;
                }
                left
            })
        });
        assert_eq!(left.join().expect("the question is answered"), 0, "requests were left Sending");
    }
}
