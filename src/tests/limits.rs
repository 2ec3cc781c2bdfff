//! Stories of limits: who asks for too much is told when to come again, and nobody else notices.

use liteboard::{graph_simulator::Options, limits::Limits};
use reqwest::Method;
use sqlx::PgPool;

use super::app::{ADMIN, MANAGER, SUPPORT, TestApp};

async fn limited(pool: PgPool) -> TestApp {
    let options = Options { businesses: 40, ..Options::default() };
    TestApp::start_limited(pool, options, |url| Limits::new(Vec::new(), url.clone())).await
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn one_session_that_asks_too_much_is_told_when_to_come_again_and_another_is_not_held_up(pool: PgPool) {
    let app = limited(pool).await;
    let (hasty, other) = (app.signed_in(MANAGER).await, app.signed_in(ADMIN).await);
    let mut refused = None;
    for _ in 0..200 {
        let answer =
            hasty.ask(Method::POST, "/theme", Some(&[("theme", "dark"), ("back", "/requests")])).await.unwrap();
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
        assert_eq!(answer.status, 303, "{}", answer.body);
    }
    let refused = refused.expect("200 at once are too many");
    let seconds: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=2).contains(&seconds), "{seconds}");
    assert!(refused.body.contains("Go back and try again in"), "{}", refused.body);
    assert!(refused.headers.contains_key("content-security-policy"), "it carries the headers of every answer");
    let calm = other.ask(Method::POST, "/theme", Some(&[("theme", "dark"), ("back", "/requests")])).await.unwrap();
    assert_eq!((calm.status.as_u16(), calm.location()), (303, Some("/requests")));
    assert_eq!(hasty.open("/businesses").await.unwrap().status, 200, "reading goes on");
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn sign_in_is_limited_by_address_whatever_the_header_says(pool: PgPool) {
    let app = limited(pool).await;
    let signed_in = app.signed_in(SUPPORT).await;
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
    let mut last = 0;
    for number in 0..60 {
        let start =
            client.get(format!("{}/sign-in/start", app.url)).header("x-forwarded-for", format!("198.51.100.{number}"));
        last = start.send().await.unwrap().status().as_u16();
        if last == 429 {
            break;
        }
    }
    assert_eq!(last, 429, "nobody trusted said that these were others");
    for path in ["/healthz", "/readyz", "/sign-in", "/favicon.svg"] {
        assert_ne!(client.get(format!("{}{path}", app.url)).send().await.unwrap().status(), 429, "{path}");
    }
    assert_eq!(signed_in.open("/businesses").await.unwrap().status, 200, "who is in stays in");
}
