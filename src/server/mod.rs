//! HTTP: pages out, nothing else. Bare hyper, HTTP/1.1, with a limit on everything a client can send.

mod landing;
mod pages;
mod query;

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, ALLOW, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, VARY,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::net::sockopt::set_tcp_user_timeout;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use crate::collector::Context;
use crate::exposition::{accepts_gzip, format_for};
use crate::running::Running;
use crate::schedule::{Selection, patience};
use pages::Pages;

pub(crate) use pages::METRICS;

/// How many connections are open at once; the next one waits. Room for 200 scrapes and some people.
const CONNECTIONS: usize = 256;

/// How long a connection may take to send a request's head, and so also how long it may stay idle: above the longest
/// scrape interval that is in use, or Prometheus would have to reconnect for each scrape.
const HEAD_TIMEOUT: Duration = Duration::from_mins(2);

/// The largest head of a request; above it the answer is 431 or 414.
const HEAD_BYTES: usize = 16 << 10;

/// How long requests under way may take when the program is told to stop: longer than any scrape.
const FAREWELL: Duration = Duration::from_secs(10);

/// How many milliseconds a client may leave what it was sent unread, or be gone without a word, before its connection is given up;
/// longer than a scraper stays quiet for a reason.
const UNREAD_TIMEOUT_MS: u32 = 20_000;

/// How long no connection is taken after one could not be: out of file descriptors, most likely.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

const SCRAPE_TIMEOUT: HeaderName = HeaderName::from_static("x-prometheus-scrape-timeout-seconds");

/// What the server hands out.
pub struct App {
    running: Arc<Running>,
    pages: Pages,
}

impl App {
    /// An application over what is running.
    #[must_use]
    pub fn new(running: Arc<Running>) -> Arc<Self> {
        Arc::new(Self { running, pages: Pages::default() })
    }
}

/// Serves until `context.stop` is cancelled, then lets requests under way end.
pub async fn serve(listeners: Vec<TcpListener>, app: Arc<App>, context: &Context) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let connections = TaskTracker::new();
    for listener in listeners {
        let door =
            Door { listener, slots: slots.clone(), connections: connections.clone(), stop: context.stop.clone() };
        context.tasks.spawn(door.keep(app.clone()));
    }
    context.stop.cancelled().await;
    connections.close();
    if timeout(FAREWELL, connections.wait()).await.is_err() {
        warn!("some requests did not end within {FAREWELL:?} and are cut off");
    }
}

/// A listening socket and the connections that came through it.
struct Door {
    listener: TcpListener,
    slots: Arc<Semaphore>,
    connections: TaskTracker,
    stop: CancellationToken,
}

impl Door {
    async fn keep(self, app: Arc<App>) {
        while let Some((stream, slot)) = self.stop.run_until_cancelled(self.next()).await {
            let (app, stop) = (app.clone(), self.stop.clone());
            self.connections.spawn(async move {
                if let Err(error) = attend(stream, app, stop).await {
                    debug!("a connection ended early: {error}");
                }
                drop(slot);
            });
        }
    }

    /// The next connection, once there is a slot for it.
    async fn next(&self) -> (TcpStream, OwnedSemaphorePermit) {
        let slot = self.slots.clone().acquire_owned().await.expect("nobody closes the slots");
        let mut told = String::new();
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => return (stream, slot),
                Err(error) => {
                    let error = error.to_string();
                    if error != told {
                        warn!("taking a connection: {error}");
                        told = error;
                    }
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

/// Answers the requests of one connection, until the client has had enough or the program stops.
async fn attend(stream: TcpStream, app: Arc<App>, stop: CancellationToken) -> hyper::Result<()> {
    // The kernel counts this, also while the client's window is full: hyper has no limit on writing.
    if let Err(error) = set_tcp_user_timeout(&stream, UNREAD_TIMEOUT_MS) {
        debug!("limiting how long a client may not read: {error}");
    }
    // A page's last bytes would wait for the client to acknowledge those before them.
    if let Err(error) = stream.set_nodelay(true) {
        debug!("sending without delay: {error}");
    }
    let service = service_fn(|request| {
        let app = app.clone();
        async move { Ok::<_, Infallible>(app.answer(&request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    if let Some(ended) = stop.run_until_cancelled(connection.as_mut()).await {
        return ended;
    }
    connection.as_mut().graceful_shutdown();
    connection.await
}

impl App {
    /// The answer to one request; its body is never read.
    async fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path();
        let methods: &[Method] = match path {
            "/" | "/metrics" | "/probe" | "/-/healthy" | "/-/ready" => &[Method::GET, Method::HEAD],
            "/-/reload" => &[Method::POST, Method::PUT],
            _ => return plain(StatusCode::NOT_FOUND, "not here; the metrics are at /metrics\n"),
        };
        if !methods.contains(request.method()) {
            let allowed = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
            let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, format!("only {allowed}\n"));
            answer.headers_mut().insert(ALLOW, HeaderValue::try_from(allowed).expect("methods are tokens"));
            return answer;
        }
        let query = request.uri().query().unwrap_or_default();
        match path {
            "/metrics" => self.metrics(query::selection(query), request.headers()).await,
            "/probe" => self.metrics(query::one(query, &self.running.schedule()), request.headers()).await,
            "/-/healthy" => plain(StatusCode::OK, "Vitrin is alive.\n"),
            "/-/ready" => plain(StatusCode::OK, "Vitrin is ready.\n"),
            "/-/reload" => self.reload().await,
            _ => {
                let mut answer = Response::new(Full::from(landing::page(self.running.schedule().jobs())));
                let html = HeaderValue::from_static("text/html; charset=utf-8");
                answer.headers_mut().insert(CONTENT_TYPE, html);
                answer
            }
        }
    }

    /// One scrape: 200 with what is there by the limit the scraper names; 400 when it asks for what there is not.
    async fn metrics(&self, selection: Result<Selection, String>, headers: &HeaderMap) -> Response<Full<Bytes>> {
        let selection = match selection {
            Ok(selection) => selection,
            Err(error) => return plain(StatusCode::BAD_REQUEST, error + "\n"),
        };
        let limit = header(headers, &SCRAPE_TIMEOUT).trim().parse().ok();
        let format = format_for(&header(headers, &ACCEPT));
        let gzip = accepts_gzip(&header(headers, &ACCEPT_ENCODING));
        let outcomes = self.running.schedule().scrape(&selection, patience(limit)).await;
        let page = self.pages.get(&selection, outcomes, &self.running, format, gzip).await;
        let mut answer = Response::new(Full::new(page));
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
        headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
        if gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        answer
    }

    /// Reloads the configuration. What is wrong with it may quote it, so that is for the log; the place is for all.
    async fn reload(&self) -> Response<Full<Bytes>> {
        match self.running.reload().await {
            Ok(change) => plain(StatusCode::OK, format!("reloaded: {change}\n")),
            Err(problem) => plain(
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("not reloaded, what was running goes on: {} is wrong; the log says why\n", problem.place()),
            ),
        }
    }
}

/// A header's value, its repetitions joined as RFC 9110, section 5.3, has it; empty when absent or not text.
fn header(headers: &HeaderMap, name: &HeaderName) -> String {
    headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect::<Vec<_>>().join(",")
}

fn plain(status: StatusCode, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(text.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}
