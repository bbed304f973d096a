//! Limiters for work queues: how long an item waits before it is tried again.

mod combined;
mod exponential;
mod fast_slow;

pub use combined::{MaxOf, MaxWait};
pub use exponential::ItemExponential;
pub use fast_slow::ItemFastSlow;

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::{Clock, TokenBucket};

/// Tells a work queue how long an item waits before it is tried again.
///
/// ```
/// use std::time::Duration;
/// use kubewire_flowcontrol::{ItemExponential, ItemLimiter};
///
/// let limiter = ItemExponential::new(Duration::from_millis(5), Duration::from_secs(1000));
/// assert_eq!(limiter.when("a"), Duration::from_millis(5));
/// assert_eq!(limiter.when("a"), Duration::from_millis(10));
/// assert_eq!(limiter.when("b"), Duration::from_millis(5));
/// limiter.forget(&"a");
/// assert_eq!(limiter.when("a"), Duration::from_millis(5));
/// ```
pub trait ItemLimiter<K>: Send + Sync {
    /// The item has to be tried (again): how long to wait before.
    fn when(&self, item: K) -> Duration;

    /// The item is done, for good or for bad: its failures are forgotten.
    fn forget(&self, item: &K);

    /// How often the item was asked for since it was last forgotten; zero where that is not counted.
    fn failures(&self, item: &K) -> u32;
}

/// The delay until the bucket has a token for the item, whichever item it is. Where the bucket's line is years long,
/// the delay is [`Duration::MAX`].
impl<K, C: Clock> ItemLimiter<K> for TokenBucket<C> {
    fn when(&self, _item: K) -> Duration {
        // Dropping the reservation keeps the token.
        self.reserve(1).map_or(Duration::MAX, |reservation| reservation.delay())
    }

    fn forget(&self, _item: &K) {}

    fn failures(&self, _item: &K) -> u32 {
        0
    }
}

/// How often each item has failed.
#[derive(Debug)]
struct Failures<K>(Mutex<HashMap<K, u32>>);

impl<K: Hash + Eq> Failures<K> {
    fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }

    /// Counts one more and returns how many there were before.
    fn count(&self, item: K) -> u32 {
        let mut failures = self.lock();
        let count = failures.entry(item).or_insert(0);
        let before = *count;
        *count = before.saturating_add(1);
        before
    }

    fn forget(&self, item: &K) {
        self.lock().remove(item);
    }

    fn get(&self, item: &K) -> u32 {
        self.lock().get(item).copied().unwrap_or(0)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
