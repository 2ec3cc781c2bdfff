//! Meta: whether Graph answers, takes the app and its secret, lets the partners' tokens do their work, and knows where to send
//! webhooks; and its clock.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use time::{Duration, OffsetDateTime};
use url::Url;

use super::{Finding, Patient, clocks};
use crate::{
    db::PartnerId,
    graph::{Call, Error, Graph, Kind, Observer, Origin, SCOPES, Settings, Subscription, TokenFacts},
    sign_in::{NEEDED, TokenError, partner_token},
    vault::Vault,
};

/// How far the clocks may be apart: Meta tells its own to the second, and the answer took its time.
const APART: Duration = Duration::seconds(30);

/// Fields without which webhooks tell nothing of use.
const FIELDS: [&str; 2] = ["account_update", "partner_solutions"];

/// Looks at Meta. Partners' tokens are left out where there is no vault to open them with.
pub(super) async fn examine(patient: &Patient, vault: Option<&Vault>, findings: &mut Vec<Finding>) {
    let last = Arc::new(Dates::default());
    let clock = patient.clock.clone();
    let made = Graph::new(patient.graph.clone(), Arc::new(move || clock.now()), Arc::<Dates>::clone(&last) as _);
    let graph = match made {
        Ok(graph) => graph,
        Err(error) => return findings.push(Finding::mend("Graph", error.to_string())),
    };
    let app_token = app_token(&patient.graph);
    let asked = graph.debug_token(&Origin::default(), &app_token).await;
    if let Err(error) = &asked
        && let Kind::Failed(failure) = error.kind()
    {
        let text = format!(
            "{} gives no usable answer ({}): check the network and GRAPH_URL",
            host(&patient.graph),
            failure.as_str()
        );
        return findings.push(Finding::mend("Graph", text));
    }
    findings
        .push(Finding::ok("Graph", format!("{} answers, asked as {}", host(&patient.graph), patient.graph.version)));
    if let Some(theirs) = last.newest() {
        findings.push(clocks("Clock against Meta", patient.clock.now(), theirs, APART));
    }
    let app = app(&patient.graph, asked);
    let is_ours = app.is_well;
    findings.push(app);
    if !is_ours {
        return;
    }
    if let Some(vault) = vault {
        for partner in &patient.partners {
            findings.push(permissions(patient, &graph, vault, partner).await);
        }
    }
    findings.push(match graph.subscriptions(&Origin::default()).await {
        Ok(subscriptions) => webhooks(&subscriptions, &patient.public_url),
        Err(error) => {
            Finding::mend("Webhooks", format!("Meta does not say what they are subscribed to: {}", told(&error)))
        }
    });
}

fn app_token(settings: &Settings) -> crate::graph::AccessToken {
    use secrecy::ExposeSecret;
    format!("{}|{}", settings.app_id, settings.app_secret.expose_secret()).into()
}

fn host(settings: &Settings) -> &str {
    settings.graph_url.host_str().unwrap_or_default()
}

/// What Meta said, in its words, with the key to its own record. The client has taken every secret out.
fn told(error: &Error) -> String {
    let words = error.graph_error().and_then(|said| said.message.clone()).unwrap_or_else(|| error.to_string());
    error.fbtrace_id().map_or_else(|| words.clone(), |id| format!("{words} (fbtrace_id {id})"))
}

fn app(settings: &Settings, asked: Result<TokenFacts, Error>) -> Finding {
    match asked {
        Ok(facts) if facts.is_valid && facts.app_id.as_ref() == Some(&settings.app_id) => {
            Finding::ok("App", format!("Meta takes META_APP_ID {} with its secret", settings.app_id))
        }
        Ok(_) => Finding::mend(
            "App",
            format!("Meta does not call {} with this secret valid: copy both from the App Dashboard", settings.app_id),
        ),
        Err(error) => Finding::mend(
            "App",
            format!(
                "Meta refuses META_APP_ID with META_APP_SECRET: copy both from the App Dashboard. It says: {}",
                told(&error)
            ),
        ),
    }
}

/// What a partner's token may do: by what Meta says of it, and by one real read, which has the last word (6.5).
async fn permissions(patient: &Patient, graph: &Graph, vault: &Vault, partner: &PartnerId) -> Finding {
    let about = format!("Permissions of partner {partner}");
    let (token, whose) = match partner_token(&patient.db, vault, partner, patient.clock.now()).await {
        Ok(found) => found,
        Err(TokenError::Missing) => {
            return Finding::ok(about, "nobody has signed in yet, so there is nothing to look at");
        }
        Err(error) => {
            return Finding::mend(
                about,
                format!("no token works ({error}): have somebody sign in, or an admin store a system user’s"),
            );
        }
    };
    let facts = match graph.debug_token(&Origin::default(), &token).await {
        Ok(facts) => facts,
        Err(error) => {
            return Finding::mend(about, format!("Meta says nothing of the token of {whose}: {}", told(&error)));
        }
    };
    let read = graph.with_token(token, Origin::default()).client_wabas(partner.as_business(), None).await;
    judge_permissions(about, whose, &facts, read.map(drop).map_err(|error| told(&error)))
}

