//! The SQL of partners, members and their tokens.

mod sealed;
mod senders;
mod unsent;

use sqlx::Result;
use time::OffsetDateTime;

pub(super) use self::{
    sealed::list_sealed,
    senders::{SenderRow, is_sender, list_readers, list_senders, mark_dead, mark_system_user_dead},
    unsent::{clear_unsent, find_unsent, forget_unsent, keep_unsent},
};
use super::{model::Role, partner_settings::PartnerSettings};
use crate::{
    db::TenantTx,
    graph::{Portfolio, UserId},
    vault::Sealed,
};

/// What a page needs to know of a member.
pub(super) struct MemberRow {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) partner_name: String,
    /// Why the member's token can't be used; `None` while it can.
    pub(super) token_problem: Option<String>,
    /// What the partner decided, as far as pages show it.
    pub(super) stalled_after: time::Duration,
    pub(super) raw_body_days: i32,
    /// The page with a form of theirs that didn't go through.
    pub(super) unsent_on: Option<String>,
}

/// A member who wasn't removed.
pub(super) async fn find_member(tx: &mut TenantTx, member_id: i64, now: OffsetDateTime) -> Result<Option<MemberRow>> {
    let row = sqlx::query!(
        r#"SELECT m.name, m.role, p.name AS partner_name,
               CASE
                   WHEN t.member_id IS NULL THEN 'missing'
                   WHEN t.problem IS NOT NULL THEN t.problem
                   WHEN t.expires_at <= $2 THEN 'expired'
               END AS token_problem,
               s.stalled_days AS "stalled_days?", s.raw_body_days AS "raw_body_days?",
               u.page AS "unsent_on?"
           FROM members m
           JOIN partners p ON p.partner_id = m.partner_id
           LEFT JOIN tokens t ON t.partner_id = m.partner_id AND t.member_id = m.member_id
           LEFT JOIN partner_settings s ON s.partner_id = m.partner_id
           LEFT JOIN unsent_forms u ON u.partner_id = m.partner_id AND u.member_id = m.member_id
           WHERE m.member_id = $1 AND m.removed_at IS NULL"#,
        member_id,
        now,
    )
    .fetch_optional(&mut **tx)
    .await?;
    let undecided = PartnerSettings::default();
    Ok(row.map(|row| MemberRow {
        name: row.name,
        role: role(&row.role),
        partner_name: row.partner_name,
        token_problem: row.token_problem,
        stalled_after: row
            .stalled_days
            .map_or_else(|| undecided.stalled_after(), |days| time::Duration::days(days.into())),
        raw_body_days: row.raw_body_days.unwrap_or(undecided.raw_body_days),
        unsent_on: row.unsent_on,
    }))
}

/// Whether a member who wasn't removed is an admin.
pub(super) async fn is_admin(tx: &mut TenantTx, member_id: i64) -> Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM members WHERE member_id = $1 AND role = 'admin' AND removed_at IS NULL) AS "is_one!""#,
        member_id,
    )
    .fetch_one(&mut **tx)
    .await
}

/// Notes that a member is here. Time doesn't go back: two of their browsers may note it in any order.
pub(super) async fn note_seen(tx: &mut TenantTx, member_id: i64, now: OffsetDateTime) -> Result<()> {
    sqlx::query!("UPDATE members SET seen_at = greatest(seen_at, $2) WHERE member_id = $1", member_id, now)
        .execute(&mut **tx)
        .await
        .map(drop)
}

