//! The way to the shop's own name, as a visitor has it: one connection at a time, five seconds for each.
//!
//! For pages any certificate is taken, and whatever it is signed with: nothing is sent that is worth anything, and what a
//! page's header says is to be known also while the certificate is bad, which is judged by itself.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{HOST, USER_AGENT};
use hyper::http::response::Parts;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme, SupportedProtocolVersion};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use url::Url;

use super::agent::agent;
use crate::collector::{Failure, Reason};
use crate::collectors::security::config::Config;
use crate::collectors::security::verdict::{Cause, Known, Unknown};
use crate::net::connect::{Family, Unreached, reach, resolve};
use crate::net::detours::Detours;
use crate::net::http::{broken, carried};
use crate::net::threads::Threads;
use crate::tls::server_name;
use crate::tls::trust::Trust;

/// How long an answer may take, all of it.
const PATIENCE: Duration = Duration::from_secs(5);

/// The most bytes of an answer's header.
const HEADER_BYTES: usize = 64 << 10;

/// Somebody who visits the shop.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    /// The shop by HTTPS, with a path that ends in a slash.
    pub(super) home: Url,
    /// The same by HTTP.
    pub(super) plain: Url,
    /// Whom to trust beside those whom the system does.
    ca_file: Option<PathBuf>,
    detours: Detours,
    threads: Threads,
    /// How long one answer may take, all of it.
    patience: Duration,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Missed {
    /// Nobody listens there.
    Closed(Unknown),
    /// Anything else.
    Unknown(Unknown),
}

impl Missed {
    /// The same for whom a closed port is as good as any other reason.
    pub(super) fn unknown(self) -> Unknown {
        match self {
            Self::Closed(unknown) | Self::Unknown(unknown) => unknown,
        }
    }
}

/// Whether several questions in a row were met by silence: whoever asks on waits as long for each, and learns nothing.
#[derive(Debug, Default)]
pub(super) struct Silence(Option<Unknown>, usize);

impl Silence {
    /// After how many questions nobody is asked any more.
    const QUESTIONS: usize = 2;

    /// Notes what came of a question.
    pub(super) fn note<T>(&mut self, told: Known<T>) -> Known<T> {
        match told.as_ref().err().filter(|unknown| unknown.cause == Cause::Timeout) {
            Some(unknown) => *self = Self(Some(unknown.clone()), self.1 + 1),
            None => *self = Self::default(),
        }
        told
    }

    /// Whether it lasts.
    pub(super) fn lasts(&self) -> bool {
        self.1 >= Self::QUESTIONS
    }

    /// What comes of a question: it is asked unless the silence lasts.
    pub(super) async fn unless<T>(&mut self, ask: impl Future<Output = Known<T>>) -> Known<T> {
        match &self.0 {
            Some(unknown) if self.lasts() => Err(unknown.clone()),
            _ => {
                let told = ask.await;
                self.note(told)
            }
        }
    }
}

impl From<Failure> for Missed {
    fn from(failure: Failure) -> Self {
        Self::Unknown(unknown(&failure))
    }
}

