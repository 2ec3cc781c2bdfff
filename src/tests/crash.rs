//! A crash of the real process between sending and saving: abort, not shutdown.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use liteboard::{
    graph_simulator::{Fault, Operation, Options, Simulator},
    reconcile,
};
use sqlx::PgPool;

use super::{
    app::{ADMIN, HARBOUR_REACH, NORTHLANE},
    browser::Browser,
};

/// The process under test; killed when dropped.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    async fn start(simulator: &Simulator, pool: &PgPool, site: &std::path::Path) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let url = format!("http://127.0.0.1:{port}");
        let mut database =
            url::Url::parse(&std::env::var("DATABASE_URL").expect("tests are given a database")).unwrap();
        database.set_path(pool.connect_options().get_database().unwrap());
        let child = Command::new(env!("CARGO_BIN_EXE_liteboard"))
            .arg("serve")
            .env("DATABASE_URL", database.as_str())
            .env("LISTEN", format!("127.0.0.1:{port}"))
            .env("PUBLIC_URL", &url)
            .env("GRAPH_URL", simulator.url())
            .env("META_DIALOG_URL", simulator.url())
            .env("META_APP_ID", simulator.app_id())
            .env("META_APP_SECRET", simulator.app_secret())
            .env("ENCRYPTION_KEY", "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
            .env("PARTNER_BUSINESS_IDS", format!("{NORTHLANE},{HARBOUR_REACH}"))
            .env("LITEBOARD_SITE_DIR", site)
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { child, url };
        until("the server to be ready", async || {
            Browser::at(&server.url).open("/readyz").await.is_ok_and(|answer| answer.status.is_success())
        })
        .await;
        server
    }

    /// SIGKILL: nothing of the process runs any more.
    fn abort(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let waiting = async {
        while !holds().await {
            reconcile::pause(Duration::from_millis(25)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(40), waiting).await.is_ok(), "waited in vain for {what}");
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_crash_while_sending_never_makes_a_second_agreement(pool: PgPool) {
    let site = std::env::temp_dir().join(format!("liteboard-crash-{}", std::process::id()));
    std::fs::create_dir_all(&site).unwrap();
    std::fs::write(site.join("manifest.txt"), "").unwrap();
    let simulator = Simulator::start(Options { businesses: 20, ..Options::default() }).await.unwrap();
    let mut server = Server::start(&simulator, &pool, &site).await;
    let browser = Browser::at(&server.url);
    browser.sign_in(ADMIN).await.unwrap();
    until("an eligible business", async || eligible(&pool).await.is_some()).await;
    let business = eligible(&pool).await.unwrap();

    // Meta takes the request and its answer never comes: at this moment the process is killed.
    simulator.plan(Operation::Onboard, Fault::HangAfter, 1);
    let address = server.url.clone();
    let (cookies, form) = (browser.cookies(), business.clone());
    let click = tokio::spawn(async move {
        let browser = Browser::at(&address);
        for (name, value) in cookies {
            browser.set_cookie(&name, &value);
        }
        drop(browser.send("/onboarding/onboard", &[("business_id", &form), ("solution_id", "")]).await);
    });
    until("Meta to hold the agreement", async || simulator.ledger().iter().any(|entry| entry.business_id == business))
        .await;
    server.abort();
    click.await.unwrap();
    assert_eq!(request(&pool).await.0, "sending", "the crash left it so");

    let again = Server::start(&simulator, &pool, &site).await;
    until("the request to be taken up", async || request(&pool).await.0 == "requested").await;
    let held: Vec<_> = simulator.ledger().into_iter().filter(|entry| entry.business_id == business).collect();
    assert_eq!(held.len(), 1, "one agreement");
    assert_eq!(request(&pool).await.1.as_ref(), Some(&held[0].request_id), "and we hold its id");
    assert!(simulator.count(Operation::Business) >= 1, "the status was read before the second POST");

    // The session outlives the crash as well, and so does the page.
    let page = Browser::at(&again.url);
    for (name, value) in browser.cookies() {
        page.set_cookie(&name, &value);
    }
    let list = page.open("/requests").await.unwrap();
    assert!(list.body.contains(&held[0].request_id), "{}", list.body);
    drop(std::fs::remove_dir_all(&site));
}

async fn eligible(pool: &PgPool) -> Option<String> {
    sqlx::query_scalar!(
        "SELECT business_id::text AS \"id!\" FROM businesses WHERE standing = 'eligible' ORDER BY name_key LIMIT 1"
    )
    .fetch_optional(pool)
    .await
    .unwrap()
}

async fn request(pool: &PgPool) -> (String, Option<String>) {
    let row = sqlx::query!("SELECT state, meta_request_id FROM requests").fetch_one(pool).await.unwrap();
    (row.state, row.meta_request_id)
}
