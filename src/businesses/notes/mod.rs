//! Notes on a business: what members tell each other about it. They stand in its timeline; who wrote one may delete it, and that
//! there was one stays.

mod api;
mod store;

pub use self::api::{AddNote, DeleteNote};
pub use self::store::businesses_noted;
#[cfg(test)]
pub use self::store::{add, delete};

/// The most characters of a note.
pub const LONGEST_NOTE: usize = 2_000;

/// Why a note was not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteRefusal {
    Empty,
    TooLong,
}

impl NoteRefusal {
    /// Its name in `?problem=`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "note_empty",
            Self::TooLong => "note_too_long",
        }
    }

    /// Reads `?problem=`.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Empty, Self::TooLong].into_iter().find(|refusal| refusal.code() == code)
    }

    /// What is wrong.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Empty => "Nothing was written. A note needs at least one character.",
            Self::TooLong => "A note holds up to 2,000 characters. Make it shorter, or write two. It was not kept.",
        }
    }
}

/// A note as it's kept: line ends as Postgres and people expect them, nothing around it, no NUL.
fn clean(typed: &str) -> Result<String, NoteRefusal> {
    let words = typed.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "\u{FFFD}");
    let words = words.trim();
    match words.chars().count() {
        0 => Err(NoteRefusal::Empty),
        1..=LONGEST_NOTE => Ok(words.to_owned()),
        _ => Err(NoteRefusal::TooLong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_kept_as_it_was_meant() {
        assert_eq!(
            clean("  Spoke to Carla.\r\nShe will share it.\0\n").as_deref(),
            Ok("Spoke to Carla.\nShe will share it.\u{FFFD}")
        );
        assert_eq!(clean(&"ü".repeat(LONGEST_NOTE)).map(|note| note.chars().count()), Ok(LONGEST_NOTE));
        for (typed, refusal) in [
            ("", NoteRefusal::Empty),
            (" \r\n\t", NoteRefusal::Empty),
            (&"ü".repeat(LONGEST_NOTE + 1), NoteRefusal::TooLong),
        ] {
            assert_eq!(clean(typed), Err(refusal));
            assert_eq!(NoteRefusal::from_code(refusal.code()), Some(refusal));
        }
    }
}
