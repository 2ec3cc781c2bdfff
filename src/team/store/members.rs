//! Members: who they are, and the changes an admin makes. A partner is never left without an admin who has come at least once.

use sqlx::Result;
use time::OffsetDateTime;

use super::super::model::{Change, Member};
use crate::{db::TenantTx, sign_in::Role};

/// More than any partner's team; the page has one list of it.
const MOST: i64 = 1_000;

/// The partner's members, those who were removed at the end.
pub async fn list_members(tx: &mut TenantTx) -> Result<Vec<Member>> {
    members(tx, None).await
}

/// One of them, removed or not.
pub async fn find_member(tx: &mut TenantTx, id: i64) -> Result<Option<Member>> {
    Ok(members(tx, Some(id)).await?.pop())
}

async fn members(tx: &mut TenantTx, only: Option<i64>) -> Result<Vec<Member>> {
    let rows = sqlx::query!(
        r#"
        SELECT m.member_id, m.name, m.facebook_user_id::text AS "facebook_user_id!", m.role, m.joined_at, m.removed_at,
            coalesce(m.seen_at, m.signed_in_at) AS seen_at,
            m.role = 'admin' AND m.removed_at IS NULL AND NOT EXISTS (
                SELECT FROM members o
                WHERE o.member_id <> m.member_id AND o.role = 'admin' AND o.removed_at IS NULL AND o.signed_in_at IS NOT NULL
            ) AS "is_last_admin!"
        FROM members m
        WHERE $1::bigint IS NULL OR m.member_id = $1
        ORDER BY m.removed_at IS NOT NULL, m.role <> 'admin', m.role <> 'account_manager', lower(m.name), m.member_id
        LIMIT $2
        "#,
        only,
        MOST,
    )
    .fetch_all(&mut **tx)
    .await?;
    let members = rows.into_iter().map(|row| Member {
        id: row.member_id,
        name: if row.name.is_empty() { row.facebook_user_id } else { row.name },
        role: row.role.parse().unwrap_or(Role::Support),
        joined_at: row.joined_at,
        seen_at: row.seen_at,
        removed_at: row.removed_at,
        is_last_admin: row.is_last_admin,
    });
    Ok(members.collect())
}

/// Gives a member a role. As with each change below, the team is held (`sign_in::hold_as_admin`).
pub async fn change_role(tx: &mut TenantTx, id: i64, role: Role) -> Result<Change> {
    match find_member(tx, id).await? {
        Some(member) if member.removed_at.is_none() => {
            if member.role == role {
                return Ok(Change::Same);
            }
            if member.is_last_admin {
                return Ok(Change::LastAdmin);
            }
            sqlx::query!("UPDATE members SET role = $2 WHERE member_id = $1", id, role.as_str())
                .execute(&mut **tx)
                .await?;
            Ok(Change::Done(member))
        }
        _ => Ok(Change::Unknown),
    }
}

/// Takes a member off the team. Their deeds keep their name.
pub async fn remove_member(tx: &mut TenantTx, id: i64, now: OffsetDateTime) -> Result<Change> {
    match find_member(tx, id).await? {
        None => Ok(Change::Unknown),
        Some(member) if member.removed_at.is_some() => Ok(Change::Same),
        Some(member) if member.is_last_admin => Ok(Change::LastAdmin),
        Some(member) => {
            sqlx::query!("UPDATE members SET removed_at = $2 WHERE member_id = $1", id, now).execute(&mut **tx).await?;
            Ok(Change::Done(member))
        }
    }
}

/// Lets one in again who was removed, in the role that may do the least.
pub async fn let_back_in(tx: &mut TenantTx, id: i64) -> Result<Change> {
    match find_member(tx, id).await? {
        None => Ok(Change::Unknown),
        Some(member) if member.removed_at.is_none() => Ok(Change::Same),
        Some(member) => {
            let support = Role::Support.as_str();
            sqlx::query!("UPDATE members SET removed_at = NULL, role = $2 WHERE member_id = $1", id, support)
                .execute(&mut **tx)
                .await?;
            Ok(Change::Done(member))
        }
    }
}

#[cfg(test)]
mod tests {
    use sqlx::PgPool;

    use super::*;
    use crate::{
        db::{Db, PartnerId},
        sign_in::{hold_as_admin, name_member},
    };

    const NOW: OffsetDateTime = time::macros::datetime!(2026-11-25 10:00 UTC);

    fn partner() -> PartnerId {
        "102000000000001".parse().unwrap()
    }

    /// Members in these roles, who have all signed in.
    async fn team(db: &Db, roles: &[Role]) -> Vec<i64> {
        let mut ids = Vec::new();
        for (at, role) in roles.iter().enumerate() {
            let user = format!("12200000000000{at}").parse().unwrap();
            ids.push(name_member(db, &partner(), &user, &format!("Member {at}"), *role, NOW).await.unwrap());
        }
        let mut tx = db.tenant(&partner()).await.unwrap();
        sqlx::query!("UPDATE members SET signed_in_at = $1", NOW).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        ids
    }

