#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! What users do with the crate, under tokio's paused time.

mod bucket;
mod cancellation;
mod model;
mod waiters;
