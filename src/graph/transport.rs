//! The one place where HTTP is spoken with Meta: builds a request, sends it once, reads the answer within limits, keeps
//! the record, shows it to the observer, and only then hands the result on.

use std::time::Duration;

use http::HeaderMap;
use reqwest::{Client, RequestBuilder};
use secrecy::ExposeSecret;
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc2822};
use tracing::Instrument;

use super::{
    answer::{Judgement, fetch, judge},
    call::{Call, Origin},
    client::Graph,
    error::{Error, Failure, GraphError, Kind},
    redaction::Redactor,
    request::Request,
    settings::Settings,
    tls,
    usage::Usage,
};

/// The most that is kept of an answer, in bytes.
const LONGEST_BODY: usize = 64 * 1024;

/// The most that is kept of a header or of the words of a failure, in bytes.
const LONGEST_LINE: usize = 8 * 1024;

/// Idle connections are closed before Meta closes them: a POST on one that is just being closed has an unknown outcome.
const IDLE: Duration = Duration::from_secs(20);

/// An HTTP client that follows no redirect, repeats nothing by itself and asks no proxy.
pub(super) fn http_client(settings: &Settings) -> Result<Client, String> {
    let tls = tls::config().map_err(|error| error.to_string())?;
    Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(concat!("Liteboard/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .pool_idle_timeout(IDLE)
        .connect_timeout(settings.connect_timeout)
        .timeout(settings.timeout)
        .build()
        .map_err(|error| error.without_url().to_string())
}

impl Graph {
    /// Sends `request` once and reads its answer with `read`.
    ///
    /// Runs as a task of its own: a caller who stops waiting, such as a page that was left, can't take an exchange back,
    /// so it must still be observed.
    pub(super) async fn exchange<T: Send + 'static>(
        &self,
        origin: Origin,
        request: Request,
        read: impl FnOnce(&Value) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Error> {
        let redactor = request.redactor(self.settings());
        let call = self.begin(origin, &request, &redactor);
        let graph = self.clone();
        let draft = call.clone();
        let exchange = async move { graph.finish(call, &request, &redactor, read).await };
        match tokio::spawn(exchange.in_current_span()).await {
            Ok(result) => result,
            Err(_) => Err(Error::new(Kind::Failed(Failure::Interrupted), with_failure(draft, Failure::Interrupted))),
        }
    }

    /// The record of a call that is about to be made.
    fn begin(&self, origin: Origin, request: &Request, redactor: &Redactor) -> Call {
        let settings = self.settings();
        Call {
            origin,
            operation: request.operation,
            method: if request.operation.writes() { "POST" } else { "GET" },
            path: redactor.clean(&format!("/{}/{}", settings.version, request.path.join("/")), LONGEST_LINE),
            query: redactor.clean(&request.shown_query(), LONGEST_LINE),
            subject: request.subject.clone(),
            business_id: request.business_id.clone(),
            waba_id: None,
            solution_id: request.solution_id.clone(),
            graph_version: settings.version,
            app_id: settings.app_id.clone(),
            started_at: self.now(),
            duration: Duration::ZERO,
            status: None,
            error: None,
            failure: None,
            failure_detail: None,
            x_fb_trace_id: None,
            x_fb_request_id: None,
            x_fb_rev: None,
            x_fb_debug: None,
            app_usage: None,
            business_use_case_usage: None,
            retry_after: None,
            content_type: None,
            date: None,
            usage: Usage::default(),
            body: String::new(),
        }
    }

    async fn finish<T>(
        &self,
        mut call: Call,
        request: &Request,
        redactor: &Redactor,
        read: impl FnOnce(&Value) -> Result<T, Failure>,
    ) -> Result<T, Error> {
        let answer = fetch(self.http_request(request)).await;
        let now = self.now();
        call.duration = (now - call.started_at).try_into().unwrap_or_default();
        call.status = answer.status;
        keep_headers(&mut call, &answer.headers, redactor);
        call.usage = Usage::read(&answer.headers, now);
        call.body = redactor.clean(&String::from_utf8_lossy(&answer.body), LONGEST_BODY);

        let result = judge(&answer, redactor, read);
        match &result {
            Ok(_) => {}
            Err(Judgement::Refused(error)) => call.error = Some(GraphError::clone(error)),
            Err(Judgement::Failed(failure)) => call.failure = Some(failure.as_str()),
        }
        call.failure_detail = answer.failure.map(|(_, detail)| redactor.clean(&detail, LONGEST_LINE));
        tracing::debug!(
            operation = call.operation.as_str(),
            status = call.status,
            failure = call.failure,
            trace_id = call.trace_id(),
            duration = ?call.duration,
            "called Graph"
        );
        self.observer().observe(&call).await;
        result.map_err(|judgement| match judgement {
            Judgement::Refused(_) => Error::new(Kind::Refused, call),
            Judgement::Failed(failure) => Error::new(Kind::Failed(failure), call),
        })
    }

    fn http_request(&self, request: &Request) -> RequestBuilder {
        let url = request.url(self.settings());
        let built = if request.operation.writes() {
            self.http().post(url).header(http::header::CONTENT_TYPE, "application/json").body("{}")
        } else {
            self.http().get(url)
        };
        match &request.bearer {
            Some(token) => built.bearer_auth(token.expose_secret()),
            None => built,
        }
    }
}

fn with_failure(mut call: Call, failure: Failure) -> Call {
    call.failure = Some(failure.as_str());
    call
}

fn keep_headers(call: &mut Call, headers: &HeaderMap, redactor: &Redactor) {
    let header = |name| {
        let value = String::from_utf8_lossy(headers.get(name)?.as_bytes()).into_owned();
        Some(redactor.clean(&value, LONGEST_LINE))
    };
    call.x_fb_trace_id = header("x-fb-trace-id");
    call.x_fb_request_id = header("x-fb-request-id");
    call.x_fb_rev = header("x-fb-rev");
    call.x_fb_debug = header("x-fb-debug");
    call.app_usage = header("x-app-usage");
    call.business_use_case_usage = header("x-business-use-case-usage");
    call.retry_after = header("retry-after");
    call.content_type = header("content-type");
    call.date = header("date").and_then(|date| OffsetDateTime::parse(&date, &Rfc2822).ok());
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use serde_json::json;
    use time::OffsetDateTime;

    use super::super::{stand_in::*, *};

    fn me() -> Reply {
        Reply::json(200, json!({"id": "42", "name": "Ada"}))
    }

    /// The one call that was observed, and the error of the call made.
    async fn failed(meta: &StandIn) -> (Call, Error) {
        let error = meta.caller().me().await.unwrap_err();
        let calls = meta.calls();
        assert_eq!(calls.len(), 1, "each exchange is observed exactly once");
        (calls[0].clone(), error)
    }

    #[tokio::test]
    async fn a_success_is_observed_once_with_all_that_came_with_it() {
        let usage = r#"{"1":[{"type":"whatsapp","call_count":7}]}"#;
        let reply = me()
            .with("x-fb-trace-id", "AbC")
            .with("x-fb-request-id", "req")
            .with("x-fb-rev", "1001")
            .with("x-fb-debug", "dbg==")
            .with("x-app-usage", r#"{"call_count":28,"total_time":25,"total_cputime":25}"#)
            .with("x-business-use-case-usage", usage)
            .with("retry-after", "60");
        let meta = StandIn::start([reply]).await;
        let origin = Origin { partner: Some(partner()), member: Some(1), request: Some(2), attempt: Some(3) };
        let person = meta.graph().with_token(TOKEN.to_owned().into(), origin.clone()).me().await.unwrap();
        assert_eq!((person.id.as_str(), person.name.as_str()), ("42", "Ada"));

        let calls = meta.calls();
        let [call] = calls.as_slice() else { panic!("{calls:?}") };
        assert_eq!(call.origin, origin);
        assert_eq!((call.operation, call.method, call.status), (Operation::ReadMe, "GET", Some(200)));
        assert_eq!(
            (call.path.as_str(), call.query.as_str()),
            ("/v25.0/me", "fields=id%2Cname&appsecret_proof=[redacted]")
        );
        assert_eq!((call.trace_id(), call.x_fb_request_id.as_deref()), (Some("AbC"), Some("req")));
        assert_eq!((call.x_fb_rev.as_deref(), call.x_fb_debug.as_deref()), (Some("1001"), Some("dbg==")));
        assert_eq!((call.business_use_case_usage.as_deref(), call.retry_after.as_deref()), (Some(usage), Some("60")));
        assert_eq!(call.usage.highest_percent(), Some(28.0));
        assert_eq!(call.body, r#"{"id":"42","name":"Ada"}"#);
        assert!(call.is_success());
    }

    #[tokio::test]
    async fn the_call_names_what_it_was_made_on() {
        let meta =
            StandIn::start([Reply::json(200, json!({"request_id": "1"})), Reply::json(200, json!({"id": "7"}))]).await;
        let (business, solution) = ("7".parse().unwrap(), "8".parse().unwrap());
        meta.caller().onboard(&business, Some(&solution)).await.unwrap();
        meta.caller().business_status(&business).await.unwrap();
        let calls = meta.calls();
        assert_eq!((calls[0].method, calls[0].path.as_str()), ("POST", "/v25.0/7/onboard_partners_to_mm_lite"));
        assert_eq!((calls[0].business_id.as_ref(), calls[0].solution_id.as_ref()), (Some(&business), Some(&solution)));
        assert_eq!(
            (calls[1].path.as_str(), calls[1].subject.as_deref(), calls[1].solution_id.as_ref()),
            ("/v25.0/7", Some("7"), None)
        );
        assert_eq!((calls[1].graph_version, calls[1].app_id.as_str()), (Version::V25_0, APP_ID));
    }

    #[tokio::test]
    async fn every_version_is_called_by_its_path() {
        for version in Version::ALL {
            let meta = StandIn::start([me()]).await;
            let mut settings = meta.settings();
            settings.version = version;
            let caller = meta.graph_with(settings).with_token(TOKEN.to_owned().into(), Origin::default());
            caller.me().await.unwrap();
            assert_eq!(meta.requests()[0].path, format!("/{version}/me"));
        }
    }

    #[tokio::test]
    async fn an_answer_that_is_not_graph_s_says_what_it_is_and_keeps_its_start() {
        let page = "<!DOCTYPE html><title>502 Bad Gateway</title>";
        for (reply, failure, body) in [
            (Reply::raw(502, "text/html", page), Failure::Html, page),
            (Reply::raw(200, "application/json", page), Failure::Html, page),
            (Reply::raw(200, "text/html", "sorry"), Failure::Html, "sorry"),
            (Reply::raw(200, "application/json", ""), Failure::Empty, ""),
            (Reply::raw(503, "text/plain", " \n"), Failure::Empty, " \n"),
            (Reply::raw(200, "text/plain", "OK"), Failure::NotJson, "OK"),
            (Reply::raw(200, "application/json", r#"{"id":"42"#), Failure::CutOff, r#"{"id":"42"#),
            (Reply::CutOff { body: br#"{"id":"42""#.to_vec() }, Failure::CutOff, r#"{"id":"42""#),
            (Reply::json(200, json!({"name": "Ada"})), Failure::UnexpectedShape, r#"{"name":"Ada"}"#),
            (Reply::json(404, json!({"id": "42"})), Failure::UnexpectedShape, r#"{"id":"42"}"#),
            (Reply::raw(200, "application/json", "null"), Failure::UnexpectedShape, "null"),
            (Reply::raw(302, "text/html", "").with("location", "http://127.0.0.1:1/"), Failure::Redirected, ""),
            (Reply::Reset, Failure::Reset, ""),
        ] {
            let meta = StandIn::start([reply]).await;
            let (call, error) = failed(&meta).await;
            assert_eq!(error.kind(), Kind::Failed(failure));
            assert_eq!((call.failure, call.body.as_str()), (Some(failure.as_str()), body));
            assert!(error.may_have_reached_meta(), "{error}");
            assert_eq!(meta.requests().len(), 1, "nothing is sent twice");
        }
    }

    #[tokio::test]
    async fn silence_ends_with_the_time_allowed() {
        let meta = StandIn::start([Reply::Silence]).await;
        let mut settings = meta.settings();
        settings.timeout = Duration::from_millis(200);
        let caller = meta.graph_with(settings).with_token(TOKEN.to_owned().into(), Origin::default());
        let error = caller.onboard(&partner(), None).await.unwrap_err();
        assert_eq!((error.kind(), error.cause()), (Kind::Failed(Failure::TimedOut), Cause::OutcomeUnknown));
        assert!(error.may_have_reached_meta());
        assert_eq!((meta.calls().len(), meta.calls()[0].failure), (1, Some("timed_out")));
    }

    #[tokio::test]
    async fn without_a_connection_nothing_was_sent() {
        let (call, error) = failed(&StandIn::absent().await).await;
        assert_eq!((error.kind(), error.cause()), (Kind::Failed(Failure::ConnectFailed), Cause::Unreachable));
        assert_eq!((call.failure, call.status), (Some("connect_failed"), None));
        assert!(call.failure_detail.unwrap().contains("refused"));
        assert!(!error.may_have_reached_meta());
    }

    #[tokio::test]
    async fn a_connection_too_slow_to_open_has_sent_nothing() {
        // Speaks no TLS, so that the handshake waits for ever.
        let meta = StandIn::start([]).await;
        let mut settings = meta.settings();
        settings.graph_url.set_scheme("https").unwrap();
        settings.connect_timeout = Duration::from_millis(200);
        let caller = meta.graph_with(settings).with_token(TOKEN.to_owned().into(), Origin::default());
        let error = caller.onboard(&partner(), None).await.unwrap_err();
        assert_eq!((error.kind(), error.cause()), (Kind::Failed(Failure::ConnectFailed), Cause::Unreachable));
        assert!(!error.may_have_reached_meta());
    }

    #[tokio::test]
    async fn an_answer_without_end_is_not_read_to_the_end() {
        let meta = StandIn::start([Reply::raw(200, "application/json", vec![b' '; 9 * 1024 * 1024])]).await;
        let (call, error) = failed(&meta).await;
        assert_eq!(error.kind(), Kind::Failed(Failure::TooLarge));
        assert_eq!(call.body.len(), 64 * 1024);
    }

    #[tokio::test]
    async fn a_body_is_kept_as_text_that_postgres_takes() {
        let mut bytes = br#"{"id":"42","name":"a\u0000b"}"#.to_vec();
        bytes.extend_from_slice(b"\0\xff");
        let meta = StandIn::start([
            Reply::raw(200, "application/json", bytes),
            Reply::json(200, json!({"id": "1", "name": "a\0b"})),
        ])
        .await;
        let (call, _) = failed(&meta).await;
        assert!(call.body.ends_with("}\u{FFFD}\u{FFFD}"), "{}", call.body);
        assert_eq!(meta.caller().me().await.unwrap().name, "a\u{FFFD}b");
    }

    #[tokio::test]
    async fn a_throttled_caller_is_told_until_when_to_wait() {
        let usage = r#"{"1":[{"type":"x","call_count":100,"estimated_time_to_regain_access":19}]}"#;
        let body = json!({"error": {"code": 80_008, "message": "(#80008) There have been too many calls"}});
        let meta = StandIn::start([Reply::json(400, body).with("x-business-use-case-usage", usage)]).await;
        let (call, error) = failed(&meta).await;
        let until = call.started_at + Duration::from_mins(19);
        assert_eq!(error.advice(), Advice::Wait { until: Some(until) });
        assert_eq!(error.started_at(), call.started_at);
    }

    #[tokio::test]
    async fn an_exchange_is_observed_even_if_nobody_waits_for_it() {
        struct Tell(tokio::sync::mpsc::UnboundedSender<Call>);
        impl Observer for Tell {
            fn observe<'a>(&'a self, call: &'a Call) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
                Box::pin(async move { self.0.send(call.clone()).unwrap() })
            }
        }
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let meta = StandIn::start([me()]).await;
        let caller =
            meta.graph().observed_by(Arc::new(Tell(tell))).with_token(TOKEN.to_owned().into(), Origin::default());
        {
            let mut abandoned = Box::pin(caller.me());
            let waker = std::task::Waker::noop();
            assert!(abandoned.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
        }
        assert!(told.recv().await.unwrap().is_success());
    }

    #[tokio::test]
    async fn an_address_graph_can_t_be_at_is_refused() {
        let meta = StandIn::absent().await;
        for bad in ["ftp://graph.facebook.com", "data:text/plain,x", "mailto:a@b"] {
            let mut settings = meta.settings();
            settings.graph_url = bad.parse().unwrap();
            let now: Now = Arc::new(|| OffsetDateTime::UNIX_EPOCH);
            let refusal = Graph::new(settings, now, Arc::new(Unobserved)).unwrap_err();
            assert_eq!(refusal, BuildError::Address("The Graph URL"), "{bad}");
        }
    }

    /// Each secret of each call is put wherever Meta could put it, escaped in each way, and looked for in all that is kept.
    #[tokio::test]
    async fn a_secret_placed_everywhere_shows_up_nowhere() {
        const CODE: &str = "AQD-code/with+odd=chars#_";
        const VERIFIER: &str = "verifier-0123456789~abc";
        const GRANTED: &str = "granted-by-meta-0123456789";
        let secrets = [TOKEN, APP_SECRET, CODE, VERIFIER, GRANTED].map(str::to_owned).into_iter().chain([proof()]);
        let secrets: Vec<_> = secrets.collect();
        let encoded = |secret: &str| url::form_urlencoded::byte_serialize(secret.as_bytes()).collect::<String>();

        let spelled: Vec<_> = secrets[..4].iter().map(|secret| format!("{secret} \"{}\"", encoded(secret))).collect();
        let url = format!("https://x.example/?access_token={}&code={}&a=b", encoded(GRANTED), encoded(CODE));
        let everywhere = format!("{} {} {url}", spelled.join(" "), proof());
        let bodies = [
            json!({"access_token": GRANTED, "id": "1", "data": {"access_token": GRANTED}, "paging": {"next": everywhere}}).to_string(),
            json!({"error": {"message": everywhere, "type": everywhere, "code": 190, "fbtrace_id": everywhere, "error_user_title": everywhere,
                             "error_user_msg": everywhere, "error_data": {"seen": everywhere}}}).to_string().replace('/', "\\/"),
            format!("<p>{everywhere}</p>"),
            format!("{{\"access_token\":\"{GRANTED}"),
        ];
        for body in bodies {
            let reply = || {
                let header = everywhere.clone();
                Reply::raw(200, "application/json", body.clone())
                    .with("x-fb-debug", header.clone())
                    .with("x-fb-trace-id", header)
            };
            let meta = StandIn::start([reply(), reply(), reply(), reply()]).await;
            let (graph, caller, origin) = (meta.graph(), meta.caller(), Origin::default());
            let redirect = "https://liteboard.example/back".parse().unwrap();
            let token = AccessToken::from(TOKEN.to_owned());
            let mut kept = format!("{graph:?} {caller:?} {token:?}");
            // One exchange only has its own secrets to hide; these four have all of them between them.
            let results = [
                format!("{:?}", graph.exchange_code(&origin, &CODE.into(), &redirect, &VERIFIER.into()).await),
                format!("{:?}", graph.long_lived(&origin, &token).await),
                format!("{:?}", graph.debug_token(&origin, &token).await),
                format!("{:?}", caller.my_businesses(None).await),
            ];
            let own: [&[&str]; 4] = [
                &[CODE, VERIFIER, APP_SECRET, GRANTED],
                &[TOKEN, APP_SECRET, GRANTED],
                &[TOKEN, APP_SECRET, GRANTED],
                &[TOKEN, APP_SECRET, &proof(), GRANTED],
            ];
            for ((call, result), own) in meta.calls().iter().zip(results).zip(own) {
                kept.extend([&*call.path, &*call.query]);
                let all = format!("{call:?} {result}");
                for secret in own {
                    for spelling in [
                        (*secret).to_owned(),
                        encoded(secret),
                        secret.replace('/', "\\/"),
                        secret.replace('/', "\\\\/"),
                    ] {
                        assert!(!all.contains(&spelling), "{spelling} in {all}");
                    }
                }
            }
            for secret in &secrets {
                assert!(!kept.contains(secret) && !kept.contains(&encoded(secret)), "{secret} in {kept}");
            }
            assert_eq!(meta.calls().len(), 4);
        }
    }
}
