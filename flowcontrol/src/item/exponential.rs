use std::hash::Hash;
use std::time::Duration;

use super::{Failures, ItemLimiter};

/// Doubles an item's delay with every failure of that item, up to a maximum.
#[derive(Debug)]
pub struct ItemExponential<K> {
    base: Duration,
    max: Duration,
    failures: Failures<K>,
}

impl<K: Hash + Eq> ItemExponential<K> {
    /// The first delay is `base`, and none is longer than `max`.
    pub fn new(base: Duration, max: Duration) -> Self {
        Self { base, max, failures: Failures::new() }
    }
}

impl<K: Hash + Eq + Send> ItemLimiter<K> for ItemExponential<K> {
    fn when(&self, item: K) -> Duration {
        let factor = 1_u128.checked_shl(self.failures.count(item));
        let nanos = factor.and_then(|factor| self.base.as_nanos().checked_mul(factor));
        match nanos {
            Some(nanos) if nanos < self.max.as_nanos() => Duration::from_nanos_u128(nanos),
            None if self.base.is_zero() => Duration::ZERO,
            _ => self.max,
        }
    }

    fn forget(&self, item: &K) {
        self.failures.forget(item);
    }

    fn failures(&self, item: &K) -> u32 {
        self.failures.get(item)
    }
}
