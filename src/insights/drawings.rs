//! The four charts: each from its numbers to a drawing and its tables.

use leptos::prelude::*;
use time::{Date, Duration, OffsetDateTime};

use super::{
    findings,
    model::{By, Counts, Errors, ErrorsOfDay, Family, Group, Usage},
    query::Query,
    waits::{COLUMNS, Waits, column_name, in_words},
};
use crate::ui::{
    Hue, TimeStyle, Timestamp,
    charts::{
        Bar, Chart, ChartTable, Column, Line, Mark, Point, Rule, bars, columns, legend_line, legend_square, lines,
    },
    grouped, percent, plural, time_text,
};

/// Groups of a funnel that are drawn; the table has all.
const GROUPS_DRAWN: usize = 8;

/// From this percentage on fewer calls go at once.
const SLOWER_FROM: f64 = 75.0;

/// Days that stand as days; more stand as weeks.
const DAYS_DRAWN: i64 = 31;

/// `24 Nov`.
pub fn day_name(day: Date) -> String {
    let text =
        time_text(day.midnight().assume_utc(), day.midnight().assume_utc() + Duration::DAY, None, TimeStyle::Day);
    // The year would stand there in the first days of January.
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

/// The Monday on or before a day.
fn week_of(day: Date) -> Date {
    day.saturating_sub(Duration::days(day.weekday().number_days_from_monday().into()))
}

/// The weeks, or days, from one day to another: the first day of each.
fn spans(from: Date, to: Date) -> (bool, Vec<Date>) {
    let by_week = (to - from).whole_days() >= DAYS_DRAWN;
    let length = Duration::days(if by_week { 7 } else { 1 });
    let mut begin = if by_week { week_of(from) } else { from };
    let mut begins = Vec::new();
    while begin <= to {
        begins.push(begin);
        let Some(next) = begin.checked_add(length) else { break };
        begin = next;
    }
    (by_week, begins)
}

fn place(begins: &[Date], day: Date) -> Option<usize> {
    begins.partition_point(|begin| *begin <= day).checked_sub(1)
}

/// What a funnel is drawn from.
pub struct Funnel<'a> {
    pub query: &'a Query,
    pub total: Counts,
    pub days: &'a [(Date, Counts)],
    pub groups: Vec<Group>,
    pub from: Date,
    pub to: Date,
}

pub fn funnel(funnel: Funnel<'_>) -> AnyView {
    let (query, total) = (funnel.query, funnel.total);
    let groups: Vec<(String, Counts)> = match query.by {
        By::Nothing => Vec::new(),
        By::Week => by_week(funnel.days, funnel.from, funnel.to),
        By::Solution | By::Manager => funnel.groups.into_iter().map(|group| (group.name, group.counts)).collect(),
    };
    let choices = By::ALL
        .into_iter()
        .map(|by| {
            let current = (by == query.by).then_some("true");
            view! { <a href=format!("{}#funnel", query.href(query.range, by)) aria-current=current>{by.word()}</a> }
        })
        .collect_view();
    let choices = view! { <nav class="seg" aria-label="Funnel by">{choices}</nav> }.into_any();
    let (finding, plot) = if query.by == By::Nothing {
        (findings::of_funnel(&total), whole_funnel(&total))
    } else {
        (findings::of_groups(&groups), broken_funnel(query.by, &groups))
    };
    let mut tables = vec![steps_table(&total)];
    if query.by != By::Nothing {
        tables.push(groups_table(query.by, &groups));
    }
    let legend = if query.by == By::Nothing {
        Vec::new()
    } else {
        vec![
            legend_square(Hue::Indigo, "Requested, first"),
            legend_square(Hue::Teal, "Accepted, second"),
            legend_square(Hue::Green, "Ready, third"),
        ]
    };
    let plot = (total.requested > 0).then_some(plot);
    view! {
        <Chart id="funnel" title="From request to ready" choices=Some(choices) legend=legend plot=plot tables=tables>{finding}</Chart>
    }
    .into_any()
}

fn by_week(days: &[(Date, Counts)], from: Date, to: Date) -> Vec<(String, Counts)> {
    let mut weeks: Vec<(Date, Counts)> = Vec::new();
    let mut begin = week_of(from);
    while begin <= to {
        weeks.push((begin, Counts::default()));
        let Some(next) = begin.checked_add(Duration::WEEK) else { break };
        begin = next;
    }
    for (day, counts) in days {
        if let Some((_, week)) = weeks.iter_mut().rfind(|(begin, _)| begin <= day) {
            *week += *counts;
        }
    }
    // The latest first, as it's what is looked for.
    weeks.into_iter().rev().map(|(begin, counts)| (format!("Week of {}", day_name(begin)), counts)).collect()
}

