//! How long ago, and for how long.

use jiff::Timestamp;
use serde_json::Value;

pub(super) fn duration(start: &Value, end: &Value, now: Timestamp) -> String {
    let time = |v: &Value| v.as_str().and_then(|s| s.parse::<Timestamp>().ok());
    match (time(start), time(end)) {
        (Some(start), Some(end)) => human(end.duration_since(start).as_secs()),
        (Some(start), None) => human(now.duration_since(start).as_secs()),
        _ => String::new(),
    }
}

/// How long ago, as kubectl says it.
pub(super) fn age(time: &Value, now: Timestamp) -> String {
    match time.as_str().and_then(|s| s.parse::<Timestamp>().ok()) {
        Some(time) => human(now.duration_since(time).as_secs()),
        None => "<unknown>".to_owned(),
    }
}

pub(super) fn human(seconds: i64) -> String {
    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    let two = |big: i64, big_unit: &str, small: i64, small_unit: &str| {
        if small == 0 { format!("{big}{big_unit}") } else { format!("{big}{big_unit}{small}{small_unit}") }
    };
    match seconds {
        s if s < -1 => "<invalid>".to_owned(),
        s if s < 0 => "0s".to_owned(),
        s if s < 2 * MINUTE => format!("{s}s"),
        s if s < 10 * MINUTE => two(s / MINUTE, "m", s % MINUTE, "s"),
        s if s < 3 * HOUR => format!("{}m", s / MINUTE),
        s if s < 8 * HOUR => two(s / HOUR, "h", s % HOUR / MINUTE, "m"),
        s if s < 2 * DAY => format!("{}h", s / HOUR),
        s if s < 8 * DAY => two(s / DAY, "d", s % DAY / HOUR, "h"),
        s if s < 2 * 365 * DAY => format!("{}d", s / DAY),
        s if s < 8 * 365 * DAY => two(s / (365 * DAY), "y", s % (365 * DAY) / DAY, "d"),
        s => format!("{}y", s / (365 * DAY)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        for (seconds, text) in [
            (-5, "<invalid>"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (125, "2m5s"),
            (600, "10m"),
            (10_799, "179m"),
            (10_800, "3h"),
            (11_000, "3h3m"),
            (86_400, "24h"),
            (172_800, "2d"),
            (180_000, "2d2h"),
            (864_000, "10d"),
            (86_400 * 800, "2y70d"),
            (86_400 * 365 * 9, "9y"),
        ] {
            assert_eq!(human(seconds), text);
        }
    }
}
