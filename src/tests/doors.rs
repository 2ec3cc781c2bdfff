//! Every way in, tried by those who may not use it.

use reqwest::Method;
use sqlx::PgPool;

use super::{
    app::{MANAGER, TestApp},
    rivals,
};

/// Pages for members.
const PAGES: &[&str] = &[
    "/",
    "/businesses",
    "/businesses/201000000000001",
    "/requests",
    "/requests/LB-1001",
    "/batches",
    "/batches/1",
    "/batches/1/cancel",
    "/batches/1/events",
    "/batches/1/results.csv",
    "/support",
    "/support/causes",
    "/support/causes/1",
    "/support/calls/1",
    "/insights",
    "/settings",
    "/settings/members/1",
    "/settings/audit",
    "/settings/audit.csv",
    "/assign",
    "/settings/webhooks",
    "/settings/webhooks/1",
    "/import",
    "/drafts/1",
    "/drafts/1/rows",
    "/drafts/1/problems.csv",
    "/requests/export.csv",
    "/requests/export.json",
    "/views",
];

/// What members may do, as forms.
const DOORS: &[&str] = &[
    "/onboarding/onboard",
    "/onboarding/cancel",
    "/onboarding/pause",
    "/onboarding/resume",
    "/onboarding/cancel-rest",
    "/onboarding/retry-failed",
    "/businesses/sync",
    "/sign-in/partner",
    "/settings/store-system-user-token",
    "/settings/remove-system-user-token",
    "/settings/change-role",
    "/settings/remove-member",
    "/settings/let-back-in",
    "/settings/end-session",
    "/settings/end-sessions",
    "/settings/save",
    "/onboarding/draft",
    "/onboarding/start",
    "/onboarding/correct",
    "/onboarding/discard",
    "/import",
    "/support",
    "/businesses/select",
    "/businesses/select_matching",
    "/businesses/clear_selection",
    "/businesses/assign",
    "/businesses/assign_ticked",
    "/businesses/assign_selected",
    "/businesses/add_note",
    "/businesses/delete_note",
    "/onboarding/check",
    "/requests",
    "/requests/suggest",
    "/palette",
    "/views/save",
    "/views/change",
    "/views/delete",
];

/// Routes with a test of their own: files, the choice of looks, signing out, Meta's door.
const ELSEWHERE: &[&str] = &["/assets/x", "/theme", "/keys", "/sign-out", "/webhooks/meta"];

