//! One call as the Graph rooms see it: method, version, path, parameters and token, wherever in the request they were.

use http::Method;

use super::{error::GraphError, params::Params};

/// Versions that answer (facts 8). Unversioned calls take the oldest.
pub const VERSIONS: [&str; 4] = ["v23.0", "v24.0", "v25.0", "v26.0"];

#[derive(Clone, Debug)]
pub(super) struct Call {
    pub method: Method,
    /// As written in the path.
    pub version: Option<String>,
    /// The path's parts after the version; empty parts are dropped, since SDKs write `//`.
    pub path: Vec<String>,
    pub params: Params,
    pub token: Option<String>,
    /// `scheme://host`, for the URLs in answers.
    pub base: String,
}

impl Call {
    pub(super) fn new(
        method: Method,
        path: &str,
        mut params: Params,
        authorization: Option<&str>,
        base: String,
    ) -> Self {
        let mut parts: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(decode).collect();
        let version = parts.first().filter(|part| is_version(part)).cloned();
        if version.is_some() {
            parts.remove(0);
        }
        let method =
            match params.get("method").filter(|_| method == Method::POST).map(str::to_ascii_uppercase).as_deref() {
                Some("GET") => Method::GET,
                Some("DELETE") => Method::DELETE,
                _ => method,
            };
        params.remove("method");
        let in_params = params.remove("access_token").filter(|token| !token.is_empty());
        let bearer = authorization.and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("oauth");
            (known && !token.trim().is_empty()).then(|| token.trim().to_owned())
        });
        Self { method, version, path: parts, params, token: bearer.or(in_params), base }
    }

    pub(super) fn parts(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    pub(super) fn is_get(&self) -> bool {
        self.method == Method::GET || self.method == Method::HEAD
    }

    pub(super) fn is_post(&self) -> bool {
        self.method == Method::POST
    }

    pub(super) fn is_delete(&self) -> bool {
        self.method == Method::DELETE
    }

    /// As in the texts of 100/33.
    pub(super) fn verb(&self) -> String {
        self.method.as_str().to_ascii_lowercase()
    }

    /// The version that answers: the one asked for, else the oldest.
    pub(super) fn answering_version(&self) -> &str {
        self.version.as_deref().unwrap_or(VERSIONS[0])
    }

    pub(super) fn check_version(&self) -> Result<(), GraphError> {
        match self.version.as_deref() {
            Some(version) if !VERSIONS.contains(&version) => {
                let major = version[1..].split('.').next().and_then(|major| major.parse::<u32>().ok());
                Err(if major.is_some_and(|major| major < 23) {
                    GraphError::new(
                        2635,
                        format!(
                            "(#2635) You are calling a deprecated version of the API ({version}). Please update to the latest version: v26.0."
                        ),
                    )
                } else {
                    GraphError::unknown_path(version)
                })
            }
            _ => Ok(()),
        }
    }
}

fn is_version(part: &str) -> bool {
    part.strip_prefix('v').and_then(|rest| rest.split_once('.')).is_some_and(|(major, minor)| {
        [major, minor].iter().all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    })
}

fn decode(part: &str) -> String {
    percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(method: Method, path: &str, query: &str, authorization: Option<&str>) -> Call {
        Call::new(method, path, Params::read(query, "", b"").unwrap(), authorization, String::new())
    }

    #[test]
    fn the_token_is_taken_from_header_or_parameter() {
        assert_eq!(call(Method::GET, "/v25.0/me", "", Some("Bearer abc")).token.as_deref(), Some("abc"));
        assert_eq!(call(Method::GET, "/v25.0/me", "access_token=q", None).token.as_deref(), Some("q"));
        assert_eq!(call(Method::GET, "/v25.0/me", "access_token=", None).token, None);
        assert_eq!(call(Method::GET, "/v25.0/me", "access_token=q", None).params.get("access_token"), None);
    }

    #[test]
    fn doubled_slashes_and_missing_versions_are_taken() {
        assert!(call(Method::GET, "/v25.0//", "ids=1,2", None).path.is_empty());
        assert_eq!(call(Method::GET, "/me/businesses", "", None).version, None);
        assert_eq!(call(Method::GET, "/v25.0/me/", "", None).path, ["me"]);
    }

    #[test]
    fn only_four_versions_answer() {
        for version in VERSIONS {
            assert!(call(Method::GET, &format!("/{version}/me"), "", None).check_version().is_ok());
        }
        assert_eq!(call(Method::GET, "/v22.0/me", "", None).check_version().unwrap_err().code, 2635);
        assert_eq!(call(Method::GET, "/v99.0/me", "", None).check_version().unwrap_err().code, 2500);
    }

    #[test]
    fn a_post_can_say_that_it_is_a_get() {
        assert_eq!(call(Method::POST, "/v25.0/me", "method=get", None).method, Method::GET);
        assert_eq!(call(Method::GET, "/v25.0/me", "method=post", None).method, Method::GET);
    }
}
