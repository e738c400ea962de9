//! The head and the body of an HTTP message, as inputs have them.

use hyper::header::{HeaderMap, HeaderName, HeaderValue};

/// The first line, the headers in the next ones, and what follows an empty line; `None` when a header is none.
pub(crate) fn read(bytes: &[u8]) -> Option<(&[u8], HeaderMap, &[u8])> {
    let (first, mut rest) = line(bytes);
    let mut headers = HeaderMap::new();
    loop {
        let (header, behind) = line(rest);
        rest = behind;
        if header.is_empty() {
            return Some((first, headers, rest));
        }
        let at = memchr::memchr(b':', header)?;
        let value = HeaderValue::from_bytes(header[at + 1..].trim_ascii()).ok()?;
        headers.append(HeaderName::from_bytes(&header[..at]).ok()?, value);
    }
}

/// The first line, and what follows it.
fn line(bytes: &[u8]) -> (&[u8], &[u8]) {
    memchr::memchr(b'\n', bytes).map_or((bytes, &[]), |end| (&bytes[..end], &bytes[end + 1..]))
}
