//! Access tokens: what a marketplace gives for credentials, for an hour or so.

use std::fmt;
use std::time::Duration;

use crate::collector::{Failure, Reason};

/// The longest token that is taken; those of the eight marketplaces have 3 KiB at most.
const TOKEN_BYTES: usize = 16 << 10;

/// An access token, which nothing prints.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(String);

impl AccessToken {
    /// A token that can be sent.
    ///
    /// # Errors
    /// `protocol`, when it is empty, too long, or has other characters in it than visible ones of ASCII: it would be
    /// another header.
    pub fn new(text: String) -> Result<Self, Failure> {
        let wrong = match text.len() {
            0 => Some("is empty"),
            1..=TOKEN_BYTES if text.bytes().all(|byte| byte.is_ascii_graphic()) => None,
            1..=TOKEN_BYTES => Some("has characters in it that no token has"),
            _ => Some("is longer than 16 KiB"),
        };
        match wrong {
            Some(why) => Err(Failure::message(Reason::Protocol, format!("the access token {why}"))),
            None => Ok(Self(text)),
        }
    }

    /// The token itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// An access token, and for how long it is good.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// The token.
    pub access_token: AccessToken,
    /// How long, from when it was given.
    pub expires_in: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_word_that_nothing_prints() {
        let token = AccessToken::new("v^1.1#i^1#canary==".to_owned()).unwrap();
        assert_eq!((token.reveal(), format!("{token:?}")), ("v^1.1#i^1#canary==", "[redacted]".to_owned()));
        for text in ["", "canary\r\nX-Evil: 1", "canary canary", "canary\0", "canaryş", &"canary".repeat(1 << 12)] {
            let failure = AccessToken::new(text.to_owned()).unwrap_err();
            assert!(failure.to_string().starts_with("the access token ") && !failure.to_string().contains("canary"));
        }
    }
}
