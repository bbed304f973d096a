//! What users do with the crate, in virtual time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod conformance;
mod retries;
mod send;
mod service;
