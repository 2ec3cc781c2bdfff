//! The URL of the list of businesses: what is searched, which filter is on, which page. Read without trust, written short.
//!
//! Every view of the list is a URL, and every URL is some view of the list: what can't be read is left out, and said.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::form_urlencoded;

use super::{managers::Manager, model::Standing, search::Search};
use crate::graph::BusinessId;

/// The path of the list.
pub const PATH: &str = "/businesses";
/// The most characters that are searched for.
const LONGEST_SEARCH: usize = 400;
/// What stands for the words of a note where any will do.
pub const ANY_NOTE: &str = "*";
/// What needs no escape in a query.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The chips: one choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Filter {
    /// Every business the partner serves.
    #[default]
    All,
    /// Can be onboarded now.
    Eligible,
    /// No request by us, eligible or not.
    NotRequested,
    /// The client's admin has been asked.
    Waiting,
    /// The client's admin has been asked for longer than the workspace waits.
    Stalled,
    /// Signed, no WABA ready.
    Accepted,
    /// At least one WABA onboarded.
    Ready,
    /// Failed, stalled, or in need of a payment method.
    NeedsAttention,
}

impl Filter {
    /// In the order of the chips.
    pub const ALL: [Self; 8] = [
        Self::All,
        Self::Eligible,
        Self::NotRequested,
        Self::Waiting,
        Self::Stalled,
        Self::Accepted,
        Self::Ready,
        Self::NeedsAttention,
    ];

    /// Its key in the URL; empty for all.
    pub const fn key(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Eligible => "eligible",
            Self::NotRequested => "not_requested",
            Self::Waiting => "waiting",
            Self::Stalled => "stalled",
            Self::Accepted => "accepted",
            Self::Ready => "ready",
            Self::NeedsAttention => "needs_attention",
        }
    }

    /// Its word on the chip.
    pub const fn word(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::Eligible => "Eligible",
            Self::NotRequested => "Not requested",
            Self::Waiting => "Waiting",
            Self::Stalled => "Stalled",
            Self::Accepted => "Accepted",
            Self::Ready => "Ready",
            Self::NeedsAttention => "Needs attention",
        }
    }

    /// The standings it shows, where it is a matter of standing alone.
    pub const fn standings(self) -> Option<&'static [Standing]> {
        match self {
            Self::Eligible => Some(&[Standing::Eligible]),
            Self::Waiting => Some(&[Standing::Requested, Standing::AlreadyRequested]),
            Self::Accepted => Some(&[Standing::Accepted]),
            Self::Ready => Some(&[Standing::Ready]),
            Self::All | Self::NotRequested | Self::Stalled | Self::NeedsAttention => None,
        }
    }
}

/// Which page: a business at its edge. A page is known by a row and not by a number, so that it stays put while rows come and go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// The first page.
    #[default]
    Start,
    /// What follows this business.
    After(BusinessId),
    /// What comes before it.
    Before(BusinessId),
}

/// A view of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// What was typed, as typed; empty for no search.
    pub typed: String,
    /// The chip that is on.
    pub filter: Filter,
    /// Whose businesses; `None`: everybody's.
    pub manager: Option<Manager>,
    /// Words of a note; [`ANY_NOTE`] for any note, empty whatever is noted or isn't.
    pub note: String,
    /// The page.
    pub place: Place,
}

/// What was left out of a URL, each as a whole sentence.
pub type Complaints = Vec<String>;

impl Query {
    /// Reads the fields of the URL, decoded already.
    pub fn read(parameter: impl Fn(&str) -> Option<String>) -> (Self, Complaints) {
        let mut complaints = Vec::new();
        let mut words = |name: &str, what: &str| {
            let mut words = parameter(name).unwrap_or_default().replace('\0', "\u{FFFD}");
            if let Some((end, _)) = words.char_indices().nth(LONGEST_SEARCH) {
                words.truncate(end);
                complaints
                    .push(format!("The {what} was too long. Only its first {LONGEST_SEARCH} characters were used."));
            }
            words
        };
        let typed = words("q", "search");
        let note = words("note", "filter by notes").trim().to_owned();
        let status = parameter("status").unwrap_or_default();
        let filter = Filter::ALL.into_iter().find(|filter| filter.key() == status).unwrap_or_else(|| {
            complaints.push("That filter does not exist. All businesses are shown.".to_owned());
            Filter::All
        });
        let manager = parameter("manager").filter(|key| !key.is_empty());
        let read = manager.as_deref().map(Manager::from_key);
        if read == Some(None) {
            complaints.push("That manager does not exist. The businesses of all are shown.".to_owned());
        }
        let place = read_place(parameter("after"), parameter("before")).unwrap_or_else(|| {
            complaints.push("That page of the list does not exist. The first one is shown.".to_owned());
            Place::Start
        });
        (Self { typed, filter, manager: read.flatten(), note, place }, complaints)
    }