fn whole_funnel(total: &Counts) -> AnyView {
    let Counts { requested, accepted, ready, .. } = *total;
    let below =
        format!("{} accepted, {} wait", percent(accepted, requested), grouped(requested - accepted.min(requested)));
    let left = accepted - ready.min(accepted);
    let set_up = match accepted {
        0 => String::new(),
        _ => format!("{} of these are ready, {} wait for payment or set-up", percent(ready, accepted), grouped(left)),
    };
    let bar = |hue, name: &str, value, note| Bar { hue, name: name.to_owned(), value, note, thin: false };
    let words = format!("{} requested, {} accepted, {} ready", grouped(requested), grouped(accepted), grouped(ready));
    bars(
        &[
            bar(Hue::Indigo, "Requested", requested, below),
            bar(Hue::Teal, "Accepted", accepted, set_up),
            bar(Hue::Green, "Ready", ready, String::new()),
        ],
        words,
    )
}

fn broken_funnel(by: By, groups: &[(String, Counts)]) -> AnyView {
    let drawn = groups.iter().take(GROUPS_DRAWN);
    let rows: Vec<Bar> = drawn
        .clone()
        .flat_map(|(name, counts)| {
            let bar = |hue, name: &str, value| {
                let name = name.trim_start_matches("Week of ").to_owned();
                Bar { hue, name, value, note: String::new(), thin: true }
            };
            [
                bar(Hue::Indigo, name, counts.requested),
                bar(Hue::Teal, "", counts.accepted),
                bar(Hue::Green, "", counts.ready),
            ]
        })
        .collect();
    let each: Vec<String> = drawn
        .map(|(name, counts)| {
            format!("{name}: {} requested, {} accepted, {} ready", counts.requested, counts.accepted, counts.ready)
        })
        .collect();
    let more = groups.len().saturating_sub(GROUPS_DRAWN);
    let rest = if more > 0 { format!(". {more} more in the table") } else { String::new() };
    bars(&rows, format!("By {}. {}{rest}", by.word().to_lowercase(), each.join("; ")))
}

fn steps_table(total: &Counts) -> ChartTable {
    let row = |name: &str, n: u64, before: String| vec![name.to_owned(), grouped(n), before];
    ChartTable {
        caption: "From request to ready".to_owned(),
        head: ["Step", "Requests", "Of the step before"].map(str::to_owned).to_vec(),
        rows: vec![
            row("Requested", total.requested, "–".to_owned()),
            row("Accepted", total.accepted, percent(total.accepted, total.requested)),
            row("Ready", total.ready, percent(total.ready, total.accepted)),
        ],
    }
}

fn groups_table(by: By, groups: &[(String, Counts)]) -> ChartTable {
    ChartTable {
        caption: format!("From request to ready, by {}", by.word().to_lowercase()),
        head: [by.word(), "Requested", "Accepted", "Ready", "Accepted of requested"].map(str::to_owned).to_vec(),
        rows: groups
            .iter()
            .map(|(name, counts)| {
                let share = percent(counts.accepted, counts.requested);
                vec![name.clone(), grouped(counts.requested), grouped(counts.accepted), grouped(counts.ready), share]
            })
            .collect(),
    }
}

