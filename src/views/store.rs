//! All SQL of saved views.

use time::OffsetDateTime;

use super::model::{MOST_VIEWS, Place, SavedView};
use crate::db::TenantTx;

/// The views a member sees, of one place or of all: their own, then shared ones; each by name.
pub async fn views_of(tx: &mut TenantTx, member: i64, place: Option<Place>) -> sqlx::Result<Vec<SavedView>> {
    let partner = tx.partner().clone();
    let rows = sqlx::query!(
        r#"
        SELECT v.view_id, v.place, v.name, v.query, v.shared, v.member_id, m.name AS member_name, m.removed_at IS NOT NULL AS "left!"
        FROM saved_views v JOIN members m ON m.member_id = v.member_id
        WHERE v.partner_id = $1 AND (v.member_id = $2 OR v.shared) AND ($3::text IS NULL OR v.place = $3)
        ORDER BY v.member_id <> $2, lower(v.name), v.view_id
        LIMIT 400
        "#,
        partner.as_str(),
        member,
        place.map(Place::path),
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            Some(SavedView {
                id: row.view_id,
                place: row.place.parse().ok()?,
                name: row.name,
                query: row.query,
                shared: row.shared,
                member_id: row.member_id,
                member_name: row.member_name,
                member_left: row.left,
            })
        })
        .collect())
}

/// Saves a view; one of the same name is that one, changed, and stays shared if it was: colleagues may be using it. `false`: the member
/// has as many as there may be.
pub async fn save(
    tx: &mut TenantTx,
    member: i64,
    (place, name, query): (Place, &str, &str),
    shared: bool,
    now: OffsetDateTime,
) -> sqlx::Result<bool> {
    let partner = tx.partner().clone();
    let saved = sqlx::query!(
        r#"
        INSERT INTO saved_views (partner_id, member_id, place, name, query, shared, saved_at)
        SELECT $1::text, $2::bigint, $3::text, $4::text, $5, $6, $7
        WHERE (SELECT count(*) FROM saved_views WHERE partner_id = $1 AND member_id = $2 AND place = $3 AND name <> $4) < $8
        ON CONFLICT (partner_id, member_id, place, name) DO UPDATE SET query = $5, shared = saved_views.shared OR $6, saved_at = $7
        "#,
        partner.as_str(),
        member,
        place.path(),
        name,
        query,
        shared,
        now,
        MOST_VIEWS,
    )
    .execute(&mut **tx)
    .await?;
    Ok(saved.rows_affected() > 0)
}

/// Another name for a view of the member's own, shared or not. `false`: it isn't there, or not theirs.
pub async fn change(
    tx: &mut TenantTx,
    member: i64,
    id: i64,
    name: &str,
    shared: bool,
    now: OffsetDateTime,
) -> sqlx::Result<bool> {
    let partner = tx.partner().clone();
    let changed = sqlx::query!(
        "UPDATE saved_views SET name = $4, shared = $5, saved_at = $6 WHERE partner_id = $1 AND view_id = $2 AND member_id = $3",
        partner.as_str(),
        id,
        member,
        name,
        shared,
        now,
    )
    .execute(&mut **tx)
    .await?;
    Ok(changed.rows_affected() > 0)
}

/// Deletes a view of the member's own; an admin also what others share. `false`: nothing of that kind is there.
pub async fn delete(tx: &mut TenantTx, member: i64, admin: bool, id: i64) -> sqlx::Result<bool> {
    let partner = tx.partner().clone();
    let deleted = sqlx::query!(
        "DELETE FROM saved_views WHERE partner_id = $1 AND view_id = $2 AND (member_id = $3 OR ($4 AND shared))",
        partner.as_str(),
        id,
        member,
        admin,
    )
    .execute(&mut **tx)
    .await?;
    Ok(deleted.rows_affected() > 0)
}

#[cfg(test)]
mod tests {
    use sqlx::PgPool;

    use super::*;
    use crate::db::Db;

    const NOW: OffsetDateTime = time::macros::datetime!(2026-11-24 10:00 UTC);

