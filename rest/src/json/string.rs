//! What strings say.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde_json::Error;

/// What a string says, given as JSON; `None` for anything else.
pub(crate) fn string(json: &str) -> Option<Cow<'_, str>> {
    let bare = json.strip_prefix('"')?.strip_suffix('"')?;
    if bare.contains('\\') {
        serde_json::from_str(json).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(bare))
    }
}

/// What a string with escapes says, given with its quotes.
pub(super) fn unescape(quoted: &str) -> Result<String, Error> {
    match simple(quoted) {
        Some(text) => Ok(text),
        // Escapes by number, of which not all are characters.
        None => serde_json::from_str(quoted),
    }
}

/// The same if every escape is of one letter.
fn simple(quoted: &str) -> Option<String> {
    let quoted = quoted.as_bytes().get(1..quoted.len() - 1)?;
    let mut text = Vec::with_capacity(quoted.len());
    let mut bytes = quoted.iter();
    while let Some(&byte) = bytes.next() {
        text.push(match byte {
            b'\\' => match bytes.next()? {
                b'b' => b'\x08',
                b'f' => b'\x0c',
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                byte @ (b'"' | b'\\' | b'/') => *byte,
                _ => return None,
            },
            byte => byte,
        });
    }
    String::from_utf8(text).ok()
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
