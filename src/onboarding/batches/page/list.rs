//! `/batches`: every batch but for single clicks, newest first, fifty at a time.

use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    super::{
        model::{BatchNumber, ListedBatch, Phase},
        store::{self, Window},
    },
    batch_url, phase_view,
};
use crate::{
    sign_in::{Page, Visit},
    telemetry::mishap,
    ui::{AppError, Empty, Name, NameLink, PageHead, Pager, TimeStyle, Timestamp, grouped, plural},
};

/// Rows of a page.
const ROWS: usize = 50;

/// The page.
///
/// # Errors
/// When Postgres is away.
pub async fn batches_page(visit: Visit) -> Result<Page, AppError> {
    let now = visit.clock.now();
    let window = window(visit.query("before").as_deref(), visit.query("after").as_deref());
    let mut tx = visit.tenant().await?;
    let most = i64::try_from(ROWS + 1).unwrap_or(i64::MAX);
    let rows = store::list(&mut tx, window, most, now).await.map_err(mishap)?;
    let leaf = leaf(window, rows, ROWS);
    let list = if leaf.rows.is_empty() { empty(window) } else { table(leaf, now) };
    let view = view! {
        <PageHead title="Batches"><span>"Newest first"</span></PageHead>
        {list}
    };
    Ok(Page { title: "Batches".to_owned(), view: view.into_any() })
}

/// Which part of the list the address asks for. What can't be read is the newest.
fn window(before: Option<&str>, after: Option<&str>) -> Window {
    let number = |text: Option<&str>| text.and_then(|text| text.parse().ok());
    match (number(before), number(after)) {
        (Some(number), _) => Window::OlderThan(number),
        (None, Some(number)) => Window::NewerThan(number),
        (None, None) => Window::Newest,
    }
}

/// A page of rows, and where the ways on lead.
struct Leaf {
    rows: Vec<ListedBatch>,
    newer: Option<BatchNumber>,
    older: Option<BatchNumber>,
}

/// Cuts the extra row off that tells whether there is more. `rows` are newest first, up to one more than a page.
fn leaf(window: Window, mut rows: Vec<ListedBatch>, most: usize) -> Leaf {
    let more = rows.len() > most;
    if more {
        // The extra row is the one farthest from where the page begins.
        if matches!(window, Window::NewerThan(_)) { drop(rows.remove(0)) } else { rows.truncate(most) }
    }
    let (first, last) = (rows.first().map(|row| row.number), rows.last().map(|row| row.number));
    match window {
        Window::Newest => Leaf { newer: None, older: last.filter(|_| more), rows },
        Window::OlderThan(_) => Leaf { newer: first, older: last.filter(|_| more), rows },
        Window::NewerThan(_) => Leaf { newer: first.filter(|_| more), older: last, rows },
    }
}

fn empty(window: Window) -> AnyView {
    if window == Window::Newest {
        let actions = view! { <a class="btn btn-primary" href="/businesses">"Go to Businesses"</a> };
        return view! {
            <Empty title="No batch yet" actions=actions.into_any()>
                <p>"Tick several businesses, or import a list of IDs, and send them together. Each batch is kept here."</p>
            </Empty>
        }
        .into_any();
    }
    let actions = view! { <a class="btn" href="/batches">"Show the newest"</a> };
    view! { <Empty title="No batch here" actions=actions.into_any()><p>"The list ends before this."</p></Empty> }
        .into_any()
}

