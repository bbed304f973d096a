//! A type of every form that serde knows.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, IgnoredAny, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

#[derive(Debug, Deserialize, PartialEq)]
pub(super) enum Outside {
    Unit,
    New(u8),
    Two(u8, String),
    Fields { a: u8 },
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(tag = "type")]
pub(super) enum Inside {
    A { a: u8 },
    B { b: Option<String> },
    C,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(tag = "type", content = "object")]
pub(super) enum Beside {
    A(u8),
    B(Vec<String>),
    C,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(untagged)]
pub(super) enum Untagged {
    Number(i32),
    Text(String),
    Many(Vec<f64>),
    Fields { a: u8 },
    Any(Value),
}

#[derive(Debug, Deserialize, PartialEq)]
pub(super) struct Flat {
    name: String,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Lenient {
    metadata: BTreeMap<String, Value>,
    name: Option<String>,
    managed_fields: Option<Vec<Value>>,
    status: Option<Box<Lenient>>,
    spec: Value,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(super) struct Strict {
    a: i64,
    b: Option<bool>,
}

#[derive(Debug, Deserialize, PartialEq)]
pub(super) struct New(u16);

#[derive(Debug, Deserialize, PartialEq)]
pub(super) struct Unit;

#[derive(Debug, Deserialize, PartialEq)]
pub(super) struct Borrowing<'a> {
    #[serde(borrow)]
    a: Cow<'a, str>,
    b: Option<&'a str>,
}

#[derive(Debug, PartialEq)]
pub(super) struct Bytes(Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BytesVisitor;

        impl<'de> Visitor<'de> for BytesVisitor {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut elements: A) -> Result<Bytes, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = elements.next_element()? {
                    bytes.push(byte);
                }
                Ok(Bytes(bytes))
            }
        }

        deserializer.deserialize_byte_buf(BytesVisitor)
    }
}

/// A text as it stands.
#[derive(Debug, Deserialize)]
pub(super) struct Raw(Box<RawValue>);

impl PartialEq for Raw {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

/// `IgnoredAny` that can be compared.
#[derive(Debug, PartialEq)]
pub(super) struct IgnoredAny2;

impl<'de> Deserialize<'de> for IgnoredAny2 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

#[derive(Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    #[serde(rename = "a")]
    A,
    #[serde(rename = "name")]
    Name,
}

#[derive(Debug, Deserialize, PartialEq)]
pub(super) struct Float(f64);
