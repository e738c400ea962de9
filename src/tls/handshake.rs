//! A handshake that ends well whatever the certificate, and says everything about it.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{AlertDescription, ClientConnection, DigitallySignedStruct, Error, InvalidMessage, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::examine::{Examined, examine};
use super::inspection::{Inspection, Session};
use super::suites;
use super::trust::Trust;
use crate::collector::{Failure, Reason};

/// What is said of a server that answers, but not by TLS.
pub(crate) const NO_TLS: &str = "the server does not speak TLS on this port: is it plain HTTP?";

/// A handshake that failed, and what was learned before it did.
#[derive(Debug)]
pub struct Refusal {
    /// Why.
    pub failure: Failure,
    /// What was learned all the same: the certificate, when it came before the failure.
    pub inspection: Option<Inspection>,
    /// Whether the server may only be too old, and its certificate be read in clear.
    pub(crate) is_maybe_old: bool,
}

impl Refusal {
    fn new(failure: Failure) -> Self {
        Self { failure, inspection: None, is_maybe_old: false }
    }
}

/// Agrees on TLS with what is at the other end of `stream`, and examines its certificates as those of `name`.
///
/// Has no time limit of its own. Cannot be resumed: each handshake is a full one.
///
/// # Errors
/// `tls` when TLS cannot be agreed on, `limit` when the server's certificates are larger than 64 KiB, `permission` when
/// our own cannot be read, and what reading and writing gives. A bad certificate is no error: see [`Trust::judge`].
pub async fn handshake<S>(
    stream: S,
    name: &ServerName<'static>,
    alpn: &[&[u8]],
    trust: &Trust,
) -> Result<(TlsStream<S>, Inspection), Refusal>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let recorder = Arc::new(Recorder { trust: trust.clone(), seen: Mutex::new(None) });
    let client = trust.client(recorder.clone(), alpn).map_err(Refusal::new)?;
    let connected = TlsConnector::from(Arc::new(client)).connect(name.clone(), stream).await;
    let certificates = recorder.seen.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (connected, certificates) {
        (Ok(stream), Some(certificates)) => {
            let session = Some(session(stream.get_ref().1));
            Ok((stream, Inspection { session, certificates }))
        }
        // No session is resumed and no key shared before, so that a server without a certificate is none of TLS.
        (Ok(_), None) => Err(Refusal::new(Failure::message(Reason::Protocol, "a handshake without a certificate"))),
        (Err(error), certificates) => {
            let inspection = certificates.map(|certificates| Inspection { session: None, certificates });
            let (failure, is_maybe_old) = failure(error);
            Err(Refusal { failure, inspection, is_maybe_old })
        }
    }
}

/// What was agreed on.
fn session(connection: &ClientConnection) -> Session {
    let version = connection.protocol_version().map_or(0, u16::from);
    let suite = connection.negotiated_cipher_suite().map_or(0, |suite| suite.suite().into());
    Session {
        version: suites::version(version),
        cipher: suites::name(suite),
        group: connection.negotiated_key_exchange_group().and_then(|group| group.name().as_str()),
        alpn: connection.alpn_protocol().map(<[u8]>::to_vec),
    }
}

/// Why a handshake failed, and whether that is what a server too old for us does.
fn failure(error: io::Error) -> (Failure, bool) {
    let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) else {
        // Servers of long ago hang up on a version that they have never heard of.
        let hung_up = matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset);
        let failure = Failure::io(error).context("the server hung up during the handshake");
        return (failure, hung_up);
    };
    match tls {
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => (Failure::message(Reason::Tls, NO_TLS), false),
        Error::InvalidMessage(
            InvalidMessage::HandshakePayloadTooLarge | InvalidMessage::CertificatePayloadTooLarge,
        ) => (Failure::message(Reason::Limit, "the server's certificates are larger than 64 KiB"), false),
        Error::PeerIncompatible(_)
        | Error::AlertReceived(
            AlertDescription::ProtocolVersion
            | AlertDescription::HandshakeFailure
            | AlertDescription::InsufficientSecurity
            | AlertDescription::InternalError,
        ) => (Failure::new(Reason::Tls, tls.clone()), true),
        _ => (Failure::new(Reason::Tls, tls.clone()), false),
    }
}

/// A verifier that says yes to every certificate and remembers what is wrong with it. That the server holds its key is
/// checked as ever.
#[derive(Debug)]
struct Recorder {
    trust: Trust,
    seen: Mutex<Option<Examined>>,
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let sent: Vec<_> = std::iter::once(certificate).chain(intermediates).cloned().collect();
        let examined = examine(&sent, name, &self.trust.roots, &self.trust.provider, now);
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(examined);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.trust.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.trust.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.trust.provider.signature_verification_algorithms.supported_schemes()
    }
}
