//! An access token and the proof that goes with it.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// A token Meta gave to act for a person or a system user. `Debug` doesn't show it, and memory is wiped after use.
#[derive(Clone, Debug)]
pub struct AccessToken(SecretString);

impl AccessToken {
    /// A token as Meta gave it.
    pub fn new(token: SecretString) -> Self {
        Self(token)
    }
}

impl From<SecretString> for AccessToken {
    fn from(token: SecretString) -> Self {
        Self(token)
    }
}

impl From<String> for AccessToken {
    fn from(token: String) -> Self {
        Self(token.into())
    }
}

impl ExposeSecret<str> for AccessToken {
    fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Makes `appsecret_proof`: it shows that a call with a token comes from the app's own server (6.6).
#[derive(Clone)]
pub(super) struct Prover(Hmac<Sha256>);

impl Prover {
    /// `None` for a secret that can't be a key, which HMAC doesn't know: it takes keys of any length.
    pub(super) fn new(app_secret: &SecretString) -> Option<Self> {
        Hmac::new_from_slice(app_secret.expose_secret().as_bytes()).ok().map(Self)
    }

    /// Lower-case hex of HMAC-SHA256 over the token, keyed with the app's secret.
    pub(super) fn prove(&self, token: &AccessToken) -> SecretString {
        let mut mac = self.0.clone();
        mac.update(token.expose_secret().as_bytes());
        hex::encode(mac.finalize().into_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_the_hmac_of_the_token_in_lower_case_hex() {
        // Computed with OpenSSL: printf token | openssl dgst -sha256 -hmac secret
        let proof = Prover::new(&"secret".into()).unwrap().prove(&AccessToken::from("token".to_owned()));
        assert_eq!(proof.expose_secret(), "e941110e3d2bfe82621f0e3e1434730d7305d106c5f68c87165d0b27a4611a4a");
    }

    #[test]
    fn a_token_is_not_shown() {
        let token = AccessToken::from("EAAB-not-to-be-seen".to_owned());
        assert!(!format!("{token:?}").contains("not-to-be-seen"));
    }
}
