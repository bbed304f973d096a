//! Numbers, as serde_json reads them.

use std::str::FromStr;

use serde::de::{self, Deserializer, Unexpected, Visitor};
use serde_json::{Error, Number};

use super::reader::unplaced;

/// Digits that any `u64` and `i64` has room for.
const SAFE_DIGITS: usize = 18;

/// The number or literal with which a text begins.
#[inline(always)]
pub(super) fn scalar(text: &str) -> &str {
    let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r');
    let end = text.as_bytes().iter().position(ends).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// Gives a visitor that takes anything the number: in serde_json's own form where a program has that keep all digits.
#[inline(always)]
pub(super) fn read_any<'de, V: Visitor<'de>>(text: &str, visitor: V) -> Result<V::Value, Error> {
    match integer(text) {
        Some(value) => visitor.visit_u64(value),
        None => any(text)?.deserialize_any(visitor),
    }
}

/// Gives a visitor that wants a number the number.
#[inline(always)]
pub(super) fn read<'de, V: Visitor<'de>>(text: &str, visitor: V) -> Result<V::Value, Error> {
    match integer(text) {
        Some(value) => visitor.visit_u64(value),
        None => read_uncommon(&any(text)?, visitor),
    }
}

fn read_uncommon<'de, V: Visitor<'de>>(number: &Number, visitor: V) -> Result<V::Value, Error> {
    if let Some(value) = number.as_u64() {
        visitor.visit_u64(value)
    } else if let Some(value) = number.as_i64() {
        visitor.visit_i64(value)
    } else if let Some(value) = number.as_f64() {
        visitor.visit_f64(value)
    } else {
        Err(out_of_range())
    }
}

fn any(text: &str) -> Result<Number, Error> {
    Number::from_str(text).map_err(unplaced)
}

/// A number of digits alone, if there are few of them.
#[inline(always)]
fn integer(text: &str) -> Option<u64> {
    if text.is_empty() || text.len() > SAFE_DIGITS {
        return None;
    }
    let mut value = 0;
    for byte in text.bytes() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    Some(value)
}

/// An integer of 128 bits.
pub(super) fn wide<T: FromStr>(text: &str) -> Result<T, Error> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || (digits.starts_with('0') && digits != "0") {
        return Err(de::Error::custom("invalid number: not an integer"));
    }
    text.parse().map_err(|_| out_of_range())
}

#[cold]
fn out_of_range() -> Error {
    de::Error::custom("number out of range")
}

/// The number that a key spells.
pub(super) fn spelled<'de, V: Visitor<'de>>(text: &str, visitor: V) -> Result<V::Value, Error> {
    if !text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        return Err(de::Error::invalid_type(Unexpected::Str(text), &"a number in quotes"));
    }
    read_uncommon(&any(text)?, visitor)
}

pub(super) fn spelled_i128<'de, V: Visitor<'de>>(text: &str, visitor: V) -> Result<V::Value, Error> {
    visitor.visit_i128(wide(text)?)
}

pub(super) fn spelled_u128<'de, V: Visitor<'de>>(text: &str, visitor: V) -> Result<V::Value, Error> {
    visitor.visit_u128(wide(text)?)
}

/// How a number is called that nobody expected.
pub(super) fn unexpected(text: &str) -> Result<Unexpected<'static>, Error> {
    let number = any(text)?;
    Ok(match (number.as_u64(), number.as_i64(), number.as_f64()) {
        (Some(number), ..) => Unexpected::Unsigned(number),
        (_, Some(number), _) => Unexpected::Signed(number),
        (.., number) => Unexpected::Float(number.unwrap_or(f64::INFINITY)),
    })
}
