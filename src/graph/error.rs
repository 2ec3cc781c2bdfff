//! Everything that is known when a call didn't give what was asked for.

use std::{fmt, time::Duration};

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    call::Call,
    cause::{Advice, Cause, TokenProblem},
    classify,
    redaction::Redactor,
    usage::Usage,
    wire,
};

/// The most that is kept of one text of an error, in bytes; the body has the rest.
const LONGEST_TEXT: usize = 8 * 1024;

/// An error as Graph's body says it (1.3). Texts are redacted; what Graph left out is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GraphError {
    /// What happened, for developers.
    pub message: Option<String>,
    /// Meta's category, `type` in the body, such as `OAuthException`.
    pub kind: Option<String>,
    /// What to decide on (7.3).
    pub code: Option<i64>,
    /// Finer than the code, where Graph gives one.
    pub subcode: Option<i64>,
    /// A title to show.
    pub user_title: Option<String>,
    /// An explanation to show.
    pub user_message: Option<String>,
    /// Meta's key to its own record.
    pub fbtrace_id: Option<String>,
    /// Whether Meta says that it will pass.
    pub is_transient: Option<bool>,
    /// Raw JSON, or the text of it where Graph sends JSON in a string (7.3).
    pub error_data: Option<String>,
}

impl GraphError {
    /// The error in a body, if it holds one. The status plays no part: a 200 may hold an error.
    pub(super) fn find(body: &Value, redactor: &Redactor) -> Option<Self> {
        let clean = |text: String| redactor.clean(&text, LONGEST_TEXT);
        let error = body.get("error").filter(|error| !error.is_null() && **error != Value::Bool(false))?;
        if !error.is_object() {
            // OAuth's own form: {"error":"invalid_grant","error_description":".."}.
            let message = wire::text(body, "error_description").or_else(|| wire::text(body, "error"));
            return Some(Self { message: message.map(clean), ..Self::default() });
        }
        let text = |name| wire::text(error, name).map(clean);
        let whole = |name| error.get(name).and_then(wire::whole);
        let data = error.get("error_data").filter(|data| !data.is_null());
        Some(Self {
            message: text("message"),
            kind: text("type"),
            code: whole("code"),
            subcode: whole("error_subcode"),
            user_title: text("error_user_title"),
            user_message: text("error_user_msg"),
            fbtrace_id: text("fbtrace_id"),
            is_transient: error.get("is_transient").and_then(Value::as_bool),
            error_data: data.map(|data| clean(data.as_str().map_or_else(|| data.to_string(), str::to_owned))),
        })
    }

    /// The error with a code in JSON that somebody pasted: Graph's answer, or what stands in it as `error`.
    pub fn pasted(body: &Value) -> Option<Self> {
        let find = |body: &Value| Self::find(body, &Redactor::new([]));
        let alone = || {
            let is_graphs = ["fbtrace_id", "type"].iter().any(|name| body.get(name).is_some());
            is_graphs.then(|| find(&json!({ "error": body }))).flatten()
        };
        find(body).or_else(alone).filter(|error| error.code.is_some())
    }

    /// Whether Graph refuses a field it was asked for, as a version or an app without it does.
    pub(super) fn refuses_a_field(&self) -> bool {
        let names_a_field = || self.message.as_ref().is_some_and(|message| message.to_lowercase().contains("field"));
        self.code == Some(100) && self.subcode != Some(33) && names_a_field()
    }
}

/// Why an exchange gave no usable answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// No connection: refused, unknown host, bad certificate, or too slow to open. Nothing was sent.
    ConnectFailed,
    /// The time was up before the answer was complete.
    TimedOut,
    /// The connection ended before an answer began.
    Reset,
    /// The answer began and ended early.
    CutOff,
    /// A redirect, which is never followed.
    Redirected,
    /// A page for people, as gateways send.
    Html,
    /// No body.
    Empty,
    /// A body that isn't JSON.
    NotJson,
    /// A body too large to read.
    TooLarge,
    /// JSON that lacks what this call answers with.
    UnexpectedShape,
    /// The list gave the same cursor again, and would never end.
    RepeatedCursor,
    /// The exchange was given up by this process, as when it shuts down.
    Interrupted,
}

impl Failure {
    /// Every failure.
    pub const ALL: [Self; 12] = [
        Self::ConnectFailed,
        Self::TimedOut,
        Self::Reset,
        Self::CutOff,
        Self::Redirected,
        Self::Html,
        Self::Empty,
        Self::NotJson,
        Self::TooLarge,
        Self::UnexpectedShape,
        Self::RepeatedCursor,
        Self::Interrupted,
    ];

