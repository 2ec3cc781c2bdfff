//! The line under the title: when Meta was last read, what is being read, what stands in the way. And the button.

use leptos::prelude::*;
use time::OffsetDateTime;

use super::model::{Running, SyncState};
use crate::{
    sign_in::way_to_new_token,
    ui::{Glyph, Icon, Separator, Timestamp, grouped},
};

/// What [`super::LiveList`] replaces while a sync runs; `data-running` is what it looks at.
pub fn sync_line(state: SyncState, now: OffsetDateTime, here: &str) -> AnyView {
    let running = state.running.is_some().then_some("true");
    let synced = match state.synced_at {
        Some(at) => view! { <span>"Last synced "<Timestamp at=at now=now/></span> }.into_any(),
        None if running.is_some() => view! { <span>"First sync"</span> }.into_any(),
        None => view! { <span>"Nothing synced yet"</span> }.into_any(),
    };
    let progress = state.running.map(|running| view! { <Separator/>{progress(&running, now)} });
    let failure =
        state.failure.filter(|_| running.is_none()).map(|cause| view! { <Separator/>{failure(&cause, here)} });
    view! { <p class="page-sub" role="status" id="sync" data-running=running>{synced}{progress}{failure}</p> }
        .into_any()
}

/// Figures that change every other second aren't spoken; the bar has a name and can be asked.
fn progress(running: &Running, now: OffsetDateTime) -> AnyView {
    let read = figure(running.wabas);
    let words = match running.expected {
        Some(expected) => format!("Syncing {read} of {} WABAs", figure(expected.max(running.wabas))),
        None => format!("Syncing, {read} WABAs so far"),
    };
    let bar = match running.expected {
        Some(expected) => view! {
            <progress class="inline-progress" max=expected.max(running.wabas).max(1) value=running.wabas aria-label="Sync with Meta"></progress>
        }
        .into_any(),
        None => view! { <progress class="inline-progress" aria-label="Sync with Meta"></progress> }.into_any(),
    };
    let pause = running
        .waits_until
        .filter(|at| *at > now)
        .map(|at| view! { <span>"Meta asked us to wait. We go on at "<Timestamp at=at now=now/></span> });
    view! {
        <span aria-hidden="true">{words}</span>
        {bar}
        {pause}
        <noscript><a class="link" href="">"Reload"</a></noscript>
    }
    .into_any()
}

fn failure(cause: &str, here: &str) -> AnyView {
    if cause == "token_invalid" {
        let href = way_to_new_token(here);
        return view! { <span>"The last sync ended early: the token no longer works. "<a class="link" href=href>"Sign in again"</a></span> }
            .into_any();
    }
    let words = match cause {
        "access_denied" | "not_found_or_no_access" => "Meta did not let the app read your WABAs",
        "temporary" | "unreachable" | "outcome_unknown" => "Meta could not be reached",
        "throttled" => "Meta asked for a long wait",
        "blocked" => "Meta has blocked the app for now",
        _ => "Meta refused, for a reason we do not know",
    };
    view! { <span>"The last sync ended early: "{words}". What it read is shown."</span> }.into_any()
}

fn figure(n: i32) -> String {
    grouped(u64::try_from(n).unwrap_or_default())
}

/// The button, a form of its own. `word` is 'Sync now' or, the first time, 'Sync from Meta'.
#[component]
pub fn SyncButton(word: &'static str, #[prop(optional)] primary: bool) -> AnyView {
    let class = if primary { "btn btn-primary" } else { "btn" };
    view! {
        <form method="post" action="/businesses/sync">
            <button class=class type="submit"><Icon glyph=Glyph::Refresh/><span>{word}</span></button>
        </form>
    }
    .into_any()
}
