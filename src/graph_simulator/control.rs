//! `/simulator/...`: the controls over HTTP, for the page at `/` and for tests in other processes. Loopback only.
//!
//! GET `ledger`, `calls`, `partners`, `people`, `businesses?partner=`, `example?partner=&situation=`, `token?person=`,
//! `system-token?partner=` answer JSON. POST (form or JSON) `fault`, `chance`, `faults/clear`, `accept`, `accept-all`, `revoke`,
//! `revoke-system`, `expire`, `leave`, `join`, `solution`, `eligibility`, `rename`, `quirk`, `advance`, `webhook` change something; a browser
//! is led back to the page.

use std::{net::SocketAddr, time::Duration};

use axum::response::Response;
use http::{HeaderMap, Method, StatusCode, header};
use serde_json::{Value, json};

use super::{
    entries::Unknown,
    faults::Chance,
    html::{STYLE, STYLE_PATH},
    options::Webhook,
    params::Params,
    server::plain,
    shared::Shared,
    tokens::Ending,
};

type Done = Result<Value, Unknown>;

impl Shared {
    pub(super) fn control(
        &self,
        method: &Method,
        path: &str,
        params: &Params,
        headers: &HeaderMap,
        peer: SocketAddr,
    ) -> Response {
        const JSON: &str = "application/json; charset=UTF-8";
        if !peer.ip().is_loopback() || !asked_locally(headers) {
            return plain(
                StatusCode::FORBIDDEN,
                "text/plain; charset=UTF-8",
                "The controls are for this machine only.",
            );
        }
        let wants_page = headers
            .get(header::ACCEPT)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|accept| accept.contains("text/html"));
        let action = path.trim_start_matches("/simulator").trim_matches('/');
        if path == STYLE_PATH {
            return plain(StatusCode::OK, "text/css; charset=UTF-8", STYLE);
        }
        if action.is_empty() {
            return plain(StatusCode::OK, "text/html; charset=UTF-8", self.home());
        }
        let done = if *method == Method::POST { self.change(action, params) } else { self.look(action, params) };
        match done {
            Ok(_) if *method == Method::POST && wants_page => {
                let mut response = plain(StatusCode::SEE_OTHER, "text/plain; charset=UTF-8", "");
                response.headers_mut().insert(header::LOCATION, header::HeaderValue::from_static("/"));
                response
            }
            Ok(value) => plain(StatusCode::OK, JSON, value.to_string()),
            Err(error) => plain(StatusCode::BAD_REQUEST, JSON, json!({"error": error.to_string()}).to_string()),
        }
    }

    fn look(&self, action: &str, params: &Params) -> Done {
        let need = |name| params.get(name).ok_or_else(|| Unknown::missing(name));
        Ok(match action {
            "ledger" => json!(self.ledger()),
            "calls" => json!(
                self.record()
                    .last(params.get("last").and_then(|last| last.parse().ok()).unwrap_or(super::record::SHOWN))
            ),
            "partners" => json!(self.partners()),
            "people" => json!(self.people()),
            "businesses" => json!(self.businesses_of(need("partner")?)?),
            "example" => json!({"business_id": self.business_where(need("partner")?, parse(need("situation")?)?)?}),
            "token" => json!({"access_token": self.token_for(need("person")?)?}),
            "system-token" => json!({"access_token": self.system_token_for(need("partner")?)?}),
            other => return Err(Unknown::new("control", other)),
        })
    }

    fn change(&self, action: &str, params: &Params) -> Done {
        let need = |name| params.get(name).ok_or_else(|| Unknown::missing(name));
        match action {
            "revoke-system" => self.end_system_tokens_of(need("partner")?, Ending::LoggedOut)?,
            "fault" => {
                let times = params
                    .get("times")
                    .map_or(Ok(1), |times| times.parse().map_err(|_| Unknown::new("number of times", times)))?;
                self.faults().plan(parse(need("operation")?)?, parse(need("fault")?)?, times);
            }
            "chance" => {
                let text = format!("{}:{}:{}", need("operation")?, need("fault")?, need("probability")?);
                self.faults().set_chance(parse::<Chance>(&text)?);
            }
            "faults/clear" => self.faults().clear(),
            "accept" => self.accept_business(need("business")?)?,
            "accept-all" => return Ok(json!({"accepted": self.accept_all()})),
            "revoke" => {
                let ending = params.get("ending").map_or(Ok(Ending::LoggedOut), parse)?;
                self.end_tokens_of(need("person")?, ending)?;
            }
            "expire" => self.end_tokens_of(need("person")?, Ending::Expired)?,
            "leave" => self.leave_partner(need("business")?, need("partner")?)?,
            "join" => self.join_partner(need("business")?, need("partner")?)?,
            "solution" => self.set_solution_status(need("solution")?, need("status")?)?,
            "eligibility" => self.set_eligibility(need("waba")?, need("value")?)?,
            "rename" => self.rename(need("business")?, need("name")?)?,
            "quirk" => self.set_quirk(parse(need("quirk")?)?, params.get("on") != Some("false")),
            "webhook" => self.send_webhooks_to(Webhook {
                url: need("url")?.to_owned(),
                verify_token: need("verify_token")?.to_owned(),
                retry_after: Duration::from_secs(1),
            }),
            "advance" => {
                let seconds = need("seconds")?;
                let seconds = seconds.parse().map_err(|_| Unknown::new("number of seconds", seconds))?;
                self.clock.advance(Duration::from_secs(seconds));
                self.catch_up();
            }
            other => return Err(Unknown::new("control", other)),
        }
        Ok(json!({"success": true}))
    }
}