fn judge_permissions(about: String, whose: &str, facts: &TokenFacts, read: Result<(), String>) -> Finding {
    if !facts.is_valid {
        return Finding::mend(
            about,
            format!("Meta no longer takes the token of {whose}: sign in again, or store a new one under Settings"),
        );
    }
    let lacks = |scope: &&str| !facts.scopes.iter().any(|given| given == scope);
    let missing: Vec<&str> = NEEDED.into_iter().filter(lacks).collect();
    if !missing.is_empty() {
        return Finding::mend(
            about,
            format!(
                "the token of {whose} lacks {}: sign in again and leave every permission on",
                missing.join(" and ")
            ),
        );
    }
    if let Err(words) = read {
        return Finding::mend(
            about,
            format!(
                "the token of {whose} can’t list the WABAs: give it access in the business settings at Meta. It says: {words}"
            ),
        );
    }
    let unneeded: Vec<&str> = SCOPES.into_iter().filter(lacks).collect();
    let more = if unneeded.is_empty() {
        String::new()
    } else {
        format!(" ({} is missing, and not needed here)", unneeded.join(", "))
    };
    Finding::ok(about, format!("the token of {whose} has {}, and reads the WABAs{more}", NEEDED.join(" and ")))
}

fn webhooks(subscriptions: &[Subscription], public_url: &Url) -> Finding {
    const ABOUT: &str = "Webhooks";
    let ours = public_url.join("/webhooks/meta").map(String::from).unwrap_or_default();
    let to_do = format!("in the App Dashboard, under WhatsApp, Configuration, set the callback URL to {ours}");
    let Some(found) = subscriptions.iter().find(|one| one.object == "whatsapp_business_account") else {
        return Finding::mend(
            ABOUT,
            format!("the app is subscribed to none: {to_do} and subscribe to {}", FIELDS.join(" and ")),
        );
    };
    let callback = found.callback_url.as_deref().unwrap_or("nowhere");
    if callback.trim_end_matches('/') != ours {
        return Finding::mend(ABOUT, format!("Meta sends to {callback}: {to_do}"));
    }
    if !found.active {
        return Finding::mend(ABOUT, format!("Meta has switched them off: {to_do} once more"));
    }
    let missing: Vec<&str> = FIELDS.into_iter().filter(|field| !found.fields.iter().any(|one| one == field)).collect();
    if !missing.is_empty() {
        return Finding::mend(
            ABOUT,
            format!("the app is not subscribed to {}: subscribe to it in the App Dashboard", missing.join(" and ")),
        );
    }
    Finding::ok(ABOUT, format!("Meta sends {} to {ours}", FIELDS.join(" and ")))
}

/// Keeps the hour Meta named last, and no more of a call.
#[derive(Debug, Default)]
struct Dates(Mutex<Option<OffsetDateTime>>);

impl Dates {
    fn newest(&self) -> Option<OffsetDateTime> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Dates {
    fn observe<'a>(&'a self, call: &'a Call) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        if call.date.is_some() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = call.date;
        }
        Box::pin(std::future::ready(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_cannot_do_its_work_is_told_by_what_it_lacks() {
        let scopes = |scopes: &[&str]| scopes.iter().map(|&scope| scope.to_owned()).collect::<Vec<_>>();
        let good = TokenFacts { is_valid: true, scopes: scopes(&SCOPES), ..TokenFacts::default() };
        let fewer = TokenFacts { scopes: scopes(&NEEDED), ..good.clone() };
        let refused = || Err("(#200) Permissions error".to_owned());
        for (facts, read, well, words) in [
            (good.clone(), Ok(()), true, "reads the WABAs"),
            (fewer, Ok(()), true, "whatsapp_business_messaging is missing, and not needed here"),
            (TokenFacts { is_valid: false, ..good.clone() }, Ok(()), false, "no longer takes the token of a member"),
            (
                TokenFacts { scopes: scopes(&NEEDED[..1]), ..good.clone() },
                Ok(()),
                false,
                "lacks whatsapp_business_management",
            ),
            (good, refused(), false, "(#200) Permissions error"),
        ] {
            let found = judge_permissions("Permissions".into(), "a member", &facts, read);
            assert_eq!(found.is_well, well, "{found}");
            assert!(found.text.contains(words), "{found}");
        }
    }

    #[test]
    fn webhooks_are_well_only_when_meta_sends_both_fields_to_us() {
        let url: Url = "https://liteboard.example".parse().unwrap();
        let good = Subscription {
            object: "whatsapp_business_account".into(),
            callback_url: Some("https://liteboard.example/webhooks/meta".into()),
            active: true,
            fields: FIELDS.map(str::to_owned).into(),
        };
        let elsewhere = Some("https://old.example/hook".to_owned());
        for (subscriptions, well, words) in [
            (vec![good.clone()], true, "account_update and partner_solutions"),
            (vec![], false, "subscribed to none"),
            (vec![Subscription { object: "page".into(), ..good.clone() }], false, "subscribed to none"),
            (vec![Subscription { callback_url: elsewhere, ..good.clone() }], false, "https://old.example/hook"),
            (vec![Subscription { active: false, ..good.clone() }], false, "switched them off"),
            (
                vec![Subscription { fields: vec!["messages".into()], ..good }],
                false,
                "not subscribed to account_update and",
            ),
        ] {
            let found = webhooks(&subscriptions, &url);
            assert_eq!(found.is_well, well, "{found}");
            assert!(found.text.contains(words), "{found}");
        }
    }
}
