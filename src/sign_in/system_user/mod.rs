//! The token of the partner's system user, which requests are sent with before any member's: Meta's guide asks for one.
//!
//! Who calls: the settings page through [`connection`], browsers through the doors in `api.rs`, [`super::sending`] to open it.
//!
//! What always holds:
//! - only admins store or remove it, and nothing ever shows it again: not a page, an address, a log line or an error;
//! - before it's kept Meta was asked what it is (`debug_token`), and the partner's WABAs were read with it;
//! - it's sealed for this table, this partner and this system user.

mod api;
mod check;
mod refusal;
mod store;

pub use self::{
    api::{RemoveSystemUserToken, StoreSystemUserToken},
    refusal::Refusal,
    store::{Connection, OwnToken, SystemUserToken, connection},
};
use crate::{
    db::PartnerId,
    graph::AccessToken,
    vault::{Aad, Sealed, Vault, VaultError},
};

/// Seals a token for the partner's row.
fn seal(vault: &Vault, partner: &PartnerId, system_user: &str, token: &AccessToken) -> Result<Sealed, VaultError> {
    use secrecy::ExposeSecret;
    vault.seal(&aad(partner, system_user), &token.expose_secret().into())
}

/// Opens what [`seal`] sealed.
pub(super) fn unseal(
    vault: &Vault,
    partner: &PartnerId,
    system_user: &str,
    sealed: &Sealed,
) -> Result<AccessToken, VaultError> {
    vault.open(&aad(partner, system_user), sealed).map(AccessToken::from)
}

fn aad<'a>(partner: &'a PartnerId, system_user: &'a str) -> Aad<'a> {
    Aad { table: "system_user_tokens", row: system_user, partner: partner.as_str() }
}

#[cfg(test)]
mod tests;
