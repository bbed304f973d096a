//! Token-bucket rate limiting and backoff.

mod limiter;

pub use limiter::{RateLimiter, Unlimited, Wait, WaitError};
