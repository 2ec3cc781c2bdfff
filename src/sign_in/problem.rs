//! Why someone is on the sign-in page, in words. It travels in the page's address, since a stranger has no session to keep it in.

use url::form_urlencoded;

use super::{
    return_to::{ReturnTo, escape},
    session::End,
};
use crate::{
    graph::{self, Cause, SCOPES},
    ui::{AppError, NoticeKind},
};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident => $code:literal, $notice:ident, $title:literal, $text:literal;)+) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Kind {
            $($(#[$doc])* $name,)+
        }

        impl Kind {
            /// All of them.
            const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// As the page's address spells it.
            pub(super) const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// How its notice looks.
            pub(super) const fn notice(self) -> NoticeKind {
                match self { $(Self::$name => NoticeKind::$notice,)+ }
            }

            /// A few words.
            pub(super) const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }

            /// What it means and what to do, in whole sentences.
            pub(super) const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

kinds! {
    /// They said no at Facebook.
    Cancelled => "cancelled", Info, "Sign-in was cancelled",
        "You cancelled at Facebook. Nothing was changed.";
    /// They belong to no business at all.
    NoPartner => "no_partner", Error, "No partner business",
        "This Facebook account manages no partner business. Sign in with the account that is an admin or employee of it.";
    /// They belong to businesses, but to none of those that may sign in.
    NotListed => "not_listed", Error, "Your business is not set up here",
        "This Facebook account manages businesses, but none that this Liteboard serves. Ask the people who run it to add your partner business.";
    /// Meta doesn't let them see the partner's WABAs.
    NoAccess => "no_access", Error, "Meta does not show you the WhatsApp accounts",
        "You belong to the partner business, but may not see the WhatsApp accounts shared with it. Ask an admin of the business for access, then sign in again.";
    /// An admin took them off the team.
    Removed => "removed", Error, "You no longer have access",
        "An admin of your partner business has removed you from Liteboard. Ask them to let you in again.";
    /// They left a permission out.
    Permissions => "permissions", Error, "Facebook did not share everything",
        "Liteboard can’t work without all it asks for. Sign in again, and leave every permission switched on.";
    /// Too late.
    SessionEnded => "session_ended", Info, "Sign in again",
        "Your session ended after 60 minutes without use. Sign in to go on; nothing was lost.";
    /// Somebody else put an end to it.
    SessionEndedByAdmin => "session_ended_by_admin", Info, "Your session was ended",
        "An admin of your partner business ended it. Sign in to go on; nothing was lost.";
    /// They put an end to it themselves, from elsewhere.
    SessionEndedBySelf => "session_ended_by_self", Info, "You ended this session",
        "It was ended from another browser you are signed in with. Sign in to go on; nothing was lost.";
    /// Meta refuses the token that was kept.
    TokenExpired => "token_expired", Info, "The token no longer works",
        "Meta no longer accepts the access you gave. If Facebook has asked you to confirm something, open facebook.com and do that first. Then sign in again: you come back to the same page.";
    /// No such sign-in is under way in this browser.
    State => "state", Error, "This sign-in could not be finished",
        "It took longer than 10 minutes, was finished before, or began in another browser. Nothing was changed. Sign in again from here.";
    /// Meta refused, and it isn't one of the above.
    Refused => "refused", Error, "Meta refused the sign-in",
        "Nothing was changed. Sign in again. If it comes back, the app’s settings at Meta may not fit: tell the people who run this Liteboard.";
    /// Meta is away, or answers what nobody can read.
    MetaDown => "meta_down", Error, "Facebook does not answer",
        "The sign-in could not be finished, because Meta did not answer as it should. Nothing was changed. Try again in a few minutes.";
    /// Meta's limit is used up.
    Throttled => "throttled", Wait, "Meta asks us to wait",
        "The call limit at Meta is used up for now. Nothing was changed. Try again in a few minutes.";
    /// Our database is away.
    Unavailable => "unavailable", Error, "This does not work right now",
        "A part we need does not answer. The fault is not yours, and nothing was lost. Try again in a minute.";
    /// A fault of ours.
    Unexpected => "unexpected", Error, "This could not be done",
        "The fault is ours, not yours and not Meta’s. Nothing was lost. Try again. If it comes back, give the reference to your support team.";
    /// They left.
    SignedOut => "signed_out", Done, "You are signed out",
        "Requests that are under way go on without you.";
}

impl Kind {
    /// What became of a session.
    pub(super) const fn of_end(end: End) -> Self {
        match end {
            End::Idle => Self::SessionEnded,
            End::BySelf => Self::SessionEndedBySelf,
            End::ByAdmin => Self::SessionEndedByAdmin,
            End::Removed => Self::Removed,
            End::NotListed => Self::NotListed,
        }
    }
}

/// What happened, with what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SignInProblem {
    pub(super) kind: Kind,
    /// The permissions that were left out.
    pub(super) missing: Vec<&'static str>,
    /// Meta's key to its own record.
    pub(super) fbtrace_id: Option<String>,
    /// Our key to our own log.
    pub(super) reference: Option<String>,
}

impl SignInProblem {
    /// Facebook shared too little.
    pub(super) fn missing(missing: Vec<&'static str>) -> Self {
        Self { missing, ..Kind::Permissions.into() }
    }

    /// The address of the sign-in page that tells it, from where one comes to `return_to`.
    pub(super) fn page(&self, return_to: &ReturnTo) -> String {
        let mut path = format!("/sign-in?problem={}", self.kind.code());
        let details = [
            ("missing", (!self.missing.is_empty()).then(|| self.missing.join(","))),
            ("trace", self.fbtrace_id.clone()),
            ("reference", self.reference.clone()),
        ];
        for (name, value) in details {
            if let Some(value) = value {
                path = format!("{path}&{name}={}", escape(&value));
            }
        }
        return_to.carried_by(&path)
    }

    /// Reads it back. Anybody can make up an address, so it can bring no words of its own: only known codes, known
    /// permissions, and ids that look like ids.
    pub(super) fn from_query(query: &str) -> Option<Self> {
        let value = |name: &str| {
            form_urlencoded::parse(query.as_bytes())
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.into_owned())
        };
        let code = value("problem")?;
        let kind = *Kind::ALL.iter().find(|kind| kind.code() == code)?;
        let missing = value("missing").unwrap_or_default();
        let missing = SCOPES.into_iter().filter(|scope| missing.split(',').any(|one| one == *scope)).collect();
        let id = |name| value(name).filter(|id| is_id(id));
        Some(Self { kind, missing, fbtrace_id: id("trace"), reference: id("reference") })
    }
}

