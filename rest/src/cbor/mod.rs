//! CBOR, read as the JSON that it stands for, and written as the API server writes it.
//!
//! The API server sends text as byte strings and bytes with a tag that says how JSON writes them, so that types which
//! were made for JSON can't be read from it directly. Here a [`Transcoder`] makes JSON of it while its bytes arrive,
//! the same JSON that the server would have sent; all that reads JSON then works unchanged: lists, watches, fields
//! that are left out, [`Encoded`](crate::Encoded) and [`Projected`](crate::Projected) objects.
//!
//! | CBOR | JSON |
//! |---|---|
//! | text; a byte string | a string; bytes that are no UTF-8 become U+FFFD, in text they are an error |
//! | a byte string within tag 22, 21, 23 | a string of base64, base64url without padding, base16 |
//! | an integer, negative ones too | a number; bignums (tags 2 and 3) are an error |
//! | a float of any width | the shortest number that gives it again; whole ones without a fraction, as the server writes them; NaN and infinities are an error |
//! | a number within tag 1 | a string that names the time by RFC 3339 |
//! | an array, a map, of known length or not | an array, an object; keys that are no strings are an error, keys that come twice are passed on |
//! | `true`, `false`, `null` | the same; `undefined` and other simple values are an error |
//! | any other tag | what is in it |
//!
//! Nesting is bound to 127 levels, which is what serde_json reads. No length is believed before its bytes have come.
//!
//! # When it is worth it
//!
//! CBOR spares bytes where answers are not compressed. A list of 5,000 small custom resources was 4.66 MB of JSON and
//! 3.50 MB of CBOR; one of 500 larger ones 516 KB and 397 KB. Compressed by gzip, as servers do with answers above
//! 128 KB, the latter were 28 KB and 47 KB: the server writes the fields of CBOR in any order, which compresses badly. The
//! client has a step more to do. So take JSON unless the network is slow and compression off, or the server's own work
//! matters more than the client's. Servers serve it with the feature gate `CBORServingAndStorage`.
//!
//! [`prefer_cbor`](crate::RestClientBuilder::prefer_cbor) asks for it and sends it,
//! [`allow_cbor`](crate::RestClientBuilder::allow_cbor) lets the config say so, and
//! [`accept`](crate::Request::accept) asks for it in one request. A list's own metadata may come after its items.

mod encode;
mod error;
mod number;
#[cfg(test)]
mod tests;
mod text;
mod transcoder;

pub use encode::encode;
pub use error::{CborError, CborErrorKind};
pub use transcoder::{Transcoder, to_json};