impl Visitor {
    /// A visitor of the shop that is configured.
    ///
    /// # Errors
    /// `not_configured` without the shop's address.
    pub(crate) fn of(config: &Config) -> Known<Self> {
        let none = || Unknown::new(Cause::NotConfigured, "the shop's address is not configured");
        let url = &config.url.as_ref().ok_or_else(none)?.0;
        let mut base = url.clone();
        base.set_query(None);
        base.set_fragment(None);
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", url.path()));
        }
        // A port that is written down is that of the scheme beside it; the other has its usual one.
        let by = |scheme: &str| {
            let mut by = base.clone();
            if by.scheme() != scheme {
                by.set_scheme(scheme).map_err(|()| none())?;
                by.set_port(None).map_err(|()| none())?;
            }
            Ok(by)
        };
        Ok(Self {
            home: by("https")?,
            plain: by("http")?,
            ca_file: config.ca_file.clone(),
            detours: config.resolve.clone(),
            threads: Threads::default(),
            patience: PATIENCE,
        })
    }

    /// The same of another server, by its address as it is.
    pub(super) fn to(url: &Url) -> Self {
        let (home, plain) = (url.clone(), url.clone());
        Self {
            home,
            plain,
            ca_file: None,
            detours: Detours::default(),
            threads: Threads::default(),
            patience: PATIENCE,
        }
    }

    /// The shop's host, as people write it.
    pub(super) fn host(&self) -> &str {
        self.home.host_str().unwrap_or_default()
    }

    /// Its name, as TLS asks for it.
    pub(super) fn name(&self) -> Result<ServerName<'static>, Failure> {
        server_name(None, self.host().trim_start_matches('[').trim_end_matches(']'))
    }

    /// When an answer that is asked for now must be there.
    pub(super) fn until(&self) -> Instant {
        Instant::now() + self.patience
    }

    /// That it is not.
    pub(super) fn late(&self, doing: &str) -> Missed {
        Missed::Unknown(Unknown::new(Cause::Timeout, format!("{doing}: not done within {:?}", self.patience)))
    }

    /// The same with less patience.
    #[cfg(test)]
    pub(super) fn within(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// A connection to where this address leads.
    pub(super) async fn connect(&self, url: &Url, until: Instant) -> Result<TcpStream, Missed> {
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or_default();
        let addresses = if let Some(address) = self.detours.0.get(&format!("{host}:{port}")) {
            vec![*address]
        } else {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            let found = resolve(host, port, Family::Any, &self.threads);
            timeout_at(until, found).await.map_err(|_| self.late("looking up its name"))??
        };
        match reach(&addresses, until).await {
            Ok((stream, _)) => Ok(stream),
            Err(Unreached { failure, is_refused: true }) => Err(Missed::Closed(unknown(&failure))),
            Err(Unreached { failure, .. }) => Err(failure.into()),
        }
    }

    /// The head of the answer to this request, and no more than `limit` bytes of its body.
    pub(super) async fn ask(
        &self,
        url: &Url,
        build: impl FnOnce(hyper::http::request::Builder) -> hyper::http::Result<Request<Full<Bytes>>>,
        limit: usize,
    ) -> Result<(Parts, Vec<u8>), Missed> {
        let until = self.until();
        let stream = self.connect(url, until).await?;
        let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
        let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let builder = Request::builder().uri(path).header(HOST, authority).header(USER_AGENT, agent());
        let request = build(builder).map_err(|error| Failure::new(Reason::Bug, error))?;
        let answer = async {
            if url.scheme() != "https" {
                return converse(stream, request, limit, until).await;
            }
            let client = anybody(&[&rustls::version::TLS13, &rustls::version::TLS12])?;
            let agreed = TlsConnector::from(Arc::new(client)).connect(self.name()?, stream).await;
            let stream = agreed.map_err(|error| Failure::new(Reason::Tls, error).context("agreeing on TLS"))?;
            converse(stream, request, limit, until).await
        };
        timeout_at(until, answer).await.map_err(|_| self.late("waiting for the answer"))?.map_err(Missed::from)
    }

    /// Who is trusted; reading that blocks.
    pub(super) async fn trust(&self) -> Result<Trust, Failure> {
        let file = self.ca_file.clone();
        let load = move || {
            let trust = Trust::load(&crate::tls::Settings::default())?;
            match &file {
                Some(file) => trust.and(file),
                None => Ok(trust),
            }
        };
        self.threads.run(load).await?
    }
}

async fn converse<S>(
    stream: S,
    request: Request<Full<Bytes>>,
    limit: usize,
    until: Instant,
) -> Result<(Parts, Vec<u8>), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let builder = http1::Builder::new().max_buf_size(HEADER_BYTES).handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = builder.map_err(|error| broken(&error))?;
    let exchange = async {
        let response: Response<Incoming> = sender.send_request(request).await.map_err(|error| broken(&error))?;
        let (head, body) = response.into_parts();
        // A body that does not come takes nothing from what the head has said.
        let half = Instant::now() + until.saturating_duration_since(Instant::now()) / 2;
        let first = timeout_at(half, beginning(body, limit)).await.unwrap_or_default();
        Ok::<_, Failure>((head, first))
    };
    carried(exchange, connection).await
}

/// The first bytes of a body; the rest is not read.
async fn beginning(mut body: Incoming, limit: usize) -> Vec<u8> {
    let mut first = Vec::new();
    while first.len() < limit
        && let Some(Ok(frame)) = body.frame().await
    {
        let Some(data) = frame.data_ref() else { continue };
        first.extend_from_slice(&data[..data.len().min(limit - first.len())]);
    }
    first
}

/// What is not known because of a failure.
pub(super) fn unknown(failure: &Failure) -> Unknown {
    let cause = match failure.reason {
        Reason::Timeout => Cause::Timeout,
        Reason::Permission => Cause::Permission,
        Reason::Protocol | Reason::Limit => Cause::Unparsable,
        Reason::Tls => Cause::Unsupported,
        _ => Cause::Unreachable,
    };
    Unknown::new(cause, failure.to_string())
}

/// A client that speaks these versions to anybody.
pub(super) fn anybody(versions: &[&'static SupportedProtocolVersion]) -> Result<ClientConfig, Failure> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut client = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(|error| Failure::new(Reason::Bug, error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody))
        .with_no_client_auth();
    client.alpn_protocols = vec![b"http/1.1".to_vec()];
    client.resumption = Resumption::disabled();
    Ok(client)
}

/// Takes whatever a server shows.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        use SignatureScheme as Scheme;
        vec![
            Scheme::ECDSA_NISTP256_SHA256,
            Scheme::ECDSA_NISTP384_SHA384,
            Scheme::ECDSA_NISTP521_SHA512,
            Scheme::ED25519,
            Scheme::ED448,
            Scheme::RSA_PSS_SHA256,
            Scheme::RSA_PSS_SHA384,
            Scheme::RSA_PSS_SHA512,
            Scheme::RSA_PKCS1_SHA256,
            Scheme::RSA_PKCS1_SHA384,
            Scheme::RSA_PKCS1_SHA512,
            Scheme::RSA_PKCS1_SHA1,
            Scheme::ECDSA_SHA1_Legacy,
        ]
    }
}
