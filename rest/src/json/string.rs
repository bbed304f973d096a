//! Strings with escapes.

use std::fmt;

use memchr::memchr;
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde_json::Error;

/// What a string says, given with its quotes.
pub(super) fn unescape(quoted: &str) -> Result<String, Error> {
    match simple(quoted) {
        Some(text) => Ok(text),
        // Escapes by number, of which not all are characters.
        None => serde_json::from_str(quoted),
    }
}

/// The same if every escape is of one letter.
fn simple(quoted: &str) -> Option<String> {
    let mut rest = quoted.get(1..quoted.len() - 1)?;
    let mut text = String::with_capacity(rest.len());
    while let Some(at) = memchr(b'\\', rest.as_bytes()) {
        text.push_str(rest.get(..at)?);
        text.push(match rest.as_bytes().get(at + 1)? {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\x08',
            b'f' => '\x0c',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            _ => return None,
        });
        rest = rest.get(at + 2..)?;
    }
    text.push_str(rest);
    Some(text)
}

/// The bytes that a string says, given with its quotes: half a pair of surrogates is three of them.
pub(super) fn unescape_bytes(quoted: &str) -> Result<Vec<u8>, Error> {
    struct Bytes(Vec<u8>);

    impl<'de> Deserialize<'de> for Bytes {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_bytes(BytesVisitor).map(Self)
        }
    }

    struct BytesVisitor;

    impl Visitor<'_> for BytesVisitor {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
            Ok(bytes.to_vec())
        }
    }

    serde_json::from_str(quoted).map(|Bytes(bytes)| bytes)
}
