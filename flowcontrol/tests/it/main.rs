#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! What users do with the crate, under tokio's paused time.

mod backoff;
mod bucket;
mod cancellation;
mod items;
mod model;
mod shared;
mod waiters;
