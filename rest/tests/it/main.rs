//! What users do with the crate, in virtual time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod answers;
mod bodies;
mod borrowed;
mod building;
#[cfg(feature = "cbor")]
mod cbor;
mod conflicts;
mod conformance;
#[cfg(feature = "metrics")]
mod counts;
mod discovery;
mod errors;
mod executing;
#[cfg(feature = "fake")]
mod fake;
#[cfg(feature = "fake")]
mod hostile;
mod idle;
mod list_watch;
mod lists;
mod logs;
#[cfg(all(feature = "fake", feature = "metrics"))]
mod metrics;
mod names;
mod options;
#[cfg(feature = "protobuf")]
mod protobuf;
mod retries;
mod retry_watch;
mod send;
mod service;
mod store;
mod watch;
