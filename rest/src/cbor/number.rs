//! Numbers, as the API server writes them in JSON.

use std::fmt::Write as _;

use jiff::Timestamp;

pub(super) fn unsigned(n: u64, json: &mut String) {
    // Writing to a string can't fail.
    let _ = write!(json, "{n}");
}

/// The integer -1 - `n`.
pub(super) fn negative(n: u64, json: &mut String) {
    let _ = write!(json, "{}", -1 - i128::from(n));
}

/// The fewest digits that give the number again. Whole numbers have no fraction: the server makes no difference between
/// 1 and 1.0, and neither do types that ask for an integer. `None` when JSON has no such number.
pub(super) fn float(n: f64, json: &mut String) -> Option<()> {
    let size = n.abs();
    let _ = match size {
        _ if !n.is_finite() => return None,
        0.0 | 1e-6..1e21 => write!(json, "{n}"),
        _ => write!(json, "{n:e}"),
    };
    Some(())
}

/// A time in seconds since 1970, as a string. `None` when it has no name.
pub(super) fn time(seconds: f64, json: &mut String) -> Option<()> {
    let nanoseconds = (seconds.fract() * 1e9) as i32;
    named(Timestamp::new(seconds as i64, nanoseconds).ok()?, json)
}

/// The same for whole seconds.
pub(super) fn time_of_seconds(seconds: i128, json: &mut String) -> Option<()> {
    named(Timestamp::from_second(seconds.try_into().ok()?).ok()?, json)
}

fn named(time: Timestamp, json: &mut String) -> Option<()> {
    let _ = write!(json, "\"{time}\"");
    Some(())
}

/// A float of 16 bits.
pub(super) fn half(bits: u16) -> f64 {
    let exponent = i32::from(bits >> 10 & 0x1f);
    let mantissa = f64::from(bits & 0x3ff);
    let size = match exponent {
        0 => mantissa * 2_f64.powi(-24),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (mantissa + 1024.0) * 2_f64.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -size } else { size }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn floats_are_the_same_when_read_again(n in any::<f64>(), small in -1e9..1e9_f64) {
            for n in [n, n.trunc(), small, small.trunc(), f64::from(n as f32)] {
                let mut json = String::new();
                prop_assert_eq!(float(n, &mut json).is_some(), n.is_finite());
                if n.is_finite() {
                    prop_assert_eq!(json.parse::<f64>().unwrap().to_bits(), n.to_bits());
                    prop_assert!(serde_json::from_str::<f64>(&json).is_ok(), "{}", json);
                    prop_assert!(json.len() < 30, "{}", json);
                }
            }
        }
    }
}
