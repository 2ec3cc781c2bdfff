//! Laws of drafts, on a real Postgres.

mod check;
mod rows;
mod start;
mod write;

use sqlx::PgPool;
use time::{Duration, OffsetDateTime, macros::datetime};

use super::{
    super::{
        groups::Group,
        model::{Finding, ListedRow},
        reader::{Reader, Row},
    },
    *,
};
use crate::{
    businesses::Standing,
    db::{Db, PartnerId, TenantTx},
    graph::BusinessId,
    onboarding::store::hold_starts,
};

const NOW: OffsetDateTime = datetime!(2026-11-24 10:00 UTC);

/// A partner with one member.
struct Desk {
    db: Db,
    partner: PartnerId,
    member: i64,
}

impl Desk {
    async fn of(pool: &PgPool, partner: &str) -> Self {
        let (db, partner) = (Db::from_pool(pool.clone()), partner.parse::<PartnerId>().unwrap());
        let mut tx = db.tenant(&partner).await.unwrap();
        let id = partner.as_str();
        sqlx::query!("INSERT INTO partners (partner_id, name, first_seen_at) VALUES ($1, 'Northlane', $2)", id, NOW)
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let desk = Self { db, partner, member: 0 };
        let member = desk.hire("7").await;
        Self { member, ..desk }
    }

    /// Another member.
    async fn hire(&self, person: &str) -> i64 {
        let mut tx = self.tx().await;
        let member = sqlx::query_scalar!(
            "INSERT INTO members (partner_id, facebook_user_id, name, role, joined_at) VALUES ($1, $2, 'Ines', 'admin', $3)
             RETURNING member_id",
            self.partner.as_str(),
            person,
            NOW,
        )
        .fetch_one(&mut *tx)
        .await
        .unwrap();
        tx.commit().await.unwrap();
        member
    }

    async fn tx(&self) -> TenantTx {
        self.db.tenant(&self.partner).await.unwrap()
    }

    /// A business that stands so, with a WABA whose id is the business's with a 9 before it.
    async fn business(&self, id: &str, standing: Standing) {
        let mut tx = self.tx().await;
        sqlx::query!(
            "WITH made AS (
                INSERT INTO businesses (partner_id, business_id, name, name_key, words, standing, first_seen_at)
                VALUES ($1, $2::text, 'Business ' || $2, 'business ' || $2, '', $3, $4) RETURNING partner_id, business_id
            )
            INSERT INTO wabas (partner_id, waba_id, business_id, name, link, first_seen_at, changed_at)
            SELECT partner_id, '9' || business_id, business_id, 'WABA', 'shared', $4, $4 FROM made",
            self.partner.as_str(),
            id,
            standing.as_str(),
            NOW,
        )
        .execute(&mut *tx)
        .await
        .unwrap();
        tx.commit().await.unwrap();
    }

    async fn businesses(&self, ids: impl IntoIterator<Item = &str>) {
        for id in ids {
            self.business(id, Standing::Eligible).await;
        }
    }

    async fn solution(&self, id: &str, status: &str) {
        let mut tx = self.tx().await;
        sqlx::query!(
            "INSERT INTO solutions (partner_id, solution_id, name, status, role, seen_at) VALUES ($1, $2, 'S', $3, 'owner', $4)",
            self.partner.as_str(),
            id,
            status,
            NOW,
        )
        .execute(&mut *tx)
        .await
        .unwrap();
        tx.commit().await.unwrap();
    }

    /// A checked draft of a list.
    async fn draft(&self, list: &str) -> DraftNumber {
        let mut tx = self.tx().await;
        let number = begin(&mut tx, self.member, Source::List, Some("wave.csv"), NOW).await.unwrap();
        add_rows(&mut tx, number, &read(list)).await.unwrap();
        check_rows(&mut tx, number, NOW).await.unwrap();
        tx.commit().await.unwrap();
        number
    }

    async fn check(&self, number: DraftNumber) {
        let mut tx = self.tx().await;
        check_rows(&mut tx, number, NOW).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn correct(&self, number: DraftNumber, correction: Correction) {
        let mut tx = self.tx().await;
        super::correct(&mut tx, number, &correction).await.unwrap();
        check_rows(&mut tx, number, NOW).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn rows(&self, number: DraftNumber) -> Vec<ListedRow> {
        list_rows(&mut self.tx().await, number, Group::All, Part::After(0), 1_000).await.unwrap()
    }

    /// Lines, findings, and the line that names the same business first.
    async fn found(&self, number: DraftNumber) -> Vec<(i32, Finding, Option<i32>)> {
        self.rows(number).await.into_iter().map(|row| (row.line, row.finding, row.same_as)).collect()
    }

    /// Starts a draft as its page does.
    async fn start(&self, number: DraftNumber) -> u64 {
        let mut tx = self.tx().await;
        hold_starts(&mut tx).await.unwrap();
        let draft = hold_draft(&mut tx, number).await.unwrap().unwrap();
        check_rows(&mut tx, number, NOW).await.unwrap();
        let to_send = count_rows(&mut tx, number).await.unwrap().of(Group::ToSend);
        let wish = Wish { member_id: self.member, name: "Wave", solution: None, to_send };
        let made = super::start(&mut tx, &draft, &wish, NOW).await.unwrap();
        tx.commit().await.unwrap();
        made
    }
}

fn read(list: &str) -> Vec<Row> {
    let (mut reader, mut rows) = (Reader::default(), Vec::new());
    reader.feed(list.as_bytes(), &mut rows).unwrap();
    reader.finish(&mut rows).unwrap();
    rows
}

fn list(ids: &[&str]) -> String {
    format!("business_id\n{}\n", ids.join("\n"))
}

fn id(digits: &str) -> BusinessId {
    digits.parse().unwrap()
}
