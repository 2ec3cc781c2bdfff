//! The list of requests: newest first, by state, fifty at a time.

use std::time::Duration;

use leptos::prelude::*;
use time::OffsetDateTime;

use super::{problem_notice, request_url, story::words_of};
use crate::{
    onboarding::{
        batches::BatchNumber,
        explain::{STALLED_AFTER, cause_words, stalled_days},
        model::{RequestNumber, State},
        store::{self, Filter, ListedRequest, Window, Within},
    },
    sign_in::{Page, Visit},
    telemetry::mishap,
    ui::{
        AppError, Chip, Chips, Empty, Glyph, Hue, Identifier, Name, NameLink, PageHead, Pager, Separator, StateLabel,
        Tag, TimeStyle, Timestamp, age, plural, state::look_of,
    },
};

/// Rows of a page.
const ROWS: usize = 50;

/// One choice of the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Choice {
    /// In `?state=`; empty for all.
    key: &'static str,
    word: &'static str,
    /// `None`: all.
    states: Option<&'static [State]>,
    /// Whether requests that have stalled belong to it.
    stalled: bool,
}

const OPEN: &[State] =
    &[State::Queued, State::Sending, State::WaitingToRetry, State::Requested, State::AlreadyRequested];

const CHOICES: [Choice; 8] = [
    Choice { key: "", word: "All", states: None, stalled: false },
    Choice { key: "open", word: "Open", states: Some(OPEN), stalled: false },
    Choice { key: "attention", word: "Needs attention", states: Some(&[State::Failed]), stalled: true },
    Choice { key: "stalled", word: "Stalled", states: Some(&[]), stalled: true },
    Choice { key: "failed", word: "Failed", states: Some(&[State::Failed]), stalled: false },
    Choice { key: "accepted", word: "Accepted", states: Some(&[State::Accepted]), stalled: false },
    Choice { key: "ready", word: "Ready", states: Some(&[State::Ready]), stalled: false },
    Choice {
        key: "taken",
        word: "Taken by another partner",
        states: Some(&[State::TakenByAnotherPartner]),
        stalled: false,
    },
];

impl Choice {
    /// The choice of that key; anything else is all.
    fn read(key: Option<&str>) -> Self {
        CHOICES.into_iter().find(|choice| Some(choice.key) == key).unwrap_or(CHOICES[0])
    }

    fn filter(self, now: OffsetDateTime) -> Filter<'static> {
        match self.states {
            None => Filter::All,
            Some(states) => Filter::Any { states, stalled_before: self.stalled.then(|| now - STALLED_AFTER) },
        }
    }

    /// The list with this choice, from `cursor` on (`before=LB-1001`), or from the newest.
    fn href(self, within: Within, cursor: Option<String>) -> String {
        let batch = within.batch.map(|batch| format!("batch={batch}"));
        let state = (!self.key.is_empty()).then(|| format!("state={}", self.key));
        let cause = within.cause.map(|cause| format!("cause={cause}"));
        let query: Vec<String> = [batch, state, cause, cursor].into_iter().flatten().collect();
        if query.is_empty() { "/requests".to_owned() } else { format!("/requests?{}", query.join("&")) }
    }
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

/// Whose requests the address asks for. What can't be read asks for nothing.
fn within(batch: Option<&str>, cause: Option<&str>) -> Within {
    let batch = batch.and_then(|batch| batch.parse::<BatchNumber>().ok());
    Within { batch: batch.map(|batch| batch.0), cause: cause.and_then(|cause| cause.parse().ok()) }
}

/// The line under the title: what is listed, and the way to everything.
fn head(within: Within) -> AnyView {
    if within == Within::default() {
        return view! { <PageHead title="Requests"><span>"Newest first"</span></PageHead> }.into_any();
    }
    let batch = within.batch.map(|batch| {
        view! { <span>"Of "<a class="link" href=format!("/batches/{batch}")>{format!("batch {batch}")}</a></span> }
    });
    let cause = within.cause.map(|cause| view! { <span>{cause_words(cause)}</span> });
    let joint = (within.batch.is_some() && within.cause.is_some()).then(|| view! { <Separator/> });
    view! {
        <PageHead title="Requests">
            {batch}{joint}{cause}<Separator/><a class="link" href="/requests">"Show all requests"</a>
        </PageHead>
    }
    .into_any()
}

