//! nginx: connections and requests, from its `stub_status` page.

pub(in crate::collectors) mod configuration;
pub(in crate::collectors) mod discover;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod remedy;
mod url;

use std::pin::pin;

use bytes::Bytes;
use futures_util::future::{Either, select};
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use crate::collector::{Collector, Context, Failure, Reason};
use crate::config::types::Address;
use crate::metric::{Catalogue, Metric};
use crate::remedy::{Complaints, Remedy, Service};
use crate::snapshot::Snapshot;

pub use discover::DISCOVERY;
pub use remedy::status_page;
pub use url::StatusUrl;

/// The largest page we read; a `stub_status` page has some hundred bytes.
const PAGE_BYTES: usize = 64 << 10;

crate::metrics! {
    DropIn as METRICS;
    /// Whether the `stub_status` page of nginx was read, 1 or 0.
    UP = Gauge("nginx_up", None, []);
    /// Connections that clients have made, from `accepts`.
    ACCEPTED = Counter("nginx_connections_accepted", None, []);
    /// Connections that nginx has served, from `handled`; fewer than accepted when `worker_connections` was reached.
    HANDLED = Counter("nginx_connections_handled", None, []);
    /// Connections that are open now, waiting ones too, from `Active connections`.
    ACTIVE = Gauge("nginx_connections_active", None, []);
    /// Connections on which nginx reads a request's header, from `Reading`.
    READING = Gauge("nginx_connections_reading", None, []);
    /// Connections on which nginx reads a body, waits for a backend or answers, from `Writing`.
    WRITING = Gauge("nginx_connections_writing", None, []);
    /// Connections that are kept open and idle, from `Waiting`.
    WAITING = Gauge("nginx_connections_waiting", None, []);
    /// Requests that clients have made, from `requests`.
    REQUESTS = Counter("nginx_http_requests_total", None, []);
}

/// `[nginx.targets.<name>]`: one nginx.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    url: StatusUrl,
}

impl Config {
    /// An nginx whose `stub_status` page is there.
    #[must_use]
    pub fn of(url: StatusUrl) -> Self {
        Self { url }
    }
}

/// Watches one nginx.
#[derive(Debug)]
pub struct Nginx {
    url: StatusUrl,
    context: Context,
}

impl Collector for Nginx {
    const NAME: &'static str = "nginx";
    const METRICS: &'static [Catalogue] = &[Catalogue::List(METRICS)];
    const UP: Option<&'static Metric<0>> = Some(&UP);
    type Config = Config;

    fn new(config: &Config, context: &Context) -> Self {
        Self { url: config.url.clone(), context: context.clone() }
    }

    async fn collect(&self, out: &mut Snapshot) -> Result<(), Failure> {
        let reading = |failure: Failure| failure.context(format!("reading the stub_status page {}", self.url));
        let page = self.page().await.map_err(reading)?;
        let status = parse(&page).ok_or_else(|| {
            let message = "the page is not one of stub_status; does another `location` answer for this path?";
            reading(Failure::message(Reason::Protocol, message))
        })?;
        status.report(out);
        Ok(())
    }

    async fn remedies(&self, run: Complaints<'_>, _service: &Service) -> Vec<Remedy> {
        // Where something answers, a person decides what that is and who else may see the page: the failure says how.
        let nobody = run.failure.is_some_and(|failure| failure.reason == Reason::Connect);
        if nobody { vec![status_page(&self.context.paths.root, &self.url)] } else { Vec::new() }
    }
}

impl Nginx {
    async fn page(&self) -> Result<String, Failure> {
        let gate = self.context.gate(&self.url.address.to_string());
        let _permit = gate.scrape.acquire().await.map_err(|closed| Failure::new(Reason::Bug, closed))?;
        match &self.url.address {
            Address::Tcp { host, port } => {
                let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(Failure::io)?;
                get(stream, &self.url).await
            }
            Address::Unix(socket) => {
                let root = &self.context.paths.root;
                let socket = root.join(socket.strip_prefix("/").unwrap_or(socket));
                get(UnixStream::connect(socket).await.map_err(Failure::io)?, &self.url).await
            }
        }
    }
}

