//! From a call to Graph's answer: its faults, its count against the limits, its headers, its record.

use serde_json::Value;

use super::{
    access::Viewer,
    call::Call,
    clock::{graph_time, http_time},
    error::GraphError,
    faults::{After, Effect},
    nodes::ids_to_numbers,
    operation::Operation,
    options::Quirk,
    record::RecordedCall,
    shared::Shared,
    throttle::{Limits, Usage},
    tokens::Ending,
};

/// What goes out, and how.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: u16,
    pub content_type: &'static str,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
    pub delivery: Delivery,
}

/// What becomes of an answer on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    Whole,
    /// Half of the body, then the connection ends.
    Cut,
    Reset,
    Never,
}

impl Shared {
    /// Answers one call to Graph and records it.
    pub(super) fn answer(&self, call: &Call) -> Answer {
        self.catch_up();
        let trace = format!("A{}", self.opaque.text(22));
        let operation = self.operation(call);
        let mut entry = RecordedCall::new(call, operation, graph_time(self.clock.now()), &trace);
        let fault = self.faults().draw(operation, &self.opaque);
        entry.fault = fault.map(|fault| fault.name().to_owned());
        let now = self.clock.now();
        let effect = fault.map(|fault| {
            let token_error = |ending: Ending| ending.error(&self.options.app_id, now - time::Duration::hours(1), now);
            fault.effect(self.options.regain_minutes, self.throttle_http(), token_error)
        });

        let mut usage = Usage::default();
        let (outcome, after) = match effect {
            None => (self.perform(call, operation, &mut usage), None),
            Some(Effect::After(after)) => (self.perform(call, operation, &mut usage), Some(after)),
            Some(Effect::Error(error)) => {
                // Counted like any other call, so that its usage headers name the partner.
                let viewer = self.authenticate(call).ok();
                let _ = self.admit(call, operation, viewer.as_ref(), &mut usage);
                (Err(*error), None)
            }
            Some(effect) => {
                let answer = broken(&effect);
                entry.status = (answer.delivery == Delivery::Whole).then_some(answer.status);
                self.record().add(entry);
                return answer;
            }
        };
        let mut answer = self.write(call, outcome, &usage, &trace, &mut entry);
        if let Some(after) = after {
            spoil(&mut answer, after);
        }
        entry.status = matches!(answer.delivery, Delivery::Whole | Delivery::Cut).then_some(answer.status);
        self.record().add(entry);
        answer
    }

    fn throttle_http(&self) -> u16 {
        if self.has(Quirk::ThrottleAs429) { 429 } else { 400 }
    }

    fn write(
        &self,
        call: &Call,
        outcome: Result<Value, GraphError>,
        usage: &Usage,
        trace: &str,
        entry: &mut RecordedCall,
    ) -> Answer {
        let error = outcome.as_ref().err().cloned();
        let mut headers = usage.headers(error.as_ref());
        let (status, body) = match outcome {
            Ok(mut value) => {
                if self.has(Quirk::IdsAsNumbers) {
                    ids_to_numbers(&mut value);
                }
                (200, value)
            }
            Err(error) => {
                entry.code = Some(error.code);
                entry.subcode = error.subcode;
                if error.http == 401 {
                    let text = error.message.replace('"', "'");
                    headers.push((
                        "www-authenticate",
                        format!("OAuth \"Facebook Platform\" \"invalid_token\" \"{text}\""),
                    ));
                }
                (error.http, error.body(trace))
            }
        };
        let number = self.opaque.number();
        headers.extend([
            ("date", http_time(self.clock.now())),
            ("x-fb-trace-id", trace.to_owned()),
            ("x-fb-request-id", format!("{number:016x}")),
            ("x-fb-rev", (1_020_000_000 + number % 1_000_000).to_string()),
            ("x-fb-debug", format!("{}==", self.opaque.text(86))),
            ("facebook-api-version", call.answering_version().to_owned()),
        ]);
        let content_type = if self.has(Quirk::TextJavascript) {
            "text/javascript; charset=UTF-8"
        } else {
            "application/json; charset=UTF-8"
        };
        Answer { status, content_type, headers, body: body.to_string(), delivery: Delivery::Whole }
    }

    /// Counts a call against the limits. A multi-id read counts once for each id (facts 7.8).
    pub(super) fn admit(
        &self,
        call: &Call,
        operation: Operation,
        viewer: Option<&Viewer>,
        usage: &mut Usage,
    ) -> Result<(), GraphError> {
        let world = self.world();
        let first = call.path.first().and_then(|id| world.partner_at(id));
        let partner = first.or_else(|| viewer.and_then(|viewer| viewer.partners().first().copied()));
        let partner = partner.map(|place| world.partners[place].id);
        drop(world);
        let calls = call.params.get("ids").map_or(1, |ids| ids.split(',').count());
        let limits = Limits {
            app: self.options.limit_per_hour,
            partner: self.options.partner_limit_per_hour,
            throttle_http: self.throttle_http(),
        };
        let calls = u32::try_from(calls).unwrap_or(u32::MAX);
        let (counted, error) = self.throttle().admit(self.clock.now(), operation, partner, calls, limits);
        *usage = counted;
        error.map_or(Ok(()), Err)
    }
}

