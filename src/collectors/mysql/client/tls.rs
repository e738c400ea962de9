//! TLS towards a server: what of its certificate is checked depends on the mode.

use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use super::packets::Stream;
use crate::collector::{Failure, Reason};
use crate::collectors::mysql::config::{Tls, TlsMode};
use crate::collectors::mysql::failure;
use crate::tls::{Check, Verifier, certificates, private_key};

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
