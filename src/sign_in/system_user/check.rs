//! What is asked of Meta before a token is kept: what it is (6.5), and whether it reads what requests are about. What
//! `debug_token` says of permissions was wrong once, so a real read has the last word.

use secrecy::{ExposeSecret, SecretString};
use time::OffsetDateTime;

use super::{
    super::tokens::missing_scopes,
    refusal::{Flaw, Refusal},
};
use crate::{
    db::PartnerId,
    graph::{AccessToken, AppId, Error, Graph, GraphError, Origin, Person, TokenFacts},
};

/// Longer than any token, and no trouble in a query.
const LONGEST: usize = 1_024;

/// A token that passed every check.
pub(super) struct CheckedToken {
    pub(super) token: AccessToken,
    pub(super) system_user: Person,
    pub(super) scopes: Vec<String>,
    pub(super) expires_at: Option<OffsetDateTime>,
}

/// Checks what was typed, for a partner. The calls are recorded as made for the member.
pub(super) async fn check(
    graph: &Graph,
    partner: &PartnerId,
    member_id: i64,
    typed: &SecretString,
    now: OffsetDateTime,
) -> Result<CheckedToken, Refusal> {
    let token = read(typed)?;
    let origin = Origin { partner: Some(partner.as_business().clone()), member: Some(member_id), ..Origin::default() };
    let facts = graph.debug_token(&origin, &token).await.map_err(|error| told(&error, flaw_of_look_up(&error)))?;
    judge(&facts, &graph.settings().app_id, now)?;
    let caller = graph.with_token(token.clone(), origin);
    let system_user = caller.me().await.map_err(|error| told(&error, Flaw::Refused))?;
    caller.client_wabas(partner.as_business(), None).await.map_err(|error| told(&error, Flaw::NoAccess))?;
    Ok(CheckedToken { token, system_user, scopes: facts.scopes, expires_at: facts.expires_at })
}

/// What was typed, as a token: one word of plain characters.
fn read(typed: &SecretString) -> Result<AccessToken, Refusal> {
    let typed = typed.expose_secret().trim();
    if typed.is_empty() {
        return Err(Flaw::Empty.into());
    }
    if typed.len() > LONGEST || !typed.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Flaw::NotAToken.into());
    }
    Ok(typed.to_owned().into())
}

/// What Meta says of the token, one thing after the other: the first that is wrong is told.
fn judge(facts: &TokenFacts, app: &AppId, now: OffsetDateTime) -> Result<(), Refusal> {
    let kind = facts.kind.as_deref();
    // Of what it can't read at all Meta names no app.
    if facts.app_id.as_ref().map_or(facts.is_valid, |of| of != app) {
        return Err(Flaw::OtherApp.into());
    }
    if kind == Some("USER") {
        return Err(Flaw::UserToken.into());
    }
    if facts.expires_at.is_some_and(|end| end <= now) {
        return Err(Flaw::Expired.into());
    }
    if !facts.is_valid {
        return Err(Flaw::Invalid.into());
    }
    if kind != Some("SYSTEM_USER") {
        return Err(Flaw::OtherKind.into());
    }
    let missing = missing_scopes(&facts.scopes);
    if missing.is_empty() { Ok(()) } else { Err(Refusal::missing(missing)) }
}

/// `debug_token` refuses to look at another app's token, and says that its app "did not match the Viewing App".
fn flaw_of_look_up(error: &Error) -> Flaw {
    let message = error.graph_error().and_then(|GraphError { message, .. }| message.as_deref()).unwrap_or_default();
    if message.contains("did not match the Viewing App") { Flaw::OtherApp } else { Flaw::Refused }
}

/// Logs what Meta said, once.
fn told(error: &Error, denied: Flaw) -> Refusal {
    tracing::warn!(%error, "a system user's token failed a check at Meta");
    if denied == Flaw::OtherApp {
        return Refusal { fbtrace_id: error.fbtrace_id().map(str::to_owned), ..denied.into() };
    }
    Refusal::of(error, denied)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: OffsetDateTime = time::macros::datetime!(2026-11-24 10:00 UTC);

    #[test]
    fn the_first_thing_that_is_wrong_is_told() {
        let good = TokenFacts {
            app_id: Some("77".parse().unwrap()),
            is_valid: true,
            scopes: ["business_management", "whatsapp_business_management"].map(str::to_owned).into(),
            kind: Some("SYSTEM_USER".into()),
            ..TokenFacts::default()
        };
        let nothing = TokenFacts::default();
        let kind = |kind: Option<&str>| TokenFacts { kind: kind.map(str::to_owned), ..good.clone() };
        let ends = |at| TokenFacts { expires_at: Some(at), ..good.clone() };
        let second = time::Duration::seconds(1);
        for (facts, expected) in [
            (good.clone(), None),
            (ends(NOW + second), None),
            (ends(NOW), Some(Flaw::Expired)),
            (TokenFacts { is_valid: false, ..ends(NOW - second) }, Some(Flaw::Expired)),
            (TokenFacts { is_valid: false, ..good.clone() }, Some(Flaw::Invalid)),
            (nothing.clone(), Some(Flaw::Invalid)),
            (TokenFacts { app_id: Some("78".parse().unwrap()), ..good.clone() }, Some(Flaw::OtherApp)),
            (TokenFacts { app_id: None, ..good.clone() }, Some(Flaw::OtherApp)),
            (kind(Some("USER")), Some(Flaw::UserToken)),
            (TokenFacts { is_valid: false, ..kind(Some("USER")) }, Some(Flaw::UserToken)),
            (kind(Some("APP")), Some(Flaw::OtherKind)),
            (kind(Some("PAGE")), Some(Flaw::OtherKind)),
            (kind(None), Some(Flaw::OtherKind)),
            (TokenFacts { scopes: vec!["business_management".into()], ..good.clone() }, Some(Flaw::Permissions)),
        ] {
            let told = judge(&facts, &"77".parse().unwrap(), NOW).err().map(|refusal| refusal.flaw);
            assert_eq!(told, expected, "{facts:?}");
        }
        let without = judge(&TokenFacts { scopes: Vec::new(), ..good }, &"77".parse().unwrap(), NOW).unwrap_err();
        assert_eq!(without.missing, ["business_management", "whatsapp_business_management"]);
    }

    #[test]
    fn a_token_is_one_word() {
        for (typed, expected) in [
            ("", Some(Flaw::Empty)),
            (" \r\n\t", Some(Flaw::Empty)),
            ("EAAB two", Some(Flaw::NotAToken)),
            ("EAAB\0", Some(Flaw::NotAToken)),
            ("EAABé", Some(Flaw::NotAToken)),
            (&"E".repeat(LONGEST + 1), Some(Flaw::NotAToken)),
            ("77|secret", None),
            (" EAABx\n", None),
        ] {
            let told = read(&typed.to_owned().into());
            assert_eq!(told.as_ref().err().map(|refusal| refusal.flaw), expected, "{typed:?}");
            if let Ok(token) = told {
                assert_eq!(token.expose_secret(), typed.trim());
            }
        }
    }
}
