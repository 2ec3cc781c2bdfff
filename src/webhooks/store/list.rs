//! What Meta told, newest first, by key; and how receiving goes.

use time::{Duration, OffsetDateTime};

use super::super::model::{Health, KeptChange, Outcome, Refused};
use crate::{
    db::TenantTx,
    graph::{BusinessId, WabaId},
};

/// The most changes counted: beyond it there are many.
pub const MOST_COUNTED: i64 = 10_001;

struct Row {
    id: i64,
    sent_at: OffsetDateTime,
    received_at: OffsetDateTime,
    field: Option<String>,
    event: Option<String>,
    business_id: Option<String>,
    business_name: Option<String>,
    waba_id: Option<String>,
    outcome: Option<String>,
    body: String,
}

impl From<Row> for KeptChange {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            sent_at: row.sent_at,
            received_at: row.received_at,
            field: row.field,
            event: row.event,
            business_id: row.business_id.map(BusinessId::from_stored),
            business_name: row.business_name,
            waba_id: row.waba_id.map(WabaId::from_stored),
            outcome: row.outcome.as_deref().and_then(Outcome::from_stored),
            body: row.body,
        }
    }
}

/// The partner's changes, newest first: those before `before`, at most `most`.
pub async fn recent(tx: &mut TenantTx, before: Option<i64>, most: i64) -> sqlx::Result<Vec<KeptChange>> {
    let partner = tx.partner().clone();
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT c.change_id AS id, c.sent_at, c.received_at, c.field, c.event, c.business_id AS "business_id: String",
            b.name AS "business_name?", c.waba_id AS "waba_id: String", c.outcome, left(c.body, 20000) AS "body!"
        FROM webhook_changes c LEFT JOIN LATERAL (
            SELECT name FROM businesses WHERE partner_id = $1 AND business_id = c.business_id OFFSET 0
        ) AS b ON TRUE
        WHERE c.partner_id = $1 AND c.change_id < $2
        ORDER BY c.change_id DESC LIMIT $3"#,
        partner.as_str() as _,
        before.unwrap_or(i64::MAX),
        most,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(KeptChange::from).collect())
}

/// Changes that name a business, a WABA or a solution by this id, newest first, at most `most`: for a look-up by an id whose kind isn't known.
pub async fn changes_naming(tx: &mut TenantTx, ids: &[String], most: i64) -> sqlx::Result<Vec<KeptChange>> {
    let partner = tx.partner().clone();
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT c.change_id AS id, c.sent_at, c.received_at, c.field, c.event, c.business_id AS "business_id: String",
            b.name AS "business_name?", c.waba_id AS "waba_id: String", c.outcome, left(c.body, 20000) AS "body!"
        FROM (
            SELECT DISTINCT of_it.change_id FROM unnest($2::text[]) AS asked (id), LATERAL (
                (SELECT change_id FROM webhook_changes WHERE partner_id = $1 AND business_id = asked.id ORDER BY change_id DESC LIMIT $3)
                UNION ALL
                (SELECT change_id FROM webhook_changes WHERE partner_id = $1 AND waba_id = asked.id ORDER BY sent_at DESC LIMIT $3)
                UNION ALL
                (SELECT change_id FROM webhook_changes WHERE partner_id = $1 AND solution_id = asked.id ORDER BY sent_at DESC LIMIT $3)
            ) AS of_it
        ) AS found, LATERAL (
            SELECT * FROM webhook_changes WHERE change_id = found.change_id OFFSET 0
        ) AS c LEFT JOIN LATERAL (
            SELECT name FROM businesses WHERE partner_id = $1 AND business_id = c.business_id OFFSET 0
        ) AS b ON TRUE
        ORDER BY c.change_id DESC LIMIT $3"#,
        partner.as_str() as _,
        ids,
        most,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(KeptChange::from).collect())
}

/// One change by our id; `None` when there is none, or it's another partner's.
pub async fn find_change(tx: &mut TenantTx, id: i64) -> sqlx::Result<Option<KeptChange>> {
    let partner = tx.partner().clone();
    let row = sqlx::query_as!(
        Row,
        r#"SELECT c.change_id AS id, c.sent_at, c.received_at, c.field, c.event, c.business_id AS "business_id: String",
            b.name AS "business_name?", c.waba_id AS "waba_id: String", c.outcome, c.body
        FROM webhook_changes c LEFT JOIN businesses b ON b.partner_id = c.partner_id AND b.business_id = c.business_id
        WHERE c.partner_id = $1 AND c.change_id = $2"#,
        partner.as_str() as _,
        id,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(KeptChange::from))
}

/// How receiving goes for the partner. Refusals are counted for all: whose they were nobody can know.
pub async fn health(tx: &mut TenantTx, now: OffsetDateTime) -> sqlx::Result<Health> {
    let partner = tx.partner().clone();
    let told = sqlx::query!(
        r#"SELECT max(received_at) AS last_at, count(*) FILTER (WHERE received_at > $2) AS "last_day!"
        FROM (SELECT received_at FROM webhook_changes WHERE partner_id = $1 ORDER BY change_id DESC LIMIT $3) AS newest"#,
        partner.as_str() as _,
        now - Duration::DAY,
        MOST_COUNTED,
    )
    .fetch_one(&mut **tx)
    .await?;
    // By whole hours: the one that runs, and the 24 before it.
    let refused = sqlx::query!(
        r#"SELECT
            coalesce(sum(n) FILTER (WHERE bad), 0)::bigint AS "bad_day!",
            coalesce(sum(n) FILTER (WHERE NOT bad), 0)::bigint AS "other_day!",
            max(hour) FILTER (WHERE bad) AS bad_last, max(hour) FILTER (WHERE NOT bad) AS other_last
        FROM (
            SELECT n, hour, reason IN ('not_signed', 'malformed_signature', 'wrong_signature') AS bad FROM webhook_refusals
            WHERE hour > $1::timestamptz - interval '25 hours'
        ) AS counted"#,
        now,
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(Health {
        last_at: told.last_at,
        last_day: told.last_day,
        bad_signatures: Refused { day: refused.bad_day, last_hour: refused.bad_last },
        unreadable: Refused { day: refused.other_day, last_hour: refused.other_last },
    })
}
