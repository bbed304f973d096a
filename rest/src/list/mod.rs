//! Lists, decoded as their bytes arrive.

mod decode;
mod decoder;
#[cfg(test)]
mod tests;

pub(crate) use decode::sealed;
pub use decode::{Decode, DecodeOptions, ItemError, decode_object};
pub use decoder::ListDecoder;
