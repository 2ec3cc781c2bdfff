//! `/oauth/access_token`, `/debug_token`, `/oauth/revoke` (facts 6.2 to 6.5, 6.9). Parameters come by query, form or JSON.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    access::Viewer,
    call::Call,
    error::GraphError,
    opaque::s256,
    shared::Shared,
    tokens::{CODE_LIFE, Ending, Holder, LONG_LIFE, SHORT_LIFE},
};

impl Shared {
    /// The three exchanges behind `/oauth/access_token`.
    pub(super) fn exchange(&self, call: &Call) -> Result<Value, GraphError> {
        let need = |name: &str| {
            call.params.get(name).ok_or_else(|| GraphError::new(101, format!("Missing {name} parameter.")))
        };
        if need("client_id")? != self.options.app_id {
            return Err(GraphError::new(
                101,
                "Error validating application. Cannot get application info due to a system error.",
            ));
        }
        if call.params.get("client_secret").is_some_and(|secret| secret != self.options.app_secret) {
            return Err(GraphError::new(1, "Error validating client secret."));
        }
        need("client_secret")?;
        match call.params.get("grant_type").unwrap_or("authorization_code") {
            "authorization_code" => self.exchange_code(call),
            "fb_exchange_token" => self.extend(call),
            "client_credentials" => Ok(json!({
                "access_token": format!("{}|{}", self.options.app_id, self.options.app_secret), "token_type": "bearer",
            })),
            other => Err(GraphError::new(1, format!("Unsupported grant_type '{other}'."))),
        }
    }

    fn exchange_code(&self, call: &Call) -> Result<Value, GraphError> {
        let refused = |subcode: u32, text: &str| GraphError::new(100, text).subcode(subcode);
        let redirect_uri =
            call.params.get("redirect_uri").ok_or_else(|| GraphError::new(191, "Missing redirect_uri parameter."))?;
        let text = call.params.get("code").ok_or_else(|| GraphError::new(1, "Missing authorization code"))?;
        let now = self.clock.now();
        let mut tokens = self.tokens();
        let Some(code) = tokens.code(text) else { return Err(refused(36007, "Invalid verification code format.")) };
        if code.used {
            return Err(refused(36009, "This authorization code has been used."));
        }
        if now - code.at > CODE_LIFE {
            return Err(refused(36007, "This authorization code has expired."));
        }
        if code.redirect_uri != redirect_uri {
            return Err(refused(
                36008,
                "Error validating verification code. Please make sure your redirect_uri is identical to the one you used in the OAuth dialog request",
            ));
        }
        if let Some((challenge, hashed)) = &code.challenge {
            let verifier = call.params.get("code_verifier").unwrap_or_default();
            let answer = if *hashed { s256(verifier) } else { verifier.to_owned() };
            if answer != *challenge {
                return Err(refused(36007, "Invalid code_verifier parameter."));
            }
        }
        code.used = true;
        let code = code.clone();
        let (holder, life) = if code.system {
            let partner = self.world().people[code.person].partners.first().copied().unwrap_or_default();
            (Holder::System(partner), None)
        } else {
            (Holder::Person(code.person), Some(SHORT_LIFE))
        };
        let token = tokens.give(&self.opaque, holder, code.scopes, now, life);
        drop(tokens);
        let mut answer = json!({"access_token": token, "token_type": "bearer"});
        if let Some(seconds) = life {
            answer["expires_in"] = seconds.into();
        }
        Ok(answer)
    }

    fn extend(&self, call: &Call) -> Result<Value, GraphError> {
        let old = call
            .params
            .get("fb_exchange_token")
            .ok_or_else(|| GraphError::new(1, "fb_exchange_token parameter not specified"))?;
        let Viewer::User { holder, scopes, .. } = self.viewer(old)? else {
            return Err(GraphError::new(1, "An app token cannot be exchanged"));
        };
        let token = self.tokens().give(&self.opaque, holder, scopes, self.clock.now(), Some(LONG_LIFE));
        Ok(json!({"access_token": token, "token_type": "bearer", "expires_in": LONG_LIFE}))
    }

