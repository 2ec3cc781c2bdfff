use time::macros::datetime;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-11-24 10:00 UTC);

const PATIENCE: time::Duration = time::Duration::days(7);

fn subject(state: State, cause: Option<Cause>) -> Subject<'static> {
    Subject {
        state,
        cause,
        said: Said { subcode: None, message: Some("(#100) No."), user_message: None },
        business_name: "Estrela Mercados",
        member_name: "Ines Carvalho",
        reader_asked: true,
        token_dead: false,
        stands_since: None,
        answered_at: Some(NOW - time::Duration::hours(1)),
        stalled_after: PATIENCE,
        retry_at: (state == State::WaitingToRetry).then(|| NOW + time::Duration::minutes(19)),
        paused_until: None,
        now: NOW,
    }
}

fn every_subject() -> Vec<Subject<'static>> {
    let mut all = Vec::new();
    for state in State::ALL {
        let causes = Cause::ALL.into_iter().map(Some).chain([None]);
        for cause in causes.filter(|_| matches!(state, State::WaitingToRetry | State::Failed)).chain([None]) {
            for reader_asked in [true, false] {
                for answered_at in [None, Some(NOW), Some(NOW - time::Duration::days(11))] {
                    for said in [Said::default(), Said { subcode: Some(459), user_message: Some("No."), message: None }]
                    {
                        all.push(Subject { said, reader_asked, answered_at, ..subject(state, cause) });
                    }
                }
            }
        }
    }
    all
}

fn whole(explanation: &Explanation) -> String {
    let lines = explanation.text.iter().chain(&explanation.steps).chain([&explanation.client_note]);
    lines.fold(explanation.title.clone(), |text, line| format!("{text}\n{line}"))
}

/// The words without the marks that isolate names.
fn plain(text: &impl ToString) -> String {
    text.to_string().replace(['\u{2068}', '\u{2069}'], "")
}

#[test]
fn every_failure_has_its_title_its_first_words_and_its_first_action() {
    use Action::{CheckId, CopyForSupport, OpenBusiness, Retry, SignInAgain};
    for cause in Cause::ALL {
        let (title, text, action) = match cause {
            Cause::TokenInvalid => ("The token no longer works", "Meta says it is not valid any more.", SignInAgain),
            Cause::AccessDenied => {
                ("Meta refused: the app may not act for this business", "The call itself was correct.", Retry)
            }
            Cause::NotFoundOrNoAccess => {
                ("Not found, or no access", "The ID may belong to a WABA, or the client has stopped sharing.", CheckId)
            }
            Cause::Throttled => ("Meta asks us to wait", "The call limit is used up.", Retry),
            Cause::Temporary => ("Temporary fault at Meta", "It came back 5 times in a row.", Retry),
            Cause::Unreachable => {
                ("Meta could not be reached", "It came back 5 times in a row. Nothing was sent.", Retry)
            }
            Cause::OutcomeUnknown => ("We do not know if Meta took it", "No usable answer came,", Retry),
            Cause::InvalidRecipient => (
                "No WABA could be onboarded",
                "Either the terms are signed already, or the country is not allowed, or no eligible WABA is shared.",
                OpenBusiness,
            ),
            Cause::Blocked => ("Meta has blocked this for now", "A policy block, usually for hours.", Retry),
            Cause::OboConflict => {
                ("An OBO WABA stands in the way", "OBO is legacy. Only Meta can clear this.", CopyForSupport)
            }
            Cause::BusinessLeft => {
                ("No WABA is shared with you any more", "The client stopped sharing before the turn", OpenBusiness)
            }
            Cause::SolutionUnusable => (
                "The solution can not be used any more",
                "It was deactivated, or Meta lists it no longer.",
                OpenBusiness,
            ),
            Cause::OwnTrouble => ("Trouble on our side", "Nothing was sent.", Retry),
            Cause::AlreadyRequested
            | Cause::TakenByAnotherPartner
            | Cause::InvalidParameter
            | Cause::DuplicatePost
            | Cause::Unrecognised => {
                ("Meta refused, for a reason we do not know", "Meta’s own words: “(#100) No.”", CopyForSupport)
            }
        };
        let explained = explain(&subject(State::Failed, Some(cause)));
        assert_eq!(explained.title, title, "{cause}");
        assert!(plain(&explained.text[0]).starts_with(text), "{cause}: {}", explained.text[0]);
        assert_eq!(explained.actions.first(), Some(&action), "{cause}");
        assert_eq!(explained.hue, Hue::Red, "{cause}");
        assert!(explained.actions.contains(&Retry), "{cause}: what failed can be asked for again");
    }
}

