//! A call before it is sent: where it goes, with what, and which of it must never be seen.

use secrecy::{ExposeSecret, SecretString};
use url::{Url, form_urlencoded};

use super::{
    access_token::AccessToken,
    call::Operation,
    ids::{BusinessId, SolutionId},
    redaction::{REDACTED, Redactor},
    settings::{self, Settings},
};

/// A value of the query.
enum Parameter {
    Plain(String),
    Secret(SecretString),
}

/// One call, before it is sent.
pub(super) struct Request {
    pub(super) operation: Operation,
    pub(super) path: Vec<String>,
    query: Vec<(&'static str, Parameter)>,
    pub(super) bearer: Option<AccessToken>,
    pub(super) subject: Option<String>,
    pub(super) business_id: Option<BusinessId>,
    pub(super) solution_id: Option<SolutionId>,
}

impl Request {
    /// A call to `path`, which is what follows the version. It is a POST with an empty JSON object if the operation writes.
    pub(super) fn new<'a>(operation: Operation, path: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            operation,
            path: path.into_iter().map(str::to_owned).collect(),
            query: Vec::new(),
            bearer: None,
            subject: None,
            business_id: None,
            solution_id: None,
        }
    }

    /// A call to an edge of a business, or to the business itself.
    pub(super) fn of_business(operation: Operation, business: &BusinessId, edge: Option<&str>) -> Self {
        let mut request = Self::of_node(operation, business.as_str(), edge);
        request.business_id = Some(business.clone());
        request
    }

    /// A call to an edge of any node, or to the node itself.
    pub(super) fn of_node(operation: Operation, node: &str, edge: Option<&str>) -> Self {
        let mut request = Self::new(operation, std::iter::once(node).chain(edge));
        request.subject = Some(node.to_owned());
        request
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, Parameter::Plain(value.into())));
        self
    }

    pub(super) fn with_secret(mut self, name: &'static str, value: SecretString) -> Self {
        self.query.push((name, Parameter::Secret(value)));
        self
    }

    pub(super) fn with_solution(mut self, solution: Option<&SolutionId>) -> Self {
        self.solution_id = solution.cloned();
        match solution {
            Some(solution) => self.with("solution_id", solution.as_str()),
            None => self,
        }
    }

    /// Signs the call with a token and its proof.
    pub(super) fn signed(mut self, token: &AccessToken, proof: SecretString) -> Self {
        self.bearer = Some(token.clone());
        self.with_secret("appsecret_proof", proof)
    }

    pub(super) fn url(&self, settings: &Settings) -> Url {
        let path = std::iter::once(settings.version.as_str()).chain(self.path.iter().map(String::as_str));
        let mut url = settings::join(&settings.graph_url, path);
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(self.query.iter().map(|(name, value)| match value {
                Parameter::Plain(value) => (name, value.as_str()),
                Parameter::Secret(value) => (name, value.expose_secret()),
            }));
        }
        url
    }

    /// The query, with a marker for each secret.
    pub(super) fn shown_query(&self) -> String {
        let parameters = self.query.iter().map(|(name, value)| match value {
            Parameter::Plain(value) => {
                format!("{name}={}", form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>())
            }
            Parameter::Secret(_) => format!("{name}={REDACTED}"),
        });
        parameters.collect::<Vec<_>>().join("&")
    }

    /// All that must not be seen of this call, wherever it turns up.
    pub(super) fn redactor(&self, settings: &Settings) -> Redactor {
        let parameters = self.query.iter().filter_map(|(_, value)| match value {
            Parameter::Plain(_) => None,
            Parameter::Secret(value) => Some(value.clone()),
        });
        let bearer = self.bearer.iter().map(|token| token.expose_secret().into());
        Redactor::new(parameters.chain(bearer).chain([settings.app_secret.clone()]))
    }
}
