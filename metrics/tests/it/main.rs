#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! What a user of the crate sees.

#[cfg(feature = "exporter")]
mod exporter;
mod names;
mod native;
mod promtool;
mod registry;
mod requests;
mod samples;
