//! Meta's ids, one type for each kind, so that a WABA's id can't stand where a business's belongs.
//!
//! Compiles for the server and for the browser. An id is 1 to 20 ASCII digits and is kept as text from end to end: in a
//! browser a number above 2^53 would change under way. Which kind an id is can't be told from its digits.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The most digits an id of Meta's has.
pub const MOST_DIGITS: usize = 20;

/// The text given isn't an id. Displayed, it says what an id of this kind looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidId {
    what: &'static str,
}

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is 1 to {MOST_DIGITS} digits and nothing else.", self.what)
    }
}

impl std::error::Error for InvalidId {}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident is $what:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Takes an id from where only valid ones are kept, such as a column with a CHECK, without looking at it again.
            pub fn from_stored(id: String) -> Self {
                Self(id)
            }

            /// The digits.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(id: String) -> Result<Self, InvalidId> {
                if is_id(&id) { Ok(Self(id)) } else { Err(InvalidId { what: $what }) }
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(id: &str) -> Result<Self, InvalidId> {
                if is_id(id) { Ok(Self(id.to_owned())) } else { Err(InvalidId { what: $what }) }
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let id = deserializer.deserialize_any(TextOrNumber { what: $what })?;
                Self::try_from(id).map_err(de::Error::custom)
            }
        }
    )+};
}

ids! {
    /// A business portfolio: the partner's own, or an end business that the onboarding call is sent to.
    BusinessId is "A business id";
    /// A WhatsApp Business Account.
    WabaId is "A WABA id";
    /// A multi-partner solution of the partner's app.
    SolutionId is "A solution id";
    /// An app at Meta.
    AppId is "An app id";
    /// A person, as the app that asks sees them.
    UserId is "A user id";
    /// The `request_id` with which Meta answers an onboarding call.
    MetaRequestId is "A request id of Meta's";
}

fn is_id(text: &str) -> bool {
    (1..=MOST_DIGITS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads an id from a string or a whole number: one of Meta's guides shows ids as numbers (2.7).
struct TextOrNumber {
    what: &'static str,
}

impl de::Visitor<'_> for TextOrNumber {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&InvalidId { what: self.what }, f)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<String, E> {
        Ok(text)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_to_twenty_digits() {
        for good in ["0", "7", "1284923862322270", "99999999999999999999"] {
            assert_eq!(good.parse::<BusinessId>().unwrap().as_str(), good);
            assert_eq!(WabaId::try_from(good.to_owned()).unwrap().to_string(), good);
        }
        for bad in ["", " 1", "1 ", "-1", "+1", "1.0", "1e3", "12a", "٣", "１２", "123456789012345678901", "1\0"] {
            assert!(bad.parse::<BusinessId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_refusal_says_what_the_id_should_be() {
        let refusal = "abc".parse::<BusinessId>().unwrap_err().to_string();
        assert_eq!(refusal, "A business id is 1 to 20 digits and nothing else.");
    }

    #[test]
    fn an_id_is_written_as_text_and_read_from_text_or_number() {
        let id: WabaId = serde_json::from_str("18446744073709551615").unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"18446744073709551615\"");
        let id: WabaId = serde_json::from_str("\"980198427658004\"").unwrap();
        assert_eq!(id.as_str(), "980198427658004");
    }

    #[test]
    fn an_id_never_passes_through_a_float() {
        for bad in ["1.0", "1e15", "-5", "99999999999999999999", "null", "true", "\"\"", "\"x\""] {
            assert!(serde_json::from_str::<WabaId>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn debug_names_the_kind_of_id() {
        assert_eq!(format!("{:?}", "12".parse::<SolutionId>().unwrap()), "SolutionId(12)");
    }
}
