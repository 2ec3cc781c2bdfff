//! From Facebook's code to a member with a token: who this is, for which partners, and whether Meta lets them work for these.
//!
//! What `debug_token` says is checked, and so is one real read for each partner: Meta once named wrong permissions (6.5).

use secrecy::SecretString;
use time::OffsetDateTime;
use url::Url;

use super::{
    SignIn,
    audit::{Act, Entry, Who, audit},
    problem::{Kind, SignInProblem},
    session::{Membership, SignedIn},
    store,
    store::Admitted,
    tokens,
    tokens::missing_scopes,
    whence::Whence,
};
use crate::{
    db::PartnerId,
    graph::{self, AccessToken, Caller, Cause, GrantedToken, Origin, Person, Portfolio},
    reconcile::wake,
    telemetry::mishap,
    vault::VaultError,
};

/// Pages of someone's businesses that are looked through: 5,000 of them.
const MOST_PAGES: usize = 50;

/// A token that passed every check.
struct CheckedToken {
    token: AccessToken,
    scopes: Vec<String>,
    expires_at: Option<OffsetDateTime>,
}

/// Turns the code into someone signed in, with a token kept for each of their partners.
///
/// # Errors
/// What the sign-in page tells. Then nothing was kept, save for partners that had been dealt with when Postgres went away.
pub(super) async fn sign_in(
    state: &SignIn,
    code: &SecretString,
    verifier: &SecretString,
    whence: &Whence,
) -> Result<SignedIn, SignInProblem> {
    let token = fetch_token(state, code, verifier).await?;
    let caller = state.graph.with_token(token.token.clone(), Origin::default());
    let person = caller.me().await.map_err(refused)?;
    let portfolios = find_partners(state, &caller).await?;
    let arrival = Arrival { state, person: &person, token: &token, whence };
    let portfolios = arrival.readable(&caller, portfolios).await?;
    let mut memberships = Vec::new();
    for portfolio in portfolios {
        memberships.extend(arrival.admit(portfolio).await?);
    }
    if memberships.is_empty() {
        return Err(Kind::Removed.into());
    }
    Ok(SignedIn::new(person.id, memberships, whence.clone()))
}

/// Code to token, to long-lived token, to what Meta says of it (6.2, 6.4, 6.5).
async fn fetch_token(
    state: &SignIn,
    code: &SecretString,
    verifier: &SecretString,
) -> Result<CheckedToken, SignInProblem> {
    let (graph, origin) = (&state.graph, Origin::default());
    let redirect_uri = callback_url(&state.public_url).ok_or(Kind::Unexpected)?;
    let granted = graph.exchange_code(&origin, code, &redirect_uri, verifier).await.map_err(refused)?;
    let granted = match graph.long_lived(&origin, &granted.token).await {
        Ok(lasting) => lasting,
        // A configuration of Facebook Login for Business may give a system user's token (6.1): it lasts, and can't be exchanged.
        Err(error) if graph.settings().login_config_id.is_some() && error.kind() == graph::Kind::Refused => granted,
        Err(error) => return Err(refused(error)),
    };
    let facts = graph.debug_token(&origin, &granted.token).await.map_err(refused)?;
    let now = state.clock.now();
    if !facts.is_valid || facts.expires_at.is_some_and(|end| end <= now) {
        tracing::warn!("Meta gave a token that it calls invalid or expired");
        return Err(Kind::Refused.into());
    }
    if facts.app_id.as_ref() != Some(&graph.settings().app_id) {
        tracing::warn!(app = ?facts.app_id, "Meta gave a token of another app");
        return Err(Kind::Refused.into());
    }
    let missing = missing_scopes(&facts.scopes);
    if !missing.is_empty() {
        return Err(SignInProblem::missing(missing));
    }
    let GrantedToken { token, expires_in } = granted;
    let expires_at = facts.expires_at.or_else(|| now.checked_add(expires_in?.try_into().ok()?));
    Ok(CheckedToken { token, scopes: facts.scopes, expires_at })
}

/// Where Facebook sends people back to; it must be the very same at both ends of a sign-in.
pub(super) fn callback_url(public_url: &Url) -> Option<Url> {
    public_url.join("/sign-in/callback").ok()
}

