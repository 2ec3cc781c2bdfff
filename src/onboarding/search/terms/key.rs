//! The keys there are, what each is for, and the one that was probably meant.

macro_rules! keys {
    ($($name:ident: $key:literal, $($alias:literal)|*, $hint:literal, $example:literal;)+) => {
        /// What a term is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Key {
            $($name,)+
        }

        impl Key {
            /// In the order they are suggested in.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// As it is written.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $key,)+
                }
            }

            /// What it is for, in a few words.
            pub const fn hint(self) -> &'static str {
                match self {
                    $(Self::$name => $hint,)+
                }
            }

            /// A term with it.
            pub const fn example(self) -> &'static str {
                match self {
                    $(Self::$name => $example,)+
                }
            }

            /// Reads a key or another word for it, in any case.
            pub fn from_name(text: &str) -> Option<Self> {
                match text.to_lowercase().as_str() {
                    $($key $(| $alias)* => Some(Self::$name),)+
                    _ => None,
                }
            }
        }

        /// Every word that is read as a key, with the key.
        const WORDS: &[(&str, Key)] = &[$(($key, Key::$name), $(($alias, Key::$name),)*)+];
    };
}

keys! {
    Is: "is", , "State or group of states", "is:stalled";
    By: "by", "member" | "requester", "Who asked for it", "by:me";
    Manager: "manager", "assigned" | "assignee", "Who looks after the business", "manager:me";
    Note: "note", "notes", "Words of a note on the business", "note:any";
    Code: "code", , "Meta’s error code", "code:200";
    Age: "age", , "Time since the request", "age:>7d";
    Since: "since", "after" | "from", "Asked for since then", "since:7d";
    Until: "until", "before" | "to", "Asked for before then", "until:2026-11-01";
    Solution: "solution", , "Multi-partner solution", "solution:none";
    Batch: "batch", , "Bulk run", "batch:118";
    Trace: "trace", "fbtrace" | "fbtrace_id", "Meta’s fbtrace_id", "trace:AXsg…";
    Country: "country", , "Country of the business", "country:BR";
    Business: "business", "name", "Name or ID of the business", "business:\"casa ipê\"";
    Cause: "cause", "reason", "Why it failed or waits", "cause:throttled";
    State: "state", , "One exact state", "state:failed";
    Status: "status", , "HTTP status of a call", "status:5xx";
    Subcode: "subcode", , "Meta’s error subcode", "subcode:33";
    Call: "call", "operation", "What Meta was asked for", "call:list_client_wabas";
    In: "in", "show", "Requests, or calls to Meta, with those of syncs and polls", "in:calls";
}

/// The key that was probably meant.
pub fn nearest(typed: &str) -> Option<Key> {
    nearest_of(typed, WORDS.iter().map(|(word, key)| (*word, *key)))
}

/// Whatever is called most like `typed`: the same beginning, or at most two letters off, and fewer than half of them.
pub fn nearest_of<'a, T>(typed: &str, known: impl Iterator<Item = (&'a str, T)>) -> Option<T> {
    let typed = typed.to_lowercase();
    if typed.is_empty() || typed.len() > 60 {
        return None;
    }
    known
        .filter_map(|(word, meant)| {
            let begins = typed.len() >= 2 && word.starts_with(typed.as_str());
            let off = if begins { 0 } else { distance(&typed, word) };
            (off <= 2 && off * 2 < typed.chars().count().max(2)).then_some((off, meant))
        })
        .min_by_key(|(off, _)| *off)
        .map(|(_, meant)| meant)
}

/// How many letters have to be changed, added, left out or swapped with their neighbour.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let (mut before, mut last): (Vec<usize>, Vec<usize>) = (Vec::new(), (0..=other.len()).collect());
    for (row, letter) in one.iter().enumerate() {
        let mut this = vec![row + 1];
        for (column, wanted) in other.iter().enumerate() {
            let mut fewest =
                (last[column] + usize::from(letter != wanted)).min(last[column + 1] + 1).min(this[column] + 1);
            if row > 0 && column > 0 && *letter == other[column - 1] && one[row - 1] == *wanted {
                fewest = fewest.min(before[column - 1] + 1);
            }
            this.push(fewest);
        }
        before = std::mem::replace(&mut last, this);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_as_its_key() {
        for (word, key) in WORDS {
            assert_eq!(Key::from_name(word), Some(*key), "{word}");
            assert_eq!(Key::from_name(&word.to_uppercase()), Some(*key), "{word}");
            assert!(word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{word}");
        }
        for key in Key::ALL {
            assert!(key.example().starts_with(&format!("{}:", key.name())), "{key:?}");
        }
    }

    #[test]
    fn a_misspelt_key_is_known_again_and_a_foreign_word_is_not() {
        for (typed, key) in [
            ("sate", Some(Key::State)),
            ("stat", Some(Key::State)),
            ("staet", Some(Key::State)),
            ("cod", Some(Key::Code)),
            ("contry", Some(Key::Country)),
            ("soluton", Some(Key::Solution)),
            ("Managr", Some(Key::Manager)),
            ("si", Some(Key::Since)),
            ("fbtrace-id", Some(Key::Trace)),
            ("https", None),
            ("xyzzy", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed), key, "{typed}");
        }
    }
}
