//! `/insights`: five figures, four charts.

use leptos::prelude::*;
use time::{Date, Duration, OffsetDateTime};

use super::{
    drawings::{self, Funnel, day_name},
    model::{By, Counts, ErrorsOfDay, Group, Named, Standing, Usage},
    query::{Asked, LENGTHS, Query, Range},
    store,
    waits::{Waits, in_words},
};
use crate::{
    sign_in::{Page, Visit},
    telemetry::mishap,
    ui::{
        AppError, Choice, Empty, Field, Notice, NoticeKind, PageHead, Select, Separator, Timestamp, grouped, percent,
    },
};

/// Everything the page shows.
struct Sight {
    query: Query,
    solutions: Vec<Named>,
    managers: Vec<Named>,
    standing: Standing,
    days: Vec<(Date, Counts)>,
    before: Counts,
    groups: Vec<Group>,
    waits: Waits,
    waits_before: Waits,
    stalled: u64,
    stalled_after: Duration,
    errors: Vec<ErrorsOfDay>,
    usage: Vec<Usage>,
    from: Date,
    to: Date,
    now: OffsetDateTime,
}

fn sum(days: &[(Date, Counts)]) -> Counts {
    days.iter().fold(Counts::default(), |sum, (_, counts)| sum + *counts)
}

async fn look(visit: &Visit) -> Result<Sight, AppError> {
    let now = visit.clock.now();
    let today = now.date();
    let asked = Asked {
        range: visit.query("range"),
        from: visit.query("from"),
        to: visit.query("to"),
        solution: visit.query("solution"),
        manager: visit.query("manager"),
        by: visit.query("by"),
    };
    let mut tx = visit.tenant().await?;
    let solutions = store::solutions(&mut tx).await.map_err(mishap)?;
    let managers = store::managers(&mut tx).await.map_err(mishap)?;
    let query = Query::read(&asked, &solutions, &managers, today);
    let (slice, before) = (query.slice(today), query.slice_before(today));
    let standing = store::standing(&mut tx).await.map_err(mishap)?;
    let days = store::days(&mut tx, &slice).await.map_err(mishap)?;
    let days_before = store::days(&mut tx, &before).await.map_err(mishap)?;
    let groups = match query.by {
        By::Solution | By::Manager => store::groups(&mut tx, &slice, query.by).await.map_err(mishap)?,
        By::Nothing | By::Week => Vec::new(),
    };
    let waits = store::waits(&mut tx, &slice).await.map_err(mishap)?;
    let waits_before = store::waits(&mut tx, &before).await.map_err(mishap)?;
    let stalled = store::waiting_since(&mut tx, &slice, now - visit.viewer.stalled_after).await.map_err(mishap)?;
    let errors = store::errors(&mut tx, &slice).await.map_err(mishap)?;
    let usage = store::usage(&mut tx, now - Duration::DAY).await.map_err(mishap)?;
    Ok(Sight {
        query,
        solutions,
        managers,
        standing,
        days,
        before: sum(&days_before),
        groups,
        waits,
        waits_before,
        stalled,
        stalled_after: visit.viewer.stalled_after,
        errors,
        usage,
        from: slice.from,
        to: slice.to,
        now,
    })
}

/// `/insights`.
///
/// # Errors
/// When Postgres is away.
pub async fn insights_page(visit: Visit) -> Result<Page, AppError> {
    let sight = look(&visit).await?;
    let counted = match sight.standing.counted_at {
        Some(at) => view! { "Counted at "<Timestamp at=at now=sight.now/>", in days of UTC" }.into_any(),
        None => "In days of UTC".into_any(),
    };
    let days = format!("{} to {} {}", day_name(sight.from), day_name(sight.to), sight.to.year());
    let head = view! { <PageHead title="Insights"><span>{days}</span><Separator/><span>{counted}</span></PageHead> };
    let view = if sight.standing.any {
        view! {
            {head}
            {filters(&sight)}
            {remarks(&sight)}
            {still_counting(&sight.standing)}
            {figures(&sight)}
            {charts(sight)}
        }
        .into_any()
    } else if sight.usage.is_empty() {
        view! { {head}{remarks(&sight)}{nothing_yet()} }.into_any()
    } else {
        view! {
            {head}
            {remarks(&sight)}
            {nothing_yet()}
            <div class="charts">{drawings::limit(&sight.usage, sight.now)}</div>
        }
        .into_any()
    };
    Ok(Page { title: "Insights".to_owned(), view })
}

