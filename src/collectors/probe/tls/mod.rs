//! TLS from outside: what a server agrees to, and what its certificates are worth, good or bad.
//!
//! A bad certificate never ends the handshake: it is written down, and the caller decides. A connection whose certificate
//! was not good enough is for looking at, never for anything else.

pub mod examine;
mod flight;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod handshake;
mod hello;
pub mod legacy;
pub mod problem;
mod suites;
#[cfg(test)]
mod tests;
pub mod trust;

use crate::collector::{Failure, Reason};
use crate::metric::Catalogue;
use crate::snapshot::Snapshot;
use examine::Examined;
use problem::Problem;

crate::metrics! {
    DropIn as PEER;
    /// When the first of the certificates that the server sent expires, in seconds since 1970.
    EARLIEST_EXPIRY = Gauge("probe_ssl_earliest_cert_expiry", Seconds, []);
    /// When the last chain from the server's certificate to a trusted authority ends, in seconds since 1970: each ends
    /// with the first of its certificates that expires, the authority's own among them. Absent while the certificate is
    /// not valid.
    LAST_CHAIN_EXPIRY = Gauge("probe_ssl_last_chain_expiry_timestamp_seconds", Seconds, []);
    /// Always 1; the version of TLS that was agreed on.
    TLS_VERSION = Gauge("probe_tls_version_info", None, ["version"]);
    /// Always 1; the cipher suite that was agreed on.
    TLS_CIPHER = Gauge("probe_tls_cipher_info", None, ["cipher"]);
}

crate::metrics! {
    Own as OWN;
    /// When the server's certificate (leaf), or the chain that it is trusted by (chain), expires, also when it is not
    /// valid. The chain lasts as long as the best way to a trusted authority, and without one until the first of the
    /// certificates that were sent expires.
    EXPIRY = Gauge("tls_certificate_expiry_timestamp_seconds", Seconds, ["certificate"]);
    /// From when on the server's certificate is valid.
    NOT_BEFORE = Gauge("tls_certificate_not_before_timestamp_seconds", Seconds, []);
    /// Whether a visitor's browser would take the server's certificate without a word.
    VALID = Gauge("tls_certificate_valid", None, []);
    /// What is wrong with the server's certificate: 1 for each problem that it has.
    PROBLEM = Gauge("tls_certificate_problem", None, ["problem"]);
}

/// What an inspection may report; the versions that are out of date are [`legacy`]'s.
pub const METRICS: [Catalogue; 3] = [Catalogue::List(PEER), Catalogue::List(OWN), Catalogue::List(legacy::METRICS)];

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

    /// Pushes what was found.
    pub fn report(&self, out: &mut Snapshot) {
        if let Some(session) = &self.session {
            out.push(&TLS_VERSION, [session.version], true);
            out.push(&TLS_CIPHER, [session.cipher], true);
        }
        let Examined { chain, path_ends, problems } = &self.certificates;
        out.push(&VALID, [], problems.is_empty());
        for word in Problem::WORDS {
            out.push(&PROBLEM, [word], problems.iter().any(|problem| problem.word() == word));
        }
        let earliest = chain.iter().map(|certificate| certificate.not_after).min();
        if let (Some(leaf), Some(earliest)) = (chain.first(), earliest) {
            out.push(&EARLIEST_EXPIRY, [], earliest);
            out.push(&EXPIRY, ["leaf"], leaf.not_after);
            out.push(&EXPIRY, ["chain"], path_ends.unwrap_or(earliest));
            out.push(&NOT_BEFORE, [], leaf.not_before);
        }
        if let Some(end) = path_ends.filter(|_| problems.is_empty()) {
            out.push(&LAST_CHAIN_EXPIRY, [], end);
        }
    }
}