    async fn member(tx: &mut TenantTx, nth: i64) -> i64 {
        let partner = tx.partner().clone();
        sqlx::query_scalar!(
            "INSERT INTO members (partner_id, facebook_user_id, name, role, joined_at) VALUES ($1, $2::text, 'M' || $2::text, 'support', $3) RETURNING member_id",
            partner.as_str(),
            nth.to_string(),
            NOW,
        )
        .fetch_one(&mut **tx)
        .await
        .unwrap()
    }

    async fn seen(tx: &mut TenantTx, member: i64) -> Vec<String> {
        views_of(tx, member, None).await.unwrap().into_iter().map(|view| view.name).collect()
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn a_view_is_its_members_own_until_it_is_shared(pool: PgPool) {
        let mut tx = Db::from_pool(pool.clone()).tenant(&"100".parse().unwrap()).await.unwrap();
        let (one, other) = (member(&mut tx, 1).await, member(&mut tx, 2).await);
        assert!(save(&mut tx, one, (Place::Requests, "Failures", "q=is:failed"), false, NOW).await.unwrap());
        assert!(save(&mut tx, one, (Place::Businesses, "Brazil", "q=br"), true, NOW).await.unwrap());
        assert_eq!((seen(&mut tx, one).await.len(), seen(&mut tx, other).await), (2, vec!["Brazil".to_owned()]));
        let of_requests = views_of(&mut tx, one, Some(Place::Requests)).await.unwrap();
        assert_eq!((of_requests.len(), of_requests[0].href()), (1, "/requests?q=is:failed".to_owned()));

        let id = of_requests[0].id;
        assert!(!change(&mut tx, other, id, "Stolen", true, NOW).await.unwrap());
        assert!(
            !delete(&mut tx, other, true, id).await.unwrap(),
            "what isn't shared is nobody else's, an admin's neither"
        );
        assert!(change(&mut tx, one, id, "Failed", true, NOW).await.unwrap());
        assert!(!delete(&mut tx, other, false, id).await.unwrap());
        assert!(delete(&mut tx, other, true, id).await.unwrap());
        assert_eq!(seen(&mut tx, one).await, ["Brazil"]);
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn a_shared_view_outlives_its_members_leaving_and_says_so(pool: PgPool) {
        let db = Db::from_pool(pool);
        let mut tx = db.tenant(&"100".parse().unwrap()).await.unwrap();
        let (one, other) = (member(&mut tx, 1).await, member(&mut tx, 2).await);
        save(&mut tx, one, (Place::Requests, "Failures", "q=is:failed"), true, NOW).await.unwrap();
        sqlx::query!("UPDATE members SET removed_at = $2 WHERE member_id = $1", one, NOW)
            .execute(&mut *tx)
            .await
            .unwrap();
        let views = views_of(&mut tx, other, None).await.unwrap();
        assert_eq!((views.len(), views[0].member_left, views[0].member_name.as_str()), (1, true, "M1"));
        tx.commit().await.unwrap();
        let mut rival = db.tenant(&"200".parse().unwrap()).await.unwrap();
        assert!(seen(&mut rival, one).await.is_empty(), "another partner sees none");
        assert!(!delete(&mut rival, one, true, views[0].id).await.unwrap());
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn the_same_name_is_the_same_view_and_there_is_an_end_to_them(pool: PgPool) {
        let mut tx = Db::from_pool(pool).tenant(&"100".parse().unwrap()).await.unwrap();
        let one = member(&mut tx, 1).await;
        for nth in 0..MOST_VIEWS {
            assert!(save(&mut tx, one, (Place::Requests, &nth.to_string(), "q=a"), false, NOW).await.unwrap());
        }
        assert!(!save(&mut tx, one, (Place::Requests, "one more", "q=a"), false, NOW).await.unwrap());
        assert!(
            save(&mut tx, one, (Place::Requests, "0", "q=b"), false, NOW).await.unwrap(),
            "a known name is no new view"
        );
        let views = views_of(&mut tx, one, None).await.unwrap();
        assert_eq!(views.iter().find(|view| view.name == "0").unwrap().query, "q=b");
    }
}
