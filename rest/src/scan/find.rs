//! Finds the value of a path in a text that was checked before, skipping all others by vectors.

use std::borrow::Cow;

use fearless_simd::{Level, Simd, dispatch};

use super::block::{BLOCK, classify};
use super::path::Segment;
use super::strings::Strings;

/// The text of the value to which a segment leads from a value. Of a key that comes twice the last one counts, as with
/// serde_json. [`Segment::Each`] leads nowhere: it is many values.
pub(crate) fn find<'a>(value: &'a str, segment: &Segment<Cow<'_, str>>) -> Option<&'a str> {
    let (level, value) = (Level::new(), super::scanner::trim(value));
    let mut found = None;
    match segment {
        Segment::Key(key) => members(level, value, |name, value| {
            if same(name, key) {
                found = Some(value);
            }
            true
        }),
        Segment::Index(index) => {
            let mut left = *index;
            elements(level, value, |element| {
                found = (left == 0).then_some(element);
                left = left.wrapping_sub(1);
                found.is_none()
            });
        }
        Segment::Each => {}
    }
    found
}

/// The keys, as they stand in the text, and values of an object; nothing of any other value. Ends when `each` says
/// false.
fn members<'a>(level: Level, object: &'a str, mut each: impl FnMut(&'a str, &'a str) -> bool) {
    let mut cursor = Cursor { level, text: object, at: 1 };
    if !object.starts_with('{') {
        return;
    }
    while cursor.peek() == Some(b'"') {
        let key = cursor.value();
        cursor.pass(b':');
        let value = cursor.value();
        if !each(key, value) || !cursor.pass(b',') {
            return;
        }
    }
}

/// Gives each key, as it stands in the text, and value of an object; nothing of any other value.
pub(crate) fn each_member<'a>(object: &'a str, mut each: impl FnMut(&'a str, &'a str)) {
    members(Level::new(), super::scanner::trim(object), |key, value| {
        each(key, value);
        true
    });
}

fn elements<'a>(level: Level, array: &'a str, mut each: impl FnMut(&'a str) -> bool) {
    let mut cursor = Cursor { level, text: array, at: 1 };
    if !array.starts_with('[') {
        return;
    }
    while cursor.peek().is_some_and(|byte| byte != b']') {
        if !each(cursor.value()) || !cursor.pass(b',') {
            return;
        }
    }
}

/// Whether a string, quotes and escapes included, says this.
pub(crate) fn same(string: &str, name: &str) -> bool {
    let bare = string.get(1..string.len().saturating_sub(1)).unwrap_or_default();
    bare == name
        || (bare.contains('\\') && serde_json::from_str::<String>(string).is_ok_and(|string| string == name))
}

struct Cursor<'a> {
    level: Level,
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// The next byte that is no blank.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while matches!(bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn pass(&mut self, byte: u8) -> bool {
        let is = self.peek() == Some(byte);
        self.at += usize::from(is);
        is
    }

    /// Passes the next value and returns its text.
    fn value(&mut self) -> &'a str {
        let first = self.peek();
        let start = self.at;
        let rest = &self.text.as_bytes()[start..];
        let len = match first {
            Some(b'"') => string_len(rest),
            Some(b'{' | b'[') => dispatch!(self.level, simd => container_len(simd, rest)),
            _ => rest
                .iter()
                .position(|byte| matches!(byte, b',' | b'}' | b']' | b':' | b' ' | b'\t' | b'\n' | b'\r'))
                .unwrap_or(rest.len()),
        };
        self.at = start + len;
        &self.text[start..self.at]
    }
}

/// The length of the string that `bytes` begin with.
fn string_len(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(len) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += len;
        if bytes[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    bytes.len()
}

/// The length of the object or array that `bytes` begin with.
#[inline(always)]
fn container_len<S: Simd>(simd: S, bytes: &[u8]) -> usize {
    let (blocks, tail) = bytes.as_chunks::<BLOCK>();
    let mut last = [b' '; BLOCK];
    last[..tail.len()].copy_from_slice(tail);
    let mut strings = Strings::default();
    let mut depth = 0;
    for i in 0..=blocks.len() {
        let masks = classify(simd, blocks.get(i).unwrap_or(&last));
        let outside = !strings.step(&masks, BLOCK).in_string;
        let (open, close) = (masks.open & outside, masks.close & outside);
        if depth > close.count_ones() {
            depth = depth + open.count_ones() - close.count_ones();
            continue;
        }
        let mut rest = open | close;
        while rest != 0 {
            let bit = rest.trailing_zeros();
            rest &= rest - 1;
            if open >> bit & 1 == 1 {
                depth += 1;
            } else if depth <= 1 {
                return (i * BLOCK + bit as usize + 1).min(bytes.len());
            } else {
                depth -= 1;
            }
        }
    }
    bytes.len()
}
