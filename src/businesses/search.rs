//! Reads what was typed into the search box: which of the ways to search it asks for, and in which order they are tried.

use super::name_key::{LAST_LETTER, WordQuery, key_of};

/// An id has at least so many digits; fewer are as likely the beginning of a name.
const LIKELY_ID: usize = 4;
/// Digits in groups, as people read ids out, are put together again from this length on.
const GROUPED_ID: usize = 10;
/// The most digits of an id.
const LONGEST_ID: usize = 20;

/// A search, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// The digits of an id or of its beginning.
    pub digits: Option<String>,
    /// Whether the digits are looked for before the name.
    pub digits_first: bool,
    /// The beginning of a name, folded; empty when nothing typed can stand in a name.
    pub prefix: String,
    /// What to look for inside names.
    pub words: Option<WordQuery>,
}

impl Search {
    /// Reads what was typed; `None` when nothing was.
    pub fn read(typed: &str) -> Option<Self> {
        if typed.trim().is_empty() {
            return None;
        }
        let digits = digits_of(typed);
        let digits_first = digits.as_ref().is_some_and(|digits| digits.len() >= LIKELY_ID);
        Some(Self { digits, digits_first, prefix: key_of(typed), words: WordQuery::read(typed) })
    }

    /// The same, with nothing taken for an id.
    pub fn by_name_alone(self) -> Self {
        Self { digits: None, digits_first: false, ..self }
    }

    /// The names that begin as was typed: from the first value up to, but not, the second. `None` if no name can.
    pub fn range(&self) -> Option<(String, String)> {
        (!self.prefix.is_empty()).then(|| (self.prefix.clone(), format!("{}{LAST_LETTER}", self.prefix)))
    }
}

fn digits_of(typed: &str) -> Option<String> {
    let typed = typed.trim();
    let digits: String = typed.chars().filter(char::is_ascii_digit).collect();
    let plain = digits.len() == typed.len();
    let grouped = digits.len() >= GROUPED_ID && typed.chars().all(|c| c.is_ascii_digit() || c == ' ' || c == '-');
    ((plain || grouped) && (1..=LONGEST_ID).contains(&digits.len())).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_an_id_first_when_there_are_enough_of_them() {
        for (typed, digits, first) in [
            ("1745093316208854", Some("1745093316208854"), true),
            (" 1745093316208854\n", Some("1745093316208854"), true),
            ("1745 0933 1620 8854", Some("1745093316208854"), true),
            ("1745", Some("1745"), true),
            ("7", Some("7"), false),
            ("24 7", None, false),
            ("24h", None, false),
            ("123456789012345678901", None, false),
            ("١٢٣٤", None, false),
            ("-1", None, false),
        ] {
            let search = Search::read(typed).unwrap();
            assert_eq!((search.digits.as_deref(), search.digits_first), (digits, first), "{typed:?}");
        }
    }

    #[test]
    fn nothing_typed_is_no_search() {
        for typed in ["", " ", "\t\n", "\u{3000}"] {
            assert_eq!(Search::read(typed), None, "{typed:?}");
        }
    }

    #[test]
    fn a_search_of_nothing_visible_finds_nothing_and_isnt_all() {
        let search = Search::read("\u{200B}").unwrap();
        assert_eq!((search.range(), search.words), (None, None));
    }

    #[test]
    fn a_range_holds_every_name_that_begins_so() {
        let (from, to) = Search::read("Açaí").unwrap().range().unwrap();
        for name in ["acai", "acai do norte", "acai🍕", "acai\u{FFFF}"] {
            assert!(from.as_str() <= name && name < to.as_str(), "{name:?}");
        }
        for name in ["acaba", "acaj", "b"] {
            assert!(!(from.as_str() <= name && name < to.as_str()), "{name:?}");
        }
    }
}
