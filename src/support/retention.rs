//! Drops raw answers, and what Meta told by webhook word for word, once they are older than they are kept: the facts read from them stay.

use std::time::Duration;

use futures::{FutureExt, future::BoxFuture};

use super::store;
use crate::{
    clock::Clock,
    db::{Db, PartnerId},
    reconcile::{CancellationToken, Next, Reconciler},
    sign_in::{PartnerSettings, partner_settings},
    webhooks,
};

/// Answers, or changes, dropped in one transaction: few enough that nobody waits for it.
const CHUNK: i64 = 500;

/// Compares the age of raw answers with how long they are kept.
pub struct DropOldAnswers {
    db: Db,
    clock: Clock,
}

impl DropOldAnswers {
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }

    async fn pass(&self, partner: &PartnerId) -> anyhow::Result<Next> {
        let now = self.clock.now();
        let due = |days: i32| now - time::Duration::days(days.into());
        let mut tx = self.db.tenant(partner).await?;
        let days = partner_settings(&mut tx).await?.raw_body_days;
        let answers = store::drop_old_bodies(&mut tx, due(days), CHUNK, now).await?;
        tx.commit().await?;
        let (most, whose) = (i32::try_from(CHUNK)?, Some(partner));
        let told = webhooks::drop_old_words(&self.db, whose, due(days), most, now).await?;
        // What Meta told of nobody we know is kept as long as it is for those who haven't decided.
        let undecided = due(PartnerSettings::default().raw_body_days);
        let nobodys = webhooks::drop_old_words(&self.db, None, undecided, most, now).await?;
        if answers + told + nobodys > 0 {
            tracing::info!(%partner, answers, told, nobodys, "raw answers and webhooks dropped for their age");
        }
        let chunk = u64::try_from(CHUNK)?;
        Ok(if [answers, told, nobodys].contains(&chunk) { Next::Again } else { Next::Idle })
    }
}

impl Reconciler for DropOldAnswers {
    fn name(&self) -> &'static str {
        "retention"
    }

    fn period(&self) -> Duration {
        Duration::from_hours(1)
    }

    fn reconcile<'a>(
        &'a self,
        partner: &'a PartnerId,
        _: &'a CancellationToken,
    ) -> BoxFuture<'a, anyhow::Result<Next>> {
        self.pass(partner).boxed()
    }
}

#[cfg(test)]
mod tests {
    use sqlx::PgPool;
    use time::Duration as Span;

    use super::*;
    use crate::{
        sign_in::{PartnerSettings, save_partner_settings},
        support::fixture::{NOW, partner, refused_call},
    };