    async fn role_of(tx: &mut TenantTx, id: i64) -> Role {
        find_member(tx, id).await.unwrap().unwrap().role
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn the_last_admin_can_be_neither_demoted_nor_removed(pool: PgPool) {
        let db = Db::from_pool(pool);
        let ids = team(&db, &[Role::Admin, Role::Admin, Role::Support]).await;
        let mut tx = db.tenant(&partner()).await.unwrap();
        assert!(matches!(change_role(&mut tx, ids[0], Role::Support).await.unwrap(), Change::Done(_)));
        assert_eq!(change_role(&mut tx, ids[1], Role::AccountManager).await.unwrap(), Change::LastAdmin);
        assert_eq!(remove_member(&mut tx, ids[1], NOW).await.unwrap(), Change::LastAdmin);
        assert_eq!(role_of(&mut tx, ids[1]).await, Role::Admin);
        assert!(matches!(change_role(&mut tx, ids[2], Role::Admin).await.unwrap(), Change::Done(_)));
        assert!(matches!(remove_member(&mut tx, ids[1], NOW).await.unwrap(), Change::Done(_)));
        assert_eq!(remove_member(&mut tx, ids[2], NOW).await.unwrap(), Change::LastAdmin);
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn an_admin_who_never_came_is_none_to_rely_on(pool: PgPool) {
        let db = Db::from_pool(pool);
        let ids = team(&db, &[Role::Admin]).await;
        name_member(&db, &partner(), &"99".parse().unwrap(), "Named", Role::Admin, NOW).await.unwrap();
        let mut tx = db.tenant(&partner()).await.unwrap();
        assert_eq!(change_role(&mut tx, ids[0], Role::Support).await.unwrap(), Change::LastAdmin);
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn of_two_admins_who_demote_each_other_one_is_none_any_more_when_their_turn_comes(pool: PgPool) {
        let db = Db::from_pool(pool);
        let ids = team(&db, &[Role::Admin, Role::Admin, Role::Admin]).await;
        let demote = async |by: i64, id: i64| {
            let mut tx = db.tenant(&partner()).await.unwrap();
            if !hold_as_admin(&mut tx, by).await.unwrap() {
                return None;
            }
            let change = change_role(&mut tx, id, Role::Support).await.unwrap();
            tx.commit().await.unwrap();
            Some(change)
        };
        let (one, other) = futures::future::join(demote(ids[0], ids[1]), demote(ids[1], ids[0])).await;
        let done = [&one, &other].into_iter().filter(|change| matches!(change, Some(Change::Done(_)))).count();
        assert_eq!(done, 1, "{one:?} {other:?}");
        assert!(one.is_none() || other.is_none(), "{one:?} {other:?}");
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn one_who_was_removed_comes_back_as_support_and_is_no_other_partners(pool: PgPool) {
        let db = Db::from_pool(pool);
        let ids = team(&db, &[Role::Admin, Role::Admin]).await;
        let mut tx = db.tenant(&partner()).await.unwrap();
        assert_eq!(let_back_in(&mut tx, ids[1]).await.unwrap(), Change::Same);
        remove_member(&mut tx, ids[1], NOW).await.unwrap();
        assert_eq!(change_role(&mut tx, ids[1], Role::Admin).await.unwrap(), Change::Unknown);
        assert_eq!(remove_member(&mut tx, ids[1], NOW).await.unwrap(), Change::Same);
        assert!(matches!(let_back_in(&mut tx, ids[1]).await.unwrap(), Change::Done(_)));
        assert_eq!(role_of(&mut tx, ids[1]).await, Role::Support);
        tx.commit().await.unwrap();
        let mut tx = db.tenant(&"102000000000002".parse().unwrap()).await.unwrap();
        assert_eq!(change_role(&mut tx, ids[1], Role::Admin).await.unwrap(), Change::Unknown);
        assert_eq!(remove_member(&mut tx, ids[1], NOW).await.unwrap(), Change::Unknown);
        assert_eq!(let_back_in(&mut tx, ids[1]).await.unwrap(), Change::Unknown);
        assert!(list_members(&mut tx).await.unwrap().is_empty());
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn admins_stand_first_and_the_removed_last(pool: PgPool) {
        let db = Db::from_pool(pool);
        let ids = team(&db, &[Role::Support, Role::AccountManager, Role::Admin, Role::AccountManager]).await;
        let mut tx = db.tenant(&partner()).await.unwrap();
        remove_member(&mut tx, ids[1], NOW).await.unwrap();
        let listed: Vec<_> = list_members(&mut tx).await.unwrap().into_iter().map(|member| member.id).collect();
        assert_eq!(listed, [ids[2], ids[3], ids[0], ids[1]]);
    }
}
