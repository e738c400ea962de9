//! TLS towards a server: what of its certificate is checked depends on the mode.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use super::packets::Stream;
use crate::collector::{Failure, Reason};
use crate::collectors::mysql::config::{Tls, TlsMode};
use crate::collectors::mysql::failure;
use crate::tls::{Check, Verifier};

/// The largest certificate or key file that we read.
const FILE_BYTES: u64 = 1 << 20;

/// Agrees on TLS with the server at the other end of `stream`, whose host is `host`.
pub(super) async fn wrap(tls: &Tls, host: &str, stream: Box<dyn Stream>) -> Result<Box<dyn Stream>, Failure> {
    let name = ServerName::try_from(host.to_owned()).map_err(bad)?;
    let connector = TlsConnector::from(Arc::new(client(tls)?));
    Ok(Box::new(connector.connect(name, stream).await.map_err(failure::io)?))
}

fn bad(error: impl Into<anyhow::Error>) -> Failure {
    Failure::new(Reason::Tls, error)
}

fn client(tls: &Tls) -> Result<ClientConfig, Failure> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let check = match tls.mode {
        TlsMode::Disable | TlsMode::Require => Check::Nothing,
        TlsMode::VerifyCa => Check::Chain,
        TlsMode::VerifyFull => Check::ChainAndName,
    };
    let verifier = Verifier { check, roots: roots(tls)?, provider: provider.clone() };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(bad)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    match (&tls.cert_file, &tls.key_file) {
        (Some(certificate), Some(key)) => builder
            .with_client_auth_cert(certificates(certificate)?, private_key(key)?)
            .map_err(|error| bad(error).context(format!("using {}", certificate.display()))),
        _ => Ok(builder.with_no_client_auth()),
    }
}

fn roots(tls: &Tls) -> Result<RootCertStore, Failure> {
    let Some(file) = &tls.ca_file else {
        return Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() });
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).map_err(|error| bad(error).context(format!("using {}", file.display())))?;
    }
    Ok(roots)
}

/// The certificates of a file, in PEM or a single one in DER.
fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let content = read(file)?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&content)
        .collect::<Result<_, _>>()
        .map_err(|error| bad(error).context(format!("reading {}", file.display())))?;
    Ok(if found.is_empty() { vec![content.into()] } else { found })
}

/// The key of a file, in PEM or DER.
fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, Failure> {
    let content = read(file)?;
    let key = match PrivateKeyDer::from_pem_slice(&content) {
        Ok(key) => return Ok(key),
        Err(rustls::pki_types::pem::Error::NoItemsFound) => {
            PrivateKeyDer::try_from(content).map_err(anyhow::Error::msg)
        }
        Err(error) => Err(error.into()),
    };
    key.map_err(|error| bad(error).context(format!("reading {}", file.display())))
}

/// Reads a certificate or key anew for each connection, so that a renewed one needs no reload.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let doing = || format!("reading {}", path.display());
    let mut content = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FILE_BYTES + 1).read_to_end(&mut content))
        .map_err(|error| bad(error).context(doing()))?;
    if content.len() as u64 > FILE_BYTES {
        return Err(Failure::message(Reason::Limit, "larger than 1 MiB").context(doing()));
    }
    Ok(content)
}
