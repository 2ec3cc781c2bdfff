//! The list of requests: newest first, fifty at a time.

use std::time::Duration;

use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    super::{
        address,
        store::{self, BUDGET, Looked, RequestRow, Window},
    },
    GO_ON, ROWS, Search, empty, looked_back, none,
};
use crate::{
    db::TenantTx,
    onboarding::{explain::stalled_days, model::RequestNumber, page::words_of},
    ui::{
        Empty, Glyph, Hue, Identifier, Name, NameLink, Pager, StateLabel, Tag, TimeStyle, Timestamp, age, plural,
        state::look_of,
    },
};

/// A page of numbers, newest first, and where the ways on lead.
#[derive(Debug, PartialEq, Eq)]
struct Leaf {
    numbers: Vec<i64>,
    newer: Option<RequestNumber>,
    older: Option<RequestNumber>,
    /// The page isn't full, but the way on leads further from here.
    looked_to: Option<RequestNumber>,
}

/// Cuts the extra number off that tells whether there is more. The numbers are as the store gives them, up to one more than a page.
fn leaf(window: Window, Looked { mut numbers, looked_to }: Looked, most: usize) -> Leaf {
    let more = numbers.len() > most;
    numbers.truncate(most);
    if matches!(window, Window::NewerThan(_)) {
        numbers.reverse();
    }
    let (first, last) = (numbers.first().copied().map(RequestNumber), numbers.last().copied().map(RequestNumber));
    let (newer, older) = match window {
        Window::Newest => (None, last.filter(|_| more).or(looked_to)),
        Window::OlderThan(_) => (first, last.filter(|_| more).or(looked_to)),
        Window::NewerThan(_) => (first.filter(|_| more).or(looked_to), last),
    };
    Leaf { numbers, newer, older, looked_to }
}

pub async fn list(
    tx: &mut TenantTx,
    search: &Search,
    window: Window,
    stalled_after: time::Duration,
    now: OffsetDateTime,
) -> sqlx::Result<AnyView> {
    let looked = store::look(tx, &search.filter, window, ROWS + 1, BUDGET).await?;
    let leaf = leaf(window, looked, usize::try_from(ROWS).unwrap_or(usize::MAX));
    let looked_to = match leaf.looked_to {
        Some(number) => store::when_asked(tx, number).await?.map(|at| looked_words(window, at, now)),
        None => None,
    };
    if leaf.numbers.is_empty() {
        let on = leaf.newer.map(|number| format!("after={number}")).filter(|_| matches!(window, Window::NewerThan(_)));
        let on = on.or(leaf.older.map(|number| format!("before={number}")));
        let on = on.map(|cursor| address::at(address::PATH, &search.text, Some(&cursor)));
        let any = search.text.is_empty() && window == Window::Newest;
        return Ok(if any { nothing_yet() } else { empty(search, "request", looked_to.zip(on)) });
    }
    let rows = store::rows_of(tx, &leaf.numbers).await?;
    Ok(table(search, &leaf, rows, (window, looked_to), stalled_after, now))
}

/// How far a page looked that ended before it was full.
fn looked_words(window: Window, to: OffsetDateTime, now: OffsetDateTime) -> AnyView {
    if matches!(window, Window::NewerThan(_)) {
        view! { "Looked on to "<Timestamp at=to now=now style=TimeStyle::Day/> }.into_any()
    } else {
        looked_back(to, now)
    }
}

/// Nothing at all was ever requested.
fn nothing_yet() -> AnyView {
    let actions = view! { <a class="btn btn-primary" href="/businesses">"Go to Businesses"</a> };
    view! {
        <Empty title="No request yet" actions=actions.into_any()>
            <p>"Open a business and choose “Onboard to MM Lite”. Each request is listed here, whatever becomes of it."</p>
        </Empty>
    }
    .into_any()
}

fn table(
    search: &Search,
    leaf: &Leaf,
    rows: Vec<RequestRow>,
    (window, looked_to): (Window, Option<AnyView>),
    stalled_after: time::Duration,
    now: OffsetDateTime,
) -> AnyView {
    let shown = u64::try_from(rows.len()).unwrap_or_default();
    let oldest = rows.last().map(|row| row.queued_at);
    let href = |cursor: String| address::at(address::PATH, &search.text, Some(&cursor));
    let newer = leaf.newer.map(|number| href(format!("after={number}")));
    let older = leaf.older.map(|number| href(format!("before={number}")));
    let rows = rows.into_iter().map(|row| table_row(row, stalled_after, now)).collect::<Vec<_>>();
    let words = match (looked_to.is_some(), window) {
        (false, _) => ("Newer", "Older"),
        (true, Window::NewerThan(_)) => (GO_ON, "Older"),
        (true, _) => ("Newer", GO_ON),
    };
    let range = match looked_to {
        Some(looked_to) => Some(view! { ". "{looked_to} }.into_any()),
        None => oldest.map(|at| view! { ", back to "<Timestamp at=at now=now style=TimeStyle::Day/> }.into_any()),
    };
    view! {
        <section class="list" aria-label="Results">
            <table class="table cards cards-req requests" role="table">
                <caption class="vh">"Requests, newest first"</caption>
                <thead role="rowgroup">
                    <tr role="row">
                        <th role="columnheader" scope="col">"State"</th>
                        <th role="columnheader" scope="col">"Request ID"</th>
                        <th role="columnheader" scope="col">"Business"</th>
                        <th role="columnheader" scope="col" class="c-sol">"Solution"</th>
                        <th role="columnheader" scope="col" class="c-man">"Requested by"</th>
                        <th role="columnheader" scope="col" class="num">"Age"</th>
                        <th role="columnheader" scope="col">"Last error"</th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{rows}</tbody>
            </table>
        </section>
        <Pager words back=newer on=older>{plural(shown, "request", "requests")}{range}</Pager>
    }
    .into_any()
}

