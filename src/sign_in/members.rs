//! Members as the operator names them, ahead of their first sign-in or later.

use time::OffsetDateTime;

use super::{
    audit::{Act, Entry, Who, audit},
    model::Role,
    store,
    whence::Whence,
};
use crate::{
    db::{Db, PartnerId},
    graph::UserId,
};

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
    let member_id = store::name_member(&mut tx, facebook_user, name, role, now).await?;
    let named = if name.is_empty() { facebook_user.to_string() } else { format!("{name} ({facebook_user})") };
    let (who, detail) = (Who::Other("The operator".to_owned()), format!("{named}: {}", role.word()));
    audit(&mut tx, &Entry { at: now, act: Act::RoleChanged, who, detail, whence: Whence::default() }).await?;
    tx.commit().await?;
    Ok(member_id)
}
