//! What a user of the crate sees, against servers of our own and a real API server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod apiserver;
mod connections;
#[cfg(feature = "metrics")]
mod counted;
mod credentials;
mod day;
mod dialing;
mod exchange;
mod faults;
mod guard;
mod leaks;
#[cfg(feature = "oidc")]
mod oidc;
mod program;
mod proxies;
mod redirects;
mod rotation;
mod secrets;
#[cfg(feature = "metrics")]
mod sharing;
mod support;
mod tls;
