//! A closer look at a server of before TLS 1.3: what it agrees to, and what its certificate is if it knows nothing better.

use rustls::pki_types::{ServerName, UnixTime};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, timeout_at};

use super::examine::examine;
use super::flight::{Answer, Wanted, read};
use super::handshake::Refusal;
use super::hello::{Hello, Version};
use super::inspection::{Inspection, Session};
use super::suites;
use super::trust::Trust;
use crate::collector::{Failure, Reason};

/// What a server answers to the first message of a client that knows no version newer than this, and these suites.
///
/// # Errors
/// `protocol` when it is not TLS, and what reading and writing gives.
pub(crate) async fn ask<S>(
    stream: &mut S,
    version: Version,
    suites: &[u16],
    name: &ServerName<'_>,
) -> Result<Answer, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    say_hello(stream, version, suites, name).await?;
    read(stream, Wanted::Choice).await
}

impl Refusal {
    /// Asks once more, on a new connection, as the clients of old did: what speaks no version that we trust has a
    /// certificate that visitors see, too. The failure then says which version it is.
    ///
    /// Does nothing, and connects nowhere, when the server was not too old for us; and gives up at a time, before which
    /// such a server has answered.
    #[must_use]
    pub async fn look_closer<S, D, F>(self, dial: D, name: &ServerName<'_>, trust: &Trust, until: Instant) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin,
        D: FnOnce() -> F,
        F: Future<Output = Result<S, Failure>>,
    {
        if !self.is_maybe_old || self.inspection.is_some() {
            return self;
        }
        // The second look is a favour: what it finds out is told, and when it finds nothing the first failure stands.
        let look = async { inspect(&mut dial().await?, name, trust).await };
        let Ok(Ok(inspection)) = timeout_at(until, look).await else { return self };
        let agreed = inspection.session.as_ref().map(|session| format!("{} with {}", session.version, session.cipher));
        let failure = self.failure.context(format!(
            "the server agrees only to {}, which is out of date",
            agreed.as_deref().unwrap_or("an older version")
        ));
        Self { failure, inspection: Some(inspection), is_maybe_old: false }
    }
}

/// Reads the certificates of a server that speaks nothing newer than TLS 1.2, and examines them as those of `name`.
///
/// Whether it holds their key is not asked: for looking at, never for anything else.
///
/// # Errors
/// `tls` when it refuses this too, or shows no certificate; those of [`read`].
async fn inspect<S>(stream: &mut S, name: &ServerName<'_>, trust: &Trust) -> Result<Inspection, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let suites: Vec<_> = suites::before_1_3().collect();
    say_hello(stream, Version::Tls12, &suites, name).await?;
    let flight = match read(stream, Wanted::Certificates).await? {
        Answer::Agreed(flight) => flight,
        Answer::Refused(alert) => {
            return Err(Failure::message(Reason::Tls, format!("the server refuses with alert {alert}")));
        }
    };
    let Some(sent) = flight.certificates else {
        return Err(Failure::message(Reason::Tls, "the server shows no certificate"));
    };
    let certificates = examine(&sent, name, &trust.roots, &trust.provider, UnixTime::now());
    let session = Session {
        version: suites::version(flight.version),
        cipher: suites::name(flight.suite),
        group: None,
        alpn: None,
    };
    Ok(Inspection { session: Some(session), certificates })
}

/// Sends the first message of a client that knows no version newer than this, and these suites.
pub(crate) async fn say_hello<S>(
    stream: &mut S,
    version: Version,
    suites: &[u16],
    name: &ServerName<'_>,
) -> Result<(), Failure>
where
    S: AsyncWrite + Unpin,
{
    let host = match name {
        ServerName::DnsName(host) => Some(host.as_ref()),
        // Addresses are not for this field (RFC 6066, section 3).
        _ => None,
    };
    let hello = Hello { version, suites, host }.encode()?;
    stream.write_all(&hello).await.map_err(Failure::io)
}
