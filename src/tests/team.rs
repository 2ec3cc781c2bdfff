//! Stories of the team: roles, leaving and coming back, sessions that are ended, settings, and the log of it all.

use std::time::Duration;

use liteboard::{
    graph_simulator::{Fault, Operation},
    sign_in::{PartnerSettings, partner_settings},
};
use reqwest::Method;
use sqlx::PgPool;

use super::{
    app::{ADMIN, HARBOUR_REACH, MANAGER, NORTHLANE, RIVAL, SUPPORT, TestApp, onboard},
    browser::{Answer, Browser},
};

/// Our id of one of Northlane's people.
async fn member(app: &TestApp, person: &str) -> String {
    let mut tx = app.tenant(NORTHLANE).await;
    let id = sqlx::query_scalar!("SELECT member_id FROM members WHERE facebook_user_id = $1::text", person);
    id.fetch_one(&mut *tx).await.unwrap().to_string()
}

async fn role_of(app: &TestApp, person: &str) -> String {
    let mut tx = app.tenant(NORTHLANE).await;
    let role = sqlx::query_scalar!("SELECT role FROM members WHERE facebook_user_id = $1::text", person);
    role.fetch_one(&mut *tx).await.unwrap()
}

async fn send(browser: &Browser, door: &str, form: &[(&str, &str)]) -> Answer {
    browser.send(&format!("/settings/{door}"), form).await.unwrap()
}

/// What a partner's log holds, oldest first: act, who, detail, address.
async fn log(app: &TestApp, partner: &str) -> Vec<(String, String, String, Option<String>)> {
    let mut tx = app.tenant(partner).await;
    let rows = sqlx::query!(
        r#"SELECT act, coalesce(m.name, other) AS "who!", detail, host(address) AS address
           FROM audit_log LEFT JOIN members m USING (member_id) ORDER BY entry_id"#
    );
    let rows = rows.fetch_all(&mut *tx).await.unwrap();
    rows.into_iter().map(|row| (row.act, row.who, row.detail, row.address)).collect()
}

/// The details of all rows of one act.
async fn details(app: &TestApp, act: &str) -> Vec<String> {
    log(app, NORTHLANE).await.into_iter().filter(|row| row.0 == act).map(|row| row.2).collect()
}