#[test]
fn what_waits_says_when_it_goes_on() {
    for (cause, title, text) in [
        (
            Cause::Throttled,
            "Meta asks us to wait 19 min",
            "The call limit is used up. We make no calls meanwhile. Sending starts again by itself at 24 Nov \
             2026, 10:19 UTC.",
        ),
        (Cause::Temporary, "Temporary fault at Meta", "We try again at 24 Nov 2026, 10:19 UTC."),
        (
            Cause::OwnTrouble,
            "Trouble on our side",
            "Our database or the store of tokens could not be used, so nothing was sent. We try again at 24 Nov 2026, \
             10:19 UTC, as often as it takes.",
        ),
        (
            Cause::OutcomeUnknown,
            "We do not know if Meta took it",
            "No usable answer came. At 24 Nov 2026, 10:19 UTC we ask Meta for the status before any second try.",
        ),
        (
            Cause::Unreachable,
            "Meta could not be reached",
            "Nothing was sent. We try again at 24 Nov 2026, 10:19 \
            UTC.",
        ),
    ] {
        let explained = explain(&subject(State::WaitingToRetry, Some(cause)));
        assert_eq!(explained.title, title);
        assert_eq!(plain(&explained.text[0]), text);
        assert_eq!(explained.hue, Hue::Amber);
        assert!(!explained.actions.contains(&Action::Retry), "{cause}: it is tried again by itself");
    }
}

#[test]
fn a_dead_token_says_why_and_459_and_464_lead_to_facebook_first() {
    for (subcode, why, facebook_first) in [
        (Some(458), "belongs to someone who removed the app", false),
        (Some(459), "belongs to an account that is locked until its owner opens facebook.com", true),
        (Some(460), "belongs to a changed password", false),
        (Some(463), "expired", false),
        (Some(464), "belongs to an account that is not confirmed yet", true),
        (Some(467), "was revoked", false),
        (Some(492), "belongs to someone who lost their role", false),
        (Some(1), "is not valid any more", false),
        (None, "is not valid any more", false),
    ] {
        let said = Said { subcode, ..Said::default() };
        let mine = explain(&Subject { said, ..subject(State::WaitingToRetry, Some(Cause::TokenInvalid)) });
        assert_eq!(plain(&mine.text[0]), format!("Meta says it {why}. Nothing can be sent until you sign in again."));
        assert_eq!(mine.steps[0].to_string().contains("facebook.com"), facebook_first, "{subcode:?}");
        assert_eq!(mine.actions, [Action::SignInAgain, Action::Cancel]);
    }
    let theirs = Subject { reader_asked: false, ..subject(State::WaitingToRetry, Some(Cause::TokenInvalid)) };
    let theirs = explain(&theirs);
    assert!(plain(&theirs.text[0]).ends_with("until Ines Carvalho signs in again."));
    assert!(!theirs.actions.contains(&Action::SignInAgain), "nobody signs in for another");
}

#[test]
fn what_waits_for_its_turn_says_what_holds_it_back() {
    let queued = subject(State::Queued, None);
    assert_eq!(explain(&queued).title, "Waiting for its turn");
    let paused_until = Some(NOW + time::Duration::minutes(5));
    let paused = explain(&Subject { paused_until, ..queued });
    assert_eq!((paused.title.as_str(), paused.hue), ("Meta asks us to wait 5 min", Hue::Amber));
    let dead = explain(&Subject { token_dead: true, paused_until, ..queued });
    assert_eq!((dead.title.as_str(), dead.actions[0]), ("The token no longer works", Action::SignInAgain));
    let shorter = Subject { paused_until, ..subject(State::WaitingToRetry, Some(Cause::Temporary)) };
    assert_eq!(plain(&explain(&shorter).text[0]), "We try again at 24 Nov 2026, 10:19 UTC.");
    let longer = Subject { paused_until: Some(NOW + time::Duration::minutes(30)), ..shorter };
    assert_eq!(plain(&explain(&longer).text[0]), "We try again at 24 Nov 2026, 10:30 UTC.");
}

