use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::Instant;

/// Decides when the next action may happen.
///
/// The trait can be used as `dyn RateLimiter`. Where a token is there at once, [`wait`](Self::wait) allocates
/// nothing.
///
/// ```
/// use std::sync::Arc;
/// use kubewire_flowcontrol::{RateLimiter, TokenBucket, Unlimited};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let limiter: Arc<dyn RateLimiter> = match std::env::var("SLOW") {
///     Ok(_) => Arc::new(TokenBucket::new(5.0, 10)?),
///     Err(_) => Arc::new(Unlimited),
/// };
/// limiter.accept().await?;
/// println!("go");
/// # Ok(()) }
/// ```
pub trait RateLimiter: fmt::Debug + Send + Sync {
    /// Takes a token if one is there now; never waits.
    fn try_accept(&self) -> bool;

    /// Waits until a token is there and takes it.
    ///
    /// Cancellation safe: dropping the future gives back its place in line, and its token if it had got one. The
    /// place in line is taken when the future is first polled.
    ///
    /// # Errors
    /// [`WaitError::Stopped`], or [`WaitError::LineTooLong`] when the token would come in years.
    fn accept(&self) -> Wait<'_> {
        self.wait(None)
    }

    /// Like [`accept`](Self::accept), but fails at once, taking nothing, when no token can be there by `deadline`.
    ///
    /// # Errors
    /// Those of [`accept`](Self::accept), and [`WaitError::DeadlineExceeded`].
    fn wait(&self, deadline: Option<Instant>) -> Wait<'_>;

    /// How many tokens a second are given out in the long run: infinite where there is no limit, zero where nothing
    /// is ever accepted.
    fn qps(&self) -> f64;

    /// Frees those who wait on a limiter that never accepts; of no effect on the others.
    fn stop(&self) {}
}

/// Why a wait ended without a token. Nothing was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitError {
    /// No token can be there before the deadline.
    DeadlineExceeded,
    /// More tokens were asked for at once than the bucket can ever hold.
    ExceedsBurst {
        /// How many tokens were asked for.
        asked: u32,
        /// How many the bucket holds when it is full.
        burst: u32,
    },
    /// The line is so long that the wait would take years.
    LineTooLong,
    /// The limiter was stopped.
    Stopped,
}

impl fmt::Display for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DeadlineExceeded => f.write_str("no token would be there before the deadline"),
            Self::ExceedsBurst { asked, burst } => {
                write!(f, "{asked} tokens asked for at once, but the bucket holds {burst} at most")
            }
            Self::LineTooLong => f.write_str("the line before the rate limiter is years long"),
            Self::Stopped => f.write_str("the rate limiter was stopped"),
        }
    }
}

impl std::error::Error for WaitError {}

/// The future of a token.
#[must_use = "a wait does nothing unless it is awaited"]
pub struct Wait<'a>(State<'a>);

enum State<'a> {
    Ready(Result<(), WaitError>),
    Unpolled(&'a dyn Begin, Option<Instant>),
    Pending(Pin<Box<dyn Future<Output = Result<(), WaitError>> + Send + 'a>>),
}

/// What a limiter of this crate does when a wait on it is first polled.
pub(crate) trait Begin: Sync {
    fn begin(&self, deadline: Option<Instant>) -> Wait<'_>;
}

impl<'a> Wait<'a> {
    /// A wait that is over already.
    pub fn ready(result: Result<(), WaitError>) -> Self {
        Self(State::Ready(result))
    }

    /// A wait that ends when `future` does, and drops it when it is dropped itself.
    pub fn pending(future: impl Future<Output = Result<(), WaitError>> + Send + 'a) -> Self {
        Self(State::Pending(Box::pin(future)))
    }

    /// A wait that touches the limiter when it is polled, not before, and allocates only if it must wait.
    pub(crate) fn unpolled(limiter: &'a dyn Begin, deadline: Option<Instant>) -> Self {
        Self(State::Unpolled(limiter, deadline))
    }
}

impl Future for Wait<'_> {
    type Output = Result<(), WaitError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let State::Unpolled(limiter, deadline) = self.0 {
            *self = limiter.begin(deadline);
        }
        match &mut self.0 {
            State::Ready(result) => Poll::Ready(*result),
            State::Pending(future) => future.as_mut().poll(cx),
            State::Unpolled(..) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }
}

impl fmt::Debug for Wait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wait")
    }
}
