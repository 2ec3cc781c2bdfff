//! Signing in: the dialog's address, and what becomes of the code it gives (section 6).
//!
//! These are calls of the app itself, made before there is anybody's token to sign with. Meta documents them as GET with
//! everything in the query, so that is what is sent; none of it is kept.

use std::time::Duration;

use oauth2::{AuthUrl, ClientId, CsrfToken, RedirectUrl, Scope, basic::BasicClient};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use time::OffsetDateTime;
use url::Url;

use super::{
    access_token::AccessToken,
    call::{Operation, Origin},
    client::Graph,
    error::{Error, Failure},
    ids::{AppId, UserId},
    request::Request,
    settings,
    wire::{id, number, rows, text, upper, whole},
};

/// The permissions asked for (6.7).
pub const SCOPES: [&str; 3] = ["business_management", "whatsapp_business_management", "whatsapp_business_messaging"];

/// A token Meta gave.
#[derive(Clone, Debug)]
pub struct GrantedToken {
    /// The token.
    pub token: AccessToken,
    /// How long it lasts from now on; `None` if Meta didn't say: [`Graph::debug_token`] does (6.4).
    pub expires_in: Option<Duration>,
}

/// What a token is good for, as far as Meta says (6.5).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenFacts {
    /// The app it was made for.
    pub app_id: Option<AppId>,
    /// Whom it acts for.
    pub user_id: Option<UserId>,
    /// Whether it works now. Only Meta's plain yes counts.
    pub is_valid: bool,
    /// When it ends; `None` if it never does (Meta's 0, as for system users) or Meta didn't say.
    pub expires_at: Option<OffsetDateTime>,
    /// When access to data ends unless the person comes back; `None` as above.
    pub data_access_expires_at: Option<OffsetDateTime>,
    /// The permissions granted.
    pub scopes: Vec<String>,
    /// The permissions with what they are for. Meta once sent wrong names here: check access by a read, too (6.5).
    pub granular_scopes: Vec<GranularScope>,
    /// `USER`, `SYSTEM_USER`, .. in upper case.
    pub kind: Option<String>,
}

/// A permission and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GranularScope {
    /// The permission.
    pub scope: String,
    /// The ids it is limited to; empty for no limit.
    pub target_ids: Vec<String>,
}

impl Graph {
    /// Where a person is sent to sign in (6.1). Meta sends them back to `redirect_uri` with `state` and a code.
    ///
    /// `pkce_challenge` is the S256 challenge of the verifier that [`Graph::exchange_code`] is given later.
    pub fn dialog_url(&self, redirect_uri: &Url, state: &str, pkce_challenge: &str) -> Url {
        let settings = self.settings();
        let dialog = settings::join(&settings.dialog_url, [settings.version.as_str(), "dialog", "oauth"]);
        let client = BasicClient::new(ClientId::new(settings.app_id.to_string()))
            .set_auth_uri(AuthUrl::from_url(dialog))
            .set_redirect_uri(RedirectUrl::from_url(redirect_uri.clone()));
        let request = client
            .authorize_url(|| CsrfToken::new(state.to_owned()))
            .add_extra_param("code_challenge", pkce_challenge)
            .add_extra_param("code_challenge_method", "S256");
        let request = match &settings.login_config_id {
            Some(config) => request.add_extra_param("config_id", config),
            // Meta separates scopes with commas, the crate with blanks.
            None => request.add_scope(Scope::new(SCOPES.join(","))),
        };
        request.url().0
    }

    /// `GET /oauth/access_token` with the code of the dialog (6.2). A code works once, with the very same `redirect_uri`.
    pub async fn exchange_code(
        &self,
        origin: &Origin,
        code: &SecretString,
        redirect_uri: &Url,
        pkce_verifier: &SecretString,
    ) -> Result<GrantedToken, Error> {
        let settings = self.settings();
        let request = Request::new(Operation::ExchangeCode, ["oauth", "access_token"])
            .with("client_id", settings.app_id.as_str())
            .with("redirect_uri", redirect_uri.as_str())
            .with_secret("client_secret", settings.app_secret.clone())
            .with_secret("code", code.clone())
            .with_secret("code_verifier", pkce_verifier.clone());
        self.exchange(origin.clone(), request, granted).await
    }

    /// `GET /oauth/access_token` for a token that lasts about 60 days (6.4). An expired token can't be exchanged.
    pub async fn long_lived(&self, origin: &Origin, token: &AccessToken) -> Result<GrantedToken, Error> {
        let settings = self.settings();
        let request = Request::new(Operation::ExchangeToken, ["oauth", "access_token"])
            .with("grant_type", "fb_exchange_token")
            .with("client_id", settings.app_id.as_str())
            .with_secret("client_secret", settings.app_secret.clone())
            .with_secret("fb_exchange_token", token.expose_secret().into());
        self.exchange(origin.clone(), request, granted).await
    }

