//! A probe of a port that speaks TLS, and the handshake that it shares with pages.

use std::net::SocketAddr;

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::client::TlsStream;

use super::encryption::Encryption;
use super::ending::Trouble;
use super::findings::Findings;
use super::tcp::Place;
use crate::collector::{Context, Failure};
use crate::net::connect::{Family, connect};
use crate::tls::handshake::handshake;
use crate::tls::trust::Trust;
use crate::tls::{Settings, server_name};

/// A port that speaks TLS.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct EncryptedPort {
    pub(super) place: Place,
    pub(super) ip: Family,
    pub(super) encryption: Encryption,
}

impl EncryptedPort {
    /// Connects, agrees on TLS, and hangs up.
    pub(super) async fn probe(&self, found: &mut Findings, means: &Means<'_>) -> Result<(), Trouble> {
        let Place { host, port } = &self.place;
        let addresses = found.resolve(host, *port, self.ip).await?;
        let (stream, address) = connect(&addresses, means.deadline).await?;
        found.reached(address.ip());
        let name = server_name(self.encryption.settings.server_name.as_deref(), host)?;
        found.encrypted = Some(Encrypted { address, name: name.clone() });
        let trust = means.trust(&self.encryption.settings)?;
        let agreed = agree(stream, address, &name, &[], &trust, means.deadline, found).await;
        agreed.map(drop).map_err(|trouble| trouble.context(format!("agreeing on TLS with {}", self.place)))
    }
}

/// What a probe goes out with.
pub(super) struct Means<'a> {
    /// When it must be done.
    pub(super) deadline: Instant,
    /// What collectors share.
    pub(super) context: &'a Context,
    /// Who the server that was configured is trusted by, where that was known to be needed; read before the clock runs.
    pub(super) trust: Option<Trust>,
}

impl Means<'_> {
    /// Who is trusted under these settings of the target's own, or of a stranger's.
    pub(super) fn trust(&self, settings: &Settings) -> Result<Trust, Trouble> {
        match &self.trust {
            Some(trust) if trust.is_of(settings) => Ok(trust.clone()),
            _ => Trust::load(settings).map_err(Trouble::local),
        }
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
    trust: &Trust,
    deadline: Instant,
    found: &mut Findings,
) -> Result<(TlsStream<TcpStream>, bool), Trouble> {
    found.doing("agreeing on TLS");
    match handshake(stream, name, alpn, trust).await {
        Ok((stream, inspection)) => {
            let judged = trust.judge(&inspection);
            let http2 = inspection.session.as_ref().is_some_and(|session| session.alpn.as_deref() == Some(b"h2"));
            found.inspection = Some(inspection);
            judged?;
            Ok((stream, http2))
        }
        Err(refusal) => {
            let dial = async || TcpStream::connect(address).await.map_err(Failure::io);
            // Half of what is left, so that a server that then falls silent is told by what it did first.
            let until = Instant::now() + deadline.saturating_duration_since(Instant::now()) / 2;
            let refusal = refusal.look_closer(dial, name, trust, until).await;
            found.inspection = refusal.inspection;
            Err(refusal.failure.into())
        }
    }
}
