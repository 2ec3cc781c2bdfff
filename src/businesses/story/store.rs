//! The SQL of timelines. A business has few events of each kind, found by its own index and put in order then.

use super::{Assignment, Deed, Mark, Note, Span};
use crate::{
    businesses::model::{Event, EventKind, HeardFrom},
    db::TenantTx,
    graph::{BusinessId, WabaId},
};

/// A part of what happened to a business, newest first: up to `span.most` of each kind, so that whoever puts them together has all
/// that can be among the newest.
pub async fn story_of(tx: &mut TenantTx, business: &BusinessId, span: Span) -> sqlx::Result<Vec<(Mark, Deed)>> {
    let changes = changes(tx, business, span).await?.into_iter();
    let mut story: Vec<(Mark, Deed)> = changes.map(|(mark, event)| (mark, Deed::Changed(event))).collect();
    story.extend(assignments(tx, business, span).await?);
    story.extend(notes(tx, business, span).await?);
    story.sort_unstable_by_key(|(mark, _)| std::cmp::Reverse(*mark));
    Ok(story)
}

/// What changed about a business, newest first, at most `most` lines.
pub async fn events_of(tx: &mut TenantTx, business: &BusinessId, most: i64) -> sqlx::Result<Vec<Event>> {
    let changes = changes(tx, business, Span { before: None, since: None, most }).await?;
    Ok(changes.into_iter().map(|(_, event)| event).collect())
}

async fn changes(tx: &mut TenantTx, business: &BusinessId, span: Span) -> sqlx::Result<Vec<(Mark, Event)>> {
    let (partner, edge) = (tx.partner().clone(), span.edge());
    let rows = sqlx::query!(
        r#"SELECT e.event_id, e.at, e.heard_at, e.kind, e.detail, e.heard_from, e.waba_id AS "waba_id?: String", w.name AS "waba_name?", m.name AS "by?"
        FROM business_events e
        LEFT JOIN wabas w ON w.partner_id = e.partner_id AND w.waba_id = e.waba_id LEFT JOIN members m ON m.member_id = e.member_id
        WHERE e.partner_id = $1 AND e.business_id = $2 AND (e.at, $3::smallint, e.event_id) < ($4, $5, $6) AND e.at >= $7
        ORDER BY e.at DESC, e.event_id DESC LIMIT $8"#,
        partner.as_str() as _,
        business.as_str() as _,
        Mark::CHANGED,
        edge.at,
        edge.rank,
        edge.id,
        span.since(),
        span.most,
    )
    .fetch_all(&mut **tx)
    .await?;
    let events = rows.into_iter().filter_map(|row| {
        let waba = row.waba_id.map(|id| (WabaId::from_stored(id), row.waba_name.unwrap_or_default()));
        let heard_from = row.heard_from.as_deref().and_then(HeardFrom::from_stored);
        let kind = EventKind::from_stored(&row.kind)?;
        let event =
            Event { at: row.at, heard_at: row.heard_at, kind, waba, detail: row.detail, heard_from, by: row.by };
        Some((Mark { at: row.at, rank: Mark::CHANGED, id: row.event_id }, event))
    });
    Ok(events.collect())
}

async fn assignments(tx: &mut TenantTx, business: &BusinessId, span: Span) -> sqlx::Result<Vec<(Mark, Deed)>> {
    let (partner, edge) = (tx.partner().clone(), span.edge());
    let rows = sqlx::query!(
        r#"SELECT a.assignment_id, a.at, m.name AS by, o.name AS "to?"
        FROM business_assignments a
        JOIN members m ON m.member_id = a.member_id LEFT JOIN members o ON o.member_id = a.assigned_to
        WHERE a.partner_id = $1 AND a.business_id = $2 AND (a.at, $3::smallint, a.assignment_id) < ($4, $5, $6) AND a.at >= $7
        ORDER BY a.at DESC, a.assignment_id DESC LIMIT $8"#,
        partner.as_str() as _,
        business.as_str() as _,
        Mark::ASSIGNED,
        edge.at,
        edge.rank,
        edge.id,
        span.since(),
        span.most,
    )
    .fetch_all(&mut **tx)
    .await?;
    let assignments = rows.into_iter().map(|row| {
        let mark = Mark { at: row.at, rank: Mark::ASSIGNED, id: row.assignment_id };
        (mark, Deed::Assigned(Assignment { by: row.by, to: row.to }))
    });
    Ok(assignments.collect())
}

async fn notes(tx: &mut TenantTx, business: &BusinessId, span: Span) -> sqlx::Result<Vec<(Mark, Deed)>> {
    let (partner, edge) = (tx.partner().clone(), span.edge());
    let rows = sqlx::query!(
        "SELECT n.note_id, n.at, n.member_id, m.name AS by, n.words, n.deleted_at
        FROM business_notes n JOIN members m ON m.member_id = n.member_id
        WHERE n.partner_id = $1 AND n.business_id = $2 AND (n.at, $3::smallint, n.note_id) < ($4, $5, $6) AND n.at >= $7
        ORDER BY n.at DESC, n.note_id DESC LIMIT $8",
        partner.as_str() as _,
        business.as_str() as _,
        Mark::NOTED,
        edge.at,
        edge.rank,
        edge.id,
        span.since(),
        span.most,
    )
    .fetch_all(&mut **tx)
    .await?;
    let notes = rows.into_iter().map(|row| {
        let mark = Mark { at: row.at, rank: Mark::NOTED, id: row.note_id };
        let note = Note {
            id: row.note_id,
            member_id: row.member_id,
            by: row.by,
            words: row.words,
            deleted_at: row.deleted_at,
        };
        (mark, Deed::Noted(note))
    });
    Ok(notes.collect())
}
