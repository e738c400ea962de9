//! One value of a line, put where it belongs.

use super::meaning::Meaning;
use super::number::{DIGITS, decimal};
use crate::collectors::access_log::line::Line;

/// The longest request or backend's answer that is believed: a year, in microseconds.
const LONGEST: u64 = 366 * 24 * 3_600 * 1_000_000;

/// The most bytes that one answer may have had: a pebibyte.
const MOST_BYTES: u64 = 1 << 50;

/// Puts a value into the line; `None` when it is not of its kind.
#[inline]
pub(super) fn put<'a>(line: &mut Line<'a>, meaning: Meaning, value: &'a [u8]) -> Option<()> {
    match meaning {
        Meaning::Nothing => {}
        Meaning::Time(clock) => line.time = known(value, |value| clock.read(value))?,
        Meaning::Client => line.client = said(value),
        Meaning::User => line.user = user(value),
        Meaning::Request => request(line, said(value)),
        Meaning::Method => line.method = said(value),
        Meaning::Target => line.target = said(value),
        Meaning::Query => line.query = query(said(value)),
        Meaning::Protocol => line.protocol = said(value),
        Meaning::Status => line.status = known(value, status)?.unwrap_or_default(),
        Meaning::Sent => line.sent = known(value, sent)?.unwrap_or_default(),
        Meaning::Duration(digits) => line.duration = known(value, |value| duration(value, digits))?,
        Meaning::Upstream => line.upstream = upstream(value)?,
        Meaning::Cache => line.cache = said(value),
        Meaning::LimitReq => line.limit_req = said(value),
        Meaning::LimitConn => line.limit_conn = said(value),
        Meaning::Host => line.host = host(said(value)),
        Meaning::Agent => line.agent = said(value),
        Meaning::Referer => line.referer = said(value),
    }
    Some(())
}

/// Empty when it is left out: nginx writes `-` or nothing for that, Apache `-`.
fn said(value: &[u8]) -> &[u8] {
    if value == b"-" { b"" } else { value }
}

/// `Some(None)` when it is left out, `None` when it cannot be read.
#[expect(clippy::option_option, reason = "left out and wrong are two things")]
fn known<T>(value: &[u8], read: impl FnOnce(&[u8]) -> Option<T>) -> Option<Option<T>> {
    if said(value).is_empty() { Some(None) } else { read(value).map(Some) }
}

/// Apache writes two quotation marks for somebody without a name.
fn user(value: &[u8]) -> &[u8] {
    if value == b"\"\"" { b"" } else { said(value) }
}

/// Without the `?` that Apache's `%q` begins with.
fn query(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"?").unwrap_or(value)
}

/// Without the port that a `Host` header may have.
fn host(value: &[u8]) -> &[u8] {
    if !value.last().is_some_and(u8::is_ascii_digit) {
        return value;
    }
    match memchr::memrchr(b':', value) {
        Some(at) if value[at + 1..].iter().all(u8::is_ascii_digit) => {
            let name = &value[..at];
            // `::1` is an address without a port; with one it would stand in brackets.
            if memchr::memchr(b':', name).is_none() || name.ends_with(b"]") { name } else { value }
        }
        _ => value,
    }
}

fn status(value: &[u8]) -> Option<u16> {
    if value.len() > 3 {
        return None;
    }
    value.iter().try_fold(0, |status, byte| byte.is_ascii_digit().then(|| status * 10 + u16::from(byte - b'0')))
}

fn sent(value: &[u8]) -> Option<u64> {
    if value.len() > DIGITS {
        return None;
    }
    let digit = |sent, byte: &u8| byte.is_ascii_digit().then(|| sent * 10 + u64::from(byte - b'0'));
    value.iter().try_fold(0, digit).filter(|bytes| *bytes <= MOST_BYTES)
}

/// A time in units of 10 to the minus `6 - digits` seconds, as microseconds.
fn duration(value: &[u8], digits: u32) -> Option<u64> {
    decimal(value, digits).filter(|time| *time <= LONGEST)
}

/// `0.001, 0.123 : -`: of the backends that were asked one after the other, and of those behind an internal redirect.
#[expect(clippy::option_option, reason = "left out and wrong are two things")]
fn upstream(value: &[u8]) -> Option<Option<u64>> {
    if said(value).is_empty() {
        return Some(None);
    }
    let mut sum = None;
    let mut rest = value;
    loop {
        let end = rest.iter().position(|byte| matches!(byte, b',' | b' ')).unwrap_or(rest.len());
        if &rest[..end] != b"-" {
            let time = duration(&rest[..end], 6)?;
            sum = Some(sum.unwrap_or(0) + time).filter(|sum| *sum <= LONGEST);
            sum?;
        }
        rest = match &rest[end..] {
            [] => return Some(sum),
            [b',', b' ', rest @ ..] | [b' ', b':', b' ', rest @ ..] => rest,
            _ => return None,
        };
    }
}

