//! One spelling for a path: as nginx looks for its location, `%61` is `a`, `//` is `/`, and `/x/../` is gone.
//!
//! The letter case stays, and so does `;`: nginx gives no meaning to either, and `/ADMIN` and `/admin;x` are not the
//! administration.

use super::decode;

/// The longest path that is looked at. Browsers and crawlers end there too; what is longer is somebody's attempt.
pub(super) const LIMIT: usize = 2048;

/// Whether a path is in its normal spelling already, as nearly all are.
pub(super) fn is_normal(path: &[u8]) -> bool {
    // Without an early end, so that the compiler compares many bytes at a time.
    let odd = |byte: u8| u8::from(byte == b'%') | u8::from(byte == b'\\');
    let pair = |one: u8, next: u8| u8::from(one == b'/') & (u8::from(next == b'/') | u8::from(next == b'.'));
    let pairs = path.iter().zip(path.iter().skip(1));
    path.first() == Some(&b'/')
        && path.len() <= LIMIT
        && pairs.fold(0, |found, (&one, &next)| found | odd(next) | pair(one, next)) == 0
}

/// The normal spelling; `None` for what is no path, leaves the root, or is too long.
pub(super) fn normal<'b>(path: &[u8], buffer: &'b mut [u8; LIMIT]) -> Option<&'b [u8]> {
    let mut length = 0;
    for byte in decode::of_path(path) {
        *buffer.get_mut(length)? = byte;
        length += 1;
    }
    if length == 0 {
        return Some(b"/");
    }
    if buffer[0] != b'/' || memchr::memchr(0, &buffer[..length]).is_some() {
        return None;
    }
    let is_folder = [&b"/"[..], b"/.", b"/.."].iter().any(|end| buffer[..length].ends_with(end));
    // What is kept never runs ahead of what is read.
    let (mut kept, mut at) = (0, 0);
    while at < length {
        let begin = at + 1;
        let end = memchr::memchr(b'/', &buffer[begin..length]).map_or(length, |slash| begin + slash);
        match &buffer[begin..end] {
            b"" | b"." => {}
            b".." => kept = memchr::memrchr(b'/', &buffer[..kept])?,
            _ => {
                buffer.copy_within(at..end, kept);
                kept += end - at;
            }
        }
        at = end;
    }
    if is_folder || kept == 0 {
        buffer[kept] = b'/';
        kept += 1;
    }
    Some(&buffer[..kept])
}

/// The first segment of a path and what is behind it, with its slash; `None` at the end.
pub(super) fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let path = path.strip_prefix(b"/").filter(|path| !path.is_empty())?;
    Some(path.split_at(memchr::memchr(b'/', path).unwrap_or(path.len())))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spelled(path: &str) -> Option<String> {
        let mut buffer = [0; LIMIT];
        normal(path.as_bytes(), &mut buffer).map(|path| String::from_utf8_lossy(path).into_owned())
    }

    #[test]
    fn a_path_has_one_spelling() {
        for (path, expected) in [
            ("/", "/"),
            ("", "/"),
            ("///", "/"),
            ("/a//b/", "/a/b/"),
            ("/%61dmin/", "/admin/"),
            ("/a%2Fb", "/a/b"),
            ("/x/../admin", "/admin"),
            ("/x/y/../../admin/.", "/admin/"),
            ("/a/..", "/"),
            ("/a/./b", "/a/b"),
            ("/%2e%2e%2fa/..", ""),
            ("/ADMIN", "/ADMIN"),
            ("/admin;x/", "/admin;x/"),
            ("/...", "/..."),
            (r"/\xC3\xBCr\xC3\xBCn", "/ürün"),
        ] {
            assert_eq!(spelled(path), Some(expected.to_owned()).filter(|path| !path.is_empty()), "{path}");
        }
    }

    #[test]
    fn what_no_server_serves_is_no_path() {
        for path in ["/..", "/a/../..", "*", "shop.example:443", "/a%00", &"/a".repeat(LIMIT)] {
            assert_eq!(spelled(path), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn what_is_normal_is_left_alone_and_what_was_made_normal_is(path in "[a./%2eE\\\\x]{0,40}") {
            if is_normal(path.as_bytes()) {
                prop_assert_eq!(spelled(&path), Some(path));
            } else if let Some(made) = spelled(&path) {
                let plain = !made.contains(['%', '\\']);
                // `/.a` looks as if it were not, which costs a second look and changes nothing.
                prop_assert!(is_normal(made.as_bytes()) || made.contains("/.") || !plain, "{}", made);
                if plain {
                    prop_assert_eq!(spelled(&made), Some(made));
                }
            }
        }
    }

    #[test]
    fn a_path_falls_into_segments() {
        assert_eq!(split(b"/a/b/"), Some((&b"a"[..], &b"/b/"[..])));
        assert_eq!(split(b"/a"), Some((&b"a"[..], &b""[..])));
        assert_eq!((split(b"/"), split(b"")), (None, None));
    }
}
