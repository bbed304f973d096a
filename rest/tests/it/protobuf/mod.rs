//! Protobuf over the wire: what is asked for, what comes, and what is wrong with it.

mod answers;
pub mod fields;
pub mod messages;
mod watches;
