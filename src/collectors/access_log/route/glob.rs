//! A pattern of characters: `*` stands for any, also none, and `#` for a number.

use std::fmt;

/// What a text is compared with.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Glob {
    pattern: Box<[u8]>,
    /// Where its last literal characters begin.
    tail: usize,
}

impl Glob {
    pub(super) fn new(text: impl Into<Vec<u8>>) -> Self {
        let pattern = text.into().into_boxed_slice();
        let tail = pattern.iter().rposition(|byte| b"*#".contains(byte)).map_or(0, |meta| meta + 1);
        Self { pattern, tail }
    }

    /// The characters that stand for themselves.
    pub(super) fn literals(&self) -> usize {
        self.pattern.iter().filter(|byte| !b"*#".contains(byte)).count()
    }

    /// The text it is, when it stands for nothing else.
    pub(super) fn literal(&self) -> Option<&[u8]> {
        (self.literals() == self.pattern.len()).then_some(&self.pattern)
    }

    /// Whether all of a text is like this. Takes the product of both lengths at worst.
    pub(super) fn matches(&self, text: &[u8]) -> bool {
        let pattern = &self.pattern[..];
        // Most texts end otherwise.
        if !text.ends_with(&pattern[self.tail..]) {
            return false;
        }
        let (mut p, mut t) = (0, 0);
        // Where to go on when what follows a star does not fit: behind the star, one character further.
        let mut star = None;
        loop {
            match pattern.get(p) {
                Some(b'*') => {
                    star = Some((p + 1, t));
                    p += 1;
                    continue;
                }
                Some(b'#') => {
                    let digits = text[t..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                    if digits > 0 {
                        (p, t) = (p + 1, t + digits);
                        continue;
                    }
                }
                Some(byte) if text.get(t) == Some(byte) => {
                    (p, t) = (p + 1, t + 1);
                    continue;
                }
                None if t == text.len() => return true,
                _ => {}
            }
            match star {
                Some((behind, from)) if from < text.len() => {
                    star = Some((behind, from + 1));
                    (p, t) = (behind, from + 1);
                }
                _ => return false,
            }
        }
    }
}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.pattern))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Glob::new(pattern).matches(text.as_bytes())
    }

    #[test]
    fn stars_and_numbers_stand_for_what_they_should() {
        for (pattern, yes, no) in [
            ("cart", &["cart"][..], &["", "car", "carts", "Cart"][..]),
            ("*", &["", "a", "a/b"], &[]),
            ("#-*", &["12-a", "1-"], &["a-1", "-a", "12", "12a-"]),
            ("#-*.html", &["12-a.html", "1-.html", "1-a.b.html"], &["12-a.htm", "12-a", "12-a.html/"]),
            ("*a*b", &["ab", "xaxb", "aabb", "abab"], &["ba", "a", "aba"]),
            ("v#", &["v1", "v31"], &["v", "v1a"]),
            ("*-#", &["a-1", "a-b-22"], &["a-b", "1"]),
        ] {
            assert!(yes.iter().all(|text| matches(pattern, text)), "{pattern}: {yes:?}");
            assert!(!no.iter().any(|text| matches(pattern, text)), "{pattern}: {no:?}");
        }
    }

    proptest! {
        #[test]
        fn stars_find_what_a_plain_search_finds(text in "[ab/]{0,12}", inner in "[ab]{1,3}") {
            prop_assert_eq!(matches(&format!("*{inner}*"), &text), text.contains(&inner));
            prop_assert_eq!(matches(&format!("{inner}*"), &text), text.starts_with(&inner));
            prop_assert_eq!(matches(&format!("*{inner}"), &text), text.ends_with(&inner));
        }
    }
}
