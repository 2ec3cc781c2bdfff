//! For who runs Liteboard: whether the tokens that are kept can be opened with the keys given.

use super::{
    sending::SendingToken,
    store, system_user,
    tokens::{self, TokenError, any_live_token},
};
use crate::{
    db::{Db, PartnerId},
    graph::AccessToken,
    vault::{Sealed, Vault, VaultError},
};

/// Whose sealed token it is.
pub(super) enum Owner {
    Member(i64),
    /// Meta's id of the system user.
    SystemUser(String),
}

/// A token that is kept, tried.
#[derive(Clone, Debug)]
pub struct TriedToken {
    /// Which key it was sealed with.
    pub key_id: String,
    /// Whether it opens.
    pub opened: Result<(), VaultError>,
}

/// Tries every token kept for a partner. None of them is handed out.
///
/// # Errors
/// When Postgres can't be reached.
pub async fn try_tokens(db: &Db, vault: &Vault, partner: &PartnerId) -> sqlx::Result<Vec<TriedToken>> {
    let mut tx = db.tenant(partner).await?;
    let kept = store::list_sealed(&mut tx).await?;
    let opened = |owner: &Owner, sealed: &Sealed| match owner {
        Owner::Member(member_id) => tokens::unseal(vault, partner, *member_id, sealed),
        Owner::SystemUser(id) => system_user::unseal(vault, partner, id, sealed),
    };
    let tried = kept
        .into_iter()
        .map(|(owner, sealed)| TriedToken { opened: opened(&owner, &sealed).map(drop), key_id: sealed.key_id });
    Ok(tried.collect())
}

/// The token that speaks for a partner as a whole: the system user's, else that of a member; and whose it is, in words.
///
/// # Errors
/// As [`any_live_token`].
pub async fn partner_token(
    db: &Db,
    vault: &Vault,
    partner: &PartnerId,
    now: time::OffsetDateTime,
) -> Result<(AccessToken, &'static str), TokenError> {
    // Nobody has this number, so no member's own token is in line.
    let system_users = super::sending::sending_token(db, vault, partner, 0, now).await;
    if let Ok(SendingToken { token, .. }) = system_users {
        return Ok((token, "the system user"));
    }
    let live = any_live_token(db, vault, partner).await?;
    Ok((live.token, "a member"))
}
