//! Who we say we are: with a token that is new in each process, so that the shop's own log can leave us out, and nobody
//! else can make use of that.

use std::fmt::Write as _;
use std::sync::OnceLock;

use ring::rand::{SecureRandom as _, SystemRandom};

/// The value of `User-Agent`.
pub(crate) fn agent() -> &'static str {
    static AGENT: OnceLock<String> = OnceLock::new();
    AGENT.get_or_init(|| format!("vitrin-security/{} ({})", env!("CARGO_PKG_VERSION"), word()))
}

/// A word of 16 letters and digits that nobody can guess.
pub(super) fn word() -> String {
    let mut bytes = [0; 8];
    // Without random numbers there is no TLS either, and nobody is asked anything.
    SystemRandom::new().fill(&mut bytes).ok();
    bytes.iter().fold(String::new(), |mut word, byte| {
        write!(word, "{byte:02x}").ok();
        word
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_stays_and_a_word_is_always_another() {
        assert_eq!(agent(), agent());
        assert!(agent().starts_with("vitrin-security/"), "{}", agent());
        assert_ne!(word(), word());
        assert_eq!(word().len(), 16);
    }
}
