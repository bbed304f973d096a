//! The token bucket.

mod core;
mod line;
mod rate;
mod scale;
mod wait;

pub use rate::{DEFAULT_BURST, DEFAULT_QPS, RateError, limiter_for};

use std::fmt;
use std::future::Future;

use tokio::time::Instant;

use self::core::Core;
use crate::limiter::Begin;
use crate::{Clock, RateLimiter, TokioClock, Wait, WaitError};

/// A rate limiter that holds up to `burst` tokens and gets `qps` new ones a second.
///
/// It starts full. Waiters are served first come, first served; nobody overtakes them, not even
/// [`try_accept`](RateLimiter::try_accept).
pub struct TokenBucket<C = TokioClock> {
    core: Core<C>,
}

impl TokenBucket {
    /// A full bucket that gets `qps` tokens a second and holds `burst` at most.
    ///
    /// # Errors
    ///
    /// A rate that is not a number between 10⁻⁹ and 10⁸ and a burst of zero are refused: [`Never`](crate::Never) and
    /// [`Unlimited`](crate::Unlimited) are the limiters without a rate. [`limiter_for`] reads 0 and negative numbers
    /// as settings use them.
    pub fn new(qps: f64, burst: u32) -> Result<Self, RateError> {
        Self::with_clock(qps, burst, TokioClock::new())
    }
}

impl<C: Clock> TokenBucket<C> {
    /// [`new`](TokenBucket::new) with a clock of one's own.
    ///
    /// # Errors
    ///
    /// Those of [`new`](TokenBucket::new).
    pub fn with_clock(qps: f64, burst: u32, clock: C) -> Result<Self, RateError> {
        Ok(Self { core: Core::new(qps, burst, clock)? })
    }

    /// Takes `n` tokens if they are all there now; never waits, and takes nothing otherwise.
    #[inline]
    pub fn try_accept_n(&self, n: u32) -> bool {
        self.core.try_take(n)
    }

    /// Waits until `n` tokens are there and takes them together; fails at once when they cannot be there by
    /// `deadline`, or never, because the bucket holds fewer.
    ///
    /// Cancellation safe: dropping the future gives back its place in line, and its tokens if it had got them.
    pub fn wait_n(
        &self,
        n: u32,
        deadline: Option<Instant>,
    ) -> impl Future<Output = Result<(), WaitError>> + Send + '_ {
        wait::wait(&self.core, n, deadline)
    }
}

impl<C: Clock> RateLimiter for TokenBucket<C> {
    fn try_accept(&self) -> bool {
        self.core.try_take(1)
    }

    fn wait(&self, deadline: Option<Instant>) -> Wait<'_> {
        Wait::unpolled(self, deadline)
    }

    fn qps(&self) -> f64 {
        self.core.with(|session| session.rate().0)
    }
}

impl<C: Clock> Begin for TokenBucket<C> {
    fn begin(&self, deadline: Option<Instant>) -> Wait<'_> {
        if self.core.try_take(1) {
            return Wait::ready(Ok(()));
        }
        Wait::pending(wait::wait(&self.core, 1, deadline))
    }
}

impl<C: Clock> fmt::Debug for TokenBucket<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (qps, burst) = self.core.with(|session| session.rate());
        f.debug_struct("TokenBucket").field("qps", &qps).field("burst", &burst).finish_non_exhaustive()
    }
}
