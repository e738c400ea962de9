//! What was asked for, byte by byte, as the server has understood it: without the log's escapes and without `%41`.

/// The bytes of a part of a target, decoded once.
pub(super) struct Decoded<'a> {
    rest: &'a [u8],
    /// In a query `+` is a space, in a path it is itself.
    plus: bool,
}

/// The bytes of a path.
pub(super) fn of_path(text: &[u8]) -> Decoded<'_> {
    Decoded { rest: text, plus: false }
}

/// The bytes of a name or a value of a query.
pub(super) fn of_argument(text: &[u8]) -> Decoded<'_> {
    Decoded { rest: text, plus: true }
}

/// Whether [`of_argument`] would say anything else than the text itself.
pub(super) fn is_encoded(text: &[u8]) -> bool {
    memchr::memchr3(b'%', b'+', b'\\', text).is_some()
}

impl Iterator for Decoded<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let (byte, length) = match *self.rest {
            [] => return None,
            [b'%', high, low, ..] => match hexadecimal(high, low) {
                Some(byte) => (byte, 3),
                None => (b'%', 1),
            },
            [b'+', ..] if self.plus => (b' ', 1),
            [b'\\', ..] => escape(self.rest),
            [byte, ..] => (byte, 1),
        };
        self.rest = &self.rest[length..];
        Some(byte)
    }
}

/// The byte that a log's escape stands for, and the escape's length.
///
/// `\x41` is not taken for `A`: nginx and Apache escape what cannot be printed, quotes and backslashes alone, so that
/// this is what a log without escapes (`escape=none`) has of somebody who sent these very four characters.
fn escape(text: &[u8]) -> (u8, usize) {
    match *text {
        [_, b'x', high, low, ..] => match hexadecimal(high, low) {
            Some(byte) if !(b' '..=b'~').contains(&byte) || b"\"\\".contains(&byte) => (byte, 4),
            _ => (b'\\', 1),
        },
        [_, b'u', b'0', b'0', high, low, ..] => match hexadecimal(high, low) {
            Some(byte) if byte < b' ' || byte == 0x7f => (byte, 6),
            _ => (b'\\', 1),
        },
        [_, byte @ (b'"' | b'\\' | b'/'), ..] => (byte, 2),
        _ => (b'\\', 1),
    }
}

fn hexadecimal(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_decoded_once() {
        for (written, path, argument) in [
            ("/%61dmin", "/admin", "/admin"),
            ("/%2561dmin", "/%61dmin", "/%61dmin"),
            ("a+b%2B%", "a+b+%", "a b+%"),
            ("%4", "%4", "%4"),
            ("%zz", "%zz", "%zz"),
            (r"\x22\x5C\x0A", "\"\\\n", "\"\\\n"),
            (r"\x5Cx41", r"\x41", r"\x41"),
            (r#"\"\\\/\u000a"#, "\"\\/\n", "\"\\/\n"),
            (r"\x41\u0041\", r"\x41\u0041\", r"\x41\u0041\"),
            (r"\xC3\xBC%C3%BC", "üü", "üü"),
        ] {
            assert_eq!(of_path(written.as_bytes()).collect::<Vec<_>>(), path.as_bytes(), "{written}");
            assert_eq!(of_argument(written.as_bytes()).collect::<Vec<_>>(), argument.as_bytes(), "{written}");
        }
    }

    #[test]
    fn what_is_not_encoded_stays() {
        assert!(!is_encoded(b"checkout/cart.add"));
        assert_eq!(of_argument(b"checkout/cart.add").collect::<Vec<_>>(), b"checkout/cart.add");
        assert!(["%2F", "a+b", r"\x22"].iter().all(|text| is_encoded(text.as_bytes())));
    }
}
