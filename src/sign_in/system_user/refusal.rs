//! Why a token isn't kept, in words. It travels in the address of the settings page; the token never does.

use super::super::{problem::is_id, return_to::escape, tokens::NEEDED};
use crate::{
    graph::{self, Cause},
    ui::AppError,
};

macro_rules! flaws {
    ($($(#[$doc:meta])* $name:ident => $code:literal, $title:literal, $text:literal;)+) => {
        /// What is wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Flaw {
            $($(#[$doc])* $name,)+
        }

        impl Flaw {
            /// All of them.
            const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// As the page's address spells it.
            const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }

            const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

flaws! {
    /// Nothing was typed.
    Empty => "no_token", "No token was given",
        "Paste the token of your system user into the field.";
    /// It can't be one.
    NotAToken => "not_a_token", "This is not a token",
        "A token is one long word without blanks. Copy it again from the business settings at Meta, under System users.";
    /// `USER`.
    UserToken => "user_token", "This is the token of a person",
        "It ends with that person’s access. Generate one for a system user: in the business settings at Meta, under System users.";
    /// Neither `USER` nor `SYSTEM_USER`.
    OtherKind => "other_kind", "This is not the token of a system user",
        "Meta says that it is of another kind. Generate one in the business settings at Meta, under System users.";
    /// Another app's.
    OtherApp => "other_app", "This token belongs to another app",
        "Liteboard calls Meta as its own app, and can’t use it. Generate the token again, and choose this app.";
    /// Its time is over.
    Expired => "expired", "This token has expired",
        "Generate a new one, best one that never expires.";
    /// `is_valid` isn't true, or a call with it was refused for the token.
    Invalid => "not_valid", "Meta does not accept this token",
        "It was revoked, or not copied as a whole. Generate a new one.";
    /// A permission is missing.
    Permissions => "scopes", "This token lacks a permission",
        "Generate it again, and choose every permission that is missing.";
    /// It sees nothing of this partner.
    NoAccess => "no_access", "This token does not reach your WhatsApp accounts",
        "Its system user belongs to another business, or has no access to the WhatsApp accounts shared with yours. Give it access in the business settings at Meta, or use another.";
    /// Meta's limit is used up.
    Throttled => "throttled", "Meta asks us to wait",
        "The call limit at Meta is used up, so the token could not be checked. Try again in a few minutes.";
    /// No usable answer.
    MetaDown => "meta_down", "Meta does not answer",
        "The token could not be checked, because Meta did not answer as it should. Try again in a few minutes.";
    /// Another error.
    Refused => "refused", "Meta refused to check this token",
        "Try again. If it comes back, the app’s settings at Meta may not fit: tell the people who run this Liteboard.";
}

/// Which check a token failed, with what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub(super) flaw: Flaw,
    /// The permissions that are missing.
    pub missing: Vec<&'static str>,
    /// Meta's key to its own record of the call that failed.
    pub fbtrace_id: Option<String>,
}

impl Refusal {
    /// What happened, in a few words.
    pub fn title(&self) -> &'static str {
        self.flaw.title()
    }

    /// What it means and what to do.
    pub fn text(&self) -> &'static str {
        self.flaw.text()
    }

    /// `path` with what [`Refusal::read`] reads.
    pub(super) fn carried_by(&self, path: &str) -> String {
        let mut path = format!("{path}?problem={}", self.flaw.code());
        if !self.missing.is_empty() {
            path = format!("{path}&missing={}", escape(&self.missing.join(",")));
        }
        match &self.fbtrace_id {
            Some(id) => format!("{path}&trace={}", escape(id)),
            None => path,
        }
    }

    /// From the query of the page it led to. An address can be made up, so it brings no words of its own.
    pub fn read(value: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let code = value("problem")?;
        let flaw = *Flaw::ALL.iter().find(|flaw| flaw.code() == code)?;
        let missing = value("missing").unwrap_or_default();
        let missing = NEEDED.into_iter().filter(|scope| missing.split(',').any(|one| one == *scope)).collect();
        Some(Self { flaw, missing, fbtrace_id: value("trace").filter(|id| is_id(id)) })
    }

    pub(super) fn missing(missing: Vec<&'static str>) -> Self {
        Self { missing, ..Flaw::Permissions.into() }
    }

    /// A call failed; `denied` is what it means when Meta says that the token may not do it.
    pub(super) fn of(error: &graph::Error, denied: Flaw) -> Self {
        let flaw = match (error.kind(), error.cause()) {
            (_, Cause::Throttled) => Flaw::Throttled,
            (graph::Kind::Failed(_), _) | (_, Cause::Temporary) => Flaw::MetaDown,
            (_, Cause::AccessDenied | Cause::NotFoundOrNoAccess) => denied,
            (_, Cause::TokenInvalid) => Flaw::Invalid,
            _ => Flaw::Refused,
        };
        Self { fbtrace_id: error.fbtrace_id().map(str::to_owned), ..flaw.into() }
    }
}

impl From<Flaw> for Refusal {
    fn from(flaw: Flaw) -> Self {
        Self { flaw, missing: Vec::new(), fbtrace_id: None }
    }
}

impl From<&Refusal> for AppError {
    fn from(refusal: &Refusal) -> Self {
        let mut message = format!("{}. {}", refusal.title(), refusal.text());
        if !refusal.missing.is_empty() {
            message = format!("{message} Missing: {}.", refusal.missing.join(", "));
        }
        Self::Invalid { field: "token".to_owned(), message }
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::{super::super::finish::told_by, *};

    fn read(path: &str) -> Option<Refusal> {
        let page = Url::parse("http://liteboard.example").unwrap().join(path).unwrap();
        Refusal::read(|name| page.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned()))
    }

    #[test]
    fn a_refusal_survives_the_way_through_the_address() {
        for flaw in Flaw::ALL {
            let refusal = Refusal { flaw: *flaw, missing: NEEDED.into(), fbtrace_id: Some("Az8+_/4Q=".into()) };
            assert_eq!(read(&refusal.carried_by("/settings")), Some(refusal));
            assert_eq!(told_by(|_| Some(flaw.code().to_owned())), None, "{flaw:?} is no word of another's");
        }
    }

    #[test]
    fn an_address_brings_no_words_of_its_own() {
        assert_eq!(read("/settings?problem=call+0800"), None);
        let spoofed = read("/settings?problem=scopes&missing=your_password&trace=%3Cb%3Ecall").unwrap();
        assert_eq!((spoofed.missing, spoofed.fbtrace_id), (vec![], None));
    }

    #[test]
    fn every_flaw_says_what_is_wrong_and_what_to_do() {
        for flaw in Flaw::ALL {
            assert!(!flaw.title().ends_with('.') && flaw.text().ends_with('.'), "{flaw:?}");
            for banned in ["please", "oops", "!"] {
                assert!(!format!("{} {}", flaw.title(), flaw.text()).to_lowercase().contains(banned), "{flaw:?}");
            }
        }
    }
}
