//! Reads what somebody typed or pasted into 'Look up': which ids it may hold, and what kind of text it is. Pure, and done in one pass
//! however long the text; whether an id is known is `find.rs`'s to say.

use url::form_urlencoded::byte_serialize;

use super::{
    scan::{Ids, scan},
    stated::{self, Stated},
};
use crate::{graph, onboarding::RequestNumber};

/// The longest trace id taken, in bytes; those seen at Meta have 11 to 36.
const LONGEST_TRACE: usize = 128;

/// The shortest of them.
const SHORTEST_TRACE: usize = 11;

/// The most digits of an id of Meta's.
const LONGEST_ID: usize = 20;

/// Digits in groups, as people read ids out: so many at the least in all, and so many at the most in one group.
const GROUPED_ID: usize = 10;
const LONGEST_GROUP: usize = 5;

/// The longest text that may be a name.
const LONGEST_NAME: usize = 200;

/// What is longer isn't put into the address: its ids are.
const LONGEST_KEPT: usize = 1_500;

/// The most bytes of ids in an address, as it spells them: a browser is led there.
const LONGEST_QUERY: usize = 3_500;

/// The most characters of a text without ids that are shown again.
const LONGEST_ECHO: usize = 60;

/// Stands at the end of a text that is shown in part.
const CUT: char = '…';

/// What kind of text it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// Nothing at all.
    #[default]
    Nothing,
    /// One id, or one word that may be one.
    Id,
    /// Ids with nothing between them but space and commas.
    Ids,
    /// Words that may be a name.
    Name,
    /// An error of Graph's, whole or cut off, as JSON or as some language prints it.
    GraphError,
    /// JSON that is no error.
    Answer,
    /// What curl prints, or a curl command.
    Curl,
    /// Any other text.
    Text,
}

impl Shape {
    /// Its key in the address.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Id => "id",
            Self::Ids => "ids",
            Self::Name => "name",
            Self::GraphError => "error",
            Self::Answer => "answer",
            Self::Curl => "curl",
            Self::Text => "text",
        }
    }

    /// How a pasted text was read, to follow "Read as"; `None` for what is read by what it names.
    pub const fn words(self) -> Option<&'static str> {
        match self {
            Self::Nothing | Self::Id | Self::Ids | Self::Name => None,
            Self::GraphError => Some("a Graph error"),
            Self::Answer => Some("an answer of Meta’s"),
            Self::Curl => Some("curl output"),
            Self::Text => Some("a log or another text"),
        }
    }

    /// Those of pasted texts, by key.
    pub fn of_paste(key: &str) -> Option<Self> {
        [Self::GraphError, Self::Answer, Self::Curl, Self::Text].into_iter().find(|shape| shape.key() == key)
    }
}

/// Everything that was understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    pub shape: Shape,
    pub ids: Ids,
    /// What may be the name of a business: any short text may, ids too, since names have digits in them.
    pub name: Option<String>,
}

impl Typed {
    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.name.is_none()
    }
}

/// Understands what was typed. White space, quotes and commas around it are nothing; anything at all may come.
pub fn read(text: &str) -> Typed {
    let text = trim(text);
    if text.is_empty() {
        return Typed::default();
    }
    if let Some((shape, ids)) = one_id(text).or_else(|| several_ids(text)) {
        return Typed { shape, ids, name: name_of(text) };
    }
    let (shape, ids) = (shape_of(text), scan(text));
    // A text that names a call is no name.
    let may_be_name = shape == Shape::Text && Ids { digits: Vec::new(), ..ids.clone() }.is_empty();
    let name = if may_be_name { name_of(text) } else { None };
    let shape = if name.is_some() && ids.is_empty() { Shape::Name } else { shape };
    Typed { shape, ids, name }
}

fn name_of(text: &str) -> Option<String> {
    let may_be =
        text.len() <= LONGEST_NAME && text.chars().any(char::is_alphanumeric) && !text.chars().any(char::is_control);
    may_be.then(|| text.to_owned())
}

/// The same of an address, where `shape` says what kind of text its ids were taken from: there each word is an id.
pub fn read_query(text: &str, shape: Option<Shape>) -> Typed {
    let Some(shape) = shape else { return read(text) };
    let mut ids = Ids::default();
    // What was cut off is the beginning of a text without any.
    for word in text.split_whitespace().filter(|_| !text.ends_with(CUT)) {
        push_id(&mut ids, word, |_| true);
    }
    Typed { shape, ids, name: None }
}

/// What the address says of a text of which only the ids go into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pasted {
    pub shape: Shape,
    /// Characters.
    pub length: usize,
    /// It has more ids than are looked for.
    pub more: bool,
    /// The error in it.
    pub stated: Option<Stated>,
}

