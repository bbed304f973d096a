use std::fmt;
use std::hash::Hash;
use std::time::Duration;

use super::{ItemExponential, ItemLimiter};
use crate::TokenBucket;

/// The longest of the delays that several limiters ask for.
pub struct MaxOf<K> {
    limiters: Vec<Box<dyn ItemLimiter<K>>>,
}

impl<K> MaxOf<K> {
    /// The longest delay of all of these.
    pub fn new(limiters: Vec<Box<dyn ItemLimiter<K>>>) -> Self {
        Self { limiters }
    }
}

impl<K: Hash + Eq + Send + 'static> MaxOf<K> {
    /// What work queues commonly use: 5 ms for an item that has failed once, doubling up to 1000 s, and not more than
    /// 10 items a second altogether after the first 100.
    #[expect(clippy::expect_used, reason = "10 a second is within the range of rates, and 100 is a burst")]
    pub fn usual() -> Self {
        let bucket = TokenBucket::new(10.0, 100).expect("a rate that a bucket can have");
        let exponential = ItemExponential::new(Duration::from_millis(5), Duration::from_secs(1000));
        Self::new(vec![Box::new(exponential), Box::new(bucket)])
    }
}

impl<K: Clone> ItemLimiter<K> for MaxOf<K> {
    fn when(&self, item: K) -> Duration {
        self.limiters.iter().map(|limiter| limiter.when(item.clone())).max().unwrap_or(Duration::ZERO)
    }

    fn forget(&self, item: &K) {
        self.limiters.iter().for_each(|limiter| limiter.forget(item));
    }

    fn failures(&self, item: &K) -> u32 {
        self.limiters.iter().map(|limiter| limiter.failures(item)).max().unwrap_or(0)
    }
}

impl<K> fmt::Debug for MaxOf<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MaxOf").field("limiters", &self.limiters.len()).finish()
    }
}

/// Another limiter's delays, but none longer than a maximum.
#[derive(Clone, Debug)]
pub struct MaxWait<L> {
    limiter: L,
    max: Duration,
}

impl<L> MaxWait<L> {
    /// The delays of `limiter`, up to `max`.
    pub fn new(limiter: L, max: Duration) -> Self {
        Self { limiter, max }
    }
}

impl<K, L: ItemLimiter<K>> ItemLimiter<K> for MaxWait<L> {
    fn when(&self, item: K) -> Duration {
        self.limiter.when(item).min(self.max)
    }

    fn forget(&self, item: &K) {
        self.limiter.forget(item);
    }

    fn failures(&self, item: &K) -> u32 {
        self.limiter.failures(item)
    }
}
