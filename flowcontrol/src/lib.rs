//! Token-bucket rate limiting and backoff: fair, cancellable, and testable under virtual time.
//!
//! ```
//! use kubewire_flowcontrol::{RateLimiter, TokenBucket};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let limiter = TokenBucket::new(50.0, 2)?; // 50 a second, 2 at once
//! for n in 0..4 {
//!     limiter.accept().await?;
//!     println!("request {n}");
//! }
//! # Ok(()) }
//! ```
//!
//! # Token buckets
//!
//! A bucket holds tokens. Each action takes one out; when the bucket is empty, one waits. New tokens drop in at a
//! steady rate, the *qps*, and once the bucket is full, at the *burst*, they run over and are lost. So there are two
//! numbers to choose: how many actions a second in the long run, and how many at once after a quiet time.
//!
//! This is a bucket with 1 token a second and a burst of 4. At 2 s five actions come. Four go at once, and the fifth
//! takes the token of 3 s as it drops in. At 7 s the bucket is full again, and the token of 8 s is lost:
//!
//! ```text
//! tokens
//!   4 |========                    ========
//!   3 |                        ====
//!   2 |                    ====
//!   1 |                ====
//!   0 |        ========
//!     +---|---|---|---|---|---|---|---|---|-> seconds
//!     0   1   2   3   4   5   6   7   8   9
//!             ^   ^                   ^
//!       four go   the fifth goes      a token is lost
//! ```
//!
//! In any span of t seconds at most burst + qps × t actions go, and where there is always somebody waiting, qps × t do.
//!
//! # What is here
//!
//! * [`TokenBucket`]: taking a token is one compare-and-swap. Those who wait are served first come, first served, each
//!   on its own timer, with no task in the background; whoever gives up leaves no gap.
//!   [`set_rate`](TokenBucket::set_rate) changes a live bucket, [`reserve`](TokenBucket::reserve) plans ahead.
//! * [`Priority`]: several classes share a rate, and each has a part of its own. [`Adaptive`]: finds its rate.
//!   [`Unlimited`], [`Never`] and [`Passive`]: for tests, and for those who opt out. All are [`RateLimiter`]s, which
//!   can be `dyn`.
//! * [`ExponentialBackoff`] between the attempts at one thing, [`Backoff`] for many things by key.
//! * [`ItemLimiter`]s for work queues: [`ItemExponential`], [`ItemFastSlow`], [`MaxOf`], [`MaxWait`].
//! * [`Clock`]: limiters go by tokio's clock, so that paused time works in tests, or by one of your own.
//!
//! Feature `fast-clock`, off by default, adds `FastClock`, which is read in a third of the time.

mod adaptive;
mod backoff;
mod bucket;
mod clock;
mod fixed;
mod item;
mod limiter;
mod priority;
mod sync;

pub use adaptive::Adaptive;
pub use backoff::{Backoff, ExponentialBackoff};
pub use bucket::{DEFAULT_BURST, DEFAULT_QPS, RateError, Reservation, TokenBucket, limiter_for};
#[cfg(feature = "fast-clock")]
pub use clock::FastClock;
pub use clock::{Clock, ManualClock, Timestamp, TokioClock};
pub use fixed::{Never, Passive, Unlimited};
pub use item::{ItemExponential, ItemFastSlow, ItemLimiter, MaxOf, MaxWait};
pub use limiter::{RateLimiter, Wait, WaitError};
pub use priority::Priority;