impl From<Kind> for SignInProblem {
    fn from(kind: Kind) -> Self {
        Self { kind, missing: Vec::new(), fbtrace_id: None, reference: None }
    }
}

impl From<&graph::Error> for SignInProblem {
    fn from(error: &graph::Error) -> Self {
        let kind = match (error.kind(), error.cause()) {
            (_, Cause::Throttled) => Kind::Throttled,
            (graph::Kind::Failed(_), _) | (_, Cause::Temporary) => Kind::MetaDown,
            (graph::Kind::Refused, _) => Kind::Refused,
        };
        Self { fbtrace_id: error.fbtrace_id().map(str::to_owned), ..kind.into() }
    }
}

impl From<AppError> for SignInProblem {
    fn from(error: AppError) -> Self {
        let kind = if matches!(error, AppError::Unavailable { .. } | AppError::TookTooLong { .. }) {
            Kind::Unavailable
        } else {
            Kind::Unexpected
        };
        Self { reference: error.reference().map(str::to_owned), ..kind.into() }
    }
}

/// Trace ids are base64 in either alphabet, references are words of letters and digits.
pub(super) fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'+' | b'/' | b'='))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(page: &str) -> &str {
        page.split_once('?').unwrap().1
    }

    #[test]
    fn a_problem_survives_the_way_through_the_address() {
        for kind in Kind::ALL {
            let problem = SignInProblem {
                kind: *kind,
                missing: vec!["business_management", "whatsapp_business_management"],
                fbtrace_id: Some("Az8or2yhqkZfEZ+_/4Q=".into()),
                reference: Some("E7F3-92QD-K4".into()),
            };
            let page = problem.page(&ReturnTo::from_untrusted(Some("/businesses?q=a&problem=x")));
            assert_eq!(SignInProblem::from_query(query(&page)), Some(problem), "{page}");
        }
    }

    #[test]
    fn an_address_brings_no_words_of_its_own() {
        assert_eq!(SignInProblem::from_query("problem=<b>you+won</b>"), None);
        assert_eq!(SignInProblem::from_query("return_to=/"), None);
        let spoofed = "problem=state&trace=call+0800+for+help&reference=<b>&missing=your_password";
        assert_eq!(SignInProblem::from_query(spoofed), Some(Kind::State.into()));
    }

    #[test]
    fn every_problem_says_what_happened_in_plain_words() {
        for kind in Kind::ALL {
            assert!(!kind.title().ends_with('.') && kind.text().ends_with('.'), "{kind:?}");
            for banned in ["please", "oops", "!"] {
                assert!(!format!("{} {}", kind.title(), kind.text()).to_lowercase().contains(banned), "{kind:?}");
            }
        }
    }

    #[test]
    fn our_own_faults_carry_their_reference() {
        let problem = SignInProblem::from(AppError::Unavailable { reference: "E7F3-92QD-K4".into() });
        assert_eq!((problem.kind, problem.reference.as_deref()), (Kind::Unavailable, Some("E7F3-92QD-K4")));
        assert_eq!(SignInProblem::from(AppError::Forbidden).kind, Kind::Unexpected);
    }
}
