//! The section 'Connection to Meta': whose token requests are sent with, how it stands, and for admins the forms that change it.

use leptos::prelude::*;
use time::OffsetDateTime;

use crate::{
    graph::{SCOPES, Settings, Version},
    sign_in::{Connection, NEEDED, OwnToken, Role, SystemUserToken, Viewer},
    ui::{Field, Glyph, Hue, Icon, Identifier, Name, Section, TimeStyle, Timestamp},
};

/// The section.
pub(super) fn connection_section(
    connection: &Connection,
    viewer: &Viewer,
    settings: &Settings,
    now: OffsetDateTime,
) -> AnyView {
    let Connection { system_user, own } = connection;
    let scopes = match (system_user, own) {
        (Some(SystemUserToken { scopes, .. }), _) | (None, Some(OwnToken { scopes, .. })) => Some(scopes.clone()),
        (None, None) => None,
    };
    let forms = (viewer.role == Role::Admin).then(|| forms(system_user.is_some()));
    // Children outlive what they are made from.
    let (sender, permissions) = (sender(system_user.as_ref()), permissions(scopes, system_user.is_some()));
    let (system_user, own) = (system_user_state(system_user.as_ref(), now), own_state(own.as_ref(), now));
    let (partner, partner_name) = (viewer.partner.to_string(), viewer.partner_name.clone());
    let (app, others) = (settings.app_id.to_string(), other_versions(settings.version));
    let version = version(settings.version);
    view! {
        <Section id="connection" title="Connection to Meta">
            <div class="panel">
                <dl class="facts conn">
                    <Row term="Requests are sent with">{sender}</Row>
                    <Row term="System-user token">{system_user}</Row>
                    <Row term="Permissions">{permissions}</Row>
                    <Row term="Your own token" act=sign_in_again().into_any()>{own}</Row>
                    <Row term="Partner business">
                        <Name name=partner_name/>" "<Identifier what="partner business ID" value=partner/>
                    </Row>
                    <Row term="App"><Identifier what="app ID" value=app/></Row>
                    <Row term="Graph version">
                        {version}
                        <span class="sub">
                            "Named in every call. Whoever runs Liteboard chooses it with GRAPH_VERSION, among "{others}" as well."
                        </span>
                    </Row>
                </dl>
                {forms}
            </div>
        </Section>
    }
    .into_any()
}

#[component]
fn Row(term: &'static str, #[prop(optional)] act: Option<AnyView>, children: Children) -> AnyView {
    view! { <div><dt>{term}</dt><dd>{children()}</dd>{act.map(|act| view! { <dd class="act">{act}</dd> })}</div> }
        .into_any()
}

/// A word with its shape and colour.
fn mark(glyph: Glyph, hue: Hue, word: impl Into<String>) -> AnyView {
    view! { <span class=format!("state {}", hue.class())><Icon glyph=glyph/>{word.into()}</span> }.into_any()
}

fn sender(system_user: Option<&SystemUserToken>) -> AnyView {
    match system_user {
        Some(token) if token.problem.is_none() => view! {
            "The system user "<Name name=token.name.clone()/>
            <span class="sub">"Who asked for a request is still recorded."</span>
        }
        .into_any(),
        _ => view! {
            "The token of the member who asks"
            <span class="sub">"Meta’s guide asks for the token of a system user, which does not end when a person leaves."</span>
        }
        .into_any(),
    }
}

fn system_user_state(system_user: Option<&SystemUserToken>, now: OffsetDateTime) -> AnyView {
    let Some(token) = system_user else { return mark(Glyph::Unknown, Hue::Grey, "None stored") };
    view! {
        {state(token.problem.as_deref())}
        <span class="sub">
            <Name name=token.name.clone()/>". "{end(token.expires_at, now)}" Stored by "<Name name=token.stored_by.clone()/>", "
            <Timestamp at=token.stored_at now=now style=TimeStyle::Minute/>". System user "
            <Identifier what="system user ID" value=token.id.clone()/>
        </span>
    }
    .into_any()
}

