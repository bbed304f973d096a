//! What a user of the crate does, and what must come of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod kubectl;
