//! Watches: the changes of objects, as the server sends them.

mod event;
mod frames;
mod retry;
mod stream;

pub use event::{Bookmark, WatchEvent};
pub use retry::RetryWatch;
pub use stream::WatchStream;