/// `GET /a?b HTTP/1.1`, also without the protocol (HTTP/0.9), and with spaces in the middle. What is no HTTP at all
/// (`\x16\x03\x01`) becomes the target as it is.
fn request<'a>(line: &mut Line<'a>, value: &'a [u8]) {
    let word = value.iter().position(|byte| !byte.is_ascii_alphabetic() && !matches!(byte, b'-' | b'_'));
    let Some(end) = word.filter(|end| *end > 0 && value[*end] == b' ') else {
        line.target = value;
        return;
    };
    line.method = &value[..end];
    let mut target = &value[end + 1..];
    // Nearly always `HTTP/1.1` or `HTTP/2.0`.
    let behind = match target.len().checked_sub(9) {
        Some(at) if target[at..].starts_with(b" HTTP/") => Some(at),
        _ => memchr::memrchr(b' ', target).filter(|at| target[at + 1..].starts_with(b"HTTP/")),
    };
    if let Some(at) = behind {
        line.protocol = &target[at + 1..];
        target = &target[..at];
    }
    line.target = target.trim_ascii();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::access_log::format::time::Clock;

    fn text(bytes: &[u8]) -> &str {
        str::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_request_has_a_method_a_target_and_a_protocol() {
        for (value, method, target, protocol) in [
            ("GET / HTTP/1.1", "GET", "/", "HTTP/1.1"),
            ("GET /a b?c= d HTTP/2.0", "GET", "/a b?c= d", "HTTP/2.0"),
            ("POST http://shop.example/ HTTP/1.0", "POST", "http://shop.example/", "HTTP/1.0"),
            ("PRI * HTTP/2.0", "PRI", "*", "HTTP/2.0"),
            ("GET  /  HTTP/3", "GET", "/", "HTTP/3"),
            ("M-SEARCH * HTTP/1.1", "M-SEARCH", "*", "HTTP/1.1"),
            ("GET /", "GET", "/", ""),
            ("GET /HTTP/1.1", "GET", "/HTTP/1.1", ""),
            ("GET HTTP/1.1", "GET", "HTTP/1.1", ""),
            ("GET ", "GET", "", ""),
            ("GET", "", "GET", ""),
            (r"\x16\x03\x01\x02\x00 HTTP/1.1", "", r"\x16\x03\x01\x02\x00 HTTP/1.1", ""),
            (" / HTTP/1.1", "", " / HTTP/1.1", ""),
            ("-", "", "", ""),
            ("", "", "", ""),
        ] {
            let mut line = Line::default();
            put(&mut line, Meaning::Request, value.as_bytes()).unwrap();
            assert_eq!(
                (text(line.method), text(line.target), text(line.protocol)),
                (method, target, protocol),
                "{value}"
            );
        }
    }

    #[test]
    fn a_value_is_of_its_kind_or_refused() {
        let read = |meaning, value: &'static str| {
            let mut line = Line::default();
            put(&mut line, meaning, value.as_bytes()).map(|()| line)
        };
        let status = |value| read(Meaning::Status, value).map(|line| line.status);
        assert_eq!(["200", "009", "000", "-", ""].map(status), [Some(200), Some(9), Some(0), Some(0), Some(0)]);
        assert_eq!(["2000", "2x", "-1", "+20", "99999999999999999999"].map(status), [None; 5]);
        let sent = |value| read(Meaning::Sent, value).map(|line| line.sent);
        assert_eq!(["0", "1125899906842624", "-"].map(sent), [Some(0), Some(1 << 50), Some(0)]);
        assert_eq!(["1125899906842625", "99999999999999999999", "1.5", "-2"].map(sent), [None; 4]);
        let duration = |value| read(Meaning::Duration(6), value).map(|line| line.duration);
        assert_eq!(["0.000", "31622400.000", "-"].map(duration), [Some(Some(0)), Some(Some(LONGEST)), Some(None)]);
        assert_eq!(["31622400.001", "-0.001", "nan", "1e30"].map(duration), [None; 4]);
        assert_eq!(read(Meaning::Duration(0), "1234").unwrap().duration, Some(1_234));
        assert_eq!(read(Meaning::Duration(3), "1234").unwrap().duration, Some(1_234_000));
        assert_eq!(read(Meaning::Time(Clock::Local), "-").unwrap().time, None);
        assert_eq!(read(Meaning::Time(Clock::Local), "24/Nov/2026"), None);
        assert_eq!(read(Meaning::User, "\"\"").unwrap().user, b"");
        assert_eq!(read(Meaning::Query, "?a=b").unwrap().query, b"a=b");
    }

    #[test]
    fn the_times_of_several_backends_are_added_up() {
        for (value, sum) in [
            ("0.003", Some(Some(3_000))),
            ("0.001, 0.123", Some(Some(124_000))),
            ("0.001, - : 0.200", Some(Some(201_000))),
            ("-, -", Some(None)),
            ("-", Some(None)),
            ("", Some(None)),
            ("0.001,0.123", None),
            ("0.001, ", None),
            ("31622400.000, 0.001", None),
            ("0.001 0.123", None),
            ("0.001, x", None),
            ("0.001, -0.5", None),
        ] {
            assert_eq!(upstream(value.as_bytes()), sum, "{value}");
        }
    }

    #[test]
    fn a_host_has_no_port() {
        for (value, name) in [
            ("shop.example:8443", "shop.example"),
            ("shop1", "shop1"),
            ("10.0.0.1", "10.0.0.1"),
            ("10.0.0.1:80", "10.0.0.1"),
            ("[::1]:80", "[::1]"),
            ("::1", "::1"),
            ("a:b1", "a:b1"),
        ] {
            assert_eq!(text(host(value.as_bytes())), name);
        }
    }
}
