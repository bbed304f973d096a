//! Objects in Kubernetes' protobuf: four bytes, a wrapper that says what it is, and a message in it.
//!
//! Only the fields that every object and list has are known here, by their numbers; everything else is the business of
//! prost and of the caller's types.

mod cut;
mod envelope;
mod error;
mod gather;
mod list;
mod message;
mod meta;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use cut::Cut;
pub(crate) use envelope::{open, seal};
pub use error::{ProtobufError, ProtobufErrorKind};
pub(crate) use gather::Gather;
pub(crate) use list::{ListItem, ListReader};
pub use message::Protobuf;
pub(crate) use message::{Messages, read_body, read_object};
pub(crate) use meta::{check_entry, each, each_of_metadata, entry, object, owner_reference, status};
pub(crate) use wire::{Fields, Malformed, Value};

/// The media type.
pub(crate) const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
