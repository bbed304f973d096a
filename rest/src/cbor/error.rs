use std::fmt;

/// CBOR that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CborError {
    pub(super) kind: CborErrorKind,
    pub(super) offset: u64,
}

/// Why CBOR was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CborErrorKind {
    /// The first byte of a value is one that no value has.
    Reserved(u8),
    /// A break where nothing of unknown length can end.
    Break,
    /// A piece of a string of unknown length that is no such string.
    Piece,
    /// A map's key that is no string.
    Key,
    /// Nested deeper than 127 levels.
    TooDeep,
    /// Text that isn't UTF-8.
    Utf8,
    /// A number without a JSON form: NaN or an infinity.
    NotFinite,
    /// An integer larger than 64 bits.
    Bignum,
    /// A simple value other than `true`, `false` and `null` in their one byte.
    Simple(u8),
    /// A time outside of the years -9999 to 9999.
    Time,
    /// Bytes after the value.
    Trailing,
    /// The end of the input inside a value, or before it.
    Truncated,
    /// The JSON that it stands for is larger than the limit (bytes).
    TooLarge(usize),
}

impl CborError {
    /// Why.
    pub fn kind(&self) -> CborErrorKind {
        self.kind
    }

    /// The byte of the input, counted from 0: the first of the value that can't be read, or of text the one that is
    /// wrong.
    pub fn offset(&self) -> u64 {
        self.offset
    }
}

impl fmt::Display for CborError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            CborErrorKind::Reserved(byte) => write!(f, "invalid CBOR: no value begins with {byte:#04x}"),
            CborErrorKind::Break => f.write_str("invalid CBOR: a break where nothing can end"),
            CborErrorKind::Piece => f.write_str("invalid CBOR: a string in pieces holds something else"),
            CborErrorKind::Key => f.write_str("CBOR without a JSON form: a key that is no string"),
            CborErrorKind::TooDeep => f.write_str("CBOR nested too deep"),
            CborErrorKind::Utf8 => f.write_str("invalid CBOR: text that is no UTF-8"),
            CborErrorKind::NotFinite => f.write_str("CBOR without a JSON form: a number that is not finite"),
            CborErrorKind::Bignum => f.write_str("CBOR with an integer larger than 64 bits"),
            CborErrorKind::Simple(value) => {
                write!(f, "CBOR without a JSON form: the simple value {value}")
            }
            CborErrorKind::Time => f.write_str("CBOR with a time that no calendar reaches"),
            CborErrorKind::Trailing => f.write_str("invalid CBOR: more bytes after the value"),
            CborErrorKind::Truncated => f.write_str("the CBOR ends too early"),
            CborErrorKind::TooLarge(limit) => {
                write!(f, "CBOR whose JSON is larger than the limit of {limit} bytes")
            }
        }?;
        write!(f, ", at byte {}", self.offset)
    }
}

impl std::error::Error for CborError {}
