//! Token-bucket rate limiting and backoff.
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