fn nothing_yet() -> AnyView {
    let actions = view! { <a class="btn btn-primary" href="/businesses">"Go to Businesses"</a> };
    view! {
        <Empty title="Nothing to count yet" actions=actions.into_any()>
            <p>"Once a business is requested, this page shows how many accept, how soon, and what stands in the way."</p>
        </Empty>
    }
    .into_any()
}

fn remarks(sight: &Sight) -> Option<AnyView> {
    let remarks = &sight.query.remarks;
    (!remarks.is_empty()).then(|| {
        let said = remarks.iter().map(|remark| view! { <p>{remark.clone()}</p> }).collect_view();
        view! { <Notice kind=NoticeKind::Info title="Not everything in the address could be used">{said}</Notice> }
            .into_any()
    })
}

fn still_counting(standing: &Standing) -> Option<AnyView> {
    let (counted, all) = standing.share;
    (standing.counted_at.is_none() && all > counted).then(|| {
        view! {
            <Notice kind=NoticeKind::Stale title="Earlier requests are still being counted">
                <p>{percent(counted, all)}" are in these numbers. The rest follows by itself."</p>
            </Notice>
        }
        .into_any()
    })
}

fn choices(all: &str, named: &[Named], current: &str, more: Option<Choice>) -> Vec<Choice> {
    let all = Choice { value: String::new(), word: all.to_owned(), selected: current.is_empty(), disabled: false };
    let named = named.iter().map(|named| Choice {
        value: named.id.clone(),
        word: named.name.clone(),
        selected: named.id == current,
        disabled: false,
    });
    std::iter::once(all).chain(more).chain(named).collect()
}

fn filters(sight: &Sight) -> AnyView {
    let query = &sight.query;
    let member = if query.member == 0 { String::new() } else { query.member.to_string() };
    let managers = choices("Anybody", &sight.managers, &member, None);
    let none = Choice {
        value: "none".to_owned(),
        word: "No solution".to_owned(),
        selected: query.solution.is_empty(),
        disabled: false,
    };
    // Nothing in the address is all of them; none of them has a word of its own.
    let current = match query.solution.as_str() {
        "*" => "",
        "" => "none",
        id => id,
    };
    let solutions = choices("All solutions", &sight.solutions, current, Some(none));
    let periods = LENGTHS
        .map(|days| {
            let range = Range::Last(days);
            let current = (query.range == range).then_some("true");
            view! { <a href=query.href(range, query.by) aria-current=current>{format!("{days} days")}</a> }
        })
        .collect_view();
    let (custom, length) = match query.range {
        Range::Between(..) => (true, None),
        Range::Last(days) => (false, Some(days.to_string())),
    };
    let (from, to) = if custom { (sight.from.to_string(), sight.to.to_string()) } else { Default::default() };
    let by = (query.by != By::Nothing).then(|| view! { <input type="hidden" name="by" value=query.by.key()/> });
    let length = length.map(|days| view! { <input type="hidden" name="range" value=days/> });
    view! {
        <form class="insight-filters" action="/insights" role="search" aria-label="Insights">
            <nav class="seg" aria-label="Period">{periods}</nav>
            {length}{by}
            <Select id="solution" name="solution" label="Solution" choices=solutions/>
            <Select id="manager" name="manager" label="Requested by" choices=managers/>
            <details class="disclose insight-days" open=custom>
                <summary>"Custom days"</summary>
                <div>
                    <Field id="from" name="from" label="From" kind="date" value=from/>
                    <Field id="to" name="to" label="To" kind="date" value=to/>
                </div>
            </details>
            <button class="btn" type="submit">"Show"</button>
        </form>
    }
    .into_any()
}

