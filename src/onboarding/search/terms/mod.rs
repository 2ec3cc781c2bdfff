//! The language of the search bar: words and `key:value` terms. Pure: text to terms and back, and what can't be read.
//!
//! Spaces mean and, commas between values mean or, `-` before a term excludes it, quotes hold spaces; two quotes within quotes are one.

mod key;
mod problem;
mod read;
#[cfg(test)]
mod tests;

use std::fmt;

pub use self::{
    key::{Key, nearest, nearest_of},
    problem::Problem,
    read::read,
};

/// The most terms that are read.
pub const MOST_TERMS: usize = 50;

/// The most values that are read, in all terms together.
pub const MOST_VALUES: usize = 100;

/// The most characters that are read.
pub const LONGEST: usize = 4_000;

/// One condition: any of its values holds, or, excluded, none does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// `None`: a word by itself, which is an id or part of a name.
    pub key: Option<Key>,
    pub excluded: bool,
    /// At least one, none of them empty.
    pub values: Vec<String>,
}

impl Term {
    /// A term as a link sets it.
    pub fn of(key: Key, value: impl Into<String>) -> Self {
        Self { key: Some(key), excluded: false, values: vec![value.into()] }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.excluded {
            f.write_str("-")?;
        }
        if let Some(key) = self.key {
            write!(f, "{}:", key.name())?;
        }
        for (at, value) in self.values.iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            if is_plain(value, self.key.is_some()) {
                f.write_str(value)?;
            } else {
                write!(f, "\"{}\"", value.replace('"', "\"\""))?;
            }
        }
        Ok(())
    }
}

/// Whether a value is read back as itself without quotes.
fn is_plain(value: &str, keyed: bool) -> bool {
    let parts = |letter: char| letter.is_whitespace() || is_quote(letter) || letter == ',';
    !value.contains(parts) && (keyed || !(value.contains(':') || value.starts_with('-')))
}

/// Telephones set curly ones.
const fn is_quote(letter: char) -> bool {
    matches!(letter, '"' | '“' | '”')
}

/// What was typed, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// In the order they stand in.
    pub terms: Vec<Term>,
    /// What was left out, and why.
    pub problems: Vec<Problem>,
}

impl Terms {
    /// These terms without those of a kind, with one more behind them.
    pub fn with(&self, drop: &[Key], term: Option<&Term>) -> String {
        let kept = self.terms.iter().filter(|term| term.key.is_none_or(|key| !drop.contains(&key)));
        text_of(kept.chain(term))
    }

    /// All but the term at a place.
    pub fn without(&self, place: usize) -> String {
        text_of(self.terms.iter().enumerate().filter(|(at, _)| *at != place).map(|(_, term)| term))
    }
}

impl fmt::Display for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text_of(&self.terms))
    }
}

fn text_of<'a>(terms: impl IntoIterator<Item = &'a Term>) -> String {
    let texts: Vec<String> = terms.into_iter().map(ToString::to_string).collect();
    texts.join(" ")
}
