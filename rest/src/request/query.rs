//! Query strings: encoding, and durations as the API writes them.

use std::fmt::Write as _;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b' ');

fn push_encoded(out: &mut String, text: &str) {
    for piece in utf8_percent_encode(text, QUERY) {
        // The set leaves spaces alone: in a query they are plus signs.
        for (index, word) in piece.split(' ').enumerate() {
            if index > 0 {
                out.push('+');
            }
            out.push_str(word);
        }
    }
}

/// Appends `key=value` to a query, after a `?` or `&` as it needs.
pub(crate) fn push_pair(out: &mut String, first: &mut bool, key: &str, value: &str) {
    out.push(if std::mem::take(first) { '?' } else { '&' });
    push_encoded(out, key);
    out.push('=');
    push_encoded(out, value);
}

/// A duration as Go writes it, which is what API servers read: `1m30s`, `500ms`, `1h0m0s`.
pub(crate) fn go_duration(duration: Duration) -> String {
    let mut out = String::new();
    // Writing to a String can't fail.
    let _ = if duration.is_zero() {
        write!(out, "0s")
    } else if duration < Duration::from_micros(1) {
        write!(out, "{}ns", duration.as_nanos())
    } else if duration < Duration::from_millis(1) {
        write_fraction(&mut out, duration.as_nanos(), 1_000, "µs")
    } else if duration < Duration::from_secs(1) {
        write_fraction(&mut out, duration.as_nanos(), 1_000_000, "ms")
    } else {
        let seconds = duration.as_secs();
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        if hours > 0 {
            let _ = write!(out, "{hours}h");
        }
        if seconds >= 60 {
            let _ = write!(out, "{minutes}m");
        }
        let nanos = u128::from(seconds % 60) * 1_000_000_000 + u128::from(duration.subsec_nanos());
        write_fraction(&mut out, nanos, 1_000_000_000, "s")
    };
    out
}

fn write_fraction(out: &mut String, nanos: u128, unit: u128, name: &str) -> std::fmt::Result {
    write!(out, "{}", nanos / unit)?;
    let rest = nanos % unit;
    if rest > 0 {
        let digits = unit.ilog10() as usize;
        let fraction = format!("{rest:0digits$}");
        write!(out, ".{}", fraction.trim_end_matches('0'))?;
    }
    out.write_str(name)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{go_duration, push_pair};

    #[test]
    fn durations() {
        for (nanos, text) in [
            (0, "0s"),
            (7, "7ns"),
            (1_500, "1.5µs"),
            (2_000_000, "2ms"),
            (500_000_000, "500ms"),
            (1_000_000_000, "1s"),
            (1_250_000_000, "1.25s"),
            (90_000_000_000, "1m30s"),
            (3_600_000_000_000, "1h0m0s"),
            (3_661_001_000_000, "1h1m1.001s"),
            (360_000_000_000_000, "100h0m0s"),
        ] {
            assert_eq!(go_duration(Duration::from_nanos(nanos)), text);
        }
    }

    #[test]
    fn pairs() {
        let (mut out, mut first) = ("/x".to_owned(), true);
        push_pair(&mut out, &mut first, "labelSelector", "a in (b, c),d!=ü");
        push_pair(&mut out, &mut first, "a b", "~*&");
        assert_eq!(out, "/x?labelSelector=a+in+%28b%2C+c%29%2Cd%21%3D%C3%BC&a+b=~%2A%26");
    }
}
