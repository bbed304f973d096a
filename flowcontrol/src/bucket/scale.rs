use super::{RateError, rate::check};

/// How nanoseconds become parts of tokens.
///
/// A token is as many units as it can be while a nanosecond is less than one unit and a full bucket is not more than
/// [`MAX_FULL`]: a unit is one to two nanoseconds' worth of tokens, or, where the bucket
/// takes more than days to fill, a small part of one. The time since `epoch` is turned into units as a whole and
/// rounded once, so that nothing adds up: there is no drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scale {
    /// When counting began, on the limiter's clock.
    pub(crate) epoch: u64,
    /// Units in 2^64 nanoseconds, rounded up.
    pub(crate) mult: u64,
    /// Units in a token, a power of two.
    pub(crate) token: u64,
    /// Units in a full bucket.
    pub(crate) full: u64,
}

/// What the units' clock shows at the epoch. It leaves room for a line of waiters that began long before it.
pub(crate) const ORIGIN: u64 = 1 << 57;

/// The most units that the waiters in line may have asked for together.
pub(crate) const MAX_BOOKED: u64 = ORIGIN - MAX_FULL;

/// A bucket holds no more units than this.
pub(crate) const MAX_FULL: u64 = 1 << 50;

/// After so many nanoseconds (4.5 years) a new epoch begins. With a nanosecond below one unit, all that ever stands
/// in the word is then below `ORIGIN + LIFETIME + MAX_FULL + MAX_BOOKED`, which fits into 59 bits.
const LIFETIME: u64 = 1 << 57;

/// The rates that a bucket can have, in tokens a second.
pub(crate) const RATES: std::ops::RangeInclusive<f64> = 1e-9..=1e8;

impl Scale {
    /// A scale that has room for a line of `booked` tokens.
    pub(crate) fn new(qps: f64, burst: u32, booked: u64, epoch: u64) -> Result<Self, RateError> {
        check(qps, burst)?;
        // qps = mantissa * 2^exponent, exactly.
        let raw = qps.to_bits();
        let (mantissa, exponent) = ((raw & ((1 << 52) - 1)) | (1 << 52), (raw >> 52) as i32 - 1075);
        let by_burst = MAX_FULL.ilog2() - (u32::BITS - burst.leading_zeros());
        let by_rate = (1e9 / qps).log2() as u32;
        let by_line = MAX_BOOKED.ilog2().saturating_sub(u64::BITS - booked.leading_zeros());
        let mut bits = by_burst.min(by_rate).min(by_line);
        loop {
            if let Ok(mult) = u64::try_from(units_in_2_64_nanos(mantissa, exponent + bits as i32)) {
                return Ok(Self { epoch, mult, token: 1 << bits, full: u64::from(burst) << bits });
            }
            bits -= 1; // The logarithm was rounded up to a whole number.
        }
    }

    /// The units' clock at `nanos` on the limiter's clock; none where that is before the epoch or long after it.
    #[inline]
    pub(crate) fn at(&self, nanos: u64) -> Option<u64> {
        let elapsed = nanos.wrapping_sub(self.epoch);
        (elapsed < LIFETIME).then(|| ORIGIN + self.units(elapsed))
    }

    /// What `elapsed` nanoseconds bring, rounded down; at most one unit a nanosecond.
    #[inline]
    pub(crate) fn units(&self, elapsed: u64) -> u64 {
        ((u128::from(elapsed) * u128::from(self.mult)) >> 64) as u64
    }

    /// The fewest nanoseconds that bring `units`.
    pub(crate) fn nanos(&self, units: u64) -> u64 {
        let nanos = (u128::from(units) << 64).div_ceil(u128::from(self.mult));
        u64::try_from(nanos).unwrap_or(u64::MAX)
    }

    /// Units in so many tokens; `u64::MAX` where they are more than a bucket holds by far.
    #[inline]
    pub(crate) fn cost(&self, tokens: u32) -> u64 {
        u64::from(tokens).saturating_mul(self.token)
    }
}

/// `mantissa * 2^exponent * 2^64 / 10^9`, rounded up.
fn units_in_2_64_nanos(mantissa: u64, exponent: i32) -> u128 {
    let shift = exponent + 64;
    let scaled = match u32::try_from(shift) {
        Ok(shift) => u128::from(mantissa) << shift,
        Err(_) => u128::from(mantissa).div_ceil(1 << -shift),
    };
    scaled.div_ceil(1_000_000_000)
}
