//! An explanation as a panel: what happened, what to do, the buttons.

use leptos::prelude::*;
use time::OffsetDateTime;

use super::{business_url, cancel_form, check_form, letter::Letter, request_url, retry_form};
use crate::{
    graph::{BusinessId, SolutionId},
    onboarding::{
        explain::{Action, Explanation, Line, Part},
        model::RequestNumber,
    },
    sign_in::way_to_new_token,
    ui::{CopyTextButton, Glyph, Icon, Lead, Name, NextSteps, Panel, TimeStyle, Timestamp},
};

/// What the buttons of an explanation need.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The request that is explained.
    pub number: RequestNumber,
    /// Its business.
    pub business_id: BusinessId,
    /// Its solution.
    pub solution_id: Option<SolutionId>,
    /// What Meta Direct Support asks for; `None` where no call was made.
    pub ticket: Option<String>,
    /// The message to the client's admins.
    pub letter: Letter,
    /// It lies with the client for so long that the message is what matters.
    pub is_stalled: bool,
    /// Whether the reader may send and stop requests.
    pub may_send: bool,
    /// Whether asking again makes sense: it's the business's newest request, and the business is still there.
    pub may_retry: bool,
}

/// The panel. Of the actions it offers those that the reader may take.
///
/// ```ignore
/// view! { <Explained explanation=explain(&subject) offer=offer now=now/> }
/// ```
#[component]
pub fn Explained(explanation: Explanation, offer: Offer, now: OffsetDateTime) -> AnyView {
    let Explanation { hue, glyph, title, text, who, steps, actions, .. } = explanation;
    let text = text.iter().map(|line| view! { <p>{line_view(line, now)}</p> }).collect_view();
    let steps = (!steps.is_empty()).then(|| {
        let steps = steps.iter().map(|step| view! { <li>{line_view(step, now)}</li> }).collect_view();
        match who {
            Some(who) => view! { <NextSteps who=who>{steps}</NextSteps> }.into_any(),
            None => view! { <NextSteps>{steps}</NextSteps> }.into_any(),
        }
    });
    let offered: Vec<Action> = actions.into_iter().filter(|action| may(*action, &offer)).collect();
    let buttons = offered.iter().enumerate().map(|(at, action)| button(*action, &offer, at == 0)).collect::<Vec<_>>();
    let check = (offer.may_send && offered.contains(&Action::CopyReminder))
        .then(|| check_form(&offer.business_id, Some(offer.number)));
    let row = (!buttons.is_empty()).then(|| view! { <div class="row">{buttons}{check}</div> });
    let letter = (offer.is_stalled && offered.contains(&Action::CopyReminder)).then(|| offer.letter.view());
    let look = (!offer.may_send).then(|| view! { <p class="hint">{super::MAY_NOT_SEND}</p> });
    let copied = copied_text(&offered, offer);
    view! {
        <Panel named_by="why" hue=hue>
            <div class="panel-body stack">
                <Lead id="why" title=title glyph=glyph>{text}</Lead>
                {steps}
                {letter}
                {row}
                {look}
                {copied}
            </div>
        </Panel>
    }
    .into_any()
}

fn may(action: Action, offer: &Offer) -> bool {
    match action {
        Action::Retry => offer.may_send && offer.may_retry,
        Action::Cancel => offer.may_send,
        Action::CopyForSupport => offer.ticket.is_some(),
        Action::SignInAgain | Action::CheckId | Action::OpenBusiness | Action::CopyReminder => true,
    }
}

/// A sentence with its names, times and constants marked up.
pub(in crate::onboarding) fn line_view(line: &Line, now: OffsetDateTime) -> Vec<AnyView> {
    line.parts()
        .iter()
        .cloned()
        .map(|part| match part {
            Part::Words(words) => words.into_any(),
            Part::Strong(words) => view! { <b>{words}</b> }.into_any(),
            Part::Name(name) => view! { <Name name=name/> }.into_any(),
            Part::Code(code) => view! { <code>{code}</code> }.into_any(),
            Part::Time(at) => view! { <Timestamp at=at now=now style=TimeStyle::Minute/> }.into_any(),
        })
        .collect()
}

fn button(action: Action, offer: &Offer, main: bool) -> AnyView {
    let class = if main { "btn btn-primary" } else { "btn" };
    match action {
        Action::Retry => {
            let button =
                view! { <button class=class type="submit"><Icon glyph=Glyph::Refresh/>"Retry request"</button> };
            retry_form(&offer.business_id, offer.solution_id.as_ref(), button.into_any())
        }
        Action::SignInAgain => {
            let href = way_to_new_token(&request_url(offer.number));
            view! { <a class=class href=href>"Sign in again"</a> }.into_any()
        }
        Action::CopyForSupport => {
            let ticket = offer.ticket.clone().unwrap_or_default();
            view! { <CopyTextButton word="Copy for Meta Direct Support" text=ticket primary=main/> }.into_any()
        }
        Action::CopyReminder => offer.letter.button("Copy reminder for the client", main),
        Action::CheckId => {
            view! { <a class=class href=format!("/support?q={}", offer.business_id)>"Check the ID"</a> }.into_any()
        }
        Action::OpenBusiness => {
            view! { <a class=class href=business_url(&offer.business_id)>"Open business"</a> }.into_any()
        }
        Action::Cancel => cancel_form(offer.number),
    }
}

/// What the copy button copies, to read first, and to select by hand where there is no script.
fn copied_text(offered: &[Action], offer: Offer) -> Option<AnyView> {
    let open = offer.letter.asked.is_some();
    let text = if offered.contains(&Action::CopyForSupport) {
        let ticket = offer.ticket?;
        view! { <pre class="code" tabindex="0" role="region" aria-label="Text for Meta Direct Support">{ticket}</pre> }
            .into_any()
    } else if offered.contains(&Action::CopyReminder) && !offer.is_stalled {
        offer.letter.view()
    } else {
        return None;
    };
    Some(
        view! {
            <details class="disclose" open=open>
                <summary><Icon glyph=Glyph::Right/>"What is copied"</summary>
                {text}
            </details>
        }
        .into_any(),
    )
}
