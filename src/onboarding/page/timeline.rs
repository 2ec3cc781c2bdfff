//! One timeline for a business and its requests: what we did, what Meta answered and said by itself, what was noted, by whom.

use leptos::prelude::*;
use time::OffsetDateTime;

use super::story::{assignment, business_event, note, request_event};
use crate::{
    businesses::{self, Deed, HeardFrom, Mark, Span},
    db::TenantTx,
    graph::BusinessId,
    onboarding::{
        explain::days_words,
        model::{RequestNumber, Told},
        store,
    },
    sign_in::{Viewer, Visit},
    ui::{Glyph, Hue, Section, Timeline, TimelineEvent, plural},
};

/// Lines shown at once.
const LINES: usize = 50;

/// What a line tells.
pub(super) enum What {
    Business(Deed),
    Request(Told),
    /// The client's admins let it lie for too long. Nobody wrote that down: it follows from its age.
    Stalled,
    /// Meta was last asked then, and said what it had said before.
    NothingNew,
}

/// A part of a timeline.
pub(super) struct Story {
    lines: Vec<(Mark, What)>,
    /// Where it goes on, if there is more.
    older: Option<Mark>,
    /// Newer lines were left out.
    is_older: bool,
}

/// Which part the address asks for. What can't be read is the newest.
pub(super) fn asked_for(visit: &Visit) -> Option<Mark> {
    visit.query("older")?.parse().ok()
}

/// A part of what happened to a business, with what happened to all its requests; or of what happened to one of them and, since it was
/// asked for, to its business. `stalled_at`: when it stalled, if it has.
pub(super) async fn load(
    tx: &mut TenantTx,
    business: &BusinessId,
    request: Option<(RequestNumber, OffsetDateTime)>,
    stalled_at: Option<OffsetDateTime>,
    before: Option<Mark>,
) -> sqlx::Result<Story> {
    let (number, since) = request.unzip();
    let span = Span { before, since, most: i64::try_from(LINES + 1).unwrap_or(i64::MAX) };
    let deeds = businesses::story_of(tx, business, span).await?;
    let told = store::story_of_requests(tx, business, number, span).await?;
    let deeds = deeds.into_iter().map(|(mark, deed)| (mark, What::Business(deed)));
    let told = told.into_iter().map(|(mark, told)| (mark, What::Request(told)));
    let stalled = stalled_at.map(|at| Mark { at, rank: Mark::REQUEST + 1, id: 0 });
    let stalled = stalled.filter(|mark| *mark < span.edge()).map(|mark| (mark, What::Stalled));
    let mut lines: Vec<(Mark, What)> = deeds.chain(told).chain(stalled).collect();
    if let Some(at) = store::last_polled(tx, business).await? {
        let mark = Mark { at, rank: Mark::REQUEST + 2, id: 0 };
        if mark < span.edge() && at >= span.since() && !brought_news(&lines, at) {
            lines.push((mark, What::NothingNew));
        }
    }
    Ok(cut(lines, before.is_some()))
}

/// Whether what Meta said when it was asked at that time stands among the lines.
fn brought_news(lines: &[(Mark, What)], at: OffsetDateTime) -> bool {
    lines.iter().any(|(mark, what)| match what {
        What::Business(Deed::Changed(event)) => {
            event.heard_from == Some(HeardFrom::Poll) && (mark.at - at).abs() < time::Duration::MINUTE
        }
        _ => false,
    })
}

/// The newest lines first, and where it goes on.
fn cut(mut lines: Vec<(Mark, What)>, is_older: bool) -> Story {
    lines.sort_unstable_by_key(|(mark, _)| std::cmp::Reverse(*mark));
    let more = lines.len() > LINES;
    lines.truncate(LINES);
    let older = lines.last().map(|(mark, _)| *mark).filter(|_| more);
    Story { lines, older, is_older }
}

