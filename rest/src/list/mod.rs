//! Lists, decoded as their bytes arrive.

mod decode;
mod decoder;
mod items;
mod pages;
mod request;
mod source;
#[cfg(test)]
mod tests;

pub(crate) use decode::sealed;
pub use decode::{Decode, DecodeOptions, ItemError, decode_object};
pub use decoder::ListDecoder;
pub use items::Items;
pub use pages::Pages;
pub(crate) use pages::{PAGE_ITEMS, Turner};
