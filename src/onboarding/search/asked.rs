//! What the terms ask for. Pure: terms and the hour to conditions; names are left to the store, which knows who is called so.
//!
//! The rule for calls: the list is of requests, or, with `in:calls`, of calls to Meta: where every term is about calls, of all of them, else of
//! those made for requests. A term about calls (`code:`, `subcode:`, `status:`, `trace:`, `call:`) picks, among requests, those of which one
//! call fits all such terms; among calls, the calls that fit. Excluded, it leaves out requests of which any call fits. Times are those of
//! what is listed. Every other term is about the request.

use std::ops::RangeInclusive;

use time::OffsetDateTime;

use super::{
    super::model::RequestNumber,
    standings::Standings,
    terms::{Key, Problem, Term, Terms, nearest_of},
    times::{point, span},
};
use crate::graph::{Cause, Operation};

/// A condition: one of these, or none of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cond<T> {
    pub excluded: bool,
    pub any: Vec<T>,
}

/// Somebody, as typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    Me,
    Nobody,
    Called(String),
}

/// A solution, as typed: its id or part of its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    None,
    Called(String),
}

/// A word that is an id by its shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Id {
    Request(i64),
    /// Meta's request id, a business's or a WABA's.
    Digits(String),
    Trace(String),
}

/// Everything asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub calls: bool,
    pub standings: Standings,
    /// Asked for at or after then.
    pub from: Option<OffsetDateTime>,
    /// Asked for before then.
    pub below: Option<OffsetDateTime>,
    pub by: Vec<Cond<Who>>,
    pub manager: Vec<Cond<Who>>,
    pub solution: Vec<Cond<Which>>,
    pub batch: Vec<Cond<i64>>,
    pub cause: Vec<Cond<Cause>>,
    pub country: Vec<Cond<String>>,
    /// Names and ids of businesses.
    pub business: Vec<Cond<String>>,
    /// Words of notes; empty for any note.
    pub note: Vec<Cond<String>>,
    pub ids: Vec<Cond<Id>>,
    pub code: Vec<Cond<i64>>,
    pub subcode: Vec<Cond<i64>>,
    /// HTTP statuses; -1 for no answer.
    pub status: Vec<Cond<RangeInclusive<i32>>>,
    pub trace: Vec<Cond<String>>,
    pub call: Vec<Cond<Operation>>,
}

/// No HTTP answer.
pub const NO_ANSWER: i32 = -1;

impl Asked {
    /// What the terms ask for at this hour; what has no meaning is added to their problems.
    pub fn read(terms: &mut Terms, now: OffsetDateTime) -> Self {
        let mut asked = Self {
            calls: false,
            standings: Standings::all(),
            from: None,
            below: None,
            by: Vec::new(),
            manager: Vec::new(),
            solution: Vec::new(),
            batch: Vec::new(),
            cause: Vec::new(),
            country: Vec::new(),
            business: Vec::new(),
            note: Vec::new(),
            ids: Vec::new(),
            code: Vec::new(),
            subcode: Vec::new(),
            status: Vec::new(),
            trace: Vec::new(),
            call: Vec::new(),
        };
        let mut words = Vec::new();
        let (mut kept, mut problems) = (Vec::new(), Vec::new());
        for term in std::mem::take(&mut terms.terms) {
            match asked.take(&term, &mut words, now) {
                Ok(()) => kept.push(term),
                Err(problem) => problems.push(problem),
            }
        }
        // Words side by side are one name, and short digits beside such a word are part of it: Studio 54.
        let is_name = words.iter().any(|word| id_of(word).is_none());
        if is_name {
            asked.business.push(Cond { excluded: false, any: vec![words.join(" ")] });
        } else {
            asked.ids.extend(words.iter().filter_map(|word| Some(Cond { excluded: false, any: vec![id_of(word)?] })));
        }
        if asked.calls {
            asked.find_traces_in_words();
        }
        terms.terms = kept;
        terms.problems.extend(problems);
        asked
    }

