//! What Meta's messages have in common: without the ids, times and numbers that differ from call to call.

use crate::support::store::Key;

/// The most characters of a message that tell groups apart.
const LONGEST: usize = 200;

/// Words of a date that hold no digit.
const DATE_WORDS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// The group of a call, from what Meta said.
pub fn key_of(code: Option<i64>, subcode: Option<i64>, failure: Option<&str>, message: Option<&str>) -> Key {
    Key { code, subcode, failure: failure.map(str::to_owned), words: message.map(common_words).unwrap_or_default() }
}

/// The message with `…` for each stretch of words that hold a digit or belong to a date. The number before it is known as the code.
fn common_words(message: &str) -> String {
    let message = message.trim_start();
    let bare = message.strip_prefix("(#").and_then(|rest| rest.split_once(')')).map_or(message, |(_, rest)| rest);
    let mut words: Vec<&str> = Vec::new();
    for word in bare.split_whitespace() {
        if !differs(word) {
            words.push(word);
        } else if words.last() != Some(&"…") {
            words.push("…");
        }
    }
    words.join(" ").chars().take(LONGEST).collect()
}

fn differs(word: &str) -> bool {
    let letters = word.trim_end_matches(',');
    word.chars().any(|letter| letter.is_ascii_digit())
        || DATE_WORDS.iter().any(|day| letters.eq_ignore_ascii_case(day))
        || (letters.len() > 40 && letters.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_call_to_call_is_left_out() {
        for (message, words) in [
            ("(#200) Your app doesn't have permission.", "Your app doesn't have permission."),
            (
                "Unsupported post request. Object with ID '1745093316208854' does not exist",
                "Unsupported post request. Object with ID … does not exist",
            ),
            (
                "Error validating access token: Session has expired on Thursday, 29-Jul-21 10:00:00 PDT. The current time is Friday, \
                 30-Jul-21 11:00:00 PDT.",
                "Error validating access token: Session has expired on … PDT. The current time is … PDT.",
            ),
            ("  (#100)\n Invalid   parameter ", "Invalid parameter"),
            ("(#1752041) Duplicate Request", "Duplicate Request"),
            ("(# no number", "(# no number"),
            ("", ""),
        ] {
            assert_eq!(common_words(message), words, "{message}");
        }
        assert_eq!(common_words(&"ا".repeat(9_000)).chars().count(), LONGEST);
    }
}
