//! What a handshake shows of a server, and whether that is good enough.

use super::examine::Examined;
use super::problem::Problem;
use crate::collector::{Failure, Reason};

/// What there is to know of one server's TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// What was agreed on; `None` when the handshake ended after the certificate.
    pub session: Option<Session>,
    /// The certificates, and what is wrong with them.
    pub certificates: Examined,
}

/// What client and server agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The version, as blackbox_exporter names it: `TLS 1.3`.
    pub version: &'static str,
    /// The cipher suite by its name at IANA.
    pub cipher: &'static str,
    /// The group of the key exchange (`X25519`), where one was agreed on.
    pub group: Option<&'static str>,
    /// The protocol inside (`h2`), when both want one.
    pub alpn: Option<Vec<u8>>,
}

impl Inspection {
    /// Whether the certificate is good.
    ///
    /// # Errors
    /// `tls`, with everything that is wrong with it.
    pub fn check(&self) -> Result<(), Failure> {
        let problems: Vec<_> = self.certificates.problems.iter().map(Problem::to_string).collect();
        if problems.is_empty() { Ok(()) } else { Err(Failure::message(Reason::Tls, problems.join("; "))) }
    }
}
