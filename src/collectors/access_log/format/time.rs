//! When a request was, as servers write it.

/// The ways of writing a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clock {
    /// `24/Nov/2026:03:05:08 +0300`: nginx' `$time_local`, Apache's `%t` without its brackets.
    Local,
    /// `2026-11-24T03:05:08+03:00`, also with parts of a second, and `Z` for the zone.
    Iso,
    /// A number that counts from 1970, in units of 10 to the minus this many seconds; what is behind a point is dropped.
    Count(u32),
    /// Any of them, seconds for a number: a field of a JSON object is only known by its name.
    Any,
}

/// How long a time is that is written as [`Clock::Local`].
pub(super) const LOCAL: usize = 26;

/// Beyond this no clock goes: the year 5138. A count of milliseconds taken for one of seconds would.
const LAST: i64 = 100_000_000_000;

impl Clock {
    /// Seconds since 1970; `None` when it is not written like that.
    pub(crate) fn read(self, text: &[u8]) -> Option<i64> {
        match self {
            Self::Local => local(text),
            Self::Iso => iso(text),
            Self::Count(digits) => count(text, digits),
            Self::Any => local(text).or_else(|| iso(text)).or_else(|| count(text, 0)),
        }
    }
}

/// `24/Nov/2026:03:05:08 +0300`
fn local(text: &[u8]) -> Option<i64> {
    let text: &[u8; LOCAL] = text.try_into().ok()?;
    let punctuation = [text[2], text[6], text[11], text[14], text[17], text[20]];
    if punctuation != *b"//::: " {
        return None;
    }
    let month = match &text[3..6] {
        b"Jan" => 1,
        b"Feb" => 2,
        b"Mar" => 3,
        b"Apr" => 4,
        b"May" => 5,
        b"Jun" => 6,
        b"Jul" => 7,
        b"Aug" => 8,
        b"Sep" => 9,
        b"Oct" => 10,
        b"Nov" => 11,
        b"Dec" => 12,
        _ => return None,
    };
    let date = seconds(four(text, 7)?, month, two(text, 0)?, [two(text, 12)?, two(text, 15)?, two(text, 18)?])?;
    Some(date - offset(text[21], two(text, 22)?, two(text, 24)?)?)
}

/// `2026-11-24T03:05:08.123+03:00`
fn iso(text: &[u8]) -> Option<i64> {
    let (clock, behind) = text.split_first_chunk::<19>()?;
    let punctuation = [clock[4], clock[7], clock[13], clock[16]];
    if punctuation != *b"--::" || !matches!(clock[10], b'T' | b't' | b' ') {
        return None;
    }
    let time = [two(clock, 11)?, two(clock, 14)?, two(clock, 17)?];
    let date = seconds(four(clock, 0)?, two(clock, 5)?, two(clock, 8)?, time)?;
    let zone = match behind.split_first() {
        Some((b'.' | b',', fraction)) => {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            (digits > 0).then(|| &fraction[digits..])?
        }
        _ => behind,
    };
    let offset = match zone {
        b"Z" | b"z" => 0,
        [sign, zone @ ..] if zone.len() == 5 && zone[2] == b':' => offset(*sign, two(zone, 0)?, two(zone, 3)?)?,
        [sign, zone @ ..] if zone.len() == 4 => offset(*sign, two(zone, 0)?, two(zone, 2)?)?,
        _ => return None,
    };
    Some(date - offset)
}

fn count(text: &[u8], digits: u32) -> Option<i64> {
    let seconds = super::number::decimal(text, 0)? / 10_u64.pow(digits);
    i64::try_from(seconds).ok().filter(|seconds| *seconds < LAST)
}

fn two(text: &[u8], at: usize) -> Option<i64> {
    let [tens, ones] = [text[at].wrapping_sub(b'0'), text[at + 1].wrapping_sub(b'0')];
    (tens < 10 && ones < 10).then(|| i64::from(tens * 10 + ones))
}

fn four(text: &[u8], at: usize) -> Option<i64> {
    Some(two(text, at)? * 100 + two(text, at + 2)?)
}

/// How far a zone is before UTC, in seconds.
fn offset(sign: u8, hours: i64, minutes: i64) -> Option<i64> {
    if hours > 23 || minutes > 59 {
        return None;
    }
    match sign {
        b'+' => Some(hours * 3_600 + minutes * 60),
        b'-' => Some(-(hours * 3_600 + minutes * 60)),
        _ => None,
    }
}

/// Seconds from 1970 to a time of day of a date.
fn seconds(year: i64, month: i64, day: i64, [hours, minutes, seconds]: [i64; 3]) -> Option<i64> {
    // Sixty: a second that is put in.
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    // <https://howardhinnant.github.io/date_algorithms.html#days_from_civil>, for years that are not before 0.
    let year = if month <= 2 { year - 1 } else { year };
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = year.div_euclid(400) * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some(days * 86_400 + hours * 3_600 + minutes * 60 + seconds)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn servers_write_a_time_in_these_ways() {
        for (clock, text, time) in [
            (Clock::Local, "24/Nov/2026:03:05:08 +0000", Some(1_795_489_508)),
            (Clock::Local, "24/Nov/2026:06:05:08 +0300", Some(1_795_489_508)),
            (Clock::Local, "23/Nov/2026:21:35:08 -0530", Some(1_795_489_508)),
            (Clock::Local, "29/Feb/2024:23:59:60 +0000", Some(1_709_251_200)),
            (Clock::Local, "24/Nov/2026:24:05:08 +0000", None),
            (Clock::Local, "24/nov/2026:03:05:08 +0000", None),
            (Clock::Local, "00/Nov/2026:03:05:08 +0000", None),
            (Clock::Local, "24/Nov/2026:03:05:08  0000", None),
            (Clock::Local, "24/Nov/2026:03:05:08 +000", None),
            (Clock::Iso, "2026-11-24T03:05:08+00:00", Some(1_795_489_508)),
            (Clock::Iso, "2026-11-24T06:05:08.999+0300", Some(1_795_489_508)),
            (Clock::Iso, "2026-11-24 03:05:08Z", Some(1_795_489_508)),
            (Clock::Iso, "2026-11-24T03:05:08", None),
            (Clock::Iso, "2026-11-24T03:05:08.Z", None),
            (Clock::Iso, "2026-13-24T03:05:08Z", None),
            (Clock::Count(0), "1795489508.123", Some(1_795_489_508)),
            (Clock::Count(6), "1795489508123456", Some(1_795_489_508)),
            (Clock::Count(0), "1795489508123", None),
            (Clock::Count(0), "-1", None),
            (Clock::Any, "24/Nov/2026:03:05:08 +0000", Some(1_795_489_508)),
            (Clock::Any, "2026-11-24T03:05:08Z", Some(1_795_489_508)),
            (Clock::Any, "1795489508.5241024", Some(1_795_489_508)),
            (Clock::Any, "yesterday", None),
        ] {
            assert_eq!(clock.read(text.as_bytes()), time, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_day_is_where_another_calendar_has_it(second in 0_u64..253_402_300_800) {
            let text = humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(second)).to_string();
            prop_assert_eq!(Clock::Iso.read(text.as_bytes()), i64::try_from(second).ok());
        }
    }
}
