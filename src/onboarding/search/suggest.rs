//! `POST /requests/suggest`: what may stand where the caret is, as the options of the bar's list.
//!
//! In the form `q` is what stands before the caret, `rest` what follows it. Each option carries the whole text as it would be with it.

use axum::{
    body::Bytes,
    extract::State,
    response::{Html, IntoResponse, Response},
};
use http::request::Parts;
use leptos::prelude::*;
use url::form_urlencoded;

use super::{
    super::model::State as RequestState,
    export::Needs,
    standings::Standings,
    store::{self, Named},
    terms::{Key, LONGEST, Term},
};
use crate::{
    graph::{Cause, Operation},
    onboarding::explain::cause_words,
    sign_in::{Visit, refuse_request},
    telemetry::mishap,
};

/// Options of one list.
const MOST: usize = 8;

pub(super) async fn suggest(State(needs): State<Needs>, parts: Parts, form: Bytes) -> Response {
    let visit = match Visit::of_request(&parts, needs.db, needs.clock) {
        Ok(visit) => visit,
        Err(error) => return refuse_request(&parts, &error),
    };
    let field = |name: &str| {
        let found = form_urlencoded::parse(&form).find(|(known, _)| known == name);
        found.map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    let (before, rest) = (field("q"), field("rest"));
    if before.len() + rest.len() > LONGEST {
        return Html(String::new()).into_response();
    }
    let wanted = Wanted::at(&before);
    let names = match wanted.key() {
        None => Vec::new(),
        Some(key) => {
            let found = async {
                let mut tx = visit.tenant().await?;
                store::names(&mut tx, key).await.map_err(mishap)
            };
            match found.await {
                Ok(names) => names,
                Err(error) => return refuse_request(&parts, &error),
            }
        }
    };
    let options = wanted.options(&names);
    Html(Owner::new().with(|| list(&wanted, options, &before, &rest).to_html())).into_response()
}

/// What stands before the caret, from the last space on.
#[derive(Debug, PartialEq, Eq)]
enum Wanted<'a> {
    /// The beginning of a key, which may be empty.
    Key { sign: &'a str, typed: &'a str },
    /// The beginning of a value. `kept` is what of the term stands before it: `code:100,`.
    Value { key: Key, kept: &'a str, typed: &'a str },
    /// Nothing can be suggested.
    Nothing,
}

/// One suggestion: what takes the place of what was typed, and what stands beside it.
#[derive(Debug, PartialEq, Eq)]
struct Choice {
    text: String,
    shown: String,
    hint: String,
    example: String,
}

impl<'a> Wanted<'a> {
    fn at(before: &'a str) -> Self {
        let word = &before[begin_of_word(before)..];
        let sign = if word.starts_with('-') { "-" } else { "" };
        let body = &word[sign.len()..];
        match body.split_once(':') {
            None if body.starts_with(['"', '“', '”']) => Self::Nothing,
            None => Self::Key { sign, typed: body },
            Some((name, values)) => match Key::from_name(name) {
                None => Self::Nothing,
                Some(key) => {
                    let from = word.len() - values.len() + begin_of_value(values);
                    Self::Value {
                        key, kept: &word[..from], typed: word[from..].trim_start_matches(['"', '“', '”'])
                    }
                }
            },
        }
    }

    const fn key(&self) -> Option<Key> {
        match self {
            Self::Value { key, .. } => Some(*key),
            _ => None,
        }
    }

    fn options(&self, names: &[Named]) -> Vec<Choice> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Key { sign, typed } => keys(sign, typed),
            Self::Value { key, kept, typed } => {
                let typed = typed.to_lowercase();
                let known = values(*key, names);
                let begins = |text: &str| {
                    text.to_lowercase().split([' ', '_']).any(|word| word.starts_with(&typed))
                        || text.to_lowercase().starts_with(&typed)
                };
                let fits = |named: &Named| begins(&named.value) || named.beside.as_deref().is_some_and(begins);
                let mut fitting: Vec<Named> = known.into_iter().filter(fits).collect();
                fitting.sort_by_key(|named| !begins(&named.value));
                fitting
                    .into_iter()
                    .take(MOST)
                    .map(|named| {
                        let value = Term::of(*key, named.value.clone()).to_string();
                        let value = value.split_once(':').map_or_else(String::new, |(_, value)| value.to_owned());
                        Choice {
                            text: format!("{kept}{value} "),
                            shown: named.value,
                            hint: named.beside.unwrap_or_default(),
                            example: String::new(),
                        }
                    })
                    .collect()
            }
        }
    }
}

fn keys(sign: &str, typed: &str) -> Vec<Choice> {
    let typed = typed.to_lowercase();
    let named = Key::ALL.iter().filter(|key| key.name().starts_with(&typed)).map(|key| Choice {
        text: format!("{sign}{}:", key.name()),
        shown: format!("{}:", key.name()),
        hint: key.hint().to_owned(),
        example: key.example().to_owned(),
    });
    // Whoever begins with a state's name means is:.
    let groups = Standings::GROUPS.iter().map(|(name, words)| (*name, (*words).to_owned()));
    let states = RequestState::ALL.iter().map(|state| (state.as_str(), "State".to_owned()));
    let standings =
        groups.chain(states).filter(|(name, _)| typed.len() >= 2 && name.starts_with(&typed)).map(|(name, words)| {
            Choice {
                text: format!("{sign}is:{name} "),
                shown: format!("is:{name}"),
                hint: words,
                example: String::new(),
            }
        });
    named.chain(standings).take(MOST).collect()
}