/// What of a text goes into the address: all of it where it is short, without any token; else its ids, and what is to be said of it.
pub fn query_of(text: &str) -> (String, Option<Pasted>) {
    let text = trim(text);
    let typed = read(text);
    if text.len() <= LONGEST_KEPT {
        return (graph::redacted(text), None);
    }
    let mut pasted = Pasted {
        shape: if typed.shape.words().is_some() { typed.shape } else { Shape::Text },
        length: text.chars().count(),
        more: typed.ids.more,
        stated: stated::read(text),
    };
    let ids = typed.ids.in_words();
    if ids.is_empty() {
        let start: String = text.chars().take(LONGEST_ECHO).collect();
        return (format!("{}{CUT}", graph::redacted(start.trim_end())), Some(pasted));
    }
    let mut query = String::new();
    for id in ids {
        let longer = if query.is_empty() { id } else { format!("{query} {id}") };
        if byte_serialize(longer.as_bytes()).map(str::len).sum::<usize>() > LONGEST_QUERY {
            pasted.more = true;
            break;
        }
        query = longer;
    }
    (query, Some(pasted))
}

/// Without what comes along when an id is copied out of a sentence, a log or a spreadsheet.
fn trim(text: &str) -> &str {
    text.trim_matches(|letter: char| {
        letter.is_whitespace()
            || matches!(
                letter,
                '"' | '\'' | '`' | '“' | '”' | '‘' | '’' | ',' | ';' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2066}'
                    ..='\u{2069}' | '\u{feff}'
            )
    })
}

fn one_id(text: &str) -> Option<(Shape, Ids)> {
    let id = |ids| Some((Shape::Id, ids));
    if let Ok(number) = text.parse::<RequestNumber>() {
        return id(Ids { numbers: vec![number], ..Ids::default() });
    }
    if let Some(digits) = digits_of(text) {
        // Only what stands alone may be our number without its letters: a text is full of numbers.
        let numbers = digits.parse().map(RequestNumber).into_iter().collect();
        return id(Ids { digits: vec![digits], numbers, ..Ids::default() });
    }
    if is_trace(text) { id(Ids { traces: vec![text.to_owned()], ..Ids::default() }) } else { None }
}

/// An id in digits, perhaps in groups.
fn digits_of(text: &str) -> Option<String> {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if text.len() <= LONGEST_ID && is_digits(text) {
        return Some(text.to_owned());
    }
    let grouped = text.len() <= 2 * LONGEST_ID
        && text.split([' ', '-', '\u{a0}']).all(|group| group.len() <= LONGEST_GROUP && is_digits(group));
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    (grouped && (GROUPED_ID..=LONGEST_ID).contains(&digits.len())).then_some(digits)
}

/// Ids in a row.
fn several_ids(text: &str) -> Option<(Shape, Ids)> {
    let mut ids = Ids::default();
    for word in text.split([' ', '\t', '\n', '\r', ',', ';']).filter(|word| !word.is_empty()) {
        if !push_id(&mut ids, word, is_likely_trace) {
            return None;
        }
    }
    (!ids.is_empty()).then_some((Shape::Ids, ids))
}

/// Takes a word that is an id; one that only may be a trace id has to be a likely one.
fn push_id(ids: &mut Ids, word: &str, is_likely: impl Fn(&str) -> bool) -> bool {
    if let Ok(number) = word.parse::<RequestNumber>() {
        ids.push_number(number);
    } else if word.len() <= LONGEST_ID && word.bytes().all(|byte| byte.is_ascii_digit()) {
        ids.push_digits(word);
    } else if is_trace(word) && is_likely(word) {
        ids.push_trace(word);
    } else {
        return false;
    }
    true
}

/// Meta's trace ids are base64 of either alphabet, its request ids are UUIDs or the like.
pub(super) fn is_trace(text: &str) -> bool {
    (1..=LONGEST_TRACE).contains(&text.len()) && text.bytes().all(is_trace_byte)
}

/// Whether a word that may be a trace id is none of a language.
pub(super) fn is_likely_trace(word: &str) -> bool {
    word.len() >= SHORTEST_TRACE && word.bytes().any(|byte| byte.is_ascii_digit())
}

pub(super) fn is_trace_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'/' | b'+' | b'=' | b'.')
}

fn shape_of(text: &str) -> Shape {
    let has = |part: &str| text.contains(part);
    if text.starts_with("curl ") || has("< HTTP/") || has("< x-fb-") || text.starts_with("HTTP/") {
        Shape::Curl
    } else if ["fbtrace_id", "FBTRACE_ID", "error_subcode", "\"error\"", "\\\"error\\\"", "'error'"]
        .into_iter()
        .any(has)
        && (has("{") || has("=>"))
    {
        Shape::GraphError
    } else if text.starts_with(['{', '[']) {
        Shape::Answer
    } else {
        Shape::Text
    }
}

#[cfg(test)]
#[path = "lookup_tests.rs"]
mod tests;
