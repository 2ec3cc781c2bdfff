//! Stories of `liteboard doctor`: what it says of an installation that is well, and of each that isn't.

use std::time::Duration;

use liteboard::{
    clock::Clock,
    db::Db,
    doctor::{Finding, Patient, examine},
    graph::{Settings, Version},
    graph_simulator::{Options, Simulator, Webhook},
};
use sqlx::PgPool;
use url::Url;

use super::app::{ADMIN, HARBOUR_REACH, KEY, NORTHLANE, TestApp, VERIFY_TOKEN};

const CALLBACK: &str = "https://liteboard.example/webhooks/meta";

/// Webhooks that the simulator says it would send to.
fn subscribed() -> Options {
    let webhook = Webhook { url: CALLBACK.into(), verify_token: "tell-me".into(), retry_after: Duration::from_mins(1) };
    Options { businesses: 20, webhook: Some(webhook), ..Options::default() }
}

fn settings(simulator: &Simulator) -> Settings {
    let base: Url = simulator.url().parse().unwrap();
    let (app, secret) = (simulator.app_id().parse().unwrap(), simulator.app_secret().to_owned().into());
    Settings { timeout: Duration::from_secs(2), ..Settings::new(base.clone(), base, Version::V25_0, app, secret, None) }
}

fn patient(app: &TestApp) -> Patient {
    Patient {
        db: app.db.clone(),
        clock: Clock::system(),
        graph: settings(&app.simulator),
        encryption_key: KEY.into(),
        public_url: "https://liteboard.example".parse().unwrap(),
        partners: vec![NORTHLANE.parse().unwrap(), HARBOUR_REACH.parse().unwrap()],
        verify_token: Some(VERIFY_TOKEN.into()),
        asked_at: app.url.parse().unwrap(),
    }
}

/// The one finding about something.
fn about<'a>(findings: &'a [Finding], about: &str) -> &'a Finding {
    let found: Vec<_> = findings.iter().filter(|finding| finding.about == about).collect();
    assert_eq!(found.len(), 1, "{about}: {findings:?}");
    found[0]
}

/// No line tells what nobody may know.
fn assert_untold(app: &TestApp, findings: &[Finding]) {
    for line in findings.iter().map(ToString::to_string) {
        let key = KEY.split_once(':').unwrap().1;
        for secret in [app.simulator.app_secret(), key, VERIFY_TOKEN, "EAA", "wrong-secret", "wrong-token"] {
            assert!(!line.contains(secret), "{line}");
        }
        assert!(!line.contains('\n'), "{line}");
    }
}

fn amiss(findings: &[Finding]) -> Vec<&str> {
    findings.iter().filter(|finding| !finding.is_well).map(|finding| finding.about.as_str()).collect()
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn an_installation_that_is_well_has_nothing_to_mend(pool: PgPool) {
    let app = TestApp::start_with(pool, subscribed()).await;
    app.signed_in(ADMIN).await;
    let findings = examine(&patient(&app)).await;
    assert_eq!(amiss(&findings), Vec::<&str>::new(), "{findings:?}");
    assert_eq!(about(&findings, "Keys").text, "all tokens open, 1 with k1; k1 seals");
    let permissions = about(&findings, &format!("Permissions of partner {NORTHLANE}"));
    assert!(permissions.text.contains("the token of a member has business_management"), "{permissions}");
    let rivals = about(&findings, &format!("Permissions of partner {HARBOUR_REACH}"));
    assert!(rivals.text.contains("nobody has signed in yet"), "{rivals}");
    for seen in ["PUBLIC_URL", "Database", "Migrations", "Row-level security", "Clock against Postgres", "Graph"] {
        about(&findings, seen);
    }
    for seen in ["Clock against Meta", "App", "Webhooks", "Verify token"] {
        about(&findings, seen);
    }
    assert_untold(&app, &findings);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn what_is_wrong_at_meta_is_named_with_what_to_do(pool: PgPool) {
    let app = TestApp::start(pool).await;
    app.signed_in(ADMIN).await;
    let findings = examine(&patient(&app)).await;
    assert_eq!(amiss(&findings), ["Webhooks"]);
    assert!(about(&findings, "Webhooks").text.contains(CALLBACK), "{findings:?}");

    app.simulator.revoke_tokens_of(ADMIN).unwrap();
    let token = format!("Permissions of partner {NORTHLANE}");
    let findings = examine(&patient(&app)).await;
    assert_eq!(amiss(&findings), [token.as_str(), "Webhooks"]);
    assert!(about(&findings, &token).text.contains("no longer takes the token"), "{findings:?}");

    let mut wrong = patient(&app);
    wrong.graph.app_secret = "wrong-secret".to_owned().into();
    let findings = examine(&wrong).await;
    assert_eq!(amiss(&findings), ["App"], "nothing is asked of Meta after that: {findings:?}");
    assert_untold(&app, &findings);

    app.simulator.advance(Duration::from_mins(2));
    let findings = examine(&patient(&app)).await;
    assert!(about(&findings, "Clock against Meta").text.contains("behind"), "{findings:?}");
    assert!(about(&findings, "Clock against Postgres").is_well);

    let mut lost = patient(&app);
    lost.graph.graph_url = "http://127.0.0.1:1".parse().unwrap();
    let findings = examine(&lost).await;
    assert_eq!(amiss(&findings), ["Graph"]);
    assert!(about(&findings, "Graph").text.contains("connect_failed"), "{findings:?}");
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn what_is_wrong_here_is_named_and_the_rest_is_looked_at_all_the_same(pool: PgPool) {
    let app = TestApp::start_with(pool, subscribed()).await;
    app.signed_in(ADMIN).await;
    let other = "k2:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";
    let findings = examine(&Patient { encryption_key: other.into(), ..patient(&app) }).await;
    let token = format!("Permissions of partner {NORTHLANE}");
    assert_eq!(amiss(&findings), ["Keys", token.as_str()]);
    assert!(about(&findings, "Keys").text.contains("1 of 1 tokens are sealed with k1"), "{findings:?}");

    let findings = examine(&Patient { encryption_key: "nonsense".into(), ..patient(&app) }).await;
    assert_eq!(amiss(&findings), ["ENCRYPTION_KEY"]);
    assert!(!findings.iter().any(|finding| finding.to_string().contains("nonsense")), "{findings:?}");

    let nowhere = Db::new(&"postgres://user:hunter2@127.0.0.1:1/none".to_owned().into(), 2).unwrap();
    let findings = examine(&Patient { db: nowhere, ..patient(&app) }).await;
    assert_eq!(amiss(&findings), ["Database"]);
    assert!(!findings.iter().any(|finding| finding.to_string().contains("hunter2")), "{findings:?}");
    about(&findings, "Webhooks");
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn the_callback_url_is_asked_as_meta_asks_it(pool: PgPool) {
    let app = TestApp::start_with(pool, subscribed()).await;
    let nobody = || "http://127.0.0.1:1".parse().unwrap();
    for (patient, words) in [
        (Patient { verify_token: None, ..patient(&app) }, "META_WEBHOOK_VERIFY_TOKEN is not set"),
        (Patient { verify_token: Some("wrong-token".into()), ..patient(&app) }, "knows another one"),
        (Patient { asked_at: nobody(), ..patient(&app) }, "can’t be reached from here (nobody answers)"),
    ] {
        let findings = examine(&patient).await;
        assert_eq!(amiss(&findings), ["Verify token"], "{findings:?}");
        assert!(about(&findings, "Verify token").text.contains(words), "{findings:?}");
        assert_untold(&app, &findings);
    }
}
