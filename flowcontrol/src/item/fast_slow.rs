use std::hash::Hash;
use std::time::Duration;

use super::{Failures, ItemLimiter};

/// A short delay for an item's first failures, and a long one from then on.
#[derive(Debug)]
pub struct ItemFastSlow<K> {
    fast: Duration,
    slow: Duration,
    fast_attempts: u32,
    failures: Failures<K>,
}

impl<K: Hash + Eq> ItemFastSlow<K> {
    /// The first `fast_attempts` delays of an item are `fast`, the others `slow`.
    pub fn new(fast: Duration, slow: Duration, fast_attempts: u32) -> Self {
        Self { fast, slow, fast_attempts, failures: Failures::new() }
    }
}

impl<K: Hash + Eq + Send> ItemLimiter<K> for ItemFastSlow<K> {
    fn when(&self, item: K) -> Duration {
        if self.failures.count(item) < self.fast_attempts { self.fast } else { self.slow }
    }

    fn forget(&self, item: &K) {
        self.failures.forget(item);
    }

    fn failures(&self, item: &K) -> u32 {
        self.failures.get(item)
    }
}
