//! What the example programs share: finding a cluster, printing a table of pods, ending with one clear line.

pub mod cluster;
pub mod pods;
pub mod report;
pub mod visitors;

/// The code of the project's README, kept compiling.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