/// A page of rows, and where the ways on lead.
struct Leaf {
    rows: Vec<ListedRequest>,
    newer: Option<RequestNumber>,
    older: Option<RequestNumber>,
}

/// Cuts the extra row off that tells whether there is more. `rows` are newest first, up to one more than a page.
fn leaf(window: Window, mut rows: Vec<ListedRequest>, most: usize) -> Leaf {
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

/// `/requests`.
///
/// # Errors
/// When Postgres is away.
pub async fn requests_page(visit: Visit) -> Result<Page, AppError> {
    let now = visit.clock.now();
    let choice = Choice::read(visit.query("state").as_deref());
    let window = window(visit.query("before").as_deref(), visit.query("after").as_deref());
    let mut tx = visit.tenant().await?;
    let most = i64::try_from(ROWS + 1).unwrap_or(i64::MAX);
    let within = within(visit.query("batch").as_deref(), visit.query("cause").as_deref());
    let rows = store::list_requests(&mut tx, choice.filter(now), within, window, most).await.map_err(mishap)?;
    let leaf = leaf(window, rows, ROWS);
    let any = choice.states.is_none() && window == Window::Newest && within == Within::default();
    let list = if leaf.rows.is_empty() { empty(any) } else { list(choice, within, leaf, now) };
    let view = view! {
        {head(within)}
        {problem_notice(&visit)}
        <Chips label="Filter by state" chips=chips(choice, within)/>
        {list}
    };
    Ok(Page { title: "Requests".to_owned(), view: view.into_any() })
}

/// A cause goes with the states it was given for, so another choice leaves it out.
fn chips(current: Choice, within: Within) -> Vec<Chip> {
    let within = Within { cause: None, ..within };
    CHOICES
        .into_iter()
        .map(|choice| Chip {
            href: choice.href(within, None),
            word: choice.word,
            count: None,
            current: choice == current,
        })
        .collect()
}

/// `any`: nothing at all was ever requested.
fn empty(any: bool) -> AnyView {
    if any {
        let actions = view! { <a class="btn btn-primary" href="/businesses">"Go to Businesses"</a> };
        return view! {
            <Empty title="No request yet" actions=actions.into_any()>
                <p>"Open a business and choose “Onboard to MM Lite”. Each request is listed here, whatever becomes of it."</p>
            </Empty>
        }
        .into_any();
    }
    let actions = view! { <a class="btn" href="/requests">"Show all requests"</a> };
    view! { <Empty title="No request here" actions=actions.into_any()><p>"None is in this state now."</p></Empty> }
        .into_any()
}

fn list(choice: Choice, within: Within, leaf: Leaf, now: OffsetDateTime) -> AnyView {
    let shown = u64::try_from(leaf.rows.len()).unwrap_or_default();
    let oldest = leaf.rows.last().map(|row| row.queued_at);
    let newer = leaf.newer.map(|number| choice.href(within, Some(format!("after={number}"))));
    let older = leaf.older.map(|number| choice.href(within, Some(format!("before={number}"))));
    let rows = leaf.rows.into_iter().map(|row| table_row(row, now)).collect::<Vec<_>>();
    let oldest = oldest.map(|at| view! { ", back to "<Timestamp at=at now=now style=TimeStyle::Day/> });
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
        <Pager words=("Newer", "Older") back=newer on=older>
            {plural(shown, "request", "requests")}{oldest}
        </Pager>
    }
    .into_any()
}

