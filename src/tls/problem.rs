//! What is wrong with a certificate: a word for the label, and a sentence for people.

use std::fmt;

use crate::tls::certificate::date;

/// How many of the names that a certificate is valid for are listed.
const NAMES: usize = 5;

/// Something that a visitor's browser would warn of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Its time is over, or that of one that it needs.
    Expired {
        /// Whose certificate.
        whose: String,
        /// Since when, in seconds since 1970.
        since: i64,
    },
    /// Its time has not come, or that of one that it needs.
    NotYetValid {
        /// Whose certificate.
        whose: String,
        /// From when on it will be, in seconds since 1970.
        from: i64,
    },
    /// It is for another host.
    WrongName {
        /// The host that was asked for.
        asked: String,
        /// The names it is for.
        valid: Vec<String>,
    },
    /// Nobody but itself has signed it.
    SelfSigned,
    /// It was signed by somebody who is not trusted.
    Untrusted {
        /// Who stands at the end of the chain.
        issuer: String,
    },
    /// One that leads to an authority was not sent: an intermediate certificate is missing.
    IncompleteChain {
        /// Whose certificate is missing.
        missing: String,
    },
    /// Anything else, as the verifier says it.
    Other(String),
}

impl Problem {
    /// All words, as [`word`](Self::word) gives them.
    pub const WORDS: [&'static str; 7] =
        ["expired", "incomplete_chain", "not_yet_valid", "other", "self_signed", "untrusted", "wrong_name"];

    /// The label value.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Expired { .. } => "expired",
            Self::NotYetValid { .. } => "not_yet_valid",
            Self::WrongName { .. } => "wrong_name",
            Self::SelfSigned => "self_signed",
            Self::Untrusted { .. } => "untrusted",
            Self::IncompleteChain { .. } => "incomplete_chain",
            Self::Other(_) => "other",
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired { whose, since } => write!(f, "the certificate of `{whose}` expired at {}", date(*since)),
            Self::NotYetValid { whose, from } => {
                write!(f, "the certificate of `{whose}` is not valid before {}", date(*from))
            }
            Self::WrongName { asked, valid } if valid.is_empty() => {
                write!(f, "the certificate is for no name at all, and so not for `{asked}`")
            }
            Self::WrongName { asked, valid } => {
                let listed: Vec<_> = valid.iter().take(NAMES).map(|name| format!("`{name}`")).collect();
                let more = if valid.len() > NAMES { " and others" } else { "" };
                write!(f, "the certificate is for {}{more}, not for `{asked}`", listed.join(", "))
            }
            Self::SelfSigned => f.write_str("the certificate is signed by itself"),
            Self::Untrusted { issuer } => write!(f, "the certificate was signed by `{issuer}`, who is not trusted"),
            Self::IncompleteChain { missing } => write!(
                f,
                "the server does not send the certificate of `{missing}`, without which its own leads to nobody who is \
                 trusted (send the whole chain: fullchain.pem)"
            ),
            Self::Other(text) => f.write_str(text),
        }
    }
}
