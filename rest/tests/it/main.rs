//! What users do with the crate, in virtual time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod conformance;
#[cfg(all(feature = "fake", feature = "metrics"))]
mod metrics;
mod retries;
mod send;
mod service;
