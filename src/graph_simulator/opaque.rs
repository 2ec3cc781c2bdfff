//! Strings that look random and aren't: tokens, codes, trace ids, cursors.
//!
//! Everything is drawn from a seed by `SplitMix64`, written here rather than taken from a crate, so that one seed gives the
//! same world whatever version of a crate is linked.

use std::sync::atomic::{AtomicU64, Ordering};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A well-spread number made of one number; the same in, the same out.
pub(super) const fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// An endless source of strings that don't repeat, safe to share.
#[derive(Debug)]
pub(super) struct Opaque(AtomicU64);

impl Opaque {
    pub(super) const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(mix(seed)))
    }

    pub(super) fn number(&self) -> u64 {
        mix(self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed))
    }

    /// A number in `0.0..1.0`.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are what an f64 holds exactly")]
    pub(super) fn fraction(&self) -> f64 {
        (self.number() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Letters and digits, `length` of them.
    pub(super) fn text(&self, length: usize) -> String {
        let mut text = String::with_capacity(length);
        while text.len() < length {
            let mut bits = self.number();
            for _ in 0..10 {
                if text.len() < length {
                    text.push(char::from(ALPHABET[usize::try_from(bits % 62).unwrap_or(0)]));
                }
                bits /= 62;
            }
        }
        text
    }
}

/// Base64 for URLs, without padding: how PKCE writes a hash (RFC 7636, 4.2).
pub(super) fn base64url(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for position in 0..=chunk.len() {
            let index = (group >> (18 - 6 * position)) & 63;
            text.push(char::from(ALPHABET[usize::try_from(index).unwrap_or(0)]));
        }
    }
    text
}

/// What a PKCE verifier must hash to.
pub(super) fn s256(verifier: &str) -> String {
    base64url(&Sha256::digest(verifier.as_bytes()))
}

/// Lower-case hex HMAC-SHA256: `appsecret_proof` (facts 6.6) and webhook signatures (5.2).
pub(super) fn hmac_hex(key: &str, message: &[u8]) -> String {
    Hmac::<Sha256>::new_from_slice(key.as_bytes()).map_or_else(
        |_| String::new(),
        |mut mac| {
            mac.update(message);
            hex::encode(mac.finalize().into_bytes())
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_strings_again_and_they_do_not_repeat() {
        let (one, two) = (Opaque::new(7), Opaque::new(7));
        let first = one.text(22);
        assert_eq!(first, two.text(22));
        assert_ne!(first, one.text(22));
        assert_eq!(first.len(), 22);
    }

    #[test]
    fn s256_is_that_of_the_rfc() {
        assert_eq!(s256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn the_hmac_is_that_of_the_rfc() {
        assert_eq!(
            hmac_hex("Jefe", b"what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