    fn take(&mut self, term: &Term, words: &mut Vec<String>, now: OffsetDateTime) -> Result<(), Problem> {
        let Some(key) = term.key else {
            self.take_word(term, words);
            return Ok(());
        };
        match key {
            Key::Is | Key::State => {
                let any = cond(term, "a state, such as failed", |value| {
                    Standings::named(value, key == Key::Is).ok_or_else(|| Standings::nearest(value, key == Key::Is))
                })?;
                let union = any.any.into_iter().fold(Standings::none(), Standings::or);
                self.standings = self.standings.and(if any.excluded { union.not() } else { union });
            }
            Key::Since | Key::Until | Key::Age => self.take_time(term, key, now)?,
            Key::By | Key::Manager => {
                let who = cond(term, "a name, or me", |value| {
                    Ok::<_, Option<String>>(match value.to_lowercase().as_str() {
                        "me" => Who::Me,
                        "none" if key == Key::Manager => Who::Nobody,
                        _ => Who::Called(value.to_owned()),
                    })
                })?;
                if key == Key::By { self.by.push(who) } else { self.manager.push(who) }
            }
            Key::Solution => self.solution.push(cond(term, "a name, an ID, or none", |value| {
                Ok::<_, Option<String>>(match value.to_lowercase().as_str() {
                    "none" => Which::None,
                    _ => Which::Called(value.to_owned()),
                })
            })?),
            Key::Batch => {
                self.batch.push(cond(term, "the number of a batch", |value| {
                    value.parse::<u32>().map(i64::from).map_err(|_| None)
                })?);
            }
            Key::Cause => self.cause.push(cond(term, "a cause, such as access_denied", |value| {
                plain(value).parse().map_err(|_| {
                    nearest_of(&plain(value), Cause::ALL.iter().map(|cause| (cause.as_str(), (*cause).to_string())))
                })
            })?),
            Key::Country => self.country.push(cond(term, "a two-letter code, such as BR", |value| {
                let known = value.len() == 2 && value.bytes().all(|byte| byte.is_ascii_alphabetic());
                if known { Ok(value.to_ascii_uppercase()) } else { Err(None) }
            })?),
            Key::Business => {
                self.business.push(Cond { excluded: term.excluded, any: term.values.clone() });
            }
            Key::Note => self.note.push(cond(term, "words of a note, or any", |value| {
                Ok::<_, Option<String>>(if value.eq_ignore_ascii_case("any") { "" } else { value }.to_owned())
            })?),
            Key::Code => self.code.push(numbers(term)?),
            Key::Subcode => self.subcode.push(numbers(term)?),
            Key::Status => {
                self.status.push(cond(term, "a status such as 400, a class such as 5xx, or none", |value| {
                    status(value).ok_or(None)
                })?);
            }
            Key::Call => self.call.push(cond(term, "what Meta is asked for, such as list_client_wabas", |value| {
                Operation::named(&plain(value)).ok_or_else(|| {
                    nearest_of(
                        &plain(value),
                        Operation::ALL.iter().map(|known| (known.as_str(), known.as_str().to_owned())),
                    )
                })
            })?),
            Key::Trace => self.trace.push(Cond { excluded: term.excluded, any: term.values.clone() }),
            Key::In => {
                let calls = cond(term, "requests or calls", |value| match value.to_lowercase().as_str() {
                    "calls" | "call" => Ok(true),
                    "requests" | "request" => Ok(false),
                    other => {
                        Err(nearest_of(other, ["calls", "requests"].map(|word| (word, word.to_owned())).into_iter()))
                    }
                })?;
                let [one] = calls.any.as_slice() else { return Err(Problem::OneValue { key }) };
                self.calls = *one != calls.excluded;
            }
        }
        Ok(())
    }

