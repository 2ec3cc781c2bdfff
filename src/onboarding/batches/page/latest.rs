//! The latest answers of a batch, and the way to all of them.

use leptos::prelude::*;
use time::OffsetDateTime;

use super::{super::model::Answered, batch::Sight};
use crate::{
    onboarding::{model::State, page::words_of, search},
    ui::{Identifier, NameLink, StateLabel, TimeStyle, Timestamp, grouped, state::look_of},
};

/// The section; nothing before the first answer.
pub(super) fn latest(sight: &Sight) -> Option<AnyView> {
    if sight.latest.is_empty() {
        return None;
    }
    let all = search::href(&format!("batch:{}", sight.batch().number));
    let words = format!("All {} in Requests", grouped(sight.pulse.counts.total()));
    let rows = sight.latest.iter().map(|answer| row(answer, sight.now)).collect_view();
    Some(
        view! {
            <section class="section list" aria-labelledby="items-h">
                <div class="section-head">
                    <h2 id="items-h">"Latest answers"</h2>
                    <p><a class="link" href=all>{words}</a></p>
                </div>
                <table class="table cards" role="table">
                    <caption class="vh">"Latest answers in this batch"</caption>
                    <thead role="rowgroup">
                        <tr role="row">
                            <th role="columnheader" scope="col">"Business"</th>
                            <th role="columnheader" scope="col">"State"</th>
                            <th role="columnheader" scope="col" class="p2">"Business ID"</th>
                            <th role="columnheader" scope="col">"Request ID"</th>
                            <th role="columnheader" scope="col" class="p3">"Note"</th>
                            <th role="columnheader" scope="col" class="num">"At"</th>
                        </tr>
                    </thead>
                    <tbody role="rowgroup">{rows}</tbody>
                </table>
            </section>
        }
        .into_any(),
    )
}

fn row(answer: &Answered, now: OffsetDateTime) -> AnyView {
    let id = match answer.meta_request_id.clone() {
        Some(id) => view! { <Identifier what="request ID" value=id/> }.into_any(),
        None => {
            view! { <span class="none" aria-hidden="true">"–"</span><span class="vh">"Not issued"</span> }.into_any()
        }
    };
    view! {
        <tr role="row">
            <th role="rowheader" scope="row">
                <NameLink href=format!("/requests/{}", answer.number) name=answer.business_name.clone()/>
            </th>
            <td role="cell" data-label="State"><StateLabel look=look_of(answer.state.as_str())/></td>
            <td role="cell" data-label="Business ID" class="p2">
                <Identifier what="business ID" value=answer.business_id.clone()/>
            </td>
            <td role="cell" data-label="Request ID">{id}</td>
            <td role="cell" data-label="Note" class="p3 muted">{note(answer)}</td>
            <td role="cell" data-label="At" class="num nowrap">
                <Timestamp at=answer.changed_at now=now style=TimeStyle::Second/>
            </td>
        </tr>
    }
    .into_any()
}

fn note(answer: &Answered) -> Option<&'static str> {
    match answer.state {
        State::AlreadyRequested => Some("The first request stands"),
        State::TakenByAnotherPartner => Some("Another partner asked first"),
        _ => words_of(answer.cause.as_deref()),
    }
}