/// The numbers of the sessions that a page lets one end.
fn sessions_on(page: &Answer) -> Vec<String> {
    let fields = page.body.split("name=\"session\" value=\"").skip(1);
    fields.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

async fn is_in(browser: &Browser) -> bool {
    browser.open("/settings").await.unwrap().url.ends_with("/settings")
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_role_given_by_an_admin_holds_from_the_next_click_on(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (admin, manager) = (app.signed_in(ADMIN).await, app.signed_in(MANAGER).await);
    let business = app.eligible_business().await;
    let id = member(&app, MANAGER).await;
    let changed = send(&admin, "change-role", &[("member", &id), ("role", "support")]).await;
    assert!(changed.url.ends_with("/settings?notice=role") && changed.body.contains("Role changed"), "{}", changed.url);
    let refused = onboard(&manager, &business).await;
    assert!(refused.body.contains("Your role does not allow this"), "{}", refused.url);
    assert_eq!(app.agreements(&business), 0);
    send(&admin, "change-role", &[("member", &id), ("role", "support")]).await;
    assert_eq!(details(&app, "role_changed").await[3..], ["Tomás Lindqvist: Account manager to Support"]);
    let nonsense = send(&admin, "change-role", &[("member", &id), ("role", "owner")]).await;
    assert!(nonsense.url.contains("problem=invalid"), "{}", nonsense.url);
    assert_eq!(role_of(&app, MANAGER).await, "support");
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn the_last_admin_stays_one(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let admin = app.signed_in(ADMIN).await;
    let id = member(&app, ADMIN).await;
    let page = admin.open("/settings").await.unwrap();
    assert!(page.body.contains("(the only one)"), "{}", page.body);
    for (door, form) in
        [("change-role", &[("member", id.as_str()), ("role", "support")][..]), ("remove-member", &[("member", &id)])]
    {
        let refused = send(&admin, door, form).await;
        assert!(refused.url.contains("problem=last_admin"), "{door}: {}", refused.url);
        assert!(refused.body.contains("This is the last admin"), "{door}: {}", refused.body);
    }
    assert_eq!(role_of(&app, ADMIN).await, "admin");
    app.signed_in(MANAGER).await;
    let other = member(&app, MANAGER).await;
    send(&admin, "change-role", &[("member", &other), ("role", "admin")]).await;
    send(&admin, "change-role", &[("member", &id), ("role", "support")]).await;
    assert_eq!((role_of(&app, ADMIN).await, role_of(&app, MANAGER).await), ("support".into(), "admin".into()));
    let page = admin.open("/settings").await.unwrap();
    assert!(!page.body.contains("/settings/change-role"), "who is no admin any more finds no form");
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn who_is_removed_is_out_at_once_and_what_they_started_goes_on(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (admin, manager) = (app.signed_in(ADMIN).await, app.signed_in(MANAGER).await);
    let business = app.eligible_business().await;
    app.simulator.plan(Operation::Onboard, Fault::ServerError, 1);
    onboard(&manager, &business).await;
    app.until_request_is(&business, "waiting_to_retry").await;
    let id = member(&app, MANAGER).await;
    let removed = send(&admin, "remove-member", &[("member", &id)]).await;
    assert!(removed.body.contains("Member removed") && removed.body.contains("Removed "), "{}", removed.body);
    let told = manager.open("/businesses").await.unwrap();
    assert!(told.url.contains("problem=removed"), "{}", told.url);
    assert!(told.body.contains("An admin of your partner business has removed you from Liteboard."), "{}", told.body);
    app.advance(Duration::from_mins(1)).await;
    app.until_request_is(&business, "requested").await;
    assert_eq!(app.agreements(&business), 1);
    let landed = manager.sign_in(MANAGER).await.unwrap();
    assert!(landed.url.contains("problem=removed"), "{}", landed.url);
    let refused: Vec<_> = log(&app, NORTHLANE).await.into_iter().filter(|row| row.0 == "sign_in_refused").collect();
    let expected = ("sign_in_refused", "Tomás Lindqvist", "An admin had removed them", Some("127.0.0.1"));
    assert_eq!(refused.len(), 1);
    let (act, who, detail, address) = &refused[0];
    assert_eq!((act.as_str(), who.as_str(), detail.as_str(), address.as_deref()), expected);

    let back = send(&admin, "let-back-in", &[("member", &id)]).await;
    assert!(back.body.contains("Member let back in"), "{}", back.body);
    assert!(!is_in(&manager).await, "no session of before comes back to life");
    assert!(manager.sign_in(MANAGER).await.unwrap().url.ends_with("/businesses"));
    assert_eq!(role_of(&app, MANAGER).await, "support");
    assert_eq!(details(&app, "member_removed").await, ["Tomás Lindqvist, Account manager"]);
    assert_eq!(details(&app, "member_readmitted").await, ["Tomás Lindqvist"]);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_session_that_was_ended_is_out_at_once(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (here, there) = (app.signed_in(MANAGER).await, app.signed_in(MANAGER).await);
    let page = here.open("/settings").await.unwrap();
    assert!(page.body.contains("This session") && page.body.contains("127.0.0.1"), "{}", page.body);
    let [number] = &sessions_on(&page)[..] else { panic!("one other session can be ended: {}", page.body) };
    let ended = send(&here, "end-session", &[("session", number)]).await;
    assert!(ended.body.contains("Session ended"), "{}", ended.url);
    let told = there.open("/settings").await.unwrap();
    assert!(told.url.contains("problem=session_ended_by_self"), "{}", told.url);
    assert!(told.body.contains("It was ended from another browser you are signed in with."), "{}", told.body);
    assert!(is_in(&here).await);
    let again = send(&here, "end-session", &[("session", number)]).await;
    assert!(again.url.contains("problem=not_found"), "{}", again.url);

    let others = [app.signed_in(MANAGER).await, app.signed_in(MANAGER).await];
    let ended = send(&here, "end-sessions", &[]).await;
    assert!(ended.body.contains("Sessions ended") && !ended.body.contains("End all others"), "{}", ended.body);
    assert!(is_in(&here).await);
    for other in &others {
        assert!(!is_in(other).await);
    }
    let told = details(&app, "session_ended").await;
    assert_eq!(told, ["Own: an unknown browser", "Own: 2 sessions"]);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn an_admin_ends_a_colleagues_sessions_and_nobody_else_does(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (admin, manager, support) =
        (app.signed_in(ADMIN).await, app.signed_in(MANAGER).await, app.signed_in(SUPPORT).await);
    let id = member(&app, MANAGER).await;
    let page = admin.open(&format!("/settings/members/{id}")).await.unwrap();
    assert!(page.body.contains("Tomás Lindqvist") && page.body.contains("All their sessions end"), "{}", page.body);
    let [number] = &sessions_on(&page)[..] else { panic!("one session: {}", page.body) };
    for form in [&[("session", number.as_str())][..], &[("session", number), ("member", &id)]] {
        send(&support, "end-session", form).await;
    }
    send(&support, "end-sessions", &[("member", &id)]).await;
    assert!(is_in(&manager).await, "support ends nobody's but their own");
    let wrong = member(&app, SUPPORT).await;
    send(&admin, "end-session", &[("session", number), ("member", &wrong)]).await;
    assert!(is_in(&manager).await, "the session isn't that member's");
    let ended = send(&admin, "end-session", &[("session", number), ("member", &id)]).await;
    assert!(ended.url.contains(&format!("/settings/members/{id}?notice=session_ended")), "{}", ended.url);
    let told = manager.open("/requests").await.unwrap();
    assert!(told.url.contains("problem=session_ended_by_admin") && told.url.contains("%2Frequests"), "{}", told.url);
    assert!(told.body.contains("An admin of your partner business ended it."), "{}", told.body);
    assert!(is_in(&support).await);
    assert_eq!(details(&app, "session_ended").await, ["Of Tomás Lindqvist: an unknown browser"]);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn what_cant_be_written_down_is_not_done(pool: PgPool) {
    let app = TestApp::start(pool.clone()).await;
    let (admin, manager) = (app.signed_in(ADMIN).await, app.signed_in(MANAGER).await);
    let id = member(&app, MANAGER).await;
    let page = admin.open(&format!("/settings/members/{id}")).await.unwrap();
    let [number] = &sessions_on(&page)[..] else { panic!("one session: {}", page.body) };
    sqlx::raw_sql("REVOKE INSERT ON audit_log FROM liteboard_tenant").execute(&pool).await.unwrap();
    for (door, form) in [
        ("end-session", &[("session", number.as_str()), ("member", &id)][..]),
        ("end-sessions", &[("member", &id)]),
        ("remove-member", &[("member", &id)]),
        ("change-role", &[("member", &id), ("role", "support")]),
    ] {
        let refused = send(&admin, door, form).await;
        assert!(refused.url.contains("problem=unexpected"), "{door}: {}", refused.url);
        assert!(is_in(&manager).await, "{door}");
    }
    assert_eq!(role_of(&app, MANAGER).await, "account_manager");
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn an_account_manager_and_support_manage_nothing(pool: PgPool) {
    let app = TestApp::start(pool).await;
    app.signed_in(ADMIN).await;
    let id = member(&app, SUPPORT).await;
    for person in [MANAGER, SUPPORT] {
        let browser = app.signed_in(person).await;
        let page = browser.open("/settings").await.unwrap();
        for theirs in ["Your sessions", "Connection to Meta", "Appearance and keys"] {
            assert!(page.body.contains(theirs), "{theirs}: {}", page.body);
        }
        for admins in ["/settings/change-role", "/settings/save", "Audit log", "Ana Moreira", "/settings/members/"] {
            assert!(!page.body.contains(admins), "{admins}: {}", page.body);
        }
        for path in [format!("/settings/members/{id}"), "/settings/audit".into(), "/settings/audit.csv".into()] {
            let answer = browser.ask(Method::GET, &path, None).await.unwrap();
            assert_eq!(answer.status.as_u16(), 403, "{path}: {}", answer.body);
        }
        let before = log(&app, NORTHLANE).await;
        for (door, form) in [
            ("change-role", &[("member", id.as_str()), ("role", "admin")][..]),
            ("remove-member", &[("member", &id)]),
            ("let-back-in", &[("member", &id)]),
            ("save", &[("kind", "tech_provider"), ("stalled_days", "3"), ("raw_body_days", "3")]),
        ] {
            let refused = send(&browser, door, form).await;
            assert!(refused.url.contains("problem=forbidden"), "{door}: {}", refused.url);
            assert!(refused.body.contains("Your role does not allow this"), "{door}");
        }
        assert_eq!(log(&app, NORTHLANE).await, before);
    }
    assert_eq!(role_of(&app, SUPPORT).await, "support");
    let mut tx = app.tenant(NORTHLANE).await;
    assert_eq!(partner_settings(&mut tx).await.unwrap(), PartnerSettings::default());
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn another_partners_people_and_sessions_are_not_there(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (admin, manager) = (app.signed_in(ADMIN).await, app.signed_in(MANAGER).await);
    let rival = app.signed_in(RIVAL).await;
    let id = member(&app, MANAGER).await;
    let [session] = &sessions_on(&admin.open(&format!("/settings/members/{id}")).await.unwrap())[..] else {
        panic!("one session")
    };
    for path in [format!("/settings/members/{id}"), "/settings/members/0".into(), "/settings/members/x".into()] {
        let answer = rival.ask(Method::GET, &path, None).await.unwrap();
        assert_eq!(answer.status.as_u16(), 404, "{path}");
        assert!(!answer.body.contains("Lindqvist"), "{path}");
    }
    let (theirs, none) = (id.as_str(), "987654321");
    for (door, rest) in [
        ("change-role", &[("role", "admin")][..]),
        ("remove-member", &[]),
        ("let-back-in", &[]),
        ("end-session", &[("session", session.as_str())]),
        ("end-sessions", &[]),
    ] {
        let mut told = Vec::new();
        for member in [theirs, none] {
            let form: Vec<_> = [("member", member)].into_iter().chain(rest.iter().copied()).collect();
            let refused = send(&rival, door, &form).await;
            assert!(refused.url.contains("problem=not_found"), "{door}: {}", refused.url);
            told.push(refused.url);
            let program = reqwest::Client::new()
                .post(format!("{}/settings/{door}", app.url))
                .header("cookie", cookies(&rival))
                .header("accept", "application/json")
                .header("content-type", "application/x-www-form-urlencoded")
                .body(url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&form).finish())
                .send()
                .await
                .unwrap();
            assert_eq!(program.status().as_u16(), 404, "{door}");
        }
        assert_eq!(told[0], told[1], "{door}: another's is answered as none");
    }
    let own = send(&rival, "end-session", &[("session", session)]).await;
    assert!(own.url.contains("problem=not_found"), "{}", own.url);
    assert!(is_in(&manager).await);
    assert_eq!(role_of(&app, MANAGER).await, "account_manager");
    for path in ["/settings/audit", "/settings/audit.csv", &format!("/settings/audit?member={id}")] {
        let seen = rival.open(path).await.unwrap();
        assert!(seen.status.is_success(), "{path}");
        assert!(!seen.body.contains("Lindqvist") && !seen.body.contains("Moreira"), "{path}: {}", seen.body);
    }
}

fn cookies(browser: &Browser) -> String {
    browser.cookies().into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn the_log_names_who_came_and_went_and_from_where(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (admin, manager) = (app.signed_in(ADMIN).await, app.signed_in(MANAGER).await);
    manager.ask(Method::POST, "/sign-out", Some(&[])).await.unwrap();
    let rows = log(&app, NORTHLANE).await;
    let came: Vec<_> = rows.iter().map(|row| (row.0.as_str(), row.1.as_str(), row.3.as_deref())).collect();
    let from = Some("127.0.0.1");
    assert_eq!(
        came[3..],
        [
            ("signed_in", "Ana Moreira", from),
            ("signed_in", "Tomás Lindqvist", from),
            ("signed_out", "Tomás Lindqvist", from)
        ]
    );
    assert!(came[..3].iter().all(|row| *row == ("role_changed", "The operator", None)), "{came:?}");
    let page = admin.open("/settings/audit").await.unwrap();
    for words in
        ["Signed out", "Tomás Lindqvist", "127.0.0.1", "Command line", "Rahul Mehta (122000000000002): Account manager"]
    {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    let id = member(&app, MANAGER).await;
    let only = admin.open(&format!("/settings/audit?member={id}&act=signed_out")).await.unwrap();
    let rows = only.body.split("<tbody").nth(1).unwrap();
    assert!(rows.contains("Signed out") && !rows.contains("Signed in") && !rows.contains("Ana Moreira"), "{rows}");
    let none = admin.open("/settings/audit?act=exported").await.unwrap();
    assert!(none.body.contains("Nothing here"), "{}", none.body);
    let file = admin.open(&format!("/settings/audit.csv?member={id}")).await.unwrap();
    assert_eq!(file.body.lines().count(), 3, "{}", file.body);
    assert!(file.body.contains(",Tomás Lindqvist,signed_out,,127.0.0.1,"), "{}", file.body);
    assert_eq!(details(&app, "exported").await, ["Audit log (CSV)"]);
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn who_joins_is_in_the_log_with_the_role_they_got(pool: PgPool) {
    let app = TestApp::start(pool).await;
    app.simulator.add_person_to(MANAGER, HARBOUR_REACH).unwrap();
    for person in [RIVAL, MANAGER, RIVAL] {
        app.browser().sign_in(person).await.unwrap();
    }
    let rows = log(&app, HARBOUR_REACH).await;
    let came: Vec<_> = rows.iter().map(|row| (row.1.as_str(), row.2.as_str())).collect();
    let expected = [("Viktor Hale", "Joined as Admin"), ("Tomás Lindqvist", "Joined as Support"), ("Viktor Hale", "")];
    assert_eq!(came, expected);
    let rows = log(&app, NORTHLANE).await;
    assert_eq!(rows.last().unwrap().0, "signed_in", "one who belongs to two partners comes to both");
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_batch_is_in_the_log_from_its_start_to_its_end(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let manager = app.signed_in(MANAGER).await;
    let [one, two]: [String; 2] = app.businesses("eligible").await[..2].to_vec().try_into().unwrap();
    app.simulator.plan(Operation::Onboard, Fault::ServerError, 20);
    let list = format!("business_id\n{one}\n{two}\n");
    let rows = manager.upload("/import", ("wave.csv", list.as_bytes()), "").await.unwrap();
    let number = rows.url.split("/drafts/").nth(1).unwrap().split('/').next().unwrap().to_owned();
    let form = [("number", number.as_str()), ("name", "Wave"), ("solution_id", ""), ("shown", "2"), ("confirm", "")];
    let started = manager.send("/onboarding/start", &form).await.unwrap();
    assert!(started.url.contains("/batches/"), "{} {}", started.url, started.body);
    for door in ["pause", "pause", "resume", "resume", "cancel-rest"] {
        manager.send(&format!("/onboarding/{door}"), &[("batch", &number)]).await.unwrap();
    }
    manager.open(&format!("/batches/{number}/results.csv")).await.unwrap();
    manager.open(&format!("/drafts/{number}/problems.csv")).await.unwrap();
    let rows = log(&app, NORTHLANE).await;
    let rows: Vec<_> = rows.iter().skip(4).map(|row| (row.0.as_str(), row.2.as_str())).collect();
    let (named, file) = (format!("Batch {number} (Wave)"), format!("Results of Batch {number} (Wave) (CSV)"));
    let (begun, problems) = (format!("Batch {number}, 2 requests"), format!("Problem rows of draft {number} (CSV)"));
    assert_eq!(rows[..3], [("batch_started", begun.as_str()), ("batch_paused", &named), ("batch_resumed", &named)]);
    assert_eq!(rows[3].0, "batch_cancelled");
    assert!(rows[3].1.starts_with(&named) && rows[3].1.ends_with("not sent"), "{}", rows[3].1);
    assert_eq!(rows[4..], [("exported", file.as_str()), ("exported", &problems)]);
    app.simulator.clear_faults();
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn settings_are_kept_for_this_partner_and_what_changed_is_logged(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let admin = app.signed_in(ADMIN).await;
    let save = async |kind: &str, stalled: &str, raw: &str, probe: &[(&str, &str)]| {
        let form = [&[("kind", kind), ("stalled_days", stalled), ("raw_body_days", raw)], probe].concat();
        send(&admin, "save", &form).await
    };
    let saved = save("tech_provider", "14", "400", &[("probe", "on")]).await;
    assert!(saved.url.ends_with("?notice=saved") && saved.body.contains("tech provider"), "{}", saved.url);
    assert!(saved.body.contains("value=\"14\""), "{}", saved.body);
    save("tech_provider", "14", "400", &[("probe", "on")]).await;
    for (stalled, raw, told) in
        [("0", "400", "from 1 to 90"), ("14", "five", "from 1 to 3650"), ("", "", "from 1 to 90")]
    {
        let refused = save("tech_provider", stalled, raw, &[]).await;
        assert!(refused.url.contains("problem=") && refused.body.contains(told), "{stalled} {raw}: {}", refused.url);
        assert!(refused.body.contains("aria-invalid=\"true\""), "{stalled} {raw}");
    }
    let changes = "Kind of partner: Solution partner (BSP) to Tech provider (TP); Days until stalled: 7 to 14; Asking by request ID: off to on";
    assert_eq!(details(&app, "setting_changed").await, [changes]);
    let mut tx = app.tenant(HARBOUR_REACH).await;
    assert_eq!(partner_settings(&mut tx).await.unwrap(), PartnerSettings::default());
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_token_stored_and_removed_is_in_the_log_without_the_token(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let admin = app.signed_in(ADMIN).await;
    let token = app.simulator.system_token_for(NORTHLANE).unwrap();
    send(&admin, "store-system-user-token", &[("token", &token)]).await;
    send(&admin, "remove-system-user-token", &[]).await;
    send(&admin, "remove-system-user-token", &[]).await;
    let rows = log(&app, NORTHLANE).await;
    let acts: Vec<_> = rows.iter().skip(4).map(|row| row.0.as_str()).collect();
    assert_eq!(acts, ["token_stored", "token_removed"]);
    assert!(rows.iter().all(|row| !row.2.contains("EAA")), "{rows:?}");
}
