//! Places in a timeline that is put together from several tables, so that it can be read on from any of them.

use std::{fmt, str::FromStr};

use time::OffsetDateTime;

/// A place in a timeline, in the order of time.
///
/// In an address it is `{microseconds}.{rank}.{id}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// When it happened.
    pub at: OffsetDateTime,
    /// Which table it stands in: of one instant, what follows from something comes after it.
    pub rank: i16,
    /// Its row.
    pub id: i64,
}

impl Mark {
    /// What Meta said.
    pub const CHANGED: i16 = 0;
    /// Who looks after it.
    pub const ASSIGNED: i16 = 1;
    /// A note.
    pub const NOTED: i16 = 2;
    /// What happened to a request.
    pub const REQUEST: i16 = 3;
}

/// Which part of a timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Only what comes before this; `None`: up to the newest.
    pub before: Option<Mark>,
    /// Nothing older; `None`: from the beginning.
    pub since: Option<OffsetDateTime>,
    /// So many of the newest of these.
    pub most: i64,
}

impl Span {
    /// The place before which the part lies, with or without one.
    pub fn edge(&self) -> Mark {
        let end = time::macros::datetime!(9999-12-31 0:00 UTC);
        self.before.unwrap_or(Mark { at: end, rank: i16::MAX, id: i64::MAX })
    }

    /// The time from which on it lies.
    pub fn since(&self) -> OffsetDateTime {
        self.since.unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.at.unix_timestamp_nanos() / 1_000, self.rank, self.id)
    }
}

impl FromStr for Mark {
    type Err = NoMark;

    fn from_str(text: &str) -> Result<Self, NoMark> {
        let mut parts = text.splitn(3, '.');
        let mut part = || parts.next().ok_or(NoMark);
        let (micros, rank, id) = (part()?, part()?, part()?);
        let micros: i64 = micros.parse().map_err(|_| NoMark)?;
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000).map_err(|_| NoMark)?;
        if !(1970..9999).contains(&at.year()) {
            return Err(NoMark);
        }
        Ok(Self { at, rank: rank.parse().map_err(|_| NoMark)?, id: id.parse().map_err(|_| NoMark)? })
    }
}

/// The text is no place in a timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no place in a timeline")]
pub struct NoMark;

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_place_is_read_back_from_an_address() {
        let mark = Mark { at: datetime!(2026-11-24 10:18:07.123456 UTC), rank: Mark::REQUEST, id: 42 };
        assert_eq!(mark.to_string(), "1795515487123456.3.42");
        assert_eq!(mark.to_string().parse(), Ok(mark));
        for bad in [
            "",
            "1",
            "1.2",
            "a.b.c",
            "1.2.x",
            "99999999999999999999.1.1",
            "253402300800000000.1.1",
            "-1.0.0",
            "1.99999.1",
        ] {
            assert_eq!(bad.parse::<Mark>(), Err(NoMark), "{bad:?}");
        }
    }

    #[test]
    fn of_one_instant_what_happened_to_a_request_comes_last() {
        let at = datetime!(2026-11-24 10:18 UTC);
        let mark = |at, rank, id| Mark { at, rank, id };
        let mut marks = [
            mark(at, Mark::REQUEST, 1),
            mark(at, Mark::CHANGED, 9),
            mark(at - time::Duration::SECOND, Mark::REQUEST, 7),
            mark(at, Mark::NOTED, 3),
        ];
        marks.sort_unstable();
        assert_eq!(marks.map(|mark| mark.id), [7, 9, 3, 1]);
    }
}
