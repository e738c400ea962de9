//! TLS from outside: what a server agrees to, and what its certificates are worth, good or bad.
//!
//! A bad certificate never ends the handshake: it is written down, and the caller decides. A connection whose certificate
//! was not good enough is for looking at, never for anything else.

#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod legacy;
#[cfg(test)]
mod tests;

use crate::metric::Catalogue;
use crate::snapshot::Snapshot;
use crate::tls::examine::Examined;
use crate::tls::inspection::Inspection;
use crate::tls::problem::Problem;

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

impl Inspection {
    /// Pushes what was found.
    pub fn report(&self, out: &mut Snapshot) {
        if let Some(session) = &self.session {
            out.push(&TLS_VERSION, [session.version], true);
            out.push(&TLS_CIPHER, [session.cipher], true);
        }
        let earliest = self.certificates.earliest_end();
        let Examined { chain, path_ends, problems } = &self.certificates;
        out.push(&VALID, [], problems.is_empty());
        for word in Problem::WORDS {
            out.push(&PROBLEM, [word], problems.iter().any(|problem| problem.word() == word));
        }
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
