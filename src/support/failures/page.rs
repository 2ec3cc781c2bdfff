//! `/support/causes`: failures by cause within some days; `/support/causes/{id}`: one of them, with the businesses it hit.

use leptos::prelude::*;
use time::{Duration, OffsetDateTime};

use super::view::{businesses_table, group_heading, groups_table, meaning_of_group};
use crate::{
    onboarding::call_path,
    sign_in::{Page, Visit},
    support::store::{self, Window},
    telemetry::mishap,
    ui::{
        AppError, Breadcrumbs, Chip, Chips, Empty, Fact, Facts, PageHead, Pager, Section, Timestamp, capped, grouped,
        plural,
    },
};

/// Where the list is.
pub const PATH: &str = "/support/causes";

/// Groups shown.
const MOST: i64 = 50;

/// Businesses on a page.
const PAGE: i64 = 50;

/// How many days may be looked at.
const SPANS: [(i32, &str); 3] = [(7, "7 days"), (30, "30 days"), (90, "90 days")];

/// The list.
pub async fn causes_page(visit: Visit) -> Result<Page, AppError> {
    let (window, now) = (window(&visit), visit.clock.now());
    let mut tx = visit.tenant().await?;
    let mut groups = store::list_groups(&mut tx, window, MOST + 1).await.map_err(mishap)?;
    let most = usize::try_from(MOST).unwrap_or(usize::MAX);
    let more = groups.len() > most;
    groups.truncate(most);
    let chips = SPANS.map(|(days, word)| Chip {
        href: format!("{PATH}?days={days}"),
        word,
        count: None,
        current: days == window.days,
    });
    let list = if groups.is_empty() {
        view! {
            <Empty title="Nothing failed in these days">
                <p>"Every call to Meta was answered without an error."</p>
            </Empty>
        }
        .into_any()
    } else {
        groups_table(&groups, window, now)
    };
    let note = more.then(|| view! { <p class="hint">{format!("The {MOST} with the most calls are shown.")}</p> });
    let view = view! {
        <Breadcrumbs above=vec![("Look up", "/support".to_owned())] here="Failures by cause"/>
        <PageHead title="Failures by cause">"Calls to Meta that failed, grouped by code and words. New ones are counted within seconds."</PageHead>
        <Chips label="Days looked at" chips=chips.to_vec()/>
        {list}
        {note}
    };
    Ok(Page { title: "Failures by cause".to_owned(), view: view.into_any() })
}

/// One group, and its businesses.
///
/// # Errors
/// `NotFound` for what is no group of this partner.
pub async fn cause_page(visit: Visit) -> Result<Page, AppError> {
    let id = visit.param("cause").and_then(|id| id.parse::<i64>().ok()).ok_or(AppError::NotFound)?;
    let (window, now) = (window(&visit), visit.clock.now());
    let before = visit.query("before").as_deref().and_then(read_place);
    let mut tx = visit.tenant().await?;
    let group = store::find_group(&mut tx, id, window).await.map_err(mishap)?.ok_or(AppError::NotFound)?;
    let place = before.as_ref().map(|(at, id)| (*at, id.as_str()));
    let mut businesses = store::businesses_of(&mut tx, id, place, PAGE + 1).await.map_err(mishap)?;
    let page = usize::try_from(PAGE).unwrap_or(usize::MAX);
    let more = businesses.len() > page;
    businesses.truncate(page);
    let on = businesses
        .last()
        .filter(|_| more)
        .map(|last| format!("{PATH}/{id}?before={}.{}", last.last_at.unix_timestamp_nanos() / 1_000, last.business_id));
    let back = before.is_some().then(|| format!("{PATH}/{id}"));
    let title = group_heading(&group);
    let (first_at, last_at, last_call) = (group.first_at, group.last_at, call_path(group.last_call_id));
    let code = group.key.code;
    let calls = grouped(group.calls.unsigned_abs());
    let hit = capped(group.businesses.unsigned_abs(), store::MOST_COUNTED.unsigned_abs());
    let within = || format!("in the last {} days", window.days);
    let (calls_within, hit_within) = (within(), within());
    let shown = plural(businesses.len() as u64, "business", "businesses");
    let list = if businesses.is_empty() {
        view! { <p class="hint">"These calls were to no business: lists, tokens and the like."</p> }.into_any()
    } else {
        view! {
            {businesses_table(businesses, now)}
            <Pager words=("First page", "Older") back=back on=on><span>{shown}", the last to fail first"</span></Pager>
        }
        .into_any()
    };
    let meaning = meaning_of_group(&group);
    let view = view! {
        <Breadcrumbs above=vec![("Look up", "/support".to_owned()), ("Failures by cause", PATH.to_owned())] here=title.clone()/>
        <PageHead title=title.clone()/>
        <div class="split">
            <div>
                {meaning}
                <Section id="businesses" title="Businesses and their requests">{list}</Section>
            </div>
            <aside class="side" aria-label="Facts">
                <h2>"Facts"</h2>
                <Facts>
                    <Fact term="Calls">{calls}<span class="sub">{calls_within}</span></Fact>
                    <Fact term="Businesses">{hit}<span class="sub">{hit_within}</span></Fact>
                    <Fact term="First seen"><Timestamp at=first_at now=now/></Fact>
                    <Fact term="Last seen"><Timestamp at=last_at now=now/></Fact>
                    <Fact term="Last call"><a class="link" href=last_call>"Open the last call"</a></Fact>
                    {code.map(|code| view! {
                        <Fact term="Requests"><a class="link" href=format!("/requests?q=code%3A{code}")>{format!("Search for code {code}")}</a></Fact>
                    })}
                </Facts>
            </aside>
        </div>
    };
    Ok(Page { title, view: view.into_any() })
}

fn window(visit: &Visit) -> Window {
    let asked = visit.query("days").and_then(|days| days.parse::<i32>().ok());
    let days = SPANS.iter().map(|(days, _)| *days).find(|days| Some(*days) == asked).unwrap_or(SPANS[0].0);
    last_days(visit.clock.now(), days)
}

/// The last seven days, today among them.
pub fn week(now: OffsetDateTime) -> Window {
    last_days(now, SPANS[0].0)
}

fn last_days(now: OffsetDateTime, days: i32) -> Window {
    Window { first: now.date() - Duration::days(i64::from(days) - 1), days }
}

/// The edge of a page, from the address.
fn read_place(text: &str) -> Option<(OffsetDateTime, String)> {
    let (micros, id) = text.split_once('.')?;
    let at = OffsetDateTime::from_unix_timestamp_nanos(micros.parse::<i128>().ok()?.checked_mul(1_000)?).ok()?;
    let is_id = (1..=20).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit());
    is_id.then(|| (at, id.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_without_trust() {
        assert!(read_place("1795516929000000.2210758843906172").is_some());
        for text in
            ["", ".", "1.", "1.x", "x.1", "1.123456789012345678901", "99999999999999999999999999999999999999.1", "1.\0"]
        {
            assert_eq!(read_place(text), None, "{text:?}");
        }
    }
}
