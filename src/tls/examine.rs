//! What a chain of certificates is worth: everything that is wrong with it, not only what comes first.

use std::cell::{Cell, RefCell};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use webpki::{EndEntityCert, Error, KeyUsage, VerifiedPath, anchor_from_trusted_cert};

use super::problem::Problem;
use super::trust::Roots;
use crate::tls::certificate::{Certificate, shown};

/// A chain as the server sent it, its own certificate first, and what came of looking at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    /// The certificates. Empty when the first one cannot be read; of the others those are missing that cannot.
    pub chain: Vec<Certificate>,
    /// When the last way to an authority ends, in seconds since 1970: of the ways that lead from the server's
    /// certificate to somebody trusted, each ends with the first of its certificates that expires. Known also when the
    /// certificate is for another name, or its time is over.
    pub path_ends: Option<i64>,
    /// All that is wrong. Nothing is when there is none.
    pub problems: Vec<Problem>,
}

impl Examined {
    /// When the first of the certificates expires that were sent, whatever they are worth, in seconds since 1970.
    #[must_use]
    pub fn earliest_end(&self) -> Option<i64> {
        self.chain.iter().map(|certificate| certificate.not_after).min()
    }
}

/// Looks at a chain at a time.
pub(crate) fn examine(
    sent: &[CertificateDer<'_>],
    name: &ServerName<'_>,
    roots: &Roots,
    provider: &CryptoProvider,
    now: UnixTime,
) -> Examined {
    let unreadable = |problem: &str| {
        let problems = vec![Problem::Other(problem.to_owned())];
        Examined { chain: Vec::new(), path_ends: None, problems }
    };
    let Some((leaf, intermediates)) = sent.split_first() else {
        return unreadable("the server sent no certificate");
    };
    let Some(own) = Certificate::read(leaf) else {
        return unreadable("the certificate cannot be read");
    };
    let mut problems = Vec::new();
    let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    problems.extend(time_problem(&own, seconds));
    problems.extend(name_problem(leaf, &own, name));
    let path = Path { leaf, own: &own, intermediates, roots, provider, seen_expired_root: Cell::new(None) };
    // Who signed it does not change when its time is over: that is asked for a moment at which it was valid.
    let then = seconds.clamp(own.not_before, own.not_after.max(own.not_before));
    let path_ends = match path.last_end(then) {
        Ok(end) => Some(end),
        Err(error) => {
            problems.extend(path.problem(&error, then, &problems));
            // Whatever is not understood here: a certificate that nobody vouches for is never one without a problem.
            if problems.is_empty() {
                problems.push(other(&error));
            }
            None
        }
    };
    let others: Vec<_> = intermediates.iter().filter_map(|der| Certificate::read(der)).collect();
    let chain = std::iter::once(own.clone()).chain(others).collect();
    Examined { chain, path_ends, problems }
}

fn time_problem(certificate: &Certificate, now: i64) -> Option<Problem> {
    let whose = certificate.subject.clone();
    if certificate.not_after < now {
        return Some(Problem::Expired { whose, since: certificate.not_after });
    }
    (now < certificate.not_before).then_some(Problem::NotYetValid { whose, from: certificate.not_before })
}

fn name_problem(leaf: &CertificateDer<'_>, own: &Certificate, name: &ServerName<'_>) -> Option<Problem> {
    let wrong = || Problem::WrongName { asked: name.to_str().into_owned(), valid: own.names.clone() };
    // What webpki cannot read is told with the rest of the chain.
    let certificate = EndEntityCert::try_from(leaf).ok()?;
    certificate.verify_is_valid_for_subject_name(name).err().map(|_| wrong())
}

fn other(error: &Error) -> Problem {
    Problem::Other(format!("the certificate is not valid: {}", shown(&error.to_string())))
}

/// From a server's certificate to an authority.
struct Path<'a> {
    leaf: &'a CertificateDer<'a>,
    own: &'a Certificate,
    intermediates: &'a [CertificateDer<'a>],
    roots: &'a Roots,
    provider: &'a CryptoProvider,
    /// Until when the authority was valid that a path led to.
    seen_expired_root: Cell<Option<i64>>,
}

