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
        let factor = 2_u32.checked_pow(self.failures.count(item));
        // 2^32 times anything that is not zero is more than 4 s: the maximum, but for a very short base.
        let delay = match factor {
            Some(factor) => self.base.saturating_mul(factor),
            None if self.base.is_zero() => Duration::ZERO,
            None => Duration::MAX,
        };
        delay.min(self.max)
    }

    fn forget(&self, item: &K) {
        self.failures.forget(item);
    }

    fn failures(&self, item: &K) -> u32 {
        self.failures.get(item)
    }
}
