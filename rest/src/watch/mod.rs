//! Watches: the changes of objects, as the server sends them.

mod event;
mod frames;
mod stream;

pub use event::{Bookmark, WatchEvent};
pub use stream::WatchStream;
