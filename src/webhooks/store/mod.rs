//! All SQL of this room. Here: keeping what comes, by functions that see every partner's rows. The rest happens within a tenant.

mod apply;
mod list;

use sqlx::PgConnection;
use time::OffsetDateTime;

use super::{read::Arrival, reconcile::APPLY, refusal::Refusal};
use crate::{
    db::{Db, PartnerId},
    reconcile::wake,
};

pub use self::{
    apply::{
        Fresh, Line, SyncNeed, move_sharing, move_solutions, note, reopen, settle, settle_businesses, sign, sync_need,
        take_fresh,
    },
    list::{changes_naming, find_change, health, recent},
};

/// Keeps changes, each once, and wakes those who apply them. Committed when it comes back.
pub async fn keep(db: &Db, partners: &[String], changes: &[&Arrival], now: OffsetDateTime) -> sqlx::Result<()> {
    let mut tx = db.pool().begin().await?;
    let hashes: Vec<&[u8]> = changes.iter().map(|change| change.hash.as_slice()).collect();
    let sent: Vec<OffsetDateTime> = changes.iter().map(|change| change.sent_at.unwrap_or(now)).collect();
    let told = sqlx::query_scalar!(
        r#"SELECT told AS "told!" FROM keep_webhook_changes($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) AS told"#,
        partners,
        &hashes as _,
        &column(changes, |change| change.entry_id.as_deref()) as _,
        &sent,
        now,
        &column(changes, |change| change.field.as_deref()) as _,
        &column(changes, |change| change.event.as_deref()) as _,
        &column(changes, |change| change.business_id.as_deref()) as _,
        &column(changes, |change| change.waba_id.as_deref()) as _,
        &column(changes, |change| change.solution_id.as_deref()) as _,
        &column(changes, |change| Some(change.body.as_str())) as _,
    )
    .fetch_all(&mut *tx)
    .await?;
    wake_all(&mut tx, told).await?;
    tx.commit().await
}

/// One field of each change, in order: what UNNEST takes.
fn column<'a>(changes: &[&'a Arrival], field: impl Fn(&'a Arrival) -> Option<&'a str>) -> Vec<Option<&'a str>> {
    changes.iter().map(|change| field(change)).collect()
}

/// Gives changes that were nobody's to the partners who have come to know the WABA they name, at most `most`. Whether there were any.
pub async fn adopt(db: &Db, partners: &[String], most: i32) -> sqlx::Result<bool> {
    let mut tx = db.pool().begin().await?;
    let told =
        sqlx::query_scalar!(r#"SELECT told AS "told!" FROM adopt_webhook_changes($1, $2) AS told"#, partners, most,)
            .fetch_all(&mut *tx)
            .await?;
    let any = !told.is_empty();
    wake_all(&mut tx, told).await?;
    tx.commit().await?;
    Ok(any)
}

async fn wake_all(conn: &mut PgConnection, partners: Vec<String>) -> sqlx::Result<()> {
    for partner in partners {
        wake(conn, APPLY, &PartnerId::from_stored(partner)).await?;
    }
    Ok(())
}

/// Drops the words of the oldest changes that came before `due`, `most` at a time; gives how many there were. Without a partner: of
/// those that are nobody's.
pub async fn drop_old_words(
    db: &Db,
    partner: Option<&PartnerId>,
    due: OffsetDateTime,
    most: i32,
    now: OffsetDateTime,
) -> sqlx::Result<u64> {
    let dropped = sqlx::query_scalar!(
        r#"SELECT drop_webhook_bodies($1, $2, $3, $4) AS "dropped!""#,
        partner.map(PartnerId::as_str),
        due,
        most,
        now,
    )
    .fetch_one(db.pool())
    .await?;
    Ok(u64::try_from(dropped).unwrap_or_default())
}

/// Counts deliveries that were refused in this hour.
pub async fn count_refused(db: &Db, refusal: Refusal, count: u64, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO webhook_refusals AS r (hour, reason, n) VALUES (date_trunc('hour', $1::timestamptz, 'UTC'), $2, $3)
        ON CONFLICT (hour, reason) DO UPDATE SET n = r.n + excluded.n",
        now,
        refusal.as_str(),
        i64::try_from(count).unwrap_or(i64::MAX),
    )
    .execute(db.pool())
    .await
    .map(drop)
}
