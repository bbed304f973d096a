//! What a user of the crate sees, against servers of our own and a real API server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod apiserver;
