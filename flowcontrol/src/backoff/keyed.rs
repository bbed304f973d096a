use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Growth;
use crate::{Clock, Timestamp, TokioClock};

/// A delay for each of many things, such as hosts: it doubles with every failure of that thing.
///
/// All methods take `&self`: share it in an `Arc`. Keys that are never [`reset`](Self::reset) stay until
/// [`gc`](Self::gc) is called.
///
/// ```
/// use std::time::Duration;
/// use kubewire_flowcontrol::Backoff;
///
/// let backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
/// assert_eq!(backoff.get("example.org"), Duration::ZERO);
/// backoff.next("example.org".to_owned());
/// backoff.next("example.org".to_owned());
/// assert_eq!(backoff.get("example.org"), Duration::from_secs(2));
/// backoff.reset("example.org");
/// assert_eq!(backoff.get("example.org"), Duration::ZERO);
/// ```
pub struct Backoff<K, C = TokioClock> {
    state: Mutex<State<K>>,
    max: Duration,
    expiry: Box<dyn Fn(Duration, Duration) -> bool + Send + Sync>,
    clock: C,
}

struct State<K> {
    entries: HashMap<K, Entry>,
    growth: Growth,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    delay: Duration,
    updated: Timestamp,
}

impl<K: Hash + Eq> Backoff<K> {
    /// Delays that begin with `initial` and double until they reach `max`; the maximum does not hold for the first.
    pub fn new(initial: Duration, max: Duration) -> Self {
        Self::with_clock(initial, max, TokioClock::new())
    }
}

impl<K: Hash + Eq, C: Clock> Backoff<K, C> {
    /// [`new`](Backoff::new) with a clock of one's own.
    pub fn with_clock(initial: Duration, max: Duration, clock: C) -> Self {
        let state = State { entries: HashMap::new(), growth: Growth::new(initial, max) };
        let expiry = Box::new(|idle, max: Duration| idle > max.saturating_mul(2));
        Self { state: Mutex::new(state), max, expiry, clock }
    }

    /// Adds a random part to each delay: at least nothing, and less than `factor` times the delay before (the first
    /// time: the initial one). What is not above 0 counts as 0, the default.
    #[must_use]
    pub fn with_jitter(self, factor: f64) -> Self {
        self.lock().growth.set_jitter(factor);
        self
    }

    /// Makes the jitter the same in every run.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        self.lock().growth.rng = fastrand::Rng::with_seed(seed);
        self
    }

    /// When a key is forgotten: `expired(idle, max)` gets the time since the key's last failure and the maximal
    /// delay. By default a key is forgotten when it has been idle for more than twice the maximum.
    #[must_use]
    pub fn with_expiry(
        mut self,
        expired: impl Fn(Duration, Duration) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.expiry = Box::new(expired);
        self
    }

    /// The clock, for timestamps that can be compared with this backoff's.
    pub fn clock(&self) -> &C {
        &self.clock
    }

    /// The thing has failed (again): makes its delay longer and returns it.
    pub fn next(&self, key: K) -> Duration {
        self.next_at(key, self.clock.now())
    }

    /// [`next`](Self::next) for a failure at `event`, which decides whether the key has expired.
    pub fn next_at(&self, key: K, event: Timestamp) -> Duration {
        let now = self.clock.now();
        let mut state = self.lock();
        let State { entries, growth } = &mut *state;
        let last = entries.get(&key).copied().filter(|entry| !self.expired(entry, event));
        let delay = match last {
            Some(entry) => growth.after(entry.delay),
            None => growth.first(),
        };
        entries.insert(key, Entry { delay, updated: now });
        delay
    }

    /// The thing's delay, also if it has expired; zero for what has not failed.
    pub fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Duration
    where
        K: Borrow<Q>,
    {
        self.entry(key).map_or(Duration::ZERO, |entry| entry.delay)
    }

    /// Forgets a key: the thing has worked. True if the key was known.
    pub fn reset<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.lock().entries.remove(key).is_some()
    }

    /// Forgets all keys that have expired.
    pub fn gc(&self) {
        let now = self.clock.now();
        self.lock().entries.retain(|_, entry| !self.expired(entry, now));
    }

    /// How many keys are known, expired ones included.
    pub fn len(&self) -> usize {
        self.lock().entries.len()
    }

    /// Whether no key is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether less time than the thing's delay has passed from `event` until now. False for keys that are unknown
    /// or, at `event`, expired.
    pub fn is_in_backoff_since<Q: Hash + Eq + ?Sized>(&self, key: &Q, event: Timestamp) -> bool
    where
        K: Borrow<Q>,
    {
        self.within(key, event, |_| self.clock.now().saturating_since(event))
    }

    /// Whether less time than the thing's delay has passed from its last failure until `event`. False for keys that
    /// are unknown or, at `event`, expired.
    pub fn is_in_backoff_since_update<Q: Hash + Eq + ?Sized>(&self, key: &Q, event: Timestamp) -> bool
    where
        K: Borrow<Q>,
    {
        self.within(key, event, |entry| event.saturating_since(entry.updated))
    }

    fn within<Q: Hash + Eq + ?Sized>(
        &self,
        key: &Q,
        event: Timestamp,
        passed: impl FnOnce(&Entry) -> Duration,
    ) -> bool
    where
        K: Borrow<Q>,
    {
        self.entry(key).is_some_and(|entry| !self.expired(&entry, event) && passed(&entry) < entry.delay)
    }

    fn entry<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<Entry>
    where
        K: Borrow<Q>,
    {
        self.lock().entries.get(key).copied()
    }

    fn expired(&self, entry: &Entry, at: Timestamp) -> bool {
        (self.expiry)(at.saturating_since(entry.updated), self.max)
    }
}

impl<K, C> Backoff<K, C> {
    fn lock(&self) -> MutexGuard<'_, State<K>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says how many keys there are, not which: they may be addresses.
impl<K, C: fmt::Debug> fmt::Debug for Backoff<K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Backoff")
            .field("keys", &state.entries.len())
            .field("growth", &state.growth)
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}
