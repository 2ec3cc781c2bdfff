//! Where to go after signing in: a path of ours, or else the businesses. A link must not lead through our sign-in to a
//! stranger's site.

use std::fmt;

use http::{HeaderValue, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Where one goes who didn't ask for a page.
const HOME: &str = "/businesses";

/// Longer ones are forgotten: they have to fit into addresses and into the session.
const LONGEST: usize = 4_096;

/// What a query value may hold as it is: what browsers leave alone as well.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A path of ours, with its query: one leading slash, then printable ASCII without backslash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnTo(String);

impl ReturnTo {
    /// `text` if it is such a path and not one of sign-in's own; else the businesses.
    pub fn from_untrusted(text: Option<&str>) -> Self {
        Self(text.filter(|text| is_local(text) && !is_ours(text)).unwrap_or(HOME).to_owned())
    }

    /// The page that was asked for.
    pub fn from_uri(uri: &Uri) -> Self {
        Self::from_untrusted(uri.path_and_query().map(http::uri::PathAndQuery::as_str))
    }

    /// The path and query.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `path` with this as its `return_to`, left out where it is only the businesses.
    pub fn carried_by(&self, path: &str) -> String {
        if self.0 == HOME {
            return path.to_owned();
        }
        let joint = if path.contains('?') { '&' } else { '?' };
        format!("{path}{joint}return_to={}", escape(&self.0))
    }

    /// For a `Location`.
    pub fn header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).unwrap_or(HeaderValue::from_static(HOME))
    }
}

impl Default for ReturnTo {
    fn default() -> Self {
        Self(HOME.to_owned())
    }
}

impl fmt::Display for ReturnTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Makes `text` safe as the value of a query parameter.
pub(super) fn escape(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// Whether every browser reads `text` as a path of this site. Browsers take a backslash for a slash and drop tabs and
/// line breaks, so none of these may be in it.
pub(super) fn is_local(text: &str) -> bool {
    text.len() <= LONGEST
        && text.starts_with('/')
        && !text.starts_with("//")
        && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

/// Coming back to these would sign out again, or lead in a circle.
fn is_ours(path: &str) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    path == "/sign-out" || path == "/sign-in" || path.starts_with("/sign-in/")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;

    #[test]
    fn a_local_path_is_kept() {
        for path in [
            "/",
            "/businesses",
            "/businesses?q=a%20b&status=ready",
            "/requests/1001#attempts",
            "/a//b",
            "/sign-information",
        ] {
            assert_eq!(ReturnTo::from_untrusted(Some(path)).as_str(), path);
        }
    }

    #[test]
    fn anything_else_leads_to_the_businesses() {
        let long = format!("/{}", "a".repeat(LONGEST));
        for other in [
            "",
            "businesses",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/a\\b",
            "https://evil.example/",
            "javascript:alert(1)",
            " /businesses",
            "/busi nesses",
            "/\t/evil.example",
            "/\n/evil.example",
            "/\r\nSet-Cookie: a=b",
            "/\0",
            "/é",
            "/\u{7f}",
            "/sign-in",
            "/sign-in?problem=state",
            "/sign-in/start",
            "/sign-out",
            &long,
        ] {
            assert_eq!(ReturnTo::from_untrusted(Some(other)).as_str(), HOME, "{other:?}");
        }
        assert_eq!(ReturnTo::from_untrusted(None).as_str(), HOME);
    }

    #[test]
    fn a_query_survives_being_carried() {
        let there = ReturnTo::from_untrusted(Some("/businesses?q=a%20b&after=x+y#top"));
        let carried = there.carried_by("/sign-in?problem=state");
        let url = Url::parse("https://liteboard.example").unwrap().join(&carried).unwrap();
        let (_, value) = url.query_pairs().find(|(name, _)| name == "return_to").unwrap();
        assert_eq!(value, there.as_str());
        assert_eq!(ReturnTo::default().carried_by("/sign-in"), "/sign-in");
    }

    proptest! {
        #[test]
        fn no_text_leads_off_the_site(text in "\\PC{0,40}|[/\\\\.:@?#a-z\t\n]{0,12}") {
            let site = Url::parse("https://liteboard.example/sign-in/callback").unwrap();
            let there = ReturnTo::from_untrusted(Some(&text));
            prop_assert_eq!(site.join(there.as_str()).unwrap().origin(), site.origin());
        }
    }
}
