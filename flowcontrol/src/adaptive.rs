use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::{Clock, RateError, RateLimiter, Timestamp, TokenBucket, TokioClock, Wait};

/// The rate grows for one more step at a time, so that a success costs next to nothing.
const STEP: Duration = Duration::from_millis(100);

/// After a decrease, what was sent before it may fail as well. So long, that does not count again.
const SETTLE: Duration = Duration::from_secs(1);

/// A token bucket that finds its rate: it grows steadily while all goes well, and falls by half when the other side
/// says that it is overloaded.
///
/// It begins at the ceiling, and stays between the floor and the ceiling. Tell it how each action went:
///
/// ```
/// use std::time::Duration;
/// use kubewire_flowcontrol::{Adaptive, RateLimiter};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let limiter = Adaptive::new(1.0, 100.0, 10)?;
/// limiter.accept().await?;
/// limiter.on_overload(Some(Duration::from_secs(5))); // such as a 429 or a 503 with its Retry-After
/// assert_eq!(limiter.qps(), 50.0);
/// assert!(!limiter.try_accept()); // nothing for five seconds
/// tokio::time::sleep(Duration::from_secs(6)).await;
/// assert!(limiter.try_accept());
/// limiter.on_success();
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Adaptive<C: Clock = TokioClock> {
    bucket: TokenBucket<C>,
    floor: f64,
    ceiling: f64,
    increase: f64,
    decrease: f64,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    qps: f64,
    /// When the rate last grew; or from when on it may.
    grown: Timestamp,
    /// Until when an overload is the last one's aftermath.
    settling: Option<Timestamp>,
}

impl Adaptive {
    /// Rates between `floor` and `ceiling`, in tokens a second, and a burst of `burst`.
    ///
    /// # Errors
    ///
    /// Those of [`TokenBucket::new`], for the floor and for the ceiling; [`RateError::Qps`] for a floor above the
    /// ceiling.
    pub fn new(floor: f64, ceiling: f64, burst: u32) -> Result<Self, RateError> {
        Self::with_clock(floor, ceiling, burst, TokioClock::new())
    }
}

impl<C: Clock> Adaptive<C> {
    /// [`new`](Adaptive::new) with a clock of one's own.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Adaptive::new).
    pub fn with_clock(floor: f64, ceiling: f64, burst: u32, clock: C) -> Result<Self, RateError> {
        let state = State { qps: ceiling, grown: clock.now(), settling: None };
        let bucket = TokenBucket::with_clock(ceiling, burst, clock)?;
        crate::bucket::check_rate(floor, burst)?;
        if floor > ceiling {
            return Err(RateError::Qps(floor));
        }
        Ok(Self { bucket, floor, ceiling, increase: ceiling / 60.0, decrease: 0.5, state: Mutex::new(state) })
    }

    /// How much faster the rate becomes in a second of successes, in tokens a second. By default it takes a minute from
    /// nothing to the ceiling. What is not above 0 counts as 0.
    #[must_use]
    pub fn with_increase(mut self, qps_per_second: f64) -> Self {
        self.increase = if qps_per_second > 0.0 { qps_per_second } else { 0.0 };
        self
    }

    /// What the rate is multiplied by at an overload: 0.5 by default. What is not between 0 and 1 counts as 0 or 1.
    #[must_use]
    pub fn with_decrease(mut self, factor: f64) -> Self {
        self.decrease = if factor > 0.0 { factor.min(1.0) } else { 0.0 };
        self
    }

    /// An action went well: the rate grows, in proportion to the time since it last did, but at most a second's worth,
    /// so that an idle hour does not count as an hour of successes.
    pub fn on_success(&self) {
        let now = self.bucket.clock().now();
        let mut state = self.lock();
        let passed = now.saturating_since(state.grown);
        if passed < STEP {
            return;
        }
        state.grown = now;
        let grown = state.qps + self.increase * passed.as_secs_f64().min(1.0);
        self.set(&mut state, grown.min(self.ceiling));
    }

    /// The other side is overloaded: the rate falls. Where it has said for how long it wants to be left alone, nothing is
    /// accepted for so long.
    ///
    /// Of many overloads at about the same time the first one counts: those within a second (or within the rest that was
    /// asked for) lower the rate no further.
    pub fn on_overload(&self, retry_after: Option<Duration>) {
        let now = self.bucket.clock().now();
        let rest = retry_after.unwrap_or(Duration::ZERO);
        let mut state = self.lock();
        if state.settling.is_none_or(|until| now >= until) {
            let lowered = state.qps * self.decrease;
            self.set(&mut state, lowered.max(self.floor));
        }
        let settled = now + rest.max(SETTLE);
        state.settling = state.settling.filter(|until| *until > settled && now < *until).or(Some(settled));
        state.grown = settled;
        self.bucket.pause(rest);
    }

    fn set(&self, state: &mut State, qps: f64) {
        // Floor and ceiling were checked, and all in between are good as well: this cannot fail.
        if qps != state.qps && self.bucket.set_rate(qps, self.bucket.burst()).is_ok() {
            state.qps = qps;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C: Clock> RateLimiter for Adaptive<C> {
    fn try_accept(&self) -> bool {
        self.bucket.try_accept()
    }

    fn wait(&self, deadline: Option<Instant>) -> Wait<'_> {
        self.bucket.wait(deadline)
    }

    /// The rate at this time.
    fn qps(&self) -> f64 {
        self.bucket.qps()
    }
}
