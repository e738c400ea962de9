//! Who is trusted, and who we are.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::Resumption;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, TrustAnchor};
use rustls::{ClientConfig, SupportedProtocolVersion};
use tokio::time::Instant;

use super::inspection::Inspection;
use crate::collector::{Failure, Reason};
use crate::tls::certificate::Certificate;
use crate::tls::{Settings, certificates};

/// How long the system's authorities are remembered: reading them takes some milliseconds, and they change with an
/// upgrade of the system.
const SYSTEM: Duration = Duration::from_hours(1);

/// The versions that rustls speaks.
static VERSIONS: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];

/// Who is trusted, and who we are: what a target's `tls = { … }` says, with its files read.
#[derive(Clone, Debug)]
pub struct Trust {
    pub(crate) roots: Arc<Roots>,
    pub(crate) provider: Arc<CryptoProvider>,
    settings: Settings,
}

/// The authorities that are trusted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roots {
    /// As path building wants them.
    pub(crate) anchors: Vec<TrustAnchor<'static>>,
    /// From and until when each is valid, in seconds since 1970, in the same order.
    validity: Vec<(i64, i64)>,
}

impl Trust {
    /// Reads what the settings name: `ca_file` each time, what the system trusts at most once an hour.
    ///
    /// A machine that trusts nobody, since it has no `ca-certificates`, trusts whom Mozilla does.
    ///
    /// # Errors
    /// `permission`, `limit` or `tls` when `ca_file` cannot be read, or names no authority.
    pub fn load(settings: &Settings) -> Result<Self, Failure> {
        let roots = match &settings.ca_file {
            Some(file) => Arc::new(Roots::of_file(file, &settings.authorities()?)?),
            None => system(settings)?,
        };
        Ok(Self { roots, provider: Arc::new(rustls::crypto::ring::default_provider()), settings: settings.clone() })
    }

    /// Trusts those, too, whom a file names; it is read each time.
    ///
    /// # Errors
    /// As those of [`load`](Self::load).
    pub fn and(self, file: &Path) -> Result<Self, Failure> {
        let more = Roots::of_file(file, &certificates(file)?)?;
        let mut roots = Arc::unwrap_or_clone(self.roots);
        roots.anchors.extend(more.anchors);
        roots.validity.extend(more.validity);
        Ok(Self { roots: Arc::new(roots), ..self })
    }

    /// Whether it is what these settings say.
    pub(crate) fn is_of(&self, settings: &Settings) -> bool {
        self.settings == *settings
    }

    /// Whether a server with such a certificate is good enough: `insecure` takes any.
    ///
    /// # Errors
    /// `tls`, with all that is wrong with the certificate.
    pub fn judge(&self, inspection: &Inspection) -> Result<(), Failure> {
        if self.settings.insecure { Ok(()) } else { inspection.check() }
    }

    /// What rustls is told: to ask our verifier, to start anew each time, and to offer these protocols inside.
    pub(crate) fn client(
        &self,
        verifier: Arc<dyn ServerCertVerifier>,
        alpn: &[&[u8]],
    ) -> Result<ClientConfig, Failure> {
        let builder = ClientConfig::builder_with_provider(self.provider.clone())
            .with_protocol_versions(VERSIONS)
            .map_err(|error| Failure::new(Reason::Bug, error))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut client = self.settings.identify(builder)?;
        client.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        client.resumption = Resumption::disabled();
        Ok(client)
    }
}

impl Roots {
    /// Those among the certificates that can be read.
    pub(crate) fn of(certificates: &[CertificateDer<'_>]) -> Self {
        let mut roots = Self::default();
        for der in certificates {
            let (Ok(anchor), Some(certificate)) = (webpki::anchor_from_trusted_cert(der), Certificate::read(der))
            else {
                continue;
            };
            roots.anchors.push(anchor.to_owned());
            roots.validity.push((certificate.not_before, certificate.not_after));
        }
        roots
    }

    /// The same for those of a file, which names somebody.
    fn of_file(file: &Path, certificates: &[CertificateDer<'_>]) -> Result<Self, Failure> {
        let roots = Self::of(certificates);
        if roots.anchors.is_empty() {
            let message = format!("{} holds no authority's certificate", file.display());
            return Err(Failure::message(Reason::Tls, message));
        }
        Ok(roots)
    }

    /// Mozilla's, as they were when this program was built; until when they are valid is not among what is known.
    fn built_in() -> Self {
        let anchors = webpki_roots::TLS_SERVER_ROOTS.to_vec();
        Self { validity: vec![(i64::MIN, i64::MAX); anchors.len()], anchors }
    }

    /// From and until when an authority is valid; the anchor is one of ours, by its place in memory.
    pub(crate) fn validity(&self, anchor: &TrustAnchor<'_>) -> (i64, i64) {
        // Not by what it says: two certificates of one authority may differ in their dates alone.
        let at = self.anchors.iter().position(|one| std::ptr::eq::<TrustAnchor<'_>>(one, anchor));
        at.map_or((i64::MIN, i64::MAX), |at| self.validity[at])
    }
}

/// What the system trusts, read by one for all.
fn system(settings: &Settings) -> Result<Arc<Roots>, Failure> {
    static KNOWN: Mutex<Option<(Instant, Arc<Roots>)>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((since, roots)) = &*known
        && since.elapsed() < SYSTEM
    {
        return Ok(roots.clone());
    }
    let roots = Roots::of(&settings.authorities()?);
    let roots = Arc::new(if roots.anchors.is_empty() { Roots::built_in() } else { roots });
    *known = Some((Instant::now(), roots.clone()));
    Ok(roots)
}
