//! What is wrong with a document, and where.

use std::fmt;

use super::structure::{Fault, FaultKind};

/// JSON that was refused while it was scanned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanError {
    pub(super) kind: ScanErrorKind,
    pub(super) offset: u64,
    pub(super) item: Option<usize>,
}

/// Why JSON was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScanErrorKind {
    /// A token in a place where it can't stand.
    Unexpected(char),
    /// A control character inside a string.
    ControlCharacter,
    /// A backslash followed by something else than an escape.
    Escape,
    /// A number or a literal that isn't one.
    Scalar,
    /// Nested deeper than the limit.
    TooDeep,
    /// A bracket that closes nothing, or something else.
    Bracket,
    /// Bytes that aren't UTF-8.
    Utf8,
    /// An object larger than the limit (bytes).
    ItemTooLarge(usize),
    /// A document larger than the limit (bytes).
    DocumentTooLarge(u64),
    /// The end of the input inside a value.
    Truncated,
    /// `items` (or `metadata`) of a list twice.
    Duplicate(&'static str),
    /// `items` that is neither an array nor null.
    ItemsNoArray,
    /// An object without `items` whose kind is not a list's.
    NoList,
}

impl ScanError {
    pub(super) fn from_fault(fault: Fault, start: u64, bytes: &[u8], item: Option<usize>) -> Self {
        let kind = match fault.kind {
            FaultKind::Unexpected => {
                let byte = bytes.get(fault.at as usize).copied().unwrap_or_default();
                ScanErrorKind::Unexpected(char::from(byte))
            }
            FaultKind::Control => ScanErrorKind::ControlCharacter,
            FaultKind::Escape => ScanErrorKind::Escape,
            FaultKind::Scalar => ScanErrorKind::Scalar,
            FaultKind::Depth => ScanErrorKind::TooDeep,
            FaultKind::Mismatch => ScanErrorKind::Bracket,
        };
        Self { kind, offset: start + u64::from(fault.at), item }
    }

    /// Why.
    pub fn kind(&self) -> ScanErrorKind {
        self.kind
    }

    /// The byte of the document, counted from 0, at which it was noticed.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The item of the list, or the frame of the watch, in which it was noticed, counted from 0.
    pub fn item(&self) -> Option<usize> {
        self.item
    }
}

impl fmt::Display for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ScanErrorKind::Unexpected(c) => write!(f, "invalid JSON: unexpected {c:?}"),
            ScanErrorKind::ControlCharacter => f.write_str("invalid JSON: a control character in a string"),
            ScanErrorKind::Escape => f.write_str("invalid JSON: an unknown escape in a string"),
            ScanErrorKind::Scalar => f.write_str("invalid JSON: neither a number nor true, false or null"),
            ScanErrorKind::TooDeep => f.write_str("JSON nested too deep"),
            ScanErrorKind::Bracket => f.write_str("invalid JSON: a bracket that doesn't match"),
            ScanErrorKind::Utf8 => f.write_str("invalid UTF-8"),
            ScanErrorKind::ItemTooLarge(limit) => {
                write!(f, "an object larger than the limit of {limit} bytes")
            }
            ScanErrorKind::DocumentTooLarge(limit) => {
                write!(f, "a document larger than the limit of {limit} bytes")
            }
            ScanErrorKind::Truncated => f.write_str("the JSON ends too early"),
            ScanErrorKind::Duplicate(field) => write!(f, "a list with two fields `{field}`"),
            ScanErrorKind::ItemsNoArray => f.write_str("a list whose `items` is no array"),
            ScanErrorKind::NoList => f.write_str("an object without `items`: not a list"),
        }?;
        if let Some(item) = self.item {
            write!(f, ", in item {item}")?;
        }
        write!(f, ", at byte {}", self.offset)
    }
}

impl std::error::Error for ScanError {}