/// Open to anyone; this list should only ever shrink.
const OPEN: &[&str] =
    &["/sign-in", "/sign-in/start", "/sign-in/callback", "/healthz", "/readyz", "/favicon.svg", "/robots.txt"];

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn strangers_see_no_page_and_no_door_opens_for_them(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.browser();
    for page in PAGES {
        let answer = browser.ask(Method::GET, page, None).await.unwrap();
        assert!(answer.status.is_redirection(), "{page}: {}", answer.status);
        assert!(answer.location().unwrap().starts_with("/sign-in"), "{page}: {:?}", answer.location());
    }
    for door in DOORS {
        let answer = browser
            .ask(
                Method::POST,
                door,
                Some(&[
                    ("business_id", "1"),
                    ("solution_id", ""),
                    ("number", "LB-1001"),
                    ("batch", "1"),
                    ("cause", "temporary"),
                    ("partner_id", "1"),
                    ("token", "EAAJnobodys"),
                    ("back", "/"),
                    ("note", "1"),
                    ("words", "nobody's"),
                ]),
            )
            .await
            .unwrap();
        let led = answer.location().is_some_and(|location| location.starts_with("/sign-in"));
        assert!(
            answer.status.is_redirection() && led,
            "{door}: {} {:?} {}",
            answer.status,
            answer.location(),
            answer.body
        );
        let program = reqwest::Client::new()
            .post(format!("{}{door}", app.url))
            .header("accept", "application/json")
            .header("content-type", "application/x-www-form-urlencoded")
            .body("business_id=1&solution_id=&number=LB-1001&batch=1&cause=temporary&partner_id=1&token=EAAJnobodys&back=%2F&note=1")
            .send()
            .await
            .unwrap();
        assert!(program.status().as_u16() == 401 || program.status().is_redirection(), "{door}: {}", program.status());
    }
    for path in OPEN {
        let answer = browser.ask(Method::GET, path, None).await.unwrap();
        assert!(!answer.body.contains("Northlane"), "{path} tells nothing of a partner");
    }
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn metas_door_opens_to_signatures_alone(pool: PgPool) {
    let app = TestApp::start(pool).await;
    for (browser, who) in [(app.browser(), "a stranger"), (app.signed_in(MANAGER).await, "a member")] {
        let posted = browser.ask(Method::POST, "/webhooks/meta", Some(&[("entry", "1")])).await.unwrap();
        assert_eq!(posted.status.as_u16(), 401, "{who}: {}", posted.body);
        let asked = browser.ask(Method::GET, "/webhooks/meta", None).await.unwrap();
        assert_eq!(asked.status.as_u16(), 403, "{who}: {}", asked.body);
        assert!(asked.location().is_none() && !asked.headers.contains_key("set-cookie"), "it knows no session");
    }
}

/// Where the router leads, each path once, as it spells them: pages, doors and files alike. Its `Debug` names them all.
fn routes_of(router: &axum::Router) -> Vec<String> {
    let shown = format!("{router:?}");
    let ids = shown.split("RouteId(").skip(1);
    let mut paths: Vec<String> = ids
        .filter_map(|rest| rest.split_once("): \""))
        .filter(|(id, _)| id.bytes().all(|byte| byte.is_ascii_digit()))
        .filter_map(|(_, path)| path.split('"').next().map(str::to_owned))
        .collect();
    paths.sort_unstable();
    paths.dedup();
    paths
}

/// Whether a path that is asked for is one of a route, whose parts in braces stand for anything.
fn is_of(path: &str, route: &str) -> bool {
    let (mut asked, mut route) = (path.split('/'), route.split('/'));
    loop {
        match (asked.next(), route.next()) {
            (None, None) => return true,
            (Some(_), Some(any)) if any.starts_with("{*") => return true,
            (Some(one), Some(other)) if one == other || other.starts_with('{') => {}
            _ => return false,
        }
    }
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn every_route_is_in_these_lists(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let routes = routes_of(&app.router);
    let known: Vec<&str> = [PAGES, DOORS, OPEN, ELSEWHERE].concat();
    for route in &routes {
        assert!(known.iter().any(|path| is_of(path, route)), "{route} is in none of the lists");
        if route.contains('{') && !ELSEWHERE.iter().any(|path| is_of(path, route)) {
            assert!(rivals::PAGES.iter().any(|(page, _)| page == route), "{route} was not tried by a rival");
        }
    }
    for path in &known {
        assert!(routes.iter().any(|route| is_of(path, route)), "{path} leads nowhere");
    }
    for (_, function) in doors_declared() {
        assert!(DOORS.contains(&function.as_str()), "{function} is a door no stranger was tried at");
        let tried = rivals::DOORS.iter().any(|(door, _)| *door == function);
        assert!(
            tried != rivals::OTHER_DOORS.contains(&function.as_str()),
            "{function} was not tried by a rival, or is in both lists"
        );
    }
}

/// Every server function in the source: file and path.
fn doors_declared() -> Vec<(String, String)> {
    fn visit(folder: &std::path::Path, found: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if !path.ends_with("tests") {
                    visit(&path, found);
                }
                continue;
            }
            let source = std::fs::read_to_string(&path).unwrap_or_default();
            for (at, _) in source.match_indices("#[server(p") {
                let attribute = &source[at..source[at..].find(")]").map_or(source.len(), |end| at + end)];
                let value = |name: &str| {
                    let rest = attribute.split(&format!("{name} = \"")).nth(1)?;
                    rest.split('"').next().map(str::to_owned)
                };
                let (Some(prefix), Some(endpoint)) = (value("prefix"), value("endpoint")) else {
                    panic!("{}: a server function needs an explicit prefix and endpoint", path.display());
                };
                found.push((path.display().to_string(), format!("{prefix}/{endpoint}")));
            }
        }
    }
    let mut found = Vec::new();
    visit(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    let declared = server_functions();
    assert_eq!(found.len(), declared, "a server function needs an explicit prefix and endpoint: {found:?}");
    found
}

/// How many server functions the server knows.
fn server_functions() -> usize {
    leptos::server_fn::axum::server_fn_paths().count()
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn forms_of_other_sites_are_refused(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let business = app.eligible_business().await;
    let cookies: Vec<String> = browser.cookies().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        let answer = reqwest::Client::new()
            .post(format!("{}/onboarding/onboard", app.url))
            .header("cookie", cookies.join("; "))
            .header("content-type", "application/x-www-form-urlencoded")
            .header(name, value)
            .body(format!("business_id={business}&solution_id="))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status().as_u16(), 403, "{name}: {value}");
    }
    assert_eq!(app.agreements(&business), 0);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn odd_addresses_are_answered(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let long = "a".repeat(10_000);
    for (path, expected) in [
        (format!("/businesses?q={long}"), 200),
        (format!("/support?q={long}"), 200),
        (format!("/businesses?q={}", "a".repeat(20_000)), 414),
        ("/businesses?q=%00%ff%fe".to_owned(), 200),
        ("/businesses?q=%3Cscript%3Ealert(1)%3C/script%3E".to_owned(), 200),
        ("/businesses?after=nonsense&status=nonsense".to_owned(), 200),
        ("/requests?before=LB-x&state=nonsense".to_owned(), 200),
        (format!("/requests?q={}", "code:1%20".repeat(500)), 200),
        (format!("/requests?q={long}"), 200),
        ("/requests?q=%00%ff%22-is:%3Cscript%3Ealert(1)%3C/script%3E".to_owned(), 200),
        ("/requests/export.csv?q=nokey:1".to_owned(), 400),
        (format!("/palette?q={long}"), 405),
        (format!("/requests/suggest?q={long}"), 405),
        ("/insights?range=x&from=nonsense&solution=%00&manager=-1&by=%ff".to_owned(), 200),
        ("/requests/nonsense".to_owned(), 404),
        ("/nowhere".to_owned(), 404),
        ("/assets/../Cargo.toml".to_owned(), 404),
    ] {
        let answer = browser.open(&path).await.unwrap();
        assert_eq!(answer.status.as_u16(), expected, "{path:.60}: {:.300}", answer.body);
        assert!(!answer.body.contains("<script>alert(1)"), "{path}");
    }
    for (path, sent) in [
        ("/palette", long.as_str()),
        ("/palette", "\0\u{fffd}<script>alert(1)</script>"),
        ("/requests/suggest", &long),
        ("/requests/suggest", "by:<script>alert(1)</script>\0"),
    ] {
        let answer = browser.ask(Method::POST, path, Some(&[("q", sent)])).await.unwrap();
        assert_eq!(answer.status.as_u16(), 200, "{path}: {:.300}", answer.body);
        assert!(!answer.body.contains("<script>alert(1)"), "{path}: {}", answer.body);
    }
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn every_answer_carries_its_headers(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.signed_in(MANAGER).await;
    for path in ["/businesses", "/sign-in", "/nowhere", "/healthz"] {
        let answer = browser.ask(Method::GET, path, None).await.unwrap();
        let header =
            |name: &str| answer.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe-inline"), "{path}: {policy}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert!(!answer.body.contains(" style=\""), "{path} has no inline style");
        if !path.starts_with("/healthz") {
            assert_eq!(header("cache-control"), "no-store", "{path}");
            let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
            for script in answer.body.match_indices("<script").map(|(at, _)| &answer.body[at..]) {
                assert!(script.split('>').next().unwrap().contains(nonce), "{path}: a script without the nonce");
            }
        }
    }
    let one = browser.ask(Method::GET, "/sign-in", None).await.unwrap();
    let two = browser.ask(Method::GET, "/sign-in", None).await.unwrap();
    assert_ne!(one.headers["content-security-policy"], two.headers["content-security-policy"], "a nonce is used once");
}