impl Path<'_> {
    /// The latest end of all ways that are valid at a time; when there is none, why.
    fn last_end(&self, time: i64) -> Result<i64, Error> {
        if let Some(end) = self.trusted_itself(time) {
            return Ok(end);
        }
        let leaf = EndEntityCert::try_from(self.leaf)?;
        let ends = RefCell::new(Vec::new());
        // Turns each way down once it is noted, and so is shown the next; webpki limits how long it looks.
        let note = |path: &VerifiedPath<'_>| {
            let (from, until) = self.roots.validity(path.anchor());
            if time < from || until < time {
                self.seen_expired_root.set(Some(until));
                return Err(Error::UnknownIssuer);
            }
            let needed = path.intermediate_certificates().filter_map(|one| Certificate::read(&one.der()));
            let end = needed.map(|one| one.not_after).fold(until.min(self.own.not_after), i64::min);
            ends.borrow_mut().push(end);
            Err(Error::UnknownIssuer)
        };
        let moment = UnixTime::since_unix_epoch(std::time::Duration::from_secs(u64::try_from(time).unwrap_or(0)));
        let found = leaf.verify_for_usage(
            self.provider.signature_verification_algorithms.all,
            &self.roots.anchors,
            self.intermediates,
            moment,
            KeyUsage::server_auth(),
            None,
            Some(&note),
        );
        let error = found.err().unwrap_or(Error::UnknownIssuer);
        ends.take().into_iter().max().ok_or(error)
    }

    /// Until when the certificate is valid that stands among the trusted ones itself, which webpki knows nothing of.
    fn trusted_itself(&self, time: i64) -> Option<i64> {
        let own = anchor_from_trusted_cert(self.leaf).ok()?;
        let trusted = self
            .roots
            .anchors
            .iter()
            .any(|one| one.subject == own.subject && one.subject_public_key_info == own.subject_public_key_info);
        (trusted && self.own.is_self_issued && time <= self.own.not_after).then_some(self.own.not_after)
    }

    /// Why no way leads to an authority; `None` when it is among the known problems already.
    fn problem(&self, error: &Error, time: i64, known: &[Problem]) -> Option<Problem> {
        if self.own.is_self_issued {
            return Some(Problem::SelfSigned);
        }
        // Others may be valid now and not at the time at which it was, which is nobody's fault.
        let is_now = !known.iter().any(|one| matches!(one, Problem::Expired { .. } | Problem::NotYetValid { .. }));
        if let Some(since) = self.seen_expired_root.get() {
            return is_now.then(|| Problem::Expired { whose: self.end().issuer, since });
        }
        match error {
            Error::UnknownIssuer => {
                let end = self.end();
                // Public authorities say where an intermediate certificate can be had. A private one that is not
                // trusted here looks the same but for that.
                Some(if end.is_self_issued || !end.issuer_is_published {
                    Problem::Untrusted { issuer: end.issuer }
                } else {
                    Problem::IncompleteChain { missing: end.issuer }
                })
            }
            // Somebody of the same name is trusted, with another key: an authority that was made anew, or an impostor.
            Error::InvalidSignatureForPublicKey => Some(Problem::Untrusted { issuer: self.end().issuer }),
            Error::CertExpired { .. } | Error::CertNotValidYet { .. } => {
                is_now.then(|| self.sent().iter().find_map(|one| time_problem(one, time)))?
            }
            Error::CaUsedAsEndEntity => {
                Some(Problem::Other("the certificate is an authority's, not a server's".into()))
            }
            error => Some(other(error)),
        }
    }

    fn sent(&self) -> Vec<Certificate> {
        self.intermediates.iter().filter_map(|der| Certificate::read(der)).collect()
    }

    /// The last certificate that the names of issuers lead to.
    fn end(&self) -> Certificate {
        let mut left = self.sent();
        let mut end = self.own.clone();
        while !end.is_self_issued
            && let Some(next) = left.iter().position(|one| one.subject == end.issuer)
        {
            end = left.swap_remove(next);
        }
        end
    }
}