/// The partners among the person's businesses.
async fn find_partners(state: &SignIn, caller: &Caller) -> Result<Vec<Portfolio>, SignInProblem> {
    let (mut partners, mut others) = (Vec::<Portfolio>::new(), 0_usize);
    let mut cursor = None;
    for _ in 0..MOST_PAGES {
        let page = caller.my_businesses(cursor.as_ref()).await.map_err(refused)?;
        for portfolio in page.items {
            if !state.partners.iter().any(|partner| *partner.as_business() == portfolio.id) {
                others += 1;
            } else if !partners.iter().any(|known| known.id == portfolio.id) {
                partners.push(portfolio);
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    match (partners.is_empty(), others) {
        (false, _) => Ok(partners),
        (true, 0) => Err(Kind::NoPartner.into()),
        (true, _) => Err(Kind::NotListed.into()),
    }
}

#[derive(Debug, thiserror::Error)]
enum NotKept {
    #[error(transparent)]
    Db(#[from] sqlx::Error),
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// A person Meta has named, at the doors of their partners.
struct Arrival<'a> {
    state: &'a SignIn,
    person: &'a Person,
    token: &'a CheckedToken,
    whence: &'a Whence,
}

impl Arrival<'_> {
    /// Those whose WABAs Meta lets the person read; an error when there are none.
    async fn readable(&self, caller: &Caller, portfolios: Vec<Portfolio>) -> Result<Vec<Portfolio>, SignInProblem> {
        let mut readable = Vec::new();
        let mut last_refusal = None;
        for portfolio in portfolios {
            let origin = Origin { partner: Some(portfolio.id.clone()), ..Origin::default() };
            match caller.on_behalf(origin).client_wabas(&portfolio.id, None).await {
                Ok(_) => readable.push(portfolio),
                Err(error) if matches!(error.cause(), Cause::AccessDenied | Cause::NotFoundOrNoAccess) => {
                    let noted = self.note_refusal(&portfolio.id.into(), "Meta shows them no WhatsApp account").await;
                    noted.map_err(|error| SignInProblem::from(mishap(error)))?;
                    let problem = refused(error);
                    last_refusal = Some(SignInProblem { kind: Kind::NoAccess, ..problem });
                }
                Err(error) => return Err(refused(error)),
            }
        }
        match last_refusal {
            Some(refusal) if readable.is_empty() => Err(refusal),
            _ => Ok(readable),
        }
    }

    /// Lets the person in at one partner and keeps the token there; `None` where they were removed.
    async fn admit(&self, portfolio: Portfolio) -> Result<Option<Membership>, SignInProblem> {
        let partner = PartnerId::from(portfolio.id.clone());
        match self.keep(&portfolio, &partner).await {
            Ok(Some(member_id)) => {
                tracing::info!(member_id, %partner, "signed in");
                Ok(Some(Membership { partner, partner_name: portfolio.name, member_id }))
            }
            Ok(None) => Ok(None),
            Err(error) => Err(mishap(error).into()),
        }
    }

    async fn keep(&self, portfolio: &Portfolio, partner: &PartnerId) -> Result<Option<i64>, NotKept> {
        let (state, person, token) = (self.state, self.person, self.token);
        let now = state.clock.now();
        let mut tx = state.db.tenant(partner).await?;
        store::save_partner(&mut tx, portfolio, now).await?;
        let Some(Admitted { member_id, joined_as }) =
            store::admit_member(&mut tx, &person.id, self.name(), now).await?
        else {
            drop(tx);
            self.note_refusal(partner, "An admin had removed them").await?;
            return Ok(None);
        };
        let sealed = tokens::seal(&state.vault, partner, member_id, &token.token)?;
        store::save_token(&mut tx, member_id, &sealed, &token.scopes, token.expires_at, now).await?;
        let detail = joined_as.map(|role| format!("Joined as {}", role.word())).unwrap_or_default();
        audit(&mut tx, &self.entry(Act::SignedIn, Who::Member(member_id), &detail)).await?;
        // What waited because there was no working token goes on.
        wake(&mut tx, "dispatch", partner).await?;
        wake(&mut tx, "sync", partner).await?;
        tx.commit().await?;
        Ok(Some(member_id))
    }

    async fn note_refusal(&self, partner: &PartnerId, why: &str) -> sqlx::Result<()> {
        let mut tx = self.state.db.tenant(partner).await?;
        audit(&mut tx, &self.entry(Act::SignInRefused, Who::Other(self.name().to_owned()), why)).await?;
        tx.commit().await
    }

    fn name(&self) -> &str {
        if self.person.name.is_empty() { self.person.id.as_str() } else { &self.person.name }
    }

    fn entry(&self, act: Act, who: Who, detail: &str) -> Entry {
        Entry { at: self.state.clock.now(), act, who, detail: detail.to_owned(), whence: self.whence.clone() }
    }
}

/// Logs what Meta said, once; the page gets the words for it and Meta's trace id.
#[expect(clippy::needless_pass_by_value, reason = "takes what map_err hands over")]
fn refused(error: graph::Error) -> SignInProblem {
    tracing::warn!(%error, "a sign-in failed at Meta");
    SignInProblem::from(&error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facebook_sends_people_back_to_the_public_address() {
        let url = |text: &str| callback_url(&text.parse().unwrap()).unwrap().to_string();
        assert_eq!(url("https://liteboard.example"), "https://liteboard.example/sign-in/callback");
        assert_eq!(url("http://127.0.0.1:3000/"), "http://127.0.0.1:3000/sign-in/callback");
    }
}
