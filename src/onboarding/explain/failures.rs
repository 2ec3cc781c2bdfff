//! The words for each reason why a request waits or failed, as a table by cause.

use super::{Action, Explanation, Subject, WORKSPACE_ADMIN};
use crate::{
    graph::Cause,
    onboarding::{decide::MOST_FAULTS, model::State},
    ui::{Glyph, Hue},
};

/// A cause in a few words, for a table or after "Failed:". It begins with a capital.
pub const fn cause_words(cause: Cause) -> &'static str {
    match cause {
        Cause::TokenInvalid => "Token no longer works",
        Cause::AccessDenied => "App lacks permission",
        Cause::NotFoundOrNoAccess => "Not found, or no access",
        Cause::InvalidParameter => "Meta refused a value",
        Cause::Throttled => "Call limit reached",
        Cause::Temporary => "Temporary fault at Meta",
        Cause::OutcomeUnknown => "Not known if Meta took it",
        Cause::Unreachable => "Meta could not be reached",
        Cause::AlreadyRequested => "Already requested",
        Cause::TakenByAnotherPartner => "Taken by another partner",
        Cause::InvalidRecipient => "No WABA could be onboarded",
        Cause::Blocked => "Blocked by Meta for now",
        Cause::OboConflict => "An OBO WABA stands in the way",
        Cause::DuplicatePost => "Sent twice",
        Cause::Unrecognised => "Refused, reason not known",
        Cause::BusinessLeft => "Business no longer shares a WABA",
        Cause::SolutionUnusable => "Solution can not be used",
        Cause::OwnTrouble => "Trouble on our side",
    }
}

/// What Meta says of a token, by the subcode of code 190 (6.10); it follows "Meta says it".
pub const fn token_words(subcode: Option<i64>) -> &'static str {
    match subcode {
        Some(463) => "expired",
        Some(467) => "was revoked",
        Some(460) => "belongs to a changed password",
        Some(458) => "belongs to someone who removed the app",
        Some(459) => "belongs to an account that is locked until its owner opens facebook.com",
        Some(464) => "belongs to an account that is not confirmed yet",
        Some(492) => "belongs to someone who lost their role",
        _ => "is not valid any more",
    }
}

/// Explains a request that waits to be tried again, or failed.
pub(super) fn explain(subject: &Subject<'_>) -> Explanation {
    let waits = subject.state == State::WaitingToRetry;
    let cause = subject.cause.unwrap_or(Cause::Unrecognised);
    let explained = match cause {
        Cause::TokenInvalid => return token(subject),
        Cause::Throttled if waits => limit(subject),
        Cause::Temporary if waits => Explanation::of(
            subject,
            "Temporary fault at Meta",
            &["We try again at \
            {retry}."],
        ),
        Cause::OutcomeUnknown if waits => Explanation::of(
            subject,
            "We do not know if Meta took it",
            &["No usable answer came. At {retry} we ask Meta for the status before any second try."],
        ),
        Cause::Unreachable if waits => {
            Explanation::of(subject, "Meta could not be reached", &["Nothing was sent. We try again at {retry}."])
        }
        Cause::OwnTrouble if waits => Explanation::of(
            subject,
            "Trouble on our side",
            &[
                "Our database or the store of tokens could not be used, so nothing was sent. We try again at {retry}, as \
               often as it takes.",
            ],
        ),
        _ if waits => Explanation::of(subject, "Waiting to try again", &["We try again at {retry}."]),
        cause => failed(subject, cause),
    };
    if waits { explained.offers(&[Action::Cancel]) } else { explained }
}

/// Meta's call limit.
pub(super) fn limit(subject: &Subject<'_>) -> Explanation {
    let explained = Explanation::of(
        subject,
        "Meta asks us to wait {wait}",
        &["The call limit is used up. We make no calls meanwhile. Sending starts again by itself at {retry}."],
    );
    Explanation { hue: Hue::Amber, glyph: Glyph::Clock, ..explained }
}

