//! Names that a value may be: of the partner's own, and no others.

use super::super::terms::Key;
use crate::db::TenantTx;

/// A value, and what stands beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub value: String,
    pub beside: Option<String>,
}

/// The most that are looked through.
const MOST: i64 = 400;

/// What there is for a key that takes names, in the order it is offered; nothing for others.
pub async fn names(tx: &mut TenantTx, key: Key) -> sqlx::Result<Vec<Named>> {
    let partner = tx.partner().clone();
    let named = |value: String, beside: Option<String>| Named { value, beside };
    Ok(match key {
        Key::By | Key::Manager => {
            sqlx::query!(
                "SELECT name, removed_at IS NOT NULL AS \"gone!\" FROM members WHERE partner_id = $1 ORDER BY removed_at IS NOT NULL, name LIMIT $2",
                partner.as_str(),
                MOST
            )
            .fetch_all(&mut **tx)
            .await?
            .into_iter()
            .map(|row| named(row.name, row.gone.then(|| "Has left".to_owned())))
            .collect()
        }
        Key::Solution => {
            sqlx::query!(
                r#"SELECT name, solution_id::text AS "id!" FROM solutions WHERE partner_id = $1 ORDER BY gone_at IS NOT NULL, name LIMIT $2"#,
                partner.as_str(),
                MOST
            )
            .fetch_all(&mut **tx)
            .await?
            .into_iter()
            .map(|row| named(row.name, Some(row.id)))
            .collect()
        }
        // One step of the index a country, however many businesses are of it.
        Key::Country => {
            sqlx::query_scalar!(
                r#"
                WITH RECURSIVE known AS (
                    (SELECT country FROM businesses WHERE partner_id = $1 AND country IS NOT NULL ORDER BY country LIMIT 1)
                    UNION ALL
                    SELECT (SELECT b.country FROM businesses b WHERE b.partner_id = $1 AND b.country > known.country ORDER BY b.country LIMIT 1)
                    FROM known WHERE known.country IS NOT NULL
                )
                SELECT country AS "country!" FROM known WHERE country IS NOT NULL LIMIT $2
                "#,
                partner.as_str() as _,
                MOST
            )
            .fetch_all(&mut **tx)
            .await?
            .into_iter()
            .map(|code| {
                let name = crate::businesses::country_name(&code).to_owned();
                named(code, Some(name))
            })
            .collect()
        }
        Key::Batch => {
            sqlx::query!(
                r#"SELECT batch_number AS "number!", name FROM batches
                WHERE partner_id = $1 AND source <> 'click' AND started_at IS NOT NULL ORDER BY batch_number DESC LIMIT 20"#,
                partner.as_str()
            )
            .fetch_all(&mut **tx)
            .await?
            .into_iter()
            .map(|row| named(row.number.to_string(), Some(row.name).filter(|name| !name.is_empty())))
            .collect()
        }
        _ => Vec::new(),
    })
}
