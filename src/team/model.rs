//! Members as the settings show them, and the audit log's rows with the ways to filter them.

use std::fmt::Write as _;

use time::OffsetDateTime;
use url::Url;

use crate::sign_in::{Act, Role, Whence};

/// What is decided by whoever runs Liteboard, for the pages to show.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// The address browsers use.
    pub public_url: Url,
    /// Whether Meta can subscribe its webhooks: it asks for this token.
    pub verify_token_is_set: bool,
}

impl Deployment {
    /// A path of ours as the world writes it.
    pub fn address(&self, path: &str) -> String {
        self.public_url.join(path).map_or_else(|_| path.to_owned(), String::from)
    }
}

/// A member of the partner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub id: i64,
    pub name: String,
    pub role: Role,
    pub joined_at: OffsetDateTime,
    /// `None`: they were named, and haven't come yet.
    pub seen_at: Option<OffsetDateTime>,
    /// Since when they are off the team.
    pub removed_at: Option<OffsetDateTime>,
    /// Nobody else who has come is an admin: they stay one.
    pub is_last_admin: bool,
}

/// What became of a change to a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Done; as they were before.
    Done(Member),
    /// It was so already.
    Same,
    /// Nobody would be left to manage the team.
    LastAdmin,
    /// No member of this partner, or not one this can be done to.
    Unknown,
}

/// A row of the audit log.
#[derive(Clone, Debug)]
pub struct Row {
    pub id: i64,
    pub at: OffsetDateTime,
    /// As it's stored: a newer version of this program may know acts that this one doesn't.
    pub act: String,
    pub who: String,
    pub detail: String,
    pub whence: Whence,
}

impl Row {
    /// What was done, in words.
    pub fn word(&self) -> String {
        Act::from_key(&self.act).map_or_else(|| self.act.replace('_', " "), |act| act.word().to_owned())
    }
}

/// Which rows of the audit log are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub member: Option<i64>,
    pub act: Option<Act>,
}

/// Which part of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    Newest,
    /// Those next older than this row.
    OlderThan(i64),
    /// Those next newer than this row.
    NewerThan(i64),
}

impl Filter {
    /// From an address; what can't be read filters nothing.
    pub fn read(query: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            member: query("member").and_then(|id| id.parse().ok()),
            act: query("act").and_then(|key| Act::from_key(&key)),
        }
    }

    /// The address of `path` with this filter, and with one more parameter.
    pub fn href(&self, path: &str, more: Option<(&str, i64)>) -> String {
        let mut href = path.to_owned();
        let pairs = [
            self.member.map(|id| ("member", id.to_string())),
            self.act.map(|act| ("act", act.key().to_owned())),
            more.map(|(name, id)| (name, id.to_string())),
        ];
        for (at, (name, value)) in pairs.into_iter().flatten().enumerate() {
            // Writing to a String can't fail.
            let _ = write!(href, "{}{name}={value}", if at == 0 { '?' } else { '&' });
        }
        href
    }
}

impl Window {
    /// From an address; what can't be read is the newest.
    pub fn read(query: impl Fn(&str) -> Option<String>) -> Self {
        let number = |name| query(name).and_then(|id| id.parse().ok());
        match (number("before"), number("after")) {
            (Some(id), _) => Self::OlderThan(id),
            (None, Some(id)) => Self::NewerThan(id),
            (None, None) => Self::Newest,
        }
    }
}

/// A page of rows, and where the ways on lead.
#[derive(Debug)]
pub struct Leaf {
    pub rows: Vec<Row>,
    pub newer: Option<i64>,
    pub older: Option<i64>,
}

impl Leaf {
    /// Cuts the extra row off that tells whether there is more. `rows` are newest first, up to one more than `most`.
    pub fn cut(window: Window, mut rows: Vec<Row>, most: usize) -> Self {
        let more = rows.len() > most;
        if let Window::NewerThan(_) = window {
            rows.drain(..rows.len().saturating_sub(most));
        } else {
            rows.truncate(most);
        }
        let (newest, oldest) = (rows.first().map(|row| row.id), rows.last().map(|row| row.id));
        let (newer, older) = match window {
            Window::Newest => (None, oldest.filter(|_| more)),
            Window::OlderThan(_) => (newest, oldest.filter(|_| more)),
            Window::NewerThan(_) => (newest.filter(|_| more), oldest),
        };
        Self { rows, newer, older }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(ids: &[i64]) -> Vec<Row> {
        let row = |id: &i64| Row {
            id: *id,
            at: OffsetDateTime::UNIX_EPOCH,
            act: "signed_in".into(),
            who: String::new(),
            detail: String::new(),
            whence: Whence::default(),
        };
        ids.iter().map(row).collect()
    }

    #[test]
    fn the_ways_on_lead_only_where_there_is_more() {
        for (window, ids, left, newer, older) in [
            (Window::Newest, &[9, 8][..], &[9, 8][..], None, None),
            (Window::Newest, &[9, 8, 7], &[9, 8], None, Some(8)),
            (Window::OlderThan(8), &[7, 6, 5], &[7, 6], Some(7), Some(6)),
            (Window::OlderThan(8), &[7], &[7], Some(7), None),
            (Window::NewerThan(5), &[8, 7, 6], &[7, 6], Some(7), Some(6)),
            (Window::NewerThan(5), &[7, 6], &[7, 6], None, Some(6)),
            (Window::NewerThan(9), &[], &[], None, None),
        ] {
            let leaf = Leaf::cut(window, rows(ids), 2);
            let shown: Vec<_> = leaf.rows.iter().map(|row| row.id).collect();
            assert_eq!((shown.as_slice(), leaf.newer, leaf.older), (left, newer, older), "{window:?}");
        }
    }

    #[test]
    fn a_filter_is_in_the_address_and_nonsense_filters_nothing() {
        let query = |pairs: &'static [(&str, &str)]| {
            move |name: &str| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let filter = Filter::read(query(&[("member", "7"), ("act", "signed_in")]));
        assert_eq!(filter, Filter { member: Some(7), act: Some(Act::SignedIn) });
        assert_eq!(filter.href("/a", Some(("before", 9))), "/a?member=7&act=signed_in&before=9");
        assert_eq!(Filter::default().href("/a", Some(("after", 1))), "/a?after=1");
        assert_eq!(Filter::read(query(&[("member", "x"), ("act", "'")])), Filter::default());
        assert_eq!(Window::read(query(&[("before", "x"), ("after", "3")])), Window::NewerThan(3));
    }

    #[test]
    fn an_act_of_a_newer_version_is_shown_as_it_is_spelled() {
        let row = Row { act: "webhook_replayed".into(), ..rows(&[1]).remove(0) };
        assert_eq!(row.word(), "webhook replayed");
        assert_eq!(rows(&[1])[0].word(), "Signed in");
    }
}