/// Keeps what Meta says of the partner. Holds its row until the end of the transaction, so that people of one partner who
/// arrive together are admitted one after the other.
pub(super) async fn save_partner(tx: &mut TenantTx, portfolio: &Portfolio, now: OffsetDateTime) -> Result<()> {
    let partner = tx.partner().clone();
    let name = if portfolio.name.is_empty() { partner.as_str() } else { &portfolio.name };
    sqlx::query!(
        "INSERT INTO partners (partner_id, name, verification_status, first_seen_at) VALUES ($1::text, $2, $3, $4)
         ON CONFLICT (partner_id) DO UPDATE SET name = EXCLUDED.name, verification_status = EXCLUDED.verification_status",
        partner.as_str(),
        name,
        portfolio.verification_status,
        now,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// Somebody who was let in.
pub(super) struct Admitted {
    pub(super) member_id: i64,
    /// The role they were given, if they have only just joined.
    pub(super) joined_as: Option<Role>,
}

/// Lets a person in and gives back who they are here; `None` for one who was removed.
///
/// The first member a partner ever has becomes admin, later ones support; one who is known keeps the role given.
pub(super) async fn admit_member(
    tx: &mut TenantTx,
    user: &UserId,
    name: &str,
    now: OffsetDateTime,
) -> Result<Option<Admitted>> {
    let partner = tx.partner().clone();
    // A row that was there before has the transaction that locked it for its update.
    let row = sqlx::query!(
        "INSERT INTO members (partner_id, facebook_user_id, name, role, joined_at, signed_in_at, seen_at)
         SELECT $1::text, $2::text, $3::text,
             CASE WHEN EXISTS (SELECT FROM members WHERE partner_id = $1::text) THEN 'support' ELSE 'admin' END,
             $4::timestamptz, $4::timestamptz, $4::timestamptz
         ON CONFLICT (partner_id, facebook_user_id)
             DO UPDATE SET name = EXCLUDED.name, signed_in_at = EXCLUDED.signed_in_at, seen_at = EXCLUDED.seen_at
             WHERE members.removed_at IS NULL
         RETURNING member_id, CASE WHEN xmax = 0 THEN members.role END AS joined_as",
        partner.as_str(),
        user.as_str(),
        name,
        now,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|row| Admitted { member_id: row.member_id, joined_as: row.joined_as.as_deref().map(role) }))
}

/// Gives a person a role, whether they have come yet or not, and lets one back in who was removed. A name that Meta gave stays.
pub(super) async fn name_member(
    tx: &mut TenantTx,
    user: &UserId,
    name: &str,
    role: Role,
    now: OffsetDateTime,
) -> Result<i64> {
    let partner = tx.partner().clone();
    sqlx::query_scalar!(
        "INSERT INTO members (partner_id, facebook_user_id, name, role, joined_at)
         VALUES ($1::text, $2::text, $3, $4, $5)
         ON CONFLICT (partner_id, facebook_user_id)
             DO UPDATE SET role = EXCLUDED.role, removed_at = NULL,
                 name = CASE WHEN members.signed_in_at IS NULL THEN EXCLUDED.name ELSE members.name END
         RETURNING member_id",
        partner.as_str(),
        user.as_str(),
        name,
        role.as_str(),
        now,
    )
    .fetch_one(&mut **tx)
    .await
}

/// Keeps a member's new token in place of any earlier one, whose problem goes with it.
pub(super) async fn save_token(
    tx: &mut TenantTx,
    member_id: i64,
    sealed: &Sealed,
    scopes: &[String],
    expires_at: Option<OffsetDateTime>,
    now: OffsetDateTime,
) -> Result<()> {
    let partner = tx.partner().clone();
    sqlx::query!(
        "INSERT INTO tokens (partner_id, member_id, sealed, key_id, scopes, expires_at, stored_at)
         VALUES ($1::text, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (partner_id, member_id)
             DO UPDATE SET sealed = EXCLUDED.sealed, key_id = EXCLUDED.key_id, scopes = EXCLUDED.scopes,
                 expires_at = EXCLUDED.expires_at, stored_at = EXCLUDED.stored_at, problem = NULL, problem_at = NULL",
        partner.as_str(),
        member_id,
        sealed.bytes,
        sealed.key_id,
        scopes,
        expires_at,
        now,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// A token as it is kept.
pub(super) struct TokenRow {
    pub(super) member_id: i64,
    pub(super) sealed: Sealed,
    pub(super) problem: Option<String>,
    pub(super) stored_at: OffsetDateTime,
}

/// The partner's tokens, the best first: those that work, of those who may onboard, the latest.
pub(super) async fn list_tokens(tx: &mut TenantTx) -> Result<Vec<TokenRow>> {
    let rows = sqlx::query!(
        "SELECT t.member_id, t.sealed, t.key_id, t.problem, t.stored_at
         FROM tokens t JOIN members m ON m.member_id = t.member_id
         WHERE m.removed_at IS NULL
         ORDER BY t.problem IS NOT NULL, m.role = 'support', t.stored_at DESC
         LIMIT 20",
    )
    .fetch_all(&mut **tx)
    .await?;
    let tokens = rows.into_iter().map(|row| TokenRow {
        member_id: row.member_id,
        sealed: Sealed { key_id: row.key_id, bytes: row.sealed },
        problem: row.problem,
        stored_at: row.stored_at,
    });
    Ok(tokens.collect())
}

/// A role this program doesn't know, written by a newer one, may do the least.
fn role(text: &str) -> Role {
    text.parse().unwrap_or(Role::Support)
}

#[cfg(test)]
mod tests {
    use sqlx::PgPool;
    use time::Duration;

    use super::*;
    use crate::{
        db::{Db, PartnerId},
        graph::BusinessId,
        sign_in,
        vault::Vault,
    };

    const NOW: OffsetDateTime = time::macros::datetime!(2026-11-22 10:00 UTC);
    const KEY: &str = "k1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

    fn partner() -> PartnerId {
        "102000000000001".parse().unwrap()
    }

    async fn arrive(tx: &mut TenantTx, user: &str, name: &str) -> Option<i64> {
        let id: BusinessId = tx.partner().as_business().clone();
        let portfolio = Portfolio { id, name: "Brightwave".into(), verification_status: Some("VERIFIED".into()) };
        save_partner(tx, &portfolio, NOW).await.unwrap();
        admit_member(tx, &user.parse().unwrap(), name, NOW).await.unwrap().map(|admitted| admitted.member_id)
    }

    async fn role_of(tx: &mut TenantTx, member_id: i64) -> Role {
        find_member(tx, member_id, NOW).await.unwrap().unwrap().role
    }

    async fn keep_token(tx: &mut TenantTx, vault: &Vault, member_id: i64, token: &str, now: OffsetDateTime) {
        let sealed = sign_in::tokens::seal(vault, &tx.partner().clone(), member_id, &token.to_owned().into()).unwrap();
        save_token(tx, member_id, &sealed, &["business_management".into()], None, now).await.unwrap();
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn the_first_member_becomes_admin_and_later_ones_support(pool: PgPool) {
        let db = Db::from_pool(pool);
        let mut tx = db.tenant(&partner()).await.unwrap();
        let first = arrive(&mut tx, "11", "Ines").await.unwrap();
        let second = arrive(&mut tx, "12", "Jonas").await.unwrap();
        assert_eq!((role_of(&mut tx, first).await, role_of(&mut tx, second).await), (Role::Admin, Role::Support));
        assert_eq!(arrive(&mut tx, "11", "Ines Carvalho").await, Some(first), "who comes again is the same member");
        let row = find_member(&mut tx, first, NOW).await.unwrap().unwrap();
        assert_eq!(
            (row.name.as_str(), row.role, row.partner_name.as_str()),
            ("Ines Carvalho", Role::Admin, "Brightwave")
        );
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn two_who_arrive_first_together_are_not_both_admin(pool: PgPool) {
        let db = Db::from_pool(pool);
        let arriving = async |user: &'static str| {
            let mut tx = db.tenant(&partner()).await.unwrap();
            let member_id = arrive(&mut tx, user, user).await.unwrap();
            let role = role_of(&mut tx, member_id).await;
            tx.commit().await.unwrap();
            role
        };
        let (one, two) = futures::future::join(arriving("11"), arriving("12")).await;
        assert!(one != two, "{one} and {two}");
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn one_named_beforehand_keeps_the_role_given(pool: PgPool) {
        let db = Db::from_pool(pool);
        let user = "13".parse().unwrap();
        let named = sign_in::name_member(&db, &partner(), &user, "Mia", Role::AccountManager, NOW).await.unwrap();
        let mut tx = db.tenant(&partner()).await.unwrap();
        assert_eq!(arrive(&mut tx, "13", "Mia Okafor").await, Some(named));
        assert_eq!(role_of(&mut tx, named).await, Role::AccountManager);
        let other = arrive(&mut tx, "14", "Noor").await.unwrap();
        assert_eq!(role_of(&mut tx, other).await, Role::Support, "the partner had a member already");
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn the_operator_changes_a_role_and_lets_back_in_whom_an_admin_removed(pool: PgPool) {
        let db = Db::from_pool(pool);
        let mut tx = db.tenant(&partner()).await.unwrap();
        let member_id = arrive(&mut tx, "11", "Ines").await.unwrap();
        sqlx::query!("UPDATE members SET removed_at = $1", NOW).execute(&mut *tx).await.unwrap();
        assert_eq!(arrive(&mut tx, "11", "Ines").await, None, "who was removed stays out");
        assert!(find_member(&mut tx, member_id, NOW).await.unwrap().is_none());
        tx.commit().await.unwrap();
        let user = "11".parse().unwrap();
        let named = sign_in::name_member(&db, &partner(), &user, "typed", Role::Support, NOW).await.unwrap();
        assert_eq!(named, member_id);
        let mut tx = db.tenant(&partner()).await.unwrap();
        let row = find_member(&mut tx, member_id, NOW).await.unwrap().unwrap();
        assert_eq!((row.role, row.name.as_str()), (Role::Support, "Ines"), "Meta's name stays");
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn a_member_is_seen_by_no_other_partner(pool: PgPool) {
        let db = Db::from_pool(pool);
        let vault = Vault::from_setting(&KEY.into()).unwrap();
        let mut tx = db.tenant(&partner()).await.unwrap();
        let member_id = arrive(&mut tx, "11", "Ines").await.unwrap();
        keep_token(&mut tx, &vault, member_id, "EAAB-ines", NOW).await;
        tx.commit().await.unwrap();
        let rival: PartnerId = "102000000000002".parse().unwrap();
        let mut tx = db.tenant(&rival).await.unwrap();
        assert!(find_member(&mut tx, member_id, NOW).await.unwrap().is_none());
        let refusal = sign_in::any_live_token(&db, &vault, &rival).await.unwrap_err();
        assert!(matches!(refusal, sign_in::TokenError::Missing), "{refusal}");
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn a_token_is_sealed_at_rest_and_opens_for_its_member(pool: PgPool) {
        let db = Db::from_pool(pool);
        let vault = Vault::from_setting(&KEY.into()).unwrap();
        let mut tx = db.tenant(&partner()).await.unwrap();
        let member_id = arrive(&mut tx, "11", "Ines").await.unwrap();
        assert_eq!(token_problem(&mut tx, member_id).await.as_deref(), Some("missing"));
        keep_token(&mut tx, &vault, member_id, "EAAB-ines", NOW).await;
        assert_eq!(token_problem(&mut tx, member_id).await, None);
        tx.commit().await.unwrap();
        let kept = sqlx::query_scalar!("SELECT sealed FROM tokens").fetch_one(db.pool()).await.unwrap();
        assert!(!kept.windows(4).any(|part| part == b"ines"), "no part of the token is readable");
        let live = sign_in::any_live_token(&db, &vault, &partner()).await.unwrap();
        assert_eq!(secrecy::ExposeSecret::expose_secret(&live.token), "EAAB-ines");
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn a_dead_token_is_used_no_more_until_its_member_signs_in_again(pool: PgPool) {
        let db = Db::from_pool(pool);
        let vault = Vault::from_setting(&KEY.into()).unwrap();
        let mut tx = db.tenant(&partner()).await.unwrap();
        let member_id = arrive(&mut tx, "11", "Ines").await.unwrap();
        keep_token(&mut tx, &vault, member_id, "EAAB-old", NOW).await;
        mark_dead(&mut tx, member_id, NOW, "revoked", NOW).await.unwrap();
        mark_dead(&mut tx, member_id, NOW, "other", NOW).await.unwrap();
        assert_eq!(token_problem(&mut tx, member_id).await.as_deref(), Some("revoked"), "the first reason stays");
        tx.commit().await.unwrap();
        let refusal = sign_in::any_live_token(&db, &vault, &partner()).await.unwrap_err();
        assert!(matches!(refusal, sign_in::TokenError::Dead { problem } if problem == "revoked"));
        let mut tx = db.tenant(&partner()).await.unwrap();
        keep_token(&mut tx, &vault, member_id, "EAAB-fresh", NOW).await;
        tx.commit().await.unwrap();
        assert!(sign_in::any_live_token(&db, &vault, &partner()).await.is_ok());
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn a_token_that_came_while_a_sync_read_is_not_blamed_for_the_one_before(pool: PgPool) {
        let db = Db::from_pool(pool);
        let vault = Vault::from_setting(&KEY.into()).unwrap();
        let mut tx = db.tenant(&partner()).await.unwrap();
        let member_id = arrive(&mut tx, "11", "Ines").await.unwrap();
        keep_token(&mut tx, &vault, member_id, "EAAB-old", NOW).await;
        tx.commit().await.unwrap();
        let old = sign_in::any_live_token(&db, &vault, &partner()).await.unwrap();
        let mut tx = db.tenant(&partner()).await.unwrap();
        keep_token(&mut tx, &vault, member_id, "EAAB-fresh", NOW + Duration::MINUTE).await;
        sign_in::mark_dead(&mut tx, &old.whose, "expired", NOW + Duration::MINUTE).await.unwrap();
        assert_eq!(token_problem(&mut tx, member_id).await, None);
        tx.commit().await.unwrap();
        let fresh = sign_in::any_live_token(&db, &vault, &partner()).await.unwrap();
        assert_ne!(old.whose, fresh.whose);
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn the_partners_token_is_the_latest_that_works_and_supports_comes_last(pool: PgPool) {
        let db = Db::from_pool(pool);
        let vault = Vault::from_setting(&KEY.into()).unwrap();
        let refusal = sign_in::any_live_token(&db, &vault, &partner()).await.unwrap_err();
        assert!(matches!(refusal, sign_in::TokenError::Missing), "{refusal}");
        let mut tx = db.tenant(&partner()).await.unwrap();
        let admin = arrive(&mut tx, "11", "Ines").await.unwrap();
        let manager = name_member(&mut tx, &"12".parse().unwrap(), "Mia", Role::AccountManager, NOW).await.unwrap();
        let support = arrive(&mut tx, "13", "Jonas").await.unwrap();
        for (minutes, member_id) in [(0, admin), (1, manager), (2, support)] {
            keep_token(&mut tx, &vault, member_id, "EAAB", NOW + Duration::minutes(minutes)).await;
        }
        tx.commit().await.unwrap();
        for expected in [manager, admin, support] {
            let live = sign_in::any_live_token(&db, &vault, &partner()).await.unwrap();
            assert_eq!(live.member_id, expected);
            let mut tx = db.tenant(&partner()).await.unwrap();
            sign_in::mark_dead(&mut tx, &live.whose, "expired", NOW).await.unwrap();
            tx.commit().await.unwrap();
        }
        let refusal = sign_in::any_live_token(&db, &vault, &partner()).await.unwrap_err();
        assert!(matches!(refusal, sign_in::TokenError::Dead { .. }), "{refusal}");
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn a_token_past_its_end_is_a_problem_to_its_member(pool: PgPool) {
        let db = Db::from_pool(pool);
        let vault = Vault::from_setting(&KEY.into()).unwrap();
        let mut tx = db.tenant(&partner()).await.unwrap();
        let member_id = arrive(&mut tx, "11", "Ines").await.unwrap();
        let sealed = sign_in::tokens::seal(&vault, &partner(), member_id, &"EAAB".to_owned().into()).unwrap();
        for (end, problem) in [(NOW + Duration::days(60), None), (NOW, Some("expired"))] {
            save_token(&mut tx, member_id, &sealed, &[], Some(end), NOW).await.unwrap();
            assert_eq!(token_problem(&mut tx, member_id).await.as_deref(), problem);
        }
    }

    async fn token_problem(tx: &mut TenantTx, member_id: i64) -> Option<String> {
        find_member(tx, member_id, NOW).await.unwrap().unwrap().token_problem
    }
}
