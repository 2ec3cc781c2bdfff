//! The facts of a call: Meta's answer in four, what Meta needs to find it, how much of the limits was used up, the business.

use std::time::Duration;

use leptos::prelude::*;
use time::OffsetDateTime;

use super::words::{failure_words, http_status, took};
use crate::{
    businesses::{self, Business},
    graph::{Operation, Usage},
    support::{answer::business_path, store::KeptCall},
    ui::{Fact, Facts, Identifier, Name, NameLink, age, plural, seconds},
};

/// How long a trace id is taken to be known at Meta. Its page only says that one expires shortly (7.4), so this is a guess,
/// and the page says 'probably'.
const TRACE_LIFE: Duration = Duration::from_hours(24);

pub fn four_facts(call: &KeptCall, now: OffsetDateTime) -> AnyView {
    let answer = match (http_status(call), &call.failure) {
        (Some(status), _) => format!("HTTP {status}"),
        (None, Some(failure)) => format!("None: {}", failure_words(failure)),
        (None, None) => "None".to_owned(),
    };
    let codes = match (call.code, call.subcode) {
        (None, None) => "–".to_owned(),
        (code, subcode) => {
            [code, subcode].map(|code| code.map_or_else(|| "–".to_owned(), |code| code.to_string())).join(" / ")
        }
    };
    let named = call.user_title.clone().or_else(|| call.kind.clone());
    let (temporary, flag) = match call.is_transient {
        Some(true) => ("Yes", Some("is_transient: true")),
        Some(false) => ("No", Some("is_transient: false")),
        None => ("Meta did not say", None),
    };
    let passed = Duration::try_from(now - call.started_at).unwrap_or_default();
    let took = seconds(took(call));
    let (good, old) = match &call.fbtrace_id {
        Some(_) => {
            (if passed < TRACE_LIFE { "Probably" } else { "Probably not" }, Some(format!("{} old", age(passed))))
        }
        None => ("Meta gave none", None),
    };
    view! {
        <Facts wide=true>
            <Fact term="Answer">{answer}<span class="sub">"after "{took}</span></Fact>
            <Fact term="Code / subcode">{codes}{named.map(|named| view! { <span class="sub"><Name name=named/></span> })}</Fact>
            <Fact term="Temporary">{temporary}{flag.map(|flag| view! { <span class="sub">{flag}</span> })}</Fact>
            <Fact term="Trace ID still good">{good}{old.map(|old| view! { <span class="sub">{old}</span> })}</Fact>
        </Facts>
    }
    .into_any()
}

pub fn business_facts(business: &Business) -> AnyView {
    let (id, name) = (business.id.to_string(), business.name.clone());
    let href = business_path(&id);
    let wabas = format!(
        "{}, of which {} eligible",
        plural(u64::from(business.wabas.unsigned_abs()), "WABA", "WABAs"),
        business.eligible_wabas
    );
    let meta_says = businesses::meta_status_words(business.meta_status.as_deref());
    let asked_by = business.last_request.as_ref().map(|last| {
        let name = last.by.clone();
        view! { <Fact term="Last asked by"><Name name=name/></Fact> }
    });
    view! {
        <h2>"Business"</h2>
        <Facts>
            <Fact term="Name"><NameLink href=href name=name/></Fact>
            <Fact term="Business ID"><Identifier what="business ID" value=id/></Fact>
            <Fact term="WABAs">{wabas}</Fact>
            <Fact term="Meta says">{meta_says}</Fact>
            {asked_by}
        </Facts>
    }
    .into_any()
}

pub fn meta_facts(call: &KeptCall) -> AnyView {
    let request_id = call.x_fb_request_id.clone().map(|id| {
        view! { <Fact term="x-fb-request-id"><Identifier what="x-fb-request-id" value=id mono=true/></Fact> }
    });
    let details = call.error_data.clone().map(|data| view! { <Fact term="error_data"><code>{data}</code></Fact> });
    let solution = match call.solution_id.clone() {
        Some(id) => {
            Some(view! { <Fact term="Solution ID"><Identifier what="solution ID" value=id/></Fact> }.into_any())
        }
        // Only this call can name one.
        None if call.operation().is_some_and(Operation::writes) => {
            Some(view! { <Fact term="Solution ID">"None"</Fact> }.into_any())
        }
        None => None,
    };
    let usage = usage_words(call).map(|words| {
        let lines = words.into_iter().map(|line| view! { <span class="sub">{line}</span> }).collect_view();
        view! { <Fact term="Limits used then">{lines}</Fact> }
    });
    let (version, app_id) = (call.graph_version.clone(), call.app_id.clone());
    let words = [
        said("Message", call.message.as_ref()),
        said("Title shown", call.user_title.as_ref()),
        said("Text shown", call.user_message.as_ref()),
    ];
    let constants = [constant("x-fb-rev", call.x_fb_rev.as_ref()), constant("x-fb-debug", call.x_fb_debug.as_ref())];
    let retry_after = constant("Retry-After", call.retry_after.as_ref());
    view! {
        <h2 class="side-next">"For Meta"</h2>
        <Facts>
            {words.into_iter().collect_view()}
            {request_id}
            {constants.into_iter().collect_view()}
            {details}
            <Fact term="Graph version">{version}</Fact>
            <Fact term="App ID"><Identifier what="app ID" value=app_id/></Fact>
            {solution}
            {usage}
            {retry_after}
        </Facts>
    }
    .into_any()
}

/// Meta's words, if there are any.
fn said(term: &'static str, words: Option<&String>) -> Option<AnyView> {
    let words = words.cloned()?;
    Some(view! { <Fact term=term><Name name=words/></Fact> }.into_any())
}

/// Something of Meta's that isn't for reading.
fn constant(term: &'static str, text: Option<&String>) -> Option<AnyView> {
    let text = text.cloned()?;
    Some(view! { <Fact term=term><span class="mono">{text}</span></Fact> }.into_any())
}

/// How much of Meta's limits was used up at that moment, a line for each; `None`: Meta did not say.
fn usage_words(call: &KeptCall) -> Option<Vec<String>> {
    let usage = Usage::of_kept(call.app_usage.as_deref(), call.business_usage.as_deref(), None, call.started_at);
    let percent =
        |parts: [Option<f64>; 3]| parts.into_iter().flatten().reduce(f64::max).map(|most| format!("{most:.0} %"));
    let app = usage.app_percent().map(|most| format!("App: {most:.0} %"));
    let business = usage.business.iter().filter_map(|one| {
        let used = percent([one.call_count, one.total_time, one.total_cputime])?;
        let kind = one.kind.as_deref().unwrap_or("limit").replace('_', " ");
        let regain = one.regain.map(|regain| format!(", regained in {}", age(regain))).unwrap_or_default();
        Some(format!("{kind} of {}: {used}{regain}", one.object_id))
    });
    let words: Vec<String> = app.into_iter().chain(business).collect();
    (!words.is_empty()).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::fixture::kept_call;

    #[test]
    fn limits_are_told_as_meta_told_them_then() {
        let mut call = kept_call();
        call.app_usage = Some(r#"{"call_count":28,"total_time":25}"#.into());
        call.business_usage = Some(
            r#"{"77":[{"type":"whatsapp_business_management","call_count":100,"estimated_time_to_regain_access":19}]}"#
                .into(),
        );
        let words = usage_words(&call).unwrap();
        assert_eq!(words, ["App: 28 %", "whatsapp business management of 77: 100 %, regained in 19 min"]);
        (call.app_usage, call.business_usage) = (Some("{".into()), None);
        assert_eq!(usage_words(&call), None);
    }
}
