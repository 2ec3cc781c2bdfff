//! Folds names, so that `acai`, `Açaí` and `AÇAÍ` are the same to a search: one folding for what is stored and for what is asked.
//!
//! A name is stored as its key (for order and for search by its beginning) and as its words (for search inside it). The words
//! are cut here and not by Postgres, whose own cutting depends on the database's locale and takes `<b>` for a tag. Scripts that
//! write without spaces give one word a character, so that a piece out of the middle is found as a run of neighbours.

use std::fmt::Write as _;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// The most characters of a name that are kept, and of a search that are looked at. Meta's own limits aren't published.
pub const LONGEST_NAME: usize = 1_000;
/// The most characters of a name that are searched by.
const LONGEST_FOLDED: usize = 400;
/// The most characters of a key: with four bytes each, it still fits an index row.
const LONGEST_KEY: usize = 200;
/// The most characters of a word; longer ones are cut, for storing and for asking alike.
const LONGEST_WORD: usize = 60;
/// The most words of a question.
const MOST_WORDS: usize = 12;
/// A word this short begins so many names that an index doesn't help.
const SHORT_WORD: usize = 2;

/// A name as it can be stored and shown: what Postgres can't hold is replaced, what nobody could read is cut.
pub fn clean_name(name: &str) -> String {
    let cleaned: String =
        name.trim().chars().map(|c| if c == '\0' { '\u{FFFD}' } else { c }).take(LONGEST_NAME).collect();
    if cleaned.is_empty() { "No name".to_owned() } else { cleaned }
}

/// The key of a name: what names are ordered by, and what the beginning of one is compared with. Empty if nothing is left.
pub fn key_of(name: &str) -> String {
    fold(name).chars().take(LONGEST_KEY).collect::<String>().trim_end().to_owned()
}

/// The words of a name, as the text of a `tsvector`.
pub fn words_of(name: &str) -> String {
    let mut vector = String::new();
    let mut place = 0;
    for piece in pieces(&fold(name)) {
        for word in piece.words() {
            place += 1;
            // Writing to a String can't fail.
            let _ = write!(vector, "'{word}':{place} ");
        }
    }
    vector
}

/// What to look for inside names, as texts of `tsquery`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WordQuery {
    /// Found by index.
    pub strong: String,
    /// Short beginnings, looked for only among what the strong ones found.
    pub weak: Option<String>,
}

/// The words of a question; `None` if there are none. Each but the shortest may be the beginning of a word.
pub fn word_query(question: &str) -> Option<WordQuery> {
    let (mut strong, mut weak, mut short) = (Vec::new(), Vec::new(), Vec::new());
    for piece in pieces(&fold(question)).into_iter().take(MOST_WORDS) {
        match piece {
            Piece::Word(word) if word.chars().count() <= SHORT_WORD => {
                weak.push(format!("'{word}':*"));
                short.push(format!("'{word}'"));
            }
            Piece::Word(word) => strong.push(format!("'{word}':*")),
            Piece::Run(run) => {
                let neighbours: Vec<String> = run.iter().map(|c| format!("'{c}'")).collect();
                strong.push(format!("({})", neighbours.join(" <-> ")));
            }
        }
    }
    match (strong.is_empty(), short.is_empty()) {
        (true, true) => None,
        (true, false) => Some(WordQuery { strong: short.join(" & "), weak: None }),
        (false, nothing_short) => {
            Some(WordQuery { strong: strong.join(" & "), weak: (!nothing_short).then(|| weak.join(" & ")) })
        }
    }
}

/// Compatibility decomposition, marks gone, lower case, every run of white space one space.
fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut length = 0;
    for c in text.nfkd().filter(|c| !is_combining_mark(*c) && !is_invisible(*c)).flat_map(char::to_lowercase) {
        if length == LONGEST_FOLDED {
            break;
        }
        if c.is_whitespace() {
            if folded.is_empty() || folded.ends_with(' ') {
                continue;
            }
            folded.push(' ');
        } else if let Some(plain) = plain(c) {
            folded.push_str(plain);
        } else if !is_combining_mark(c) {
            // Lower case may bring a mark of its own: İ becomes i and a dot.
            folded.push(c);
        } else {
            continue;
        }
        length += 1;
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// Letters that no decomposition takes apart, as people without them on the keyboard type them.
fn plain(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ı' => "i",
        'þ' => "th",
        'ς' => "σ",
        '’' | '‘' | 'ʼ' => "'",
        '“' | '”' => "\"",
        '‐' | '‑' | '–' | '—' => "-",
        _ => return None,
    })
}

/// Characters without any look: controls, marks of direction, joiners, and the replacement of what couldn't be stored.
fn is_invisible(c: char) -> bool {
    (c.is_control() && !c.is_whitespace())
        || matches!(c, '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}' | '\u{FFFD}')
}

/// A piece of a folded text.
enum Piece {
    /// Letters and digits between other characters.
    Word(String),
    /// Neighbours that are a word each: a script without spaces, or emoji.
    Run(Vec<char>),
}

