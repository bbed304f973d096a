use std::fmt;
use std::ops::Add;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A point in time on one [`Clock`], in whole nanoseconds since that clock's origin.
///
/// Timestamps of different clocks cannot be compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The point `nanos` nanoseconds after the clock's origin.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the clock's origin.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to `self`; zero where `earlier` is the later of the two.
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    /// Saturates at the end of time, which is 584 years after the origin.
    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(to_nanos(duration)))
    }
}

/// A duration in whole nanoseconds; 584 years for all longer ones.
pub(crate) fn to_nanos(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(1_000_000_000).saturating_add(u64::from(duration.subsec_nanos()))
}

/// Tells the time to a limiter or a backoff.
///
/// A clock should not go back. Where it does all the same, limiters give out fewer tokens, never more, and recover
/// at once: see [`TokenBucket`](crate::TokenBucket).
pub trait Clock: fmt::Debug + Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// The clock of [`tokio::time`], and the default everywhere.
///
/// It is the operating system's monotonic clock, at no further cost, unless tokio's feature `test-util` is on: then
/// it follows `tokio::time::pause` and `advance`, so that a test of an hour's traffic takes milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct TokioClock {
    origin: tokio::time::Instant,
}

impl TokioClock {
    /// A clock whose origin is now.
    pub fn new() -> Self {
        Self { origin: tokio::time::Instant::now() }
    }
}

impl Default for TokioClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TokioClock {
    #[inline]
    fn now(&self) -> Timestamp {
        Timestamp(to_nanos(tokio::time::Instant::now().saturating_duration_since(self.origin)))
    }
}

/// The processor's cycle counter, where it has one that is steady; else the system's clock.
///
/// Reading it takes a third of the time. It knows nothing of tokio's paused time. Its origin is the counter's own, the
/// same for all. The first clock of a program measures the counter's speed, which takes up to 0.2 s.
#[cfg(feature = "fast-clock")]
#[derive(Clone, Debug)]
pub struct FastClock {
    clock: quanta::Clock,
    /// Nanoseconds a tick: the whole ones, and the rest in units of 2^-64.
    whole: u64,
    rest: u64,
}

#[cfg(feature = "fast-clock")]
impl FastClock {
    /// A clock that is as exact as the measurement of the counter's speed.
    pub fn new() -> Self {
        let clock = quanta::Clock::new();
        let nanos = clock.delta_as_nanos(0, 1 << 40);
        Self { clock, whole: nanos >> 40, rest: nanos << 24 }
    }
}

#[cfg(feature = "fast-clock")]
impl Default for FastClock {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(feature = "fast-clock")]
impl Clock for FastClock {
    #[inline]
    fn now(&self) -> Timestamp {
        // quanta's own conversion shifts by a variable and asks twice what kind of clock this is.
        let ticks = self.clock.raw();
        let rest = (u128::from(ticks) * u128::from(self.rest)) >> 64;
        Timestamp(ticks.wrapping_mul(self.whole).wrapping_add(rest as u64))
    }
}

/// A clock that moves only when it is told to; clones share one time. For tests and simulations.
///
/// Waits still sleep on tokio's timers: pair it with [`try_accept`](crate::RateLimiter::try_accept), or use
/// [`TokioClock`] under tokio's paused time.
#[derive(Clone, Debug, Default)]
pub struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    /// A clock that stands at its origin.
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the clock to `time`, forwards or backwards.
    pub fn set(&self, time: Timestamp) {
        self.0.store(time.0, Ordering::Release);
    }

    /// Moves the clock forwards.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(to_nanos(by), Ordering::AcqRel);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Acquire))
    }
}
