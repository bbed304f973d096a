//! The wire format of protobuf, as far as it takes to find fields.

use super::ProtobufErrorKind;

/// It is no protobuf. Small, as it is in the result of every step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Malformed(pub(crate) &'static str);

impl From<Malformed> for ProtobufErrorKind {
    fn from(Malformed(why): Malformed) -> Self {
        Self::Malformed(why)
    }
}

/// A number whose bytes come one by one.
#[derive(Debug, Default)]
pub(super) struct Varint {
    value: u64,
    bits: u32,
}

impl Varint {
    /// Whether no byte has come yet.
    pub(super) fn is_new(&self) -> bool {
        self.bits == 0
    }

    /// Takes the next byte; the number once it was the last.
    pub(super) fn push(&mut self, byte: u8) -> Result<Option<u64>, Malformed> {
        if self.bits == 63 && byte > 1 {
            return Err(Malformed("a number of more than 64 bits"));
        }
        self.value |= u64::from(byte & 0x7f) << self.bits;
        self.bits += 7;
        Ok((byte < 0x80).then_some(self.value))
    }
}

/// What stands behind a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Number,
    /// So many bytes.
    Fixed(u8),
    /// A length, and so many bytes.
    Bytes,
}

/// A field's number, and what stands behind its key.
#[inline(always)]
pub(super) fn key(key: u64) -> Result<(u32, Type), Malformed> {
    let number = u32::try_from(key).map_err(|_| Malformed("a field number too large"))? >> 3;
    if number == 0 {
        return Err(Malformed("a field without a number"));
    }
    let wire_type = match key & 7 {
        0 => Type::Number,
        1 => Type::Fixed(8),
        2 => Type::Bytes,
        5 => Type::Fixed(4),
        _ => return Err(Malformed("a field of a type that Kubernetes does not use")),
    };
    Ok((number, wire_type))
}

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Number(u64),
    Fixed,
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    #[inline(always)]
    pub(crate) fn bytes(self) -> Result<&'a [u8], Malformed> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(Malformed("a number where text or a message must stand")),
        }
    }

    pub(crate) fn text(self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Malformed("text that is not UTF-8"))
    }

    /// The bytes of a text. Whether they are one is asked unless it is known that they are ASCII.
    #[inline(always)]
    pub(crate) fn checked_text(self, is_ascii: bool) -> Result<&'a [u8], Malformed> {
        if is_ascii { self.bytes() } else { self.text().map(str::as_bytes) }
    }

    pub(crate) fn number(self) -> Result<u64, Malformed> {
        match self {
            Self::Number(number) => Ok(number),
            _ => Err(Malformed("text or a message where a number must stand")),
        }
    }
}

/// A field of a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    pub(crate) number: u32,
    pub(crate) value: Value<'a>,
    /// Where in the message it begins and ends, its key included.
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// The fields of a message, as they come; nothing after an error.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(message: &'a [u8]) -> Self {
        Self { message, at: 0 }
    }

    #[inline(always)]
    fn varint(&mut self) -> Result<u64, Malformed> {
        // Keys and most lengths are of one byte, nearly all others of two.
        match self.message.get(self.at..).unwrap_or_default() {
            [one @ ..0x80, ..] => {
                self.at += 1;
                Ok(u64::from(*one))
            }
            [one, two @ ..0x80, ..] => {
                self.at += 2;
                Ok(u64::from(*one & 0x7f) | u64::from(*two) << 7)
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, Malformed> {
        let mut varint = Varint::default();
        loop {
            let byte = *self.message.get(self.at).ok_or(CUT)?;
            self.at += 1;
            if let Some(number) = varint.push(byte)? {
                return Ok(number);
            }
        }
    }

    #[inline(always)]
    fn take(&mut self, length: u64) -> Result<&'a [u8], Malformed> {
        let rest = &self.message[self.at..];
        let taken = usize::try_from(length).ok().and_then(|length| rest.get(..length)).ok_or(CUT)?;
        self.at += taken.len();
        Ok(taken)
    }

    #[inline(always)]
    fn field(&mut self) -> Result<Field<'a>, Malformed> {
        let start = self.at;
        let (number, wire_type) = key(self.varint()?)?;
        let value = match wire_type {
            Type::Number => Value::Number(self.varint()?),
            Type::Fixed(length) => self.take(length.into()).map(|_| Value::Fixed)?,
            Type::Bytes => {
                let length = self.varint()?;
                Value::Bytes(self.take(length)?)
            }
        };
        Ok(Field { number, value, start, end: self.at })
    }
}

const CUT: Malformed = Malformed("a field that goes beyond the end of its message");

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, Malformed>;

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.message.len() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.at = self.message.len();
        }
        Some(field)
    }
}