fn table_row(row: ListedRequest, now: OffsetDateTime) -> AnyView {
    let stalled = stalled_days(row.state, row.answered_at, now)
        .map(|days| view! { <Tag hue=Hue::Amber glyph=Glyph::Hourglass text=format!("Stalled {days} d")/> });
    let payment = row.needs_payment.then(|| view! { <Tag hue=Hue::Amber text="Needs payment"/> });
    let setting_up = row.setting_up.then(|| view! { <Tag hue=Hue::Teal text="Setting up"/> });
    let (id_class, id) = match row.meta_request_id {
        Some(id) => ("c-id", view! { <Identifier what="request ID" value=id/> }.into_any()),
        None => ("c-id muted", view! { <Identifier what="reference" value=row.number.to_string()/> }.into_any()),
    };
    let solution = match row.solution_name.or_else(|| row.solution_id.map(|id| id.to_string())) {
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
            <th role="rowheader" scope="row" class="c-name"><NameLink href=request_url(row.number) name=row.business_name/></th>
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

fn none() -> AnyView {
    view! { <span class="none" aria-hidden="true">"–"</span><span class="vh">"None"</span> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: OffsetDateTime = time::macros::datetime!(2026-11-24 10:00 UTC);

    fn rows(numbers: &[i64]) -> Vec<ListedRequest> {
        let row = |number: &i64| ListedRequest {
            number: RequestNumber(*number),
            business_name: String::new(),
            state: State::Queued,
            meta_request_id: None,
            solution_id: None,
            solution_name: None,
            member_name: String::new(),
            queued_at: NOW,
            answered_at: None,
            needs_payment: false,
            setting_up: false,
            cause: None,
            code: None,
        };
        numbers.iter().map(row).collect()
    }

    #[test]
    fn the_ways_on_lead_only_where_there_is_more() {
        let at = |number| RequestNumber(number);
        for (window, numbers, left, newer, older) in [
            (Window::Newest, &[9, 8][..], &[9, 8][..], None, None),
            (Window::Newest, &[9, 8, 7], &[9, 8], None, Some(8)),
            (Window::OlderThan(at(8)), &[7, 6, 5], &[7, 6], Some(7), Some(6)),
            (Window::OlderThan(at(8)), &[7], &[7], Some(7), None),
            (Window::NewerThan(at(5)), &[8, 7, 6], &[7, 6], Some(7), Some(6)),
            (Window::NewerThan(at(5)), &[7, 6], &[7, 6], None, Some(6)),
            (Window::NewerThan(at(9)), &[], &[], None, None),
        ] {
            let leaf = leaf(window, rows(numbers), 2);
            let shown: Vec<_> = leaf.rows.iter().map(|row| row.number.0).collect();
            assert_eq!((shown.as_slice(), leaf.newer, leaf.older), (left, newer.map(at), older.map(at)), "{window:?}");
        }
    }

    #[test]
    fn the_address_is_the_filter() {
        for choice in CHOICES {
            assert_eq!(Choice::read(Some(choice.key)), choice);
        }
        assert_eq!(Choice::read(Some("nonsense")), CHOICES[0]);
        let all = Within::default();
        assert_eq!(CHOICES[0].href(all, None), "/requests");
        assert_eq!(CHOICES[1].href(all, Some("before=LB-7".into())), "/requests?state=open&before=LB-7");
        let some = within(Some("118"), Some("access_denied"));
        assert_eq!(CHOICES[4].href(some, None), "/requests?batch=118&state=failed&cause=access_denied");
        assert_eq!(within(Some("LB-1"), Some("' OR 1=1")), all);
        assert_eq!(window(Some("LB-7"), None), Window::OlderThan(RequestNumber(7)));
        assert_eq!(window(None, Some("lb-7")), Window::NewerThan(RequestNumber(7)));
        assert_eq!(window(Some("x"), Some("7")), Window::Newest);
    }

    #[test]
    fn only_what_has_stalled_needs_attention_besides_failures() {
        let stalled_before = Some(NOW - STALLED_AFTER);
        assert_eq!(
            Choice::read(Some("attention")).filter(NOW),
            Filter::Any { states: &[State::Failed], stalled_before }
        );
        assert_eq!(
            Choice::read(Some("failed")).filter(NOW),
            Filter::Any { states: &[State::Failed], stalled_before: None }
        );
        assert_eq!(Choice::read(None).filter(NOW), Filter::All);
    }
}
