use std::fmt;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::{RateLimiter, Wait, WaitError};

/// Accepts everything at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unlimited;

impl RateLimiter for Unlimited {
    fn try_accept(&self) -> bool {
        true
    }

    fn wait(&self, _deadline: Option<Instant>) -> Wait<'_> {
        Wait::ready(Ok(()))
    }

    fn qps(&self) -> f64 {
        f64::INFINITY
    }
}

/// Accepts nothing. Waits with a deadline fail at once; those without one last until [`stop`](RateLimiter::stop).
pub struct Never {
    stopped: watch::Sender<bool>,
}

impl Never {
    /// A limiter that accepts nothing.
    pub fn new() -> Self {
        Self { stopped: watch::Sender::new(false) }
    }
}

impl Default for Never {
    fn default() -> Self {
        Self::new()
    }
}

impl RateLimiter for Never {
    fn try_accept(&self) -> bool {
        false
    }

    fn wait(&self, deadline: Option<Instant>) -> Wait<'_> {
        if *self.stopped.borrow() {
            return Wait::ready(Err(WaitError::Stopped));
        }
        if deadline.is_some() {
            return Wait::ready(Err(WaitError::DeadlineExceeded));
        }
        let mut stopped = self.stopped.subscribe();
        Wait::pending(async move {
            // The sender lives in `self`, which this future borrows: the channel cannot close before it.
            let _ = stopped.wait_for(|stopped| *stopped).await;
            Err(WaitError::Stopped)
        })
    }

    fn qps(&self) -> f64 {
        0.0
    }

    fn stop(&self) {
        self.stopped.send_replace(true);
    }
}

impl fmt::Debug for Never {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Never").field("stopped", &*self.stopped.borrow()).finish()
    }
}

/// Another limiter without its waits: for those who may try but must not block.
///
/// ```
/// use kubewire_flowcontrol::{Never, Passive};
///
/// let limiter = Passive::new(Never::new());
/// assert!(!limiter.try_accept());
/// ```
#[derive(Clone, Debug)]
pub struct Passive<L>(L);

impl<L: RateLimiter> Passive<L> {
    /// Hides the waits of `limiter`.
    pub fn new(limiter: L) -> Self {
        Self(limiter)
    }

    /// Takes a token if one is there now; never waits.
    pub fn try_accept(&self) -> bool {
        self.0.try_accept()
    }

    /// How many tokens a second are given out in the long run.
    pub fn qps(&self) -> f64 {
        self.0.qps()
    }
}
