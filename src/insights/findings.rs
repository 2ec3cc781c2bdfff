//! What a chart says, in a sentence or two, from its numbers.

use super::{
    model::{Counts, Errors, Family, Usage},
    waits::{Waits, in_words},
};
use crate::ui::{percent, plural};

/// Shares that have words of their own: parts, wholes, words.
const SHARES: [(u64, u64, &str); 9] = [
    (1, 10, "one in ten"),
    (1, 5, "one in five"),
    (1, 4, "one in four"),
    (1, 3, "one in three"),
    (1, 2, "one in two"),
    (2, 3, "two in three"),
    (3, 4, "three in four"),
    (4, 5, "four in five"),
    (9, 10, "nine in ten"),
];

/// Below so many a share is said in numbers: three of four are not 'three in four'.
const ENOUGH: u64 = 20;

/// A share as one would say it: `two in three`, `nearly nine in ten`, `all 12`, `3 of 7`.
pub fn share(part: u64, whole: u64) -> String {
    if whole == 0 || part == 0 {
        return "none".to_owned();
    }
    if part >= whole {
        return if whole == 1 { "the only one".to_owned() } else { format!("all {}", crate::ui::grouped(whole)) };
    }
    if whole < ENOUGH {
        return format!("{part} of {whole}");
    }
    // In thousandths of the whole.
    let thousandths =
        |part: u64, whole: u64| u64::try_from(u128::from(part) * 1_000 / u128::from(whole)).unwrap_or(1_000);
    let exact = thousandths(part, whole);
    let nearest = SHARES.into_iter().min_by_key(|(part, whole, _)| thousandths(*part, *whole).abs_diff(exact));
    match nearest {
        Some((part, whole, words)) => {
            let named = thousandths(part, whole);
            match exact.abs_diff(named) {
                0..=7 => words.to_owned(),
                8..=30 if exact < named => format!("nearly {words}"),
                8..=30 => format!("more than {words}"),
                _ => percent(exact, 1_000),
            }
        }
        None => percent(exact, 1_000),
    }
}

/// The first letter large.
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

/// How many accept, and how many of these are ready.
pub fn of_funnel(counts: &Counts) -> String {
    let beside = match counts.taken {
        0 => String::new(),
        taken => format!(" Another partner had asked {} first.", plural(taken, "business", "businesses")),
    };
    steps(counts) + &beside
}

fn steps(counts: &Counts) -> String {
    let Counts { requested, accepted, ready, .. } = *counts;
    if requested == 0 {
        return "Nothing was requested on these days.".to_owned();
    }
    if accepted == 0 {
        return format!("None of {} has accepted so far.", plural(requested, "request", "requests"));
    }
    let accept = format!("{} accepted", sentence(&share(accepted, requested)));
    format!("{accept}. Once accepted, {} became ready.", share(ready, accepted))
}

/// Which of several groups accepts most.
pub fn of_groups(groups: &[(String, Counts)]) -> String {
    let best = groups
        .iter()
        .filter(|(_, counts)| counts.requested > 0)
        .max_by_key(|(_, counts)| u128::from(counts.accepted) * 1_000_000 / u128::from(counts.requested));
    match best {
        Some((name, counts)) if counts.accepted > 0 => {
            format!(
                "Accepted most: {name}, {} of {}.",
                percent(counts.accepted, counts.requested),
                crate::ui::grouped(counts.requested)
            )
        }
        Some(_) => "None has accepted so far.".to_owned(),
        None => "Nothing was requested on these days.".to_owned(),
    }
}

/// Within what time half accept, and nine in ten.
pub fn of_waits(waits: &Waits) -> String {
    match (waits.within(50), waits.within(90)) {
        (Some(half), Some(most)) => {
            format!("Half accepted within {}, nine in ten within {}.", in_words(half), in_words(most))
        }
        _ => "Nobody has accepted a request of these days so far.".to_owned(),
    }
}

