//! The address is the filter: which days, which solution, whose requests.

use time::{Date, Duration, Month};

use super::{
    model::{By, Named},
    store::Slice,
};

/// The most days that are shown at once.
const LONGEST: i64 = 366;

/// The lengths that are offered.
pub const LENGTHS: [i64; 3] = [7, 30, 90];

/// Which days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// So many days, today the last of them.
    Last(i64),
    /// From one day to another.
    Between(Date, Date),
}

/// What the address asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    pub range: Range,
    /// As `insight_days.solution_id`: `*` for all, empty for none.
    pub solution: String,
    /// As `insight_days.member_id`: 0 for all.
    pub member: i64,
    pub by: By,
    /// What couldn't be taken, in words.
    pub remarks: Vec<String>,
}

/// The parts of the address.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub range: Option<String>,
    pub from: Option<String>,
    pub to: Option<String>,
    pub solution: Option<String>,
    pub manager: Option<String>,
    pub by: Option<String>,
}

impl Query {
    /// Reads the address. What is unknown is left out, and said.
    pub fn read(asked: &Asked, solutions: &[Named], managers: &[Named], today: Date) -> Self {
        let mut remarks = Vec::new();
        let range = range(asked, today, &mut remarks);
        let solution = match asked.solution.as_deref() {
            None | Some("") => "*".to_owned(),
            Some("none") => String::new(),
            Some(id) if solutions.iter().any(|solution| solution.id == id) => id.to_owned(),
            Some(_) => {
                remarks.push("That solution is not one of yours: all are shown.".to_owned());
                "*".to_owned()
            }
        };
        let member = match asked.manager.as_deref() {
            None | Some("") => 0,
            Some(id) => managers
                .iter()
                .find(|member| member.id == id)
                .and_then(|member| member.id.parse().ok())
                .unwrap_or_else(|| {
                    remarks
                        .push("That account manager is not in your team: what anybody requested is shown.".to_owned());
                    0
                }),
        };
        let by = By::ALL.into_iter().find(|by| Some(by.key()) == asked.by.as_deref());
        if by.is_none() && asked.by.is_some() {
            remarks.push("A funnel is shown by week, solution or requester: this one is of all.".to_owned());
        }
        Self { range, solution, member, by: by.unwrap_or_default(), remarks }
    }

    /// The slice of the days asked for.
    pub fn slice(&self, today: Date) -> Slice {
        let (from, to) = self.range.days(today);
        Slice { solution: self.solution.clone(), member: self.member, from, to }
    }

    /// As many days, right before.
    pub fn slice_before(&self, today: Date) -> Slice {
        let slice = self.slice(today);
        let length = slice.to - slice.from + Duration::DAY;
        Slice { from: slice.from.saturating_sub(length), to: slice.to.saturating_sub(length), ..slice }
    }

    /// The address of this filter with another range or breakdown.
    pub fn href(&self, range: Range, by: By) -> String {
        let mut pairs = url::form_urlencoded::Serializer::new(String::new());
        match range {
            Range::Last(days) => pairs.append_pair("range", &days.to_string()),
            Range::Between(from, to) => pairs.append_pair("from", &from.to_string()).append_pair("to", &to.to_string()),
        };
        if self.solution != "*" {
            pairs.append_pair("solution", if self.solution.is_empty() { "none" } else { &self.solution });
        }
        if self.member != 0 {
            pairs.append_pair("manager", &self.member.to_string());
        }
        if by != By::Nothing {
            pairs.append_pair("by", by.key());
        }
        format!("/insights?{}", pairs.finish())
    }
}

impl Range {
    /// The first day and the last.
    pub fn days(self, today: Date) -> (Date, Date) {
        match self {
            Self::Last(days) => (today.saturating_sub(Duration::days(days - 1)), today),
            Self::Between(from, to) => (from, to),
        }
    }
}

