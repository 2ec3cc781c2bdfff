//! The consent page of `/{version}/dialog/oauth` and what follows a choice on it (facts 6.1, 6.3).
//!
//! A plain form, so that it works without JavaScript and under a strict CSP. Each person's button reads
//! `Continue as {name}, {role} at {partner}`; the other one reads `Cancel`.

use std::collections::BTreeSet;

use http::StatusCode;
use url::Url;

use super::{
    access::SCOPES,
    call::Call,
    html::{Page, escape},
    options::{LOGIN_CONFIG_ID, SYSTEM_LOGIN_CONFIG_ID},
    shared::Shared,
    tokens::Code,
    world::{Person, World},
};

/// What the dialog answers with.
#[derive(Debug)]
pub(super) enum Dialog {
    Page(StatusCode, String),
    Redirect(String),
}

struct Wish {
    redirect: Url,
    redirect_uri: String,
    state: Option<String>,
    scopes: BTreeSet<String>,
    challenge: Option<(String, bool)>,
    system: bool,
}

impl Shared {
    pub(super) fn dialog(&self, call: &Call) -> Dialog {
        let wish = match self.wish(call) {
            Ok(wish) => wish,
            Err(text) => return Dialog::Page(StatusCode::BAD_REQUEST, error_page(&text)),
        };
        if call.is_post() {
            if call.params.get("cancel").is_some() {
                return Dialog::Redirect(denied(wish));
            }
            let person = call.params.get("person").and_then(|id| self.world().person_at(id));
            if let Some(person) = person {
                return Dialog::Redirect(self.granted(wish, person));
            }
        }
        Dialog::Page(StatusCode::OK, self.consent_page(call, &wish))
    }

    /// The checks Facebook makes before it shows anything; the text is what it tells the developer.
    fn wish(&self, call: &Call) -> Result<Wish, String> {
        let get = |name: &str| call.params.get(name);
        let client = get("client_id").ok_or("The parameter client_id is required")?;
        if client != self.options.app_id {
            return Err("Invalid App ID: The provided app ID does not look like a valid app ID.".to_owned());
        }
        let redirect_uri = get("redirect_uri").ok_or("The parameter redirect_uri is required")?;
        let redirect = Url::parse(redirect_uri)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.fragment().is_none())
            .ok_or("Invalid redirect_uri: Given URL is not allowed by the application configuration.")?;
        let allowed = &self.options.redirect_uris;
        if !allowed.is_empty() && !allowed.iter().any(|uri| uri == redirect_uri) {
            return Err("URL blocked: This redirect failed because the redirect URI is not in the app's list of Valid OAuth Redirect URIs. Make sure Client and Web OAuth Login are on and add all your app domains as Valid OAuth Redirect URIs.".to_owned());
        }
        match get("response_type") {
            None | Some("code") => {}
            Some(other) => return Err(format!("Unsupported response_type: {other}")),
        }
        let system = match get("config_id") {
            None | Some(LOGIN_CONFIG_ID) => false,
            Some(SYSTEM_LOGIN_CONFIG_ID) => true,
            Some(other) => {
                return Err(format!(
                    "Invalid config_id: {other}. The configuration does not exist or does not belong to this app."
                ));
            }
        };
        let scope = get("scope").unwrap_or_default();
        let scopes: BTreeSet<String> = if get("config_id").is_some() {
            SCOPES.iter().filter(|scope| **scope != "email").map(|scope| (*scope).to_owned()).collect()
        } else {
            scope
                .split([',', ' '])
                .filter(|scope| !scope.is_empty())
                .chain(["public_profile"])
                .map(str::to_owned)
                .collect()
        };
        let unknown: Vec<&str> = scopes.iter().map(String::as_str).filter(|scope| !SCOPES.contains(scope)).collect();
        if !unknown.is_empty() {
            return Err(format!(
                "Invalid Scopes: {}. This message is only shown to developers. Users of your app will ignore these permissions if present. Please read the documentation for valid permissions at: https://developers.facebook.com/docs/facebook-login/permissions",
                unknown.join(", ")
            ));
        }
        let challenge = match (get("code_challenge"), get("code_challenge_method")) {
            (None, _) => None,
            (Some(challenge), Some("S256")) => Some((challenge.to_owned(), true)),
            (Some(challenge), None | Some("plain")) => Some((challenge.to_owned(), false)),
            (Some(_), Some(other)) => return Err(format!("Invalid code_challenge_method: {other}")),
        };
        Ok(Wish {
            redirect,
            redirect_uri: redirect_uri.to_owned(),
            state: get("state").map(str::to_owned),
            scopes,
            challenge,
            system,
        })
    }

    fn granted(&self, wish: Wish, person: usize) -> String {
        let code = Code {
            person,
            redirect_uri: wish.redirect_uri,
            scopes: wish.scopes,
            challenge: wish.challenge,
            system: wish.system,
            at: self.clock.now(),
            used: false,
        };
        let code = self.tokens().give_code(&self.opaque, code);
        redirect(wish.redirect, &[("code", &code)], wish.state.as_deref())
    }

    fn consent_page(&self, call: &Call, wish: &Wish) -> String {
        let hidden = call.params.iter().filter(|(name, _)| !matches!(*name, "person" | "cancel")).fold(
            String::new(),
            |html, (name, value)| {
                html + &format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">", escape(name), escape(value))
            },
        );
        let scopes = wish
            .scopes
            .iter()
            .fold(String::new(), |html, scope| html + &format!("<li><code>{}</code></li>", escape(scope)));
        let world = self.world();
        let buttons = world.people.iter().fold(String::new(), |html, person| {
            html + &format!(
                "<li><button name=\"person\" value=\"{}\">{}</button></li>",
                person.id,
                escape(&button(&world, person))
            )
        });
        drop(world);
        let body = format!(
            "<h1>Log in with Facebook</h1><p>This is the simulator's page, not Facebook. Liteboard asks for:</p><ul>{scopes}</ul>\
             <form method=\"post\"><h2>Who are you?</h2>{hidden}<ul class=\"people\">{buttons}</ul>\
             <p><button class=\"quiet\" name=\"cancel\" value=\"1\">Cancel</button></p></form>"
        );
        Page { title: "Log in with Facebook (simulated)", body: &body }.to_html()
    }
}

/// The text of a person's button.
pub(super) fn button(world: &World, person: &Person) -> String {
    let partners: Vec<&str> = person.partners.iter().map(|partner| world.partners[*partner].name.as_str()).collect();
    let partners = if partners.is_empty() { "no partner".to_owned() } else { partners.join(" and ") };
    format!("Continue as {}, {} at {partners}", person.name, person.role)
}

fn denied(wish: Wish) -> String {
    let parts = [
        ("error", "access_denied"),
        ("error_code", "200"),
        ("error_description", "Permissions error"),
        ("error_reason", "user_denied"),
    ];
    redirect(wish.redirect, &parts, wish.state.as_deref())
}

fn redirect(mut url: Url, parts: &[(&str, &str)], state: Option<&str>) -> String {
    url.query_pairs_mut().extend_pairs(parts).extend_pairs(state.map(|state| ("state", state)));
    url.set_fragment(Some("_=_"));
    url.into()
}

fn error_page(text: &str) -> String {
    let body = format!("<h1>Sorry, something went wrong</h1><p role=\"alert\">{}</p>", escape(text));
    Page { title: "Error", body: &body }.to_html()
}
