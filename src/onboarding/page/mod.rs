//! The pages of this room: one business, the list of requests, one request.
//!
//! Each loads all it shows first and then makes the markup, so that it reads the same without JavaScript.

mod attempts;
mod business;
mod decision;
mod explained;
mod letter;
mod request;
mod story;
#[cfg(test)]
mod tests;
mod timeline;

use leptos::prelude::*;
use time::OffsetDateTime;

use super::{check::Refusal, model::RequestNumber};
use crate::{
    businesses::NoteRefusal,
    graph::{BusinessId, SolutionId},
    sign_in::Visit,
    ui::{ErrorNotice, Glyph, Icon, Notice, NoticeKind, Timestamp},
};

pub use self::{
    attempts::call_path,
    business::business_page,
    explained::Explained,
    request::request_page,
    story::{business_event, headline},
};
pub(super) use self::{explained::line_view, story::words_of};

/// What a member reads in place of buttons they may not press.
const MAY_NOT_SEND: &str =
    "Your role may look, and sends nothing. Ask an admin of your workspace to send it, or to change your role.";

/// What a door said before it led here, if it did.
pub(super) fn problem_notice(visit: &Visit) -> Option<AnyView> {
    let code = visit.query("problem")?;
    let words = if code == "too_late" {
        Some(("Not cancelled", "It had left already, so it can not be stopped any more."))
    } else if let Some(refusal) = NoteRefusal::from_code(&code) {
        Some(("Note not kept", refusal.words()))
    } else {
        Refusal::from_code(&code).map(|refusal| ("Not sent", refusal.words()))
    };
    match words {
        Some((title, words)) => {
            Some(view! { <Notice kind=NoticeKind::Error title=title alert=true><p>{words}</p></Notice> }.into_any())
        }
        None => visit.problem().map(|error| view! { <ErrorNotice error=error/> }.into_any()),
    }
}

/// When Meta was last asked how a business stands. What is older than its request says nothing of it.
fn checked(at: OffsetDateTime, is_older: bool, now: OffsetDateTime) -> AnyView {
    let before = is_older.then_some(", before the request");
    view! { <span class="sub">"Checked "<Timestamp at=at now=now/>{before}</span> }.into_any()
}

fn business_url(id: &BusinessId) -> String {
    format!("/businesses/{id}")
}

fn request_url(number: RequestNumber) -> String {
    format!("/requests/{number}")
}

/// A form that asks again, for the same business and solution.
fn retry_form(business: &BusinessId, solution: Option<&SolutionId>, button: AnyView) -> AnyView {
    let solution = solution.map(ToString::to_string).unwrap_or_default();
    view! {
        <form method="post" action="/onboarding/onboard">
            <input type="hidden" name="business_id" value=business.to_string()/>
            <input type="hidden" name="solution_id" value=solution/>
            {button}
        </form>
    }
    .into_any()
}

/// A form that has Meta asked how the business stands, and comes back.
fn check_form(business: &BusinessId, number: Option<RequestNumber>) -> AnyView {
    let number = number.map(|number| view! { <input type="hidden" name="number" value=number.to_string()/> });
    view! {
        <form method="post" action="/onboarding/check">
            <input type="hidden" name="business_id" value=business.to_string()/>
            {number}
            <button class="btn" type="submit"><Icon glyph=Glyph::Refresh/>"Check at Meta"</button>
        </form>
    }
    .into_any()
}

/// What a form that led here did, besides what the page tells anyway.
fn deed_notice(visit: &Visit) -> Option<AnyView> {
    let (kind, title, words) = match visit.query("notice")?.as_str() {
        "noted" => (NoticeKind::Done, "Note kept", "It stands in the timeline. Only your workspace sees it."),
        "note_deleted" => (NoticeKind::Done, "Note deleted", "That there was one stays in the timeline."),
        "assigned" => (NoticeKind::Done, "Assigned", "Nothing was sent to Meta."),
        "checked" => (NoticeKind::Done, "Checked at Meta", "What Meta says is shown below."),
        "checked_lately" => (
            NoticeKind::Info,
            "Checked less than a minute ago",
            "What Meta said then is shown below. It can be asked again in a minute.",
        ),
        "asking" => (
            NoticeKind::Info,
            "Meta is asked as soon as it can be",
            "Requests go first, and Meta’s limits hold. Reload this page in a moment.",
        ),
        "not_waiting" => (NoticeKind::Info, "Nothing to check", "This business waits for nothing at Meta now."),
        _ => return None,
    };
    Some(view! { <Notice kind=kind title=title><p>{words}</p></Notice> }.into_any())
}

/// A form that stops a request before it's sent.
fn cancel_form(number: RequestNumber) -> AnyView {
    view! {
        <form method="post" action="/onboarding/cancel">
            <input type="hidden" name="number" value=number.to_string()/>
            <button class="btn" type="submit">"Cancel request"</button>
        </form>
    }
    .into_any()
}