fn own_state(own: Option<&OwnToken>, now: OffsetDateTime) -> AnyView {
    let Some(token) = own else { return mark(Glyph::Unknown, Hue::Grey, "None stored") };
    view! {
        {state(token.problem.as_deref())}
        <span class="sub">
            {end(token.expires_at, now)}" You signed in "<Timestamp at=token.stored_at now=now style=TimeStyle::Minute/>"."
        </span>
    }
    .into_any()
}

fn sign_in_again() -> impl IntoView {
    view! { <a class="btn btn-sm" href="/sign-in/start?return_to=%2Fsettings" rel="nofollow">"Sign in again"</a> }
}

fn state(problem: Option<&str>) -> AnyView {
    match problem {
        None => mark(Glyph::Ready, Hue::Green, "Works"),
        Some(problem) => mark(Glyph::Failed, Hue::Red, format!("No longer works: {}", reason(problem))),
    }
}

/// Why Meta refuses a token; the keys are `graph::TokenProblem`'s.
fn reason(problem: &str) -> &'static str {
    match problem {
        "expired" => "it has expired",
        "password_changed" => "the password was changed",
        "checkpoint" => "Meta wants its owner to open facebook.com first",
        "unconfirmed" => "the account at Facebook is not confirmed",
        "revoked" => "it was revoked",
        "app_removed" => "the app was removed at Facebook",
        _ => "Meta refused it",
    }
}

fn end(expires_at: Option<OffsetDateTime>, now: OffsetDateTime) -> AnyView {
    match expires_at {
        None => "Never expires.".into_any(),
        Some(at) => {
            let word = if at <= now { "Expired " } else { "Expires " };
            view! { {word}<Timestamp at=at now=now style=TimeStyle::Minute/>"." }.into_any()
        }
    }
}

/// Each permission that sign-in asks for, given or not.
fn permissions(scopes: Option<Vec<String>>, of_system_user: bool) -> AnyView {
    let Some(scopes) = scopes else { return "Known once somebody has signed in".into_any() };
    let marks = SCOPES
        .into_iter()
        .map(|scope| match (scopes.iter().any(|given| given == scope), NEEDED.contains(&scope)) {
            (true, _) => mark(Glyph::Ready, Hue::Green, scope),
            (false, true) => mark(Glyph::Failed, Hue::Red, format!("{scope} is missing")),
            (false, false) => mark(Glyph::Failed, Hue::Grey, format!("{scope} is missing, and not needed here")),
        })
        .collect_view();
    let whose = if of_system_user { "Of the system user’s token." } else { "Of your own token." };
    view! { {marks}<span class="sub">{whose}</span> }.into_any()
}

fn version(version: Version) -> String {
    match version.ends() {
        Some(day) => format!("{version} (until {day})"),
        None => format!("{version} (no end date yet)"),
    }
}

/// The versions that could be chosen instead, the newest first.
fn other_versions(current: Version) -> String {
    let others = Version::ALL.into_iter().rev().filter(|other| *other != current);
    let others: Vec<String> = others.map(version).collect();
    others.split_last().map_or_else(String::new, |(last, rest)| format!("{} and {last}", rest.join(", ")))
}

/// What an admin may do: store a token, or replace and remove the one there is.
fn forms(kept: bool) -> AnyView {
    if !kept {
        return view! { <div class="panel-foot">{store_form("Check and store")}</div> }.into_any();
    }
    view! {
        <div class="panel-foot">
            <details class="disclose">
                <summary><Icon glyph=Glyph::Right/>"Replace token"</summary>
                {store_form("Check and replace")}
            </details>
            <details class="disclose">
                <summary><Icon glyph=Glyph::Right/>"Remove token"</summary>
                <form class="token-form" method="post" action="/settings/remove-system-user-token">
                    <p>"Each member’s requests are sent with their own token then. What waits goes on with these."</p>
                    <button class="btn btn-danger" type="submit">"Remove the system-user token"</button>
                </form>
            </details>
        </div>
    }
    .into_any()
}

