//! Which token a member's requests are sent with, and what becomes of it when Graph refuses it.
//!
//! Meta's guide asks for a system user's token, so that goes first; then the member's own. What a member has started goes on
//! when they are removed or may send no more: with the token of another who may. `senders` in the database says by the same
//! rule whose requests can be sent at all.

use time::OffsetDateTime;

use super::{
    store::{self, SenderRow},
    system_user, tokens,
    tokens::TokenError,
};
use crate::{
    db::{Db, PartnerId, TenantTx},
    graph::AccessToken,
    vault::Vault,
};

/// A token to send with.
#[derive(Clone, Debug)]
pub struct SendingToken {
    /// Whose it is: to be handed to [`mark_dead`] when Graph refuses it.
    pub whose: Whose,
    /// The token.
    pub token: AccessToken,
}

/// Whose token it is, and which of theirs: a newer one isn't blamed for what the one before was refused for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Whose {
    /// Whom it acts for at Meta.
    pub holder: Holder,
    pub(super) stored_at: OffsetDateTime,
}

/// Whom a token acts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Holder {
    /// The partner's system user.
    SystemUser,
    /// A member, by our id.
    Member(i64),
}

/// The token that a member's requests are sent with.
///
/// # Errors
/// When there is none that could work, or none can be read: why the best one can't.
pub async fn sending_token(
    db: &Db,
    vault: &Vault,
    partner: &PartnerId,
    member_id: i64,
    now: OffsetDateTime,
) -> Result<SendingToken, TokenError> {
    let mut tx = db.tenant_by_keys(partner).await?;
    let rows = store::list_senders(&mut tx, member_id, now).await?;
    drop(tx);
    first_good(vault, partner, rows)
}

/// A token to read with for the partner as a whole: of members' that work the latest, as syncs read; else the system user's, which
/// may see less.
///
/// # Errors
/// As [`sending_token`].
pub async fn reading_token(
    db: &Db,
    vault: &Vault,
    partner: &PartnerId,
    now: OffsetDateTime,
) -> Result<SendingToken, TokenError> {
    let mut tx = db.tenant(partner).await?;
    let rows = store::list_readers(&mut tx, now).await?;
    drop(tx);
    first_good(vault, partner, rows)
}

fn first_good(vault: &Vault, partner: &PartnerId, rows: Vec<SenderRow>) -> Result<SendingToken, TokenError> {
    let mut best_refusal = None;
    for row in rows {
        match open(vault, partner, row) {
            Ok(token) => return Ok(token),
            Err(refusal) => {
                if let TokenError::Vault(error) = &refusal {
                    tracing::error!(%partner, %error, "a token can't be opened");
                }
                best_refusal.get_or_insert(refusal);
            }
        }
    }
    Err(best_refusal.unwrap_or(TokenError::Missing))
}

/// Whether there is a token that a member's requests can be sent with.
///
/// # Errors
/// When Postgres is gone.
pub async fn can_send(tx: &mut TenantTx, member_id: i64, now: OffsetDateTime) -> sqlx::Result<bool> {
    store::is_sender(tx, member_id, now).await
}

/// Notes that Graph refused a token, so that nobody sends with it; `problem` as `graph::TokenProblem` spells it. Once the
/// transaction commits, its requests go on with the next token in line, or wait for one.
///
/// # Errors
/// When Postgres is gone.
pub async fn mark_dead(tx: &mut TenantTx, whose: &Whose, problem: &str, now: OffsetDateTime) -> sqlx::Result<()> {
    match whose.holder {
        Holder::SystemUser => store::mark_system_user_dead(tx, whose.stored_at, problem, now).await,
        Holder::Member(member_id) => store::mark_dead(tx, member_id, whose.stored_at, problem, now).await,
    }
}

fn open(vault: &Vault, partner: &PartnerId, row: SenderRow) -> Result<SendingToken, TokenError> {
    let SenderRow { holder, system_user, sealed, problem, stored_at } = row;
    if let Some(problem) = problem {
        return Err(TokenError::Dead { problem });
    }
    let token = match holder {
        Holder::Member(member_id) => tokens::unseal(vault, partner, member_id, &sealed)?,
        Holder::SystemUser => system_user::unseal(vault, partner, &system_user.unwrap_or_default(), &sealed)?,
    };
    Ok(SendingToken { whose: Whose { holder, stored_at }, token })
}
