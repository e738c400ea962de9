//! HTTP: pages out, nothing else. Bare hyper, HTTP/1.1, with a limit on everything a client can send.

mod door;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod landing;
mod listener;
mod pages;
mod peer;
mod query;
mod seats;
mod web;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, ALLOW, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, VARY,
};
use hyper::{Method, Request, Response, StatusCode};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tracing::warn;

use crate::collector::Context;
use crate::exposition::{accepts_gzip, format_for};
use crate::running::Running;
use crate::schedule::{Schedule, Selection, patience};
use door::Door;
use pages::Pages;
use seats::Seats;

pub use listener::Listener;
pub(crate) use pages::METRICS;
pub(crate) use web::METRICS as WEB_METRICS;
pub use web::Web;

/// How many connections are open at once; for the next one another is closed. Room for 200 scrapes and some people.
const CONNECTIONS: usize = 256;

/// How long requests under way may take when the program is told to stop: longer than any scrape.
const FAREWELL: Duration = Duration::from_secs(10);

const SCRAPE_TIMEOUT: HeaderName = HeaderName::from_static("x-prometheus-scrape-timeout-seconds");

/// What the server hands out.
pub struct App {
    running: Arc<Running>,
    pages: Pages,
    web: Arc<Web>,
}

impl App {
    /// An application over what is running, for whom the web configuration lets in.
    #[must_use]
    pub fn new(running: Arc<Running>, web: Arc<Web>) -> Arc<Self> {
        Arc::new(Self { running, pages: Pages::default(), web })
    }
}

/// Serves until `context.stop` is cancelled, then lets requests under way end.
pub async fn serve(listeners: Vec<Listener>, app: Arc<App>, context: &Context) {
    let seats = Seats::new(CONNECTIONS);
    let connections = TaskTracker::new();
    for listener in listeners {
        let (seats, web) = (seats.clone(), app.web.clone());
        let door = Door { listener, seats, web, connections: connections.clone(), stop: context.stop.clone() };
        context.tasks.spawn(door.keep(app.clone()));
    }
    context.stop.cancelled().await;
    connections.close();
    if timeout(FAREWELL, connections.wait()).await.is_err() {
        warn!("some requests did not end within {FAREWELL:?} and are cut off");
    }
}

impl App {
    /// The answer to one request; its body is never read.
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
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
            "/metrics" => self.metrics(query::selection(query), &self.running.schedule(), request).await,
            "/probe" => {
                let schedule = self.running.schedule();
                self.metrics(query::one(query, &schedule), &schedule, request).await
            }
            "/-/healthy" => plain(StatusCode::OK, "Vitrin is alive.\n"),
            "/-/ready" => plain(StatusCode::OK, "Vitrin is ready.\n"),
            "/-/reload" => self.reload().await,
            _ => {
                let mut answer = Response::new(Full::from(landing::page(&self.running).await));
                let html = HeaderValue::from_static("text/html; charset=utf-8");
                answer.headers_mut().insert(CONTENT_TYPE, html);
                answer
            }
        }
    }

    /// One scrape: 200 with what is there by the limit the scraper names; 400 when it asks for what there is not.
    async fn metrics(
        &self,
        selection: Result<Selection, String>,
        schedule: &Schedule,
        request: Request<Incoming>,
    ) -> Response<Full<Bytes>> {
        let headers = request.headers();
        let selection = match selection {
            Ok(selection) => selection,
            Err(error) => return plain(StatusCode::BAD_REQUEST, error + "\n"),
        };
        let begun = Instant::now();
        let limit = header(headers, &SCRAPE_TIMEOUT).trim().parse().ok();
        let format = format_for(&header(headers, &ACCEPT), self.running.exposition());
        let gzip = accepts_gzip(&header(headers, &ACCEPT_ENCODING));
        // It keeps the buffer that it was read into, which 200 scrapes that wait would have one more of each.
        drop(request);
        let outcomes = schedule.scrape(&selection, patience(limit)).await;
        let page = self.pages.get(&selection, outcomes, self, format, gzip).await;
        self.pages.count_scrape(begun.elapsed());
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
