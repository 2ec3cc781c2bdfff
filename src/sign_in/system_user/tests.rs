//! Which token requests are sent with, on real Postgres.

use sqlx::PgPool;
use time::{Duration, OffsetDateTime};

use super::{
    super::{
        Holder, Role, TokenError, Whose, any_live_token, can_send, connection, mark_dead, name_member, sending_token,
        store::save_token, tokens,
    },
    check::CheckedToken,
    seal, store, unseal,
};
use crate::{
    db::{Db, PartnerId, TenantTx},
    graph::Person,
    vault::{Vault, VaultError},
};

const NOW: OffsetDateTime = time::macros::datetime!(2026-11-24 10:00 UTC);
const KEY: &str = "k1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

/// A partner with an admin, an account manager and someone from support, none of whom has a token yet.
struct House {
    db: Db,
    vault: Vault,
    partner: PartnerId,
    admin: i64,
    manager: i64,
    support: i64,
}

impl House {
    async fn build(pool: PgPool, partner: &str) -> Self {
        let (db, partner) = (Db::from_pool(pool), partner.parse().unwrap());
        let mut members = Vec::new();
        for (user, role) in [("11", Role::Admin), ("12", Role::AccountManager), ("13", Role::Support)] {
            members.push(name_member(&db, &partner, &user.parse().unwrap(), user, role, NOW).await.unwrap());
        }
        let vault = Vault::from_setting(&KEY.into()).unwrap();
        Self { db, vault, partner, admin: members[0], manager: members[1], support: members[2] }
    }

    async fn tx(&self) -> TenantTx {
        self.db.tenant(&self.partner).await.unwrap()
    }

