//! Members as the operator names them, ahead of their first sign-in or later.

use time::OffsetDateTime;

use super::{
    audit::{Act, Entry, Who, audit},
    model::Role,
    store,
    whence::Whence,
};
use crate::{
    db::{Db, PartnerId, TenantTx},
    graph::UserId,
};

/// Lets one change of a partner's team or settings go on at a time, until the transaction ends: two admins who demote each other would
/// else leave none, and of two who save settings one would write down what the other had changed.
async fn hold_team(tx: &mut TenantTx) -> sqlx::Result<()> {
    let name = format!("team:{}", tx.partner());
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", name).fetch_one(&mut **tx).await.map(drop)
}

/// Whether a member is an admin at this moment, which stays so until the transaction ends: nobody else changes the team or the
/// settings meanwhile. Whoever does first asks this, in a statement of its own: one that waits sees what was before it waited.
///
/// # Errors
/// When Postgres is gone.
pub async fn hold_as_admin(tx: &mut TenantTx, member_id: i64) -> sqlx::Result<bool> {
    hold_team(tx).await?;
    store::is_admin(tx, member_id).await
}

/// Gives a person a role at a partner, whether they have come yet or not, and gives back our id of them.
///
/// Someone who was removed is let back in. The name is what colleagues see until Meta tells it at sign-in.
///
/// # Errors
/// When Postgres can't be reached.
pub async fn name_member(
    db: &Db,
    partner: &PartnerId,
    facebook_user: &UserId,
    name: &str,
    role: Role,
    now: OffsetDateTime,
) -> sqlx::Result<i64> {
    let mut tx = db.tenant(partner).await?;
    hold_team(&mut tx).await?;
    let member_id = store::name_member(&mut tx, facebook_user, name, role, now).await?;
    let named = if name.is_empty() { facebook_user.to_string() } else { format!("{name} ({facebook_user})") };
    let (who, detail) = (Who::Other("The operator".to_owned()), format!("{named}: {}", role.word()));
    audit(&mut tx, &Entry { at: now, act: Act::RoleChanged, who, detail, whence: Whence::default() }).await?;
    tx.commit().await?;
    Ok(member_id)
}
