#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! What a user of the crate sees.

mod allocations;
mod dashboards;
#[cfg(feature = "exporter")]
mod exporter;
mod names;
mod native;
#[cfg(feature = "exporter")]
mod prometheus;
mod promtool;
mod queries;
mod registry;
mod requests;
mod samples;
