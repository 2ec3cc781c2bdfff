//! What happened, in words: the lines of a timeline, from the events of requests and of businesses.

use leptos::prelude::*;
use time::OffsetDateTime;

use super::{call_path, request_url};
use crate::{
    businesses::{self, Assignment, Event, EventKind, HeardFrom, Note},
    graph::Cause,
    onboarding::{
        batches::BatchNumber,
        explain::cause_words,
        model::{Answered, RequestEvent, State, Told, Wished},
    },
    sign_in::Viewer,
    ui::{Glyph, Hue, Identifier, Name, TimeStyle, TimelineEvent, Timestamp, state::look_of},
};

/// A cause as it is stored, in a few words. One that a newer version wrote is not guessed at.
pub(in crate::onboarding) fn words_of(cause: Option<&str>) -> Option<&'static str> {
    cause.map(|cause| cause.parse().map_or("Something new to us", cause_words))
}

/// The same within a sentence. Names keep their capitals.
pub(super) fn lower_words_of(cause: Option<&str>) -> Option<String> {
    let words = words_of(cause)?;
    let keeps = ["Meta ", "OBO "].iter().any(|name| words.starts_with(name));
    let mut letters = words.chars();
    let first = letters.next().filter(|_| !keeps).map(|letter| letter.to_ascii_lowercase());
    Some(first.map_or_else(|| words.to_owned(), |first| format!("{first}{}", letters.as_str())))
}

/// A line about a request. `linked` names the request and leads to it, for timelines that tell of several.
pub(super) fn request_event(told: &Told, now: OffsetDateTime, linked: bool) -> AnyView {
    let Told { event, wished, answer } = told;
    let look = look_of(event.state.as_str());
    let who = || view! { <Name name=event.member_name.clone().unwrap_or_else(|| "Somebody".to_owned())/> };
    let what = match event.state {
        State::Queued => view! { "Queued by "{who()} }.into_any(),
        State::Cancelled => view! { "Cancelled by "{who()} }.into_any(),
        state => headline(state, event.cause.as_deref()).into_any(),
    };
    let hue = (!matches!(event.state, State::Queued | State::Cancelled)).then_some(look.hue);
    let link = linked.then(|| {
        view! { "Request "<a class="link" href=request_url(event.number)>{event.number.to_string()}</a>". " }
    });
    let wish = (event.state == State::Queued).then(|| wish_words(wished));
    let attempt = (event.attempt > 0).then(|| format!("Attempt {}. ", event.attempt));
    let for_sign_in = event.cause.as_deref() == Some(Cause::TokenInvalid.as_str());
    let next = event.retry_at.filter(|_| event.state == State::WaitingToRetry && !for_sign_in).map(|at| {
        view! { "Next try at "<Timestamp at=at now=now style=TimeStyle::Second/>". " }
    });
    let person = (event.state == State::Failed).then_some("Needs a person. ");
    let said = answer.as_ref().and_then(answer_words);
    let detail = (link.is_some() || attempt.is_some() || wish.is_some())
        .then(|| view! { <p>{link}{wish}{attempt}{next}{person}{said}</p> });
    view! { <TimelineEvent at=event.at now=now glyph=look.icon hue=hue what=what>{detail}</TimelineEvent> }.into_any()
}

/// How a request was asked for.
fn wish_words(wished: &Wished) -> AnyView {
    let batch = wished.batch.map(|batch| {
        let batch = BatchNumber(batch);
        view! { "In "<a class="link" href=format!("/batches/{batch}")>{format!("batch {batch}")}</a>". " }
    });
    match wished.solution.clone() {
        Some(solution) => view! { {batch}"With the solution "<Name name=solution/>"." }.into_any(),
        None => view! { {batch}"Without a solution." }.into_any(),
    }
}

/// What Meta answered: its own words, its code, its trace. An answer that took the request says nothing more.
fn answer_words(answer: &Answered) -> Option<AnyView> {
    let message = answer.message.clone().filter(|words| !words.is_empty())?;
    let code = answer.code.map(|code| view! { ", code "<code>{code}</code> });
    let trace = answer.fbtrace_id.clone().map(|id| {
        view! { ", fbtrace_id "<Identifier what="fbtrace_id" value=id mono=true/>" " }
    });
    // No full stop behind a button.
    let end = trace.is_none().then_some(". ");
    let call = view! { <a class="link" href=call_path(answer.call_id)>"Details of the call"</a> };
    Some(view! { "Meta answered “"<Name name=message/>"”"{code}{trace}{end}{call} }.into_any())
}

