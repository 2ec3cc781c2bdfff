//! The record of one HTTP exchange with Meta, and who gets to see it.
//!
//! A [`Call`] holds all that support needs to follow a request up with Meta, and nothing secret: it may be stored and shown.

use std::{pin::Pin, time::Duration};

use time::OffsetDateTime;

use super::{
    error::GraphError,
    ids::{AppId, BusinessId, SolutionId, WabaId},
    settings::Version,
    usage::Usage,
};

/// Whom a call is made for. The client hands it through to the [`Call`] untouched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The partner for whom it is made.
    pub partner: Option<BusinessId>,
    /// The member who asked, by our id.
    pub member: Option<i64>,
    /// The onboarding request it serves, by our id.
    pub request: Option<i64>,
    /// Which attempt of that request it is.
    pub attempt: Option<i32>,
}

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Asks an end business to join (section 1). The only one that changes something at Meta.
    OnboardPartnersToMmLite,
    /// WABAs shared with the partner (2.1).
    ListClientWabas,
    /// WABAs the partner owns, on behalf of clients or for itself (2.8).
    ListOwnedWabas,
    /// Multi-partner solutions of the app (3.1).
    ListSolutions,
    /// How far a business is with the terms of service (4.11).
    ReadBusinessStatus,
    /// The same of many businesses at once.
    ReadBusinessStatuses,
    /// The eligibility of many WABAs at once (4.11).
    ReadWabaEligibilities,
    /// What became of an onboarding request, if its id can be read (1.12).
    ReadRequestStatus,
    /// Whose token it is (6.8).
    ReadMe,
    /// The portfolios that person belongs to (6.8).
    ListMyBusinesses,
    /// Sign-in code for a token (6.2).
    ExchangeCode,
    /// Short-lived token for a long-lived one (6.4).
    ExchangeToken,
    /// What a token is good for (6.5).
    DebugToken,
    /// What webhooks are subscribed to.
    ListSubscriptions,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 14] = [
        Self::OnboardPartnersToMmLite,
        Self::ListClientWabas,
        Self::ListOwnedWabas,
        Self::ListSolutions,
        Self::ReadBusinessStatus,
        Self::ReadBusinessStatuses,
        Self::ReadWabaEligibilities,
        Self::ReadRequestStatus,
        Self::ReadMe,
        Self::ListMyBusinesses,
        Self::ExchangeCode,
        Self::ExchangeToken,
        Self::DebugToken,
        Self::ListSubscriptions,
    ];

    /// A stable name, fit for storing.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OnboardPartnersToMmLite => "onboard_partners_to_mm_lite",
            Self::ListClientWabas => "list_client_wabas",
            Self::ListOwnedWabas => "list_owned_wabas",
            Self::ListSolutions => "list_solutions",
            Self::ReadBusinessStatus => "read_business_status",
            Self::ReadBusinessStatuses => "read_business_statuses",
            Self::ReadWabaEligibilities => "read_waba_eligibilities",
            Self::ReadRequestStatus => "read_request_status",
            Self::ReadMe => "read_me",
            Self::ListMyBusinesses => "list_my_businesses",
            Self::ExchangeCode => "exchange_code",
            Self::ExchangeToken => "exchange_token",
            Self::DebugToken => "debug_token",
            Self::ListSubscriptions => "list_subscriptions",
        }
    }

    /// The operation of that name; `None`: one of a newer version.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }

    /// What was asked for, in a few words.
    pub fn words(self) -> &'static str {
        match self {
            Self::OnboardPartnersToMmLite => "Onboarding",
            Self::ListClientWabas => "WABAs shared with the partner",
            Self::ListOwnedWabas => "WABAs the partner owns",
            Self::ListSolutions => "Solutions of the app",
            Self::ReadBusinessStatus => "Status of a business",
            Self::ReadBusinessStatuses => "Status of many businesses",
            Self::ReadWabaEligibilities => "Eligibility of many WABAs",
            Self::ReadRequestStatus => "Status of a request",
            Self::ReadMe => "Whose token it is",
            Self::ListMyBusinesses => "Portfolios of a member",
            Self::ExchangeCode => "Token for a sign-in",
            Self::ExchangeToken => "Long-lived token",
            Self::DebugToken => "What a token is good for",
            Self::ListSubscriptions => "Webhooks of the app",
        }
    }

    /// Whether it may have changed something at Meta when its answer is lost.
    pub fn writes(self) -> bool {
        matches!(self, Self::OnboardPartnersToMmLite)
    }
}

