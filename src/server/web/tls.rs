//! `tls_server_config`: certificate, key and rules in, a rustls configuration out.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde_saphyr::{Location, Spanned};

use super::clients::{Clients, not_after};
use super::file::{ClientAuth, TlsServer, place};
use crate::config::Problem;
use crate::config::file::bytes_of;

/// The most of a certificate, key or authority file that is read.
pub(super) const FILE_BYTES: u64 = 1 << 20;

/// What is demanded of a client's certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Demands {
    /// There must be one.
    pub(super) mandatory: bool,
    /// It must be signed by an authority that we trust.
    pub(super) verified: bool,
    /// It must be for one of certain names.
    pub(super) named: bool,
}

impl Demands {
    fn of(clients: Option<&Clients>) -> Self {
        clients.map_or_else(Self::default, |clients| Self {
            mandatory: clients.mandatory,
            verified: clients.chain.is_some(),
            named: clients.names.is_some(),
        })
    }

    /// Whether something that `before` demanded is not demanded here.
    pub(super) fn are_less_than(self, before: Self) -> bool {
        (before.mandatory && !self.mandatory) || (before.verified && !self.verified) || (before.named && !self.named)
    }
}

/// What a TLS connection starts from.
pub(super) struct Tls {
    pub(super) demands: Demands,
    pub(super) config: Arc<ServerConfig>,
    /// Our own certificate.
    pub(super) certificate: CertificateDer<'static>,
    /// When it ends, in seconds since 1970.
    pub(super) not_after: Option<i64>,
}

/// Reads a section of the web configuration, whose relative paths start at its folder.
pub(super) struct Reader<'a> {
    pub(super) file: &'a Path,
    /// What works but should be mended.
    pub(super) warnings: &'a mut Vec<String>,
}

