//! Strings with escapes.

use memchr::memchr;
use serde_json::Error;

/// What a string says, given with its quotes.
pub(super) fn unescape(quoted: &str) -> Result<String, Error> {
    match simple(quoted) {
        Some(text) => Ok(text),
        // Escapes by number, of which not all are characters.
        None => serde_json::from_str(quoted),
    }
}

/// The same if every escape is of one character.
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
