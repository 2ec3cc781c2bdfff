//! What the client must be told: Meta's two addresses, the Graph version, and who the app is.

use std::{fmt, str::FromStr, time::Duration};

use secrecy::SecretString;
use url::Url;

use super::ids::AppId;

/// Where Meta is, and which app calls it. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Base of every Graph call, `https://graph.facebook.com` with the real Meta. May have a path of its own and a
    /// trailing slash.
    pub graph_url: Url,
    /// Base of the sign-in dialog, `https://www.facebook.com` with the real Meta.
    pub dialog_url: Url,
    /// The Graph version every call names.
    pub version: Version,
    /// The app that calls.
    pub app_id: AppId,
    /// Its secret: signs calls and fetches tokens.
    pub app_secret: SecretString,
    /// A configuration of Facebook Login for Business. With one, the dialog takes permissions from it, not from a scope (6.1).
    pub login_config_id: Option<String>,
    /// The most time for opening a connection.
    pub connect_timeout: Duration,
    /// The most time for one exchange in all, reading the answer included.
    pub timeout: Duration,
}

impl Settings {
    /// Settings with 5 s to connect and 30 s in all.
    pub fn new(
        graph_url: Url,
        dialog_url: Url,
        version: Version,
        app_id: AppId,
        app_secret: SecretString,
        login_config_id: Option<String>,
    ) -> Self {
        Self {
            graph_url,
            dialog_url,
            version,
            app_id,
            app_secret,
            login_config_id,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
        }
    }
}

/// `segments` below `base`, percent-encoded. A path of the base is kept, its query and fragment aren't.
///
/// The base must be one that can have a path; [`super::Graph::new`] refuses any other.
pub(super) fn join<'a>(base: &Url, segments: impl IntoIterator<Item = &'a str>) -> Url {
    let mut url = base.clone();
    url.set_query(None);
    url.set_fragment(None);
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

/// A version of the Graph API that this client was written against (section 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// Until 8 October 2027.
    V23_0,
    /// Until 18 February 2028.
    V24_0,
    /// Until 29 July 2028. The newest the onboarding call's own page names.
    V25_0,
    /// Released 29 July 2026; the onboarding call's page doesn't name it yet.
    V26_0,
}

impl Version {
    /// Every version there is, oldest first.
    pub const ALL: [Self; 4] = [Self::V23_0, Self::V24_0, Self::V25_0, Self::V26_0];

    /// The last day Meta answers to it, in words; `None` while Meta hasn't named one.
    pub fn ends(self) -> Option<&'static str> {
        match self {
            Self::V23_0 => Some("8 October 2027"),
            Self::V24_0 => Some("18 February 2028"),
            Self::V25_0 => Some("29 July 2028"),
            Self::V26_0 => None,
        }
    }

    /// As in a Graph path: `v25.0`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V23_0 => "v23.0",
            Self::V24_0 => "v24.0",
            Self::V25_0 => "v25.0",
            Self::V26_0 => "v26.0",
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Version {
    type Err = UnknownVersion;

    fn from_str(text: &str) -> Result<Self, UnknownVersion> {
        Self::ALL.into_iter().find(|version| version.as_str() == text).ok_or(UnknownVersion)
    }
}

/// The text isn't a Graph version this client can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The Graph version is one of v23.0, v24.0, v25.0 and v26.0.")]
pub struct UnknownVersion;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_read_as_meta_writes_them() {
        for version in Version::ALL {
            assert_eq!(version.to_string().parse(), Ok(version));
        }
        for bad in ["", "25.0", "v25", "V25.0", "v22.0", "v27.0", " v25.0"] {
            assert_eq!(bad.parse::<Version>(), Err(UnknownVersion), "{bad:?}");
        }
    }

    #[test]
    fn a_base_keeps_its_path_with_or_without_a_slash() {
        for (base, whole) in [
            ("https://graph.facebook.com", "https://graph.facebook.com/v25.0/me"),
            ("http://127.0.0.1:9/graph", "http://127.0.0.1:9/graph/v25.0/me"),
            ("http://127.0.0.1:9/a/b/?x=1#y", "http://127.0.0.1:9/a/b/v25.0/me"),
        ] {
            assert_eq!(join(&base.parse().unwrap(), ["v25.0", "me"]).as_str(), whole);
        }
    }

    #[test]
    fn times_are_limited_unless_said_otherwise() {
        let url: Url = "https://graph.facebook.com".parse().unwrap();
        let settings =
            Settings::new(url.clone(), url, Version::V25_0, "1".parse().unwrap(), "not-to-be-seen".into(), None);
        assert_eq!((settings.connect_timeout.as_secs(), settings.timeout.as_secs()), (5, 30));
        assert!(!format!("{settings:?}").contains("not-to-be-seen"));
    }
}
