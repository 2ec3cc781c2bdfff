//! How groups of failures look: a table with a trend, what one of them means, the businesses it hit.

use leptos::prelude::*;
use time::OffsetDateTime;

use super::page::PATH;
use crate::{
    graph::Cause,
    onboarding::{
        call_path,
        explain::{Meaning, cause_words, meaning},
    },
    support::{
        call::failure_words,
        page::request_path,
        store::{Group, GroupBusiness, MOST_COUNTED, Window},
    },
    ui::{Glyph, Hue, Lead, Name, NameLink, Panel, StateLabel, Timestamp, capped, grouped, state::look_of},
};

/// Where a group has its page.
pub fn group_path(group_id: i64) -> String {
    format!("{PATH}/{group_id}")
}

/// What it was, in a few words.
pub fn group_heading(group: &Group) -> String {
    cause_of(group).map_or("Something new to us", cause_words).to_owned()
}

fn cause_of(group: &Group) -> Option<Cause> {
    group.cause.parse().ok()
}

/// Its code as Meta writes it, or why there was no answer.
fn mark_of(group: &Group) -> String {
    match (group.key.code, group.key.subcode, &group.key.failure) {
        (Some(code), Some(subcode), _) => format!("{code} / {subcode}"),
        (Some(code), None, _) => code.to_string(),
        (None, _, Some(failure)) => failure_words(failure),
        (None, _, None) => "no code".to_owned(),
    }
}

/// The table of groups.
pub fn groups_table(groups: &[Group], window: Window, now: OffsetDateTime) -> AnyView {
    let rows = groups.iter().map(|group| group_row(group, now)).collect_view();
    let caption = format!("Failures of the last {} days by cause, most calls first", window.days);
    view! {
        <div class="list">
            <table class="table cards tall failures" role="table">
                <caption class="vh">{caption}</caption>
                <thead role="rowgroup">
                    <tr role="row">
                        <th scope="col" role="columnheader" class="c-name">"Cause"</th>
                        <th scope="col" role="columnheader" class="num">"Calls"</th>
                        <th scope="col" role="columnheader" class="num">"Businesses"</th>
                        <th scope="col" role="columnheader" class="c-man">"First seen"</th>
                        <th scope="col" role="columnheader">"Last seen"</th>
                        <th scope="col" role="columnheader" class="c-last">"Trend"</th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn group_row(group: &Group, now: OffsetDateTime) -> AnyView {
    let (heading, mark, href) = (group_heading(group), mark_of(group), group_path(group.id));
    let calls = grouped(group.calls.unsigned_abs());
    let businesses = capped(group.businesses.unsigned_abs(), MOST_COUNTED.unsigned_abs());
    let words =
        (!group.key.words.is_empty()).then(|| view! { <span class="sub"><Name name=group.key.words.clone()/></span> });
    let trend = trend(&group.trend);
    let (first_at, last_at) = (group.first_at, group.last_at);
    view! {
        <tr role="row">
            <th scope="row" role="rowheader">
                <a class="name" href=href>{heading}</a>" "<code class="muted">{mark}</code>
                {words}
            </th>
            <td role="cell" class="num" data-label="Calls">{calls}</td>
            <td role="cell" class="num" data-label="Businesses">{businesses}</td>
            <td role="cell" class="c-man" data-label="First seen"><Timestamp at=first_at now=now/></td>
            <td role="cell" data-label="Last seen"><Timestamp at=last_at now=now/></td>
            <td role="cell" class="c-last" data-label="Trend">{trend}</td>
        </tr>
    }
    .into_any()
}

/// A bar for each day, the newest at the end: one shape, as a page shows thousands of days.
fn trend(days: &[i64]) -> AnyView {
    let highest = days.iter().copied().max().unwrap_or_default().max(1);
    let bars = days.iter().enumerate().filter(|(_, calls)| **calls > 0).fold(String::new(), |bars, (at, calls)| {
        // A day with any call is seen.
        let height = (calls * 20 / highest).max(1);
        format!("{bars}M{} 20v-{height}h3v{height}z", at * 4)
    });
    let said = format!("Calls by day: {}", days.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
    let view_box = format!("0 0 {} 20", days.len() * 4);
    view! {
        <svg class="trend" viewBox=view_box preserveAspectRatio="none" role="img" aria-label=said><path d=bars></path></svg>
    }
    .into_any()
}

/// What a group means and what to do next.
pub fn meaning_of_group(group: &Group) -> AnyView {
    let Meaning { words, next, .. } =
        meaning(cause_of(group).unwrap_or(Cause::Unrecognised), group.key.code, group.key.subcode);
    let said = (!group.key.words.is_empty())
        .then(|| view! { <p>"Meta’s own words: “"<Name name=group.key.words.clone()/>"”"</p> });
    let mark = mark_of(group);
    view! {
        <Panel named_by="meaning" hue=Hue::Red>
            <div class="panel-body stack">
                <Lead id="meaning" title="What it means" glyph=Glyph::Alert>
                    <p>"Code / subcode: "<code>{mark}</code></p>
                    <p>{words}</p>
                    {said}
                </Lead>
                <div class="next"><h3>"What to do"</h3><p class="sm">{next}</p></div>
            </div>
        </Panel>
    }
    .into_any()
}

/// The businesses of a group with their requests.
pub fn businesses_table(businesses: Vec<GroupBusiness>, now: OffsetDateTime) -> AnyView {
    let rows = businesses.into_iter().map(|business| business_row(business, now)).collect_view();
    view! {
        <div class="list">
            <table class="table cards" role="table">
                <caption class="vh">"Businesses, the last to fail first"</caption>
                <thead role="rowgroup">
                    <tr role="row">
                        <th scope="col" role="columnheader" class="c-name">"Business"</th>
                        <th scope="col" role="columnheader">"Request"</th>
                        <th scope="col" role="columnheader" class="num">"Calls"</th>
                        <th scope="col" role="columnheader">"Last call"</th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn business_row(business: GroupBusiness, now: OffsetDateTime) -> AnyView {
    let href = format!("/businesses/{}", business.business_id);
    let name = business.name.clone().unwrap_or_else(|| business.business_id.clone());
    let request = business.request.map(|(number, state)| {
        view! {
            <span class="states">
                <a class="link nowrap" href=request_path(number)>{number.to_string()}</a>
                <StateLabel look=look_of(&state)/>
            </span>
        }
    });
    let call = call_path(business.last_call_id);
    let calls = grouped(business.calls.unsigned_abs());
    let at = business.last_at;
    view! {
        <tr role="row">
            <th scope="row" role="rowheader"><NameLink href=href name=name/></th>
            <td role="cell" data-label="Request">{request}</td>
            <td role="cell" class="num" data-label="Calls">{calls}</td>
            <td role="cell" data-label="Last call"><a class="link nowrap" href=call><Timestamp at=at now=now/></a></td>
        </tr>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trend_is_told_in_words_and_drawn_to_its_highest_day() {
        let html = Owner::new().with(|| trend(&[0, 1, 200]).to_html());
        for part in ["aria-label=\"Calls by day: 0, 1, 200\"", "M4 20v-1h3v1zM8 20v-20h3v20z", "viewBox=\"0 0 12 20\""]
        {
            assert!(html.contains(part), "{part} is not in {html}");
        }
    }
}