    /// In the list of calls a trace id that stands alone is the call's own.
    fn find_traces_in_words(&mut self) {
        self.ids.retain(|cond| {
            let [Id::Trace(trace)] = cond.any.as_slice() else { return true };
            self.trace.push(Cond { excluded: cond.excluded, any: vec![trace.clone()] });
            false
        });
    }

    /// Whether requests are asked for, or something is that only they have and the calls made for them.
    pub fn is_about_requests(&self) -> bool {
        let Self { by, manager, solution, batch, cause, country, business, note, ids, .. } = self;
        let of_calls_alone = self.standings.is_all()
            && by.is_empty()
            && manager.is_empty()
            && solution.is_empty()
            && batch.is_empty()
            && cause.is_empty()
            && country.is_empty()
            && business.is_empty()
            && note.is_empty()
            && ids.is_empty();
        !(self.calls && of_calls_alone)
    }

    /// Whether only calls can fit that Meta refused or didn't answer.
    pub fn asks_for_refusals(&self) -> bool {
        let refused = |status: &RangeInclusive<i32>| *status.end() == NO_ANSWER || *status.start() >= 400;
        self.code.iter().any(|cond| !cond.excluded)
            || self.status.iter().any(|cond| !cond.excluded && cond.any.iter().all(refused))
    }

    fn take_word(&mut self, term: &Term, words: &mut Vec<String>) {
        let value = &term.values[0];
        match id_of(value) {
            Some(Id::Digits(digits)) if !term.excluded && digits.len() < SHORTEST_ID => words.push(digits),
            Some(id) => self.ids.push(Cond { excluded: term.excluded, any: vec![id] }),
            None if term.excluded => self.business.push(Cond { excluded: true, any: term.values.clone() }),
            None => words.push(value.clone()),
        }
    }

    fn take_time(&mut self, term: &Term, key: Key, now: OffsetDateTime) -> Result<(), Problem> {
        let [value] = term.values.as_slice() else { return Err(Problem::OneValue { key }) };
        let bad = || {
            let expects = if key == Key::Age {
                "a span such as >7d, <12h or 3d"
            } else {
                "a span such as 7d, or a date such as 2026-11-20"
            };
            Problem::BadValue { term: term.clone(), value: value.clone(), expects, nearest: None }
        };
        let (older, at) = if key == Key::Age {
            let younger = value.starts_with('<');
            let digits = value.trim_start_matches(['<', '>', '=']);
            (!younger, now - span(digits).ok_or_else(bad)?)
        } else {
            (key == Key::Until, point(value, now).ok_or_else(bad)?)
        };
        if older == term.excluded {
            self.from = self.from.max(Some(at));
        } else {
            self.below = Some(self.below.map_or(at, |below| below.min(at)));
        }
        Ok(())
    }
}

fn cond<T>(
    term: &Term,
    expects: &'static str,
    read: impl Fn(&str) -> Result<T, Option<String>>,
) -> Result<Cond<T>, Problem> {
    let read = |value: &String| {
        read(value).map_err(|nearest| Problem::BadValue { term: term.clone(), value: value.clone(), expects, nearest })
    };
    Ok(Cond { excluded: term.excluded, any: term.values.iter().map(read).collect::<Result<_, _>>()? })
}

fn numbers(term: &Term) -> Result<Cond<i64>, Problem> {
    cond(term, "a number", |value| value.parse().map_err(|_| None))
}

/// A name as people write it: `Waiting to retry`, `waiting-to-retry`.
pub fn plain(text: &str) -> String {
    text.to_lowercase().replace([' ', '-'], "_")
}

fn status(value: &str) -> Option<RangeInclusive<i32>> {
    let value = value.to_ascii_lowercase();
    if value == "none" {
        return Some(NO_ANSWER..=NO_ANSWER);
    }
    if let Some(class) = value.strip_suffix("xx") {
        let class: i32 = class.parse().ok().filter(|class| (1..=5).contains(class))?;
        return Some(class * 100..=class * 100 + 99);
    }
    value.parse().ok().filter(|status| (100..600).contains(status)).map(|status| status..=status)
}

