//! What can be copied of a call: the text for Meta Direct Support, the command that repeats it, its own address.
//!
//! Each text is shown as well, to be read first, and to be selected by hand where there is no script.

use leptos::prelude::*;
use url::Url;

use super::words::http_status;
use crate::{
    db::PartnerId,
    graph::{BusinessId, SolutionId},
    onboarding::{call_path, explain::Ticket},
    support::{curl::curl, store::KeptCall},
    ui::{CopyLink, CopyTextButton, Glyph, Icon},
};

/// The buttons, and below them what they copy. `graph` is where Meta's Graph API is.
pub fn copies(call: &KeptCall, partner: &PartnerId, graph: &Url) -> AnyView {
    let ticket = ticket_of(call, partner);
    let command = curl(graph, &call.method, &call.path, &call.query);
    let path = call_path(call.call_id);
    let for_meta = ticket.clone().map(|text| view! { <CopyTextButton word="Copy for Meta Direct Support" text=text/> });
    let shown = ticket.map(|text| preview("What is copied for Meta", "Text for Meta Direct Support", text));
    let command_shown = preview("The call as cURL", "The call as a cURL command", command.clone());
    view! {
        <div class="row">
            {for_meta}
            <CopyTextButton word="Copy as cURL" text=command/>
            <CopyLink href=path words=("Copy link to this answer", "Link to this answer")/>
        </div>
        <div class="copies">{shown}{command_shown}</div>
    }
    .into_any()
}

fn preview(summary: &'static str, label: &'static str, text: String) -> AnyView {
    view! {
        <details class="disclose">
            <summary><Icon glyph=Glyph::Right/>{summary}</summary>
            <pre class="code" tabindex="0" role="region" aria-label=label>{text}</pre>
        </details>
    }
    .into_any()
}

/// What Direct Support asks for, of a call that Meta did not take.
fn ticket_of(call: &KeptCall, partner: &PartnerId) -> Option<String> {
    call.cause()?;
    let is_business = call.business_name.is_some() || call.operation().is_some_and(crate::graph::Operation::writes);
    let business = call.subject_id.clone().filter(|_| is_business).map(BusinessId::from_stored);
    let solution = call.solution_id.clone().map(SolutionId::from_stored);
    let endpoint = format!("{} {}", call.method, call.path);
    let ticket = Ticket {
        endpoint: &endpoint,
        business: business.as_ref(),
        partner: partner.as_business(),
        app: &call.app_id,
        solution: solution.as_ref(),
        at: call.started_at,
        http: http_status(call),
        code: call.code,
        subcode: call.subcode,
        message: call.message.as_deref(),
        fbtrace_id: call.fbtrace_id.as_deref(),
        x_fb_request_id: call.x_fb_request_id.as_deref(),
    };
    Some(ticket.to_string())
}