fn range(asked: &Asked, today: Date, remarks: &mut Vec<String>) -> Range {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let (from, to) = (given(&asked.from), given(&asked.to));
    if from.is_some() || to.is_some() {
        return match (from.as_deref().map(read_day), to.as_deref().map_or(Some(today), read_day)) {
            (Some(Some(from)), Some(to)) if from <= to => {
                let first = to.saturating_sub(Duration::days(LONGEST - 1));
                if from < first {
                    remarks.push(format!("At most {LONGEST} days are shown at once: these are the last of them."));
                }
                Range::Between(from.max(first), to)
            }
            (Some(Some(_)), Some(_)) => {
                remarks.push("The first day is after the last: the last 90 days are shown.".to_owned());
                Range::Last(90)
            }
            _ => {
                remarks.push("Days are read like 2026-11-24: the last 90 days are shown.".to_owned());
                Range::Last(90)
            }
        };
    }
    match asked.range.as_deref() {
        None | Some("") => Range::Last(90),
        Some(days) => {
            if let Some(days) = days.parse().ok().filter(|days| LENGTHS.contains(days)) {
                return Range::Last(days);
            }
            remarks.push(
                "Periods are 7, 30 or 90 days, or from one day to another: the last 90 days are shown.".to_owned(),
            );
            Range::Last(90)
        }
    }
}

/// A day as forms send it: `2026-11-24`.
fn read_day(text: &str) -> Option<Date> {
    let mut parts = text.trim().splitn(3, '-');
    let year = parts.next().filter(|year| year.len() == 4)?.parse().ok()?;
    let month: u8 = parts.next()?.parse().ok()?;
    let day = parts.next()?.parse().ok()?;
    Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    const TODAY: Date = date!(2026 - 11 - 24);

    fn named(id: &str) -> Vec<Named> {
        vec![Named { id: id.to_owned(), name: id.to_owned() }]
    }

    fn read(query: &str) -> Query {
        let value = |name: &str| {
            url::form_urlencoded::parse(query.as_bytes())
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        let asked = Asked {
            range: value("range"),
            from: value("from"),
            to: value("to"),
            solution: value("solution"),
            manager: value("manager"),
            by: value("by"),
        };
        Query::read(&asked, &named("77"), &named("5"), TODAY)
    }

    #[test]
    fn what_the_address_says_is_asked_for_and_written_back() {
        for (address, range, solution, member, by) in [
            ("range=90", Range::Last(90), "*", 0, By::Nothing),
            ("range=7&solution=77&by=week", Range::Last(7), "77", 0, By::Week),
            ("range=30&solution=none&manager=5", Range::Last(30), "", 5, By::Nothing),
            (
                "from=2026-01-01&to=2026-02-01&by=manager",
                Range::Between(date!(2026 - 01 - 01), date!(2026 - 02 - 01)),
                "*",
                0,
                By::Manager,
            ),
        ] {
            let query = read(address);
            assert_eq!(query, Query { range, solution: solution.to_owned(), member, by, remarks: vec![] });
            assert_eq!(query.href(range, by), format!("/insights?{address}"));
        }
        assert_eq!(read("").range, Range::Last(90));
        assert_eq!(read("from=2026-11-01&to=").range, Range::Between(date!(2026 - 11 - 01), TODAY));
    }

    #[test]
    fn what_is_unknown_is_said_and_left_out() {
        for address in [
            "range=12",
            "range=x",
            "from=yesterday",
            "to=2026-02-30",
            "from=2026-11-02&to=2026-11-01",
            "solution=78",
            "manager=6",
            "manager=me",
            "by=moon",
        ] {
            let query = read(address);
            assert_eq!(query.remarks.len(), 1, "{address}");
            assert_eq!(Query { remarks: vec![], ..query }, read("range=90"), "{address}");
        }
        let long = read("from=2020-01-01&to=2026-11-24");
        assert_eq!((long.slice(TODAY).from, long.remarks.len()), (date!(2025 - 11 - 24), 1));
    }

    #[test]
    fn the_days_before_are_as_many() {
        let query = read("range=7");
        let (now, before) = (query.slice(TODAY), query.slice_before(TODAY));
        assert_eq!((now.from, now.to), (date!(2026 - 11 - 18), TODAY));
        assert_eq!((before.from, before.to), (date!(2026 - 11 - 11), date!(2026 - 11 - 17)));
    }
}
