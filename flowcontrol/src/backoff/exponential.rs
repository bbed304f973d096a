use std::future::Future;
use std::time::Duration;

use super::Growth;

/// The delays between attempts at one thing: each is a multiple of the one before, up to a maximum.
///
/// It is an iterator over delays, so that it fits any runtime; [`wait`](Self::wait) and [`retry`](Self::retry) sleep
/// on tokio's timers.
///
/// ```
/// use std::time::Duration;
/// use kubewire_flowcontrol::ExponentialBackoff;
///
/// let backoff = ExponentialBackoff::new(Duration::from_secs(1), Duration::from_secs(5));
/// let delays: Vec<u64> = backoff.take(5).map(|delay| delay.as_secs()).collect();
/// assert_eq!(delays, [1, 2, 4, 5, 5]);
/// ```
#[derive(Clone, Debug)]
pub struct ExponentialBackoff {
    growth: Growth,
    attempts: Option<u32>,
    made: u32,
    last: Option<Duration>,
}

impl ExponentialBackoff {
    /// Delays that begin with `initial` and double until they reach `max`; without jitter and without end.
    ///
    /// The maximum does not hold for the first delay.
    pub fn new(initial: Duration, max: Duration) -> Self {
        Self { growth: Growth::new(initial, max), attempts: None, made: 0, last: None }
    }

    /// Multiplies by `factor` instead of 2. What is not at least 1 counts as 1.
    #[must_use]
    pub fn with_factor(mut self, factor: f64) -> Self {
        self.growth.factor = if factor >= 1.0 { factor } else { 1.0 };
        self
    }

    /// Adds a random part to each delay: at least nothing, and less than `factor` times the delay before (the first
    /// time: the initial one). What is not above 0 counts as 0, the default.
    #[must_use]
    pub fn with_jitter(mut self, factor: f64) -> Self {
        self.growth.set_jitter(factor);
        self
    }

    /// Ends after so many delays. By default there is no end.
    #[must_use]
    pub fn with_attempts(mut self, attempts: u32) -> Self {
        self.attempts = Some(attempts);
        self
    }

    /// Makes the jitter the same in every run.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.growth.rng = fastrand::Rng::with_seed(seed);
        self
    }

    /// Begins anew: what failed has worked.
    pub fn reset(&mut self) {
        self.made = 0;
        self.last = None;
    }

    /// Sleeps for the next delay. False, without sleeping, when no attempts are left.
    ///
    /// Cancellation safe: a sleep that is dropped counts as an attempt.
    pub async fn wait(&mut self) -> bool {
        match self.next() {
            Some(delay) => {
                tokio::time::sleep(delay).await;
                true
            }
            None => false,
        }
    }

    /// Runs `operation` until it works, sleeping between attempts.
    ///
    /// # Errors
    ///
    /// The operation's last error: when `again` says no to it, or when no attempts are left.
    ///
    /// Cancellation: dropping the future drops the operation that is on its way, or ends the sleep.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use kubewire_flowcontrol::ExponentialBackoff;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let mut failures = 2;
    /// let answer = ExponentialBackoff::new(Duration::from_millis(1), Duration::from_secs(1))
    ///     .retry(
    ///         || {
    ///             failures -= 1;
    ///             std::future::ready(if failures > 0 { Err("busy") } else { Ok(42) })
    ///         },
    ///         |error| *error == "busy",
    ///     )
    ///     .await;
    /// assert_eq!(answer, Ok(42));
    /// # }
    /// ```
    pub async fn retry<T, E, F>(
        mut self,
        mut operation: impl FnMut() -> F,
        mut again: impl FnMut(&E) -> bool,
    ) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        loop {
            match operation().await {
                Err(error) if again(&error) => {
                    if !self.wait().await {
                        return Err(error);
                    }
                }
                result => return result,
            }
        }
    }
}

impl Iterator for ExponentialBackoff {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        if self.attempts.is_some_and(|attempts| self.made >= attempts) {
            return None;
        }
        self.made = self.made.saturating_add(1);
        let delay = match self.last {
            None => self.growth.first(),
            Some(last) => self.growth.after(last),
        };
        self.last = Some(delay);
        self.last
    }
}