/// Somebody else looks after the business.
pub(super) fn assignment(change: &Assignment, at: OffsetDateTime, now: OffsetDateTime) -> AnyView {
    let what = match change.to.clone() {
        Some(name) => view! { "Assigned to "<Name name=name/> }.into_any(),
        None => "Assigned to nobody in particular".into_any(),
    };
    let by = change.by.clone();
    view! {
        <TimelineEvent at=at now=now glyph=Glyph::User what=what><p>"By "<Name name=by/></p></TimelineEvent>
    }
    .into_any()
}

/// A note, with the way to delete it for who wrote it.
pub(super) fn note(note: &Note, at: OffsetDateTime, viewer: &Viewer, now: OffsetDateTime) -> AnyView {
    let by = note.by.clone();
    let what = view! { <Name name=by/>" left a note" }.into_any();
    let said = match note.deleted_at {
        Some(deleted_at) => {
            view! { <p>"Deleted by its writer at "<Timestamp at=deleted_at now=now/>"."</p> }.into_any()
        }
        None => view! { <blockquote class="note">{note.words.clone()}</blockquote> }.into_any(),
    };
    let may_delete = note.deleted_at.is_none() && note.member_id == viewer.member_id && viewer.role.may_onboard();
    let delete = may_delete.then(|| {
        view! {
            <form method="post" action="/businesses/delete_note">
                <input type="hidden" name="note" value=note.id.to_string()/>
                <button class="btn btn-sm btn-quiet" type="submit">"Delete note"</button>
            </form>
        }
    });
    view! { <TimelineEvent at=at now=now glyph=Glyph::Note what=what>{said}{delete}</TimelineEvent> }.into_any()
}

/// What a request came to be, in a line.
pub fn headline(state: State, cause: Option<&str>) -> String {
    let because = lower_words_of(cause);
    let word = look_of(state.as_str()).word;
    match (state, because) {
        (State::Requested, _) => "Requested: Meta has e-mailed the admins".to_owned(),
        (State::AlreadyRequested, _) => "Already requested: Meta kept the first one".to_owned(),
        (State::TakenByAnotherPartner, _) => "Taken by another partner".to_owned(),
        (State::Accepted, _) => "Accepted: the terms are signed".to_owned(),
        (State::Ready, _) => "Ready: a WABA is onboarded".to_owned(),
        (_, Some(because)) => format!("{word}: {because}"),
        (_, None) => word.to_owned(),
    }
}

/// What is heard of later than this came late.
const LATE: time::Duration = time::Duration::minutes(2);

/// A line about a business.
pub fn business_event(event: &Event, now: OffsetDateTime) -> AnyView {
    let waba = || {
        let name = event.waba.as_ref().map(|(id, name)| if name.is_empty() { id.to_string() } else { name.clone() });
        view! { "WABA "<Name name=name.unwrap_or_else(|| "that we no longer know".to_owned())/> }
    };
    let said = event.detail.as_deref();
    let (glyph, hue, what) = match event.kind {
        EventKind::FirstSeen => (Glyph::Plus, None, "First seen in a sync".into_any()),
        EventKind::BecameEligible => (Glyph::Eligible, Some(Hue::Blue), "Became eligible".into_any()),
        EventKind::WabaShared => (Glyph::Link, None, view! { {waba()}" was shared" }.into_any()),
        EventKind::WabaGone => (Glyph::X, None, view! { {waba()}" is no longer shared" }.into_any()),
        EventKind::EligibilityChanged => {
            let look = businesses::reason_words(said).look();
            (look.icon, Some(look.hue), view! { {waba()}": "{look.word} }.into_any())
        }
        EventKind::MetaStatusChanged => {
            let words = businesses::meta_status_words(said).to_lowercase();
            (Glyph::Refresh, None, format!("Meta says: {words}").into_any())
        }
        EventKind::Left => (Glyph::Alert, Some(Hue::Amber), "Left: it shares no WABA any more".into_any()),
        EventKind::Returned => (Glyph::Plus, None, "Returned: it shares a WABA again".into_any()),
        EventKind::CheckAsked => {
            let by = event.by.clone().unwrap_or_else(|| "Somebody".to_owned());
            (Glyph::Refresh, None, view! { <Name name=by/>" asked for a check at Meta" }.into_any())
        }
        EventKind::Told => {
            let told = businesses::told_words(said.unwrap_or_default());
            let whose = told.is_of_a_waba.then(waba);
            (told.glyph, told.hue, view! { {whose}{told.words} }.into_any())
        }
    };
    let reason = match event.kind {
        EventKind::EligibilityChanged => {
            Some(businesses::reason_words(said).words.to_owned()).filter(|words| !words.is_empty())
        }
        EventKind::Told => Some(businesses::told_words(said.unwrap_or_default()).source()),
        _ => None,
    };
    let reason = reason.map(|reason| format!("{reason}. "));
    // That a sync saw it first, or a webhook told it, is what the line says already.
    let way = event
        .heard_from
        .filter(|_| !matches!(event.kind, EventKind::FirstSeen | EventKind::Told))
        .map(HeardFrom::words);
    let late = event.heard_at.filter(|heard_at| *heard_at - event.at > LATE).map(|heard_at| {
        view! { "We heard of it at "<Timestamp at=heard_at now=now style=TimeStyle::Minute/>"." }
    });
    let detail = (reason.is_some() || way.is_some()).then(|| view! { <p>{reason}{way}{late}</p> });
    view! { <TimelineEvent at=event.at now=now glyph=glyph hue=hue what=what>{detail}</TimelineEvent> }.into_any()
}

