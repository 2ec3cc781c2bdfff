//! Finds ids in a text of any kind and any length, in one pass: after a name that Meta gives them, by their letters, or as digits.

use super::lookup::{is_trace, is_trace_byte};
use crate::onboarding::RequestNumber;

/// The most ids of one kind that are taken from a text: a log may be long.
const MOST: usize = 50;

/// The most numbers of Meta's that are taken: the business, its WABAs, the app.
const MOST_DIGITS: usize = 100;

/// Shorter digits in a text are counts, codes and clocks.
const SHORTEST_ID: usize = 9;
const LONGEST_ID: usize = 20;

/// How long trace ids are these days. What is longer had something joined to it, as when line breaks are lost.
const TRACE_LENGTH: usize = 23;

/// How far behind its name a value may stand.
const FURTHEST: usize = 16;

/// Names behind which a trace id stands, whatever is between.
const TRACE_NAMES: [&str; 3] = ["fbtrace_id", "x-fb-request-id", "x-fb-trace-id"];

/// Names that mean one only before a colon or an equals sign: they are words, too.
const TRACE_WORDS: [&str; 3] = ["trace", "trace_id", "fbtrace"];

/// The ids a text may hold, in the order they stood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ids {
    /// What Meta's own names say to be an `fbtrace_id` or an `x-fb-request-id`, or what stood alone and may be one. Case matters.
    pub traces: Vec<String>,
    /// Ours: `LB-1001`.
    pub numbers: Vec<RequestNumber>,
    /// Digits: Meta's request id, a business's, a WABA's. They can't be told apart by shape.
    pub digits: Vec<String>,
    /// What looks like a trace id.
    pub lookalikes: Vec<String>,
    /// There were more of one kind than are looked for.
    pub more: bool,
}

impl Ids {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.traces.is_empty() && self.numbers.is_empty() && self.digits.is_empty() && self.lookalikes.is_empty()
    }

    /// All of them, as they are typed.
    pub fn in_words(&self) -> Vec<String> {
        let numbers = self.numbers.iter().map(ToString::to_string);
        let others = self.traces.iter().chain(&self.lookalikes).chain(&self.digits).cloned();
        numbers.chain(others).collect()
    }

    pub fn push_trace(&mut self, trace: &str) {
        push(&mut self.traces, trace.to_owned(), MOST, &mut self.more);
    }

    pub fn push_number(&mut self, number: RequestNumber) {
        push(&mut self.numbers, number, MOST, &mut self.more);
    }

    pub fn push_digits(&mut self, digits: &str) {
        push(&mut self.digits, digits.to_owned(), MOST_DIGITS, &mut self.more);
    }

    /// What may be an hour, and is looked for last: each line of a log has one.
    fn push_hours(&mut self, hours: Vec<&str>) {
        let was = self.more;
        for hour in hours {
            self.push_digits(hour);
        }
        self.more = was;
    }

    fn push_lookalike(&mut self, trace: &str) {
        push(&mut self.lookalikes, trace.to_owned(), MOST, &mut self.more);
    }
}

fn push<T: PartialEq>(known: &mut Vec<T>, id: T, most: usize, more: &mut bool) {
    if known.contains(&id) {
        return;
    }
    if known.len() < most {
        known.push(id);
    } else {
        *more = true;
    }
}

/// Every id in `text`.
pub fn scan(text: &str) -> Ids {
    let mut ids = Ids::default();
    let mut hours = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_alphanumeric() {
            at += 1;
            continue;
        }
        let length = bytes[at..].iter().position(|byte| !is_word_byte(*byte)).unwrap_or(bytes.len() - at);
        // Only ASCII is in it, so both ends are ends of characters.
        let word = &text[at..at + length];
        at += length;
        if let Some((value, end)) = trace_behind(word, &text[at..]) {
            take_trace(&mut ids, &value);
            at += end;
            continue;
        }
        take_word(&mut ids, &mut hours, word.trim_end_matches(['-', '_']));
    }
    ids.push_hours(hours);
    ids
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// The trace id that `word` announces, taken from what follows it, and where it ends there.
fn trace_behind(word: &str, rest: &str) -> Option<(String, usize)> {
    let is = |names: &[&str]| names.iter().any(|name| word.eq_ignore_ascii_case(name));
    let (is_name, is_word) = (is(&TRACE_NAMES), is(&TRACE_WORDS));
    if !is_name && !is_word {
        return None;
    }
    let between = rest.bytes().take(FURTHEST).position(|byte| !is_between(byte))?;
    if is_word && !rest[..between].contains([':', '=']) {
        return None;
    }
    let (value, length) = trace_value(&rest.as_bytes()[between..]);
    (is_trace(&value) && !matches!(value.as_str(), "null" | "None" | "undefined")).then_some((value, between + length))
}

/// What may stand between a name and its value in JSON, in JSON within a string, in a header, and in what languages print.
fn is_between(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'\\' | b':' | b'=' | b'>' | b']')
}

/// The bytes of a trace id, of which JSON may have escaped the slash, and how many they were. No more than any trace id has.
fn trace_value(bytes: &[u8]) -> (String, usize) {
    let mut value = String::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied().filter(|_| value.len() <= 128) {
        match byte {
            b'\\' if bytes.get(at + 1) == Some(&b'/') => at += 1,
            byte if is_trace_byte(byte) => {
                value.push(char::from(byte));
                at += 1;
            }
            _ => break,
        }
    }
    value.truncate(value.trim_end_matches(['.', '-']).len());
    (value, at)
}

fn take_trace(ids: &mut Ids, value: &str) {
    ids.push_trace(value);
    if value.starts_with('A') && value.len() > TRACE_LENGTH {
        ids.push_lookalike(&value[..TRACE_LENGTH]);
    }
}

fn take_word<'a>(ids: &mut Ids, hours: &mut Vec<&'a str>, word: &'a str) {
    if word.len() >= 4
        && let Ok(number) = word.parse()
    {
        ids.push_number(number);
    } else if looks_like_a_trace(word) {
        ids.push_lookalike(word);
    } else {
        let is_id = |part: &&str| {
            (SHORTEST_ID..=LONGEST_ID).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        for id in word.split(['_', '-']).filter(is_id) {
            if !is_hour(id) {
                ids.push_digits(id);
            } else if hours.len() < MOST_DIGITS {
                hours.push(id);
            }
        }
    }
}

/// Seconds, or thousandths of them, since 1970, as they are in the years from 2014 to 2033.
fn is_hour(digits: &str) -> bool {
    matches!(digits.len(), 10 | 13) && digits.starts_with('1') && digits.as_bytes()[1] >= b'4'
}

/// Those of these years begin with A and mix letters of both cases with digits.
fn looks_like_a_trace(word: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| word.as_bytes().iter().any(kind);
    word.starts_with('A')
        && (TRACE_LENGTH - 1..=TRACE_LENGTH + 1).contains(&word.len())
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_digit)
}
