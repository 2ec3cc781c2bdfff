//! What ties a sign-in to the browser that began it: the state Facebook hands back, and PKCE's verifier.
//!
//! Only a digest of the state is kept, in the session of that browser; a state is good once and for ten minutes.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use time::{Duration, OffsetDateTime};

use super::return_to::ReturnTo;

/// How long someone may take at Facebook.
const GOOD_FOR: Duration = Duration::minutes(10);

/// Sign-ins one browser may have under way, one for each tab; the oldest give way.
const MOST_UNDER_WAY: usize = 5;

/// The two secrets of one sign-in. `Debug` shows neither.
#[derive(Clone)]
pub(super) struct Handshake {
    /// Goes to Facebook and comes back.
    pub(super) state: String,
    /// Stays here until the code is exchanged.
    pub(super) verifier: String,
}

impl Handshake {
    /// From 32 random bytes each.
    pub(super) fn from_random(state: [u8; 32], verifier: [u8; 32]) -> Self {
        Self { state: URL_SAFE_NO_PAD.encode(state), verifier: URL_SAFE_NO_PAD.encode(verifier) }
    }

    /// PKCE's S256 challenge (RFC 7636): what the dialog is given in place of the verifier.
    pub(super) fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.as_bytes()))
    }
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake").finish_non_exhaustive()
    }
}

/// The sign-ins of one browser that wait for Facebook's answer, oldest first, as its session keeps them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct UnderWay(Vec<Begun>);

/// One of them. `Debug` doesn't show the verifier.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Begun {
    state_digest: String,
    /// PKCE's.
    pub(super) verifier: String,
    return_to: String,
    #[serde(with = "time::serde::timestamp")]
    at: OffsetDateTime,
}

impl Begun {
    /// Where to go when it is done.
    pub(super) fn return_to(&self) -> ReturnTo {
        ReturnTo::from_untrusted(Some(&self.return_to))
    }
}

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Begun").field("return_to", &self.return_to).field("at", &self.at).finish_non_exhaustive()
    }
}

impl UnderWay {
    /// Adds one that begins now; expired ones go.
    pub(super) fn begin(&mut self, handshake: &Handshake, return_to: &ReturnTo, now: OffsetDateTime) {
        self.forget_expired(now);
        if self.0.len() >= MOST_UNDER_WAY {
            self.0.remove(0);
        }
        self.0.push(Begun {
            state_digest: digest(&handshake.state),
            verifier: handshake.verifier.clone(),
            return_to: return_to.as_str().to_owned(),
            at: now,
        });
    }

    /// Takes out the one that began with `state`: forged, expired and used ones aren't there.
    pub(super) fn take(&mut self, state: &str, now: OffsetDateTime) -> Option<Begun> {
        self.forget_expired(now);
        let asked = digest(state);
        let index = self.0.iter().position(|begun| begun.state_digest.as_bytes().ct_eq(asked.as_bytes()).into())?;
        Some(self.0.remove(index))
    }

    fn forget_expired(&mut self, now: OffsetDateTime) {
        self.0.retain(|begun| now - begun.at < GOOD_FOR);
    }
}

fn digest(state: &str) -> String {
    hex::encode(Sha256::digest(state.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: OffsetDateTime = time::macros::datetime!(2026-11-22 10:00 UTC);

    fn handshake(seed: u8) -> Handshake {
        Handshake::from_random([seed; 32], [seed ^ 0xff; 32])
    }

    fn begun(seeds: impl IntoIterator<Item = u8>) -> UnderWay {
        let mut under_way = UnderWay::default();
        for seed in seeds {
            let return_to = ReturnTo::from_untrusted(Some(&format!("/requests/{seed}")));
            under_way.begin(&handshake(seed), &return_to, NOW);
        }
        under_way
    }

    #[test]
    fn a_state_is_good_once_and_leads_back() {
        let mut under_way = begun([1]);
        let taken = under_way.take(&handshake(1).state, NOW).unwrap();
        assert_eq!((taken.verifier.clone(), taken.return_to().as_str()), (handshake(1).verifier, "/requests/1"));
        assert_eq!(under_way.take(&handshake(1).state, NOW), None);
    }

    #[test]
    fn a_forged_missing_or_foreign_state_takes_nothing() {
        let mut under_way = begun([1]);
        let cut = &handshake(1).state[1..];
        for state in ["", "x", cut, &handshake(2).state, &digest(&handshake(1).state)] {
            assert_eq!(under_way.take(state, NOW), None, "{state:?}");
        }
        assert_eq!(under_way, begun([1]), "a wrong guess uses nothing up");
    }

    #[test]
    fn a_state_expires_after_ten_minutes() {
        let almost = NOW + Duration::minutes(10) - Duration::seconds(1);
        assert!(begun([1]).take(&handshake(1).state, almost).is_some());
        assert!(begun([1]).take(&handshake(1).state, NOW + Duration::minutes(10)).is_none());
    }

    #[test]
    fn two_tabs_sign_in_side_by_side() {
        let mut under_way = begun([1, 2]);
        assert!(under_way.take(&handshake(1).state, NOW).is_some());
        assert!(under_way.take(&handshake(2).state, NOW).is_some());
    }

    #[test]
    fn the_oldest_gives_way_when_too_many_are_under_way() {
        let mut under_way = begun(1..=6);
        assert!(under_way.take(&handshake(1).state, NOW).is_none());
        for seed in 2..=6 {
            assert!(under_way.take(&handshake(seed).state, NOW).is_some(), "{seed}");
        }
    }

    #[test]
    fn the_challenge_is_that_of_rfc_7636() {
        // Appendix B of the RFC.
        let handshake =
            Handshake { state: String::new(), verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into() };
        assert_eq!(handshake.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn what_is_kept_does_not_hold_the_state_and_survives_being_kept() {
        let under_way = begun([1]);
        let kept = serde_json::to_value(&under_way).unwrap();
        assert!(!kept.to_string().contains(&handshake(1).state));
        assert_eq!(serde_json::from_value::<UnderWay>(kept).unwrap(), under_way);
        assert!(!format!("{under_way:?} {:?}", handshake(1)).contains(&handshake(1).verifier));
    }
}