fn table_row(row: RequestRow, stalled_after: time::Duration, now: OffsetDateTime) -> AnyView {
    let stalled = stalled_days(row.state, row.answered_at, stalled_after, now)
        .map(|days| view! { <Tag hue=Hue::Amber glyph=Glyph::Hourglass text=format!("Stalled {days} d")/> });
    let payment = row.needs_payment.then(|| view! { <Tag hue=Hue::Amber text="Needs payment"/> });
    let setting_up = row.setting_up.then(|| view! { <Tag hue=Hue::Teal text="Setting up"/> });
    let (id_class, id) = match row.meta_request_id {
        Some(id) => ("c-id", view! { <Identifier what="request ID" value=id/> }.into_any()),
        None => ("c-id muted", view! { <Identifier what="reference" value=row.number.to_string()/> }.into_any()),
    };
    let solution = match row.solution_name.or(row.solution_id) {
        Some(name) => view! { <span class="clip" title=name.clone()><Name name=name.clone()/></span> }.into_any(),
        None => none(),
    };
    let passed = Duration::try_from(now - row.queued_at).unwrap_or_default();
    view! {
        <tr role="row">
            <td role="cell" data-label="State" class="c-state">
                <span class="states"><StateLabel look=look_of(row.state.as_str())/>{stalled}{payment}{setting_up}</span>
            </td>
            <td role="cell" data-label="Request ID" class=id_class>{id}</td>
            <th role="rowheader" scope="row" class="c-name">
                <NameLink href=format!("/requests/{}", row.number) name=row.business_name/>
            </th>
            <td role="cell" data-label="Solution" class="c-sol">{solution}</td>
            <td role="cell" data-label="Requested by" class="c-man">
                <span class="clip" title=row.member_name.clone()><Name name=row.member_name.clone()/></span>
            </td>
            <td role="cell" data-label="Age" class="c-age num nowrap">{age(passed)}</td>
            <td role="cell" data-label="Last error" class="c-err">{last_error(row.cause.as_deref(), row.code)}</td>
        </tr>
    }
    .into_any()
}

fn last_error(cause: Option<&str>, code: Option<i64>) -> AnyView {
    let Some(words) = words_of(cause) else { return none() };
    let code = code.map(|code| view! { " "<code>{code}</code> });
    view! { <span class="err"><span class="clip" title=words>{words}</span>{code}</span> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ways_on_lead_only_where_there_is_more() {
        let at = RequestNumber;
        for (window, numbers, left, newer, older) in [
            (Window::Newest, &[9, 8][..], &[9, 8][..], None, None),
            (Window::Newest, &[9, 8, 7], &[9, 8], None, Some(8)),
            (Window::OlderThan(at(8)), &[7, 6, 5], &[7, 6], Some(7), Some(6)),
            (Window::OlderThan(at(8)), &[7], &[7], Some(7), None),
            (Window::NewerThan(at(5)), &[6, 7, 8], &[7, 6], Some(7), Some(6)),
            (Window::NewerThan(at(5)), &[6, 7], &[7, 6], None, Some(6)),
            (Window::NewerThan(at(9)), &[], &[], None, None),
        ] {
            let wanted = Leaf { numbers: left.to_vec(), newer: newer.map(at), older: older.map(at), looked_to: None };
            let looked = Looked { numbers: numbers.to_vec(), looked_to: None };
            assert_eq!(leaf(window, looked, 2), wanted, "{window:?}");
        }
    }

    #[test]
    fn a_page_that_ended_early_leads_on_from_where_it_looked_to() {
        let at = RequestNumber;
        for (window, numbers, looked_to, newer, older) in [
            (Window::Newest, &[9][..], 5, None, Some(5)),
            (Window::Newest, &[], 5, None, Some(5)),
            (Window::OlderThan(at(9)), &[7], 5, Some(7), Some(5)),
            (Window::NewerThan(at(2)), &[3], 8, Some(8), Some(3)),
            (Window::NewerThan(at(2)), &[], 8, Some(8), None),
        ] {
            let looked = Looked { numbers: numbers.to_vec(), looked_to: Some(at(looked_to)) };
            let leaf = leaf(window, looked, 2);
            assert_eq!((leaf.newer, leaf.older), (newer.map(at), older.map(at)), "{window:?}");
        }
    }
}