/// How an attempt ended, in words, from the event that ended it.
pub(super) fn outcome_of(event: Option<&RequestEvent>, tried_again: bool) -> String {
    let Some(event) = event else { return "No outcome yet.".to_owned() };
    let because = words_of(event.cause.as_deref()).unwrap_or("Meta refused");
    match event.state {
        State::Requested => "Meta took the request and e-mailed the admins.".to_owned(),
        State::AlreadyRequested => "A request stood already. Meta kept it.".to_owned(),
        State::TakenByAnotherPartner => "Another partner asked first.".to_owned(),
        State::Accepted => "The terms are signed.".to_owned(),
        State::WaitingToRetry if tried_again => format!("{because}. Tried again later."),
        State::WaitingToRetry if event.cause.as_deref() == Some(Cause::TokenInvalid.as_str()) => {
            format!("{because}. Waits for a new sign-in.")
        }
        State::WaitingToRetry => format!("{because}. To be tried again."),
        State::Failed => {
            let helps = event.cause.as_deref().and_then(|cause| cause.parse().ok()).is_some_and(outlasted);
            format!(
                "{because}. {}",
                if helps { "Given up after too many tries." } else { "Not retried: trying again cannot help." }
            )
        }
        State::Queued | State::Sending | State::Ready | State::Cancelled => {
            format!("{}.", look_of(event.state.as_str()).word)
        }
    }
}

/// Faults that are retried, and so fail only by coming back too often.
fn outlasted(cause: Cause) -> bool {
    matches!(cause, Cause::Temporary | Cause::Unreachable | Cause::OutcomeUnknown)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::onboarding::model::RequestNumber;

    fn event(state: State, cause: Option<Cause>) -> RequestEvent {
        RequestEvent {
            number: RequestNumber(1001),
            at: datetime!(2026-11-24 10:18 UTC),
            state,
            attempt: 1,
            cause: cause.map(|cause| cause.as_str().to_owned()),
            retry_at: None,
            member_name: None,
        }
    }

    #[test]
    fn an_attempt_ends_in_words() {
        for (state, cause, words) in [
            (State::Requested, None, "Meta took the request and e-mailed the admins."),
            (State::Failed, Some(Cause::AccessDenied), "App lacks permission. Not retried: trying again cannot help."),
            (State::Failed, Some(Cause::Temporary), "Temporary fault at Meta. Given up after too many tries."),
            (State::WaitingToRetry, Some(Cause::Throttled), "Call limit reached. To be tried again."),
            (State::WaitingToRetry, Some(Cause::TokenInvalid), "Token no longer works. Waits for a new sign-in."),
        ] {
            assert_eq!(outcome_of(Some(&event(state, cause)), false), words);
        }
        let first = event(State::WaitingToRetry, Some(Cause::Temporary));
        assert_eq!(outcome_of(Some(&first), true), "Temporary fault at Meta. Tried again later.");
        assert_eq!(outcome_of(None, false), "No outcome yet.");
    }

    #[test]
    fn a_cause_stands_in_a_sentence_without_a_capital_unless_it_is_a_name() {
        for (cause, words) in [
            (Cause::Throttled, "call limit reached"),
            (Cause::Unreachable, "Meta could not be reached"),
            (Cause::OboConflict, "an OBO WABA stands in the way"),
        ] {
            assert_eq!(lower_words_of(Some(cause.as_str())).as_deref(), Some(words));
        }
        assert_eq!(lower_words_of(Some("from_the_future")).as_deref(), Some("something new to us"));
        assert_eq!(lower_words_of(None), None);
    }
}