impl Piece {
    fn words(self) -> Vec<String> {
        match self {
            Self::Word(word) => vec![word],
            Self::Run(run) => run.into_iter().map(String::from).collect(),
        }
    }
}

fn pieces(folded: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut open = false;
    for c in folded.chars() {
        let alone = stands_alone(c);
        if !alone && !c.is_alphanumeric() {
            open = false;
            continue;
        }
        match pieces.last_mut() {
            Some(Piece::Word(word)) if open && !alone => {
                if word.chars().count() < LONGEST_WORD {
                    word.push(c);
                }
            }
            Some(Piece::Run(run)) if open && alone => run.push(c),
            _ => pieces.push(if alone { Piece::Run(vec![c]) } else { Piece::Word(c.to_string()) }),
        }
        open = true;
    }
    pieces
}

/// Characters of scripts that write without spaces, and pictures.
fn stands_alone(c: char) -> bool {
    matches!(u32::from(c),
        0x0E00..=0x0EFF // Thai, Lao
        | 0x1000..=0x109F | 0x1780..=0x17FF // Burmese, Khmer
        | 0x2600..=0x27BF | 0x2B00..=0x2BFF // symbols
        | 0x2E80..=0x2FDF | 0x3005..=0x3007 | 0x3040..=0x30FF | 0x31F0..=0x31FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF
        | 0x1F000..=0x1FAFF // emoji
        | 0x20000..=0x3FFFF)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_key_forgets_accents_case_and_spacing() {
        for (name, key) in [
            ("Açaí  do\tNorte ", "acai do norte"),
            ("AÇAÍ DO NORTE", "acai do norte"),
            ("ＦＵＬＬ　Ｗｉｄｔｈ", "full width"),
            ("ﬁne ①", "fine 1"),
            ("Łódź Straße Øre", "lodz strasse ore"),
            ("İstanbul Işık", "istanbul isik"),
            ("ΟΔΟΣ", "οδοσ"),
            ("οδος", "οδοσ"),
            ("Ёлка", "елка"),
            ("مُحَمَّد", "محمد"),
            ("O’Neill—Sons", "o'neill-sons"),
            ("a\u{200D}b\u{202E}c\0d\u{FFFD}", "abcd"),
            ("株式会社", "株式会社"),
            ("🍕 Pizza", "🍕 pizza"),
            ("<b>Acme</b>", "<b>acme</b>"),
            ("\u{301}", ""),
        ] {
            assert_eq!(key_of(name), key, "{name:?}");
        }
    }

    #[test]
    fn words_are_cut_at_everything_that_is_no_letter_or_digit() {
        assert_eq!(words_of("O'Neill & Sons (24h)"), "'o':1 'neill':2 'sons':3 '24h':4 ");
        assert_eq!(words_of("<b>Acme</b>"), "'b':1 'acme':2 'b':3 ");
        assert_eq!(words_of("千葉Shop 🍕"), "'千':1 '葉':2 'shop':3 '🍕':4 ");
        assert_eq!(words_of("!!!"), "");
    }

    #[test]
    fn short_words_are_weak_unless_they_stand_alone() {
        let query = |text: &str| word_query(text).map(|query| (query.strong, query.weak));
        let pair = |strong: &str, weak: Option<&str>| Some((strong.to_owned(), weak.map(str::to_owned)));
        assert_eq!(query("merc"), pair("'merc':*", None));
        assert_eq!(query("Estrela do M"), pair("'estrela':*", Some("'do':* & 'm':*")));
        assert_eq!(query("do m"), pair("'do' & 'm'", None));
        assert_eq!(query("千葉"), pair("('千' <-> '葉')", None));
        assert_eq!(query("🍕"), pair("('🍕')", None));
        assert_eq!(query("' & | ! ( ) : * \\"), None);
        assert_eq!(query(""), None);
    }

    #[test]
    fn a_name_is_cleaned_of_what_postgres_refuses_and_is_never_empty() {
        assert_eq!(clean_name(" a\0b "), "a\u{FFFD}b");
        assert_eq!(clean_name("  "), "No name");
        assert_eq!(clean_name(&"ж".repeat(5_000)).chars().count(), LONGEST_NAME);
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(name in "\\PC{0,60}") {
            prop_assert_eq!(key_of(&key_of(&name)), key_of(&name));
        }

        #[test]
        fn a_key_always_fits_its_column(name in "\\PC{0,500}") {
            prop_assert!(key_of(&name).len() <= 800);
        }

        #[test]
        fn nothing_in_a_question_can_break_out_of_its_quotes(question in "[a-z'\\\\:*&|!() ]{0,40}") {
            if let Some(query) = word_query(&question) {
                let inside = query.strong.replace(['\'', ':', '*', '&', '(', ')', ' '], "");
                prop_assert!(inside.chars().all(char::is_alphanumeric), "{}", query.strong);
            }
        }
    }
}
