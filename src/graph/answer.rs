//! What comes back from Meta: reads it within limits, and judges whether it is an answer at all.

use std::error::Error as _;

use http::HeaderMap;
use reqwest::RequestBuilder;
use serde_json::Value;

use super::{
    error::{Failure, GraphError},
    redaction::Redactor,
};

/// The most that is read of an answer, in bytes. A page of 100 WABAs has some 60 kB.
const LONGEST_ANSWER: usize = 8 * 1024 * 1024;

/// What came back, however little.
#[derive(Default)]
pub(super) struct Answer {
    pub(super) status: Option<u16>,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// Why it isn't whole, with the transport's words.
    pub(super) failure: Option<(Failure, String)>,
}

/// Sends a request and reads its answer to the end, to its limit, or to where it breaks off.
pub(super) async fn fetch(request: RequestBuilder) -> Answer {
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) => return Answer { failure: Some(failure(error, Failure::Reset)), ..Answer::default() },
    };
    let mut answer = Answer {
        status: Some(response.status().as_u16()),
        headers: std::mem::take(response.headers_mut()),
        ..Answer::default()
    };
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => answer.body.extend_from_slice(&chunk),
            Ok(None) => return answer,
            Err(error) => {
                answer.failure = Some(failure(error, Failure::CutOff));
                return answer;
            }
        }
        if answer.body.len() > LONGEST_ANSWER {
            answer.failure = Some((Failure::TooLarge, format!("more than {LONGEST_ANSWER} bytes")));
            return answer;
        }
    }
}

/// What a transport error means, and its words. `otherwise` is what a broken connection means at this point.
fn failure(error: reqwest::Error, otherwise: Failure) -> (Failure, String) {
    // The address holds the proof, and for some calls a token.
    let error = error.without_url();
    let failure = if error.is_connect() || error.is_builder() {
        Failure::ConnectFailed
    } else if error.is_timeout() {
        Failure::TimedOut
    } else {
        otherwise
    };
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        words.push_str(": ");
        words.push_str(&error.to_string());
        source = error.source();
    }
    (failure, words)
}

/// Why an answer isn't what was asked for.
pub(super) enum Judgement {
    /// Graph says so.
    Refused(Box<GraphError>),
    /// It isn't usable.
    Failed(Failure),
}

/// What an answer amounts to. An error in the body counts whatever the status, and success needs a 2xx as well.
pub(super) fn judge<T>(
    answer: &Answer,
    redactor: &Redactor,
    read: impl FnOnce(&Value) -> Result<T, Failure>,
) -> Result<T, Judgement> {
    if let Some((failure, _)) = answer.failure {
        return Err(Judgement::Failed(failure));
    }
    let status = answer.status.unwrap_or_default();
    let body = match serde_json::from_slice::<Value>(&answer.body) {
        Ok(body) => body,
        Err(_) if (300..400).contains(&status) => return Err(Judgement::Failed(Failure::Redirected)),
        Err(error) => return Err(Judgement::Failed(no_json(answer, &error))),
    };
    if let Some(error) = GraphError::find(&body, redactor) {
        return Err(Judgement::Refused(Box::new(error)));
    }
    match status {
        200..300 => read(&body).map_err(Judgement::Failed),
        300..400 => Err(Judgement::Failed(Failure::Redirected)),
        _ => Err(Judgement::Failed(Failure::UnexpectedShape)),
    }
}

/// What a body is that isn't JSON. Meta calls its JSON `text/javascript` at times, so the type alone proves nothing.
fn no_json(answer: &Answer, error: &serde_json::Error) -> Failure {
    let body = answer.body.trim_ascii();
    let says_html = || {
        let kind = answer.headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        kind.is_some_and(|kind| kind.to_ascii_lowercase().contains("html"))
    };
    if body.is_empty() {
        Failure::Empty
    } else if body.starts_with(b"<") || says_html() {
        Failure::Html
    } else if error.is_eof() {
        Failure::CutOff
    } else {
        Failure::NotJson
    }
}