    /// `GET /debug_token`, asked with the app's own token (6.5). A token that isn't good any more is an answer, not an error.
    pub async fn debug_token(&self, origin: &Origin, token: &AccessToken) -> Result<TokenFacts, Error> {
        let settings = self.settings();
        let app_token = format!("{}|{}", settings.app_id, settings.app_secret.expose_secret());
        let request = Request::new(Operation::DebugToken, ["debug_token"])
            .with_secret("input_token", token.expose_secret().into())
            .with_secret("access_token", app_token.into());
        self.exchange(origin.clone(), request, facts).await
    }
}

fn granted(answer: &Value) -> Result<GrantedToken, Failure> {
    let token = text(answer, "access_token").ok_or(Failure::UnexpectedShape)?;
    let expires_in = answer.get("expires_in").and_then(number).filter(|seconds| *seconds > 0.0);
    Ok(GrantedToken {
        token: token.into(),
        expires_in: expires_in.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
    })
}

fn facts(answer: &Value) -> Result<TokenFacts, Failure> {
    let data = answer.get("data").filter(|data| data.is_object()).ok_or(Failure::UnexpectedShape)?;
    let list = |name| data.get(name).and_then(rows).unwrap_or_default();
    let at = |name| {
        let seconds = data.get(name).and_then(whole).filter(|seconds| *seconds > 0)?;
        OffsetDateTime::from_unix_timestamp(seconds).ok()
    };
    Ok(TokenFacts {
        app_id: id(data, "app_id"),
        user_id: id(data, "user_id"),
        is_valid: data.get("is_valid").and_then(Value::as_bool).unwrap_or_default(),
        expires_at: at("expires_at"),
        data_access_expires_at: at("data_access_expires_at"),
        scopes: list("scopes").into_iter().filter_map(|scope| scope.as_str().map(str::to_owned)).collect(),
        granular_scopes: list("granular_scopes").into_iter().filter_map(granular_scope).collect(),
        kind: upper(data, "type"),
    })
}

