//! Watches: the changes of objects, as the server sends them.

mod event;
mod frames;
mod json;
#[cfg(feature = "protobuf")]
mod protobuf;
mod retry;
mod run;
mod stream;

pub use event::{Bookmark, WatchEvent};
pub use retry::RetryWatch;
pub(crate) use run::{LONGEST_WAIT, Run};
pub use stream::WatchStream;
