//! `vitrin health`: whether a running Vitrin answers, for container health checks.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};

use super::serve::addresses;
use crate::server::Web;

/// How long connecting, asking and answering may take, each.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the answer of a healthy Vitrin starts with; it asks those for a password whom it does not know, and keeps to its
/// rate limit.
const HEALTHY: [&[u8]; 3] = [b"HTTP/1.1 200 ", b"HTTP/1.1 401 ", b"HTTP/1.1 429 "];

/// Ask the Vitrin that listens at --web.listen-address whether it is alive.
///
/// With --web.config.file it is asked over TLS, and must show the certificate that stands there. It need not let us in: one that asks for a password or a client's certificate is alive.
/// The exit code is 0 when it is, 1 when not.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(listen_address: &str, web: Option<&Path>, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let certificate = match web {
        Some(file) => Web::load(file)?.certificate(),
        None => None,
    };
    let addresses = addresses(listen_address).with_context(|| format!("--web.listen-address: `{listen_address}`"))?;
    let address = reachable(addresses.first().copied().context("the name has no address")?);
    let scheme = if certificate.is_some() { "https" } else { "http" };
    match ask(address, certificate) {
        Ok(true) => {
            writeln!(out, "Vitrin at {scheme}://{address} is alive.")?;
            return Ok(ExitCode::SUCCESS);
        }
        Ok(false) => writeln!(out, "What listens at {scheme}://{address} is no healthy Vitrin.")?,
        Err(error) => writeln!(out, "No answer from {scheme}://{address}: {error}")?,
    }
    Ok(ExitCode::FAILURE)
}

/// What listens on all addresses is asked on loopback.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

fn ask(address: SocketAddr, certificate: Option<CertificateDer<'static>>) -> std::io::Result<bool> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let Some(certificate) = certificate else { return answers(stream) };
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(std::io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Ours { certificate, provider }))
        .with_no_client_auth();
    let client = ClientConnection::new(Arc::new(config), address.ip().into()).map_err(std::io::Error::other)?;
    let mut stream = StreamOwned::new(client, stream);
    answers(&mut stream).or_else(|error| {
        let refusal = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
        match refusal {
            // It has shown its certificate, and wants one of ours.
            Some(rustls::Error::AlertReceived(
                rustls::AlertDescription::CertificateRequired | rustls::AlertDescription::HandshakeFailure,
            )) if stream.conn.peer_certificates().is_some() => Ok(true),
            _ => Err(error),
        }
    })
}

fn answers(mut stream: impl Read + Write) -> std::io::Result<bool> {
    stream.write_all(b"GET /-/healthy HTTP/1.1\r\nHost: vitrin\r\nConnection: close\r\n\r\n")?;
    let mut answer = [0; HEALTHY[0].len()];
    stream.read_exact(&mut answer)?;
    Ok(HEALTHY.contains(&answer.as_slice()))
}

/// Trusts one certificate: the one of the web configuration, whatever name it is for and whoever signed it.
#[derive(Debug)]
struct Ours {
    certificate: CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Ours {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if *certificate == self.certificate {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(rustls::Error::General("it shows another certificate than the web configuration".to_owned()))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
