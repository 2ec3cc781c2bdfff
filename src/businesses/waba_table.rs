//! The WABAs of one business, each with what Meta says of it and why.

use leptos::prelude::*;

use super::{
    model::Waba,
    reasons::{reason_words, remedy},
};
use crate::ui::{Hue, Identifier, Name, StateLabel, Tag};

/// The table of [`super::wabas_of`]. Those that are gone stay in it, and say so.
#[component]
pub fn WabaTable(wabas: Vec<Waba>) -> AnyView {
    let rows = wabas.into_iter().map(row).collect_view();
    view! {
        <table class="table tall cards" role="table">
            <caption class="vh">"WABAs of this business and whether each is eligible"</caption>
            <thead role="rowgroup">
                <tr role="row">
                    <th role="columnheader" scope="col">"WABA"</th>
                    <th role="columnheader" scope="col">"WABA ID"</th>
                    <th role="columnheader" scope="col">"Link"</th>
                    <th role="columnheader" scope="col" class="wide">"Eligibility"</th>
                </tr>
            </thead>
            <tbody role="rowgroup">{rows}</tbody>
        </table>
    }
    .into_any()
}

fn row(waba: Waba) -> AnyView {
    let eligibility = if waba.gone_at.is_some() {
        view! { <Tag hue=Hue::Grey text="No longer shared"/> }.into_any()
    } else {
        eligibility(waba.eligibility)
    };
    view! {
        <tr role="row">
            <th role="rowheader" scope="row"><span class="name"><Name name=waba.name/></span></th>
            <td role="cell" data-label="WABA ID"><Identifier what="WABA ID" value=waba.id.to_string()/></td>
            <td role="cell" data-label="Link">{waba.link.word()}</td>
            <td role="cell" data-label="Eligibility">{eligibility}</td>
        </tr>
    }
    .into_any()
}

/// State, reason, what helps; Meta's own constant wherever the state alone doesn't say it.
fn eligibility(said: Option<String>) -> AnyView {
    let reason = reason_words(said.as_deref());
    let words = match (reason.words, remedy(said.as_deref())) {
        ("", _) => None,
        (words, None) => Some(format!("{words}.")),
        (words, Some(remedy)) => Some(format!("{words}. {remedy}")),
    };
    let constant = said.filter(|_| words.is_some()).map(|said| view! { <code class="raw">{said}</code> });
    view! {
        <StateLabel look=reason.look()/>
        {words.map(|words| view! { <span class="sub">{words}</span> })}
        {constant}
    }
    .into_any()
}