/// One HTTP exchange with Meta. Every text in it is redacted and free of NUL.
#[derive(Clone, Debug)]
pub struct Call {
    /// Whom it was made for.
    pub origin: Origin,
    /// What it did.
    pub operation: Operation,
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The path at Graph, version included, such as `/v25.0/1234/onboard_partners_to_mm_lite`.
    pub path: String,
    /// The query as sent, with `[redacted]` for each secret; empty if none.
    pub query: String,
    /// The id of the node that was called, where the path names one.
    pub subject: Option<String>,
    /// The business called, where the node is one.
    pub business_id: Option<BusinessId>,
    /// The WABA called, where the node is one.
    pub waba_id: Option<WabaId>,
    /// The solution named in the query.
    pub solution_id: Option<SolutionId>,
    /// The version the path names.
    pub graph_version: Version,
    /// The app that called.
    pub app_id: AppId,
    /// When it began.
    pub started_at: OffsetDateTime,
    /// From the beginning to the last byte of the answer, or to the failure.
    pub duration: Duration,
    /// HTTP status; `None` if no answer began.
    pub status: Option<u16>,
    /// What Graph said, if it answered with an error.
    pub error: Option<GraphError>,
    /// Why there is no usable answer, by [`Failure::as_str`](super::Failure::as_str).
    pub failure: Option<&'static str>,
    /// The transport's own words for a failure, for people who look into one.
    pub failure_detail: Option<String>,
    /// Header `x-fb-trace-id`.
    pub x_fb_trace_id: Option<String>,
    /// Header `x-fb-request-id`.
    pub x_fb_request_id: Option<String>,
    /// Header `x-fb-rev`.
    pub x_fb_rev: Option<String>,
    /// Header `x-fb-debug`.
    pub x_fb_debug: Option<String>,
    /// Header `x-app-usage` as it came.
    pub app_usage: Option<String>,
    /// Header `x-business-use-case-usage` as it came.
    pub business_use_case_usage: Option<String>,
    /// Header `retry-after` as it came.
    pub retry_after: Option<String>,
    /// Header `content-type` as it came.
    pub content_type: Option<String>,
    /// Header `date`: the hour at Meta, to the second.
    pub date: Option<OffsetDateTime>,
    /// These headers, read.
    pub usage: Usage,
    /// The start of the body, at most 64 KiB; empty if none came.
    pub body: String,
}

impl Call {
    /// Meta's key to its own record of the exchange: `fbtrace_id` of the error, else the header. It expires soon (7.4).
    pub fn trace_id(&self) -> Option<&str> {
        let said = self.error.as_ref().and_then(|error| error.fbtrace_id.as_deref());
        said.or(self.x_fb_trace_id.as_deref())
    }

    /// Whether Meta answered, and not with an error.
    pub fn is_success(&self) -> bool {
        self.error.is_none() && self.failure.is_none()
    }
}

/// Sees every exchange, once, before its result is handed back.
pub trait Observer: Send + Sync {
    /// Called when an exchange is over, whatever its end. The result waits for it, so it should be quick and must not fail.
    fn observe<'a>(&'a self, call: &'a Call) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
}

/// Looks away; for tests and tools that keep no record.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn observe<'a>(&'a self, _call: &'a Call) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(std::future::ready(()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn operations_have_names_of_their_own_and_one_writes() {
        let names: HashSet<_> = Operation::ALL.iter().map(|operation| operation.as_str()).collect();
        assert_eq!(names.len(), Operation::ALL.len());
        let words: HashSet<_> = Operation::ALL.iter().map(|operation| operation.words()).collect();
        assert_eq!(words.len(), Operation::ALL.len());
        assert!(Operation::ALL.iter().all(|operation| Operation::named(operation.as_str()) == Some(*operation)));
        assert_eq!(Operation::named("fly"), None);
        let writing: Vec<_> = Operation::ALL.into_iter().filter(|operation| operation.writes()).collect();
        assert_eq!(writing, [Operation::OnboardPartnersToMmLite]);
    }
}