fn store_form(word: &'static str) -> AnyView {
    view! {
        <form class="token-form" method="post" action="/settings/store-system-user-token" autocomplete="off">
            <Field
                id="system-user-token"
                name="token"
                label="Token of a system user"
                kind="password"
                autocomplete="off"
                hint="We check it with Meta before we keep it, encrypted. It is never shown again."
            />
            <button class="btn btn-primary" type="submit">{word}</button>
        </form>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-24 10:42 UTC);

    fn settings() -> Settings {
        let meta: url::Url = "https://graph.facebook.com".parse().unwrap();
        Settings::new(meta.clone(), meta, Version::V25_0, "680000000000001".parse().unwrap(), "app-secret".into(), None)
    }

    fn viewer(role: Role) -> Viewer {
        Viewer {
            partner: "102000000000001".parse().unwrap(),
            partner_name: "<b>Northlane</b>".into(),
            member_id: 1,
            name: "Ines".into(),
            role,
            other_partners: Vec::new(),
            token_problem: None,
            stalled_after: time::Duration::days(7),
            raw_body_days: 400,
            unsent_on: None,
        }
    }

    fn system_user(problem: Option<&str>, scopes: &[&str]) -> SystemUserToken {
        SystemUserToken {
            id: "900".into(),
            name: "Sender <i>".into(),
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            expires_at: None,
            stored_at: NOW - time::Duration::days(1),
            stored_by: "Jonas Albrecht".into(),
            problem: problem.map(str::to_owned),
        }
    }

    fn own() -> OwnToken {
        let scopes = SCOPES.map(str::to_owned).into();
        OwnToken { scopes, expires_at: Some(NOW + time::Duration::days(60)), stored_at: NOW, problem: None }
    }

    fn html(system_user: Option<SystemUserToken>, role: Role) -> String {
        let connection = Connection { system_user, own: Some(own()) };
        Owner::new()
            .with(|| connection_section(&connection, &viewer(role), &settings(), NOW).to_html())
            .replace("<!>", "")
    }

    #[test]
    fn everyone_sees_how_the_token_stands_and_only_admins_find_a_form() {
        let stored = || Some(system_user(None, &SCOPES));
        for role in Role::ALL {
            let (with, without) = (html(stored(), role), html(None, role));
            assert!(
                with.contains("Works") && with.contains("Jonas Albrecht") && with.contains("Never expires."),
                "{with}"
            );
            assert!(
                without.contains("None stored") && without.contains("The token of the member who asks"),
                "{without}"
            );
            for html in [with, without] {
                assert_eq!(html.contains("<form"), role == Role::Admin, "{role}: {html}");
                assert!(!html.contains("<b>") && !html.contains("<i>") && !html.contains("app-secret"), "{html}");
                assert!(html.contains("v25.0 (until 29 July 2028)") && html.contains("Sign in again"), "{html}");
            }
        }
    }

    #[test]
    fn the_field_is_empty_and_no_browser_fills_it() {
        for html in [html(None, Role::Admin), html(Some(system_user(None, &SCOPES)), Role::Admin)] {
            let field = html.split("<input").find(|part| part.contains("name=\"token\"")).unwrap();
            let field = field.split('>').next().unwrap();
            assert!(field.contains("type=\"password\"") && field.contains("autocomplete=\"off\""), "{field}");
            assert!(field.contains("value=\"\"") || !field.contains("value="), "{field}");
        }
    }

    #[test]
    fn each_permission_has_its_tick_or_cross() {
        let html = html(Some(system_user(None, &["business_management"])), Role::Support);
        assert!(html.contains("business_management</span>"), "{html}");
        assert!(html.contains("whatsapp_business_management is missing</span>"), "{html}");
        assert!(html.contains("whatsapp_business_messaging is missing, and not needed here</span>"), "{html}");
    }

    #[test]
    fn a_dead_token_sends_nothing_and_says_why() {
        for (problem, words) in
            [("revoked", "it was revoked"), ("expired", "it has expired"), ("new", "Meta refused it")]
        {
            let html = html(Some(system_user(Some(problem), &SCOPES)), Role::Admin);
            assert!(html.contains(&format!("No longer works: {words}")), "{html}");
            assert!(html.contains("The token of the member who asks"), "{html}");
        }
    }
}