impl Reader<'_> {
    /// The configuration for this section; `None` where nothing in it turns TLS on.
    pub(super) fn tls(&mut self, section: &Spanned<TlsServer>) -> Result<Option<Tls>, Problem> {
        let server = &section.value;
        let named = server.cert.is_some() || server.cert_file.is_some();
        let keyed = server.key.is_some() || server.key_file.is_some();
        if !named && !keyed && server.client_auth_type.is_none() && !has_authority(server) {
            return Ok(None);
        }
        if !named || !keyed {
            let missing = if named { "key_file" } else { "cert_file" };
            let message = format!("tls_server_config: the key `{missing}` is missing");
            return Err(self.problem(section.referenced, message, "write cert_file and key_file, or neither"));
        }
        let versions = self.versions(server)?;
        let provider = Arc::new(self.provider(server, &versions)?);
        let clients = self.clients(server, &provider)?;
        let demands = Demands::of(clients.as_ref());
        let (chain_place, chain) = self.pem("cert", server.cert.as_ref(), server.cert_file.as_ref())?;
        let (key_place, key) = self.pem("key", server.key.as_ref(), server.key_file.as_ref())?;
        let chain = certificates(&chain);
        let certificate = chain.first().cloned().ok_or_else(|| {
            self.problem(
                chain_place,
                "tls_server_config.cert_file: there is no certificate in it",
                "name a PEM file: -----BEGIN CERTIFICATE-----",
            )
        })?;
        let key = PrivateKeyDer::from_pem_slice(&key).map_err(|_| {
            self.problem(
                key_place,
                "tls_server_config.key_file: there is no private key in it",
                "name a PEM file without a password: openssl pkey -in old.key -out new.key",
            )
        })?;
        let builder = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)
            .map_err(|error| self.problem(section.referenced, error.to_string(), "leave versions and suites out"))?;
        let builder = match clients {
            Some(clients) => builder.with_client_cert_verifier(Arc::new(clients)),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_single_cert(chain, key).map_err(|error| {
            let message = match error {
                rustls::Error::InconsistentKeys(_) => "it is not the key of this certificate".to_owned(),
                other => format!("certificate and key cannot be used: {other}"),
            };
            let hint =
                "compare what both print: openssl x509 -pubkey -noout -in CERTIFICATE; openssl pkey -pubout -in KEY";
            self.problem(key_place, format!("tls_server_config.key_file: {message}"), hint)
        })?;
        config.ignore_client_order = server.prefer_server_cipher_suites.unwrap_or(true);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let not_after = not_after(&certificate);
        Ok(Some(Tls { demands, config: Arc::new(config), certificate, not_after }))
    }

    fn clients(&mut self, server: &TlsServer, provider: &Arc<CryptoProvider>) -> Result<Option<Clients>, Problem> {
        let policy = server.client_auth_type.as_ref().map_or(ClientAuth::NoClientCert, |policy| policy.value);
        let place = server.client_auth_type.as_ref().map(|policy| policy.referenced);
        let mandatory = matches!(policy, ClientAuth::RequireAnyClientCert | ClientAuth::RequireAndVerifyClientCert);
        let verified = matches!(policy, ClientAuth::VerifyClientCertIfGiven | ClientAuth::RequireAndVerifyClientCert);
        if let Some(names) = server.client_allowed_sans.as_ref().filter(|_| !mandatory) {
            let message = "tls_server_config.client_allowed_sans: a client need not show a certificate";
            let hint = "write client_auth_type: RequireAndVerifyClientCert";
            return Err(self.problem(names.referenced, message, hint));
        }
        let (authority_place, authority) = match (&server.client_ca, &server.client_ca_file) {
            (None, None) => (Location::UNKNOWN, None),
            (text, path) => {
                let (place, pem) = self.pem("client_ca", text.as_ref(), path.as_ref())?;
                (place, Some(pem))
            }
        };
        let authority = match (authority, policy) {
            (Some(_), ClientAuth::NoClientCert) => {
                let message = "tls_server_config.client_ca_file: nobody is asked for a certificate";
                let hint = "write client_auth_type: RequireAndVerifyClientCert";
                return Err(self.problem(authority_place, message, hint));
            }
            (None, _) if verified => {
                let message = "tls_server_config.client_auth_type: the key `client_ca_file` is missing";
                let hint = "name whose certificates are good; without it exporter-toolkit would take those of every \
                            public authority";
                return Err(self.problem(place.unwrap_or(Location::UNKNOWN), message, hint));
            }
            (_, ClientAuth::NoClientCert) => return Ok(None),
            (authority, _) => authority.filter(|_| verified),
        };
        let chain = match authority {
            None => None,
            Some(pem) => {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(certificates(&pem));
                let chain = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone()).build();
                Some(chain.map_err(|_| {
                    let message = "tls_server_config.client_ca_file: there is no certificate of an authority in it";
                    self.problem(authority_place, message, "name a PEM file: -----BEGIN CERTIFICATE-----")
                })?)
            }
        };
        let names = server.client_allowed_sans.as_ref().map(|names| names.value.iter().cloned().collect());
        Ok(Some(Clients { mandatory, chain, names, provider: provider.clone() }))
    }

    /// The text of a key that stands in the file itself or in one of its own; the latter wins, as in the toolkit.
    fn pem(
        &mut self,
        key: &str,
        text: Option<&Spanned<String>>,
        path: Option<&Spanned<PathBuf>>,
    ) -> Result<(Location, Vec<u8>), Problem> {
        let Some(path) = path else {
            let text = text.expect("one of the two is there: looked at by the caller");
            return Ok((text.referenced, text.value.clone().into_bytes()));
        };
        let full = resolved(self.file, &path.value);
        let bytes = bytes_of(&full, FILE_BYTES).map_err(|error| {
            let message = format!("tls_server_config.{key}_file: reading {}: {error}", full.display());
            let hint = "a relative path starts at the folder of this file; vitrin's user must be able to read it";
            self.problem(path.referenced, message, hint)
        })?;
        Ok((path.referenced, bytes))
    }

    pub(super) fn problem(&self, at: Location, message: impl Into<String>, hint: impl Into<String>) -> Problem {
        Problem::new(place(self.file, Some(at).filter(|at| *at != Location::UNKNOWN)), message, hint)
    }
}

fn has_authority(server: &TlsServer) -> bool {
    server.client_ca.is_some() || server.client_ca_file.is_some()
}

/// A path of the file, from the file's own folder.
pub(super) fn resolved(file: &Path, path: &Path) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(path)
}

/// The certificates of a PEM text, up to the first that is none.
fn certificates(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem).map_while(Result::ok).collect()
}
