//! Whatever of a partner's has an id: to another partner's people it isn't there, exactly as what never was.

use std::collections::BTreeMap;

use liteboard::graph_simulator::{Fault, Operation};
use reqwest::Method;
use sqlx::PgPool;

use super::{
    app::{MANAGER, NORTHLANE, RIVAL, TestApp, onboard},
    browser::Browser,
};

/// Every route whose address holds the id of something of a partner's, and what that is. `doors.rs` sees to it that none is missing.
pub const PAGES: &[(&str, &str)] = &[
    ("/businesses/{business_id}", "business"),
    ("/businesses/{business_id}", "waba"),
    ("/requests/{number}", "request"),
    ("/batches/{number}", "batch"),
    ("/batches/{number}", "draft"),
    ("/batches/{number}/cancel", "batch"),
    ("/batches/{number}/events", "batch"),
    ("/batches/{number}/results.csv", "batch"),
    ("/drafts/{number}", "draft"),
    ("/drafts/{number}/rows", "draft"),
    ("/drafts/{number}/problems.csv", "draft"),
    ("/support/causes/{cause}", "cause"),
    ("/support/calls/{call}", "call"),
    ("/settings/members/{member}", "member"),
    ("/settings/webhooks/{change}", "change"),
];

/// Every door that takes an id, with a form that would do; a value behind `@` is an id of that kind.
pub const DOORS: &[(&str, &[(&str, &str)])] = &[
    ("/onboarding/onboard", &[("business_id", "@business"), ("solution_id", "")]),
    ("/onboarding/onboard", &[("business_id", "@waba"), ("solution_id", "")]),
    ("/onboarding/cancel", &[("number", "@request")]),
    ("/onboarding/check", &[("business_id", "@business")]),
    ("/onboarding/pause", &[("batch", "@batch")]),
    ("/onboarding/resume", &[("batch", "@batch")]),
    ("/onboarding/cancel-rest", &[("batch", "@batch")]),
    ("/onboarding/retry-failed", &[("batch", "@batch"), ("cause", "access_denied")]),
    ("/onboarding/start", &[("number", "@draft"), ("shown", "1"), ("confirm", "1")]),
    ("/onboarding/correct", &[("number", "@draft")]),
    ("/onboarding/discard", &[("number", "@draft")]),
    ("/businesses/assign", &[("business_id", "@business"), ("manager", "none")]),
    ("/businesses/add_note", &[("business_id", "@business"), ("words", "Called")]),
    ("/businesses/delete_note", &[("note", "@note")]),
    ("/settings/change-role", &[("member", "@member"), ("role", "support")]),
    ("/settings/remove-member", &[("member", "@member")]),
    ("/settings/let-back-in", &[("member", "@member")]),
    ("/settings/end-session", &[("member", "@member"), ("session", "@session")]),
    ("/settings/end-session", &[("session", "@session")]),
    ("/settings/end-sessions", &[("member", "@member")]),
    ("/views/change", &[("view", "@view"), ("name", "Mine")]),
    ("/views/delete", &[("view", "@view")]),
];

/// Doors that take no id of a partner's, or only ids in lists, of which those that aren't the partner's are passed over.
pub const OTHER_DOORS: &[&str] = &[
    "/businesses/assign_selected",
    "/businesses/assign_ticked",
    "/businesses/clear_selection",
    "/businesses/select",
    "/businesses/select_matching",
    "/businesses/sync",
    "/onboarding/draft",
    "/settings/remove-system-user-token",
    "/settings/save",
    "/settings/store-system-user-token",
    "/views/save",
];

