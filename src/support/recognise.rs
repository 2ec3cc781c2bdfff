//! What a text is by its looks, for whoever offers to look it up while it is typed: the palette. Pure, and by the same reader as the
//! look-up itself, so that what is offered is what is found.

use super::{
    lookup::{Shape, is_likely_trace, query_of, read},
    page::request_path,
    paste::address,
};

/// Fewer digits are as likely the beginning of a longer id, or of a name.
const FEWEST_DIGITS: usize = 6;

/// From this length on nobody typed it.
const PASTED: usize = 80;

/// What was recognised, and where it is answered. No secret is in the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recognised {
    /// One of our requests, as its number is written.
    Request { number: String, href: String },
    /// An id of Meta's.
    Id { id: String, href: String },
    /// An error, a log, several ids.
    Paste { href: String },
}

/// Recognises an id or a paste; `None` for what is a name or a word. Beside that says what may be a name as well.
pub fn recognise(text: &str) -> (Option<Recognised>, Option<String>) {
    let typed = read(text);
    let ids = typed.ids.in_words();
    let to_one = |id: &str| address(id, None);
    let recognised = match (typed.shape, ids.as_slice()) {
        (Shape::Nothing | Shape::Name, _) => None,
        (Shape::Id, _) => {
            let ids = &typed.ids;
            match (ids.digits.first(), ids.numbers.first(), ids.traces.first()) {
                (Some(digits), ..) => (digits.len() >= FEWEST_DIGITS).then_some(digits),
                (None, Some(number), _) => {
                    let (number, href) = (number.to_string(), request_path(*number));
                    return (Some(Recognised::Request { number, href }), typed.name);
                }
                (None, None, trace) => trace.filter(|trace| is_likely_trace(trace)),
            }
            .map(|id| Recognised::Id { id: id.clone(), href: to_one(id) })
        }
        (Shape::Text, []) if text.chars().take(PASTED).count() < PASTED => None,
        (_, [id]) => Some(Recognised::Paste { href: to_one(id) }),
        _ => {
            let (query, pasted) = query_of(text);
            Some(Recognised::Paste { href: address(&query, pasted) })
        }
    };
    (recognised, typed.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_errors_are_recognised_and_names_are_not() {
        let id = |id: &str| Some(Recognised::Id { id: id.into(), href: format!("/support?q={id}") });
        let paste = |query: &str| Some(Recognised::Paste { href: format!("/support?q={query}") });
        let request = Recognised::Request { number: "LB-1001".into(), href: "/requests/LB-1001".into() };
        for (typed, recognised) in [
            (" LB-1001 ", Some(request)),
            ("1745093316208854", id("1745093316208854")),
            ("1745 0933 1620 8854", id("1745093316208854")),
            ("AXsgnV2Cm3ZMGF3dF_cfYIn", id("AXsgnV2Cm3ZMGF3dF_cfYIn")),
            ("{\"error\":{\"code\":200,\"fbtrace_id\":\"AXsgnV2Cm3ZM\"}}", paste("AXsgnV2Cm3ZM")),
            ("refused (fbtrace_id=AXsgnV2Cm3ZM)", paste("AXsgnV2Cm3ZM")),
            ("x-fb-request-id: 6f1c1b5e-2a4d", paste("6f1c1b5e-2a4d")),
            ("{\"error\":1}", paste("%7B%22error%22%3A1%7D")),
            ("LB-7 LB-8", paste("LB-7+LB-8")),
            ("banyan", None),
            ("Studio54", None),
            ("7-Eleven 24h", None),
            ("casa ipê decorações", None),
            ("1745", None),
            ("", None),
        ] {
            assert_eq!(recognise(typed).0, recognised, "{typed}");
        }
        let (Some(Recognised::Paste { href }), None) = recognise(&"é ".repeat(500_000)) else {
            panic!("a paste of 1 MB is one, and no name")
        };
        assert!(href.len() < 1_000, "{href}");
    }

    #[test]
    fn what_has_digits_in_it_may_be_a_name_as_well() {
        for name in ["Studio54", "7-Eleven 24h", "Studio 54", "54", "Supermercado24h", "360 720", "Loja 5511987654321"]
        {
            assert_eq!(recognise(name).1.as_deref(), Some(name));
        }
        for text in ["{\"error\":1}", "refused (fbtrace_id=AXsgnV2Cm3ZM)", &"9 ".repeat(500)] {
            assert_eq!(recognise(text).1, None, "{text}");
        }
    }

    #[test]
    fn no_token_gets_into_an_address() {
        let token = "EAAGm0PX4ZCpsBAKZCxyz1234567890";
        let command = format!(
            "curl -H 'Authorization: Bearer abc.{}' https://x/1745093316208854/17450933162088541",
            "9".repeat(20)
        );
        for text in [format!("{{\"access_token\":\"{token}\"}}"), command, format!("1745093316208854 {token} LB-7")] {
            let (Some(Recognised::Paste { href }), _) = recognise(&text) else { panic!("{text}") };
            assert!(!href.contains("EAAG") && !href.contains(&"9".repeat(20)), "{href}");
        }
    }
}
