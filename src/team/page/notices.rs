//! What a form that led here has to tell.

use leptos::prelude::*;

use super::super::settings::Flaw;
use crate::{
    sign_in::{SystemUserRefusal, Visit},
    ui::{ErrorNotice, Notice, NoticeKind},
};

/// What `?notice=` and `?problem=` tell, on the page at `back`. `token_kept`: whether a system user's token is stored now.
pub fn told(visit: &Visit, token_kept: bool, back: &'static str) -> Option<AnyView> {
    if let Some(refusal) = SystemUserRefusal::read(|name| visit.query(name)) {
        return Some(refused(refusal, token_kept));
    }
    if let Some(error) = visit.problem() {
        return Some(view! { <ErrorNotice error=error back=back/> }.into_any());
    }
    if let Some(problem) = visit.query("problem") {
        let (title, text) = match (problem.as_str(), Flaw::from_code(&problem)) {
            ("last_admin", _) => (
                "This is the last admin",
                "Somebody has to look after the team. Make another member who has signed in an admin first.",
            ),
            (_, Some(flaw)) => ("The settings were not saved", flaw.text()),
            _ => return None,
        };
        return Some(view! { <Notice kind=NoticeKind::Error title=title alert=true><p>{text}</p></Notice> }.into_any());
    }
    let (title, text) = match (visit.query("notice")?.as_str(), token_kept) {
        ("stored", true) => ("Token stored", "Requests are sent with it from now on. It will not be shown again."),
        ("removed", false) => ("Token removed", "Each member’s requests are sent with their own token from now on."),
        ("saved", _) => ("Saved", "The settings below hold from now on."),
        ("role", _) => ("Role changed", "It holds from their next click on. They are not signed out."),
        ("removed_member", _) => (
            "Member removed",
            "They are out at once. What they started goes on, and keeps their name. Businesses they look after stay theirs until you assign them to somebody else: filter the list of businesses by manager.",
        ),
        ("let_back_in", _) => {
            ("Member let back in", "They can sign in again, as Support until you give them another role.")
        }
        ("session_ended", _) => ("Session ended", "That browser is signed out. What was sent from it goes on."),
        ("sessions_ended", _) => ("Sessions ended", "Those browsers are signed out. What was sent from them goes on."),
        _ => return None,
    };
    Some(view! { <Notice kind=NoticeKind::Done title=title><p>{text}</p></Notice> }.into_any())
}

fn refused(refusal: SystemUserRefusal, kept: bool) -> AnyView {
    let (title, text) = (refusal.title(), refusal.text());
    let missing = (!refusal.missing.is_empty()).then(|| {
        let names = refusal.missing.into_iter().map(|name| view! { <li><code>{name}</code></li> }).collect_view();
        view! { <p>"Missing:"</p><ul class="missing">{names}</ul> }
    });
    let trace = refusal.fbtrace_id.map(|id| view! { <p>"Meta’s trace ID, for their support: "<code>{id}</code></p> });
    let rest = if kept {
        "What you pasted was not kept. The token stored before is still in use."
    } else {
        "What you pasted was not kept."
    };
    view! {
        <Notice kind=NoticeKind::Error title=title alert=true>
            <p>{text}</p>
            {missing}
            {trace}
            <p>{rest}</p>
        </Notice>
    }
    .into_any()
}
