//! TLS towards servers, for all who speak it: what of a certificate is believed, and how ours are read.

pub(crate) mod certificate;
pub(crate) mod closer;
pub mod examine;
pub(crate) mod flight;
pub mod handshake;
pub(crate) mod hello;
pub mod inspection;
pub mod problem;
mod settings;
pub(crate) mod suites;
pub mod trust;

use std::fs::OpenOptions;
use std::io::{self, Read as _};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::OFlags;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::collector::{Failure, Reason};

pub(crate) use settings::Settings;

/// The largest file of certificates or keys that is read: Mozilla's whole list has 200 KiB.
const FILE_BYTES: u64 = 1 << 20;

/// How much of a certificate is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    /// Any certificate will do.
    Nothing,
    /// Somebody we trust has signed it, whatever name it is for.
    Chain,
    /// Somebody we trust has signed it for the name we connect to.
    ChainAndName,
}

/// Checks as much of a server's certificate as it is told, and always that the server holds its key.
#[derive(Debug)]
pub(crate) struct Verifier {
    /// What is checked.
    pub(crate) check: Check,
    /// Who is trusted; nobody needs to be where nothing is checked.
    pub(crate) roots: RootCertStore,
    /// The cryptography.
    pub(crate) provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.check != Check::Nothing {
            let certificate = ParsedCertificate::try_from(certificate)?;
            let algorithms = self.provider.signature_verification_algorithms.all;
            verify_server_cert_signed_by_trust_anchor(&certificate, &self.roots, intermediates, now, algorithms)?;
            if self.check == Check::ChainAndName {
                verify_server_name(&certificate, name)?;
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The certificates of a file: any number in PEM, or a single one in DER.
///
/// # Errors
/// `permission` or `tls` when it cannot be read or holds no such thing, `limit` above 1 MiB.
pub(crate) fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let reading = |failure: Failure| failure.context(format!("reading {}", file.display()));
    let content = read(file).map_err(reading)?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&content)
        .collect::<Result<_, _>>()
        .map_err(|error| reading(Failure::new(Reason::Tls, error)))?;
    Ok(if found.is_empty() { vec![content.into()] } else { found })
}

/// The private key of a file, in PEM or DER.
///
/// # Errors
/// As those of [`certificates`].
pub(crate) fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, Failure> {
    let reading = |failure: Failure| failure.context(format!("reading {}", file.display()));
    let content = read(file).map_err(reading)?;
    match PrivateKeyDer::from_pem_slice(&content) {
        Err(pem::Error::NoItemsFound) => PrivateKeyDer::try_from(content).map_err(anyhow::Error::msg),
        key => key.map_err(anyhow::Error::from),
    }
    .map_err(|error| reading(Failure::new(Reason::Tls, error)))
}

/// Reads a file of ours, which is done anew for each connection, so that a renewed one needs no reload.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let unreadable = |error: io::Error| {
        let denied = error.kind() == io::ErrorKind::PermissionDenied;
        Failure::new(if denied { Reason::Permission } else { Reason::Tls }, error)
    };
    // A pipe would otherwise be waited for until somebody writes to it.
    let now = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(now).open(path).map_err(unreadable)?;
    if !file.metadata().map_err(unreadable)?.is_file() {
        return Err(Failure::message(Reason::Tls, "not a file"));
    }
    let mut content = Vec::new();
    file.take(FILE_BYTES + 1).read_to_end(&mut content).map_err(unreadable)?;
    if content.len() as u64 > FILE_BYTES {
        return Err(Failure::message(Reason::Limit, "larger than 1 MiB"));
    }
    Ok(content)
}

/// The name that a certificate must carry: the one that was configured, else the host's.
pub(crate) fn server_name(configured: Option<&str>, host: &str) -> Result<ServerName<'static>, Failure> {
    let name = configured.unwrap_or(host);
    // An address in another spelling is no name.
    let name = name.parse::<IpAddr>().map_or_else(|_| ServerName::try_from(name.to_owned()), |ip| Ok(ip.into()));
    name.map_err(|_| Failure::message(Reason::Tls, format!("no certificate can be for `{host}`")))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_no_certificate_says_which_file_and_why() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &[u8]| {
            fs::write(folder.path().join(name), content).unwrap();
            folder.path().join(name)
        };
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .unwrap();
        for (path, reason, says) in [
            (file("large", &vec![b' '; 2 << 20]), Reason::Limit, "larger than 1 MiB"),
            (folder.path().to_owned(), Reason::Tls, "not a file"),
            (pipe, Reason::Tls, "not a file"),
            (folder.path().join("missing"), Reason::Tls, "No such file"),
            (file("broken", b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"), Reason::Tls, ""),
        ] {
            for failure in [certificates(&path).unwrap_err(), private_key(&path).unwrap_err()] {
                assert_eq!(failure.reason, reason, "{failure}");
                let message = failure.to_string();
                assert!(message.starts_with(&format!("reading {}: ", path.display())), "{message}");
                assert!(message.contains(says), "{message}");
            }
        }
    }

    #[test]
    fn a_file_of_one_certificate_in_der_is_taken_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("der");
        fs::write(&path, b"\x30\x03\x02\x01\x00").unwrap();
        assert_eq!(certificates(&path).unwrap()[0].as_ref(), b"\x30\x03\x02\x01\x00");
        fs::write(&path, "no key").unwrap();
        assert_eq!(private_key(&path).unwrap_err().reason, Reason::Tls);
    }
}
