//! What the simulator was asked: the last calls, with every secret masked, and a count of each operation.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Instant,
};

use serde::Serialize;

use super::{call::Call, operation::Operation, params::Params};

/// Calls kept; its page shows the last [`SHOWN`].
const KEPT: usize = 10_000;
/// Calls shown on the simulator's page.
pub(super) const SHOWN: usize = 200;

/// One call that was answered, or wasn't.
#[derive(Clone, Debug, Serialize)]
pub struct RecordedCall {
    /// When, by the simulator's clock, as Graph writes it.
    pub at: String,
    /// When, by the machine's own stopwatch: for measuring how long a caller took to get here.
    #[serde(skip)]
    pub arrived: Instant,
    /// `GET`, `POST`, `DELETE`.
    pub method: String,
    /// Path with version.
    pub path: String,
    /// Parameters from wherever they came, secrets masked.
    pub params: BTreeMap<String, String>,
    /// What the call was for.
    pub operation: Operation,
    /// The token's last four characters.
    pub token: Option<String>,
    /// HTTP status; `None` if there was no answer.
    pub status: Option<u16>,
    /// Graph's code, if it was an error.
    pub code: Option<u32>,
    /// Graph's subcode, if there was one.
    pub subcode: Option<u32>,
    /// The trace id of the answer.
    pub fbtrace_id: String,
    /// The fault that was put in, by name.
    pub fault: Option<String>,
}

impl RecordedCall {
    pub(super) fn new(call: &Call, operation: Operation, at: String, fbtrace_id: &str) -> Self {
        let version = call.version.as_deref().map(|version| format!("/{version}")).unwrap_or_default();
        Self {
            at,
            arrived: Instant::now(),
            method: call.method.to_string(),
            path: format!("{version}/{}", call.path.join("/")),
            params: masked(&call.params),
            operation,
            token: call.token.as_deref().map(last_four),
            status: None,
            code: None,
            subcode: None,
            fbtrace_id: fbtrace_id.to_owned(),
            fault: None,
        }
    }
}

const SECRETS: [&str; 8] = [
    "client_secret",
    "appsecret_proof",
    "code",
    "code_verifier",
    "input_token",
    "fb_exchange_token",
    "revoke_token",
    "batch",
];

fn masked(params: &Params) -> BTreeMap<String, String> {
    params
        .iter()
        .map(|(name, value)| {
            (
                name.to_owned(),
                if SECRETS.contains(&name) { "***".to_owned() } else { value.chars().take(400).collect() },
            )
        })
        .collect()
}

fn last_four(token: &str) -> String {
    let shown = token.len().min(4).min(token.len() / 4);
    format!("…{}", token.get(token.len() - shown..).unwrap_or_default())
}

#[derive(Debug, Default)]
pub(super) struct Record {
    calls: VecDeque<RecordedCall>,
    counts: BTreeMap<Operation, u64>,
}

impl Record {
    pub(super) fn add(&mut self, call: RecordedCall) {
        *self.counts.entry(call.operation).or_default() += 1;
        if self.calls.len() == KEPT {
            self.calls.pop_front();
        }
        self.calls.push_back(call);
    }

    /// The last `count` calls, oldest first.
    pub(super) fn last(&self, count: usize) -> Vec<RecordedCall> {
        self.calls.iter().skip(self.calls.len().saturating_sub(count)).cloned().collect()
    }

    /// How many calls of an operation there were since the start, kept or not.
    pub(super) fn count(&self, operation: Operation) -> u64 {
        if operation == Operation::Any {
            self.counts.values().sum()
        } else {
            self.counts.get(&operation).copied().unwrap_or(0)
        }
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    #[test]
    fn no_secret_is_kept() {
        let query =
            "client_secret=S3CRET&code=S3CRET&access_token=EAAJS3CRETS3CRETxyz9&appsecret_proof=S3CRET&state=ok";
        let call = Call::new(Method::GET, "/v25.0/me", Params::read(query, "", b"").unwrap(), None, String::new());
        let kept = serde_json::to_string(&RecordedCall::new(&call, Operation::Me, String::new(), "A")).unwrap();
        assert!(!kept.contains("S3CRET"), "{kept}");
        assert!(kept.contains("xyz9") && kept.contains("\"state\":\"ok\""));
    }
}
