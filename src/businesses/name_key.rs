//! Folds names, so that `acai`, `Açaí` and `AÇAÍ` are the same to a search: one folding for what is stored and for what is asked.
//!
//! A name is stored as its key (for order and for search by its beginning) and as its words (for search inside it). The words
//! are cut here and not by Postgres, whose own cutting depends on the database's locale and takes `<b>` for a tag. Scripts that
//! write without spaces give one word a character, so that a piece out of the middle is found as a run of neighbours.

use std::{collections::BTreeSet, fmt::Write as _};

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::db::PartnerId;

/// The last code point there is: no name that Meta takes holds it, so keys and words that begin alike end before it.
pub const LAST_LETTER: &str = "\u{10FFFF}";
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

/// The words of a name, as the text of a `tsvector`. Each stands behind the partner's id, so that one index serves all partners and
/// none of them walks through the others' names.
pub fn words_of(partner: &PartnerId, name: &str) -> String {
    let mut vector = String::new();
    let mut place = 0;
    for piece in pieces(&fold(name)) {
        for word in piece.words() {
            place += 1;
            // Writing to a String can't fail.
            let _ = write!(vector, "'{partner}/{word}':{place} ");
        }
    }
    vector
}

/// What to look for inside names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WordQuery {
    /// Found by index.
    strong: Vec<Term>,
    /// Short beginnings, looked for only among what the strong ones found.
    weak: Vec<Term>,
}

/// What a name has to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Term {
    /// Words that stand side by side; mostly it is one.
    Run(Vec<String>),
    /// A word that begins so.
    Beginning(String),
    /// One of these words.
    AnyOf(Vec<String>),
}

impl Term {
    /// Whether no name can have it.
    fn is_hopeless(&self) -> bool {
        matches!(self, Self::AnyOf(words) if words.is_empty())
    }
}

impl WordQuery {
    /// The words of a question; `None` if there are none. Each but the shortest may be the beginning of a word.
    pub fn read(question: &str) -> Option<Self> {
        let (mut strong, mut short) = (Vec::new(), Vec::new());
        for piece in pieces(&fold(question)).into_iter().take(MOST_WORDS) {
            match piece {
                Piece::Word(word) if word.chars().count() <= SHORT_WORD => short.push(word),
                Piece::Word(word) => strong.push(Term::Beginning(word)),
                run @ Piece::Run(_) => strong.push(Term::Run(run.words())),
            }
        }
        if strong.is_empty() {
            // Whole words, then: a beginning of one or two letters is that of nearly every name.
            let whole: Vec<Term> = short.into_iter().map(|word| Term::Run(vec![word])).collect();
            return (!whole.is_empty()).then_some(Self { strong: whole, weak: Vec::new() });
        }
        Some(Self { strong, weak: short.into_iter().map(Term::Beginning).collect() })
    }

    /// The same without what nearly every name has.
    pub fn without_short(&self) -> Self {
        Self { strong: self.strong.clone(), weak: Vec::new() }
    }

    /// The beginnings of words in it, each once.
    pub fn beginnings(&self) -> Vec<String> {
        let word = |term: &Term| if let Term::Beginning(word) = term { Some(word.clone()) } else { None };
        let beginnings: BTreeSet<String> = self.strong.iter().chain(&self.weak).filter_map(word).collect();
        beginnings.into_iter().collect()
    }

    /// The same with whole words in place of those beginnings for which `words` has them; none, if no word begins so. What was short is
    /// found by index then, as the others are.
    pub fn spelt_out(&self, words: impl Fn(&str) -> Option<Vec<String>>) -> Self {
        let whole = |term: &Term| match term {
            Term::Beginning(word) => words(word).map_or_else(|| term.clone(), Term::AnyOf),
            term => term.clone(),
        };
        let strong = self.strong.iter().map(whole);
        let (weak, spelt) = self.weak.iter().map(whole).partition(|term| matches!(term, Term::Beginning(_)));
        Self { strong: strong.chain::<Vec<Term>>(spelt).collect(), weak }
    }

    /// Whether no name can have all of it.
    pub fn is_hopeless(&self) -> bool {
        self.strong.iter().any(Term::is_hopeless)
    }

    /// What of it a name can have, piece by piece, as many as a question has words; of words side by side, two at a time.
    pub fn apart(&self) -> Vec<Self> {
        let pieces = self.strong.iter().filter(|term| !term.is_hopeless()).flat_map(|term| match term {
            Term::Run(words) if words.len() > 2 => words.windows(2).map(|pair| Term::Run(pair.to_vec())).collect(),
            term => vec![term.clone()],
        });
        pieces.take(MOST_WORDS).map(|piece| Self { strong: vec![piece], weak: Vec::new() }).collect()
    }

