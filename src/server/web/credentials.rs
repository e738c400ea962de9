//! The `Authorization` header, as RFC 7617 has it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// Name and password of a header; the password may be any bytes. `None` for what is no such login.
pub(super) fn credentials(header: &[u8]) -> Option<(String, Vec<u8>)> {
    let (scheme, rest) = header.split_at_checked("Basic ".len())?;
    if !scheme.eq_ignore_ascii_case(b"Basic ") {
        return None;
    }
    let plain = BASE64_STANDARD.decode(rest.trim_ascii()).ok()?;
    let colon = memchr::memchr(b':', &plain)?;
    let name = String::from_utf8(plain[..colon].to_vec()).ok()?;
    Some((name, plain[colon + 1..].to_vec()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_name_and_any_password_is_read_as_it_was_sent(name in "[^:]*", password: Vec<u8>) {
            let plain = [name.as_bytes(), b":", &password].concat();
            let header = format!("bAsIc  {}", BASE64_STANDARD.encode(plain));
            assert_eq!(credentials(header.as_bytes()), Some((name, password)));
        }

        #[test]
        fn any_header_is_read_or_refused(header: Vec<u8>) {
            let given = [b"Basic ", &header[..]].concat();
            assert!(credentials(&header).or(credentials(&given)).is_none_or(|(name, _)| !name.contains(':')));
        }
    }
}
