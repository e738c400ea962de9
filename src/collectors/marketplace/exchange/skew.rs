//! How far apart two clocks are, as the header `Date` tells.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::HeaderMap;
use hyper::header::{AGE, DATE};

/// By how much the clock behind an answer is ahead of ours, in whole seconds, since `Date` tells no more.
///
/// It was written at some time between `sent` and `received`, by our clock: nobody knows when. What is told is the least
/// by which the clocks must differ, so that a slow answer is no slow clock.
///
/// `None` without a date, or when the answer comes from a store (`Age`) and is as old as that.
pub(super) fn skew(headers: &HeaderMap, sent: SystemTime, received: SystemTime) -> Option<f64> {
    if headers.get(AGE).is_some_and(|age| age != "0") {
        return None;
    }
    let theirs = seconds(httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?)?;
    // Ours are cut off, too: clocks that agree differ by nothing, and not by a part of a second.
    let (earliest, latest) = (seconds(sent)?, seconds(received)?);
    let (ahead, behind) = (theirs.saturating_sub(latest), earliest.saturating_sub(theirs));
    Some(ahead.as_secs_f64() - behind.as_secs_f64())
}

/// Whole seconds since 1970.
fn seconds(time: SystemTime) -> Option<Duration> {
    Some(Duration::from_secs(time.duration_since(UNIX_EPOCH).ok()?.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mon, 23 Nov 2026 12:00:00 GMT
    const NOON: u64 = 1_795_435_200;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    /// So many milliseconds past 11:58.
    fn at(milliseconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(NOON - 120) + Duration::from_millis(milliseconds)
    }

    #[test]
    fn clocks_differ_by_the_least_that_the_date_allows() {
        let headers = headers(&[("date", "Mon, 23 Nov 2026 12:00:00 GMT")]);
        for (sent, received, ahead) in [
            (120_000, 120_999, 0.0),
            (119_990, 120_010, 0.0),
            // A slow answer, its date from its beginning or its end.
            (120_500, 128_000, 0.0),
            (112_000, 120_000, 0.0),
            (121_000, 121_300, -1.0),
            (210_500, 218_000, -90.0),
            (119_000, 119_999, 1.0),
            (0, 500, 120.0),
            (0, 8_200, 112.0),
        ] {
            assert_eq!(skew(&headers, at(sent), at(received)), Some(ahead), "{sent} {received}");
        }
    }

    #[test]
    fn what_says_nothing_of_the_clock_is_no_skew() {
        for pairs in [
            &[][..],
            &[("date", "yesterday")],
            &[("date", "Mon, 23 Nov 2026 12:00:00 GMT"), ("age", "17")],
            &[("date", "Mon, 23 Nov 2026 12:00:00 GMT"), ("age", "?")],
        ] {
            assert_eq!(skew(&headers(pairs), at(0), at(0)), None, "{pairs:?}");
        }
        let fresh = headers(&[("date", "Mon, 23 Nov 2026 12:00:00 GMT"), ("age", "0")]);
        assert_eq!(skew(&fresh, at(120_000), at(120_000)), Some(0.0));
    }
}
