//! Counts failed calls as they come.

use std::{collections::BTreeMap, time::Duration};

use futures::{FutureExt, future::BoxFuture};

use super::key_of;
use crate::{
    db::{Db, PartnerId},
    graph::{Cause, GraphError, Operation, cause_of},
    reconcile::{CancellationToken, Next, Reconciler},
    support::store::{self, Counted, Fact, Key},
};

/// Failures counted in one transaction.
const CHUNK: i64 = 2_000;

/// How late the counts may be.
const PERIOD: Duration = Duration::from_secs(10);

/// Takes the failed calls that are noted, and adds them to their groups.
pub struct CountFailures {
    db: Db,
}

impl CountFailures {
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    async fn pass(&self, partner: &PartnerId) -> anyhow::Result<Next> {
        let mut tx = self.db.tenant(partner).await?;
        let (facts, taken) = store::take_uncounted(&mut tx, CHUNK).await?;
        for counted in count(&facts) {
            store::save_counts(&mut tx, &counted).await?;
        }
        tx.commit().await?;
        Ok(if taken == usize::try_from(CHUNK)? { Next::Again } else { Next::Idle })
    }
}

impl Reconciler for CountFailures {
    fn name(&self) -> &'static str {
        "failures"
    }

    fn period(&self) -> Duration {
        PERIOD
    }

    fn reconcile<'a>(
        &'a self,
        partner: &'a PartnerId,
        _: &'a CancellationToken,
    ) -> BoxFuture<'a, anyhow::Result<Next>> {
        self.pass(partner).boxed()
    }
}

/// The facts added up, group by group.
fn count(facts: &[Fact]) -> Vec<Counted> {
    let mut groups: BTreeMap<Key, Vec<&Fact>> = BTreeMap::new();
    for fact in facts {
        let key = key_of(fact.code, fact.subcode, fact.failure.as_deref(), fact.message.as_deref());
        groups.entry(key).or_default().push(fact);
    }
    groups.into_iter().filter_map(|(key, facts)| add_up(key, &facts)).collect()
}

fn add_up(key: Key, facts: &[&Fact]) -> Option<Counted> {
    let (first, last) = (facts.first()?, facts.last()?);
    let mut days = BTreeMap::new();
    let mut businesses = BTreeMap::new();
    for fact in facts {
        *days.entry(fact.started_at.date()).or_insert(0) += 1;
        if let Some(id) = business_of(fact) {
            let known = businesses.entry(id.to_owned()).or_insert((0, fact.started_at, fact.call_id, fact.number));
            *known = (known.0 + 1, known.1.max(fact.started_at), fact.call_id, fact.number);
        }
    }
    Some(Counted {
        key,
        cause: cause(first).as_str(),
        days: days.into_iter().collect(),
        businesses: businesses
            .into_iter()
            .map(|(id, (calls, at, call, number))| (id, calls, at, call, number))
            .collect(),
        calls: i64::try_from(facts.len()).unwrap_or(i64::MAX),
        first_at: facts.iter().map(|fact| fact.started_at).min()?,
        last_at: facts.iter().map(|fact| fact.started_at).max()?,
        last_call_id: last.call_id,
    })
}

/// The business that was called: lists and tokens are asked of no business of the partner's.
fn business_of(fact: &Fact) -> Option<&str> {
    let of_business = [Operation::OnboardPartnersToMmLite, Operation::ReadBusinessStatus];
    let is_one = of_business.iter().any(|operation| operation.as_str() == fact.operation);
    fact.subject_id
        .as_deref()
        .filter(|id| is_one && !id.is_empty() && id.len() <= 20 && id.bytes().all(|b| b.is_ascii_digit()))
}

fn cause(fact: &Fact) -> Cause {
    let error = GraphError {
        message: fact.message.clone(),
        code: fact.code,
        subcode: fact.subcode,
        user_title: fact.user_title.clone(),
        user_message: fact.user_message.clone(),
        is_transient: fact.is_transient,
        error_data: fact.error_data.clone(),
        ..GraphError::default()
    };
    let writes = fact.operation == Operation::OnboardPartnersToMmLite.as_str();
    let status = fact.http_status.and_then(|status| u16::try_from(status).ok());
    cause_of(Some(&error), fact.failure.as_deref(), status, writes).unwrap_or(Cause::Unrecognised)
}

#[cfg(test)]
mod tests {
    use sqlx::PgPool;
    use time::{Duration as Span, OffsetDateTime};

    use super::*;
    use crate::{
        graph::Call,
        support::{
            fixture::{NOW, partner, refused_call},
            store::{Group, Window},
        },
    };

    const WINDOW: Window = Window { first: time::macros::date!(2026 - 11 - 18), days: 7 };