fn parse<T: std::str::FromStr<Err = String>>(text: &str) -> Result<T, Unknown> {
    text.parse().map_err(Unknown::from)
}

/// A page elsewhere must not reach the controls through a browser on this machine: neither by a form (`Sec-Fetch-Site`) nor by
/// a name that resolves to loopback (`Host`).
fn asked_locally(headers: &HeaderMap) -> bool {
    let get = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let host = get("host").unwrap_or("localhost");
    let name = host.strip_suffix(']').map_or_else(|| host.rsplit_once(':').map_or(host, |(name, _)| name), |_| host);
    let local = matches!(name, "localhost" | "127.0.0.1" | "[::1]" | "::1" | "[::1") || name.ends_with(".localhost");
    local && !matches!(get("sec-fetch-site"), Some("cross-site"))
}

#[cfg(test)]
mod tests {
    use super::super::{
        options::{NORTHLANE, Options},
        seed::PEOPLE_IDS,
        simulator::Simulator,
        testing::http,
    };

    const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

    #[tokio::test]
    async fn another_process_can_do_all_that_a_test_can() {
        let meta = Simulator::start(Options { businesses: 60, ..Options::default() }).await.unwrap();
        let url = meta.url();
        let get = |path: String| {
            let url = url.clone();
            async move {
                serde_json::from_str::<serde_json::Value>(
                    &http("GET", &format!("{url}/simulator/{path}"), &[], "").await.unwrap().2,
                )
                .unwrap()
            }
        };
        let business = get(format!("example?partner={NORTHLANE}&situation=onboardable")).await["business_id"]
            .as_str()
            .unwrap()
            .to_owned();
        let token = get(format!("token?person={}", PEOPLE_IDS[0])).await["access_token"].as_str().unwrap().to_owned();
        let post = |path: &str, body: String| {
            let url = format!("{url}/simulator/{path}");
            async move { http("POST", &url, &[FORM], &body).await.unwrap() }
        };
        assert_eq!(post("fault", "operation=onboard&fault=server-error&times=1".to_owned()).await.0, 200);
        let call = format!("{url}/v25.0/{business}/onboard_partners_to_mm_lite?access_token={token}");
        assert_eq!(http("POST", &call, &[], "").await.unwrap().0, 500);
        assert_eq!(http("POST", &call, &[], "").await.unwrap().0, 200);
        assert_eq!(get("ledger".to_owned()).await[0]["asked"], 1);
        for (path, body) in [
            ("accept", format!("business={business}")),
            ("accept-all", String::new()),
            ("leave", format!("business={business}&partner={NORTHLANE}")),
            ("advance", "seconds=60".to_owned()),
            ("quirk", "quirk=empty-pages&on=true".to_owned()),
            ("chance", "operation=any&fault=cut-json&probability=0.5".to_owned()),
            ("faults/clear", String::new()),
            ("revoke", format!("person={}&ending=checkpointed", PEOPLE_IDS[0])),
        ] {
            assert_eq!(post(path, body).await.0, 200, "{path}");
        }
        assert_eq!(http("GET", &format!("{url}/v25.0/me?access_token={token}"), &[], "").await.unwrap().0, 401);
        let (status, _, body) = post("fault", "operation=nothing&fault=server-error".to_owned()).await;
        assert!(status == 400 && body.contains("'nothing' is not one of"), "{body}");
    }

    #[tokio::test]
    async fn the_page_shows_calls_and_ledger_without_secrets_or_markup_from_names() {
        let meta = Simulator::start(Options { businesses: 60, ..Options::default() }).await.unwrap();
        let token = meta.token_for(PEOPLE_IDS[0]).unwrap();
        let bold = meta
            .businesses_of(NORTHLANE)
            .unwrap()
            .into_iter()
            .find(|business| business.name.starts_with("<b>"))
            .unwrap();
        let call = format!("{}/v25.0/{}/onboard_partners_to_mm_lite?access_token={token}", meta.url(), bold.id);
        http("POST", &call, &[], "").await.unwrap();
        let (status, _, page) = http("GET", &meta.url(), &[], "").await.unwrap();
        assert_eq!(status, 200);
        assert!(page.contains(&meta.ledger()[0].request_id) && page.contains("&lt;b&gt;Bold &amp; Sons"));
        assert!(!page.contains(&token) && !page.contains("<script") && !page.contains(meta.app_secret()));
        let back = [FORM, ("accept", "text/html")];
        let (status, headers, _) =
            http("POST", &format!("{}/simulator/accept-all", meta.url()), &back, "").await.unwrap();
        assert_eq!((status, headers["location"].to_str().unwrap()), (303, "/"));
    }

    #[tokio::test]
    async fn a_page_elsewhere_cannot_reach_the_controls() {
        let meta = Simulator::start(Options { businesses: 10, ..Options::default() }).await.unwrap();
        let url = format!("{}/simulator/token?person={}", meta.url(), PEOPLE_IDS[0]);
        assert_eq!(http("GET", &url, &[("host", "rebound.example")], "").await.unwrap().0, 403);
        assert_eq!(http("GET", &url, &[("sec-fetch-site", "cross-site")], "").await.unwrap().0, 403);
        assert_eq!(http("GET", &url, &[("host", "localhost:4000")], "").await.unwrap().0, 200);
    }
}
