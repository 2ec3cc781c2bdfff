//! Encrypts what must not be readable in the database: the tokens Meta gave our members.
//!
//! Who calls: `sign_in`, which keeps the tokens. It is a tool: it knows no table, no room and no page.
//!
//! What always holds:
//! - XChaCha20-Poly1305 with a nonce from the operating system for every sealing: two sealings of one secret differ.
//! - A sealed value opens only in the row it was sealed for: table, row, partner and key id are bound to it, so that copying
//!   it elsewhere in the database makes it useless.
//! - The first key of the ring seals, every key opens. To rotate: put a new key in front, keep the old one until every value
//!   is sealed anew, then drop it.
//! - No secret and no key is in any `Debug` text or error.

mod key_ring;

use std::{fmt, sync::Arc};

use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, Generate, Payload},
};
use secrecy::{ExposeSecret, SecretString};

pub use key_ring::BadKeys;
use key_ring::KeyRing;

/// Bytes of the nonce that stands before the ciphertext.
const NONCE_LENGTH: usize = 24;

/// Seals and opens. Cheap to clone; `Debug` shows the ids of its keys and nothing else.
#[derive(Clone)]
pub struct Vault(Arc<KeyRing>);

/// The place a secret is kept in. None of the three may hold a `|`; ids and table names never do.
#[derive(Clone, Copy, Debug)]
pub struct Aad<'a> {
    /// The table.
    pub table: &'a str,
    /// The row's key within the partner.
    pub row: &'a str,
    /// The tenant.
    pub partner: &'a str,
}

/// A secret that only the vault can read.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Which key opens it.
    pub key_id: String,
    /// Nonce (24 bytes), then ciphertext and tag.
    pub bytes: Vec<u8>,
}

/// Why a secret can't be sealed or opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The operating system gave no random bytes, or the cipher refused.
    #[error("the secret could not be sealed")]
    CannotSeal,
    /// The key it was sealed with has been taken off the ring.
    #[error("the key `{0}` that seals this secret is not among the keys given")]
    UnknownKey(String),
    /// Cut, altered, moved to another row, or sealed with another key of the same id.
    #[error("the sealed secret is damaged or belongs to another row")]
    Damaged,
}

impl Vault {
    /// Reads the key ring from its setting, `id:base64,id2:base64`: each key 32 bytes, each id `[a-z0-9_-]{1,32}`.
    ///
    /// # Errors
    /// One clear sentence for the first mistake found; it never repeats a key.
    pub fn from_setting(setting: &SecretString) -> Result<Self, BadKeys> {
        KeyRing::parse(setting.expose_secret()).map(|ring| Self(Arc::new(ring)))
    }

    /// The ids of its keys, the one that seals first.
    pub fn key_ids(&self) -> Vec<&str> {
        self.0.ids().collect()
    }

    /// Encrypts `secret` for one row, with the first key of the ring.
    ///
    /// # Errors
    /// When the operating system has no random bytes to give.
    pub fn seal(&self, aad: &Aad<'_>, secret: &SecretString) -> Result<Sealed, VaultError> {
        let (key_id, cipher) = self.0.sealing();
        let nonce = XNonce::try_generate().map_err(|_| VaultError::CannotSeal)?;
        let bound = aad.bytes(key_id);
        let payload = Payload { msg: secret.expose_secret().as_bytes(), aad: &bound };
        let ciphertext = cipher.encrypt(&nonce, payload).map_err(|_| VaultError::CannotSeal)?;
        let bytes = [nonce.as_slice(), &ciphertext].concat();
        Ok(Sealed { key_id: key_id.to_owned(), bytes })
    }

    /// Decrypts what was sealed for the same row, with whichever key it names.
    ///
    /// # Errors
    /// When that key is gone, or the value isn't what was sealed for this row.
    pub fn open(&self, aad: &Aad<'_>, sealed: &Sealed) -> Result<SecretString, VaultError> {
        let cipher = self.0.get(&sealed.key_id).ok_or_else(|| VaultError::UnknownKey(sealed.key_id.clone()))?;
        let secret = decrypt(cipher, &aad.bytes(&sealed.key_id), &sealed.bytes).ok_or(VaultError::Damaged)?;
        Ok(secret.into())
    }
}