    async fn bodies(pool: &PgPool) -> Vec<(String, String, bool)> {
        sqlx::query_as("SELECT fbtrace_id, body, body_dropped_at IS NOT NULL FROM graph_calls ORDER BY fbtrace_id")
            .fetch_all(pool)
            .await
            .unwrap()
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn an_answer_goes_when_it_is_too_old_and_its_facts_stay(pool: PgPool) {
        let db = Db::from_pool(pool.clone());
        for (owner, trace, age) in [("11", "A", 401), ("11", "B", 400), ("11", "C", 0), ("22", "D", 401)] {
            let mut call = refused_call(owner, "7", trace);
            call.started_at = NOW - Span::days(age);
            store::insert(&db, Some(&partner(owner)), &[&call]).await.unwrap();
        }
        let reconciler = DropOldAnswers::new(db.clone(), Clock::standing_at(NOW));
        assert_eq!(reconciler.pass(&partner("11")).await.unwrap(), Next::Idle);
        let left = bodies(&pool).await;
        assert_eq!(left.iter().map(|(_, _, dropped)| *dropped).collect::<Vec<_>>(), [true, false, false, false]);
        assert!(left.iter().all(|(_, body, dropped)| body.is_empty() == *dropped), "{left:?}");
        let code: Option<i64> = sqlx::query_scalar("SELECT error_code FROM graph_calls WHERE fbtrace_id = 'A'")
            .fetch_one(&pool)
            .await
            .unwrap();
        assert_eq!(code, Some(200));
        let mut tx = db.tenant(&partner("11")).await.unwrap();
        let again = store::drop_old_bodies(&mut tx, NOW - Span::days(400), 10, NOW).await.unwrap();
        assert_eq!(again, 0, "each is dropped once");
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn each_partner_says_for_how_many_days(pool: PgPool) {
        let db = Db::from_pool(pool.clone());
        let mut tx = db.tenant(&partner("11")).await.unwrap();
        let decided = PartnerSettings { raw_body_days: 30, ..PartnerSettings::default() };
        save_partner_settings(&mut tx, &decided).await.unwrap();
        tx.commit().await.unwrap();
        let reconciler = DropOldAnswers::new(db.clone(), Clock::standing_at(NOW));
        for owner in ["11", "22"] {
            for age in [30, 31] {
                let mut call = refused_call(owner, "7", &format!("{owner}-{age}"));
                call.started_at = NOW - Span::days(age);
                store::insert(&db, Some(&partner(owner)), &[&call]).await.unwrap();
            }
            reconciler.pass(&partner(owner)).await.unwrap();
        }
        let dropped: Vec<_> =
            bodies(&pool).await.into_iter().filter(|(_, _, dropped)| *dropped).map(|(trace, ..)| trace).collect();
        assert_eq!(dropped, ["11-31"]);
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn what_meta_told_goes_as_its_answers_do(pool: PgPool) {
        let db = Db::from_pool(pool.clone());
        let mut tx = db.tenant(&partner("11")).await.unwrap();
        let decided = PartnerSettings { raw_body_days: 30, ..PartnerSettings::default() };
        save_partner_settings(&mut tx, &decided).await.unwrap();
        tx.commit().await.unwrap();
        for (owner, age, settled) in [
            (Some("11"), 31, true),
            (Some("11"), 31, false),
            (Some("11"), 30, true),
            (Some("22"), 31, true),
            (None, 31, false),
            (None, 401, false),
        ] {
            sqlx::query(
                "INSERT INTO webhook_changes (partner_id, hash, sent_at, received_at, event, body, settled_at, outcome)
                 SELECT $1, sha256(random()::text::bytea), $2, $2, 'X', 'words', CASE WHEN $3 THEN $2 END, CASE WHEN $3 THEN 'applied' END",
            )
            .bind(owner)
            .bind(NOW - Span::days(age))
            .bind(settled)
            .execute(&pool)
            .await
            .unwrap();
        }
        let reconciler = DropOldAnswers::new(db.clone(), Clock::standing_at(NOW));
        for owner in ["11", "22"] {
            assert_eq!(reconciler.pass(&partner(owner)).await.unwrap(), Next::Idle);
        }
        let left: Vec<(String, bool, Option<String>)> =
            sqlx::query_as("SELECT body, body_dropped_at IS NOT NULL, event FROM webhook_changes ORDER BY change_id")
                .fetch_all(&pool)
                .await
                .unwrap();
        let dropped: Vec<bool> = left.iter().map(|(_, dropped, _)| *dropped).collect();
        assert_eq!(dropped, [true, false, false, false, false, true]);
        assert!(left.iter().all(|(body, dropped, event)| body.is_empty() == *dropped && event.is_some()), "{left:?}");
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn the_role_that_drops_them_may_do_nothing_else(pool: PgPool) {
        let allowed = async |sql: &'static str| sqlx::query_scalar::<_, bool>(sql).fetch_one(&pool).await.unwrap();
        assert!(
            allowed("SELECT has_column_privilege('liteboard_retention', 'webhook_changes', 'body', 'UPDATE')").await
        );
        for sql in [
            "SELECT has_column_privilege('liteboard_retention', 'webhook_changes', 'body', 'SELECT')",
            "SELECT has_table_privilege('liteboard_retention', 'webhook_changes', 'INSERT, UPDATE, DELETE')",
            "SELECT has_table_privilege('liteboard_retention', 'tokens', 'SELECT')",
            "SELECT has_schema_privilege('liteboard_retention', 'public', 'CREATE')",
            "SELECT rolcanlogin OR rolbypassrls OR rolsuper FROM pg_roles WHERE rolname = 'liteboard_retention'",
            "SELECT pg_has_role('liteboard_tenant', 'liteboard_retention', 'MEMBER')",
            "SELECT has_function_privilege('liteboard_tenant', 'drop_webhook_bodies(text, timestamptz, integer, timestamptz)', 'EXECUTE')",
            "SELECT has_column_privilege('liteboard_tenant', 'webhook_changes', 'body', 'UPDATE')",
        ] {
            assert!(!allowed(sql).await, "{sql}");
        }
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn they_go_in_small_steps_oldest_first(pool: PgPool) {
        let db = Db::from_pool(pool.clone());
        for age in [402, 404, 403] {
            let mut call = refused_call("11", "7", &format!("A{age}"));
            call.started_at = NOW - Span::days(age);
            store::insert(&db, Some(&partner("11")), &[&call]).await.unwrap();
        }
        let mut tx = db.tenant(&partner("11")).await.unwrap();
        assert_eq!(store::drop_old_bodies(&mut tx, NOW - Span::days(400), 2, NOW).await.unwrap(), 2);
        tx.commit().await.unwrap();
        let left: Vec<_> =
            bodies(&pool).await.into_iter().filter(|(_, _, dropped)| !dropped).map(|(trace, ..)| trace).collect();
        assert_eq!(left, ["A402"]);
    }
}
