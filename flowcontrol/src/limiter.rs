use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::Instant;

/// Decides when the next action may happen.
///
/// The trait can be used as `dyn RateLimiter`. Where a token is there at once, [`wait`](Self::wait) allocates
/// nothing.
pub trait RateLimiter: fmt::Debug + Send + Sync {
    /// Takes a token if one is there now; never waits.
    fn try_accept(&self) -> bool;

    /// Waits until a token is there and takes it. Cancellation safe: dropping the future gives back its place and
    /// its token.
    fn accept(&self) -> Wait<'_> {
        self.wait(None)
    }

    /// Like [`accept`](Self::accept), but fails at once, taking nothing, when no token can be there by `deadline`.
    fn wait(&self, deadline: Option<Instant>) -> Wait<'_>;

    /// How many tokens a second are given out in the long run; infinite where there is no limit.
    fn qps(&self) -> f64;

    /// Frees those who wait on a limiter that never accepts; of no effect on the others.
    fn stop(&self) {}
}

/// Why a wait ended without a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitError {
    /// No token can be there before the deadline.
    DeadlineExceeded,
    /// The limiter was stopped.
    Stopped,
}

impl fmt::Display for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DeadlineExceeded => "no token would be there before the deadline",
            Self::Stopped => "the rate limiter was stopped",
        })
    }
}

impl std::error::Error for WaitError {}

/// The future of a token.
#[must_use = "a wait does nothing unless it is awaited"]
pub struct Wait<'a>(State<'a>);

enum State<'a> {
    Ready(Result<(), WaitError>),
    Pending(Pin<Box<dyn Future<Output = Result<(), WaitError>> + Send + 'a>>),
}

impl<'a> Wait<'a> {
    /// A wait that is over already.
    pub fn ready(result: Result<(), WaitError>) -> Self {
        Self(State::Ready(result))
    }

    /// A wait that ends when `future` does.
    pub fn pending(future: impl Future<Output = Result<(), WaitError>> + Send + 'a) -> Self {
        Self(State::Pending(Box::pin(future)))
    }
}

impl Future for Wait<'_> {
    type Output = Result<(), WaitError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Ready(result) => Poll::Ready(*result),
            State::Pending(future) => future.as_mut().poll(cx),
        }
    }
}

impl fmt::Debug for Wait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wait")
    }
}

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
