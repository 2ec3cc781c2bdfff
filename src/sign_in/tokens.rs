//! The tokens of members, for those who call Graph in their name: opened when needed, marked when Graph refuses them.

use super::{
    sending::{Holder, Whose},
    store::{self, TokenRow},
};
use crate::{
    db::{Db, PartnerId},
    graph::AccessToken,
    vault::{Aad, Sealed, Vault, VaultError},
};

/// Permissions without which nothing here works; the third one asked for is only needed to send messages.
pub const NEEDED: [&str; 2] = ["business_management", "whatsapp_business_management"];

/// Which of [`NEEDED`] aren't among the permissions granted.
pub(super) fn missing_scopes(granted: &[String]) -> Vec<&'static str> {
    NEEDED.into_iter().filter(|needed| !granted.iter().any(|scope| scope == needed)).collect()
}

/// A token that worked when last used.
#[derive(Clone, Debug)]
pub struct LiveToken {
    /// Whose it is.
    pub member_id: i64,
    /// Which of theirs: to be handed to [`mark_dead`](super::mark_dead) when Graph refuses it.
    pub whose: Whose,
    /// The token.
    pub token: AccessToken,
}

/// Why there is no token to call with.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// None was ever kept, or its member was removed.
    #[error("no token is kept")]
    Missing,
    /// Graph refused it.
    #[error("Meta no longer accepts the token: {problem}")]
    Dead {
        /// Why, as [`mark_dead`](super::mark_dead) was told.
        problem: String,
    },
    /// It can't be opened.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Postgres.
    #[error(transparent)]
    Db(#[from] sqlx::Error),
}

/// A token to read with for the partner as a whole: of those that work the latest, admins' and account managers' first.
///
/// Its end isn't looked at here: Graph decides what it accepts, and who calls marks what it refuses.
///
/// # Errors
/// When there is none that could work, or it can't be read: why, of the best there is.
pub async fn any_live_token(db: &Db, vault: &Vault, partner: &PartnerId) -> Result<LiveToken, TokenError> {
    let mut tx = db.tenant(partner).await?;
    let rows = store::list_tokens(&mut tx).await?;
    let mut best_refusal = None;
    for row in rows {
        match open(vault, partner, row) {
            Ok(token) => return Ok(token),
            Err(refusal) => _ = best_refusal.get_or_insert(refusal),
        }
    }
    Err(best_refusal.unwrap_or(TokenError::Missing))
}

/// Seals a token for the row of its member.
pub(super) fn seal(
    vault: &Vault,
    partner: &PartnerId,
    member_id: i64,
    token: &AccessToken,
) -> Result<Sealed, VaultError> {
    use secrecy::ExposeSecret;
    let row = member_id.to_string();
    vault.seal(&aad(partner, &row), &token.expose_secret().into())
}

fn open(vault: &Vault, partner: &PartnerId, row: TokenRow) -> Result<LiveToken, TokenError> {
    if let Some(problem) = row.problem {
        return Err(TokenError::Dead { problem });
    }
    let token = unseal(vault, partner, row.member_id, &row.sealed)?;
    let whose = Whose { holder: Holder::Member(row.member_id), stored_at: row.stored_at };
    Ok(LiveToken { member_id: row.member_id, whose, token })
}

/// Opens a token that [`seal`] sealed for the same member.
pub(super) fn unseal(
    vault: &Vault,
    partner: &PartnerId,
    member_id: i64,
    sealed: &Sealed,
) -> Result<AccessToken, VaultError> {
    vault.open(&aad(partner, &member_id.to_string()), sealed).map(AccessToken::from)
}

fn aad<'a>(partner: &'a PartnerId, row: &'a str) -> Aad<'a> {
    Aad { table: "tokens", row, partner: partner.as_str() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::SCOPES;

    #[test]
    fn a_missing_permission_is_named() {
        let granted = |scopes: &[&str]| scopes.iter().map(|&scope| scope.to_owned()).collect::<Vec<_>>();
        assert!(
            missing_scopes(&granted(&["whatsapp_business_management", "public_profile", "business_management"]))
                .is_empty()
        );
        assert_eq!(missing_scopes(&granted(&["business_management"])), ["whatsapp_business_management"]);
        assert_eq!(missing_scopes(&[]), NEEDED);
        assert!(NEEDED.iter().all(|needed| SCOPES.contains(needed)), "what is needed is asked for");
    }
}