    /// What an index finds, as the text of a `tsquery`.
    pub fn strong(&self, partner: &PartnerId) -> String {
        tsquery(&self.strong, partner).unwrap_or_default()
    }

    /// What is looked for among that; `None` for nothing more.
    pub fn weak(&self, partner: &PartnerId) -> Option<String> {
        tsquery(&self.weak, partner)
    }
}

fn tsquery(terms: &[Term], partner: &PartnerId) -> Option<String> {
    let joined = |words: &[String], joint: &str| {
        let words: Vec<String> = words.iter().map(|word| format!("'{partner}/{word}'")).collect();
        if words.len() == 1 { words.concat() } else { format!("({})", words.join(joint)) }
    };
    let term = |term: &Term| match term {
        Term::Run(words) => joined(words, " <-> "),
        Term::Beginning(word) => format!("'{partner}/{word}':*"),
        Term::AnyOf(words) => joined(words, " | "),
    };
    (!terms.is_empty()).then(|| terms.iter().map(term).collect::<Vec<_>>().join(" & "))
}

/// Compatibility decomposition, marks gone, lower case, every run of white space one space.
pub fn fold(text: &str) -> String {
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

    fn partner() -> PartnerId {
        "9".parse().unwrap()
    }

    #[test]
    fn words_are_cut_at_everything_that_is_no_letter_or_digit() {
        for (name, words) in [
            ("O'Neill & Sons (24h)", "'9/o':1 '9/neill':2 '9/sons':3 '9/24h':4 "),
            ("<b>Acme</b>", "'9/b':1 '9/acme':2 '9/b':3 "),
            ("千葉Shop 🍕", "'9/千':1 '9/葉':2 '9/shop':3 '9/🍕':4 "),
            ("!!!", ""),
        ] {
            assert_eq!(words_of(&partner(), name), words);
        }
    }

    #[test]
    fn short_words_are_weak_unless_they_stand_alone() {
        for (typed, strong, weak) in [
            ("merc", "'9/merc':*", None),
            ("Estrela do M", "'9/estrela':*", Some("'9/do':* & '9/m':*")),
            ("do m", "'9/do' & '9/m'", None),
            ("千葉", "('9/千' <-> '9/葉')", None),
            ("🍕", "'9/🍕'", None),
        ] {
            let query = WordQuery::read(typed).unwrap();
            assert_eq!(
                (query.strong(&partner()).as_str(), query.weak(&partner()).as_deref()),
                (strong, weak),
                "{typed}"
            );
        }
        for nothing in ["", "' & | ! ( ) : * \\"] {
            assert_eq!(WordQuery::read(nothing), None);
        }
    }

    #[test]
    fn beginnings_are_spelt_out_where_few_words_begin_so() {
        let query = WordQuery::read("merc zeb 千葉 do").unwrap();
        assert_eq!(query.beginnings(), ["do", "merc", "zeb"]);
        assert_eq!(WordQuery::read("bora bora").unwrap().beginnings(), ["bora"]);
        let spelt = query.spelt_out(|word| (word == "merc").then(|| vec!["mercado".to_owned(), "mercados".to_owned()]));
        assert_eq!(spelt.strong(&partner()), "('9/mercado' | '9/mercados') & '9/zeb':* & ('9/千' <-> '9/葉')");
        assert_eq!((spelt.weak(&partner()).as_deref(), spelt.is_hopeless()), (Some("'9/do':*"), false));
        assert!(query.spelt_out(|word| (word == "zeb").then(Vec::new)).is_hopeless());
        let short = query.spelt_out(|word| (word == "do").then(|| vec!["do".to_owned()]));
        assert_eq!(short.strong(&partner()), "'9/merc':* & '9/zeb':* & ('9/千' <-> '9/葉') & '9/do'");
        assert_eq!(short.weak(&partner()), None);
    }

    #[test]
    fn what_no_name_has_is_left_out_of_what_is_looked_for_apart() {
        let query = WordQuery::read("merc zeb 千葉店 do").unwrap();
        let spelt = query
            .without_short()
            .spelt_out(|word| Some(if word == "zeb" { Vec::new() } else { vec!["mercado".to_owned()] }));
        let apart: Vec<String> = spelt.apart().iter().map(|query| query.strong(&partner())).collect();
        assert_eq!(apart, ["'9/mercado'", "('9/千' <-> '9/葉')", "('9/葉' <-> '9/店')"]);
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
            if let Some(query) = WordQuery::read(&question) {
                let strong = query.strong(&partner());
                let inside = strong.replace("9/", "").replace(['\'', ':', '*', '&', '(', ')', ' '], "");
                prop_assert!(inside.chars().all(char::is_alphanumeric), "{}", strong);
            }
        }
    }
}
