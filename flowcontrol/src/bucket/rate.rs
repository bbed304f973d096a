use std::fmt;
use std::sync::Arc;

use super::TokenBucket;
use super::scale::RATES;
use crate::{RateLimiter, Unlimited};

/// Tokens a second where a setting says 0.
pub const DEFAULT_QPS: f64 = 5.0;

/// Tokens in a full bucket where a setting says 0.
pub const DEFAULT_BURST: u32 = 10;

/// Why no bucket can have this rate or burst.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum RateError {
    /// The rate, in tokens a second, is not a number or out of range.
    Qps(f64),
    /// The burst is negative, zero, or more than `u32::MAX`.
    Burst(i64),
    /// The shares of a rate are not numbers from 0 to 1, or their sum (given here) is more than 1.
    Shares(f64),
}

impl fmt::Display for RateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Qps(qps) => write!(
                f,
                "a token bucket cannot give out {qps} tokens a second: choose a rate from {:e} to {:e}, or \
                 `Unlimited` or `Never`",
                RATES.start(),
                RATES.end()
            ),
            Self::Burst(burst) => {
                write!(f, "a token bucket cannot hold {burst} tokens: choose a burst from 1 to {}", u32::MAX)
            }
            Self::Shares(sum) => write!(
                f,
                "shares that sum up to {sum} cannot split a rate: choose shares from 0 to 1 that sum up to 1 at most, and \
                 to less where one of them is 0"
            ),
        }
    }
}

impl std::error::Error for RateError {}

pub(crate) fn check(qps: f64, burst: u32) -> Result<(), RateError> {
    if !RATES.contains(&qps) {
        return Err(RateError::Qps(qps));
    }
    if burst == 0 {
        return Err(RateError::Burst(0));
    }
    Ok(())
}

/// The limiter that a pair of settings asks for, as settings are commonly written: a rate of 0 means
/// [`DEFAULT_QPS`], a burst of 0 means [`DEFAULT_BURST`], and a negative rate means no limit at all, whatever the
/// burst.
///
/// # Errors
///
/// A burst that is negative or above `u32::MAX` while there is a limit, and a rate that is not a number or out of
/// the range that [`TokenBucket::new`] takes.
///
/// ```
/// use kubewire_flowcontrol::limiter_for;
///
/// assert_eq!(limiter_for(0.0, 0)?.qps(), 5.0);
/// assert_eq!(limiter_for(-1.0, -1)?.qps(), f64::INFINITY);
/// assert!(limiter_for(1.0, -1).is_err());
/// # Ok::<(), kubewire_flowcontrol::RateError>(())
/// ```
pub fn limiter_for(qps: f64, burst: i64) -> Result<Arc<dyn RateLimiter>, RateError> {
    if qps < 0.0 {
        return Ok(Arc::new(Unlimited));
    }
    let qps = if qps == 0.0 { DEFAULT_QPS } else { qps };
    let burst = match burst {
        0 => DEFAULT_BURST,
        _ => u32::try_from(burst).map_err(|_| RateError::Burst(burst))?,
    };
    Ok(Arc::new(TokenBucket::new(qps, burst)?))
}
