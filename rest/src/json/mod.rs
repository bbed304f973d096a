//! Types from texts of JSON.
//!
//! The scanner has told a text's strings from what is between them already, so nothing here looks for the end of a
//! string or of a value again: 64 bytes at a time become the places of [`tokens`], and serde reads along those
//! ([`reader`], [`deserializer`]). As the tokens tell how many elements an array has, a vector asks for its memory once.
//! All that is read is what serde_json makes of the same text, and what it refuses is refused, with its own error type.

mod access;
mod deserializer;
mod number;
mod reader;
mod string;
#[cfg(test)]
mod tests;
mod tokens;

use serde::Deserialize;
use serde::de;
use serde_json::Error;

use reader::Reader;
pub(crate) use string::string;
pub(crate) use tokens::Tokens;

/// Reads a text that is known to be one value of JSON: an item of the scanner's, or a value in one. The tokens are room
/// for its own, so that they need no memory for each text.
///
/// # Errors
/// It is no `T`.
pub(crate) fn from_checked<'de, T: Deserialize<'de>>(
    text: &'de str,
    tokens: &mut Tokens,
) -> Result<T, Error> {
    if text.len() > tokens::MAX_BYTES {
        return Err(too_long());
    }
    tokens.find(text);
    read(text, tokens)
}

/// Reads any text.
///
/// # Errors
/// It is no JSON, or no `T`.
pub(crate) fn from_str<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, Error> {
    if text.len() > tokens::MAX_BYTES {
        return Err(too_long());
    }
    let mut tokens = Tokens::default();
    if tokens.check(text) {
        return read(text, &tokens);
    }
    Err(fault(text.as_bytes()))
}

/// Reads any bytes.
///
/// # Errors
/// They are no JSON, or no `T`.
pub(crate) fn from_slice<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, Error> {
    // Checking UTF-8 once for the whole is cheaper than string by string.
    match simdutf8::basic::from_utf8(bytes) {
        Ok(text) => from_str(text),
        Err(_) => Err(fault(bytes)),
    }
}

fn read<'de, T: Deserialize<'de>>(text: &'de str, tokens: &Tokens) -> Result<T, Error> {
    let mut reader = Reader::new(text, tokens);
    let mut value = T::deserialize(&mut reader);
    if value.is_err() {
        value = value.map_err(|error| reader.located(error));
    }
    value
}

/// What serde_json finds wrong with bytes that are no JSON.
#[cold]
fn fault(bytes: &[u8]) -> Error {
    match serde_json::from_slice::<serde_json::Value>(bytes) {
        Err(error) => error,
        Ok(_) => de::Error::custom("no JSON"),
    }
}

#[cold]
fn too_long() -> Error {
    de::Error::custom("longer than 2 GiB")
}