fn decrypt(cipher: &XChaCha20Poly1305, bound: &[u8], bytes: &[u8]) -> Option<String> {
    let (nonce, ciphertext) = bytes.split_at_checked(NONCE_LENGTH)?;
    let nonce = XNonce::try_from(nonce).ok()?;
    let plain = cipher.decrypt(&nonce, Payload { msg: ciphertext, aad: bound }).ok()?;
    String::from_utf8(plain).ok()
}

impl Aad<'_> {
    fn bytes(&self, key_id: &str) -> Vec<u8> {
        format!("{}|{}|{}|{key_id}", self.table, self.row, self.partner).into_bytes()
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Vault").field(&self.0).finish()
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `one` is 32 times 0x01, `two` 32 times 0x02.
    const ONE: &str = "one:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    const TWO: &str = "two:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
    const ROW: Aad<'static> = Aad { table: "tokens", row: "7", partner: "506914307656634" };

    fn vault(setting: &str) -> Vault {
        Vault::from_setting(&setting.into()).unwrap()
    }

    fn secret() -> SecretString {
        "EAAB-not-to-be-seen".into()
    }

    #[test]
    fn what_was_sealed_opens_in_its_row() {
        let vault = vault(ONE);
        let sealed = vault.seal(&ROW, &secret()).unwrap();
        assert_eq!(vault.open(&ROW, &sealed).unwrap().expose_secret(), secret().expose_secret());
    }

    #[test]
    fn no_two_sealings_are_alike() {
        let vault = vault(ONE);
        assert_ne!(vault.seal(&ROW, &secret()).unwrap(), vault.seal(&ROW, &secret()).unwrap());
    }

    #[test]
    fn a_sealed_value_opens_in_no_other_row() {
        let vault = vault(ONE);
        let sealed = vault.seal(&ROW, &secret()).unwrap();
        for other in
            [Aad { table: "sessions", ..ROW }, Aad { row: "8", ..ROW }, Aad { partner: "506914307656635", ..ROW }]
        {
            assert_eq!(vault.open(&other, &sealed).unwrap_err(), VaultError::Damaged, "{other:?}");
        }
    }

    #[test]
    fn a_sealed_value_opens_with_no_other_key() {
        let sealed = vault(ONE).seal(&ROW, &secret()).unwrap();
        assert_eq!(vault(TWO).open(&ROW, &sealed).unwrap_err(), VaultError::UnknownKey("one".into()));
        // Another key under the same id, and the same key under another id.
        let impostor = vault(&TWO.replace("two", "one"));
        assert_eq!(impostor.open(&ROW, &sealed).unwrap_err(), VaultError::Damaged);
        let renamed = vault(&ONE.replace("one", "uno"));
        let renamed_value = Sealed { key_id: "uno".into(), ..sealed };
        assert_eq!(renamed.open(&ROW, &renamed_value).unwrap_err(), VaultError::Damaged);
    }

    #[test]
    fn a_cut_or_altered_value_does_not_open() {
        let vault = vault(ONE);
        let sealed = vault.seal(&ROW, &secret()).unwrap();
        for length in 0..sealed.bytes.len() {
            let cut = Sealed { bytes: sealed.bytes[..length].to_vec(), ..sealed.clone() };
            assert_eq!(vault.open(&ROW, &cut).unwrap_err(), VaultError::Damaged, "{length} bytes");
        }
        for place in 0..sealed.bytes.len() {
            let mut altered = sealed.clone();
            altered.bytes[place] ^= 1;
            assert_eq!(vault.open(&ROW, &altered).unwrap_err(), VaultError::Damaged, "byte {place}");
        }
    }

    #[test]
    fn after_rotation_the_new_key_seals_and_the_old_one_still_opens() {
        let old = vault(ONE).seal(&ROW, &secret()).unwrap();
        let rotated = vault(&format!("{TWO},{ONE}"));
        assert_eq!(rotated.open(&ROW, &old).unwrap().expose_secret(), secret().expose_secret());
        assert_eq!(rotated.seal(&ROW, &secret()).unwrap().key_id, "two");
    }

    #[test]
    fn neither_secret_nor_key_is_shown() {
        let vault = vault(&format!("{ONE},{TWO}"));
        assert_eq!(format!("{vault:?}"), r#"Vault(["one", "two"])"#);
        let shown = format!("{:?}", vault.seal(&ROW, &secret()).unwrap());
        assert_eq!(shown, r#"Sealed { key_id: "one", .. }"#);
    }
}
