//! A probe of a port that speaks TLS, and the handshake that it shares with pages.

use std::net::SocketAddr;

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::client::TlsStream;

use super::connect::{Family, connect};
use super::encryption::{Encryption, server_name};
use super::ending::Trouble;
use super::findings::Findings;
use super::tcp::Place;
use super::tls::handshake::handshake;
use super::tls::trust::Trust;
use crate::collector::Failure;
use crate::tls::Settings;

/// A port that speaks TLS.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct EncryptedPort {
    pub(super) place: Place,
    pub(super) ip: Family,
    pub(super) encryption: Encryption,
}

impl EncryptedPort {
    /// Connects, agrees on TLS, and hangs up.
    pub(super) async fn probe(&self, found: &mut Findings, deadline: Instant) -> Result<(), Trouble> {
        let Place { host, port } = &self.place;
        let addresses = found.resolve(host, *port, self.ip).await?;
        let (stream, address) = connect(&addresses, deadline).await?;
        found.reached(address.ip());
        let name = server_name(self.encryption.settings.server_name.as_deref(), host)?;
        found.encrypted = Some(Encrypted { address, name: name.clone() });
        let agreed = agree(stream, address, &name, &[], &self.encryption.settings, found).await;
        agreed.map(drop).map_err(|trouble| trouble.context(format!("agreeing on TLS with {}", self.place)))
    }
}

/// Who speaks TLS at an address, for who has more to ask.
#[derive(Clone, Debug)]
pub(super) struct Encrypted {
    pub(super) address: SocketAddr,
    pub(super) name: ServerName<'static>,
}

/// Agrees on TLS with a server whose certificate is good enough; what it showed is known also when it is not.
///
/// Says whether HTTP/2 was agreed on.
pub(super) async fn agree(
    stream: TcpStream,
    address: SocketAddr,
    name: &ServerName<'static>,
    alpn: &[&[u8]],
    settings: &Settings,
    found: &mut Findings,
) -> Result<(TlsStream<TcpStream>, bool), Trouble> {
    found.doing("agreeing on TLS");
    let trust = Trust::load(settings).map_err(Trouble::local)?;
    match handshake(stream, name, alpn, &trust).await {
        Ok((stream, inspection)) => {
            let judged = trust.judge(&inspection);
            let http2 = inspection.session.as_ref().is_some_and(|session| session.alpn.as_deref() == Some(b"h2"));
            found.inspection = Some(inspection);
            judged?;
            Ok((stream, http2))
        }
        Err(refusal) => {
            let dial = async || TcpStream::connect(address).await.map_err(Failure::io);
            let refusal = refusal.look_closer(dial, name, &trust).await;
            found.inspection = refusal.inspection;
            Err(refusal.failure.into())
        }
    }
}
