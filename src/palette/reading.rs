//! Whether what was typed or pasted is an id or an error of Graph's, and what to look up for it. Pure.

use crate::onboarding::{RequestNumber, is_id};

/// The most of a paste that goes into an address.
const LONGEST: usize = 1_000;

/// From this length on nobody typed it.
const PASTED: usize = 80;

/// What was recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    Request(RequestNumber),
    Id(String),
    /// A whole error, a log line: what to look up of it.
    Paste(String),
}

/// Recognises an id or a paste; `None` for what is a name or a word.
pub fn read(typed: &str) -> Option<Reading> {
    let typed = typed.trim();
    if let Ok(number) = typed.parse() {
        return Some(Reading::Request(number));
    }
    // A few digits are as likely the beginning of a longer id, or of a name.
    if is_id(typed) && typed.len() >= 6 {
        return Some(Reading::Id(typed.to_owned()));
    }
    let names_trace = typed.find("fbtrace_id");
    if names_trace.is_none() && !typed.starts_with('{') && typed.chars().count() < PASTED {
        return None;
    }
    let from = names_trace.map_or("", |at| &typed[at + "fbtrace_id".len()..]);
    let from = from.trim_start_matches(['"', '\'', '\\', ':', '=', ' ']);
    let end = from
        .find(|letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '/' | '+' | '=')))
        .unwrap_or(from.len());
    let trace = &from[..end];
    let wanted = if trace.is_empty() { typed.chars().take(LONGEST).collect() } else { trace.to_owned() };
    Some(Reading::Paste(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_errors_are_recognised_and_names_are_not() {
        let id = |text: &str| Some(Reading::Id(text.into()));
        let paste = |text: &str| Some(Reading::Paste(text.into()));
        for (typed, reading) in [
            (" LB-1001 ", Some(Reading::Request(RequestNumber(1001)))),
            ("1745093316208854", id("1745093316208854")),
            ("AXsgnV2Cm3ZMGF3dF_cfYIn", id("AXsgnV2Cm3ZMGF3dF_cfYIn")),
            ("{\"error\":{\"code\":200,\"fbtrace_id\":\"AXsgnV2Cm3ZM\"}}", paste("AXsgnV2Cm3ZM")),
            ("refused (fbtrace_id=AXsgnV2Cm3ZM)", paste("AXsgnV2Cm3ZM")),
            ("{\"error\":1}", paste("{\"error\":1}")),
            ("banyan", None),
            ("casa ipê decorações", None),
            ("1745", None),
            ("", None),
        ] {
            assert_eq!(read(typed), reading, "{typed}");
        }
        let Some(Reading::Paste(cut)) = read(&"é ".repeat(500_000)) else { panic!("a paste of 1 MB is one") };
        assert_eq!(cut.chars().count(), LONGEST);
    }
}
