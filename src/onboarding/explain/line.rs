//! Sentences with names, times and code in them, filled from a template.
//!
//! A template is ours and is read once; what is filled in is never read as one, so a name with braces or stars stays a name.

use std::fmt;

use time::OffsetDateTime;

use crate::ui::{TimeStyle, isolated, time_text};

/// A stretch of a sentence, told apart so that a page can mark it up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Plain words.
    Words(String),
    /// Words that matter most.
    Strong(String),
    /// Something from outside: a name, Meta's own words.
    Name(String),
    /// A constant of Meta's.
    Code(String),
    /// A point in time.
    Time(OffsetDateTime),
}

/// A sentence, or a few. Displayed, it is plain text: names isolated, times in UTC with their date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line(Vec<Part>);

impl Line {
    /// Reads `{name}` by `value`, `**strong**` and `` `code` ``. A name without a value stays as it is written.
    pub(super) fn fill(template: &str, value: impl Fn(&str) -> Option<Part>) -> Self {
        let mut parts = Vec::new();
        let mut rest = template;
        while let Some((before, mark, inside, after)) = next_mark(rest) {
            if !before.is_empty() {
                parts.push(Part::Words(before.to_owned()));
            }
            parts.push(match mark {
                Mark::Value => value(inside).unwrap_or_else(|| Part::Words(format!("{{{inside}}}"))),
                Mark::Strong => Part::Strong(inside.to_owned()),
                Mark::Code => Part::Code(inside.to_owned()),
            });
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Words(rest.to_owned()));
        }
        Self(parts)
    }

    /// Its stretches in order.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Words(text) | Part::Strong(text) | Part::Code(text) => f.write_str(text),
            Part::Name(name) => f.write_str(&isolated(name)),
            // Seen from another day, so that the date is always there.
            Part::Time(at) => f.write_str(&time_text(*at, OffsetDateTime::UNIX_EPOCH, None, TimeStyle::Minute)),
        })
    }
}

enum Mark {
    Value,
    Strong,
    Code,
}

/// The text before the next mark, the mark, what it encloses, and the rest. A mark that isn't closed is no mark.
fn next_mark(text: &str) -> Option<(&str, Mark, &str, &str)> {
    [("{", "}", Mark::Value), ("**", "**", Mark::Strong), ("`", "`", Mark::Code)]
        .into_iter()
        .filter_map(|(open, close, mark)| {
            let (before, rest) = text.split_once(open)?;
            let (inside, after) = rest.split_once(close)?;
            Some((before, mark, inside, after))
        })
        .min_by_key(|(before, ..)| before.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(template: &str) -> Line {
        Line::fill(template, |name| match name {
            "business" => Some(Part::Name("{retry} **A**".to_owned())),
            "retry" => Some(Part::Time(time::macros::datetime!(2026-11-24 10:42 UTC))),
            _ => None,
        })
    }

    #[test]
    fn a_template_is_cut_at_its_marks() {
        assert_eq!(
            fill("Give **full control** of `x` to {business}.").parts(),
            [
                Part::Words("Give ".into()),
                Part::Strong("full control".into()),
                Part::Words(" of ".into()),
                Part::Code("x".into()),
                Part::Words(" to ".into()),
                Part::Name("{retry} **A**".into()),
                Part::Words(".".into()),
            ]
        );
    }

    #[test]
    fn what_is_filled_in_is_never_read_as_a_template() {
        assert_eq!(fill("{business}").parts(), [Part::Name("{retry} **A**".into())]);
    }

    #[test]
    fn as_text_a_name_is_isolated_and_a_time_has_its_date() {
        assert_eq!(
            fill("{business} at {retry}").to_string(),
            "\u{2068}{retry} **A**\u{2069} at 24 Nov 2026, 10:42 UTC"
        );
    }

    #[test]
    fn a_mark_that_is_not_closed_stays_text() {
        assert_eq!(fill("a { b ** c ` d").to_string(), "a { b ** c ` d");
        assert_eq!(fill("{nothing}").to_string(), "{nothing}");
    }
}
