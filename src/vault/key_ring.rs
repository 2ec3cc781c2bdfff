//! The keys, as the operator gives them: read once at the start, never shown again.

use std::fmt;

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};

/// Bytes of a key.
const KEY_LENGTH: usize = 32;

/// The longest key id.
const LONGEST_ID: usize = 32;

/// Standard base64, with or without the padding, which is easily lost when copying.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What is wrong with the setting, in one sentence. A key is named by its place, since a mistyped id may be a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each sentence is its own description; the number counts keys from 1")]
pub enum BadKeys {
    #[error(
        "it holds no key: give at least one as id:base64, such as the output of `echo \"k1:$(openssl rand -base64 32)\"`"
    )]
    None,
    #[error("key {0} has no colon: write it as id:base64")]
    NoColon(usize),
    #[error("the id of key {0} should be 1 to 32 of a-z, 0-9, `_` and `-`")]
    Id(usize),
    #[error("key {0} has the same id as an earlier one: each needs its own")]
    RepeatedId(usize),
    #[error("key {0} is not base64: 32 random bytes in base64 are 44 characters")]
    NotBase64(usize),
    #[error("key {0} is {1} bytes long: it should be 32 random bytes")]
    Length(usize, usize),
}

/// At least one key; the first one seals.
pub(super) struct KeyRing {
    first: (String, XChaCha20Poly1305),
    others: Vec<(String, XChaCha20Poly1305)>,
}

impl KeyRing {
    /// Reads `id:base64,id2:base64`; blanks around a pair are ignored.
    pub(super) fn parse(setting: &str) -> Result<Self, BadKeys> {
        if setting.trim().is_empty() {
            return Err(BadKeys::None);
        }
        let mut keys: Vec<(String, XChaCha20Poly1305)> = Vec::new();
        for (index, pair) in setting.split(',').enumerate() {
            let place = index + 1;
            let (id, cipher) = parse_pair(place, pair.trim())?;
            if keys.iter().any(|(earlier, _)| *earlier == id) {
                return Err(BadKeys::RepeatedId(place));
            }
            keys.push((id, cipher));
        }
        let mut keys = keys.into_iter();
        let first = keys.next().ok_or(BadKeys::None)?;
        Ok(Self { first, others: keys.collect() })
    }

    /// The key that seals, with its id.
    pub(super) fn sealing(&self) -> (&str, &XChaCha20Poly1305) {
        (&self.first.0, &self.first.1)
    }

    /// The key of that id.
    pub(super) fn get(&self, id: &str) -> Option<&XChaCha20Poly1305> {
        self.keys().find(|(known, _)| known == id).map(|(_, cipher)| cipher)
    }

    /// The ids, the one that seals first.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.keys().map(|(id, _)| id.as_str())
    }

    fn keys(&self) -> impl Iterator<Item = &(String, XChaCha20Poly1305)> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

fn parse_pair(place: usize, pair: &str) -> Result<(String, XChaCha20Poly1305), BadKeys> {
    let (id, key) = pair.split_once(':').ok_or(BadKeys::NoColon(place))?;
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-';
    if id.is_empty() || id.len() > LONGEST_ID || !id.bytes().all(allowed) {
        return Err(BadKeys::Id(place));
    }
    let key = BASE64.decode(key).map_err(|_| BadKeys::NotBase64(place))?;
    if key.len() != KEY_LENGTH {
        return Err(BadKeys::Length(place, key.len()));
    }
    let cipher = XChaCha20Poly1305::new_from_slice(&key).map_err(|_| BadKeys::Length(place, key.len()))?;
    Ok((id.to_owned(), cipher))
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys().map(|(id, _)| id)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

    #[test]
    fn the_first_key_seals_and_all_are_found() {
        let ring = KeyRing::parse(&format!(" 2026-11:{KEY} , old_1:{}", KEY.trim_end_matches('='))).unwrap();
        assert_eq!(ring.sealing().0, "2026-11");
        assert!(ring.get("old_1").is_some());
        assert!(ring.get("other").is_none());
    }

    #[test]
    fn each_mistake_has_its_own_sentence() {
        let id_of_33 = "a".repeat(33);
        for (setting, mistake) in [
            (String::new(), BadKeys::None),
            ("  ".into(), BadKeys::None),
            (KEY.into(), BadKeys::NoColon(1)),
            (format!("a:{KEY},"), BadKeys::NoColon(2)),
            (format!(":{KEY}"), BadKeys::Id(1)),
            (format!("A:{KEY}"), BadKeys::Id(1)),
            (format!("a b:{KEY}"), BadKeys::Id(1)),
            (format!("é:{KEY}"), BadKeys::Id(1)),
            (format!("{id_of_33}:{KEY}"), BadKeys::Id(1)),
            (format!("a:{KEY},a:{KEY}"), BadKeys::RepeatedId(2)),
            ("a:not base64".into(), BadKeys::NotBase64(1)),
            ("a:".into(), BadKeys::Length(1, 0)),
            ("a:AQEBAQ==".into(), BadKeys::Length(1, 4)),
            (format!("a:{KEY},b:AQEB{}", &KEY), BadKeys::Length(2, 35)),
        ] {
            let found = KeyRing::parse(&setting).unwrap_err();
            assert_eq!(found, mistake, "{setting}");
            assert!(!found.to_string().contains("AQEB"), "{found} repeats a key");
        }
    }
}