    async fn signs_in(&self, member_id: i64, minute: i64) {
        let token = format!("EAAB-{member_id}-{minute}").into();
        let sealed = tokens::seal(&self.vault, &self.partner, member_id, &token).unwrap();
        let mut tx = self.tx().await;
        save_token(&mut tx, member_id, &sealed, &[], None, at(minute)).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn stores(&self, minute: i64, expires_at: Option<OffsetDateTime>) {
        let checked = CheckedToken {
            token: format!("EAAB-system-{minute}").into(),
            system_user: Person { id: "900".parse().unwrap(), name: "Sender".into() },
            scopes: vec!["business_management".into()],
            expires_at,
        };
        let sealed = seal(&self.vault, &self.partner, "900", &checked.token).unwrap();
        let mut tx = self.tx().await;
        store::save(&mut tx, &checked, &sealed, self.admin, at(minute)).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Whose token a member's requests are sent with, having made sure that both rules agree.
    async fn sender(&self, member_id: i64, minute: i64) -> Option<Whose> {
        let found = sending_token(&self.db, &self.vault, &self.partner, member_id, at(minute)).await;
        let mut tx = self.tx().await;
        assert_eq!(can_send(&mut tx, member_id, at(minute)).await.unwrap(), found.is_ok(), "senders() says otherwise");
        found.ok().map(|sending| sending.whose)
    }

    async fn holder(&self, member_id: i64, minute: i64) -> Option<Holder> {
        self.sender(member_id, minute).await.map(|whose| whose.holder)
    }

    async fn refused(&self, whose: Whose, minute: i64) {
        let mut tx = self.tx().await;
        mark_dead(&mut tx, &whose, "revoked", at(minute)).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// As dispatch asks: since when the token stands that a member's requests would be sent with.
    async fn since(&self, member_id: i64, minute: i64) -> Option<OffsetDateTime> {
        let mut tx = self.tx().await;
        sqlx::query_scalar!("SELECT since FROM senders($2) AS s WHERE s.member = $1", member_id, at(minute))
            .fetch_optional(&mut *tx)
            .await
            .unwrap()
            .flatten()
    }

    async fn remove(&self, member_id: i64) {
        let mut tx = self.tx().await;
        sqlx::query!("UPDATE members SET removed_at = $2 WHERE member_id = $1", member_id, NOW)
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }
}

fn at(minute: i64) -> OffsetDateTime {
    NOW + Duration::minutes(minute)
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn the_system_users_token_goes_first_then_the_members_own(pool: PgPool) {
    let house = House::build(pool, "102000000000001").await;
    assert_eq!(house.holder(house.manager, 0).await, None);
    house.signs_in(house.admin, 0).await;
    assert_eq!(house.holder(house.manager, 1).await, None, "nobody sends with a colleague's token");
    house.signs_in(house.manager, 1).await;
    assert_eq!(house.holder(house.manager, 2).await, Some(Holder::Member(house.manager)));
    house.stores(2, None).await;
    for member in [house.admin, house.manager, house.support] {
        assert_eq!(house.holder(member, 3).await, Some(Holder::SystemUser));
    }
    let mut tx = house.tx().await;
    store::remove(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(house.holder(house.manager, 4).await, Some(Holder::Member(house.manager)));
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn what_a_removed_member_or_one_without_the_role_has_started_goes_on(pool: PgPool) {
    let house = House::build(pool, "102000000000001").await;
    house.signs_in(house.manager, 0).await;
    house.remove(house.manager).await;
    assert_eq!(house.holder(house.manager, 1).await, None, "the token of one who was removed is not used");
    house.signs_in(house.support, 1).await;
    assert_eq!(house.holder(house.manager, 2).await, None, "nor is that of one who may not send");
    house.signs_in(house.admin, 2).await;
    assert_eq!(house.holder(house.manager, 3).await, Some(Holder::Member(house.admin)));
    assert_eq!(house.holder(house.support, 3).await, Some(Holder::Member(house.support)), "their own goes first");
    let own = house.sender(house.support, 3).await.unwrap();
    house.refused(own, 3).await;
    assert_eq!(house.holder(house.support, 4).await, Some(Holder::Member(house.admin)));
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_token_that_is_refused_or_ended_gives_way_to_the_next(pool: PgPool) {
    let house = House::build(pool, "102000000000001").await;
    house.signs_in(house.manager, 0).await;
    house.stores(1, Some(at(5))).await;
    assert_eq!(house.holder(house.manager, 4).await, Some(Holder::SystemUser));
    assert_eq!(house.holder(house.manager, 5).await, Some(Holder::Member(house.manager)), "it ended");
    house.stores(6, None).await;
    let system = house.sender(house.manager, 7).await.unwrap();
    house.refused(system, 7).await;
    let own = house.sender(house.manager, 8).await.unwrap();
    assert_eq!(own.holder, Holder::Member(house.manager));
    house.refused(own, 8).await;
    let refusal = sending_token(&house.db, &house.vault, &house.partner, house.manager, at(9)).await.unwrap_err();
    assert!(matches!(&refusal, TokenError::Dead { problem } if problem == "revoked"), "{refusal}");
    house.stores(10, None).await;
    assert_eq!(house.holder(house.manager, 11).await, Some(Holder::SystemUser), "a new one has no problem");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_late_refusal_of_the_token_before_is_not_held_against_the_new_one(pool: PgPool) {
    let house = House::build(pool, "102000000000001").await;
    for minute in [0, 10] {
        house.signs_in(house.manager, minute).await;
        house.stores(minute + 1, None).await;
        if minute == 0 {
            let system = house.sender(house.manager, 2).await.unwrap();
            let own = Whose { holder: Holder::Member(house.manager), stored_at: at(0) };
            house.signs_in(house.manager, 5).await;
            house.stores(5, None).await;
            house.refused(system, 6).await;
            house.refused(own, 6).await;
            assert_eq!(house.holder(house.manager, 7).await, Some(Holder::SystemUser));
        }
    }
    let mut tx = house.tx().await;
    let connection = connection(&mut tx, house.manager, at(12)).await.unwrap();
    assert_eq!(connection.own.unwrap().problem, None);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn requests_that_waited_for_a_sign_in_learn_that_another_token_is_there(pool: PgPool) {
    let house = House::build(pool, "102000000000001").await;
    house.signs_in(house.manager, 0).await;
    assert_eq!(house.since(house.manager, 1).await, Some(at(0)));
    house.stores(2, None).await;
    assert_eq!(house.since(house.manager, 3).await, Some(at(2)));
    let system = house.sender(house.manager, 3).await.unwrap();
    house.refused(system, 4).await;
    assert_eq!(house.since(house.manager, 5).await, Some(at(4)), "what was refused at 4 is due with the next token");
    house.refused(system, 6).await;
    assert_eq!(house.since(house.manager, 7).await, Some(at(6)), "and so is what was refused with it later");
    let own = house.sender(house.manager, 7).await.unwrap();
    house.refused(own, 8).await;
    assert_eq!(house.since(house.manager, 9).await, None);
    house.signs_in(house.manager, 10).await;
    assert_eq!(house.since(house.manager, 11).await, Some(at(10)));
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn no_partner_sends_with_anothers_token_or_sees_it(pool: PgPool) {
    let house = House::build(pool.clone(), "102000000000001").await;
    let rival = House::build(pool, "102000000000002").await;
    house.stores(0, None).await;
    house.signs_in(house.manager, 0).await;
    assert_eq!(rival.holder(rival.manager, 1).await, None);
    assert_eq!(rival.holder(house.manager, 1).await, None);
    let mut tx = rival.tx().await;
    assert_eq!(connection(&mut tx, rival.admin, at(1)).await.unwrap().system_user, None);
    store::remove(&mut tx).await.unwrap();
    let whose = Whose { holder: Holder::SystemUser, stored_at: at(0) };
    mark_dead(&mut tx, &whose, "revoked", at(1)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(house.sender(house.manager, 2).await, Some(whose));
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn it_is_sealed_for_its_place_and_for_no_other(pool: PgPool) {
    let house = House::build(pool, "102000000000001").await;
    house.stores(0, None).await;
    let row = sqlx::query!("SELECT sealed, key_id FROM system_user_tokens").fetch_one(house.db.pool()).await.unwrap();
    assert!(!row.sealed.windows(6).any(|part| part == b"system"), "no part of the token is readable");
    let sealed = crate::vault::Sealed { key_id: row.key_id, bytes: row.sealed };
    assert!(unseal(&house.vault, &house.partner, "900", &sealed).is_ok());
    let rival: PartnerId = "102000000000002".parse().unwrap();
    for (partner, system_user) in [(&house.partner, "901"), (&rival, "900")] {
        let refusal = unseal(&house.vault, partner, system_user, &sealed).unwrap_err();
        assert_eq!(refusal, VaultError::Damaged, "{partner} {system_user}");
    }
    assert!(tokens::unseal(&house.vault, &house.partner, 900, &sealed).is_err(), "a member's row can't hold it");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn one_that_can_not_be_opened_gives_way(pool: PgPool) {
    let mut house = House::build(pool, "102000000000001").await;
    house.stores(0, None).await;
    house.vault = Vault::from_setting(&KEY.replace("k1:", "k2:").into()).unwrap();
    house.signs_in(house.manager, 1).await;
    assert_eq!(house.holder(house.manager, 2).await, Some(Holder::Member(house.manager)));
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn reading_for_the_partner_goes_on_with_members_tokens(pool: PgPool) {
    let house = House::build(pool, "102000000000001").await;
    house.stores(0, None).await;
    house.signs_in(house.manager, 1).await;
    let live = any_live_token(&house.db, &house.vault, &house.partner).await.unwrap();
    assert_eq!(live.member_id, house.manager);
    let mut tx = house.tx().await;
    mark_dead(&mut tx, &live.whose, "expired", at(2)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(house.holder(house.manager, 3).await, Some(Holder::SystemUser), "and sending isn't touched by that");
}
