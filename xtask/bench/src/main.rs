//! One measurement at a time: `cargo xtask bench` runs them all.
fn main() {}
