//! Laws of timelines and notes, on a real Postgres.

use sqlx::PgPool;
use time::{Duration, OffsetDateTime, macros::datetime};

use super::*;
use crate::{
    businesses::notes,
    db::{Db, PartnerId, TenantTx},
    graph::BusinessId,
};

const NOW: OffsetDateTime = datetime!(2026-11-24 10:00 UTC);

fn id(digits: &str) -> BusinessId {
    digits.parse().unwrap()
}

/// A partner with two members and business 51.
async fn house(pool: &PgPool, partner: &str) -> (TenantTx, i64, i64) {
    let partner: PartnerId = partner.parse().unwrap();
    let mut tx = Db::from_pool(pool.clone()).tenant(&partner).await.unwrap();
    sqlx::query(
        "INSERT INTO businesses (partner_id, business_id, name, name_key, first_seen_at) VALUES ($1, '51', 'Estrela', 'estrela', $2)",
    )
    .bind(partner.as_str())
    .bind(NOW)
    .execute(&mut *tx)
    .await
    .unwrap();
    let mut members = Vec::new();
    for (user, name) in [("7", "Ines"), ("8", "Rahul")] {
        let member: i64 = sqlx::query_scalar(
            "INSERT INTO members (partner_id, facebook_user_id, name, role, joined_at) VALUES ($1, $2, $3, 'admin', $4) RETURNING member_id",
        )
        .bind(partner.as_str())
        .bind(user)
        .bind(name)
        .bind(NOW)
        .fetch_one(&mut *tx)
        .await
        .unwrap();
        members.push(member);
    }
    (tx, members[0], members[1])
}

async fn told(tx: &mut TenantTx, span: Span) -> Vec<(Mark, Deed)> {
    story_of(tx, &id("51"), span).await.unwrap()
}

const ALL: Span = Span { before: None, since: None, most: 100 };

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_timeline_is_read_to_its_end_part_by_part_and_nothing_is_told_twice(pool: PgPool) {
    let (mut tx, ines, rahul) = house(&pool, "1").await;
    for minute in 0..12_i64 {
        let at = NOW + Duration::minutes(minute / 3);
        match minute % 3 {
            0 => {
                notes::add(&mut tx, &id("51"), ines, &format!("note {minute}"), at).await.unwrap();
            }
            1 => {
                sqlx::query("INSERT INTO business_assignments (partner_id, business_id, at, member_id, assigned_to) VALUES ('1', '51', $1, $2, $3)")
                    .bind(at).bind(ines).bind(rahul).execute(&mut *tx).await.unwrap();
            }
            _ => {
                sqlx::query("INSERT INTO business_events (partner_id, business_id, at, kind, heard_from) VALUES ('1', '51', $1, 'returned', 'webhook')")
                    .bind(at).execute(&mut *tx).await.unwrap();
            }
        }
    }
    let whole: Vec<Mark> = told(&mut tx, ALL).await.into_iter().map(|(mark, _)| mark).collect();
    assert_eq!(whole.len(), 12);
    assert!(whole.is_sorted_by(|a, b| a > b), "newest first, and of one instant in the order of their tables");
    let (mut parts, mut before) = (Vec::new(), None);
    loop {
        let mut part = told(&mut tx, Span { before, since: None, most: 5 }).await;
        part.truncate(5);
        let Some((last, _)) = part.last() else { break };
        before = Some(last.to_string().parse().unwrap());
        parts.extend(part.into_iter().map(|(mark, _)| mark));
    }
    assert_eq!(parts, whole);
    let since = told(&mut tx, Span { since: Some(NOW + Duration::minutes(2)), ..ALL }).await;
    assert_eq!(since.len(), 6);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn only_who_wrote_a_note_deletes_it_and_that_it_was_there_stays(pool: PgPool) {
    let (mut tx, ines, rahul) = house(&pool, "1").await;
    assert!(notes::add(&mut tx, &id("51"), ines, "Spoke to Carla.", NOW).await.unwrap());
    assert!(!notes::add(&mut tx, &id("404"), ines, "To nobody.", NOW).await.unwrap());
    let (_, Deed::Noted(note)) = told(&mut tx, ALL).await.remove(0) else { panic!("a note") };
    assert_eq!((note.words.as_str(), note.by.as_str(), note.member_id), ("Spoke to Carla.", "Ines", ines));
    assert_eq!(notes::delete(&mut tx, note.id, rahul, NOW).await.unwrap(), None);
    assert_eq!(notes::delete(&mut tx, note.id, ines, NOW).await.unwrap(), Some(id("51")));
    assert_eq!(notes::delete(&mut tx, note.id, ines, NOW).await.unwrap(), None, "once");
    let (_, Deed::Noted(note)) = told(&mut tx, ALL).await.remove(0) else { panic!("a note") };
    assert_eq!((note.words.as_str(), note.deleted_at), ("", Some(NOW)));
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn another_partner_s_notes_and_assignments_are_not_there(pool: PgPool) {
    let (mut tx, ines, _) = house(&pool, "1").await;
    notes::add(&mut tx, &id("51"), ines, "Ours.", NOW).await.unwrap();
    sqlx::query("INSERT INTO business_assignments (partner_id, business_id, at, member_id) VALUES ('1', '51', $1, $2)")
        .bind(NOW)
        .bind(ines)
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let (mut tx, viktor, _) = house(&pool, "2").await;
    assert!(told(&mut tx, ALL).await.is_empty());
    let note: i64 = sqlx::query_scalar("SELECT max(note_id) FROM business_notes").fetch_one(&pool).await.unwrap();
    assert_eq!(notes::delete(&mut tx, note, viktor, NOW).await.unwrap(), None);
    let mut denied = Db::from_pool(pool.clone()).tenant(&"1".parse().unwrap()).await.unwrap();
    let change = sqlx::query("UPDATE business_assignments SET assigned_to = NULL").execute(&mut *denied).await;
    assert!(change.unwrap_err().to_string().contains("permission denied"), "what was noted stays");
}
