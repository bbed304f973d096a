use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use tokio::time::Instant;

use crate::limiter::Begin;
use crate::{Clock, RateError, RateLimiter, TokenBucket, TokioClock, Wait, WaitError};

/// The limiter of one class among several that share a rate: part of it is the class's own, and nobody else's
/// traffic can use it up.
///
/// A token comes from the class's own bucket or from the common one, whichever has one first. Those of one class are
/// served first come, first served. Clones are of the same class.
///
/// ```
/// use kubewire_flowcontrol::{Priority, RateLimiter};
///
/// // 100 a second and 100 at once, of which 20 % are for heartbeats and nothing else.
/// let [heartbeats, bulk] = Priority::split(100.0, 100, [0.2, 0.0])?;
/// while bulk.try_accept() {}
/// assert!(heartbeats.try_accept());
/// # Ok::<(), kubewire_flowcontrol::RateError>(())
/// ```
#[derive(Clone)]
pub struct Priority<C = TokioClock> {
    own: Option<Arc<TokenBucket<C>>>,
    common: Option<Arc<TokenBucket<C>>>,
}

impl Priority {
    /// Splits `qps` tokens a second and a burst of `burst` among classes, one for each of `shares`. What they leave
    /// over is common to all. A share of 0 leaves a class with the common part only.
    ///
    /// All classes together never get more than `qps` and `burst` allow.
    ///
    /// # Errors
    ///
    /// [`RateError::Shares`] where a share is not between 0 and 1, where they sum up to more than 1, and where there is
    /// a share of 0 but no common part. A rate or a burst of which a part is too small for a bucket of its own: each
    /// part needs a token at least.
    pub fn split<const N: usize>(qps: f64, burst: u32, shares: [f64; N]) -> Result<[Self; N], RateError> {
        Self::split_with_clock(qps, burst, shares, TokioClock::new())
    }
}

impl<C: Clock + Clone> Priority<C> {
    /// [`split`](Priority::split) with a clock of one's own.
    ///
    /// # Errors
    ///
    /// Those of [`split`](Priority::split).
    pub fn split_with_clock<const N: usize>(
        qps: f64,
        burst: u32,
        shares: [f64; N],
        clock: C,
    ) -> Result<[Self; N], RateError> {
        let total: f64 = shares.iter().sum();
        // Shares such as 0.7, 0.2 and 0.1 sum up to a little more than 1.
        let left = if (total - 1.0).abs() < 1e-9 { 0.0 } else { 1.0 - total };
        let usable = |share: &f64| (0.0..=1.0).contains(share) && (*share > 0.0 || left > 0.0);
        if left < 0.0 || !shares.iter().all(usable) {
            return Err(RateError::Shares(total));
        }
        let mut burst_left = burst;
        let mut own = shares.map(|_| None);
        for (own, share) in own.iter_mut().zip(shares).filter(|(_, share)| *share > 0.0) {
            let tokens = ((f64::from(burst) * share) as u32).max(1);
            burst_left = burst_left.checked_sub(tokens).ok_or(RateError::Burst(burst.into()))?;
            *own = Some(Arc::new(TokenBucket::with_clock(qps * share, tokens, clock.clone())?));
        }
        let common = match left {
            0.0 => None,
            _ => Some(Arc::new(TokenBucket::with_clock(qps * left, burst_left, clock)?)),
        };
        Ok(own.map(|own| Self { own, common: common.clone() }))
    }
}

impl<C: Clock> Priority<C> {
    fn buckets(&self) -> impl Iterator<Item = &TokenBucket<C>> {
        self.own.iter().chain(&self.common).map(|bucket| &**bucket)
    }

    /// Waits in both lines at once. Whichever is served second, or at the same time, gives back what it has.
    async fn either(
        own: &TokenBucket<C>,
        common: &TokenBucket<C>,
        deadline: Option<Instant>,
    ) -> Result<(), WaitError> {
        let (mut own, mut common) = (pin!(own.wait_n(1, deadline)), pin!(common.wait_n(1, deadline)));
        let (mut own_error, mut common_error) = (None, None);
        poll_fn(|cx| {
            if own_error.is_none()
                && let Poll::Ready(result) = own.as_mut().poll(cx)
            {
                match result {
                    Ok(()) => return Poll::Ready(Ok(())),
                    Err(error) => own_error = Some(error),
                }
            }
            if common_error.is_none()
                && let Poll::Ready(result) = common.as_mut().poll(cx)
            {
                match result {
                    Ok(()) => return Poll::Ready(Ok(())),
                    Err(error) => common_error = Some(error),
                }
            }
            match own_error.zip(common_error) {
                Some((error, _)) => Poll::Ready(Err(error)),
                None => Poll::Pending,
            }
        })
        .await
    }
}

impl<C: Clock> RateLimiter for Priority<C> {
    fn try_accept(&self) -> bool {
        self.buckets().any(RateLimiter::try_accept)
    }

    fn wait(&self, deadline: Option<Instant>) -> Wait<'_> {
        Wait::unpolled(self, deadline)
    }

    /// What the class gets when it is alone: its own share and all that is common.
    fn qps(&self) -> f64 {
        self.buckets().map(RateLimiter::qps).sum()
    }
}

impl<C: Clock> Begin for Priority<C> {
    fn begin(&self, deadline: Option<Instant>) -> Wait<'_> {
        if self.try_accept() {
            return Wait::ready(Ok(()));
        }
        match (&self.own, &self.common) {
            (Some(own), Some(common)) => Wait::pending(Self::either(own, common, deadline)),
            (Some(only), None) | (None, Some(only)) => only.begin(deadline),
            // `split` makes no class without any bucket.
            (None, None) => Wait::ready(Err(WaitError::Stopped)),
        }
    }
}

impl<C: Clock> fmt::Debug for Priority<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Priority").field("own", &self.own).field("common", &self.common).finish()
    }
}
