//! One cell of a list: is it an id, and if not, what became of it.

/// The most digits of an id.
const LONGEST_ID: usize = 20;

/// Why a cell is no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Nothing stands there.
    Empty,
    /// Something else than digits stands there.
    NotDigits,
    /// A spreadsheet turned it into a rounded number: `1.02E+15`.
    Rounded,
    /// More digits than an id has.
    TooLong,
}

impl Unreadable {
    /// Its name in the database; also that of the finding it leads to.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NotDigits => "not_digits",
            Self::Rounded => "rounded",
            Self::TooLong => "too_long",
        }
    }
}

/// The id in a cell, without what people and spreadsheets put round it: spaces, groups, an apostrophe, `="…"`.
pub fn read_id(text: &str) -> Result<String, Unreadable> {
    let text = tidy(text);
    if text.is_empty() {
        return Err(Unreadable::Empty);
    }
    let text = text.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')).map_or(text, tidy);
    let text = text.strip_prefix(['\'', '’', '‘']).map_or(text, tidy);
    if is_rounded(text) {
        return Err(Unreadable::Rounded);
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let grouped = text.chars().all(|c| c.is_ascii_digit() || is_space(c) || is_dash(c));
    let whole = |end: Option<char>| end.is_some_and(|c| c.is_ascii_digit());
    if !grouped || !whole(text.chars().next()) || !whole(text.chars().next_back()) {
        return Err(Unreadable::NotDigits);
    }
    if digits.len() > LONGEST_ID { Err(Unreadable::TooLong) } else { Ok(digits) }
}

/// Whether a number went through a spreadsheet's number format: an exponent, or decimals. Its last digits may be lost.
pub fn is_rounded(text: &str) -> bool {
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, Some(exponent)),
        None => (text, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, decimals) = match number.split_once(['.', ',']) {
        Some((whole, decimals)) => (whole, Some(decimals)),
        None => (number, None),
    };
    let number_fits = digits(whole) && decimals.is_none_or(digits);
    match exponent {
        Some(exponent) => number_fits && digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)),
        None => number_fits && decimals.is_some_and(|decimals| decimals.bytes().all(|byte| byte == b'0')),
    }
}

fn tidy(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// Spaces of any kind, and the marks without width that come along when text is copied from a page.
fn is_space(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '\u{FEFF}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}')
}

fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_freed_of_what_stands_round_it() {
        for text in [
            "1745093316208854",
            " 1745093316208854\t",
            "1745 0933 1620 8854",
            "1745-0933-1620-8854",
            "1745\u{2011}0933\u{a0}1620\u{202f}8854",
            "'1745093316208854",
            "’1745093316208854",
            "=\"1745093316208854\"",
            "\u{FEFF}1745093316208854\u{200B}",
            "\u{202A}1745093316208854\u{202C}",
        ] {
            assert_eq!(read_id(text).as_deref(), Ok("1745093316208854"), "{text:?}");
        }
        assert_eq!(read_id("12345678901234567890").as_deref(), Ok("12345678901234567890"));
        assert_eq!(read_id("007").as_deref(), Ok("007"), "leading zeros are the id's");
    }

    #[test]
    fn what_is_no_id_says_why() {
        for (text, why) in [
            ("", Unreadable::Empty),
            (" \u{a0}\t", Unreadable::Empty),
            ("Oakhaven", Unreadable::NotDigits),
            ("1745093316208854x", Unreadable::NotDigits),
            ("-1", Unreadable::NotDigits),
            ("1-", Unreadable::NotDigits),
            ("+1", Unreadable::NotDigits),
            ("１７４５", Unreadable::NotDigits),
            ("=HYPERLINK(\"https://evil.example\")", Unreadable::NotDigits),
            ("=1+1", Unreadable::NotDigits),
            ("'", Unreadable::NotDigits),
            ("=\"\"", Unreadable::NotDigits),
            ("e", Unreadable::NotDigits),
            ("1.5", Unreadable::NotDigits),
            ("1,745,093", Unreadable::NotDigits),
            ("1.02E+15", Unreadable::Rounded),
            ("1,02E+15", Unreadable::Rounded),
            ("2.21076e15", Unreadable::Rounded),
            ("1E15", Unreadable::Rounded),
            ("=\"1.02E+15\"", Unreadable::Rounded),
            ("1745093316208854.0", Unreadable::Rounded),
            ("123456789012345678901", Unreadable::TooLong),
        ] {
            assert_eq!(read_id(text), Err(why), "{text:?}");
        }
    }
}