/// What the last column is mostly, or what rose. `columns` in the order of time; `unit` is what one is: `week`.
pub fn of_errors(columns: &[Errors], unit: &str) -> String {
    let total: u64 = columns.iter().map(Errors::total).sum();
    let failed: u64 = columns.iter().map(|errors| errors.failed).sum();
    if total == 0 {
        return "No attempt ended in an error on these days.".to_owned();
    }
    let largest = |sums: [u64; Family::ALL.len()]| {
        Family::ALL.into_iter().zip(sums).max_by_key(|(family, n)| (*n, std::cmp::Reverse(*family as usize)))
    };
    let mut rises = [0; Family::ALL.len()];
    if let [.., before, last] = columns {
        for (rise, (last, before)) in rises.iter_mut().zip(last.by_family.iter().zip(before.by_family)) {
            *rise = last.saturating_sub(before);
        }
    }
    let gave_up = match failed {
        0 => "No request was given up.".to_owned(),
        n => format!("{} given up.", plural(n, "request was", "requests were")),
    };
    match (largest(rises), columns) {
        (Some((family, rise)), [.., before, last]) if rise >= 3 => {
            let at = family as usize;
            format!(
                "“{}” rose most this {unit}: {} after {} the {unit} before. {gave_up}",
                family.words(),
                last.by_family[at],
                before.by_family[at]
            )
        }
        _ => {
            let mut sums = [0; Family::ALL.len()];
            for errors in columns {
                for (sum, n) in sums.iter_mut().zip(errors.by_family) {
                    *sum += n;
                }
            }
            let most = largest(sums).map(|(family, n)| format!(", most of them “{}”: {n}", family.words()));
            format!("{}{}. {gave_up}", plural(total, "error", "errors"), most.unwrap_or_default())
        }
    }
}

/// The highest usage, with its time; the later of equals.
pub fn highest(usage: &[Usage]) -> Option<(f32, &Usage)> {
    let of = |usage: &Usage| usage.business.into_iter().chain(usage.app).reduce(f32::max);
    usage.iter().filter_map(|usage| Some((of(usage)?, usage))).max_by(|(one, _), (other, _)| one.total_cmp(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_said_as_people_say_it() {
        for (part, whole, words) in [
            (1_281, 1_904, "two in three"),
            (1_142, 1_281, "nearly nine in ten"),
            (520, 1_000, "more than one in two"),
            (430, 1_000, "43 %"),
            (999, 1_000, "99 %"),
            (0, 7, "none"),
            (3, 7, "3 of 7"),
            (7, 7, "all 7"),
            (1, 1, "the only one"),
            (0, 0, "none"),
        ] {
            assert_eq!(share(part, whole), words, "{part} of {whole}");
        }
        assert_eq!(share(u64::MAX / 2, u64::MAX), "one in two");
    }

    #[test]
    fn a_finding_comes_from_the_numbers() {
        let counts = Counts { requested: 1_904, accepted: 1_281, ready: 1_142, ..Counts::default() };
        assert_eq!(of_funnel(&counts), "Two in three accepted. Once accepted, nearly nine in ten became ready.");
        assert_eq!(of_funnel(&Counts::default()), "Nothing was requested on these days.");
        let none = Counts { requested: 2, ..Counts::default() };
        assert_eq!(of_funnel(&none), "None of 2 requests has accepted so far.");
        for (taken, words) in [(1, "1 business"), (1_200, "1,200 businesses")] {
            let told = of_funnel(&Counts { taken, ..none });
            let expected = format!("None of 2 requests has accepted so far. Another partner had asked {words} first.");
            assert_eq!(told, expected);
        }
        assert_eq!(
            of_groups(&[("Ines".into(), counts), ("Rahul".into(), none)]),
            "Accepted most: Ines, 67 % of 1,904."
        );
        assert_eq!(of_waits(&Waits::new([(5, 1)])), "Half accepted within 6 hours, nine in ten within 6 hours.");
    }

    #[test]
    fn what_rose_is_told_before_what_is_most() {
        let week = |by_family, failed| Errors { by_family, failed };
        let steady = [week([1, 9, 0, 0, 0, 0], 4), week([2, 9, 0, 0, 0, 0], 1)];
        assert_eq!(
            of_errors(&steady, "week"),
            "21 errors, most of them “Not found or no access”: 18. 5 requests were given up."
        );
        let risen = [week([9, 6, 5, 2, 0, 0], 0), week([18, 7, 11, 1, 0, 0], 0)];
        assert_eq!(
            of_errors(&risen, "week"),
            "“App lacks permission” rose most this week: 18 after 9 the week before. No request was given up."
        );
        assert_eq!(of_errors(&[Errors::default()], "day"), "No attempt ended in an error on these days.");
        assert_eq!(of_errors(&[], "day"), "No attempt ended in an error on these days.");
    }
}
