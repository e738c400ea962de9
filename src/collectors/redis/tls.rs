//! TLS towards a Redis.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::collector::{Failure, Reason};
use crate::tls::{Check, Settings, Verifier};

/// How long the server may take to agree on TLS.
const HANDSHAKE: Duration = Duration::from_secs(2);

/// Agrees on TLS with the server at the other end of `stream`, whose host is `host`.
///
/// # Errors
/// `tls`, `timeout`, or `permission` when a file cannot be read.
pub(super) async fn connect<S>(settings: &Settings, host: &str, stream: S) -> Result<TlsStream<S>, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let name = settings.server_name.as_deref().unwrap_or(host).to_owned();
    let name = ServerName::try_from(name).map_err(|error| Failure::new(Reason::Tls, error))?;
    let connector = TlsConnector::from(Arc::new(client(settings)?));
    // A plain Redis waits for the end of what it takes for a command, so a wrong scheme looks like a hung server.
    match timeout(HANDSHAKE, connector.connect(name, stream)).await {
        Ok(done) => done.map_err(|error| Failure::new(Reason::Tls, error)),
        Err(_) => Err(Failure::message(
            Reason::Timeout,
            "no answer to the TLS handshake: the server hangs, or speaks no TLS (then write redis:// in its url)",
        )),
    }
}

fn client(settings: &Settings) -> Result<ClientConfig, Failure> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::new(Reason::Tls, error))?;
    let builder = if settings.insecure {
        let verifier = Verifier { check: Check::Nothing, roots: RootCertStore::empty(), provider };
        builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
    } else {
        builder.with_root_certificates(roots(settings)?)
    };
    settings.identify(builder)
}

fn roots(settings: &Settings) -> Result<RootCertStore, Failure> {
    let mut roots = RootCertStore::empty();
    // The system's store may hold some that rustls does not know how to read.
    roots.add_parsable_certificates(settings.authorities()?);
    if roots.is_empty() {
        return Err(Failure::message(
            Reason::Tls,
            "there is no authority to trust; name one in tls = { ca_file = \"...\" }",
        ));
    }
    Ok(roots)
}