    fn refused(business: &str, message: &str, at: OffsetDateTime) -> Call {
        let mut call = refused_call("11", business, "A1");
        call.started_at = at;
        call.error.as_mut().unwrap().message = Some(message.to_owned());
        call
    }

    async fn counted(db: &Db) -> Vec<Group> {
        let reconciler = CountFailures::new(db.clone());
        while reconciler.pass(&partner("11")).await.unwrap() == Next::Again {}
        let mut tx = db.tenant(&partner("11")).await.unwrap();
        store::list_groups(&mut tx, WINDOW, 10).await.unwrap()
    }

    async fn record(db: &Db, calls: &[Call]) {
        store::insert(db, Some(&partner("11")), &calls.iter().collect::<Vec<_>>()).await.unwrap();
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn each_failed_call_is_counted_once_in_the_group_of_its_code_and_words(pool: PgPool) {
        let db = Db::from_pool(pool);
        let mut fine = refused("7", "", NOW);
        (fine.error, fine.status) = (None, Some(200));
        let mut silent = refused("9", "", NOW);
        (silent.error, silent.status, silent.failure) = (None, None, Some("timed_out"));
        record(
            &db,
            &[
                refused("7", "(#200) Object '123' is not there", NOW - Span::days(2)),
                refused("8", "(#200) Object '456' is not there", NOW),
                refused("8", "(#200) Object '789' is not there", NOW),
                refused("8", "(#200) Something else", NOW),
                fine,
                silent,
            ],
        )
        .await;
        let groups = counted(&db).await;
        let told: Vec<_> =
            groups.iter().map(|group| (group.key.words.as_str(), group.calls, group.businesses)).collect();
        assert_eq!(told, [("Object … is not there", 3, 2), ("", 1, 1), ("Something else", 1, 1)]);
        assert_eq!(groups[0].trend, [0, 0, 0, 0, 1, 0, 2]);
        assert_eq!((groups[0].first_at, groups[0].last_at), (NOW - Span::days(2), NOW));
        assert_eq!((groups[0].cause.as_str(), groups[1].cause.as_str()), ("access_denied", "outcome_unknown"));
        assert_eq!(groups[1].key.failure.as_deref(), Some("timed_out"));

        record(&db, &[refused("9", "(#200) Object '0' is not there", NOW)]).await;
        let groups = counted(&db).await;
        assert_eq!((groups[0].calls, groups[0].businesses), (4, 3), "what was counted is not counted again");
        let mut tx = db.tenant(&partner("11")).await.unwrap();
        let businesses = store::businesses_of(&mut tx, groups[0].id, None, 10).await.unwrap();
        let told: Vec<_> = businesses.iter().map(|business| (business.business_id.as_str(), business.calls)).collect();
        assert_eq!(told, [("8", 2), ("9", 1), ("7", 1)]);
        let rest = store::businesses_of(&mut tx, groups[0].id, Some((NOW, "8")), 10).await.unwrap();
        assert_eq!(rest.iter().map(|business| business.business_id.as_str()).collect::<Vec<_>>(), ["9", "7"]);
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn what_failed_alike_is_told_by_its_code_and_only_to_its_partner(pool: PgPool) {
        let db = Db::from_pool(pool);
        record(&db, &[refused("7", "one", NOW), refused("8", "two", NOW), refused("9", "old", NOW - Span::days(2))])
            .await;
        counted(&db).await;
        let key = key_of(Some(200), Some(1_349_174), None, Some("one"));
        let mut tx = db.tenant(&partner("11")).await.unwrap();
        let alike = store::alike(&mut tx, &key, NOW - Span::days(1)).await.unwrap();
        assert_eq!(alike.businesses, 2);
        assert!(alike.group_id.is_some());
        let mut tx = db.tenant(&partner("22")).await.unwrap();
        assert_eq!(store::alike(&mut tx, &key, NOW - Span::days(1)).await.unwrap(), store::Alike::default());
        assert!(store::find_group(&mut tx, alike.group_id.unwrap(), WINDOW).await.unwrap().is_none());
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn calls_that_failed_before_they_were_counted_are_taken_in_order_and_in_pieces(pool: PgPool) {
        let db = Db::from_pool(pool.clone());
        let calls: Vec<Call> = (0..30).map(|nth| refused(&format!("{}", 100 + nth), "same", NOW)).collect();
        record(&db, &calls).await;
        let mut tx = db.tenant(&partner("11")).await.unwrap();
        let (facts, taken) = store::take_uncounted(&mut tx, 10).await.unwrap();
        assert_eq!((facts.len(), taken), (10, 10));
        assert!(facts.is_sorted_by_key(|fact| fact.call_id));
        drop(tx);
        assert_eq!(counted(&db).await[0].calls, 30, "what was taken and not counted is still there");
    }
}
