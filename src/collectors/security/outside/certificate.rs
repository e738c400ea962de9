//! A look at the certificate that visitors are shown, good or bad.

use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout_at};

use super::encryption::{Flaw, Leaf, Shown};
use super::visitor::{Missed, Visitor, unknown};
use crate::collector::{Failure, Reason};
use crate::collectors::security::verdict::{Cause, Known, Unknown};
use crate::tls::certificate::shown;
use crate::tls::handshake::{NO_TLS, Refusal, handshake};
use crate::tls::inspection::Inspection;
use crate::tls::trust::Trust;

/// What is said of a server that hangs up: one that is too busy to answer, or is being restarted, does so too.
const HUNG_UP: &str = "the server hangs up before it shows a certificate";

/// How long to wait before another look at who hung up.
const PAUSE: Duration = Duration::from_secs(1);

/// Looks at the certificate, at most once an hour: one handshake, and another where the server knows no version that is
/// still in use. Who hangs up is looked at once more, a second later.
pub(crate) async fn look_at_certificate(visitor: &Visitor) -> Known<Shown> {
    match look_once(visitor).await {
        Err(unknown) if is_hang_up(&unknown) => {
            sleep(PAUSE).await;
            look_once(visitor).await
        }
        looked => looked,
    }
}

/// Whether it is that the server hung up, and not that nobody is there.
pub(super) fn is_hang_up(unknown: &Unknown) -> bool {
    unknown.why.starts_with(HUNG_UP)
}

async fn look_once(visitor: &Visitor) -> Known<Shown> {
    let until = visitor.until();
    let look = async {
        let name = visitor.name()?;
        // What cannot be read here is our fault, not the shop's.
        let trust = visitor.trust().await?;
        let stream = visitor.connect(&visitor.home, until).await?;
        look(visitor, stream, &name, &trust, until).await
    };
    timeout_at(until, look).await.unwrap_or_else(|_| Err(visitor.late("agreeing on TLS"))).map_err(Missed::unknown)
}

async fn look(
    visitor: &Visitor,
    stream: TcpStream,
    name: &ServerName<'static>,
    trust: &Trust,
    until: Instant,
) -> Result<Shown, Missed> {
    let refusal = match handshake(stream, name, &[b"http/1.1"], trust).await {
        Ok((_, inspection)) => return Ok(Shown::of(Some(inspection), None)),
        Err(refusal) => refusal,
    };
    let dial = async || {
        let dialled = visitor.connect(&visitor.home, until).await;
        dialled.map_err(|missed| Failure::message(Reason::Connect, missed.unknown().why))
    };
    let Refusal { failure, inspection, .. } = refusal.look_closer(dial, name, trust, until).await;
    match failure.reason {
        // Of a stream that was open these are its end, in whatever way.
        Reason::Protocol | Reason::Connect if inspection.is_none() => {
            Err(Missed::Unknown(Unknown::new(Cause::Unreachable, format!("{HUNG_UP}: {failure}"))))
        }
        Reason::Timeout | Reason::Connect | Reason::Permission | Reason::Bug => Err(Missed::Unknown(unknown(&failure))),
        _ => Ok(Shown::of(inspection, Some(&failure))),
    }
}

impl Shown {
    fn of(inspection: Option<Inspection>, failure: Option<&Failure>) -> Self {
        let failure = failure.map(|failure| shown(&failure.to_string()));
        let is_tls = failure.as_deref() != Some(NO_TLS);
        let (leaf, flaws) = inspection.map_or((None, Vec::new()), |inspection| {
            let found = inspection.certificates;
            let leaf = found.chain.first().map(|leaf| Leaf {
                not_before: leaf.not_before,
                not_after: leaf.not_after,
                key: leaf.key.kind.to_owned(),
                bits: leaf.key.bits,
                signature: leaf.signature.to_owned(),
            });
            let flaw = |problem: &crate::tls::problem::Problem| Flaw {
                word: problem.word().to_owned(),
                text: problem.to_string(),
            };
            (leaf, found.problems.iter().map(flaw).collect())
        });
        Self { is_tls, failure, leaf, flaws }
    }
}
