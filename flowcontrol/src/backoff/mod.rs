//! Delays that grow with every failure.

mod exponential;
mod keyed;

pub use exponential::ExponentialBackoff;
pub use keyed::Backoff;

use std::time::Duration;

/// How one delay follows from the last.
#[derive(Clone, Debug)]
struct Growth {
    initial: Duration,
    max: Duration,
    factor: f64,
    jitter: f64,
    rng: fastrand::Rng,
}

impl Growth {
    fn new(initial: Duration, max: Duration) -> Self {
        Self { initial, max, factor: 2.0, jitter: 0.0, rng: fastrand::Rng::new() }
    }

    /// The first delay: jitter is added, and no cap holds.
    fn first(&mut self) -> Duration {
        self.initial.saturating_add(self.jitter(self.initial))
    }

    /// The delay after `last`: it grows, jitter is added, and the cap comes last.
    fn after(&mut self, last: Duration) -> Duration {
        scale(last, self.factor).saturating_add(self.jitter(last)).min(self.max)
    }

    fn jitter(&mut self, last: Duration) -> Duration {
        if self.jitter == 0.0 { Duration::ZERO } else { scale(last, self.jitter * self.rng.f64()) }
    }

    fn set_jitter(&mut self, factor: f64) {
        self.jitter = if factor > 0.0 { factor } else { 0.0 };
    }
}

/// `duration * factor`, saturating. A factor that is not a number counts as zero.
pub(crate) fn scale(duration: Duration, factor: f64) -> Duration {
    let seconds = duration.as_secs_f64() * factor;
    if factor == 2.0 {
        duration.saturating_mul(2) // Exact to the nanosecond.
    } else if seconds > 0.0 {
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    } else {
        Duration::ZERO
    }
}
