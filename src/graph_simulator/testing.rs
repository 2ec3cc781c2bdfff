//! For the tests of the rooms: Graph without a socket, and a small HTTP client for what needs one.

use http::Method;
use serde_json::Value;

use super::{
    call::Call,
    graph::Answer,
    options::{NORTHLANE, Options},
    params::Params,
    seed::PEOPLE_IDS,
    shared::Shared,
    situation::Situation,
};

/// Graph in memory, asked by Ana Moreira of Northlane unless a call brings its own token.
pub(super) struct Meta {
    pub shared: Shared,
    pub token: String,
}

/// An answer, read.
#[derive(Debug)]
pub(super) struct Reply {
    pub status: u16,
    pub json: Value,
    pub raw: Answer,
}

impl Reply {
    /// `(code, subcode)` of the error.
    pub(super) fn code(&self) -> (u64, Option<u64>) {
        (self.json["error"]["code"].as_u64().unwrap_or(0), self.json["error"]["error_subcode"].as_u64())
    }

    pub(super) fn message(&self) -> &str {
        self.json["error"]["message"].as_str().unwrap_or_default()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.raw.headers.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn ids(&self) -> Vec<String> {
        self.json["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    }
}

impl Meta {
    pub(super) fn new(options: Options) -> Self {
        let (shared, _letters) = Shared::new(options);
        let token = shared.token_for(PEOPLE_IDS[0]).unwrap();
        Self { shared, token }
    }

    /// With sixty businesses, so that every situation exists.
    pub(super) fn small() -> Self {
        Self::new(Options { businesses: 60, rival_businesses: 5, ..Options::default() })
    }

    pub(super) fn send(&self, method: Method, path_and_query: &str, kind: &str, body: &str) -> Reply {
        self.send_as(Some(&self.token), method, path_and_query, kind, body)
    }

    pub(super) fn send_as(
        &self,
        token: Option<&str>,
        method: Method,
        path_and_query: &str,
        kind: &str,
        body: &str,
    ) -> Reply {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let params = Params::read(query, kind, body.as_bytes()).unwrap();
        let bearer = token.map(|token| format!("Bearer {token}"));
        let call = Call::new(method, path, params, bearer.as_deref(), "http://meta.test".to_owned());
        let raw = self.shared.answer(&call);
        Reply { status: raw.status, json: serde_json::from_str(&raw.body).unwrap_or(Value::Null), raw }
    }

    pub(super) fn get(&self, path_and_query: &str) -> Reply {
        self.send(Method::GET, path_and_query, "", "")
    }

    pub(super) fn get_as(&self, token: &str, path_and_query: &str) -> Reply {
        self.send_as(Some(token), Method::GET, path_and_query, "", "")
    }

    pub(super) fn business(&self, situation: Situation) -> String {
        self.shared.business_where(NORTHLANE, situation).unwrap()
    }

    /// The onboarding call, with a solution or none.
    pub(super) fn onboard(&self, business: &str, solution: Option<&str>) -> Reply {
        self.onboard_as(&self.token, business, solution)
    }

    pub(super) fn onboard_as(&self, token: &str, business: &str, solution: Option<&str>) -> Reply {
        let query = solution.map(|solution| format!("?solution_id={solution}")).unwrap_or_default();
        let path = format!("/v25.0/{business}/onboard_partners_to_mm_lite{query}");
        self.send_as(Some(token), Method::POST, &path, "application/json", "{}")
    }

    /// Every id of a list, page by page, by the `after` cursors.
    pub(super) fn all_ids(&self, path_and_query: &str) -> Vec<String> {
        let (mut ids, mut after) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("{path_and_query}{after}"));
            ids.extend(page.ids());
            if page.json["paging"]["next"].is_null() {
                return ids;
            }
            after = format!("&after={}", page.json["paging"]["cursors"]["after"].as_str().unwrap());
        }
    }
}

/// One exchange over a real connection: status, headers, body; an error if the connection broke.
pub(super) async fn http(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> std::io::Result<(u16, http::HeaderMap, String)> {
    let reply = super::outbound::exchange(method, &url::Url::parse(url).unwrap(), headers, body.as_bytes()).await?;
    Ok((reply.status, reply.headers, String::from_utf8(reply.body).unwrap()))
}
