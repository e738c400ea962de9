//! A regular expression from the configuration, matched against bytes from outside.

use std::str::FromStr;

use regex::bytes::{Match, Regex, RegexBuilder};
use serde::de::{Deserialize, Deserializer, Error as _};

/// The most memory that a compiled expression may take.
const COMPILED_BYTES: usize = 1 << 20;

/// A regular expression. Its search takes time in proportion to the text, whatever the text is.
#[derive(Clone, Debug)]
pub(crate) struct Pattern(Regex);

impl Pattern {
    /// Whether it is found anywhere in the text, which need not be UTF-8.
    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        self.0.is_match(text)
    }

    /// Where it is found first.
    pub(super) fn find<'t>(&self, text: &'t [u8]) -> Option<Match<'t>> {
        self.0.find(text)
    }

    /// As it was written.
    pub(super) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl FromStr for Pattern {
    type Err = String;

    /// `^` and `$` are the ends of a line, also of one that ends as those of mail and the web do.
    fn from_str(text: &str) -> Result<Self, String> {
        let built = RegexBuilder::new(text).multi_line(true).crlf(true).size_limit(COMPILED_BYTES).build();
        built.map(Self).map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => {
                format!("`{text}` takes more than 1 MiB when compiled\nwrite a shorter one, without large repetitions")
            }
            // Its message shows the expression on lines of their own, and says on the last what is wrong.
            other => {
                let message = other.to_string();
                let what = message.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                format!("`{text}` is not a regular expression: {what}\na character that means itself is written `\\\\.`, in '…' as `\\.`")
            }
        })
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_bytes_is_matched_from_its_beginning() {
        let pattern: Pattern = "^220 .*Şop".parse().unwrap();
        assert!(
            pattern.is_in("\u{fffd}\n220 a Şop\r\n".as_bytes()) && pattern.is_in(b"\xff\n220 \xc5\x9eop \xc5\x9eop")
        );
        assert!(!pattern.is_in(b" 220 \xc5\x9eop"));
        let pattern: Pattern = "^220 ready$".parse().unwrap();
        assert!(pattern.is_in(b"220-a\r\n220 ready\r\n") && pattern.is_in(b"220 ready\n"));
    }

    #[test]
    fn what_is_no_expression_or_a_huge_one_says_so() {
        for (text, says) in
            [("(", "unclosed group"), ("a{3}{400}{400}{400}", "more than 1 MiB"), ("\\y", "unrecognized escape")]
        {
            let message = text.parse::<Pattern>().unwrap_err();
            assert!(message.contains(says) && message.lines().count() == 2, "{message}");
        }
    }
}