    /// `/debug_token`: with the app's own token, or, as the SDKs do, with any living token of the app.
    pub(super) fn debug_token(&self, call: &Call) -> Result<Value, GraphError> {
        self.authenticate(call)?;
        let input = call
            .params
            .get("input_token")
            .ok_or_else(|| GraphError::invalid("You must provide an input_token to debug."))?;
        let viewer = self.viewer(input);
        let now = self.clock.now();
        let data = if let Ok(Viewer::App) = viewer {
            json!({"app_id": self.options.app_id, "type": "APP", "application": "Liteboard", "is_valid": true, "scopes": []})
        } else {
            let tokens = self.tokens();
            let Some(token) = tokens.get(input) else {
                return Ok(json!({"data": {
                    "error": {"code": 190, "message": "Invalid OAuth access token - Cannot parse access token"},
                    "is_valid": false, "scopes": [],
                }}));
            };
            let (kind, holder) = match token.holder {
                Holder::Person(person) => ("USER", person),
                Holder::System(partner) => ("SYSTEM_USER", partner),
            };
            let (expires, scopes, issued) = (token.expires, token.scopes.clone(), token.issued);
            let ended = token.ended(now);
            drop(tokens);
            let world = self.world();
            let (user_id, partners) = match kind {
                "USER" => (world.people[holder].id, world.people[holder].partners.clone()),
                _ => (world.partners[holder].id + 900, vec![holder]),
            };
            let targets: Vec<String> = partners.iter().map(|partner| world.partners[*partner].id.to_string()).collect();
            drop(world);
            let mut data = json!({
                "app_id": self.options.app_id, "type": kind, "application": "Liteboard", "user_id": user_id.to_string(),
                "is_valid": ended.is_none(), "issued_at": issued.unix_timestamp(),
                "expires_at": expires.map_or(0, time::OffsetDateTime::unix_timestamp),
                "data_access_expires_at": if kind == "USER" { (issued + time::Duration::days(90)).unix_timestamp() } else { 0 },
                "scopes": scopes, "granular_scopes": granular(&scopes, &targets),
            });
            if let Some((ending, at)) = ended {
                let error = ending.error(&self.options.app_id, at, now);
                data["error"] = json!({"code": error.code, "message": error.message, "subcode": error.subcode});
            }
            data
        };
        Ok(json!({ "data": data }))
    }

    /// `/oauth/revoke?client_id&client_secret&revoke_token&access_token` (facts 6.9).
    pub(super) fn revoke(&self, call: &Call) -> Result<Value, GraphError> {
        if call.params.get("client_id") != Some(self.options.app_id.as_str()) {
            return Err(GraphError::new(
                101,
                "Error validating application. Cannot get application info due to a system error.",
            ));
        }
        if call.params.get("client_secret") != Some(self.options.app_secret.as_str()) {
            return Err(GraphError::new(1, "Error validating client secret."));
        }
        self.authenticate(call)?;
        let revoked = call
            .params
            .get("revoke_token")
            .ok_or_else(|| GraphError::invalid("The parameter revoke_token is required"))?;
        let now = self.clock.now();
        let mut tokens = self.tokens();
        let token = tokens
            .get_mut(revoked)
            .ok_or_else(|| GraphError::bad_token("Invalid OAuth access token - Cannot parse access token"))?;
        if token.ended(now).is_none() {
            token.ending = Some((Ending::LoggedOut, now));
        }
        drop(tokens);
        Ok(json!({"success": true}))
    }

    /// `/me/permissions`: GET lists them; DELETE takes one away, or all, which ends the tokens.
    pub(super) fn permissions(&self, call: &Call, viewer: &Viewer, only: Option<&str>) -> Result<Value, GraphError> {
        let Viewer::User { holder, scopes, removed, .. } = viewer else {
            return Err(GraphError::unsupported("get", "me"));
        };
        if call.is_delete() {
            let Holder::Person(person) = *holder else { return Err(GraphError::unsupported("delete", "me")) };
            let mut tokens = self.tokens();
            match only.or_else(|| call.params.get("permission")) {
                Some(scope) => tokens.remove_scope(person, scope),
                None => tokens.end_all(Holder::Person(person), Ending::AppRemoved, self.clock.now()),
            }
            drop(tokens);
            return Ok(json!({"success": true}));
        }
        let row = |status: &'static str| move |scope: &String| json!({"permission": scope, "status": status});
        let rows: Vec<Value> = scopes.iter().map(row("granted")).chain(removed.iter().map(row("declined"))).collect();
        Ok(json!({ "data": rows }))
    }
}

