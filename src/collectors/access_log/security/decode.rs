//! A target as the shop reads it: decoded once, in lower case, into buffers that are used again.

/// Bytes of a path, and of arguments, that are looked at. nginx takes request lines of 8 KiB by default.
const LIMIT: usize = 8 << 10;

/// What a target says, in lower case.
#[derive(Clone, Debug, Default)]
pub(super) struct Decoded {
    /// The path.
    pub(super) path: Vec<u8>,
    /// The arguments, each run of white space and each SQL comment a single space.
    pub(super) args: Vec<u8>,
}

impl Decoded {
    /// Reads a path and a query.
    pub(super) fn read(&mut self, path: &[u8], query: &[u8]) {
        self.path.clear();
        if stands_for_itself(path) {
            copy(path, &mut self.path);
        } else {
            self.path.extend(Bytes(path).take(LIMIT).map(|byte| byte.to_ascii_lowercase()));
        }
        self.args.clear();
        if stands_for_itself(query) {
            copy(query, &mut self.args);
        } else {
            self.read_args(query);
        }
    }

    fn read_args(&mut self, query: &[u8]) {
        for byte in Bytes(query).take(LIMIT) {
            // A `+` that was encoded is a space here, too, which makes nothing innocent.
            match byte {
                b'+' | b' ' | b'\t' | b'\n' | b'\r' => self.space(),
                b'/' if self.args.ends_with(b"/**") => {
                    self.args.truncate(self.args.len() - 3);
                    self.space();
                }
                byte => self.args.push(byte.to_ascii_lowercase()),
            }
        }
    }

    fn space(&mut self) {
        if self.args.last() != Some(&b' ') {
            self.args.push(b' ');
        }
    }
}

/// Whether no byte of a text stands for another, or for a space.
fn stands_for_itself(text: &[u8]) -> bool {
    // Without an early end, so that the compiler compares many bytes at a time.
    let other = |byte: u8| {
        u8::from(byte <= b' ')
            | u8::from(byte == b'%')
            | u8::from(byte == b'*')
            | u8::from(byte == b'+')
            | u8::from(byte == b'\\')
    };
    text.iter().fold(0, |found, byte| found | other(*byte)) == 0
}

fn copy(text: &[u8], to: &mut Vec<u8>) {
    to.extend_from_slice(&text[..text.len().min(LIMIT)]);
    to.make_ascii_lowercase();
}

/// The bytes that stand for others: `%41` of URLs, and `\x41`, `\u0041`, `\"` and `\/` of logs.
struct Bytes<'a>(&'a [u8]);

impl Iterator for Bytes<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let first = *self.0.first()?;
        let (byte, length) = match first {
            b'%' => digits(self.0, b"%"),
            b'\\' => match self.0.get(1) {
                Some(b'x') => digits(self.0, b"\\x"),
                Some(b'u') => digits(self.0, b"\\u00"),
                Some(byte @ (b'"' | b'\\' | b'/')) => Some((*byte, 2)),
                _ => None,
            },
            _ => None,
        }
        .unwrap_or((first, 1));
        self.0 = &self.0[length..];
        Some(byte)
    }
}

/// The byte whose two digits stand behind a sign, and the length of all.
fn digits(text: &[u8], sign: &[u8]) -> Option<(u8, usize)> {
    match *text.strip_prefix(sign)? {
        [high, low, ..] => Some((hex(high)? << 4 | hex(low)?, sign.len() + 2)),
        _ => None,
    }
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// The arguments of a query, as they stand there.
pub(super) fn arguments(query: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    query.split(|byte| *byte == b'&').map(|argument| match memchr::memchr(b'=', argument) {
        Some(at) => (&argument[..at], &argument[at + 1..]),
        None => (argument, &[][..]),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decoded(path: &str, query: &str) -> (String, String) {
        let mut decoded = Decoded::default();
        decoded.read(path.as_bytes(), query.as_bytes());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&decoded.path), text(&decoded.args))
    }

    #[test]
    fn a_target_is_decoded_once() {
        for (path, expected) in [
            ("/%2e%2E/%61dmin", "/../admin"),
            ("/%252e", "/%2e"),
            ("/a%", "/a%"),
            ("/a%4", "/a%4"),
            ("/a%zz%41", "/a%zza"),
            (r"/\x22a\u0022\/\\x41", r#"/"a"/\x41"#),
            (r"/\x4", r"/\x4"),
            (r"/\u01a9", r"/\u01a9"),
            ("/a+b", "/a+b"),
        ] {
            assert_eq!(decoded(path, "").0, expected, "{path}");
        }
    }

    #[test]
    fn what_parts_words_of_sql_is_one_space() {
        for query in ["1+UNION++Select", "1%20union/**/select", "1%0aunion%09%0d%20select", "1 union/**//**/select"] {
            assert_eq!(decoded("", query).1, "1 union select", "{query}");
        }
    }

    #[test]
    fn an_argument_has_a_value_or_none() {
        let found: Vec<_> = arguments(b"route=a/b&x&z=").collect();
        assert_eq!(found, [(&b"route"[..], &b"a/b"[..]), (b"x", b""), (b"z", b"")]);
    }

    proptest! {
        #[test]
        fn what_is_decoded_is_no_longer_than_it_was(path: Vec<u8>, query in "[%\\\\xu0-9a-f+/*&= ]{0,40}") {
            let mut decoded = Decoded::default();
            decoded.read(&path, query.as_bytes());
            prop_assert!(decoded.path.len() <= path.len() && decoded.args.len() <= query.len());
        }

        #[test]
        fn what_stands_for_itself_is_read_as_all_else(query in "[aZ09/.&=?%+*x\\\\ -]{0,12}") {
            let (mut quick, mut slow) = (Decoded::default(), Decoded::default());
            quick.read(query.as_bytes(), query.as_bytes());
            slow.path.extend(Bytes(query.as_bytes()).map(|byte| byte.to_ascii_lowercase()));
            slow.read_args(query.as_bytes());
            prop_assert_eq!((quick.path, quick.args), (slow.path, slow.args));
        }

        #[test]
        fn no_target_is_kept_whole_that_is_too_long(length in LIMIT..2 * LIMIT) {
            let mut decoded = Decoded::default();
            let long = vec![b'a'; length];
            decoded.read(&long, &long);
            prop_assert_eq!((decoded.path.len(), decoded.args.len()), (LIMIT, LIMIT));
        }
    }
}
