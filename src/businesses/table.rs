//! The table of businesses: one row each, with the one thing to do next.

use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    model::{Business, LastRequest, Standing},
    store::Selected,
};
use crate::ui::{Glyph, Hue, Icon, Identifier, NameLink, StateLabel, Tag, TimeStyle, Timestamp, state::look_of};

/// The table. `caption` is for those who can't see it. `selected`: what the viewer has ticked; those who send nothing have no boxes to
/// tick, and no 'Onboard…'.
pub fn business_table(
    businesses: Vec<Business>,
    caption: String,
    selected: Option<&Selected>,
    stalled_after: time::Duration,
    now: OffsetDateTime,
) -> AnyView {
    let head = selected.map(|selected| {
        let (some, all) = (!selected.here.is_empty(), selected.here.len() == businesses.len());
        let class = if some && !all { "check some" } else { "check" };
        let label = format!("Select all {} on this page", businesses.len());
        view! {
            <th role="columnheader" scope="col" class="pick">
                <input class=class type="checkbox" id="tick-all" aria-label=label checked=all autocomplete="off"/>
            </th>
        }
    });
    let rows = businesses.into_iter().map(|business| row(business, selected, stalled_after, now)).collect_view();
    view! {
        <div class="table-wrap">
            <table class="table cards cards-biz" role="table">
                <caption class="vh">{caption}</caption>
                <thead role="rowgroup">
                    <tr role="row">
                        {head}
                        <th role="columnheader" scope="col" aria-sort="ascending"><span class="sort">"Name"<Icon glyph=Glyph::Up/></span></th>
                        <th role="columnheader" scope="col">"Business ID"</th>
                        <th role="columnheader" scope="col" class="c-wabas">"Eligible WABAs"</th>
                        <th role="columnheader" scope="col">"MM status"</th>
                        <th role="columnheader" scope="col" class="c-last">"Last request"</th>
                        <th role="columnheader" scope="col" class="act"><span class="vh">"Next action"</span></th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn row(business: Business, selected: Option<&Selected>, stalled_after: time::Duration, now: OffsetDateTime) -> AnyView {
    let href = format!("/businesses/{}", business.id);
    let may_onboard = selected.is_some();
    let pick = selected.map(|selected| {
        let (id, label) = (business.id.to_string(), format!("Select {}", business.name));
        let ticked = selected.here.contains(&business.id);
        // Browsers keep the ticks of a page they come back to, and these may have changed since.
        view! {
            <td role="cell" class="pick">
                <input type="hidden" name="shown[]" value=id.clone()/>
                <input class="check" type="checkbox" name="tick[]" value=id aria-label=label checked=ticked autocomplete="off"/>
            </td>
        }
    });
    let action = next_action(&business, may_onboard).map(|(word, href)| action(word, href, &business.name));
    let tags = tags(&business, stalled_after, now);
    let state = view! { <StateLabel look=look_of(business.standing.as_str())/> };
    let state =
        if tags.is_empty() { state.into_any() } else { view! { <span class="states">{state}{tags}</span> }.into_any() };
    view! {
        <tr role="row">
            {pick}
            <th role="rowheader" scope="row" class="c-name"><NameLink href=href name=business.name/></th>
            <td role="cell" data-label="Business ID" class="c-id"><Identifier what="business ID" value=business.id.to_string()/></td>
            <td role="cell" data-label="Eligible WABAs" class="c-wabas nowrap">
                {format!("{} of {}", business.eligible_wabas, business.wabas)}<span class="only-cards">" eligible"</span>
            </td>
            <td role="cell" data-label="MM status" class="c-state">{state}</td>
            <td role="cell" data-label="Last request" class="c-last nowrap">{last(business.last_request, now)}</td>
            <td role="cell" class="act">{action}</td>
        </tr>
    }
    .into_any()
}

fn tags(business: &Business, stalled_after: time::Duration, now: OffsetDateTime) -> Vec<AnyView> {
    let mut tags = Vec::new();
    if let Some(days) = business.stalled_days(stalled_after, now) {
        let text = format!("Stalled {days} d");
        tags.push(view! { <Tag hue=Hue::Amber glyph=Glyph::Hourglass text=text/> }.into_any());
    }
    if business.needs_payment {
        tags.push(view! { <Tag hue=Hue::Amber text="Needs payment"/> }.into_any());
    }
    if business.setting_up && business.standing == Standing::Accepted {
        tags.push(view! { <Tag hue=Hue::Teal text="Setting up"/> }.into_any());
    }
    tags
}

fn last(request: Option<LastRequest>, now: OffsetDateTime) -> AnyView {
    match request {
        None => view! { <span class="none" aria-hidden="true">"–"</span><span class="vh">"Never requested"</span> }
            .into_any(),
        Some(request) => {
            let short = short_name(&request.by);
            view! { <Timestamp at=request.at now=now style=TimeStyle::Day/>" "<span class="muted" title=request.by>{short}</span> }
                .into_any()
        }
    }
}

/// The one thing to do next: its word and where it is done. None where nothing is to be done, or not by this viewer.
fn next_action(business: &Business, may_onboard: bool) -> Option<(&'static str, String)> {
    let page = format!("/businesses/{}", business.id);
    let request = business.last_request.as_ref().map(|request| format!("/requests/LB-{}", request.number));
    match business.standing {
        Standing::Eligible => may_onboard.then_some(("Onboard", page)),
        Standing::Requested | Standing::AlreadyRequested => Some(("Follow up", request.unwrap_or(page))),
        Standing::Failed => Some(("See why", request.unwrap_or(page))),
        Standing::NotEligible => Some(("See why", page)),
        _ => business.needs_payment.then_some(("See why", page)),
    }
}

fn action(word: &'static str, href: String, name: &str) -> AnyView {
    if word == "Onboard" {
        let label = format!("Onboard… {name}");
        return view! { <a class="btn btn-sm" href=href aria-label=label>"Onboard…"</a> }.into_any();
    }
    let label = format!("{word} {name}");
    view! { <a class="btn btn-sm btn-quiet" href=href aria-label=label>{word}</a> }.into_any()
}

/// `Ines Carvalho` as `Ines C.`; a single name as it is.
fn short_name(name: &str) -> String {
    let mut words = name.split_whitespace();
    let first = words.next().unwrap_or_default();
    match words.next_back().and_then(|last| last.chars().next()) {
        Some(initial) => format!("{first} {initial}."),
        None => first.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn business(standing: Standing, number: Option<i64>, needs_payment: bool) -> Business {
        let then = datetime!(2026-11-01 08:00 UTC);
        Business {
            id: "17".parse().unwrap(),
            name: "Estrela".into(),
            country: None,
            verification_status: None,
            meta_status: None,
            meta_status_date: None,
            checked_at: None,
            wabas: 1,
            eligible_wabas: 1,
            ready_wabas: 0,
            standing,
            needs_payment,
            setting_up: false,
            waiting_since: standing.is_waiting().then_some(then),
            last_request: number.map(|number| LastRequest { number, at: then, by: "Ines".into() }),
            first_seen_at: then,
            left_at: None,
        }
    }

    #[test]
    fn each_row_has_at_most_one_thing_to_do() {
        for (standing, number, needs_payment, may_onboard, expected) in [
            (Standing::Eligible, None, false, true, Some(("Onboard", "/businesses/17"))),
            (Standing::Eligible, Some(5), false, false, None),
            (Standing::Requested, Some(5), false, false, Some(("Follow up", "/requests/LB-5"))),
            (Standing::AlreadyRequested, None, false, true, Some(("Follow up", "/businesses/17"))),
            (Standing::Failed, Some(5), false, true, Some(("See why", "/requests/LB-5"))),
            (Standing::NotEligible, None, false, true, Some(("See why", "/businesses/17"))),
            (Standing::Accepted, Some(5), true, true, Some(("See why", "/businesses/17"))),
            (Standing::Accepted, Some(5), false, true, None),
            (Standing::TakenByAnotherPartner, Some(5), false, true, None),
            (Standing::Queued, Some(5), false, true, None),
        ] {
            let action = next_action(&business(standing, number, needs_payment), may_onboard);
            let action = action.as_ref().map(|(word, href)| (*word, href.as_str()));
            assert_eq!(action, expected, "{standing:?}");
        }
    }

    #[test]
    fn a_business_stalls_after_more_than_so_many_days() {
        let business = business(Standing::Requested, Some(5), false);
        let stalled_days = |days, now| business.stalled_days(time::Duration::days(days), now);
        assert_eq!(stalled_days(7, datetime!(2026-11-08 08:00 UTC)), None);
        assert_eq!(stalled_days(7, datetime!(2026-11-08 08:01 UTC)), Some(7));
        assert_eq!(stalled_days(7, datetime!(2026-11-12 09:00 UTC)), Some(11));
        assert_eq!(stalled_days(3, datetime!(2026-11-04 08:00 UTC)), None);
        assert_eq!(stalled_days(3, datetime!(2026-11-05 08:00 UTC)), Some(4));
    }

    #[test]
    fn a_long_name_is_shortened_to_its_first_word_and_an_initial() {
        for (name, short) in
            [("Ines Carvalho", "Ines C."), ("Tomasz de la Cruz Wróbel", "Tomasz W."), ("Madonna", "Madonna"), ("", "")]
        {
            assert_eq!(short_name(name), short);
        }
    }
}
