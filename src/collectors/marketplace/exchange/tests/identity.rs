//! Servers that speak TLS, and who vouches for them.

use std::fs;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;

use super::Way;

/// An authority that a way trusts.
pub(super) struct Authority {
    params: CertificateParams,
    key: KeyPair,
    folder: TempDir,
}

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = params(&[], [2020, 2040]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "authority");
        let (key, folder) = (KeyPair::generate().unwrap(), tempfile::tempdir().unwrap());
        fs::write(folder.path().join("ca.der"), params.self_signed(&key).unwrap().der()).unwrap();
        Self { params, key, folder }
    }

    /// A way that trusts it.
    pub(super) fn way(&self) -> Way {
        Way { extra_ca_file: Some(self.folder.path().join("ca.der")), ..Way::default() }
    }

    /// A server of these names that it vouches for over these years.
    pub(super) fn server(&self, names: &[&str], years: [i32; 2]) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = params(names, years).signed_by(&key, &issuer).unwrap();
        let own = self.params.self_signed(&self.key).unwrap();
        acceptor(vec![certificate.der().clone(), own.der().clone()], &key)
    }
}

/// A server of these names that nobody vouches for.
pub(super) fn self_signed(names: &[&str], years: [i32; 2]) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let certificate = params(names, years).self_signed(&key).unwrap();
    acceptor(vec![certificate.der().clone()], &key)
}

fn params(names: &[&str], years: [i32; 2]) -> CertificateParams {
    let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
    [params.not_before, params.not_after] = years.map(|year| date_time_ymd(year, 1, 1));
    params
}

/// Would rather speak HTTP/2, if it were asked for.
fn acceptor(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}
