//! A list and then its changes, for as long as anyone listens.

mod change;
mod listing;
mod request;
mod steps;
mod stream;

pub use change::Change;
pub use stream::ListWatch;
