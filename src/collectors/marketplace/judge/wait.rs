//! How long a marketplace asks to be left alone.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::HeaderMap;
use hyper::header::{DATE, RETRY_AFTER};

/// The longest that anybody is left alone; a header that asks for more is a mistake or a joke.
pub(super) const LONGEST: Duration = Duration::from_hours(24);

/// What `Retry-After` says: a whole number of seconds or a date (RFC 9110, section 10.2.3), or, as some do it, decimal
/// seconds. Nothing when it says no time, or one that is over.
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(date) = httpdate::parse_http_date(text) {
        return at_most(seconds(date) - seconds(clock(headers, now)));
    }
    let is_decimal = text.starts_with(|char: char| char.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    at_most(is_decimal.then(|| text.parse().ok())??)
}

/// What the other clock said, by the answer's `Date`, or else what ours says.
pub(super) fn clock(headers: &HeaderMap, now: SystemTime) -> SystemTime {
    let date = headers.get(DATE).and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
    date.unwrap_or(now)
}

/// Seconds since 1970; before then, 0.
pub(super) fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// A wait of this many seconds, no longer than [`LONGEST`]; `None` when there is none.
pub(super) fn at_most(seconds: f64) -> Option<Duration> {
    (seconds > 0.0).then(|| Duration::from_secs_f64(seconds.min(LONGEST.as_secs_f64())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(text: &str, date: Option<&str>) -> Option<f64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, text.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        let now = httpdate::parse_http_date("Mon, 23 Nov 2026 15:00:00 GMT").unwrap();
        retry_after(&headers, now).map(|wait| wait.as_secs_f64())
    }

    #[test]
    fn seconds_may_be_whole_or_decimal() {
        for (text, expected) in [
            ("30", Some(30.0)),
            ("2.0", Some(2.0)),
            ("2.5", Some(2.5)),
            (" 7 ", Some(7.0)),
            ("86401", Some(86_400.0)),
            ("99999999999999999999999999", Some(86_400.0)),
            ("0", None),
            ("0.0", None),
            ("-5", None),
            ("+5", None),
            ("5s", None),
            ("1e3", None),
            ("1.2.3", None),
            (".5", None),
            ("inf", None),
            ("NaN", None),
            ("", None),
            ("soon", None),
        ] {
            assert_eq!(wait(text, None), expected, "{text}");
        }
    }

    #[test]
    fn a_date_is_counted_from_the_clock_that_wrote_it() {
        let date = "Mon, 23 Nov 2026 15:01:30 GMT";
        assert_eq!(wait(date, None), Some(90.0));
        assert_eq!(wait(date, Some("Mon, 23 Nov 2026 15:01:00 GMT")), Some(30.0));
        assert_eq!(wait(date, Some("no date")), Some(90.0));
        assert_eq!(wait(date, Some(date)), None);
        assert_eq!(wait("Mon, 23 Nov 2026 14:00:00 GMT", None), None);
        assert_eq!(wait("Mon, 23 Nov 2099 14:00:00 GMT", None), Some(86_400.0));
        // The two older ways of writing it, which RFC 9110 wants read, too.
        assert_eq!(wait("Monday, 23-Nov-26 15:00:10 GMT", None), Some(10.0));
        assert_eq!(wait("Mon Nov 23 15:00:10 2026", None), Some(10.0));
    }

    #[test]
    fn without_the_header_nothing_is_asked() {
        assert_eq!(retry_after(&HeaderMap::new(), SystemTime::now()), None);
    }
}
