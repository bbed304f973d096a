use std::fmt;

use crate::FieldPathError;

/// Protobuf that was refused while it was read.
#[derive(Clone, Debug)]
pub struct ProtobufError {
    pub(super) kind: ProtobufErrorKind,
    pub(super) offset: u64,
    pub(super) item: Option<usize>,
}

/// Why protobuf was refused.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProtobufErrorKind {
    /// It doesn't begin as Kubernetes' protobuf does.
    #[error("it does not begin with the four bytes of Kubernetes' protobuf")]
    Magic,
    /// It is no protobuf.
    #[error("invalid protobuf: {0}")]
    Malformed(&'static str),
    /// The end of the input inside a field.
    #[error("the protobuf ends too early")]
    Truncated,
    /// An object larger than the limit (bytes).
    #[error("an object of {size} bytes, larger than the limit of {limit}")]
    ItemTooLarge {
        /// What it says its size is.
        size: u64,
        /// The limit.
        limit: usize,
    },
    /// An answer larger than the limit (bytes).
    #[error("a document larger than the limit of {0} bytes")]
    DocumentTooLarge(u64),
    /// The answer is no list, but of this kind.
    #[error("an object of kind {0:?}: not a list")]
    NoList(String),
    /// It is protobuf, but no message of the type asked for.
    #[error("not of the type asked for: {0}")]
    Type(#[from] prost::DecodeError),
    /// A field that can't be left out of protobuf.
    #[error(transparent)]
    Path(#[from] FieldPathError),
}

impl ProtobufError {
    pub(crate) fn in_item(kind: ProtobufErrorKind, item: usize, offset: u64) -> Self {
        Self { kind, offset, item: Some(item) }
    }

    /// What was wrong before a byte was read.
    pub(crate) fn before_anything(kind: impl Into<ProtobufErrorKind>) -> Self {
        Self { kind: kind.into(), offset: 0, item: None }
    }

    /// Why.
    pub fn kind(&self) -> &ProtobufErrorKind {
        &self.kind
    }

    /// The byte of the answer, counted from 0, at which it was noticed, or at which the object begins that it is in.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The item of the list, counted from 0, in which it was noticed.
    pub fn item(&self) -> Option<usize> {
        self.item
    }
}

impl fmt::Display for ProtobufError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if let Some(item) = self.item {
            write!(f, ", in item {item}")?;
        }
        write!(f, ", at byte {}", self.offset)
    }
}

impl std::error::Error for ProtobufError {}
