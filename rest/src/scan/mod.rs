//! Finds the objects in JSON while its bytes arrive, checks them, and leaves out what nobody wants.
//!
//! One pass does all of it. 64 bytes at a time become bit masks ([`block`]); the grammar is checked on the masks, of
//! eight blocks together where they are of the usual kind ([`group`]) and else one by one ([`structure`]), so strictly
//! that whatever passes is accepted by serde_json; and only tokens of values that the [`plan`] cares about are looked at
//! one by one ([`walk`]), to find where items end, to cut fields out before anything is allocated for them, and to
//! remember where keys such as a name stand. UTF-8 is checked once, so that serde reads `&str`.

mod block;
mod error;
mod find;
mod group;
mod levels;
mod nesting;
mod order;
mod path;
mod plan;
mod rows;
mod scalar;
mod scanner;
mod strings;
mod structure;
#[cfg(test)]
mod tests;
mod walk;
mod window;

pub(crate) use block::{BLOCK, Masks, classify};
pub use error::{ScanError, ScanErrorKind};
pub(crate) use find::{each_member, find, same};
pub(crate) use group::CheckedGroup;
pub(crate) use nesting::MAX_DEPTH;
#[cfg(feature = "protobuf")]
pub(crate) use path::Segment;
pub(crate) use path::Segments;
pub use path::{FieldPath, FieldPathError};
pub(crate) use plan::{Plan, frame_slot};
pub(crate) use rows::GROUP;
pub(crate) use scanner::{Item, Limits, Marks, Scanner, Shape, Span};
pub(crate) use strings::StringBits;
pub(crate) use structure::{Roots, Structure};
#[cfg(test)]
pub(crate) use tests::model;