/// The section. `here` is the path of the page. `form` stands above all lines. `linked`: lines about requests lead to them.
pub(super) fn timeline(
    story: Story,
    (here, linked): (&str, bool),
    form: Option<AnyView>,
    viewer: &Viewer,
    now: OffsetDateTime,
) -> AnyView {
    let Story { lines, older, is_older } = story;
    let count = u64::try_from(lines.len()).unwrap_or_default();
    let events = plural(count, "event", "events");
    let note_of = match (is_older, older) {
        (false, None) => format!("{events}, newest first"),
        (false, Some(_)) => format!("The newest {events}"),
        (true, _) => format!("{events} before, newest first"),
    };
    let stalled = format!("Stalled: no answer for {}", days_words(viewer.stalled_after.whole_days()));
    let lines = lines
        .into_iter()
        .map(|(mark, what)| match what {
            What::Business(Deed::Changed(event)) => business_event(&event, now),
            What::Business(Deed::Assigned(change)) => assignment(&change, mark.at, now),
            What::Business(Deed::Noted(said)) => note(&said, mark.at, viewer, now),
            What::Request(told) => request_event(&told, now, linked),
            What::Stalled => view! {
                <TimelineEvent at=mark.at now=now glyph=Glyph::Hourglass hue=Some(Hue::Amber)
                    what=stalled.clone().into_any()/>
            }
            .into_any(),
            What::NothingNew => view! {
                <TimelineEvent at=mark.at now=now glyph=Glyph::Refresh what="Asked Meta: it stands as before".into_any()/>
            }
            .into_any(),
        })
        .collect::<Vec<_>>();
    let newest = is_older.then(|| view! { <a class="btn btn-sm" href=format!("{here}#timeline")>"Show newest"</a> });
    let older =
        older.map(|mark| view! { <a class="btn btn-sm" href=format!("{here}?older={mark}#timeline")>"Show older"</a> });
    let ways = (newest.is_some() || older.is_some()).then(|| view! { <p class="row more">{newest}{older}</p> });
    view! {
        <Section id="timeline" title="Timeline" note=note_of>
            {form}
            <Timeline>{lines}</Timeline>
            {ways}
        </Section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use time::{Duration, macros::datetime};

    use super::*;
    use crate::businesses::{Assignment, Event, EventKind};

    const NOW: OffsetDateTime = datetime!(2026-11-24 10:00 UTC);

    fn lines(count: i64) -> Vec<(Mark, What)> {
        let line = |nth| {
            let at = NOW - Duration::minutes(nth);
            let event = Event {
                at,
                heard_at: None,
                kind: EventKind::FirstSeen,
                waba: None,
                detail: None,
                heard_from: None,
                by: None,
            };
            (Mark { at, rank: Mark::CHANGED, id: 1_000 - nth }, What::Business(Deed::Changed(event)))
        };
        (0..count).rev().map(line).collect()
    }

    #[test]
    fn a_part_ends_where_the_next_one_begins() {
        for (count, shown, older) in
            [(0, 0, None), (49, 49, None), (50, 50, None), (51, 50, Some(951)), (200, 50, Some(951))]
        {
            let story = cut(lines(count), false);
            let ids: Vec<i64> = story.lines.iter().map(|(mark, _)| mark.id).collect();
            assert_eq!((ids.len(), story.older.map(|mark| mark.id)), (shown, older), "{count}");
            assert!(ids.is_sorted_by(|a, b| a > b), "newest first");
        }
    }

    #[test]
    fn an_answer_of_meta_s_that_changed_something_is_told_by_the_change() {
        let line = |minutes, heard_from| {
            let at = NOW - Duration::minutes(minutes);
            let event = Event {
                at,
                heard_at: None,
                kind: EventKind::MetaStatusChanged,
                waba: None,
                detail: None,
                heard_from,
                by: None,
            };
            (Mark { at, rank: Mark::CHANGED, id: 1 }, What::Business(Deed::Changed(event)))
        };
        for (minutes, heard_from, brought) in [
            (0, Some(HeardFrom::Poll), true),
            (0, Some(HeardFrom::Sync), false),
            (0, None, false),
            (30, Some(HeardFrom::Poll), false),
        ] {
            assert_eq!(brought_news(&[line(minutes, heard_from)], NOW), brought, "{minutes} {heard_from:?}");
        }
        assert!(!brought_news(&[], NOW));
    }

    #[test]
    fn what_follows_from_a_change_of_the_same_instant_stands_above_it() {
        let mut all = lines(1);
        let change = Assignment { by: "Ines".into(), to: None };
        all.push((Mark { at: NOW, rank: Mark::ASSIGNED, id: 1 }, What::Business(Deed::Assigned(change))));
        let ranks: Vec<i16> = cut(all, false).lines.iter().map(|(mark, _)| mark.rank).collect();
        assert_eq!(ranks, [Mark::ASSIGNED, Mark::CHANGED]);
    }
}
