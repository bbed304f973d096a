//! Types from texts of JSON.
mod access;
mod deserializer;
mod number;
mod string;
mod tokens;

use fearless_simd::Level;
use serde::Deserialize;
use serde_json::Error;

use deserializer::Reader;
pub(crate) use tokens::Tokens;

/// Reads a text that is known to be one value of JSON, by the scanner for instance.
pub(crate) fn from_checked<'de, T: Deserialize<'de>>(
    text: &'de str,
    tokens: &mut Tokens,
) -> Result<T, Error> {
    tokens.find(Level::new(), text);
    let mut reader = Reader::new(text, tokens);
    let mut value = T::deserialize(&mut reader);
    if value.is_err() {
        value = value.map_err(|error| reader.located(error));
    }
    value
}