/// Answers that aren't Graph's, to calls that had no effect.
fn broken(effect: &Effect) -> Answer {
    let delivery = match effect {
        Effect::HangBefore => Delivery::Never,
        Effect::ResetBefore => Delivery::Reset,
        _ => Delivery::Whole,
    };
    let body = "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>".to_owned();
    Answer { status: 502, content_type: "text/html; charset=UTF-8", headers: Vec::new(), body, delivery }
}

fn spoil(answer: &mut Answer, after: After) {
    match after {
        After::Hang => answer.delivery = Delivery::Never,
        After::Reset => answer.delivery = Delivery::Reset,
        After::CutBody => answer.delivery = Delivery::Cut,
        After::CutJson => {
            let half = (0..=answer.body.len() / 2).rev().find(|at| answer.body.is_char_boundary(*at)).unwrap_or(0);
            answer.body.truncate(half);
        }
        After::EmptyBody => answer.body.clear(),
        After::EmptyObject => "{}".clone_into(&mut answer.body),
        After::WrongType => answer.content_type = "text/html; charset=UTF-8",
        After::HtmlPage => {
            answer.content_type = "text/html; charset=UTF-8";
            "<!doctype html><title>Facebook</title><p>Sorry, something went wrong.</p>".clone_into(&mut answer.body);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            faults::Fault,
            options::{NORTHLANE, Options, Quirk},
            situation::Situation,
            testing::Meta,
        },
        *,
    };

    #[test]
    fn every_answer_has_graphs_headers_and_an_error_its_trace_id() {
        let meta = Meta::small();
        let reply = meta.get("/v25.0/5");
        for name in
            ["x-fb-trace-id", "x-fb-request-id", "x-fb-rev", "x-fb-debug", "facebook-api-version", "x-app-usage"]
        {
            assert!(reply.header(name).is_some(), "{name}");
        }
        assert_eq!(reply.header("x-fb-trace-id"), reply.json["error"]["fbtrace_id"].as_str());
        assert_eq!(reply.raw.content_type, "application/json; charset=UTF-8");
        meta.shared.set_quirk(Quirk::TextJavascript, true);
        assert_eq!(meta.get("/v25.0/me").raw.content_type, "text/javascript; charset=UTF-8");
    }

    #[test]
    fn a_fault_after_takes_effect_and_any_other_does_not() {
        for fault in Fault::ALL {
            let meta = Meta::small();
            let business = meta.business(Situation::Onboardable);
            meta.shared.faults().plan(Operation::Onboard, *fault, 1);
            let reply = meta.onboard(&business, None);
            let after = matches!(
                fault.effect(1, 400, |ending| ending.error(
                    "1",
                    time::OffsetDateTime::UNIX_EPOCH,
                    time::OffsetDateTime::UNIX_EPOCH
                )),
                Effect::After(_)
            );
            assert_eq!(meta.shared.ledger().len(), usize::from(after), "{fault}");
            let good =
                reply.status == 200 && reply.json["request_id"].is_string() && reply.raw.delivery == Delivery::Whole;
            assert!(!good || *fault == Fault::WrongType, "{fault}");
            assert_eq!(meta.onboard(&business, None).status, 200, "{fault} is over");
        }
    }

    #[test]
    fn a_planned_limit_names_the_minutes_to_wait() {
        let meta = Meta::small();
        meta.shared.faults().plan(Operation::Onboard, Fault::PartnerLimit, 1);
        let reply = meta.onboard(&meta.business(Situation::Onboardable), None);
        assert_eq!(reply.code().0, 80008);
        let usage: Value = serde_json::from_str(reply.header("x-business-use-case-usage").unwrap()).unwrap();
        assert_eq!(usage[NORTHLANE][0]["estimated_time_to_regain_access"], 5);
        assert_eq!(usage[NORTHLANE][0]["call_count"], 100);
    }

    #[test]
    fn the_limits_of_an_hour_hold_and_end() {
        let meta = Meta::new(Options { businesses: 30, partner_limit_per_hour: Some(2), ..Options::default() });
        let list = format!("/v25.0/{NORTHLANE}/client_whatsapp_business_accounts?limit=1");
        assert_eq!([200, 200, 400], [0; 3].map(|_| meta.get(&list).status));
        assert_eq!(meta.get("/v25.0/me").status, 200, "another kind of call isn't limited");
        meta.shared.clock.advance(std::time::Duration::from_secs(3700));
        assert_eq!(meta.get(&list).status, 200);
        let meta = Meta::new(Options { businesses: 30, limit_per_hour: Some(1), ..Options::default() });
        meta.shared.set_quirk(Quirk::ThrottleAs429, true);
        assert_eq!([200, 429], [0; 2].map(|_| meta.get("/v25.0/me").status));
    }

    #[test]
    fn the_record_tells_what_was_asked_and_what_went_wrong() {
        let meta = Meta::small();
        meta.shared.faults().plan(Operation::Any, Fault::HangAfter, 1);
        meta.onboard(&meta.business(Situation::Onboardable), None);
        meta.get("/v25.0/5");
        let calls = meta.shared.record().last(10);
        assert_eq!(
            (calls[0].operation, calls[0].status, calls[0].fault.as_deref()),
            (Operation::Onboard, None, Some("hang-after"))
        );
        assert_eq!((calls[1].status, calls[1].code, calls[1].subcode), (Some(400), Some(100), Some(33)));
        assert!(!format!("{calls:?}").contains(&meta.token));
    }
}
