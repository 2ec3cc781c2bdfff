//! The SQL of notes; they are read with the timeline.

use time::OffsetDateTime;

use crate::{db::TenantTx, graph::BusinessId};

/// Keeps a note. `false`: there is no such business.
pub async fn add(
    tx: &mut TenantTx,
    business: &BusinessId,
    member_id: i64,
    words: &str,
    now: OffsetDateTime,
) -> sqlx::Result<bool> {
    let partner = tx.partner().clone();
    let kept = sqlx::query!(
        "INSERT INTO business_notes (partner_id, business_id, member_id, at, words)
         SELECT partner_id, business_id, $3, $4, $5 FROM businesses WHERE partner_id = $1 AND business_id = $2",
        partner.as_str() as _,
        business.as_str() as _,
        member_id,
        now,
        words,
    )
    .execute(&mut **tx)
    .await?;
    Ok(kept.rows_affected() > 0)
}

/// The most businesses that a search by their notes is about.
const MOST_NOTED: i64 = 1_000;

/// Businesses with a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// 1,000 at most, those with the lowest ids.
    pub ids: Vec<BusinessId>,
    /// There are others.
    pub more: bool,
}

/// Businesses with a note that has these words in it, as they stand and in any case; empty: with any note.
pub async fn businesses_noted(tx: &mut TenantTx, words: &str) -> sqlx::Result<Noted> {
    let partner = tx.partner().clone();
    let mut found = sqlx::query_scalar!(
        r#"SELECT DISTINCT business_id::text AS "id!" FROM business_notes
        WHERE partner_id = $1 AND deleted_at IS NULL AND strpos(lower(words), lower($2)) > 0
        ORDER BY 1 LIMIT $3"#,
        partner.as_str() as _,
        words,
        MOST_NOTED + 1,
    )
    .fetch_all(&mut **tx)
    .await?;
    let most = usize::try_from(MOST_NOTED).unwrap_or(usize::MAX);
    let more = found.len() > most;
    found.truncate(most);
    Ok(Noted { ids: found.into_iter().map(BusinessId::from_stored).collect(), more })
}

/// Empties a note of this member's. `None`: they have no such note.
pub async fn delete(
    tx: &mut TenantTx,
    note: i64,
    member_id: i64,
    now: OffsetDateTime,
) -> sqlx::Result<Option<BusinessId>> {
    let partner = tx.partner().clone();
    let business = sqlx::query_scalar!(
        r#"UPDATE business_notes SET words = '', deleted_at = $4
        WHERE partner_id = $1 AND note_id = $2 AND member_id = $3 AND deleted_at IS NULL
        RETURNING business_id AS "business_id!: String""#,
        partner.as_str() as _,
        note,
        member_id,
        now,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(business.map(BusinessId::from_stored))
}