/// One of everything that Northlane has, by kind.
async fn everything(app: &TestApp, manager: &Browser) -> BTreeMap<&'static str, String> {
    let business = app.eligible_business().await;
    app.simulator.plan(Operation::Onboard, Fault::PermissionDenied, 1);
    onboard(manager, &business).await;
    manager.send("/businesses/add_note", &[("business_id", &business), ("words", "Call them")]).await.unwrap();
    manager
        .send("/views/save", &[("back", "/requests?q=is:failed"), ("name", "Failures"), ("shared", "on")])
        .await
        .unwrap();
    let mut tx = app.tenant(NORTHLANE).await;
    sqlx::query(
        "INSERT INTO batches (partner_id, member_id, source, name, drafted_at, checked_at, started_at, size)
         SELECT partner_id, member_id, 'selection', 'Wave', joined_at, joined_at, started_at, 0
         FROM members, LATERAL (VALUES (joined_at), (NULL::timestamptz)) AS two (started_at) WHERE role = 'account_manager'",
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    sqlx::query(
        "INSERT INTO webhook_changes (partner_id, hash, sent_at, received_at, event, body) VALUES ($1, sha256('x'), now(), now(), 'X', '{}')",
    )
    .bind(NORTHLANE)
    .execute(app.db.pool())
    .await
    .unwrap();
    let mut ids = BTreeMap::from([("business", business.clone())]);
    for (kind, found) in [
        ("waba", "SELECT min(waba_id::text) FROM wabas"),
        ("request", "SELECT 'LB-' || max(number) FROM requests"),
        ("batch", "SELECT max(batch_number)::text FROM batches WHERE started_at IS NOT NULL AND source = 'selection'"),
        ("draft", "SELECT max(batch_number)::text FROM batches WHERE started_at IS NULL"),
        ("call", "SELECT max(call_id)::text FROM graph_calls"),
        ("cause", "SELECT max(group_id)::text FROM failure_groups"),
        ("change", "SELECT max(change_id)::text FROM webhook_changes"),
        ("member", "SELECT max(member_id)::text FROM members WHERE role = 'account_manager'"),
        ("note", "SELECT max(note_id)::text FROM business_notes"),
        ("view", "SELECT max(view_id)::text FROM saved_views"),
    ] {
        let look = async || {
            let mut tx = app.tenant(NORTHLANE).await;
            sqlx::query_scalar::<_, Option<String>>(found).fetch_one(&mut *tx).await.unwrap()
        };
        // Calls are recorded, and failures counted, a moment later.
        app.until(kind, async || look().await.is_some()).await;
        ids.insert(kind, look().await.unwrap());
    }
    let session = "SELECT max(session_number)::text FROM sessions WHERE data -> 'signed_in' ->> 'current' = $1";
    let session: String = sqlx::query_scalar(session).bind(NORTHLANE).fetch_one(app.db.pool()).await.unwrap();
    ids.insert("session", session);
    ids
}

/// An id of that kind that nobody has.
fn nobodys(kind: &str) -> &'static str {
    if kind == "request" { "LB-999999999" } else { "999999999" }
}

/// What a program is told by a door.
async fn told(app: &TestApp, browser: &Browser, door: &str, form: &[(&str, &str)]) -> (u16, String) {
    let cookies: Vec<String> = browser.cookies().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let answer = reqwest::Client::new()
        .post(format!("{}{door}", app.url))
        .header("cookie", cookies.join("; "))
        .header("accept", "application/json")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish())
        .send()
        .await
        .unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// Everything that is kept of Northlane but what time alone changes.
async fn kept(app: &TestApp) -> Vec<String> {
    let mut tx = app.tenant(NORTHLANE).await;
    let all = "SELECT to_jsonb(m)::text FROM members m UNION ALL SELECT to_jsonb(b)::text FROM batches b
        UNION ALL SELECT to_jsonb(r)::text FROM requests r UNION ALL SELECT to_jsonb(n)::text FROM business_notes n
        UNION ALL SELECT to_jsonb(v)::text FROM saved_views v UNION ALL SELECT (to_jsonb(b) - 'checked_at')::text FROM businesses b ORDER BY 1";
    sqlx::query_scalar(all).fetch_all(&mut *tx).await.unwrap()
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn what_is_anothers_is_told_as_what_never_was(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (manager, rival) = (app.signed_in(MANAGER).await, app.signed_in(RIVAL).await);
    let ids = everything(&app, &manager).await;
    let before = kept(&app).await;
    for (route, kind) in PAGES {
        let (start, rest) = route.split_once('{').unwrap();
        let end = rest.split_once('}').unwrap().1;
        let ask = async |browser: &Browser, id: &str| {
            let answer = browser.ask(Method::GET, &format!("{start}{id}{end}"), None).await.unwrap();
            let main = answer.body.split("<main").nth(1).unwrap_or(&answer.body).split("</main>").next().unwrap();
            (answer.status.as_u16(), main.to_owned())
        };
        // A stream of one's own has no end to wait for.
        if !route.ends_with("/events") {
            assert_ne!(ask(&manager, &ids[kind]).await.0, 404, "{route} of {kind} {}", ids[kind]);
        }
        let (theirs, unknown) = (ask(&rival, &ids[kind]).await, ask(&rival, nobodys(kind)).await);
        assert_eq!(theirs.0, 404, "{route} of {kind} {}: {}", ids[kind], theirs.1);
        assert_eq!(theirs, unknown, "{route} of {kind}");
    }
    for (door, form) in DOORS {
        let filled = |unknown: bool| {
            let fill = |value: &'static str| match value.strip_prefix('@') {
                Some(kind) if unknown => nobodys(kind),
                Some(kind) => ids[kind].as_str(),
                None => value,
            };
            form.iter().map(|(name, value)| (*name, fill(value))).collect::<Vec<_>>()
        };
        let theirs = told(&app, &rival, door, &filled(false)).await;
        assert_eq!(theirs.0, 404, "{door}: {}", theirs.1);
        assert_eq!(theirs, told(&app, &rival, door, &filled(true)).await, "{door}");
    }
    assert_eq!(kept(&app).await, before, "nothing was changed");
    assert!(manager.open("/settings").await.unwrap().url.ends_with("/settings"), "nobody was signed out");
}
