//! The bar itself, and beneath it what is applied and what could not be read.

use leptos::prelude::*;

use super::{
    super::{
        address,
        standings::{Part, Standings},
        store::StateCount,
        terms::{Key, Problem, Term},
    },
    Search,
};
use crate::{
    graph::{Cause, Operation},
    onboarding::explain::cause_words,
    ui::{Chip, Chips, Glyph, Icon, Notice, NoticeKind, capped},
};

/// Counts stop here.
pub const MOST_COUNTED: i64 = 1_000;

/// A choice of the chips: the value of `is:`, empty for all.
const CHOICES: [(&str, &str); 8] = [
    ("", "All"),
    ("open", "Open"),
    ("attention", "Needs attention"),
    ("stalled", "Stalled"),
    ("failed", "Failed"),
    ("accepted", "Accepted"),
    ("ready", "Ready"),
    ("taken", "Taken by another partner"),
];

/// What a chip sets, and so takes the place of.
const SET_BY_CHIPS: [Key; 2] = [Key::Is, Key::State];

/// Whether it is a term that a chip stands for.
pub fn is_of_chips(term: &Term) -> bool {
    term.key.is_some_and(|key| SET_BY_CHIPS.contains(&key))
}

/// The form. What was typed stays in it, whatever came of it; `unsent` didn't go through before.
pub fn form(search: &Search, unsent: Option<String>, recent: String) -> AnyView {
    let typed = unsent.unwrap_or_else(|| search.text.clone());
    let clear = (!search.text.is_empty()).then(|| {
        view! { <a class="clear" href=address::PATH aria-label="Clear search"><Icon glyph=Glyph::X/></a> }
    });
    let wrong = !search.terms.problems.is_empty();
    view! {
        <form class="toolbar" role="search" aria-label="Requests" method="post" action=address::PATH>
            <div class="search">
                <Icon glyph=Glyph::Search/>
                <label class="vh" for="rq">"Search requests"</label>
                <input id="rq" type="search" name="q" value=typed autocomplete="off" spellcheck="false" autocapitalize="off"
                    placeholder="is:stalled manager:me code:200 or any ID" aria-invalid=wrong.then_some("true")
                    aria-describedby=wrong.then_some("rq-problems")/>
                {clear}
                <div class="menu sugg" id="sugg-box" hidden=true data-recent=recent>
                    <div id="sugg" role="listbox" aria-label="Filters"></div>
                    <div class="menu-foot" aria-hidden="true">
                        <span><kbd>"↑"</kbd><kbd>"↓"</kbd>"Move"</span><span><kbd>"Tab"</kbd>"Insert"</span>
                        <span><kbd>"Enter"</kbd>"Search"</span><span><b>"-"</b>" before a filter excludes it"</span>
                    </div>
                </div>
            </div>
            <button class="btn" type="submit">"Search"</button>
        </form>
    }
    .into_any()
}

/// What was left out, each with the search that was probably meant.
pub fn problems(search: &Search) -> Option<AnyView> {
    if search.terms.problems.is_empty() {
        return None;
    }
    let lines = search.terms.problems.iter().map(|problem| {
        let meant = problem.meant().map(|meant| {
            let text = [search.terms.to_string(), meant.clone()]
                .into_iter()
                .filter(|text| !text.is_empty())
                .collect::<Vec<_>>();
            view! { " Did you mean "<a class="link" href=address::href(&text.join(" "))><code>{meant}</code></a>"?" }
        });
        view! { <li>{problem.words()}{meant}</li> }
    });
    let lines = lines.collect_view();
    let is_unknown = |problem: &Problem| matches!(problem, Problem::UnknownName { .. });
    let title = if search.terms.problems.iter().all(is_unknown) {
        "A name in the search is unknown"
    } else {
        "Part of the search was left out"
    };
    Some(
        view! {
            <div id="rq-problems">
                <Notice kind=NoticeKind::Error title=title alert=true><ul>{lines}</ul></Notice>
            </div>
        }
        .into_any(),
    )
}

