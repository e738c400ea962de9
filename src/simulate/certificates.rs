//! The authority that signs for all servers, made at the start or kept in a folder, and what it has signed.

use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType,
    date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::folder;

/// The most certificates that are kept; one for another name is made anew each time.
const KEPT: usize = 100;

/// The authority's certificate, for whom asks to trust.
pub(super) const CA_FILE: &str = "ca.pem";

/// Its key.
const KEY_FILE: &str = "ca.key";

const DAY: Duration = Duration::from_hours(24);

/// What a certificate is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// As it should be.
    Good,
    /// Of an authority that nobody knows.
    Untrusted,
    /// No longer valid.
    Expired,
}

/// All that is needed to speak TLS as any server.
pub(super) struct Certificates {
    authority: Authority,
    stranger: Authority,
    kept: Mutex<HashMap<(String, Kind), Arc<ServerConfig>>>,
}

struct Authority {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Certificates {
    /// With the authority of a folder, which is made where it is not there yet; without a folder, with a new one.
    ///
    /// # Errors
    /// When the folder cannot be used, or what is in it is no key.
    pub(super) fn new(folder: Option<&Path>) -> anyhow::Result<Self> {
        let key = match folder {
            Some(folder) => kept_key(folder)?,
            None => new_key()?,
        };
        let authority = Authority::new("Simulated marketplaces", key)?;
        if let Some(folder) = folder {
            // Its dates are new each time; who trusts an older one trusts this one, since name and key are the same.
            folder::replace(&folder.join(CA_FILE), &authority.pem())?;
        }
        let stranger = Authority::new("An authority that nobody knows", new_key()?)?;
        Ok(Self { authority, stranger, kept: Mutex::default() })
    }

    /// The authority's certificate, for whom is to trust it.
    pub(super) fn pem(&self) -> String {
        self.authority.pem()
    }

    /// What TLS starts from as the server of this name; without one, as this machine.
    ///
    /// # Errors
    /// When the name cannot be in a certificate.
    pub(super) fn server(&self, name: Option<&str>, kind: Kind) -> anyhow::Result<Arc<ServerConfig>> {
        let key = (name.unwrap_or_default().to_owned(), kind);
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = kept().get(&key) {
            return Ok(config.clone());
        }
        let names = name.map_or_else(|| vec!["localhost", "127.0.0.1", "::1"], |name| vec![name]);
        let config = Arc::new(self.sign(&names, kind).context("making a certificate")?);
        let mut kept = kept();
        if kept.len() < KEPT {
            kept.insert(key, config.clone());
        }
        Ok(config)
    }

    fn sign(&self, names: &[&str], kind: Kind) -> anyhow::Result<ServerConfig> {
        let mut params = CertificateParams::default();
        params.distinguished_name = named(names.first().copied().unwrap_or_default());
        params.subject_alt_names = names.iter().map(|name| alternative(name)).collect::<anyhow::Result<_>>()?;
        let now = SystemTime::now();
        let (from, until) = match kind {
            Kind::Good | Kind::Untrusted => (now - DAY, now + 90 * DAY),
            Kind::Expired => (now - 30 * DAY, now - DAY),
        };
        [params.not_before, params.not_after] =
            [since_1970(from)?, since_1970(until)?].map(|at| date_time_ymd(1970, 1, 1) + at);
        let signer = if kind == Kind::Untrusted { &self.stranger } else { &self.authority };
        let key = new_key()?;
        let chain = vec![params.signed_by(&key, &signer.issuer)?.der().clone(), signer.certificate.clone()];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

impl Authority {
    fn new(name: &str, key: KeyPair) -> anyhow::Result<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name = named(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let now = SystemTime::now();
        let years = [since_1970(now - DAY)?, since_1970(now + 3_650 * DAY)?];
        [params.not_before, params.not_after] = years.map(|at| date_time_ymd(1970, 1, 1) + at);
        let certificate = params.self_signed(&key).context("making an authority")?.der().clone();
        Ok(Self { certificate, issuer: Issuer::new(params, key) })
    }

    fn pem(&self) -> String {
        pem("CERTIFICATE", &self.certificate)
    }
}

fn new_key() -> anyhow::Result<KeyPair> {
    KeyPair::generate().context("making a key")
}

/// The authority's key of a folder.
fn kept_key(folder: &Path) -> anyhow::Result<KeyPair> {
    folder::make(folder)?;
    let file = folder.join(KEY_FILE);
    match fs::symlink_metadata(&file) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let key = new_key()?;
            folder::keep(&file, &pem("PRIVATE KEY", &key.serialize_der()))?;
            Ok(key)
        }
        _ => {
            let key = crate::tls::private_key(&file).map_err(|failure| anyhow!("{failure}"))?;
            let hint = || format!("{} is no key of ours\n  hint: remove it, or name another --folder", file.display());
            KeyPair::try_from(&key).with_context(hint)
        }
    }
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn alternative(name: &str) -> anyhow::Result<SanType> {
    match name.parse() {
        Ok(address) => Ok(SanType::IpAddress(address)),
        Err(_) => Ok(SanType::DnsName(name.try_into()?)),
    }
}

fn since_1970(time: SystemTime) -> anyhow::Result<Duration> {
    time.duration_since(SystemTime::UNIX_EPOCH).context("reading the clock")
}

/// Text of a binary thing (RFC 7468).
fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_of_a_folder_outlives_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("simulated");
        let key = |certificates: &Certificates| certificates.authority.issuer.key().serialize_der();
        let first = Certificates::new(Some(&path)).unwrap();
        let second = Certificates::new(Some(&path)).unwrap();
        assert_eq!(key(&first), key(&second));
        let written = crate::tls::certificates(&path.join(CA_FILE)).unwrap();
        assert_eq!(written, std::slice::from_ref(&second.authority.certificate));
        assert_ne!(key(&first), key(&Certificates::new(None).unwrap()));
    }

    #[test]
    fn names_without_end_fill_no_memory() {
        let certificates = Certificates::new(None).unwrap();
        for number in 0..KEPT + 2 {
            certificates.server(Some(&format!("{number}.example")), Kind::Good).unwrap();
        }
        assert_eq!(certificates.kept.lock().unwrap().len(), KEPT);
        assert!(certificates.server(Some("ä b"), Kind::Good).is_err());
    }
}