pub fn time_to_accept(waits: &Waits, stalled_days: u64) -> AnyView {
    let counts = waits.columns();
    let total = waits.total();
    // Whether the column begins on or after the day from which a request counts as stalled.
    let late = |first: u64| first >= stalled_days;
    let most = counts.iter().max().copied().unwrap_or_default();
    let drawn: Vec<Column> = COLUMNS
        .into_iter()
        .zip(counts)
        .map(|(column, n)| Column {
            name: column_name(column),
            parts: vec![(if late(column.0) { Hue::Grey } else { Hue::Teal }, n)],
            numbered: n == most || column.0 == 0 || column.0 + 1 == stalled_days,
        })
        .collect();
    let after = total - waits.below_days(stalled_days);
    let rule = Rule {
        after: COLUMNS.into_iter().take_while(|(first, _)| !late(*first)).count(),
        words: [
            format!("after {}: stalled", plural(stalled_days, "day", "days")),
            format!("{} accepted later", percent(after, total)),
        ],
    };
    let finding = findings::of_waits(waits);
    let words = format!("Days from request to acceptance. {finding} Most in one column: {}.", grouped(most));
    let table = ChartTable {
        caption: "Days from request to acceptance".to_owned(),
        head: ["Days", "Requests"].map(str::to_owned).to_vec(),
        rows: COLUMNS
            .into_iter()
            .zip(counts)
            .map(|(column, n)| vec![column_name(column), grouped(n)])
            .chain([50, 90].into_iter().filter_map(|share| {
                let name = if share == 50 { "Median" } else { "Nine in ten within" };
                Some(vec![name.to_owned(), in_words(waits.within(share)?)])
            }))
            .collect(),
    };
    let plot = (total > 0).then(|| columns(&drawn, false, Some(&rule), words));
    view! { <Chart id="time" title="Time to acceptance, in days" plot=plot tables=vec![table]>{finding}</Chart> }
        .into_any()
}

const fn hue_of(family: Family) -> Hue {
    match family {
        Family::Permission => Hue::Red,
        Family::NotFound => Hue::Plum,
        Family::Limit => Hue::Amber,
        Family::Fault => Hue::Blue,
        Family::Token => Hue::Grey,
        Family::Other => Hue::Teal,
    }
}

pub fn errors(errors: &[ErrorsOfDay], from: Date, to: Date) -> AnyView {
    let (by_week, begins) = spans(from, to);
    let mut sums = vec![Errors::default(); begins.len()];
    for error in errors {
        if let Some(sum) = place(&begins, error.day).and_then(|at| sums.get_mut(at)) {
            sum.add(error);
        }
    }
    let unit = if by_week { "week" } else { "day" };
    let finding = findings::of_errors(&sums, unit);
    let total: u64 = sums.iter().map(Errors::total).sum();
    let drawn: Vec<Column> = begins
        .iter()
        .zip(&sums)
        .enumerate()
        .map(|(at, (begin, sum))| Column {
            name: if at == 0 || begin.day() <= if by_week { 7 } else { 1 } {
                day_name(*begin)
            } else {
                begin.day().to_string()
            },
            parts: Family::ALL.into_iter().map(hue_of).zip(sum.by_family).collect(),
            numbered: false,
        })
        .collect();
    let seen: Vec<Family> =
        Family::ALL.into_iter().filter(|family| sums.iter().any(|sum| sum.by_family[*family as usize] > 0)).collect();
    let legend = seen.iter().map(|family| legend_square(hue_of(*family), family.words())).collect();
    let head = [if by_week { "Week of" } else { "Day" }].into_iter().chain(seen.iter().map(|family| family.words()));
    let table = ChartTable {
        caption: format!("Errors each {unit} by cause"),
        head: head.chain(["Requests given up"]).map(str::to_owned).collect(),
        rows: begins
            .iter()
            .zip(&sums)
            .map(|(begin, sum)| {
                let numbers = seen.iter().map(|family| grouped(sum.by_family[*family as usize]));
                std::iter::once(day_name(*begin)).chain(numbers).chain([grouped(sum.failed)]).collect()
            })
            .collect(),
    };
    let words = format!("Errors each {unit} by cause, {} in all. {finding}", grouped(total));
    let plot = (total > 0).then(|| columns(&drawn, true, None, words));
    let title = format!("Errors by cause, each {unit}");
    view! { <Chart id="errors" title=title legend=legend plot=plot tables=vec![table]>{finding}</Chart> }.into_any()
}

/// `10:42`, in UTC.
fn clock(at: OffsetDateTime) -> String {
    format!("{:02}:{:02}", at.hour(), at.minute())
}