fn table(leaf: Leaf, now: OffsetDateTime) -> AnyView {
    let shown = u64::try_from(leaf.rows.len()).unwrap_or_default();
    let newer = leaf.newer.map(|number| format!("/batches?after={number}"));
    let older = leaf.older.map(|number| format!("/batches?before={number}"));
    let rows = leaf.rows.into_iter().map(|row| table_row(row, now)).collect::<Vec<_>>();
    view! {
        <section class="list" aria-label="Batches">
            <table class="table cards" role="table">
                <caption class="vh">"Batches, newest first"</caption>
                <thead role="rowgroup">
                    <tr role="row">
                        <th role="columnheader" scope="col">"Batch"</th>
                        <th role="columnheader" scope="col">"State"</th>
                        <th role="columnheader" scope="col">"Answered"</th>
                        <th role="columnheader" scope="col">"Started by"</th>
                        <th role="columnheader" scope="col" class="num">"When"</th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{rows}</tbody>
            </table>
        </section>
        <Pager words=("Newer", "Older") back=newer on=older>{plural(shown, "batch", "batches")}</Pager>
    }
    .into_any()
}

fn table_row(row: ListedBatch, now: OffsetDateTime) -> AnyView {
    let number = format!("Batch {}", row.number);
    let (name, below) = if row.name.is_empty() {
        (number, None)
    } else {
        (row.name, Some(view! { <span class="sub">{number}</span> }))
    };
    let draft = row.phase == Phase::Draft;
    let href = if draft { format!("/drafts/{}", row.number) } else { batch_url(row.number) };
    let answered = if draft {
        view! { <span class="none" aria-hidden="true">"–"</span><span class="vh">"Not started"</span> }.into_any()
    } else {
        let label = format!("{} of {} answered", grouped(row.answered), grouped(row.size));
        view! {
            <span class="num-l">{format!("{} of {}", grouped(row.answered), grouped(row.size))}</span>
            <progress class="inline-progress" max=row.size.max(1).to_string() value=row.answered.to_string() aria-label=label>
            </progress>
        }
        .into_any()
    };
    let at = row.at.map(|at| view! { <Timestamp at=at now=now style=TimeStyle::Day/> });
    view! {
        <tr role="row">
            <th role="rowheader" scope="row" class="c-name"><NameLink href=href name=name/>{below}</th>
            <td role="cell" data-label="State">{phase_view(&row.phase, false)}</td>
            <td role="cell" data-label="Answered">{answered}</td>
            <td role="cell" data-label="Started by"><Name name=row.member_name/></td>
            <td role="cell" data-label="When" class="num nowrap">{at}</td>
        </tr>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(numbers: &[i64]) -> Vec<ListedBatch> {
        let row = |number: &i64| ListedBatch {
            number: BatchNumber(*number),
            name: String::new(),
            phase: Phase::Done,
            size: 1,
            answered: 1,
            member_name: String::new(),
            at: None,
        };
        numbers.iter().map(row).collect()
    }

    #[test]
    fn the_ways_on_lead_only_where_there_is_more() {
        let at = BatchNumber;
        for (window, numbers, left, newer, older) in [
            (Window::Newest, &[9, 8][..], &[9, 8][..], None, None),
            (Window::Newest, &[9, 8, 7], &[9, 8], None, Some(8)),
            (Window::OlderThan(at(8)), &[7, 6, 5], &[7, 6], Some(7), Some(6)),
            (Window::OlderThan(at(8)), &[7], &[7], Some(7), None),
            (Window::NewerThan(at(5)), &[8, 7, 6], &[7, 6], Some(7), Some(6)),
            (Window::NewerThan(at(9)), &[], &[], None, None),
        ] {
            let leaf = leaf(window, rows(numbers), 2);
            let shown: Vec<_> = leaf.rows.iter().map(|row| row.number.0).collect();
            assert_eq!((shown.as_slice(), leaf.newer, leaf.older), (left, newer.map(at), older.map(at)), "{window:?}");
        }
    }

    #[test]
    fn the_address_is_the_window() {
        assert_eq!(window(Some("7"), Some("9")), Window::OlderThan(BatchNumber(7)));
        assert_eq!(window(None, Some("7")), Window::NewerThan(BatchNumber(7)));
        assert_eq!(window(Some("LB-7"), Some("x")), Window::Newest);
    }
}