/// What is applied: each term a token with a link that takes it away.
pub fn applied(search: &Search) -> Option<AnyView> {
    if search.terms.terms.is_empty() {
        return None;
    }
    let tokens = search.terms.terms.iter().enumerate().map(|(at, term)| {
        let text = term.to_string();
        let label = format!("Remove filter: {text}");
        let shown = match (term.key, text.split_once(':')) {
            (Some(_), Some((key, value))) => view! { <b>{format!("{key}:")}</b>{value.to_owned()} }.into_any(),
            _ => view! { <bdi>{text}</bdi> }.into_any(),
        };
        let title = words(term);
        view! {
            <li class="token" title=title><span>{shown}</span>
                <a href=address::href(&search.terms.without(at)) aria-label=label><Icon glyph=Glyph::X/></a>
            </li>
        }
    });
    Some(view! { <ul class="tokens" aria-label="Applied filters">{tokens.collect_view()}</ul> }.into_any())
}

/// What a term says in words, where its value is a name of ours.
fn words(term: &Term) -> Option<&'static str> {
    match (term.key, term.values.as_slice()) {
        (Some(Key::Cause), [cause]) => cause.parse::<Cause>().ok().map(cause_words),
        (Some(Key::Call), [operation]) => Operation::named(operation).map(Operation::words),
        _ => None,
    }
}

/// The chips: each the same search with another `is:`.
pub fn chips(search: &Search, counts: &[StateCount]) -> AnyView {
    let chosen: Vec<&Term> = search.terms.terms.iter().filter(|term| is_of_chips(term)).collect();
    let chips = CHOICES
        .iter()
        .map(|(key, word)| {
            let current = match chosen.as_slice() {
                [] => key.is_empty(),
                [term] => !term.excluded && term.values.len() == 1 && term.values[0].eq_ignore_ascii_case(key),
                _ => false,
            };
            let term = (!key.is_empty()).then(|| Term::of(Key::Is, *key));
            let set = if key.is_empty() {
                Standings::all()
            } else {
                Standings::named(key, true).unwrap_or(Standings::none())
            };
            Chip {
                href: address::href(&search.terms.with(&SET_BY_CHIPS, term.as_ref())),
                word,
                count: (!counts.is_empty()).then(|| count(set, counts)),
                current,
            }
        })
        .collect();
    view! { <Chips label="Filter by state" chips=chips/> }.into_any()
}

fn count(set: Standings, counts: &[StateCount]) -> String {
    let of = |state, part| {
        let count = counts.iter().find(|count| count.state == state);
        count.map_or(0, |count| match part {
            Part::Whole => count.all,
            Part::Stalled => count.stalled,
            Part::Fresh => count.all - count.stalled,
        })
    };
    let sum: i64 = set.parts().map(|(state, part)| of(state, part)).sum();
    capped(u64::try_from(sum).unwrap_or_default(), u64::try_from(MOST_COUNTED).unwrap_or_default())
}

/// What there is to filter by: for those who have no suggestions, and for those who like to read.
pub fn every_filter() -> AnyView {
    let keys = Key::ALL.iter().map(|key| {
        view! { <li><code>{format!("{}:", key.name())}</code><span>{key.hint()}</span><span class="hint">{key.example()}</span></li> }
    });
    view! {
        <details class="disclose every-filter">
            <summary><Icon glyph=Glyph::Right/>"Every filter"</summary>
            <p>"Filters with spaces between them all have to hold. Commas between values mean or, a minus before a filter excludes it, \
                quotation marks hold spaces. An ID by itself finds that one thing, any other word a business by its name."</p>
            <ul>{keys.collect_view()}</ul>
        </details>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onboarding::model::State;

    #[test]
    fn a_chip_counts_its_states_up_to_a_thousand() {
        let counts = [
            StateCount { state: State::Requested, all: 1_001, stalled: 22 },
            StateCount { state: State::Failed, all: 16, stalled: 0 },
        ];
        let of = |name| count(Standings::named(name, true).unwrap(), &counts);
        assert_eq!(
            (of("failed"), of("stalled"), of("attention"), of("open"), of("ready")),
            ("16".into(), "22".into(), "38".into(), "1,000+".into(), "0".into())
        );
    }

    #[test]
    fn every_chip_is_a_group_or_a_state() {
        for (key, _) in &CHOICES[1..] {
            assert!(Standings::named(key, true).is_some(), "{key}");
        }
    }
}
