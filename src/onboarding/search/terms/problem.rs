//! What can't be read of a search, in words, with the search that was probably meant.

use super::{Key, MOST_TERMS, MOST_VALUES, Term};

/// Something that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// No such key.
    UnknownKey {
        /// The word before the colon.
        key: String,
        /// What stands behind it, as typed.
        rest: String,
        excluded: bool,
        nearest: Option<Key>,
    },
    /// A quote was opened and not closed.
    OpenQuote { text: String },
    /// A key without a value.
    NoValue { key: Key },
    /// A value that the key doesn't take.
    BadValue { term: Term, value: String, expects: &'static str, nearest: Option<String> },
    /// A key that takes one value has several.
    OneValue { key: Key },
    /// A name that nobody and nothing has.
    UnknownName { key: Key, value: String },
    /// A name that too many businesses have.
    TooCommon { name: String },
    /// Words that notes on too many businesses have; empty for any note.
    TooManyNoted { words: String },
    /// More terms than are read.
    TooManyTerms { given: usize },
    /// More values than are read.
    TooManyValues { given: usize },
    /// More text than is read.
    TooLong,
}

impl Problem {
    /// What is wrong, as a sentence or two.
    pub fn words(&self) -> String {
        match self {
            Self::UnknownKey { key, .. } => format!("There is no filter “{}:”.", shortened(key)),
            Self::OpenQuote { text } => {
                format!("A quotation mark is opened and not closed: {}.", shortened(text))
            }
            Self::NoValue { key } => format!("“{}:” needs a value, such as {}.", key.name(), key.example()),
            Self::BadValue { term, value, expects, .. } => {
                let key = term.key.map_or("", Key::name);
                format!("“{key}:” does not take “{}”. It takes {expects}.", shortened(value))
            }
            Self::OneValue { key } => format!("“{}:” takes one value, such as {}.", key.name(), key.example()),
            Self::UnknownName { key: Key::Solution, value } => {
                format!("No solution is called “{}”.", shortened(value))
            }
            Self::UnknownName { value, .. } => format!("Nobody of this workspace is called “{}”.", shortened(value)),
            Self::TooCommon { name } => {
                format!(
                    "More than 1,000 businesses are called like “{}”. Add another word of the name.",
                    shortened(name)
                )
            }
            Self::TooManyNoted { words } if words.is_empty() => {
                "More than 1,000 businesses have a note. Name words of it.".to_owned()
            }
            Self::TooManyNoted { words } => {
                format!("More than 1,000 businesses have a note with “{}”. Name more of its words.", shortened(words))
            }
            Self::TooManyTerms { given } => {
                format!("These are {given} terms. The first {MOST_TERMS} are used.")
            }
            Self::TooManyValues { given } => format!("These are {given} values. The first {MOST_VALUES} are used."),
            Self::TooLong => "The search is too long. Only its beginning is used.".to_owned(),
        }
    }

    /// The term that was probably meant in its place.
    pub fn meant(&self) -> Option<String> {
        match self {
            Self::UnknownKey { rest, excluded, nearest: Some(nearest), .. } => {
                Some(format!("{}{}:{rest}", if *excluded { "-" } else { "" }, nearest.name()))
            }
            Self::BadValue { term, value, nearest: Some(nearest), .. } => {
                let values =
                    term.values.iter().map(|one| if one == value { nearest.clone() } else { one.clone() }).collect();
                Some(Term { values, ..term.clone() }.to_string())
            }
            _ => None,
        }
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
