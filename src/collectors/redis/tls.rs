//! TLS towards a Redis.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::collector::{Failure, Reason};
use crate::tls::{Check, Verifier, certificates, private_key};

/// How long the server may take to agree on TLS.
const HANDSHAKE: Duration = Duration::from_secs(2);

/// How to trust the server, and how to show who we are. The files are read again at each connect.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// The authorities to trust, in PEM; the system's when absent.
    pub ca_file: Option<PathBuf>,
    /// Take any certificate: the traffic is hidden, but from whom is not known.
    pub insecure: bool,
    /// Our certificate, in PEM, for a server that asks for one (`tls-auth-clients yes`).
    pub cert_file: Option<PathBuf>,
    /// The key of `cert_file`, in PEM.
    pub key_file: Option<PathBuf>,
    /// The name the server's certificate must carry; the host of the URL when absent.
    pub server_name: Option<String>,
}

impl Tls {
    /// Agrees on TLS with the server at the other end of `stream`, whose host is `host`.
    ///
    /// # Errors
    /// `tls`, `timeout`, or `permission` when a file cannot be read.
    pub(super) async fn connect<S>(&self, host: &str, stream: S) -> Result<TlsStream<S>, Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let name = self.server_name.as_deref().unwrap_or(host).to_owned();
        let name = ServerName::try_from(name).map_err(|error| Failure::new(Reason::Tls, error))?;
        let connector = TlsConnector::from(Arc::new(self.client()?));
        // A plain Redis waits for the end of what it takes for a command, so a wrong scheme looks like a hung server.
        match timeout(HANDSHAKE, connector.connect(name, stream)).await {
            Ok(done) => done.map_err(|error| Failure::new(Reason::Tls, error)),
            Err(_) => Err(Failure::message(
                Reason::Timeout,
                "no answer to the TLS handshake: the server hangs, or speaks no TLS (then write redis:// in its url)",
            )),
        }
    }

    fn client(&self) -> Result<ClientConfig, Failure> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| Failure::new(Reason::Tls, error))?;
        let builder = if self.insecure {
            let verifier = Verifier { check: Check::Nothing, roots: RootCertStore::empty(), provider };
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
        } else {
            builder.with_root_certificates(self.roots()?)
        };
        match (&self.cert_file, &self.key_file) {
            (Some(cert), Some(key)) => builder
                .with_client_auth_cert(certificates(cert)?, private_key(key)?)
                .map_err(|error| Failure::new(Reason::Tls, error).context(format!("using {}", cert.display()))),
            _ => Ok(builder.with_no_client_auth()),
        }
    }

    fn roots(&self) -> Result<RootCertStore, Failure> {
        let mut roots = RootCertStore::empty();
        let certificates = match &self.ca_file {
            Some(file) => certificates(file)?,
            None => rustls_native_certs::load_native_certs().certs,
        };
        // The system's store may hold some that rustls does not know how to read.
        roots.add_parsable_certificates(certificates);
        if roots.is_empty() {
            return Err(Failure::message(
                Reason::Tls,
                "there is no authority to trust; name one in tls = { ca_file = \"...\" }",
            ));
        }
        Ok(roots)
    }
}