/// A token that no longer works.
pub(super) fn token(subject: &Subject<'_>) -> Explanation {
    let waits = subject.state != State::Failed;
    let text = if subject.reader_asked {
        "Meta says it {token}. Nothing can be sent until you sign in again."
    } else {
        "Meta says it {token}. Nothing can be sent until {asker} signs in again."
    };
    let at_facebook_first = matches!(subject.said.subcode, Some(459 | 464));
    let mut steps = Vec::new();
    if at_facebook_first {
        steps.push(if subject.reader_asked {
            "First open facebook.com and do what it asks there."
        } else {
            "{asker} first opens facebook.com and does what it asks there."
        });
    }
    steps.push(match (subject.reader_asked, waits) {
        (true, true) => "Sign in with Facebook again. The request then goes on by itself.",
        (true, false) => "Sign in with Facebook again, then retry.",
        (false, true) => "{asker} signs in to Liteboard again. The request then goes on by itself.",
        (false, false) => "{asker} signs in to Liteboard again, or you retry the request in your own name.",
    });
    let actions: &[Action] = match (subject.reader_asked, waits) {
        (true, true) => &[Action::SignInAgain, Action::Cancel],
        (true, false) => &[Action::SignInAgain, Action::Retry],
        (false, true) => &[Action::Cancel],
        (false, false) => &[Action::Retry],
    };
    let explained = Explanation::of(subject, "The token no longer works", &[text]);
    let hue = if waits { Hue::Amber } else { explained.hue };
    Explanation { hue, glyph: Glyph::Key, ..explained }.needs(None, subject, &steps).offers(actions)
}

fn failed(subject: &Subject<'_>, cause: Cause) -> Explanation {
    use Action::{CheckId, CopyForSupport, OpenBusiness, Retry};
    let explained = match cause {
        Cause::AccessDenied => Explanation::of(
            subject,
            "Meta refused: the app may not act for this business",
            &["The call itself was correct. Meta says the app or its token has no permission for {business}. \
               Trying again gives the same answer until that is changed."],
        )
        .needs(
            WORKSPACE_ADMIN,
            subject,
            &[
                "In Meta Business Settings, assign the client’s WABAs to the system user or the person who sends.",
                "In the App Dashboard, check that `whatsapp_business_management` and \
                 `whatsapp_business_messaging` still have advanced access.",
                "Retry here. If Meta still refuses, write to Direct Support within a day: trace IDs expire.",
            ],
        )
        .offers(&[Retry, CopyForSupport]),
        Cause::NotFoundOrNoAccess => Explanation::of(
            subject,
            "Not found, or no access",
            &["The ID may belong to a WABA, or the client has stopped sharing."],
        )
        .needs(
            None,
            subject,
            &[
                "Check the ID: it must be that of the business portfolio, not of a WABA.",
                "Ask {business} to share a WABA with you again, then retry.",
            ],
        )
        .offers(&[CheckId, Retry, CopyForSupport])
        .tells(subject, "Share your WhatsApp account with us again in Business Settings, under Partners."),
        Cause::Throttled => {
            Explanation::of(subject, "Meta asks us to wait", &["The call limit is used up."]).offers(&[Retry])
        }
        Cause::Temporary => faulty(subject, "Temporary fault at Meta", ""),
        Cause::Unreachable => faulty(subject, "Meta could not be reached", " Nothing was sent."),
        Cause::OutcomeUnknown => Explanation::of(
            subject,
            "We do not know if Meta took it",
            &["No usable answer came, though we asked Meta for the status before each try. Retry is safe: Meta \
               keeps a request that stands."],
        )
        .offers(&[Retry, CopyForSupport]),
        Cause::InvalidRecipient => Explanation::of(
            subject,
            "No WABA could be onboarded",
            &["Either the terms are signed already, or the country is not allowed, or no eligible WABA is shared."],
        )
        .needs(
            None,
            subject,
            &[
                "See the WABAs of {business}: each says what it needs.",
                "Ask the client to share an eligible WABA with you, then retry.",
            ],
        )
        .offers(&[OpenBusiness, Retry, CopyForSupport])
        .tells(
            subject,
            "Meta found no WhatsApp account of yours that can be onboarded. Share an active one in a \
             supported country with us.",
        ),
        Cause::Blocked => Explanation::of(
            subject,
            "Meta has blocked this for now",
            &["A policy block, usually for hours. We do not try again by ourselves."],
        )
        .needs(
            WORKSPACE_ADMIN,
            subject,
            &[
                "See Account quality in Meta Business Suite, and clear what Meta names there.",
                "Retry when the block is over.",
            ],
        )
        .offers(&[Retry, CopyForSupport]),
        Cause::OboConflict => {
            Explanation::of(subject, "An OBO WABA stands in the way", &["OBO is legacy. Only Meta can clear this."])
                .needs(
                    None,
                    subject,
                    &["Write to Meta Direct Support with the text below.", "Retry when Meta has cleared it."],
                )
                .offers(&[CopyForSupport, Retry])
        }
        Cause::BusinessLeft | Cause::SolutionUnusable | Cause::OwnTrouble => unsent(subject, cause),
        Cause::TokenInvalid
        | Cause::AlreadyRequested
        | Cause::TakenByAnotherPartner
        | Cause::InvalidParameter
        | Cause::DuplicatePost
        | Cause::Unrecognised => unknown(subject),
    };
    Explanation { glyph: Glyph::Alert, ..explained }
}

