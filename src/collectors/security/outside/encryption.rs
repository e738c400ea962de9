//! What there is to know of the shop's TLS.

use serde::{Deserialize, Serialize};

use super::groups::Group;
use super::renewal::Renewal;
use crate::collectors::security::verdict::Known;

/// TLS, as any visitor meets it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Encryption {
    /// The certificate; looked at once an hour.
    pub(crate) certificate: Known<Shown>,
    /// What the server agrees to; asked once a day.
    pub(crate) offers: Known<Offers>,
    /// What renews the certificate, as far as this machine shows.
    pub(crate) renewal: Known<Renewal>,
}

/// What a server shows when it is asked for TLS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shown {
    /// Whether it is TLS at all that it speaks.
    pub(crate) is_tls: bool,
    /// Why nothing could be agreed on, though somebody answered.
    pub(crate) failure: Option<String>,
    /// Its certificate.
    pub(crate) leaf: Option<Leaf>,
    /// All that a visitor's browser would warn of.
    pub(crate) flaws: Vec<Flaw>,
}

/// A server's certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Leaf {
    /// From when on it is valid, in seconds since 1970.
    pub(crate) not_before: i64,
    /// Until when, in seconds since 1970.
    pub(crate) not_after: i64,
    /// The kind of its key: `rsa`, `ecdsa`, `ed25519`, `ed448`, `dsa` or `other`.
    pub(crate) key: String,
    /// The length of its key in bits.
    pub(crate) bits: usize,
    /// What it is signed with: `rsa_sha256`.
    pub(crate) signature: String,
}

/// Something that is wrong with a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Flaw {
    /// In a word: `expired`.
    pub(crate) word: String,
    /// In a sentence.
    pub(crate) text: String,
}

/// What a server agrees to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Offers {
    /// SSL 3.0, TLS 1.0, 1.1, 1.2 and 1.3.
    pub(crate) versions: [Known<bool>; 5],
    /// Cipher suites of before TLS 1.3, in the order of [`Group::ALL`].
    pub(crate) suites: [Known<bool>; Group::ALL.len()],
}

/// The versions of [`Offers::versions`].
pub(crate) const VERSIONS: [&str; 5] = ["SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"];

impl Offers {
    /// Whether suites of this group are agreed to.
    pub(crate) fn group(&self, group: Group) -> &Known<bool> {
        &self.suites[group as usize]
    }
}