#[test]
fn a_request_that_was_taken_waits_for_the_client_and_stalls_when_the_partner_says() {
    let fresh = explain(&subject(State::Requested, None));
    assert_eq!(plain(&fresh.title), "Waiting for an admin of Estrela Mercados");
    assert_eq!((fresh.hue, fresh.actions), (Hue::Indigo, vec![Action::CopyReminder]));
    for (days, stalled) in [(6, None), (7, None), (8, Some(8)), (11, Some(11))] {
        let answered_at = Some(NOW - time::Duration::days(days));
        assert_eq!(stalled_days(State::Requested, answered_at, PATIENCE, NOW), stalled);
        assert_eq!(stalled_days(State::Accepted, answered_at, PATIENCE, NOW), None);
        let explained = explain(&Subject { answered_at, ..subject(State::AlreadyRequested, None) });
        assert_eq!(explained.hue == Hue::Amber, stalled.is_some());
    }
    let late = Some(NOW - time::Duration::days(11));
    let late = explain(&Subject { answered_at: late, ..subject(State::Requested, None) });
    assert_eq!((late.title.as_str(), late.glyph), ("No admin has answered for 11 days", Glyph::Hourglass));
    assert!(plain(&late.text[0]).contains("After 7 days a message"), "{}", plain(&late.text[0]));
    let (answered_at, stalled_after) = (Some(NOW - time::Duration::hours(47)), time::Duration::DAY);
    let hasty = explain(&Subject { answered_at, stalled_after, ..subject(State::Requested, None) });
    assert_eq!(hasty.title, "No admin has answered for 1 day");
    assert!(plain(&hasty.text[0]).contains("After 1 day a message"), "{}", plain(&hasty.text[0]));
}

#[test]
fn a_request_that_stood_already_says_since_when_if_meta_did() {
    let with = explain(&Subject { stands_since: Some("2026-10-07"), ..subject(State::AlreadyRequested, None) });
    assert_eq!(plain(&with.text[0]), "A request has stood since 2026-10-07. Meta kept it.");
    let without = explain(&subject(State::AlreadyRequested, None));
    assert_eq!(plain(&without.text[0]), "A request for this business stood already. Meta kept it.");
}

#[test]
fn what_is_no_failure_is_never_red_and_asks_for_no_retry() {
    for state in State::ALL.into_iter().filter(|state| *state != State::Failed) {
        let explained = explain(&subject(state, None));
        assert_ne!(explained.hue, Hue::Red, "{state}");
        assert!(!explained.actions.contains(&Action::Retry), "{state}");
    }
}

#[test]
fn every_explanation_is_whole_and_keeps_the_tone() {
    for subject in every_subject() {
        let explained = explain(&subject);
        let text = whole(&explained);
        assert!(!text.contains('{') && !text.contains("**") && !text.contains('`'), "{text}");
        assert!(!explained.title.ends_with('.') && !explained.text.is_empty(), "{text}");
        for line in explained.text.iter().chain(&explained.steps).chain([&explained.client_note]) {
            let line = plain(line);
            assert!(line.ends_with(['.', '”']), "{line}");
        }
        for banned in ["please", "oops", "!", "  "] {
            assert!(!text.to_lowercase().contains(banned), "{banned:?} in {text}");
        }
        assert!(!explained.client_note.to_string().contains("Liteboard"), "clients don't know us: {text}");
    }
}

#[test]
fn metas_own_words_are_quoted_as_they_came() {
    let said = Said { user_message: Some("Use {business} & <b>"), message: Some("other"), subcode: None };
    let explained = explain(&Subject { said, ..subject(State::Failed, Some(Cause::Unrecognised)) });
    assert!(explained.text[0].parts().contains(&Part::Name("Use {business} & <b>".to_owned())));
}

#[test]
fn a_wait_is_rounded_up() {
    for (millis, words) in [
        (-5_000, "0 s"),
        (400, "1 s"),
        (59_000, "59 s"),
        (61_000, "2 min"),
        (3_601_000, "2 h"),
        (
            1_140_000,
            "19 \
            min",
        ),
    ] {
        assert_eq!(wait_words(time::Duration::milliseconds(millis)), words);
    }
}

#[test]
fn what_stands_between_is_named_with_what_helps() {
    for (needs_payment, setting_up, words, steps) in [
        (true, true, "no valid payment method", 2),
        (true, false, "no valid payment method", 2),
        (false, true, "setting the WABAs up", 0),
        (false, false, "not told us yet", 0),
    ] {
        let obstacle = Obstacle::of(needs_payment, setting_up);
        let explained = explain(&subject(State::Accepted, None)).with_obstacle(obstacle);
        assert!(explained.text[0].to_string().contains(words), "{obstacle:?}");
        assert_eq!((explained.steps.len(), explained.who.is_some()), (steps, steps > 0), "{obstacle:?}");
    }
}

#[test]
fn every_cause_has_few_words_of_its_own() {
    for (at, cause) in Cause::ALL.iter().enumerate() {
        let words = cause_words(*cause);
        assert!(words.len() <= 32 && words.starts_with(char::is_uppercase), "{words}");
        assert!(Cause::ALL[at + 1..].iter().all(|other| cause_words(*other) != words), "{words}");
    }
}