/// Business permissions name the portfolios they are for (facts 6.5).
fn granular(scopes: &BTreeSet<String>, targets: &[String]) -> Vec<Value> {
    let with_target = |scope: &&String| scope.contains("business");
    scopes
        .iter()
        .filter(with_target)
        .map(|scope| {
            if scope == "business_management" {
                json!({"scope": scope, "target_ids": targets})
            } else {
                json!({ "scope": scope })
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::Method;
    use serde_json::json;

    use super::super::{
        call::Call,
        dialog::Dialog,
        opaque::s256,
        options::{APP_ID, APP_SECRET, LOGIN_CONFIG_ID, NORTHLANE, Options, SYSTEM_LOGIN_CONFIG_ID},
        params::Params,
        seed::PEOPLE_IDS,
        testing::{Meta, Reply},
        tokens::Ending,
    };

    const BACK: &str = "http://127.0.0.1:3000/sign-in/callback";

    fn dialog(meta: &Meta, extra: &str, body: &str) -> Dialog {
        let query = format!("client_id={APP_ID}&redirect_uri={BACK}&state=s%26t&{extra}");
        let kind = "application/x-www-form-urlencoded";
        let method = if body.is_empty() { Method::GET } else { Method::POST };
        let params = Params::read(&query, kind, body.as_bytes()).unwrap();
        meta.shared.dialog(&Call::new(method, "/v25.0/dialog/oauth", params, None, String::new()))
    }

    fn code(meta: &Meta, extra: &str) -> String {
        let Dialog::Redirect(to) = dialog(meta, extra, &format!("person={}", PEOPLE_IDS[0])) else {
            panic!("no redirect")
        };
        assert!(to.starts_with(BACK) && to.ends_with("&state=s%26t#_=_"), "{to}");
        url::Url::parse(&to).unwrap().query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned()
    }

    fn exchange(meta: &Meta, code: &str, back: &str, extra: &str) -> Reply {
        let form = format!("client_id={APP_ID}&client_secret={APP_SECRET}&redirect_uri={back}&code={code}{extra}");
        meta.send_as(None, Method::POST, "/v25.0/oauth/access_token", "application/x-www-form-urlencoded", &form)
    }

    #[test]
    fn a_code_is_good_once_for_ten_minutes_and_for_its_own_redirect() {
        let meta = Meta::small();
        let scope = "scope=business_management,whatsapp_business_management";
        let first = code(&meta, scope);
        assert_eq!(exchange(&meta, &first, "http://127.0.0.1:3000/other", "").code(), (100, Some(36008)));
        let reply = exchange(&meta, &first, BACK, "");
        assert_eq!((reply.status, reply.json["token_type"].as_str()), (200, Some("bearer")));
        assert_eq!(exchange(&meta, &first, BACK, "").code(), (100, Some(36009)));
        let late = code(&meta, scope);
        meta.shared.clock.advance(Duration::from_secs(601));
        assert_eq!(exchange(&meta, &late, BACK, "").code(), (100, Some(36007)));
        let token = reply.json["access_token"].as_str().unwrap();
        assert_eq!(meta.get_as(token, "/v25.0/me").json["name"], "Ana Moreira");
        assert_eq!(meta.get_as(token, "/v25.0/me/businesses").ids(), [NORTHLANE]);
    }

    #[test]
    fn a_challenge_given_must_be_answered() {
        let meta = Meta::small();
        let extra =
            format!("scope=business_management&code_challenge={}&code_challenge_method=S256", s256("correct horse"));
        let text = code(&meta, &extra);
        assert_eq!(exchange(&meta, &text, BACK, "").code(), (100, Some(36007)));
        assert_eq!(exchange(&meta, &text, BACK, "&code_verifier=wrong").code(), (100, Some(36007)));
        assert_eq!(exchange(&meta, &text, BACK, "&code_verifier=correct%20horse").status, 200);
    }

    #[test]
    fn a_wrong_secret_or_app_is_refused() {
        let meta = Meta::small();
        let ask = |query: &str| meta.send_as(None, Method::GET, &format!("/v25.0/oauth/access_token?{query}"), "", "");
        assert_eq!(ask("").code().0, 101);
        assert_eq!(ask("client_id=5&client_secret=x&code=y&redirect_uri=z").code().0, 101);
        assert_eq!(ask(&format!("client_id={APP_ID}&client_secret=x&code=y&redirect_uri=z")).code().0, 1);
        assert_eq!(
            ask(&format!("client_id={APP_ID}&client_secret={APP_SECRET}&code=y&redirect_uri=z")).code(),
            (100, Some(36007))
        );
        let app = ask(&format!("client_id={APP_ID}&client_secret={APP_SECRET}&grant_type=client_credentials"));
        assert_eq!(app.json["access_token"], format!("{APP_ID}|{APP_SECRET}"));
    }

    #[test]
    fn cancelling_is_told_as_a_denial() {
        let Dialog::Redirect(to) = dialog(&Meta::small(), "scope=business_management", "cancel=1") else {
            panic!("no redirect")
        };
        assert!(
            to.contains("error=access_denied") && to.contains("error_reason=user_denied") && to.ends_with("#_=_"),
            "{to}"
        );
    }

    #[test]
    fn the_dialog_shows_developers_what_is_wrong() {
        let meta = Meta::new(Options { businesses: 30, redirect_uris: vec![BACK.to_owned()], ..Options::default() });
        for (extra, text) in [
            ("scope=rule_the_world", "Invalid Scopes: rule_the_world"),
            ("config_id=1", "Invalid config_id"),
            ("client_id=5", "Invalid App ID"),
            ("redirect_uri=http://evil.test/", "URL blocked"),
            ("redirect_uri=javascript:alert(1)", "Invalid redirect_uri"),
            ("response_type=token", "Unsupported response_type"),
        ] {
            let Dialog::Page(status, page) = dialog(&meta, extra, "") else { panic!("{extra}") };
            assert!(status == 400 && page.contains(text), "{extra}: {page}");
        }
        let Dialog::Page(status, page) = dialog(&meta, "scope=business_management", "") else { panic!("no page") };
        assert_eq!(status, 200);
        for person in meta.shared.people() {
            assert!(page.contains(&person.button), "{}", person.button);
        }
        assert!(page.contains("name=\"state\" value=\"s&amp;t\""));
    }

    #[test]
    fn a_login_configuration_decides_the_kind_of_token() {
        let meta = Meta::small();
        let user = exchange(&meta, &code(&meta, &format!("config_id={LOGIN_CONFIG_ID}&response_type=code")), BACK, "");
        assert!(user.json["expires_in"].is_u64());
        let system = exchange(&meta, &code(&meta, &format!("config_id={SYSTEM_LOGIN_CONFIG_ID}")), BACK, "");
        assert!(system.json["expires_in"].is_null());
        let token = system.json["access_token"].as_str().unwrap();
        let debug = meta.get(&format!("/v25.0/debug_token?input_token={token}"));
        assert_eq!(
            (&debug.json["data"]["type"], &debug.json["data"]["expires_at"]),
            (&json!("SYSTEM_USER"), &json!(0))
        );
        assert_eq!(meta.get_as(token, "/v25.0/me?fields=client_business_id").json["client_business_id"], NORTHLANE);
    }

    #[test]
    fn a_long_lived_token_lives_sixty_days_and_an_expired_one_cannot_be_exchanged() {
        let meta = Meta::small();
        let query = format!(
            "/v25.0/oauth/access_token?grant_type=fb_exchange_token&client_id={APP_ID}&client_secret={APP_SECRET}&fb_exchange_token={}",
            meta.token
        );
        let reply = meta.send_as(None, Method::GET, &query, "", "");
        assert_eq!(reply.json["expires_in"], 5_183_944);
        meta.shared.clock.advance(Duration::from_secs(5_183_944));
        assert_eq!(meta.get_as(reply.json["access_token"].as_str().unwrap(), "/v25.0/me").code(), (190, Some(463)));
        assert_eq!(meta.send_as(None, Method::GET, &query, "", "").code(), (190, Some(463)));
    }

    #[test]
    fn debug_token_tells_a_living_token_from_a_dead_and_a_made_up_one() {
        let meta = Meta::small();
        let ask = |input: &str| {
            meta.get_as(&format!("{APP_ID}|{APP_SECRET}"), &format!("/v25.0/debug_token?input_token={input}")).json["data"].clone()
        };
        let good = ask(&meta.token);
        assert_eq!(
            (&good["is_valid"], &good["app_id"], &good["user_id"]),
            (&json!(true), &json!(APP_ID), &json!(PEOPLE_IDS[0]))
        );
        assert!(good["scopes"].as_array().unwrap().contains(&json!("whatsapp_business_management")));
        assert_eq!(good["granular_scopes"][0]["target_ids"], json!([NORTHLANE]));
        meta.shared.end_tokens_of(PEOPLE_IDS[0], Ending::PasswordChanged).unwrap();
        let dead = ask(&meta.token);
        assert_eq!((&dead["is_valid"], &dead["error"]["subcode"]), (&json!(false), &json!(460)));
        assert_eq!(ask("EAAJnobody")["is_valid"], false);
    }

    #[test]
    fn a_revoked_token_is_dead_and_others_live_on() {
        let meta = Meta::small();
        let other = meta.shared.token_for(PEOPLE_IDS[0]).unwrap();
        let query = format!("/v25.0/oauth/revoke?client_id={APP_ID}&client_secret={APP_SECRET}&revoke_token={other}");
        assert_eq!(meta.get(&query).json["success"], true);
        assert_eq!(meta.get_as(&other, "/v25.0/me").code(), (190, Some(467)));
        assert_eq!(meta.get("/v25.0/me").status, 200);
    }
}
