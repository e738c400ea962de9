//! Calls of the API: how they end, and what about them is abusive by itself.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

use super::super::line::Line;
use super::decode::arguments;
use super::labels::{Abuse, Call};

/// Identifiers that say where, not what.
const PLACES: [&[u8]; 3] = [b"store_id", b"language_id", b"currency_id"];

/// How a call ended.
pub(super) fn outcome(line: &Line<'_>) -> Call {
    if line.is_throttled() {
        return Call::Throttled;
    }
    match line.status {
        401 | 403 => Call::Denied,
        499 => Call::Aborted,
        400..=498 => Call::Invalid,
        100..=399 => Call::Ok,
        _ => Call::Error,
    }
}

/// What is abusive about a call whoever made it.
pub(super) fn abuse(line: &Line<'_>) -> Option<Abuse> {
    if line.is_throttled() {
        return Some(Abuse::Throttled);
    }
    match line.status {
        401 | 403 => Some(Abuse::AuthDenied),
        400 | 404 | 405 | 415 | 422 => Some(Abuse::InvalidCall),
        413 => Some(Abuse::Oversize),
        _ => None,
    }
}

/// What kind of thing a call is about, and which one, as hashes: `/rest/V1/orders/17`, or `order_id=17` of a route.
/// `None` when it is about no thing in particular.
pub(super) fn thing(hasher: SipHasher13, path: &[u8], query: &[u8], opencart: &[u8]) -> Option<(u64, u64)> {
    let (mut kind, mut which) = (hasher, hasher);
    let mut is_one = false;
    for segment in path.split(|byte| *byte == b'/') {
        kind.write_u8(b'/');
        if is_identifier(segment) {
            which.write(segment);
            is_one = true;
        } else {
            kind.write(segment);
        }
    }
    kind.write(opencart);
    for (name, value) in arguments(query) {
        let names_one = name == b"id" || name == b"sku" || name.ends_with(b"_id");
        if names_one && !value.is_empty() && !PLACES.contains(&name) {
            kind.write(name);
            which.write(value);
            which.write_u8(b'&');
            is_one = true;
        }
    }
    is_one.then(|| (kind.finish(), which.finish()))
}

/// A number, or a long name of hexadecimal digits, as databases give them.
fn is_identifier(segment: &[u8]) -> bool {
    let all = |is: fn(&u8) -> bool| !segment.is_empty() && segment.iter().all(is);
    all(u8::is_ascii_digit) || segment.len() >= 16 && all(|byte| byte.is_ascii_hexdigit() || *byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(status: u16, limit_req: &str) -> (&'static str, Option<&'static str>) {
        let line = Line { status, limit_req: limit_req.as_bytes(), ..Line::default() };
        (outcome(&line).as_str(), abuse(&line).map(Abuse::as_str))
    }

    #[test]
    fn every_status_has_an_outcome_and_few_are_abuse() {
        assert_eq!(call(200, ""), ("ok", None));
        assert_eq!(call(204, "PASSED"), ("ok", None));
        assert_eq!(call(304, ""), ("ok", None));
        assert_eq!(call(401, ""), ("denied", Some("auth_denied")));
        assert_eq!(call(422, ""), ("invalid", Some("invalid_call")));
        assert_eq!(call(409, ""), ("invalid", None));
        assert_eq!(call(413, ""), ("invalid", Some("oversize")));
        assert_eq!(call(429, ""), ("throttled", Some("throttled")));
        assert_eq!(call(503, "REJECTED"), ("throttled", Some("throttled")));
        assert_eq!(call(503, ""), ("error", None));
        assert_eq!(call(499, ""), ("aborted", None));
        assert_eq!(call(0, ""), ("error", None));
    }

    fn things(path: &str, query: &str, opencart: &str) -> Option<(u64, u64)> {
        thing(SipHasher13::new(), path.as_bytes(), query.as_bytes(), opencart.as_bytes())
    }

    #[test]
    fn a_thing_is_told_from_another_of_its_kind() {
        let kind = |path, query, route| things(path, query, route).unwrap().0;
        let which = |path, query, route| things(path, query, route).unwrap().1;
        assert_eq!(kind("/rest/v1/orders/17", "", ""), kind("/rest/v1/orders/18", "", ""));
        assert_ne!(which("/rest/v1/orders/17", "", ""), which("/rest/v1/orders/18", "", ""));
        assert_ne!(kind("/rest/v1/orders/17", "", ""), kind("/rest/v1/products/17", "", ""));
        let a = ("/index.php", "route=api/order&api_token=a&order_id=1", "api/order");
        let b = ("/index.php", "route=api/order&api_token=b&order_id=1", "api/order");
        assert_eq!(things(a.0, a.1, a.2), things(b.0, b.1, b.2));
        assert_eq!(things("/rest/v1/orders", "page=2&store_id=1", ""), None);
        assert!(things("/x/0b5a1f9e-5a3c-4a53-9f0e-6c5f0f2d7a11", "", "").is_some());
    }
}
