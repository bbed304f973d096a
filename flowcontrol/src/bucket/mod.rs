//! The token bucket.

mod core;
mod line;
#[cfg(all(test, loom))]
mod loom;
mod rate;
mod reservation;
mod scale;
mod wait;

pub(crate) use rate::check as check_rate;
pub use rate::{DEFAULT_BURST, DEFAULT_QPS, RateError, limiter_for};
pub use reservation::Reservation;

use std::fmt;
use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use self::core::Core;
use crate::clock::to_nanos;
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
        n == 0 || self.core.try_take(n)
    }

    /// Waits until `n` tokens are there and takes them together; fails at once when they cannot be there by
    /// `deadline`, or never, because the bucket holds fewer.
    ///
    /// Cancellation safe: dropping the future gives back its place in line, and its tokens if it had got them.
    ///
    /// # Errors
    /// [`WaitError::DeadlineExceeded`] and [`WaitError::ExceedsBurst`]; [`WaitError::LineTooLong`] when the tokens would come in
    /// years.
    pub fn wait_n(
        &self,
        n: u32,
        deadline: Option<Instant>,
    ) -> impl Future<Output = Result<(), WaitError>> + Send + '_ {
        wait::wait(&self.core, n, deadline)
    }

    /// Takes `n` tokens now if they are there, else from those to come, behind everybody who waits already.
    /// [`Reservation::delay`] tells when they may be used.
    ///
    /// # Errors
    ///
    /// [`WaitError::ExceedsBurst`] when the bucket can never hold `n` tokens, [`WaitError::LineTooLong`] when they
    /// would come in years.
    ///
    /// ```
    /// use std::time::Duration;
    /// use kubewire_flowcontrol::{RateLimiter, TokenBucket};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let bucket = TokenBucket::new(1.0, 5)?;
    /// bucket.try_accept_n(5);
    /// let two = bucket.reserve(2)?;
    /// if two.delay() > Duration::from_secs(1) {
    ///     two.cancel(); // too late for us: as if we had never asked
    /// }
    /// assert_eq!(bucket.reserve(1)?.delay(), Duration::from_secs(1));
    /// # Ok(()) }
    /// ```
    pub fn reserve(&self, n: u32) -> Result<Reservation<'_, C>, WaitError> {
        Reservation::new(&self.core, n)
    }

    /// Changes the rate and the burst from now on, for those who wait as well. The tokens in the bucket stay, as far
    /// as there is room for them. Whoever waits already for more tokens than the new burst gets them still.
    ///
    /// # Errors
    ///
    /// Those of [`new`](TokenBucket::new). The bucket is then as it was.
    pub fn set_rate(&self, qps: f64, burst: u32) -> Result<(), RateError> {
        self.core.set_rate(qps, burst)
    }

    /// Empties the bucket and gives out nothing for so long, because somebody has asked for a rest. Those in line keep
    /// their places; the first new token comes a token's time after the pause. A pause that lasts longer already
    /// stays as it is.
    pub fn pause(&self, duration: Duration) {
        self.core.with(|session| session.pause(to_nanos(duration)));
    }

    /// How many tokens the bucket holds when it is full.
    pub fn burst(&self) -> u32 {
        self.core.burst()
    }

    /// How many tokens [`try_accept_n`](Self::try_accept_n) would give now: none while somebody waits. Somebody else
    /// may take them first.
    pub fn available(&self) -> u32 {
        self.core.with(|session| session.available())
    }

    /// The clock that the bucket goes by.
    pub fn clock(&self) -> &C {
        self.core.clock()
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
        self.core.qps()
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
        f.debug_struct("TokenBucket")
            .field("qps", &self.core.qps())
            .field("burst", &self.core.burst())
            .finish_non_exhaustive()
    }
}
