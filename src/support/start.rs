//! 'Look up' before anything is looked up: what may be pasted, what the member looked up last, what failed lately.

use leptos::prelude::*;
use time::OffsetDateTime;
use url::form_urlencoded::byte_serialize;

use super::{
    failures::{group_heading, group_path},
    store::{Group, LookUp},
};
use crate::ui::{Name, Timestamp, plural};

pub fn start(look_ups: Vec<LookUp>, failures: Vec<Group>, now: OffsetDateTime) -> AnyView {
    let kinds = [
        ("fbtrace_id", true, "AXsgnV2Cm3ZMGF3dF_cfYIn", "Meta’s name for one call. Case matters."),
        ("Request ID", false, "738201946655120", "Given by Meta, or ours: LB-1001"),
        ("Business ID", false, "2210758843906172", "The client’s portfolio in Meta"),
        ("WABA ID", false, "980198427651188", "We find the business it belongs to"),
        ("Graph error", true, "{\"error\":{\"message\":…", "The whole JSON, as it came"),
        ("Log, curl output", true, "< x-fb-request-id: …", "Up to a megabyte: the IDs are found in it"),
        ("Name", false, "Banyan Leaf", "A business, by the words of its name"),
    ];
    let kinds = kinds
        .into_iter()
        .map(|(kind, is_code, example, meaning)| {
            let example = if is_code {
                view! { <code>{example}</code> }.into_any()
            } else {
                view! { <span class="num-l">{example}</span> }.into_any()
            };
            view! { <div><dt>{kind}</dt><dd>{example}<span class="muted">{meaning}</span></dd></div> }
        })
        .collect_view();
    view! {
        <div class="look-start">
            <section aria-labelledby="look-up-kinds">
                <h2 id="look-up-kinds">"Paste any of these"</h2>
                <dl class="kinds">{kinds}</dl>
            </section>
            <div>{recent(look_ups)}{failing(failures, now)}</div>
        </div>
    }
    .into_any()
}

fn recent(look_ups: Vec<LookUp>) -> AnyView {
    let list = if look_ups.is_empty() {
        view! { <p class="hint">"None yet."</p> }.into_any()
    } else {
        let lines = look_ups.into_iter().map(look_up_line).collect_view();
        view! { <ul class="mini">{lines}</ul> }.into_any()
    };
    view! { <section aria-labelledby="recent"><h2 id="recent">"Your recent look-ups"</h2>{list}</section> }.into_any()
}

fn look_up_line(look_up: LookUp) -> AnyView {
    let LookUp { asked, was } = look_up;
    let href = format!("/support?q={}", byte_serialize(asked.as_bytes()).collect::<String>());
    let is_digits = asked.bytes().all(|byte| byte.is_ascii_digit());
    let class = if is_digits { "name num-l clip" } else { "name mono clip" };
    let title = asked.clone();
    view! { <li><a class=class href=href title=title><bdi>{asked}</bdi></a><span class="muted"><Name name=was/></span></li> }.into_any()
}

fn failing(failures: Vec<Group>, now: OffsetDateTime) -> AnyView {
    let list = if failures.is_empty() {
        view! { <p class="hint">"Nothing failed in the last 7 days."</p> }.into_any()
    } else {
        let lines = failures
            .into_iter()
            .map(|group| {
                let (heading, href) = (group_heading(&group), group_path(group.id));
                let code = group.key.code.map(|code| view! { " "<code class="muted">{code}</code> });
                let calls = plural(group.calls.unsigned_abs(), "call", "calls");
                let at = group.last_at;
                view! {
                    <li>
                        <span><a class="name" href=href>{heading}</a>{code}</span>
                        <span class="muted">{calls}", last "<Timestamp at=at now=now/></span>
                    </li>
                }
            })
            .collect_view();
        view! { <ul class="mini">{lines}</ul> }.into_any()
    };
    view! {
        <section class="look-next" aria-labelledby="failing">
            <h2 id="failing">"Failing most, last 7 days"</h2>
            {list}
            <p class="sm"><a class="link" href="/support/causes">"All failures by cause"</a></p>
        </section>
    }
    .into_any()
}
