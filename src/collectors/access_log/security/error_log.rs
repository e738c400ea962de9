//! nginx' error log: which of its lines say that a client was turned away, and why.
//!
//! What is too large (`client intended to send too large body`) is not counted here: it stands in the access log with 413.

use memchr::memmem;

use super::super::classes::{Limit, Limited};

/// A line that says that a client was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Notice<'a> {
    /// When, in seconds since 1970 as if the server's clock showed UTC: the line does not say its zone.
    pub(super) time: i64,
    /// The client's address.
    pub(super) client: &'a [u8],
    /// Why.
    pub(super) why: Why,
}

/// Why a client was turned away, or would have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// By `deny` (`ngx_http_access_module`).
    Forbidden,
    /// By `limit_req` or `limit_conn`.
    Limited(Limit, Limited),
}

/// Reads a line such as `2026/11/23 03:05:07 [error] 12#12: *3 access forbidden by rule, client: 192.0.2.1, server: …`.
pub(super) fn notice(line: &[u8]) -> Option<Notice<'_>> {
    let (time, rest) = line.split_at_checked(19)?;
    let message = message(rest.strip_prefix(b" [")?)?;
    // Only where nginx itself has written it: what a client asked for stands further behind.
    let why = why(message)?;
    let client = &message[memmem::find(message, b", client: ")? + 10..];
    let client = &client[..memchr::memchr(b',', client).unwrap_or(client.len())];
    Some(Notice { time: seconds(time)?, client, why })
}

/// Behind `error] 12#12: *3 `.
fn message(line: &[u8]) -> Option<&[u8]> {
    let behind = &line[memchr::memchr(b']', line)?..];
    let message = &behind[memmem::find(behind, b": ")? + 2..];
    match message.strip_prefix(b"*") {
        Some(connection) => Some(&connection[memchr::memchr(b' ', connection)? + 1..]),
        None => Some(message),
    }
}

fn why(message: &[u8]) -> Option<Why> {
    let is_trial = |rest: &[u8]| rest.starts_with(b", dry run");
    if message.starts_with(b"access forbidden by rule") {
        return Some(Why::Forbidden);
    }
    let (limit, rejects, rest) = if let Some(rest) = message.strip_prefix(b"limiting requests") {
        (Limit::Requests, true, rest)
    } else if let Some(rest) = message.strip_prefix(b"delaying request") {
        (Limit::Requests, false, rest)
    } else {
        (Limit::Connections, true, message.strip_prefix(b"limiting connections")?)
    };
    let limited = match (rejects, is_trial(rest)) {
        (true, false) => Limited::Rejected,
        (true, true) => Limited::RejectedDryRun,
        (false, false) => Limited::Delayed,
        (false, true) => Limited::DelayedDryRun,
    };
    Some(Why::Limited(limit, limited))
}

/// `2026/11/23 03:05:07` in seconds since 1970.
fn seconds(time: &[u8]) -> Option<i64> {
    let part = |from: usize, to: usize| {
        let digits = &time[from..to];
        digits.iter().try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0')))
    };
    let signs = [time[4], time[7], time[10], time[13], time[16]] == *b"// ::";
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    let (hour, minute, second) = (part(11, 13)?, part(14, 16)?, part(17, 19)?);
    (signs && (1..=12).contains(&month) && (1..=31).contains(&day)).then_some(())?;
    // Days of the proleptic Gregorian calendar, with years that begin in March, so that the odd day is the last.
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = 365 * year + year / 4 - year / 100 + year / 400 + day_of_year - 719_468;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REST: &str = "client: 192.0.2.1, server: shop.example, request: \"GET / HTTP/1.1\", host: \"shop.example\"";

    fn why_of(message: &str) -> Option<Why> {
        let line = format!("2026/11/23 03:05:07 [error] 12#12: *3 {message}, {REST}");
        let notice = notice(line.as_bytes())?;
        assert_eq!((notice.time, notice.client), (1_795_403_107, &b"192.0.2.1"[..]));
        Some(notice.why)
    }

    #[test]
    fn what_nginx_says_is_understood() {
        use Limit::{Connections, Requests};
        for (message, why) in [
            ("access forbidden by rule", Why::Forbidden),
            ("limiting requests, excess: 5.840 by zone \"login\"", Why::Limited(Requests, Limited::Rejected)),
            ("limiting requests, dry run, excess: 5.8 by zone \"a\"", Why::Limited(Requests, Limited::RejectedDryRun)),
            ("delaying request, excess: 0.9 by zone \"a\"", Why::Limited(Requests, Limited::Delayed)),
            ("delaying request, dry run, excess: 0.9, by zone \"a\"", Why::Limited(Requests, Limited::DelayedDryRun)),
            ("limiting connections by zone \"a\"", Why::Limited(Connections, Limited::Rejected)),
            ("limiting connections, dry run, by zone \"a\"", Why::Limited(Connections, Limited::RejectedDryRun)),
        ] {
            assert_eq!(why_of(message), Some(why), "{message}");
        }
    }

    #[test]
    fn what_a_client_says_is_not_nginx_saying_it() {
        for message in [
            "open() \"/srv/access forbidden by rule\" failed (2: No such file or directory)",
            "FastCGI sent in stderr: \"PHP message: access forbidden by rule",
            "client intended to send too large body: 2000000 bytes",
        ] {
            assert_eq!(why_of(message), None, "{message}");
        }
    }

    #[test]
    fn a_date_is_a_number_of_seconds() {
        for (date, expected) in [
            ("1970/01/01 00:00:00", Some(0)),
            ("2000/02/29 23:59:59", Some(951_868_799)),
            ("2026/12/31 12:00:00", Some(1_798_718_400)),
            ("2026/13/01 00:00:00", None),
            ("2026-12-01 00:00:00", None),
            ("2026/12/0x 00:00:00", None),
        ] {
            assert_eq!(seconds(date.as_bytes()), expected, "{date}");
        }
    }

    proptest! {
        #[test]
        fn no_line_panics(line: Vec<u8>, tail in "[ -~]{0,60}") {
            prop_assert!(notice(&line).is_none());
            for head in ["2026/11/23 03:05:07 [error] ", "2026/11/23 03:05:07 [", "2026/11/23 03:05:07 [error] 1#1: *"] {
                if let Some(notice) = notice(format!("{head}{tail}").as_bytes()) {
                    prop_assert!(notice.client.len() < tail.len());
                }
            }
        }
    }
}
