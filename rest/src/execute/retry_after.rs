//! The `Retry-After` header.

use std::time::Duration;

use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderName};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

/// How long a server asks to wait: seconds, or the time until a date. A date in the past is no wait.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = http_date(value)?;
    // The server's own clock tells best how far away its date is.
    let now = date_in(headers, DATE).unwrap_or_else(Timestamp::now);
    Some(Duration::try_from(until.duration_since(now)).unwrap_or(Duration::ZERO))
}

/// The same in whole seconds, as a Status says it; 0 when there is none.
pub(crate) fn retry_after_seconds(headers: &HeaderMap) -> u32 {
    retry_after(headers).map_or(0, |after| u32::try_from(after.as_secs()).unwrap_or(u32::MAX))
}

fn date_in(headers: &HeaderMap, name: HeaderName) -> Option<Timestamp> {
    http_date(headers.get(name)?.to_str().ok()?)
}

fn http_date(text: &str) -> Option<Timestamp> {
    static PARSER: DateTimeParser = DateTimeParser::new().relaxed_weekday(true);
    PARSER.parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderMap;
    use http::header::{DATE, RETRY_AFTER};

    use super::{retry_after, retry_after_seconds};

    // BH-X12
    #[test]
    fn seconds_and_dates() {
        const NOW: &str = "Tue, 24 Nov 2026 20:00:00 GMT";
        for (value, seconds) in [
            ("0", Some(0)),
            ("7", Some(7)),
            (" 7 ", Some(7)),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
            ("Tue, 24 Nov 2026 20:00:09 GMT", Some(9)),
            ("Tue, 24 Nov 2026 19:00:00 GMT", Some(0)),
            ("Sat, 24 Nov 2029 20:00:00 GMT", Some(1096 * 86_400)),
            ("99999999999999999999", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, value.parse().unwrap());
            headers.append(RETRY_AFTER, "99".parse().unwrap());
            headers.insert(DATE, NOW.parse().unwrap());
            assert_eq!(retry_after(&headers), seconds.map(Duration::from_secs), "{value}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, "Wed, 31 Dec 9998 23:59:59 GMT".parse().unwrap());
        assert_eq!(retry_after_seconds(&headers), u32::MAX, "by the local clock, cut to what fits");
    }
}
