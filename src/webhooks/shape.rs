//! The parts of a delivery that are looked into, as the bytes they came as: nothing else of it is taken apart, however much it is.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, SeqAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

/// The most changes Meta sends in one delivery (5.4).
pub const MOST_CHANGES: usize = 1_000;

/// What Meta sends.
#[derive(Deserialize)]
pub struct Delivery<'a> {
    #[serde(borrow)]
    pub entry: Few<'a>,
}

/// What it says of one partner or one WABA.
#[derive(Deserialize)]
pub struct Entry<'a> {
    #[serde(borrow)]
    pub id: &'a RawValue,
    #[serde(borrow, default)]
    pub time: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub field: Option<&'a RawValue>,
    #[serde(borrow)]
    pub changes: Few<'a>,
}

/// One of the things that changed.
#[derive(Default, Deserialize)]
pub struct Change<'a> {
    #[serde(borrow, default)]
    pub field: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub value: Option<&'a RawValue>,
}

/// What it changed to.
#[derive(Default, Deserialize)]
pub struct Said<'a> {
    #[serde(borrow, default)]
    pub field: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub event: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub solution_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub waba_info: Option<&'a RawValue>,
}

/// Whose WABA it is about.
#[derive(Default, Deserialize)]
pub struct Info<'a> {
    #[serde(borrow, default, rename = "owner_business_id")]
    pub owner: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "waba_id")]
    pub waba: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "solution_id")]
    pub solution: Option<&'a RawValue>,
}

/// What can be told of anything else.
#[derive(Default, Deserialize)]
pub struct Part<'a> {
    #[serde(borrow, default)]
    pub id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub time: Option<&'a RawValue>,
}

/// The first of a list, as many as one delivery may have changes, each as its bytes. Of a longer one nothing more is kept than that
/// it's longer.
pub struct Few<'a> {
    pub items: Vec<&'a RawValue>,
    pub has_more: bool,
}

impl<'de: 'a, 'a> Deserialize<'de> for Few<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Few<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Few<'de>, A::Error> {
                let mut few = Few { items: Vec::new(), has_more: false };
                while few.items.len() < MOST_CHANGES {
                    let Some(item) = list.next_element()? else { return Ok(few) };
                    few.items.push(item);
                }
                while list.next_element::<IgnoredAny>()?.is_some() {
                    few.has_more = true;
                }
                Ok(few)
            }
        }
        deserializer.deserialize_seq(Reader)
    }
}

/// serde takes a list for a struct as well, by places; Meta's are objects. What isn't asked for is passed over, however deep or long.
pub fn object<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    raw.get().starts_with('{').then(|| serde_json::from_str(raw.get()).ok())?
}

/// A text, a number, a word; nothing for what holds others, which may be millions.
pub fn scalar(raw: Option<&RawValue>) -> Value {
    let text = raw.map_or("null", RawValue::get);
    if text.starts_with(['{', '[']) { Value::Null } else { serde_json::from_str(text).unwrap_or_default() }
}
