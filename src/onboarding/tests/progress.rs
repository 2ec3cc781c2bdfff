//! Since when a request counts as Accepted.

use super::*;
use crate::{businesses::keep_told, graph::BusinessStatus};

/// What Meta says of a business's terms, and when we hear it.
struct Word {
    day: Option<&'static str>,
    hour: Option<OffsetDateTime>,
    heard_at: OffsetDateTime,
}

impl House {
    /// A request of the first business that Meta took at [`NOW`]; since when it is Accepted.
    async fn accepted_since(&self, heard: Word) -> OffsetDateTime {
        let number = self.ask(0).await.number;
        let claimed = self.claim(NOW).await.remove(0);
        self.save(&claimed, requested("771"), NOW).await;
        let mut tx = self.tx().await;
        let said =
            BusinessStatus { status: Some("TERM_OF_SERVICE_SIGNED".to_owned()), date: heard.day.map(str::to_owned) };
        keep_told(&mut tx, &[(business(0), said)], &[], heard.heard_at).await.unwrap();
        if let Some(hour) = heard.hour {
            // As a webhook leaves it.
            sqlx::query("UPDATE businesses SET meta_status_since = $1").bind(hour).execute(&mut *tx).await.unwrap();
        }
        let behind = store::behind(&mut tx, 9).await.unwrap();
        assert_eq!(behind.iter().map(|behind| behind.number).collect::<Vec<_>>(), [number]);
        store::advance(&mut tx, &[(number, State::Accepted)], heard.heard_at).await.unwrap();
        let since = sqlx::query_scalar!("SELECT accepted_at AS \"at!\" FROM requests WHERE number = $1", number.0)
            .fetch_one(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        since
    }
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_request_is_accepted_since_the_signature_and_not_since_we_heard_of_it(pool: PgPool) {
    let heard_at = datetime!(2026-11-27 09:00 UTC);
    let cases = [
        ("nothing named", None, None, heard_at),
        ("an hour", None, Some(datetime!(2026-11-25 13:30 UTC)), datetime!(2026-11-25 13:30 UTC)),
        ("a day", Some("2026-11-25"), None, datetime!(2026-11-26 00:00 UTC)),
        ("the day we heard", Some("2026-11-27"), None, heard_at),
        ("the day it was asked", Some("2026-11-24"), None, datetime!(2026-11-25 00:00 UTC)),
        ("a day before it was asked", Some("2026-11-20"), None, NOW),
        ("an hour that is to come", None, Some(datetime!(2026-11-27 09:10 UTC)), heard_at),
    ];
    for (nth, (what, day, hour, since)) in cases.into_iter().enumerate() {
        let house = House::build(&pool, &format!("10{nth}"), 1).await;
        assert_eq!(house.accepted_since(Word { day, hour, heard_at }).await, since, "{what}");
    }
}