    /// A stable name, fit for storing.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConnectFailed => "connect_failed",
            Self::TimedOut => "timed_out",
            Self::Reset => "reset",
            Self::CutOff => "cut_off",
            Self::Redirected => "redirected",
            Self::Html => "html",
            Self::Empty => "empty",
            Self::NotJson => "not_json",
            Self::TooLarge => "too_large",
            Self::UnexpectedShape => "unexpected_shape",
            Self::RepeatedCursor => "repeated_cursor",
            Self::Interrupted => "interrupted",
        }
    }

    /// The end of a sentence that begins with "The call to Meta failed:".
    fn words(self) -> &'static str {
        match self {
            Self::ConnectFailed => "no connection could be made",
            Self::TimedOut => "no complete answer came in time",
            Self::Reset => "the connection ended before an answer",
            Self::CutOff => "the answer was cut off",
            Self::Redirected => "the answer was a redirect, which isn't followed",
            Self::Html => "the answer was an HTML page",
            Self::Empty => "the answer was empty",
            Self::NotJson => "the answer was not JSON",
            Self::TooLarge => "the answer was too large",
            Self::UnexpectedShape => "the answer was not of the expected shape",
            Self::RepeatedCursor => "the list gave the same page again",
            Self::Interrupted => "the exchange was interrupted",
        }
    }
}

/// Why a call that was kept failed, in the terms decisions are made in: what [`Error::cause`] says, from the record alone. `failure` is
/// a [`Failure`] by name, `writes` whether the call may have changed something. `None`: it didn't fail.
pub fn cause_of(error: Option<&GraphError>, failure: Option<&str>, status: Option<u16>, writes: bool) -> Option<Cause> {
    let known = |name: &str| Failure::ALL.into_iter().find(|known| known.as_str() == name);
    match (failure, error) {
        // What a newer version kept is not known to have reached Meta or not.
        (Some(name), _) => {
            Some(known(name).map_or(Cause::OutcomeUnknown, |failure| classify::of_failure(failure, status, writes)))
        }
        (None, Some(error)) => Some(classify::of_error(error, status)),
        (None, None) => status.filter(|status| *status >= 400).map(|_| Cause::Unrecognised),
    }
}

/// What kind of error it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Graph answered with an error.
    Refused,
    /// There is no usable answer.
    Failed(Failure),
}

/// A call that didn't give what was asked for, with all that is known of it. Displayed, it is one sentence.
#[derive(Clone)]
pub struct Error {
    kind: Kind,
    call: Box<Call>,
}

impl Error {
    pub(super) fn new(kind: Kind, call: Call) -> Self {
        Self { kind, call: Box::new(call) }
    }

    /// Whether Graph refused, or how the exchange failed.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The exchange, as the [`Observer`](super::Observer) saw it.
    pub fn call(&self) -> &Call {
        &self.call
    }

    /// All that Graph said; `None` if it said nothing.
    pub fn graph_error(&self) -> Option<&GraphError> {
        self.call.error.as_ref()
    }

    /// Graph's code.
    pub fn code(&self) -> Option<i64> {
        self.graph_error()?.code
    }

    /// Graph's subcode.
    pub fn subcode(&self) -> Option<i64> {
        self.graph_error()?.subcode
    }

    /// Graph's message, for developers.
    pub fn message(&self) -> Option<&str> {
        self.graph_error()?.message.as_deref()
    }

    /// Graph's title, to show.
    pub fn user_title(&self) -> Option<&str> {
        self.graph_error()?.user_title.as_deref()
    }

    /// Graph's explanation, to show.
    pub fn user_message(&self) -> Option<&str> {
        self.graph_error()?.user_message.as_deref()
    }

    /// Meta's key to its own record of the exchange: from the body, else from the header.
    pub fn fbtrace_id(&self) -> Option<&str> {
        self.call.trace_id()
    }

    /// Whether Meta says that it will pass; `None` if it didn't say.
    pub fn is_transient(&self) -> Option<bool> {
        self.graph_error()?.is_transient
    }

    /// Graph's further details, as raw JSON or text.
    pub fn error_data(&self) -> Option<&str> {
        self.graph_error()?.error_data.as_deref()
    }

    /// HTTP status; `None` if no answer began.
    pub fn http_status(&self) -> Option<u16> {
        self.call.status
    }

    /// What the usage headers said.
    pub fn usage(&self) -> &Usage {
        &self.call.usage
    }

    /// When the exchange began.
    pub fn started_at(&self) -> OffsetDateTime {
        self.call.started_at
    }

    /// How long it took.
    pub fn duration(&self) -> Duration {
        self.call.duration
    }

    /// Whether Meta may have done what was asked all the same. False only when it is certain that it didn't: there was no
    /// connection, or Graph itself answered with an error.
    pub fn may_have_reached_meta(&self) -> bool {
        !matches!(self.kind, Kind::Refused | Kind::Failed(Failure::ConnectFailed))
    }

    /// Why it failed, in the terms decisions are made in.
    pub fn cause(&self) -> Cause {
        match (self.kind, self.graph_error()) {
            (Kind::Failed(failure), _) => classify::of_failure(failure, self.call.status, self.call.operation.writes()),
            (Kind::Refused, Some(error)) => classify::of_error(error, self.call.status),
            (Kind::Refused, None) => Cause::Unrecognised,
        }
    }

