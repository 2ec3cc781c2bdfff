//! What each member looked up last.

use time::OffsetDateTime;

use crate::db::TenantTx;

/// So many are kept of each member.
const MOST_KEPT: i64 = 20;

/// A look-up that found something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookUp {
    /// What was looked up.
    pub asked: String,
    /// What it was found to be.
    pub was: String,
}

/// Keeps a look-up as the newest of the member's, and forgets the oldest.
pub async fn keep_look_up(tx: &mut TenantTx, member: i64, look_up: &LookUp, now: OffsetDateTime) -> sqlx::Result<()> {
    let partner = tx.partner().clone();
    sqlx::query!(
        "INSERT INTO look_ups (partner_id, member_id, asked, was, at) VALUES ($1, $2, left($3, 200), left($4, 300), $5)
         ON CONFLICT (partner_id, member_id, asked) DO UPDATE SET was = EXCLUDED.was, at = EXCLUDED.at",
        partner.as_str() as _,
        member,
        look_up.asked,
        look_up.was,
        now,
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "DELETE FROM look_ups WHERE partner_id = $1 AND member_id = $2 AND asked IN (
            SELECT asked FROM look_ups WHERE partner_id = $1 AND member_id = $2 ORDER BY at DESC, asked OFFSET $3
         )",
        partner.as_str() as _,
        member,
        MOST_KEPT,
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// The member's own, newest first, `most` of them.
pub async fn look_ups_of(tx: &mut TenantTx, member: i64, most: i64) -> sqlx::Result<Vec<LookUp>> {
    let partner = tx.partner().clone();
    sqlx::query_as!(
        LookUp,
        "SELECT asked, was FROM look_ups WHERE partner_id = $1 AND member_id = $2 ORDER BY at DESC, asked LIMIT $3",
        partner.as_str() as _,
        member,
        most,
    )
    .fetch_all(&mut **tx)
    .await
}