/// Fewer digits are an id only where no name stands beside them.
const SHORTEST_ID: usize = 9;

/// The shortest trace ids seen have 11 letters.
const SHORTEST_TRACE: usize = 11;

/// Digits, `LB-1001`, or what mixes letters and digits as only Meta's trace ids do.
fn id_of(text: &str) -> Option<Id> {
    if let Ok(RequestNumber(number)) = text.parse() {
        return Some(Id::Request(number));
    }
    if (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Id::Digits(text.to_owned()));
    }
    let is = |test: fn(&u8) -> bool| text.as_bytes().iter().any(test);
    let trace = (SHORTEST_TRACE..=128).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'/' | b'+' | b'=' | b'.'))
        && is(u8::is_ascii_uppercase)
        && is(u8::is_ascii_lowercase)
        && is(u8::is_ascii_digit);
    trace.then(|| Id::Trace(text.to_owned()))
}

/// Whether a text is an id by its shape, ours or Meta's.
pub fn is_id(text: &str) -> bool {
    id_of(text).is_some()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::{super::terms::read, *};

    const NOW: OffsetDateTime = datetime!(2026-11-24 10:00 UTC);

    fn asked(text: &str) -> Asked {
        let mut terms = read(text);
        let asked = Asked::read(&mut terms, NOW);
        assert_eq!(terms.problems, [], "{text}");
        asked
    }

    fn problem(text: &str) -> Problem {
        let mut terms = read(text);
        Asked::read(&mut terms, NOW);
        assert_eq!(terms.terms, [], "{text}: what means nothing is no applied term");
        terms.problems.remove(0)
    }

    #[test]
    fn times_are_spans_back_from_now_or_days() {
        for (text, from, below) in [
            ("since:7d", Some(datetime!(2026-11-17 10:00 UTC)), None),
            ("since:2w", Some(datetime!(2026-11-10 10:00 UTC)), None),
            ("since:90m", Some(datetime!(2026-11-24 8:30 UTC)), None),
            ("until:2026-11-20", None, Some(datetime!(2026-11-20 0:00 UTC))),
            ("-until:2026-11-20", Some(datetime!(2026-11-20 0:00 UTC)), None),
            ("since:2026-11-20T10:30", Some(datetime!(2026-11-20 10:30 UTC)), None),
            ("since:2026-11-20T10:30:00+02:00", Some(datetime!(2026-11-20 8:30 UTC)), None),
            ("since:today", Some(datetime!(2026-11-24 0:00 UTC)), None),
            ("since:yesterday until:today", Some(datetime!(2026-11-23 0:00 UTC)), Some(datetime!(2026-11-24 0:00 UTC))),
            ("age:>7d", None, Some(datetime!(2026-11-17 10:00 UTC))),
            ("age:7d", None, Some(datetime!(2026-11-17 10:00 UTC))),
            ("age:<1d", Some(datetime!(2026-11-23 10:00 UTC)), None),
            ("-age:<1d", None, Some(datetime!(2026-11-23 10:00 UTC))),
            ("since:7d since:1d", Some(datetime!(2026-11-23 10:00 UTC)), None),
            ("until:7d until:1d", None, Some(datetime!(2026-11-17 10:00 UTC))),
        ] {
            assert_eq!((asked(text).from, asked(text).below), (from, below), "{text}");
        }
    }

    #[test]
    fn words_are_ids_by_their_shape_and_names_otherwise() {
        for (text, id) in [
            ("LB-1001", Id::Request(1001)),
            ("lb1001", Id::Request(1001)),
            ("1745093316208854", Id::Digits("1745093316208854".into())),
            ("AXsgnV2Cm3ZMGF3dF_cfYIn", Id::Trace("AXsgnV2Cm3ZMGF3dF_cfYIn".into())),
        ] {
            assert_eq!(asked(text).ids, [Cond { excluded: false, any: vec![id] }], "{text}");
        }
        let names = asked("casa ipê is:failed decorações -loja");
        assert_eq!(
            names.business,
            [
                Cond { excluded: true, any: vec!["loja".into()] },
                Cond { excluded: false, any: vec!["casa ipê decorações".into()] }
            ]
        );
        for (text, names, ids) in [
            ("Studio 54", &["Studio 54"][..], 0),
            ("7-Eleven 24h", &["7-Eleven 24h"], 0),
            ("24 casa is:failed 7", &["24 casa 7"], 0),
            ("casa 1745093316208854", &["casa"], 1),
            ("54", &[], 1),
            ("9004 501", &[], 2),
            ("casa -54", &["casa"], 1),
        ] {
            let asked = asked(text);
            let called: Vec<&str> = asked.business.iter().flat_map(|cond| &cond.any).map(String::as_str).collect();
            assert_eq!((called.as_slice(), asked.ids.len()), (names, ids), "{text}");
        }
        assert!(
            asked("Northlane24").ids.len() + asked("supermercado").ids.len() == 1,
            "a word of small letters is a name"
        );
    }

    #[test]
    fn what_means_nothing_is_said_with_what_was_meant() {
        for (text, words, meant) in [
            ("is:faild", "“is:” does not take “faild”. It takes a state, such as failed.", Some("is:failed")),
            ("state:stalled", "“state:” does not take “stalled”. It takes a state, such as failed.", None),
            ("code:100,abc", "“code:” does not take “abc”. It takes a number.", None),
            (
                "since:tomorrow",
                "“since:” does not take “tomorrow”. It takes a span such as 7d, or a date such as 2026-11-20.",
                None,
            ),
            (
                "since:2026-02-30",
                "“since:” does not take “2026-02-30”. It takes a span such as 7d, or a date such as 2026-11-20.",
                None,
            ),
            (
                "since:999999999999d",
                "“since:” does not take “999999999999d”. It takes a span such as 7d, or a date such as 2026-11-20.",
                None,
            ),
            ("age:old", "“age:” does not take “old”. It takes a span such as >7d, <12h or 3d.", None),
            ("since:1d,2d", "“since:” takes one value, such as since:7d.", None),
            (
                "cause:trottled",
                "“cause:” does not take “trottled”. It takes a cause, such as access_denied.",
                Some("cause:throttled"),
            ),
            ("country:Brazil", "“country:” does not take “Brazil”. It takes a two-letter code, such as BR.", None),
            (
                "status:9xx",
                "“status:” does not take “9xx”. It takes a status such as 400, a class such as 5xx, or none.",
                None,
            ),
            ("in:cals", "“in:” does not take “cals”. It takes requests or calls.", Some("in:calls")),
            ("batch:x", "“batch:” does not take “x”. It takes the number of a batch.", None),
        ] {
            let problem = problem(text);
            assert_eq!((problem.words().as_str(), problem.meant().as_deref()), (words, meant), "{text}");
        }
    }

    #[test]
    fn terms_about_calls_leave_the_list_one_of_requests() {
        assert!(!asked("code:100 status:5xx,none trace:AXs").calls);
        assert!(asked("in:calls").calls && asked("-in:requests").calls);
        for text in ["in:calls code:100 status:4xx since:7d", "in:calls AXsgnV2Cm3ZM", "in:calls -call:read_me"] {
            assert!(!asked(text).is_about_requests(), "{text}");
        }
        for text in ["", "code:100", "in:calls is:failed", "in:calls -solution:none", "in:calls -by:me", "in:calls ipê"]
        {
            assert!(asked(text).is_about_requests(), "{text}");
        }
        assert_eq!(asked("call:list-client-wabas").call[0].any, [Operation::ListClientWabas]);
        assert_eq!(asked("status:5xx,none").status[0].any, [500..=599, NO_ANSWER..=NO_ANSWER]);
    }
}