fn granular_scope(row: &Value) -> Option<GranularScope> {
    let target_ids = row.get("target_ids").and_then(rows).unwrap_or_default();
    let target_ids = target_ids.into_iter().filter_map(|id| match id {
        Value::String(id) => Some(id.clone()),
        Value::Number(id) => id.as_u64().map(|id| id.to_string()),
        _ => None,
    });
    Some(GranularScope { scope: text(row, "scope")?, target_ids: target_ids.collect() })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;
    use time::macros::datetime;

    use super::{super::stand_in::*, *};

    fn parameters(url: &Url) -> BTreeMap<String, String> {
        url.query_pairs().into_owned().collect()
    }

    #[tokio::test]
    async fn the_dialog_is_asked_for_permissions_or_for_a_configuration() {
        let meta = StandIn::start([]).await;
        let redirect = "https://liteboard.example/sign-in/callback?x=1".parse().unwrap();
        let url = meta.graph().dialog_url(&redirect, "st&te", "challenge");
        assert!(url.as_str().starts_with("https://www.facebook.com/v25.0/dialog/oauth?"), "{url}");
        let expected = [
            ("client_id", APP_ID),
            ("code_challenge", "challenge"),
            ("code_challenge_method", "S256"),
            ("redirect_uri", redirect.as_str()),
            ("response_type", "code"),
            ("scope", "business_management,whatsapp_business_management,whatsapp_business_messaging"),
            ("state", "st&te"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(parameters(&url), BTreeMap::from(expected));

        let mut settings = meta.settings();
        settings.login_config_id = Some("777".into());
        settings.dialog_url = "http://127.0.0.1:9/meta/".parse().unwrap();
        let url = meta.graph_with(settings).dialog_url(&redirect, "s", "c");
        assert_eq!(url.path(), "/meta/v25.0/dialog/oauth");
        let parameters = parameters(&url);
        assert_eq!((parameters["config_id"].as_str(), parameters["response_type"].as_str()), ("777", "code"));
        assert!(!parameters.contains_key("scope"));
    }

    #[tokio::test]
    async fn a_code_is_exchanged_as_documented() {
        let meta = StandIn::start([Reply::json(
            200,
            json!({"access_token": "tok-granted", "token_type": "bearer", "expires_in": 5_183_944}),
        )])
        .await;
        let redirect: Url = "https://liteboard.example/sign-in/callback".parse().unwrap();
        let granted = meta
            .graph()
            .exchange_code(&Origin::default(), &"the-code".into(), &redirect, &"the-verifier".into())
            .await
            .unwrap();
        assert_eq!(granted.token.expose_secret(), "tok-granted");
        assert_eq!(granted.expires_in, Some(Duration::from_secs(5_183_944)));
        let request = &meta.requests()[0];
        assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", "/v25.0/oauth/access_token"));
        for (name, value) in [
            ("client_id", APP_ID),
            ("client_secret", APP_SECRET),
            ("redirect_uri", redirect.as_str()),
            ("code", "the-code"),
            ("code_verifier", "the-verifier"),
        ] {
            assert_eq!(request.parameter(name).as_deref(), Some(value), "{name}");
        }
        assert_eq!((request.header("authorization"), request.parameter("appsecret_proof")), (None, None));
    }

    #[tokio::test]
    async fn a_token_is_exchanged_for_a_long_lived_one_as_documented() {
        let meta = StandIn::start([Reply::json(200, json!({"access_token": "tok-long"}))]).await;
        let granted = meta.graph().long_lived(&Origin::default(), &TOKEN.to_owned().into()).await.unwrap();
        assert_eq!((granted.token.expose_secret(), granted.expires_in), ("tok-long", None));
        let request = &meta.requests()[0];
        assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", "/v25.0/oauth/access_token"));
        assert_eq!(request.parameter("grant_type").as_deref(), Some("fb_exchange_token"));
        assert_eq!(request.parameter("fb_exchange_token").as_deref(), Some(TOKEN));
        assert_eq!(request.parameter("client_secret").as_deref(), Some(APP_SECRET));
    }

    #[tokio::test]
    async fn a_token_is_looked_up_with_the_app_s_own() {
        let meta = StandIn::start([Reply::json(200, json!({"data": {
            "app_id": APP_ID, "application": "Liteboard", "type": "user", "user_id": 42, "is_valid": true,
            "expires_at": 1_795_341_600, "data_access_expires_at": 0, "issued_at": 1, "scopes": ["business_management"],
            "granular_scopes": [{"scope": "whatsapp_business_management", "target_ids": ["1", 2]}, {"scope": "business_management"}, {}],
        }}))])
        .await;
        let facts = meta.graph().debug_token(&Origin::default(), &TOKEN.to_owned().into()).await.unwrap();
        let granular = |scope: &str, ids: &[&str]| GranularScope {
            scope: scope.into(),
            target_ids: ids.iter().map(|&id| id.into()).collect(),
        };
        let expected = TokenFacts {
            app_id: Some(APP_ID.parse().unwrap()),
            user_id: Some("42".parse().unwrap()),
            is_valid: true,
            expires_at: Some(datetime!(2026-11-22 10:00 UTC)),
            data_access_expires_at: None,
            scopes: vec!["business_management".into()],
            granular_scopes: vec![
                granular("whatsapp_business_management", &["1", "2"]),
                granular("business_management", &[]),
            ],
            kind: Some("USER".into()),
        };
        assert_eq!(facts, expected);
        let request = &meta.requests()[0];
        assert_eq!(request.path, "/v25.0/debug_token");
        assert_eq!(request.parameter("input_token").as_deref(), Some(TOKEN));
        assert_eq!(request.parameter("access_token"), Some(format!("{APP_ID}|{APP_SECRET}")));
        assert_eq!(meta.calls()[0].query, "input_token=[redacted]&access_token=[redacted]", "none of it is kept");
    }

    #[test]
    fn the_time_a_token_lasts_may_come_in_any_form_or_not_at_all() {
        for (field, seconds) in [
            (json!(3600), Some(3600)),
            (json!("3600"), Some(3600)),
            (json!(3600.0), Some(3600)),
            (json!(0), None),
            (json!(-1), None),
            (json!(1e300), None),
            (json!(null), None),
            (json!("soon"), None),
        ] {
            let granted = granted(&json!({"access_token": "t", "expires_in": field})).unwrap();
            assert_eq!(granted.expires_in, seconds.map(Duration::from_secs), "{field}");
        }
    }

    #[test]
    fn a_token_answer_without_a_token_is_an_error() {
        for answer in [json!({}), json!({"access_token": ""}), json!({"access_token": null}), json!([])] {
            assert!(granted(&answer).is_err(), "{answer}");
        }
        assert_eq!(facts(&json!({"data": []})), Err(Failure::UnexpectedShape));
    }

    #[test]
    fn a_token_is_good_only_if_meta_plainly_says_so() {
        for answer in [
            json!({"data": {}}),
            json!({"data": {"is_valid": "true"}}),
            json!({"data": {"is_valid": false, "error": {"code": 190}}}),
        ] {
            assert!(!facts(&answer).unwrap().is_valid, "{answer}");
        }
    }
}
