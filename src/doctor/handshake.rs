//! Whether Meta could subscribe its webhooks: there is a verify token, and the callback URL answers the question Meta asks (5.1).

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{Finding, Patient};
use crate::graph::tls_config;

const ABOUT: &str = "Verify token";

/// How long the answer may take: Meta waits no longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is to come back; anything would do.
const CHALLENGE: &str = "1158201444";

/// Asks as Meta does.
pub(super) async fn examine(patient: &Patient) -> Finding {
    let Some(token) = &patient.verify_token else {
        return Finding::mend(
            ABOUT,
            "META_WEBHOOK_VERIFY_TOKEN is not set, so Meta can’t subscribe: set it, and give Meta the same one in the App Dashboard",
        );
    };
    let Ok(callback) = patient.asked_at.join("/webhooks/meta") else {
        return Finding::mend(ABOUT, "PUBLIC_URL makes no callback URL");
    };
    judge(&callback, ask(&callback, token).await)
}

/// Status and body of the answer; an error in a few words.
async fn ask(callback: &Url, token: &SecretString) -> Result<(u16, String), String> {
    let mut question = callback.clone();
    question
        .query_pairs_mut()
        .append_pair("hub.mode", "subscribe")
        .append_pair("hub.challenge", CHALLENGE)
        .append_pair("hub.verify_token", token.expose_secret());
    // The address holds the token, so no error may tell it.
    let words = |error: reqwest::Error| match error {
        error if error.is_timeout() => format!("no answer for {} s", PATIENCE.as_secs()),
        error if error.is_connect() => "nobody answers".to_owned(),
        error => error.without_url().to_string(),
    };
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls_config().map_err(|error| error.to_string())?)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .timeout(PATIENCE)
        .build()
        .map_err(words)?;
    let answer = client.get(question).send().await.map_err(words)?;
    let status = answer.status().as_u16();
    Ok((status, answer.text().await.map_err(words)?))
}

fn judge(callback: &Url, answer: Result<(u16, String), String>) -> Finding {
    match answer {
        Ok((200, body)) if body == CHALLENGE => {
            Finding::ok(ABOUT, format!("it is set, and {callback} answers as Meta wants"))
        }
        Ok((403, _)) => {
            Finding::mend(ABOUT, format!("{callback} knows another one: start `serve` with the setting as it is here"))
        }
        Ok((404, _)) => Finding::mend(
            ABOUT,
            format!(
                "{callback} has none, or is not Liteboard’s: start `serve` with the setting as it is here, and have the proxy lead there"
            ),
        ),
        Ok((status, _)) => Finding::mend(
            ABOUT,
            format!("{callback} answers {status} and not the challenge: have the proxy hand the question on as it is"),
        ),
        Err(words) => Finding::mend(
            ABOUT,
            format!(
                "{callback} can’t be reached from here ({words}): start `serve`, or mend the address, the proxy or its certificate"
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_bare_challenge_is_an_answer() {
        let callback: Url = "https://liteboard.example/webhooks/meta".parse().unwrap();
        for (answer, well, words) in [
            (Ok((200, CHALLENGE.to_owned())), true, "answers as Meta wants"),
            (Ok((200, format!("<p>{CHALLENGE}</p>"))), false, "answers 200 and not the challenge"),
            (Ok((403, String::new())), false, "knows another one"),
            (Ok((404, String::new())), false, "has none"),
            (Ok((301, String::new())), false, "answers 301"),
            (Err("nobody answers".to_owned()), false, "can’t be reached from here (nobody answers)"),
        ] {
            let found = judge(&callback, answer);
            assert_eq!(found.is_well, well, "{found}");
            assert!(found.text.contains(words) && found.text.contains(callback.as_str()), "{found}");
        }
    }
}
