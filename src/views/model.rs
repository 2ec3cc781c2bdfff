//! What a saved view is.

use std::str::FromStr;

use crate::graph;

/// The longest name, in characters.
pub const LONGEST_NAME: usize = 60;

/// The longest query, in bytes: what is longer is no search that anybody typed.
pub const LONGEST_QUERY: usize = 6_000;

/// The most views of one member on one page.
pub const MOST_VIEWS: i64 = 50;

/// A page that has views.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Requests,
    Businesses,
}

impl Place {
    /// Its path.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Requests => "/requests",
            Self::Businesses => "/businesses",
        }
    }

    /// Its name in the navigation.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Requests => "Requests",
            Self::Businesses => "Businesses",
        }
    }

    /// Whether a parameter says which page of the list is shown, or what a door said: no part of a view.
    pub fn is_passing(parameter: &str) -> bool {
        matches!(parameter, "before" | "after" | "problem" | "notice")
    }
}

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(path: &str) -> Result<Self, NoPlace> {
        [Self::Requests, Self::Businesses].into_iter().find(|place| place.path() == path).ok_or(NoPlace)
    }
}

/// No page of that path has views.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no page of this path has saved views")]
pub struct NoPlace;

/// A view somebody saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedView {
    pub id: i64,
    pub place: Place,
    pub name: String,
    pub query: String,
    pub shared: bool,
    pub member_id: i64,
    pub member_name: String,
    /// Who saved it is no member any more.
    pub member_left: bool,
}

impl SavedView {
    /// The address it opens.
    pub fn href(&self) -> String {
        if self.query.is_empty() {
            self.place.path().to_owned()
        } else {
            format!("{}?{}", self.place.path(), self.query)
        }
    }
}

/// The query of an address without what passes, and without secrets: what a view of it keeps.
pub fn lasting(path_and_query: &str) -> String {
    let query = path_and_query.split_once('?').map_or("", |(_, query)| query);
    let kept = url::form_urlencoded::parse(query.as_bytes())
        .filter(|(name, value)| !Place::is_passing(name) && !value.is_empty());
    let mut written = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in kept {
        written.append_pair(&name, &graph::redacted(&value));
    }
    written.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_keeps_the_search_and_not_the_page_of_it() {
        for (address, query) in [
            ("/requests?q=is%3Afailed&before=LB-7", "q=is%3Afailed"),
            ("/businesses?q=a+b&status=waiting&after=17&problem=invalid", "q=a+b&status=waiting"),
            ("/requests?q=", ""),
            ("/requests", ""),
            ("/requests?q=a%26b%3D%22%3Cscript%3E", "q=a%26b%3D%22%3Cscript%3E"),
            ("/requests?q=Bearer+abcdefg8", "q=Bearer+%5Bredacted%5D"),
        ] {
            assert_eq!(lasting(address), query, "{address}");
        }
    }

    #[test]
    fn only_lists_have_views() {
        assert_eq!("/requests".parse(), Ok(Place::Requests));
        for path in ["", "/", "//evil.example", "/settings", "/requests?q=a"] {
            assert_eq!(path.parse::<Place>(), Err(NoPlace), "{path}");
        }
    }
}