    /// Reads the URL of a view of the list; anything else is the whole list.
    pub fn from_href(href: &str) -> Self {
        let query = href.strip_prefix(PATH).and_then(|rest| rest.strip_prefix('?')).unwrap_or_default();
        let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Self::read(|name| pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())).0
    }

    /// What was typed, as a search.
    pub fn search(&self) -> Option<Search> {
        Search::read(&self.typed)
    }

    /// The same search with another filter, from its first page.
    pub fn with_filter(&self, filter: Filter) -> Self {
        Self { filter, place: Place::Start, ..self.clone() }
    }

    /// The same list at another page.
    pub fn at(&self, place: Place) -> Self {
        Self { place, ..self.clone() }
    }

    /// Another search with the same filter, from its first page.
    pub fn searching(&self, typed: &str) -> Self {
        Self { typed: typed.to_owned(), place: Place::Start, ..self.clone() }
    }

    /// The same list of another manager's businesses, or of everybody's, from its first page.
    pub fn managed_by(&self, manager: Option<Manager>) -> Self {
        Self { manager, place: Place::Start, ..self.clone() }
    }

    /// The same list of businesses with such a note, or whatever is noted, from its first page.
    pub fn noted(&self, note: &str) -> Self {
        Self { note: note.to_owned(), place: Place::Start, ..self.clone() }
    }

    /// Whether more is asked for than a search and a chip.
    pub const fn is_narrowed(&self) -> bool {
        self.manager.is_some() || !self.note.is_empty()
    }

    /// The URL of this view: path and query.
    pub fn href(&self) -> String {
        let mut href = PATH.to_owned();
        let mut put = |name: &str, value: &str| {
            if !value.is_empty() {
                let joint = if href.len() == PATH.len() { '?' } else { '&' };
                // Writing to a String can't fail.
                let _ = write!(href, "{joint}{name}={}", utf8_percent_encode(value, ESCAPED));
            }
        };
        put("q", &self.typed);
        put("status", self.filter.key());
        put("manager", &self.manager.map(|manager| manager.to_string()).unwrap_or_default());
        put("note", &self.note);
        match &self.place {
            Place::Start => {}
            Place::After(id) => put("after", id.as_str()),
            Place::Before(id) => put("before", id.as_str()),
        }
        href
    }
}

/// `None` when what is there isn't a page.
fn read_place(after: Option<String>, before: Option<String>) -> Option<Place> {
    let given = |value: Option<String>| value.filter(|value| !value.is_empty());
    match (given(after), given(before)) {
        (None, None) => Some(Place::Start),
        (Some(id), None) => id.parse().ok().map(Place::After),
        (None, Some(id)) => id.parse().ok().map(Place::Before),
        (Some(_), Some(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> (Query, Complaints) {
        Query::read(|name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    fn id(digits: &str) -> BusinessId {
        digits.parse().unwrap()
    }

    #[test]
    fn a_view_is_read_back_from_its_url() {
        let waiting =
            |typed: &str, place| Query { typed: typed.to_owned(), filter: Filter::Waiting, place, ..Query::default() };
        let theirs = |manager| Query { manager: Some(manager), filter: Filter::Ready, ..Query::default() };
        for (query, href) in [
            (Query::default(), "/businesses"),
            (waiting("", Place::Start), "/businesses?status=waiting"),
            (waiting("a & b?", Place::After(id("17"))), "/businesses?q=a%20%26%20b%3F&status=waiting&after=17"),
            (waiting("ação", Place::Before(id("17"))), "/businesses?q=a%C3%A7%C3%A3o&status=waiting&before=17"),
            (theirs(Manager::Member(12)), "/businesses?status=ready&manager=12"),
            (theirs(Manager::Nobody), "/businesses?status=ready&manager=none"),
            (theirs(Manager::Nobody).noted("call back"), "/businesses?status=ready&manager=none&note=call%20back"),
            (Query::default().noted(ANY_NOTE), "/businesses?note=%2A"),
        ] {
            assert_eq!(query.href(), href);
            let url = url::Url::parse(&format!("http://localhost{href}")).unwrap();
            let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
            let (back, complaints) =
                Query::read(|name| pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()));
            assert_eq!((&back, complaints), (&query, Vec::new()));
            assert_eq!(Query::from_href(href), query);
        }
    }

    #[test]
    fn what_cant_be_read_is_left_out_and_said() {
        let long = "x".repeat(10_000);
        for (pairs, said) in [
            (vec![("q", long.as_str())], "The search was too long"),
            (vec![("note", long.as_str())], "The filter by notes was too long"),
            (vec![("status", "nonsense")], "That filter does not exist"),
            (vec![("status", "\0")], "That filter does not exist"),
            (vec![("manager", "ines")], "That manager does not exist"),
            (vec![("manager", "0")], "That manager does not exist"),
            (vec![("after", "abc")], "That page"),
            (vec![("after", "-1")], "That page"),
            (vec![("before", "123456789012345678901")], "That page"),
            (vec![("after", "1"), ("before", "2")], "That page"),
        ] {
            let (query, complaints) = read(&pairs);
            assert_eq!(complaints.len(), 1, "{complaints:?}");
            assert!(complaints[0].starts_with(said), "{complaints:?}");
            assert_eq!((query.filter, query.manager, query.place), (Filter::All, None, Place::Start));
            assert!(query.typed.chars().count() <= LONGEST_SEARCH);
        }
    }

    #[test]
    fn what_is_no_view_of_the_list_is_the_whole_of_it() {
        for href in
            ["", "//evil.example/?q=a", "/requests?q=a", "/businessesx?q=a", "q=a", "/businesses?status=nonsense"]
        {
            assert_eq!(Query::from_href(href), Query::default(), "{href}");
        }
    }

    #[test]
    fn a_nul_never_reaches_the_database() {
        let (query, complaints) = read(&[("q", "a\0b")]);
        assert_eq!((query.typed.as_str(), complaints.len()), ("a\u{FFFD}b", 0));
    }

    #[test]
    fn another_filter_or_search_begins_at_the_first_page() {
        let query =
            Query { typed: "a".into(), filter: Filter::Ready, place: Place::After(id("5")), ..Query::default() };
        assert_eq!(query.with_filter(Filter::All).href(), "/businesses?q=a");
        assert_eq!(query.searching("b").href(), "/businesses?q=b&status=ready");
        let theirs = query.managed_by(Some(Manager::Member(7)));
        assert_eq!(theirs.href(), "/businesses?q=a&status=ready&manager=7");
        assert_eq!(theirs.searching("b").with_filter(Filter::All).href(), "/businesses?q=b&manager=7");
    }
}
