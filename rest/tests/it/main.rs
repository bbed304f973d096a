//! What users do with the crate, in virtual time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

#[cfg(all(feature = "fake", feature = "metrics"))]
mod metrics;
mod retries;
mod service;
