//! The access tokens that a marketplace has given out.

use std::collections::VecDeque;
use std::time::Duration;

/// The most tokens that one marketplace remembers; older ones are unknown to it.
const TOKENS: usize = 10_000;

/// What all of them begin with.
const PREFIX: &str = "simulated-token-";

/// Why a token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Void {
    /// Nobody gave it out, or somebody took it back.
    Unknown,
    /// Its time is over.
    Expired,
}

/// The tokens of one marketplace.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    given: VecDeque<Token>,
    count: u64,
}

#[derive(Debug)]
struct Token {
    text: String,
    kind: &'static str,
    given: Duration,
    until: Duration,
}

impl Tokens {
    /// Gives out a token of this kind at this time.
    pub(super) fn give(&mut self, kind: &'static str, now: Duration, life: Duration) -> String {
        self.count += 1;
        let text = format!("{PREFIX}{kind}-{}", self.count);
        if self.given.len() == TOKENS {
            self.given.pop_front();
        }
        self.given.push_back(Token { text: text.clone(), kind, given: now, until: now.saturating_add(life) });
        text
    }

    /// How many were given out.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The kind of a token that is good at this time; `ended` is when, and how, all that were given out until then ended.
    pub(super) fn kind(
        &self,
        text: &str,
        now: Duration,
        ended: Option<(Duration, Void)>,
    ) -> Result<&'static str, Void> {
        let token = self.given.iter().rev().find(|token| token.text == text).ok_or(Void::Unknown)?;
        match ended {
            Some((when, how)) if token.given < when => Err(how),
            _ if now >= token.until => Err(Void::Expired),
            _ => Ok(token.kind),
        }
    }
}

/// Whether a text is a token of this program's, good or not.
pub(super) fn is_ours(text: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    text.len() <= 100 && text.strip_prefix(PREFIX).is_some_and(|rest| rest.chars().all(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_token_is_good_until_its_time_is_over() {
        let mut tokens = Tokens::default();
        let token = tokens.give("user", at(10), at(5));
        assert_eq!(tokens.kind(&token, at(14), None), Ok("user"));
        assert_eq!(tokens.kind(&token, at(15), None), Err(Void::Expired));
        assert_eq!(tokens.kind("simulated-token-user-9", at(10), None), Err(Void::Unknown));
    }

    #[test]
    fn tokens_given_out_after_the_others_ended_are_good() {
        let mut tokens = Tokens::default();
        let (before, after) = (tokens.give("app", at(0), at(100)), tokens.give("app", at(10), at(100)));
        let ended = Some((at(10), Void::Unknown));
        assert_eq!(tokens.kind(&before, at(10), ended), Err(Void::Unknown));
        assert_eq!(tokens.kind(&after, at(10), ended), Ok("app"));
    }

    #[test]
    fn the_oldest_token_makes_room() {
        let mut tokens = Tokens::default();
        let first = tokens.give("app", at(0), at(9));
        for _ in 0..TOKENS {
            tokens.give("app", at(0), at(9));
        }
        assert_eq!((tokens.kind(&first, at(0), None), tokens.given.len()), (Err(Void::Unknown), TOKENS));
    }

    #[test]
    fn only_tokens_of_ours_are_called_so() {
        assert!(is_ours(&Tokens::default().give("user", at(0), at(1))));
        assert!(!is_ours("simulated-token-A<") && !is_ours("v^1.1#real"));
    }
}
