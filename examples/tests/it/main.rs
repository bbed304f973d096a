//! The example programs, run as a person runs them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod list_pods;
mod program;