/// Asks for the page on a connection of its own.
async fn get(stream: impl AsyncRead + AsyncWrite + Unpin, url: &StatusUrl) -> Result<String, Failure> {
    let broken = |error: hyper::Error| Failure::new(Reason::Protocol, error);
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let host = match &url.address {
        Address::Unix(_) => "localhost".to_owned(),
        address @ Address::Tcp { .. } => address.to_string(),
    };
    let request = Request::get(&url.path)
        .header("host", host)
        .header("user-agent", "vitrin")
        .header("connection", "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| Failure::new(Reason::Bug, error))?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(broken)?;
        accept(response.status())?;
        let body = Limited::new(response.into_body(), PAGE_BYTES).collect().await.map_err(|error| {
            let limit = error.is::<LengthLimitError>();
            let reason = if limit { Reason::Limit } else { Reason::Protocol };
            Failure::message(reason, error.to_string())
        })?;
        Ok(String::from_utf8_lossy(&body.to_bytes()).into_owned())
    };
    // The connection moves the bytes; it may well end before we have looked at the last of them.
    match select(pin!(exchange), pin!(connection)).await {
        Either::Left((page, _)) => page,
        Either::Right((Ok(()), exchange)) => exchange.await,
        Either::Right((Err(error), _)) => Err(broken(error)),
    }
}

fn accept(status: StatusCode) -> Result<(), Failure> {
    let (reason, message) = match status {
        StatusCode::OK => return Ok(()),
        StatusCode::UNAUTHORIZED => {
            (Reason::Auth, "nginx asks for a password; leave `auth_basic` out of this location")
        }
        StatusCode::FORBIDDEN => {
            (Reason::Permission, "nginx does not let us; `allow` Vitrin's address in this location")
        }
        StatusCode::NOT_FOUND => (Reason::Protocol, "nginx has no such page; add a location with `stub_status;`"),
        _ => (Reason::Protocol, "another status than 200"),
    };
    Err(Failure::message(reason, format!("{message} (status {})", status.as_u16())))
}

/// What a page says.
#[derive(Debug, PartialEq, Eq)]
struct Status {
    active: u64,
    accepted: u64,
    handled: u64,
    requests: u64,
    reading: u64,
    writing: u64,
    waiting: u64,
}

/// Parses a page. Tengine has a fourth counter, the time all requests took, which is left alone.
fn parse(page: &str) -> Option<Status> {
    let mut lines = page.lines().map(str::trim);
    let active = lines.next()?.strip_prefix("Active connections:")?.trim().parse().ok()?;
    if !lines.next()?.starts_with("server accepts handled requests") {
        return None;
    }
    let mut counters = lines.next()?.split_ascii_whitespace().map(str::parse);
    let [accepted, handled, requests] = std::array::from_fn(|_| counters.next()?.ok());
    let mut states = lines.next()?.split_ascii_whitespace();
    let mut state = |name| if states.next()? == name { states.next()?.parse().ok() } else { None };
    Some(Status {
        active,
        accepted: accepted?,
        handled: handled?,
        requests: requests?,
        reading: state("Reading:")?,
        writing: state("Writing:")?,
        waiting: state("Waiting:")?,
    })
}

impl Status {
    fn report(&self, out: &mut Snapshot) {
        out.push(&ACTIVE, [], self.active);
        out.push(&ACCEPTED, [], self.accepted);
        out.push(&HANDLED, [], self.handled);
        out.push(&REQUESTS, [], self.requests);
        out.push(&READING, [], self.reading);
        out.push(&WRITING, [], self.writing);
        out.push(&WAITING, [], self.waiting);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PAGE: &str = include_str!("../../../tests/fixtures/nginx/nginx-1.22-stub_status.txt");

    #[test]
    fn a_recorded_page_is_read() {
        let status = parse(PAGE).unwrap();
        assert_eq!((status.active, status.reading, status.writing, status.waiting), (3, 0, 1, 2));
        assert_eq!((status.accepted, status.handled, status.requests), (5, 5, 9));
    }

    #[test]
    fn what_is_not_a_page_of_stub_status_is_refused() {
        for page in ["", "<html>Active connections: 1</html>", "Active connections: 1", "Active connections: -1 \n"] {
            assert_eq!(parse(page), None, "{page}");
        }
        for cut in 0..PAGE.rfind("Waiting: ").unwrap() + 9 {
            assert_eq!(parse(&PAGE[..cut]), None, "{cut}");
        }
    }

    proptest! {
        #[test]
        fn no_page_panics(page: String) {
            parse(&page);
        }
    }
}
