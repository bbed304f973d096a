//! serde's view of a text whose tokens are known.

use std::borrow::Cow;

use serde::de::value::StrDeserializer;
use serde::de::{self, Deserializer, Unexpected, Visitor};
use serde_json::Error;

use super::access::{Elements, Members, RAW_VALUE, RawText, Variant};
use super::tokens::Tokens;
use super::{number, string};

/// Reads values from a text by its tokens, one after the other.
///
/// The text was checked before: tokens stand where the grammar wants them. So there is no search for where something
/// ends, and no check of what separates values; how many elements an array has is known before its memory is asked for.
pub(super) struct Reader<'de, 'a> {
    text: &'de str,
    tokens: &'a Tokens,
    /// The next token that nobody took.
    next: usize,
}

/// What a token means to whoever counts values: a string's quotes are half a value each.
#[derive(Clone, Copy)]
struct Weight {
    depth: i8,
    halves: u8,
}

/// By the token's first byte.
const WEIGHTS: [Weight; 256] = {
    let mut weights = [Weight { depth: 0, halves: 2 }; 256];
    weights[b'"' as usize].halves = 1;
    weights[b'{' as usize].depth = 1;
    weights[b'[' as usize].depth = 1;
    weights[b'}' as usize] = Weight { depth: -1, halves: 0 };
    weights[b']' as usize] = Weight { depth: -1, halves: 0 };
    weights
};

/// A string of the text: itself, or what its escapes make of it.
enum Text<'de> {
    Plain(&'de str),
    Unescaped(String),
}

impl<'de, 'a> Reader<'de, 'a> {
    pub(super) fn new(text: &'de str, tokens: &'a Tokens) -> Self {
        Self { text, tokens, next: 0 }
    }

    /// Where the next token begins, or the text ends.
    fn place(&self) -> usize {
        self.tokens.place(self.next).unwrap_or(self.text.len())
    }

    /// The first byte of the next token; 0 after the last.
    #[inline(always)]
    pub(super) fn peek(&self) -> u8 {
        self.byte(self.next)
    }

    #[inline(always)]
    fn byte(&self, token: usize) -> u8 {
        let place = self.tokens.place(token);
        place.and_then(|place| self.text.as_bytes().get(place)).copied().unwrap_or(0)
    }

    /// Takes the next token, which has one byte.
    #[inline(always)]
    pub(super) fn take(&mut self) {
        self.next += 1;
    }

    /// How many values come before the bracket that closes what is open.
    pub(super) fn values_left(&self) -> usize {
        let (mut depth, mut halves) = (0_i32, 0);
        for token in self.tokens.after(self.next) {
            let weight = WEIGHTS[usize::from(self.text.as_bytes().get(token).copied().unwrap_or(0))];
            halves += if depth == 0 { usize::from(weight.halves) } else { 0 };
            depth += i32::from(weight.depth);
            if depth < 0 {
                break;
            }
        }
        halves / 2
    }

    /// Takes a value, whatever it is.
    fn skip(&mut self) {
        match self.peek() {
            b'"' => self.next += 2,
            b'{' | b'[' => {
                let mut depth = 0_i32;
                for token in self.tokens.after(self.next) {
                    self.next += 1;
                    depth += i32::from(
                        WEIGHTS[usize::from(self.text.as_bytes().get(token).copied().unwrap_or(0))].depth,
                    );
                    if depth == 0 {
                        break;
                    }
                }
            }
            _ => self.next += 1,
        }
    }

