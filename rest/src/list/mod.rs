//! Lists, decoded as their bytes arrive.

mod batch;
mod decode;
mod decoder;
mod elsewhere;
mod feed;
mod items;
mod pages;
mod request;
mod source;
#[cfg(test)]
mod tests;

pub use decode::{Decode, DecodeOptions, ItemError, decode_object};
pub(crate) use decode::{decode_document, sealed};
pub use decoder::ListDecoder;
pub(crate) use feed::{Feed, Form};
pub use items::Items;
pub use pages::Pages;
pub(crate) use pages::{PAGE_ITEMS, Turner};
