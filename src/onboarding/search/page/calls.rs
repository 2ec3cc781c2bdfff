//! The list of calls to Meta.

use std::time::Duration;

use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    super::{
        address,
        store::{self, BUDGET, CallPlace, CallRow, LookedAtCalls},
    },
    GO_ON, ROWS, Search, empty, looked_back, none,
};
use crate::{
    db::TenantTx,
    graph::Operation,
    onboarding::{model::RequestNumber, page::call_path},
    ui::{Identifier, Name, NameLink, Pager, TimeStyle, Timestamp, plural, seconds},
};

pub async fn list(
    tx: &mut TenantTx,
    search: &Search,
    after: Option<CallPlace>,
    now: OffsetDateTime,
) -> sqlx::Result<AnyView> {
    let looked = store::look_at_calls(tx, &search.filter, after, ROWS + 1, BUDGET).await?;
    let LookedAtCalls { mut rows, looked_to } = looked;
    let most = usize::try_from(ROWS).unwrap_or(usize::MAX);
    let more = rows.len() > most;
    rows.truncate(most);
    let on = rows.last().map(CallRow::place).filter(|_| more).or(looked_to);
    let older = on.map(|place| address::before_call(&search.text, place));
    let back_to = looked_to.map(|place| looked_back(place.at, now));
    if rows.is_empty() {
        return Ok(empty(search, "call", back_to.zip(older)));
    }
    let shown = u64::try_from(rows.len()).unwrap_or_default();
    let newest = after.map(|_| address::href(&search.text));
    let words = ("Newest", if looked_to.is_some() { GO_ON } else { "Older" });
    let back_to = back_to.map(|back_to| view! { ". "{back_to} });
    let rows = rows.into_iter().map(|row| table_row(row, now)).collect::<Vec<_>>();
    Ok(view! {
        <section class="list" aria-label="Results">
            <table class="table cards cards-req requests" role="table">
                <caption class="vh">"Calls to Meta, newest first"</caption>
                <thead role="rowgroup">
                    <tr role="row">
                        <th role="columnheader" scope="col">"When"</th>
                        <th role="columnheader" scope="col">"Trace"</th>
                        <th role="columnheader" scope="col">"Asked for"</th>
                        <th role="columnheader" scope="col" class="c-man">"Made for"</th>
                        <th role="columnheader" scope="col" class="num">"HTTP"</th>
                        <th role="columnheader" scope="col" class="num">"Took"</th>
                        <th role="columnheader" scope="col">"Answer"</th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{rows}</tbody>
            </table>
        </section>
        <Pager words back=newest on=older>{plural(shown, "call", "calls")}{back_to}</Pager>
    }
    .into_any())
}

fn table_row(row: CallRow, now: OffsetDateTime) -> AnyView {
    let trace = row.fbtrace_id.or(row.x_fb_request_id);
    let asked_for = Operation::named(&row.operation)
        .map_or_else(|| row.operation.replace('_', " "), |known| known.words().to_owned());
    let href = call_path(row.call_id);
    let business = row.business_name.map(|name| view! { <span class="sub"><Name name=name/></span> });
    let made_for = row.number.map(RequestNumber).map_or_else(none, |number| {
        view! { <a class="link nowrap" href=format!("/requests/{number}")>{number.to_string()}</a> }.into_any()
    });
    let trace = match trace {
        Some(trace) => view! { <Identifier what="trace ID" value=trace mono=true/> }.into_any(),
        None => none(),
    };
    let status = row.http_status.map_or_else(none, IntoAny::into_any);
    let took = Duration::from_millis(u64::try_from(row.duration_ms).unwrap_or_default());
    let answer = match (row.code, row.failure) {
        (Some(code), _) => {
            let codes = row.subcode.map_or_else(|| code.to_string(), |subcode| format!("{code} / {subcode}"));
            let message = row.message.unwrap_or_default();
            view! { <span class="err"><code>{codes}</code>" "<span class="clip" title=message.clone()>{message.clone()}</span></span> }.into_any()
        }
        (None, Some(failure)) => view! { <span class="err">{failure.replace('_', " ")}</span> }.into_any(),
        (None, None) if row.operation == Operation::OnboardPartnersToMmLite.as_str() => "Taken".into_any(),
        (None, None) => "Answered".into_any(),
    };
    view! {
        <tr role="row">
            <td role="cell" data-label="When" class="c-state nowrap"><Timestamp at=row.started_at now=now style=TimeStyle::Second/></td>
            <td role="cell" data-label="Trace" class="c-id">{trace}</td>
            <th role="rowheader" scope="row" class="c-name">
                <NameLink href=href name=asked_for/>{business}
            </th>
            <td role="cell" data-label="Made for" class="c-man">{made_for}</td>
            <td role="cell" data-label="HTTP" class="c-age num">{status}</td>
            <td role="cell" data-label="Took" class="num nowrap">{seconds(took)}</td>
            <td role="cell" data-label="Answer" class="c-err">{answer}</td>
        </tr>
    }
    .into_any()
}