/// Every value that a key knows.
fn values(key: Key, names: &[Named]) -> Vec<Named> {
    let fixed = |values: &[(&str, &str)]| {
        let of = |(value, words): &(&str, &str)| Named {
            value: (*value).to_owned(),
            beside: Some((*words).to_owned()).filter(|words| !words.is_empty()),
        };
        values.iter().map(of).collect::<Vec<_>>()
    };
    let states = || RequestState::ALL.map(|state| (state.as_str(), ""));
    let mut known = match key {
        Key::Is => fixed(&Standings::GROUPS).into_iter().chain(fixed(&states())).collect(),
        Key::State => fixed(&states()),
        Key::By => fixed(&[("me", "You")]),
        Key::Manager => fixed(&[("me", "You"), ("none", "Nobody looks after it")]),
        Key::Note => fixed(&[("any", "Whatever was noted")]),
        Key::Solution => fixed(&[("none", "Without a solution")]),
        Key::Cause => fixed(&Cause::ALL.map(|cause| (cause.as_str(), cause_words(cause)))),
        Key::Age => fixed(&[(">7d", "Older than a week"), ("<1d", "Of the last day"), (">30d", "Older than 30 days")]),
        Key::Since | Key::Until => fixed(&[
            ("today", ""),
            ("yesterday", ""),
            ("7d", "A week ago"),
            ("30d", "30 days ago"),
            ("2026-11-01", "A day"),
        ]),
        Key::Status => fixed(&[("4xx", "Refused"), ("5xx", "Fault at Meta"), ("none", "No answer"), ("200", "")]),
        Key::Call => fixed(&Operation::ALL.map(|operation| (operation.as_str(), operation.words()))),
        Key::In => fixed(&[("requests", ""), ("calls", "Calls to Meta")]),
        Key::Code | Key::Subcode | Key::Batch | Key::Trace | Key::Country | Key::Business => Vec::new(),
    };
    known.extend(names.iter().cloned());
    known
}

/// Where the last word begins: behind the last space that is in no quotes.
fn begin_of_word(before: &str) -> usize {
    last_outside_quotes(before, char::is_whitespace)
}

fn begin_of_value(values: &str) -> usize {
    last_outside_quotes(values, |letter| letter == ',')
}

fn last_outside_quotes(text: &str, parts: impl Fn(char) -> bool) -> usize {
    let (mut begin, mut quoted) = (0, false);
    for (at, letter) in text.char_indices() {
        if matches!(letter, '"' | '“' | '”') {
            quoted = !quoted;
        } else if !quoted && parts(letter) {
            begin = at + letter.len_utf8();
        }
    }
    begin
}

fn list(wanted: &Wanted, options: Vec<Choice>, before: &str, rest: &str) -> AnyView {
    if options.is_empty() {
        return ().into_any();
    }
    let kept = &before[..begin_of_word(before)];
    let title = if wanted.key().is_some() { "Values" } else { "Narrow by" };
    let options = options.into_iter().enumerate().map(|(at, choice)| {
        view! {
            <div class="opt" role="option" id=format!("sg-{at}") aria-selected="false" data-value=format!("{kept}{}{rest}", choice.text)>
                <code>{choice.shown}</code><span class="muted">{choice.hint}</span><span class="hint">{choice.example}</span>
            </div>
        }
    });
    view! {
        <div id="options">
            <div role="group" aria-labelledby="sg-k">
                <div class="menu-head" id="sg-k">{title}</div>
                {options.collect_view()}
            </div>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_is_what_the_caret_stands_behind() {
        for (before, wanted) in [
            ("", Wanted::Key { sign: "", typed: "" }),
            ("is:failed ", Wanted::Key { sign: "", typed: "" }),
            ("is:failed co", Wanted::Key { sign: "", typed: "co" }),
            ("-co", Wanted::Key { sign: "-", typed: "co" }),
            ("by:", Wanted::Value { key: Key::By, kept: "by:", typed: "" }),
            ("is:failed -by:an", Wanted::Value { key: Key::By, kept: "-by:", typed: "an" }),
            ("by:\"Ana M", Wanted::Value { key: Key::By, kept: "by:", typed: "Ana M" }),
            ("by:\"Ana Moreira\",ra", Wanted::Value { key: Key::By, kept: "by:\"Ana Moreira\",", typed: "ra" }),
            ("nokey:x", Wanted::Nothing),
            ("\"casa ipê", Wanted::Nothing),
        ] {
            assert_eq!(Wanted::at(before), wanted, "{before:?}");
        }
    }

    #[test]
    fn a_choice_is_put_where_the_word_stands() {
        let texts = |before: &str, names: &[Named]| -> Vec<String> {
            Wanted::at(before).options(names).into_iter().map(|choice| choice.text).collect()
        };
        assert_eq!(texts("", &[]).len(), MOST);
        assert_eq!(texts("co", &[]), ["code:", "country:"]);
        assert_eq!(texts("fail", &[]), ["is:failed "]);
        assert_eq!(
            texts("-is:sta", &[]),
            ["-is:stalled ", "-is:attention "],
            "by its own name first, then by what it says"
        );
        let ana = Named { value: "Ana Moreira".into(), beside: None };
        assert_eq!(texts("by:mor", std::slice::from_ref(&ana)), ["by:\"Ana Moreira\" "]);
        assert_eq!(texts("by:\"Ana M", std::slice::from_ref(&ana)), ["by:\"Ana Moreira\" "]);
        assert_eq!(
            texts("country:bra", &[Named { value: "BR".into(), beside: Some("Brazil".into()) }]),
            ["country:BR "]
        );
        assert!(texts("by:zz", &[ana]).is_empty());
        let shown = Owner::new().with(|| {
            let wanted = Wanted::at("is:open co");
            let options = wanted.options(&[]);
            list(&wanted, options, "is:open co", " by:me").to_html()
        });
        assert!(shown.contains("data-value=\"is:open code: by:me\""), "{shown}");
    }
}
