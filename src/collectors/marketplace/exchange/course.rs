//! An exchange under way, from the name to the last byte.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime};

use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper::{HeaderMap, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout};
use tokio_rustls::client::TlsStream;

use super::arrivals::{Arrivals, Watched};
use super::skew::skew;
use super::{Answer, Exchanged, Fault, Limits, Outgoing, Phase, Question, Way};
use crate::collector::{Failure, Reason};
use crate::collectors::marketplace::result::Outcome;
use crate::net::connect::{connect, resolve};
use crate::net::http::{broken, carried};
use crate::net::phases::Phases;
use crate::tls::handshake::handshake;
use crate::tls::server_name;
use crate::tls::trust::Trust;

/// The least that hyper reads of a header before it gives up.
const LEAST_HEADER: usize = 8 << 10;

/// What is known of an exchange so far, which stays true when it fails.
#[derive(Debug, Default)]
pub(super) struct Course {
    phases: Phases,
    arrivals: Arrivals,
    certificate_expiry: Option<f64>,
    clock_skew: Option<f64>,
}

impl Course {
    /// All of it, unless somebody loses patience.
    pub(super) async fn run(
        &mut self,
        outgoing: Outgoing,
        trust: Option<&Trust>,
        way: &Way,
        deadline: Instant,
    ) -> Result<Answer, Fault> {
        let addresses = self.resolve(&outgoing, way).await?;
        self.phases.begin(Phase::Connect);
        let until = deadline.min(Instant::now() + way.timeouts.connect);
        let connected = connect(&addresses, until).await;
        let (stream, _) = connected.map_err(|failure| Fault::of(Outcome::ConnectError, failure))?;
        self.over(stream, outgoing, trust, way).await
    }

    async fn resolve(&mut self, outgoing: &Outgoing, way: &Way) -> Result<Vec<SocketAddr>, Fault> {
        if let Some(address) = way.resolve.get(&outgoing.place()) {
            return Ok(vec![*address]);
        }
        let host = outgoing.host();
        if host.parse::<IpAddr>().is_err() {
            self.phases.begin(Phase::Resolve);
        }
        let found = resolve(host, outgoing.port(), way.ip, &way.threads).await;
        found.map_err(|failure| Fault::of(Outcome::DnsError, failure))
    }

    /// What is left to do once there is a connection.
    pub(super) async fn over<S>(
        &mut self,
        stream: S,
        outgoing: Outgoing,
        trust: Option<&Trust>,
        way: &Way,
    ) -> Result<Answer, Fault>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Some(trust) = trust else {
            return self.converse(stream, outgoing.request, way.limits).await;
        };
        self.phases.begin(Phase::Tls);
        let stream = self.agree(stream, outgoing.host(), trust, way.timeouts.tls).await?;
        self.converse(stream, outgoing.request, way.limits).await
    }

    async fn agree<S>(
        &mut self,
        stream: S,
        host: &str,
        trust: &Trust,
        patience: Duration,
    ) -> Result<TlsStream<S>, Fault>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let refused = |failure| Fault::of(Outcome::TlsError, failure).context("agreeing on TLS");
        let name = server_name(None, host).map_err(refused)?;
        let ended = timeout(patience, handshake(stream, &name, &[b"http/1.1"], trust)).await;
        let (agreed, inspection) = match ended.map_err(|_| self.late(patience))? {
            Ok((stream, inspection)) => (trust.judge(&inspection).map(|()| stream), Some(inspection)),
            Err(refusal) => (Err(refusal.failure), refusal.inspection),
        };
        self.phases.end();
        self.certificate_expiry = inspection.and_then(|shown| shown.certificates.earliest_end()).map(number);
        agreed.map_err(refused)
    }

    async fn converse<S>(&mut self, stream: S, mut request: Question, limits: Limits) -> Result<Answer, Fault>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let arrivals = self.arrivals.clone();
        hyper::ext::on_informational(&mut request, move |_| arrivals.was_interim());
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(limits.header.max(LEAST_HEADER))
            .handshake(TokioIo::new(Watched::new(stream, self.arrivals.clone())))
            .await
            .map_err(|error| broken(&error))?;
        self.phases.begin(Phase::Processing);
        carried(self.listen(sender.send_request(request), limits.body), connection).await
    }

    async fn listen(
        &mut self,
        response: impl Future<Output = hyper::Result<Response<Incoming>>>,
        limit: usize,
    ) -> Result<Answer, Fault> {
        let response = response.await.map_err(|error| broken(&error).context("waiting for the answer"))?;
        let first = self.arrivals.of_answer().unwrap_or_else(Instant::now);
        self.phases.turn(Phase::Transfer, first);
        let (head, body) = response.into_parts();
        self.clock_skew = self.skew(&head.headers, first);
        let body = read(body, limit).await?;
        self.phases.end();
        Ok(Answer { status: head.status, headers: head.headers, body })
    }

    fn skew(&self, headers: &HeaderMap, first: Instant) -> Option<f64> {
        let received = SystemTime::now().checked_sub(first.elapsed())?;
        let sent = received.checked_sub(self.phases.time(Phase::Processing)?)?;
        skew(headers, sent, received)
    }

    /// That the time is over which this may take.
    pub(super) fn late(&mut self, limit: Duration) -> Fault {
        self.settle();
        let doing = match self.phases.current() {
            Some(Phase::Resolve) => "looking up its name",
            Some(Phase::Connect) | None => "connecting",
            Some(Phase::Tls) => "agreeing on TLS",
            Some(Phase::Processing) => "waiting for the answer",
            Some(Phase::Transfer) => "reading the answer",
        };
        Fault::new(Outcome::Timeout, format!("{doing}: not done within {limit:?}"))
    }

    /// Whose answer has begun is in the next phase, though nobody has seen a header yet.
    fn settle(&mut self) {
        if self.phases.current() == Some(Phase::Processing)
            && let Some(first) = self.arrivals.first()
        {
            self.phases.turn(Phase::Transfer, first);
        }
    }

    /// What it came to.
    pub(super) fn end(mut self, begun: Instant, answer: Result<Answer, Fault>) -> Exchanged {
        self.settle();
        self.phases.end();
        let phases = Phase::ALL.map(|phase| self.phases.time(phase));
        let Self { certificate_expiry, clock_skew, .. } = self;
        Exchanged { phases, total: begun.elapsed(), certificate_expiry, clock_skew, answer }
    }
}

/// Reads a body that is no larger than this.
async fn read(mut body: Incoming, limit: usize) -> Result<Vec<u8>, Fault> {
    let announced = body.size_hint().lower();
    if announced > limit as u64 {
        let message = format!("a body of {announced} bytes is announced, more than the {limit} that are read");
        return Err(Failure::message(Reason::Limit, message).into());
    }
    let mut kept = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame =
            frame.map_err(|error| broken(&error).context(format!("reading the body after {} bytes", kept.len())))?;
        let Some(data) = frame.data_ref() else { continue };
        if data.len() > limit - kept.len() {
            return Err(Failure::message(Reason::Limit, format!("the body is larger than {limit} bytes")).into());
        }
        kept.extend_from_slice(data);
    }
    Ok(kept)
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus keeps every value as f64")]
fn number(seconds: i64) -> f64 {
    seconds as f64
}