pub fn limit(usage: &[Usage], now: OffsetDateTime) -> AnyView {
    let begin = now - Duration::DAY;
    let time = |at: OffsetDateTime| (at - begin) / Duration::DAY;
    let line = |hue, dashed, filled, of: fn(&Usage) -> Option<f32>| Line {
        hue,
        dashed,
        filled,
        points: usage
            .iter()
            .filter_map(|usage| Some(Point { time: time(usage.at), percent: f64::from(of(usage)?) }))
            .collect(),
    };
    let series =
        [line(Hue::Teal, true, false, |usage| usage.app), line(Hue::Indigo, false, true, |usage| usage.business)];
    let refusals: Vec<&Usage> = usage.iter().filter(|usage| usage.refused > 0).collect();
    let marks: Vec<Mark> = refusals
        .iter()
        .max_by_key(|usage| (usage.refused, usage.at))
        .map(|usage| Mark {
            point: Point { time: time(usage.at), percent: f64::from(usage.business.or(usage.app).unwrap_or(100.0)) },
            words: usage
                .wait_minutes
                .map_or_else(|| "Meta: wait".to_owned(), |minutes| format!("Meta: wait {minutes} min")),
        })
        .into_iter()
        .collect();
    let refused: u64 = refusals.iter().map(|usage| usage.refused).sum();
    let whole = (begin.replace_minute(0).unwrap_or(begin)).replace_second(0).unwrap_or(begin);
    let mut ticks: Vec<(f64, String)> =
        [1, 6, 12, 18].map(|hours| whole + Duration::hours(hours)).map(|at| (time(at), clock(at))).to_vec();
    ticks.push((1.0, format!("{} UTC", clock(now))));
    let highest = findings::highest(usage);
    let (finding, words) = match highest {
        None => {
            let text = if refused > 0 {
                "Meta named no usage, but refused calls for a limit."
            } else {
                "Meta has named no usage in the last 24 hours."
            };
            (text.into_any(), text.to_owned())
        }
        Some((percent, at)) => {
            let words = format!("Highest {percent:.0} % at {} UTC. {}", clock(at.at), refused_words(refused));
            let shown = at.at;
            let text = view! { "Highest "{format!("{percent:.0} %")}" at "<Timestamp at=shown now=now/>". "{refused_words(refused)} };
            (text.into_any(), words)
        }
    };
    let plot = (!usage.is_empty()).then(|| {
        lines(
            &series,
            (SLOWER_FROM, "we slow down above 75 %"),
            &marks,
            &ticks,
            format!("Share of Meta’s call limit used over 24 hours. {words}"),
        )
    });
    let legend = vec![legend_line(Hue::Indigo, false, "Business use case"), legend_line(Hue::Teal, true, "App")];
    view! {
        <Chart id="throttle" title="Meta’s call limit, last 24 hours" legend=legend plot=plot tables=vec![limit_table(usage)]>{finding}</Chart>
    }
    .into_any()
}

fn refused_words(refused: u64) -> String {
    match refused {
        0 => "Meta refused no call for it.".to_owned(),
        1 => "Meta refused 1 call for it.".to_owned(),
        n => format!("Meta refused {} calls for it.", grouped(n)),
    }
}

/// The highest of each hour.
fn limit_table(usage: &[Usage]) -> ChartTable {
    let hours = usage.chunk_by(|one, next| (one.at.date(), one.at.hour()) == (next.at.date(), next.at.hour()));
    let most = |values: &mut dyn Iterator<Item = f32>| {
        values.reduce(f32::max).map_or_else(|| "–".to_owned(), |n| format!("{n:.0} %"))
    };
    ChartTable {
        caption: "Highest share of the call limit used in each hour".to_owned(),
        head: ["Hour (UTC)", "Business use case", "App", "Calls refused"].map(str::to_owned).to_vec(),
        rows: hours
            .map(|hour| {
                vec![
                    format!("{}, {:02}:00", day_name(hour[0].at.date()), hour[0].at.hour()),
                    most(&mut hour.iter().filter_map(|usage| usage.business)),
                    most(&mut hour.iter().filter_map(|usage| usage.app)),
                    grouped(hour.iter().map(|usage| usage.refused).sum()),
                ]
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn days_stand_as_days_up_to_a_month_and_then_as_weeks_from_monday_on() {
        let (by_week, begins) = spans(date!(2026 - 10 - 25), date!(2026 - 11 - 24));
        assert_eq!((by_week, begins.len()), (false, 31));
        let (by_week, begins) = spans(date!(2026 - 08 - 27), date!(2026 - 11 - 24));
        assert_eq!((by_week, begins[0], begins.len()), (true, date!(2026 - 08 - 24), 14));
        assert_eq!(place(&begins, date!(2026 - 08 - 30)), Some(0));
        assert_eq!(place(&begins, date!(2026 - 08 - 31)), Some(1));
        assert_eq!(place(&begins, date!(2026 - 08 - 23)), None);
    }

    #[test]
    fn a_day_is_named_without_its_year() {
        assert_eq!(day_name(date!(2026 - 11 - 24)), "24 Nov");
        assert_eq!(day_name(date!(2025 - 12 - 31)), "31 Dec");
    }
}
