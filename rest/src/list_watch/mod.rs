//! A list and then its changes, for as long as anyone listens.

mod change;

pub use change::Change;