/// What ended before Meta was asked.
fn unsent(subject: &Subject<'_>, cause: Cause) -> Explanation {
    use Action::{OpenBusiness, Retry};
    match cause {
        Cause::BusinessLeft => Explanation::of(
            subject,
            "No WABA is shared with you any more",
            &["The client stopped sharing before the turn of the request came, so Meta was not asked."],
        )
        .needs(
            Some("for the client"),
            subject,
            &[
                "Ask {business} to share a WABA with you again: Business Settings, under Partners.",
                "Sync, so that we see it, then retry.",
            ],
        )
        .offers(&[OpenBusiness, Retry])
        .tells(subject, "Share your WhatsApp account with us again in Business Settings, under Partners."),
        Cause::SolutionUnusable => Explanation::of(
            subject,
            "The solution can not be used any more",
            &["It was deactivated, or Meta lists it no longer. Meta was not asked."],
        )
        .needs(
            WORKSPACE_ADMIN,
            subject,
            &[
                "Ask for {business} again with another solution, or none.",
                "Or have the solution activated, then retry.",
            ],
        )
        .offers(&[OpenBusiness, Retry]),
        _ => Explanation::of(subject, "Trouble on our side", &["Nothing was sent. Retry is safe."]).offers(&[Retry]),
    }
}

/// A fault that outlasted all tries.
fn faulty(subject: &Subject<'_>, title: &str, note: &str) -> Explanation {
    Explanation::of(subject, title, &[&format!("It came back {MOST_FAULTS} times in a row.{note}")])
        .needs(
            None,
            subject,
            &["Retry in a while.", "If it comes back, write to Meta Direct Support with the text below."],
        )
        .offers(&[Action::Retry, Action::CopyForSupport])
}

fn unknown(subject: &Subject<'_>) -> Explanation {
    let text =
        if subject.said.words().is_some() { "Meta’s own words: “{said}”" } else { "Meta gave no words with it." };
    Explanation::of(subject, "Meta refused, for a reason we do not know", &[text])
        .needs(None, subject, &["Write to Meta Direct Support with the text below.", "Retry when Meta has answered."])
        .offers(&[Action::CopyForSupport, Action::Retry])
}