    /// Takes a value and gives its text.
    fn skipped(&mut self) -> Result<&'de str, Error> {
        let start = self.place();
        let scalar = !matches!(self.peek(), b'{' | b'[' | b'"');
        self.skip();
        let last = self.tokens.place(self.next.wrapping_sub(1)).unwrap_or(start);
        let end = if scalar { start + number::scalar(self.rest(start)).len() } else { last + 1 };
        self.text.get(start..end).ok_or_else(broken)
    }

    fn rest(&self, place: usize) -> &'de str {
        self.text.get(place..).unwrap_or_default()
    }

    #[inline(always)]
    fn string(&mut self) -> Result<Text<'de>, Error> {
        let quotes = self.tokens.quotes(self.next).ok_or_else(broken)?;
        self.next += 2;
        if quotes.escapes {
            let quoted = self.text.get(quotes.open..=quotes.close).ok_or_else(broken)?;
            return string::unescape(quoted).map(Text::Unescaped);
        }
        self.text.get(quotes.open + 1..quotes.close).map(Text::Plain).ok_or_else(broken)
    }

    /// Takes a string and gives what it says.
    pub(super) fn key(&mut self) -> Result<Cow<'de, str>, Error> {
        Ok(match self.string()? {
            Text::Plain(text) => Cow::Borrowed(text),
            Text::Unescaped(text) => Cow::Owned(text),
        })
    }

    /// Takes a number or a literal and gives its text.
    #[inline(always)]
    fn scalar(&mut self) -> &'de str {
        let text = number::scalar(self.rest(self.place()));
        self.next += 1;
        text
    }

    #[inline(always)]
    fn number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Error> {
        match self.peek() {
            b'-' | b'0'..=b'9' => number::read(self.scalar(), visitor),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    #[inline(always)]
    fn array<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Error> {
        self.take();
        let mut value = visitor.visit_seq(Elements::new(self));
        if value.is_ok() && self.peek() != b']' {
            value = Err(too_much());
        }
        self.take();
        value
    }

    #[inline(always)]
    fn object<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Error> {
        self.take();
        let mut value = visitor.visit_map(Members::new(self));
        if value.is_ok() && self.peek() != b'}' {
            value = Err(too_much());
        }
        self.take();
        value
    }

    /// The error of a value that is none of those that the visitor takes.
    #[cold]
    fn unexpected(&mut self, expected: &dyn de::Expected) -> Error {
        let text;
        let unexpected = match self.peek() {
            b'{' => Unexpected::Map,
            b'[' => Unexpected::Seq,
            b'n' => Unexpected::Unit,
            b't' => Unexpected::Bool(true),
            b'f' => Unexpected::Bool(false),
            b'"' => match self.string() {
                Ok(string) => {
                    text = string;
                    Unexpected::Str(match &text {
                        Text::Plain(text) => text,
                        Text::Unescaped(text) => text,
                    })
                }
                Err(error) => return error,
            },
            _ => match number::unexpected(self.scalar()) {
                Ok(number) => number,
                Err(error) => return error,
            },
        };
        de::Error::invalid_type(unexpected, expected)
    }

    /// An error, with its place if it has none.
    #[cold]
    pub(super) fn located(&self, error: Error) -> Error {
        if error.line() > 0 {
            return error;
        }
        let read = self.text.get(..self.place()).unwrap_or_default();
        let read = read.trim_end_matches([' ', '\t', '\n', '\r', ',', ':']);
        let line = read.matches('\n').count() + 1;
        let column = read.len() - read.rfind('\n').map_or(0, |at| at + 1);
        de::Error::custom(format_args!("{error} at line {line} column {column}"))
    }
}

/// What nobody took from an array or object.
#[cold]
fn too_much() -> Error {
    de::Error::custom("there is more in it than is expected")
}

/// What can't be, as the text was checked.
#[cold]
fn broken() -> Error {
    de::Error::custom("a text that is no JSON")
}

macro_rules! read_numbers {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.number(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for &mut Reader<'de, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.peek() {
            b'"' => self.deserialize_str(visitor),
            b'{' => self.object(visitor),
            b'[' => self.array(visitor),
            b'n' => self.deserialize_unit(visitor),
            b't' | b'f' => self.deserialize_bool(visitor),
            _ => self.number(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let value = match self.peek() {
            b't' => true,
            b'f' => false,
            _ => return Err(self.unexpected(&visitor)),
        };
        self.take();
        visitor.visit_bool(value)
    }

    read_numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_f32 deserialize_f64
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.peek() {
            b'-' | b'0'..=b'9' => visitor.visit_i128(number::wide(self.scalar())?),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.peek() {
            b'-' | b'0'..=b'9' => visitor.visit_u128(number::wide(self.scalar())?),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.peek() != b'"' {
            return Err(self.unexpected(&visitor));
        }
        match self.string()? {
            Text::Plain(text) => visitor.visit_borrowed_str(text),
            Text::Unescaped(text) => visitor.visit_string(text),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.peek() {
            b'[' => self.array(visitor),
            b'"' => match self.string()? {
                Text::Plain(text) => visitor.visit_borrowed_bytes(text.as_bytes()),
                Text::Unescaped(text) => visitor.visit_byte_buf(text.into_bytes()),
            },
            _ => Err(self.unexpected(&visitor)),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.peek() == b'n' {
            self.take();
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.peek() != b'n' {
            return Err(self.unexpected(&visitor));
        }
        self.take();
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name == RAW_VALUE {
            return visitor.visit_map(RawText::new(self.skipped()?));
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.peek() != b'[' {
            return Err(self.unexpected(&visitor));
        }
        self.array(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.peek() != b'{' {
            return Err(self.unexpected(&visitor));
        }
        self.object(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.peek() {
            b'{' => self.object(visitor),
            b'[' => self.array(visitor),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.peek() {
            b'{' => {
                self.take();
                let mut value = visitor.visit_enum(Variant::new(self));
                if value.is_ok() && self.peek() != b'}' {
                    value = Err(too_much());
                }
                self.take();
                value
            }
            b'"' => match self.string()? {
                Text::Plain(text) => visitor.visit_enum(StrDeserializer::new(text)),
                Text::Unescaped(text) => visitor.visit_enum(StrDeserializer::new(&text)),
            },
            _ => Err(de::Error::custom("expected a string or an object for an enum")),
        }
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.skip();
        visitor.visit_unit()
    }
}
