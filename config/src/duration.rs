//! Durations as Go writes them, such as `1m30s`.

use std::time::Duration;

use crate::ConfigError;

/// A timeout: whole seconds (`30`), or a duration with units (`1m30s`). `None` means no limit, which `0` and
/// negative durations ask for.
pub(crate) fn parse_timeout(text: &str) -> Result<Option<Duration>, ConfigError> {
    let bad = || ConfigError::BadTimeout { found: text.to_owned() };
    let plain = text.strip_prefix('+').unwrap_or(text);
    if !plain.is_empty() && plain.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds: u64 = plain.parse().map_err(|_| bad())?;
        // The reference counts nanoseconds in 64 bits with a sign.
        if seconds > i64::MAX as u64 / 1_000_000_000 {
            return Err(bad());
        }
        return Ok(Some(Duration::from_secs(seconds)).filter(|timeout| !timeout.is_zero()));
    }
    let (negative, nanos) = parse_go(text).ok_or_else(bad)?;
    Ok((!negative && nanos > 0).then(|| Duration::from_nanos(nanos)))
}

/// A Go duration: its sign, and its length in nanoseconds.
fn parse_go(text: &str) -> Option<(bool, u64)> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some((negative, 0));
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let number = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
        let (value, tail) = rest.split_at(number);
        let unit = tail.len() - tail.trim_start_matches(|c: char| !c.is_ascii_digit() && c != '.').len();
        let (name, tail) = tail.split_at(unit);
        let unit: u128 = match name {
            "ns" => 1,
            "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') || whole.len() > 19 {
            return None;
        }
        let whole: u128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        total += whole * unit;
        // More digits than these are below a nanosecond whatever the unit.
        let digits = fraction.get(..fraction.len().min(16))?;
        if !digits.is_empty() {
            total += digits.parse::<u128>().ok()? * unit / 10_u128.pow(u32::try_from(digits.len()).ok()?);
        }
        if total > i64::MAX as u128 {
            return None;
        }
        rest = tail;
    }
    Some((negative, u64::try_from(total).ok()?))
}
