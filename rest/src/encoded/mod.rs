//! Objects that stay in their wire form until somebody reads them.

mod error;
mod json;
mod keys;
mod object;
mod patch;
#[cfg(feature = "protobuf")]
mod protobuf;
#[cfg(test)]
mod tests;

pub use error::EncodedError;
pub(crate) use keys::RESOURCE_VERSION;
pub use object::Encoded;
pub use patch::merge_patch;