/// How a number compares with that of the days before: `+312 on the 90 days before`.
fn compared(now: u64, before: u64, days: i64) -> String {
    let (sign, difference) = if now >= before { ("+", now - before) } else { ("−", before - now) };
    format!("{sign}{} on the {days} days before", grouped(difference))
}

/// A share with a tenth where it's small: `2.0 %`.
fn fine_percent(part: u64, whole: u64) -> String {
    if whole == 0 || part * 10 >= whole {
        return percent(part, whole);
    }
    let thousandths = u128::from(part) * 1_000 / u128::from(whole);
    format!("{}.{} %", thousandths / 10, thousandths % 10)
}

fn figures(sight: &Sight) -> AnyView {
    let total = sum(&sight.days);
    let before = sight.before;
    let length = (sight.to - sight.from).whole_days() + 1;
    let was = match before.requested {
        0 => String::new(),
        _ => format!(", was {}", percent(before.accepted, before.requested)),
    };
    let median = |waits: &Waits| waits.within(50).map(in_words);
    let median_before = median(&sight.waits_before).map(|wait| format!("was {wait}"));
    let today =
        sight.errors.iter().filter(|errors| errors.day == sight.now.date()).map(|errors| errors.failed).sum::<u64>();
    let of_today = if today > 0 { format!(", {} given up today", grouped(today)) } else { String::new() };
    view! {
        <dl class="kpis">
            <div><dt>"Requested"</dt><dd>{grouped(total.requested)}<span class="sub">{compared(total.requested, before.requested, length)}</span></dd></div>
            <div><dt>"Accepted"</dt><dd>{percent(total.accepted, total.requested)}<span class="sub">{format!("{}{was}", grouped(total.accepted))}</span></dd></div>
            <div>
                <dt>"Median time to accept"</dt>
                <dd>{median(&sight.waits).unwrap_or_else(|| "–".to_owned())}<span class="sub">{median_before.unwrap_or_default()}</span></dd>
            </div>
            <div>
                <dt>"Stalled now"</dt>
                <dd>{grouped(sight.stalled)}<span class="sub"><a class="link" href="/requests?state=stalled">"See who to remind"</a></span></dd>
            </div>
            <div>
                <dt>"Failed"</dt>
                <dd>{fine_percent(total.failed, total.asked)}<span class="sub">{format!("{}{of_today}", grouped(total.failed))}</span></dd>
            </div>
        </dl>
    }
    .into_any()
}

fn charts(sight: Sight) -> AnyView {
    let funnel = Funnel {
        query: &sight.query,
        total: sum(&sight.days),
        days: &sight.days,
        groups: sight.groups,
        from: sight.from,
        to: sight.to,
    };
    view! {
        <div class="charts">
            {drawings::funnel(funnel)}
            {drawings::time_to_accept(&sight.waits, sight.stalled_after.whole_days().unsigned_abs())}
            {drawings::errors(&sight.errors, sight.from, sight.to)}
            {drawings::limit(&sight.usage, sight.now)}
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_shares_keep_a_tenth() {
        for (part, whole, words) in
            [(39, 1_904, "2.0 %"), (1, 3, "33 %"), (0, 9, "0.0 %"), (0, 0, "0 %"), (9, 9, "100 %")]
        {
            assert_eq!(fine_percent(part, whole), words);
        }
        assert_eq!(compared(1_904, 1_592, 90), "+312 on the 90 days before");
        assert_eq!(compared(1, 3, 7), "−2 on the 7 days before");
    }
}