    /// What is wrong with the token; `None` unless the cause is [`Cause::TokenInvalid`].
    pub fn token_problem(&self) -> Option<TokenProblem> {
        (self.cause() == Cause::TokenInvalid).then(|| self.graph_error().map(classify::token_problem)).flatten()
    }

    /// What to do now. Retry asks to settle an unknown outcome first: see [`Error::may_have_reached_meta`].
    pub fn advice(&self) -> Advice {
        self.cause().advice(self.usage().regain_at)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind, self.graph_error()) {
            (Kind::Failed(failure), _) => write!(f, "The call to Meta failed: {}", failure.words())?,
            (Kind::Refused, said) => {
                f.write_str("Meta refused the call: ")?;
                match said.and_then(|said| said.message.as_deref()) {
                    Some(message) => f.write_str(message.trim_end_matches('.'))?,
                    None => f.write_str("it gave no message")?,
                }
            }
        }
        write!(f, " ({}", self.call.operation.as_str())?;
        if let Some(code) = self.code() {
            write!(f, ", code {code}")?;
        }
        if let Some(subcode) = self.subcode() {
            write!(f, ", subcode {subcode}")?;
        }
        if let Some(status) = self.http_status() {
            write!(f, ", HTTP {status}")?;
        }
        if let Some(trace) = self.fbtrace_id() {
            write!(f, ", fbtrace_id {trace}")?;
        }
        f.write_str(").")
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error").field("kind", &self.kind).field("call", &self.call).finish()
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(body: &Value) -> Option<GraphError> {
        GraphError::find(body, &Redactor::new([]))
    }

    #[test]
    fn everything_graph_says_is_kept() {
        let error = find(&json!({"error": {
            "message": "(#100) No", "type": "OAuthException", "code": 100, "error_subcode": 33, "is_transient": false,
            "error_user_title": "Title", "error_user_msg": "Text", "fbtrace_id": "AXsg", "error_data": {"details": "x"},
        }}));
        let expected = GraphError {
            message: Some("(#100) No".into()),
            kind: Some("OAuthException".into()),
            code: Some(100),
            subcode: Some(33),
            user_title: Some("Title".into()),
            user_message: Some("Text".into()),
            fbtrace_id: Some("AXsg".into()),
            is_transient: Some(false),
            error_data: Some(r#"{"details":"x"}"#.into()),
        };
        assert_eq!(error, Some(expected));
    }

    #[test]
    fn odd_types_and_missing_fields_lose_no_error() {
        let error = find(&json!({"error": {"code": "190", "error_subcode": null, "error_data": "{\"a\":1}"}})).unwrap();
        assert_eq!((error.code, error.subcode, error.error_data.as_deref()), (Some(190), None, Some("{\"a\":1}")));
        assert_eq!(find(&json!({"error": {}})), Some(GraphError::default()));
        let error = find(&json!({"error": "invalid_grant", "error_description": "Code was used"})).unwrap();
        assert_eq!(error.message.as_deref(), Some("Code was used"));
    }

    #[test]
    fn a_kept_call_failed_for_the_reason_it_had_when_it_was_made() {
        let refusal = GraphError { code: Some(190), ..GraphError::default() };
        for (error, failure, status, writes, cause) in [
            (Some(&refusal), None, Some(401), true, Some(Cause::TokenInvalid)),
            (None, Some("connect_failed"), None, true, Some(Cause::Unreachable)),
            (None, Some("timed_out"), None, true, Some(Cause::OutcomeUnknown)),
            (None, Some("html"), Some(502), false, Some(Cause::Temporary)),
            (None, Some("of_a_newer_version"), None, true, Some(Cause::OutcomeUnknown)),
            (None, None, Some(500), true, Some(Cause::Unrecognised)),
            (None, None, Some(200), true, None),
            (None, None, None, true, None),
        ] {
            assert_eq!(cause_of(error, failure, status, writes), cause, "{failure:?} {status:?}");
        }
    }

    #[test]
    fn every_failure_has_a_name_of_its_own() {
        for (at, failure) in Failure::ALL.iter().enumerate() {
            assert!(Failure::ALL[at + 1..].iter().all(|other| other.as_str() != failure.as_str()), "{failure:?}");
        }
    }

    #[test]
    fn an_answer_without_an_error_has_none() {
        for body in [json!({"request_id": "1"}), json!({"error": null}), json!({"data": {"error": {}}}), json!([])] {
            assert_eq!(find(&body), None, "{body}");
        }
    }

    #[test]
    fn only_code_100_about_a_field_asks_for_fewer_fields() {
        let refuses = |error: Value| find(&json!({"error": error})).unwrap().refuses_a_field();
        assert!(refuses(
            json!({"code": 100, "message": "(#100) Tried accessing nonexisting field (x) on node type (Y)"})
        ));
        assert!(!refuses(json!({"code": 100, "message": "(#100) Invalid parameter"})));
        assert!(!refuses(json!({"code": 100, "error_subcode": 33, "message": "Unsupported get request, field"})));
        assert!(!refuses(json!({"code": 10, "message": "no field"})));
    }
}
