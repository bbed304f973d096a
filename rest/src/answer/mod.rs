//! Answers: from an HTTP response to an object or an error.

mod answered;
pub(crate) mod body;
pub(crate) mod decode;
pub(crate) mod generic;
mod lines;
pub(crate) mod media_type;
mod result;
mod stream;

pub(crate) use answered::Answered;
pub use lines::Lines;
pub use media_type::MediaType;
pub use result::Result;
pub use stream::ByteStream;
