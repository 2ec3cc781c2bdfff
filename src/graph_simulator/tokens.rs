//! Codes and access tokens: who holds which, what it may do, and how it ended.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use time::OffsetDateTime;

use super::{clock::session_time, error::GraphError, named::named, opaque::Opaque};

/// A long-lived token lives this many seconds (facts 6.4).
pub(super) const LONG_LIFE: u64 = 5_183_944;
/// A token fresh from a code lives two hours.
pub(super) const SHORT_LIFE: u64 = 7200;
/// A code can be exchanged this long.
pub(super) const CODE_LIFE: Duration = Duration::from_mins(10);

named! {
    /// How a token ended; each has its subcode of 190 (facts 6.10).
    Ending {
        /// 463: its time is over.
        Expired = "expired",
        /// 467: the person logged out, or an admin revoked it.
        LoggedOut = "logged-out",
        /// 458: the person removed the app.
        AppRemoved = "app-removed",
        /// 459: Facebook wants the person to pass a check first.
        Checkpointed = "checkpointed",
        /// 460: the password was changed.
        PasswordChanged = "password-changed",
        /// 464: the account isn't confirmed.
        Unconfirmed = "unconfirmed",
        /// 492: the person lost the role the session was made for.
        RoleLost = "role-lost",
    }
}

impl Ending {
    /// The error a call with such a token gets; `ended` and `now` go into the text of an expired session.
    pub(super) fn error(self, app_id: &str, ended: OffsetDateTime, now: OffsetDateTime) -> GraphError {
        let (subcode, text) = match self {
            Self::Expired => (463, format!("Session has expired on {}. The current time is {}.", session_time(ended), session_time(now))),
            Self::LoggedOut => (467, "The session is invalid because the user logged out.".to_owned()),
            Self::AppRemoved => (458, format!("The user has not authorized application {app_id}.")),
            Self::Checkpointed => {
                (459, "You cannot access the app till you log in to www.facebook.com and follow the instructions given.".to_owned())
            }
            Self::PasswordChanged => (
                460,
                "The session has been invalidated because the user changed their password or Facebook has changed the session for security reasons.".to_owned(),
            ),
            Self::Unconfirmed => (464, "Sessions for the user are not allowed because the user is not a confirmed user.".to_owned()),
            Self::RoleLost => (492, "The user associated with the session must be an appropriate role on the object.".to_owned()),
        };
        GraphError::bad_token(format!("Error validating access token: {text}")).subcode(subcode)
    }
}

/// Whose token it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    Person(usize),
    /// A system user of a partner.
    System(usize),
}

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub holder: Holder,
    pub scopes: BTreeSet<String>,
    /// Granted once and taken away since.
    pub removed: BTreeSet<String>,
    pub issued: OffsetDateTime,
    /// `None`: never.
    pub expires: Option<OffsetDateTime>,
    pub ending: Option<(Ending, OffsetDateTime)>,
}

impl Token {
    /// How and when it ended, if it did.
    pub(super) fn ended(&self, now: OffsetDateTime) -> Option<(Ending, OffsetDateTime)> {
        self.ending.or_else(|| self.expires.filter(|at| *at <= now).map(|at| (Ending::Expired, at)))
    }
}

/// What a code stands for until it is exchanged.
#[derive(Clone, Debug)]
pub(super) struct Code {
    pub person: usize,
    pub redirect_uri: String,
    pub scopes: BTreeSet<String>,
    /// `(challenge, is it hashed)`.
    pub challenge: Option<(String, bool)>,
    pub system: bool,
    pub at: OffsetDateTime,
    pub used: bool,
}

/// Every code and token ever given.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    codes: HashMap<String, Code>,
    tokens: HashMap<String, Token>,
}

impl Tokens {
    pub(super) fn give_code(&mut self, opaque: &Opaque, code: Code) -> String {
        let text = format!("AQ{}", opaque.text(180));
        self.codes.insert(text.clone(), code);
        text
    }

    pub(super) fn code(&mut self, text: &str) -> Option<&mut Code> {
        self.codes.get_mut(text)
    }

    pub(super) fn give(
        &mut self,
        opaque: &Opaque,
        holder: Holder,
        scopes: BTreeSet<String>,
        now: OffsetDateTime,
        seconds: Option<u64>,
    ) -> String {
        let text = format!("EAAJ{}", opaque.text(160));
        let expires = seconds.map(|seconds| now + Duration::from_secs(seconds));
        self.tokens.insert(
            text.clone(),
            Token { holder, scopes, removed: BTreeSet::new(), issued: now, expires, ending: None },
        );
        text
    }

    pub(super) fn get(&self, text: &str) -> Option<&Token> {
        self.tokens.get(text)
    }

    pub(super) fn get_mut(&mut self, text: &str) -> Option<&mut Token> {
        self.tokens.get_mut(text)
    }

    /// Ends all living tokens of one holder; those already ended keep their ending.
    pub(super) fn end_all(&mut self, holder: Holder, ending: Ending, now: OffsetDateTime) {
        for token in self.tokens.values_mut() {
            if token.holder == holder && token.ended(now).is_none() {
                token.ending = Some((ending, now));
            }
        }
    }

    /// Takes a permission from all tokens of a person.
    pub(super) fn remove_scope(&mut self, person: usize, scope: &str) {
        for token in self.tokens.values_mut() {
            if token.holder == Holder::Person(person) && token.scopes.remove(scope) {
                token.removed.insert(scope.to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_ends_when_its_time_is_over_or_when_it_is_ended() {
        let (mut tokens, opaque, now) = (Tokens::default(), Opaque::new(1), OffsetDateTime::UNIX_EPOCH);
        let text = tokens.give(&opaque, Holder::Person(0), BTreeSet::new(), now, Some(60));
        let later = now + Duration::from_mins(1);
        assert_eq!(tokens.get(&text).unwrap().ended(now), None);
        assert_eq!(tokens.get(&text).unwrap().ended(later).unwrap().0, Ending::Expired);
        tokens.end_all(Holder::Person(0), Ending::PasswordChanged, now);
        assert_eq!(tokens.get(&text).unwrap().ended(later).unwrap().0, Ending::PasswordChanged);
    }

    #[test]
    fn each_ending_has_its_subcode() {
        let at = OffsetDateTime::UNIX_EPOCH;
        let subcodes: Vec<_> = Ending::ALL.iter().map(|ending| ending.error("1", at, at).subcode.unwrap()).collect();
        assert_eq!(subcodes, [463, 467, 458, 459, 460, 464, 492]);
    }
}
