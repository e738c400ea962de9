//! The other port: what tests and people tell the simulator while it runs, and what it tells them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue, ORIGIN};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::arrivals::Arrivals;
use super::scenario::{SCENARIO_BYTES, parse};
use super::world::World;

/// How many connections are open at once; the next one waits.
pub(super) const CONNECTIONS: usize = 16;

/// How long a client may take for the head of a request, and how long a connection stays idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a scenario may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// What is at `/`.
const HELP: &str = "vitrin simulate\n\n\
    POST /script      add steps of a scenario (TOML), whose times count from now\n\
    POST /reset       begin anew: the scenario of the file, no tokens, no requests\n\
    GET  /requests    the requests that came (JSON); ?marketplace=trendyol, ?after=12\n\
    GET  /ca.pem      the authority whose certificates are shown\n\
    GET  /vitrin.toml a configuration that watches all of this (with --folder)\n";

/// What is told to whoever asks.
pub(super) struct Control {
    pub(super) world: Arc<World>,
    /// The authority's certificate.
    pub(super) ca: String,
    /// A configuration that watches all of this.
    pub(super) configuration: Option<String>,
}

impl Control {
    /// Takes connections until told to stop.
    pub(super) async fn keep(self: Arc<Self>, arrivals: Arrivals) {
        arrivals
            .attend(|stream, _| {
                let control = self.clone();
                async move { control.attend(stream).await }
            })
            .await;
    }

    async fn attend(&self, stream: TcpStream) {
        let service = service_fn(|request| async move { Ok::<_, hyper::Error>(self.answer(request).await) });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service);
        // Clients that go away early are no concern of anybody's.
        drop(connection.await);
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        // A page in somebody's browser must not steer it.
        if request.headers().contains_key(ORIGIN) {
            return text(StatusCode::FORBIDDEN, "not for web pages\n");
        }
        match (request.method(), request.uri().path()) {
            (&Method::GET, "/") => text(StatusCode::OK, HELP),
            (&Method::GET, "/ca.pem") => text(StatusCode::OK, self.ca.clone()),
            (&Method::GET, "/vitrin.toml") => match &self.configuration {
                Some(configuration) => text(StatusCode::OK, configuration.clone()),
                None => text(StatusCode::NOT_FOUND, "start it with --folder, for the credentials that it names\n"),
            },
            (&Method::GET, "/requests") => self.requests(request.uri().query().unwrap_or_default()),
            (&Method::POST, "/script") => self.script(request).await,
            (&Method::POST, "/reset") => {
                self.world.reset();
                self.world.lines.say("control: begun anew");
                text(StatusCode::OK, "begun anew\n")
            }
            (_, "/" | "/ca.pem" | "/vitrin.toml" | "/requests" | "/script" | "/reset") => {
                text(StatusCode::METHOD_NOT_ALLOWED, HELP)
            }
            _ => text(StatusCode::NOT_FOUND, HELP),
        }
    }

    fn requests(&self, query: &str) -> Response<Full<Bytes>> {
        let (mut after, mut marketplace) = (0, None);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match (&*name, value.parse()) {
                ("after", Ok(number)) => after = number,
                ("marketplace", _) => marketplace = Some(value.into_owned()),
                _ => return text(StatusCode::BAD_REQUEST, "the query takes marketplace=NAME and after=NUMBER\n"),
            }
        }
        match self.world.requests(after, marketplace.as_deref()) {
            Ok(requests) => {
                let mut answer = text(StatusCode::OK, requests);
                answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                answer
            }
            Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
        }
    }

    async fn script(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let most = usize::try_from(SCENARIO_BYTES).unwrap_or(usize::MAX);
        let body = match timeout(BODY_TIMEOUT, Limited::new(request.into_body(), most).collect()).await {
            Ok(Ok(body)) => body.to_bytes(),
            _ => return text(StatusCode::BAD_REQUEST, "the scenario is larger than 1 MiB, or broke off\n"),
        };
        let Ok(scenario) = std::str::from_utf8(&body) else {
            return text(StatusCode::BAD_REQUEST, "the scenario is no text\n");
        };
        let scenario = match parse(Path::new("script"), scenario) {
            Ok(scenario) => scenario,
            Err(problem) => return text(StatusCode::BAD_REQUEST, format!("{problem}\n")),
        };
        match self.world.add(&scenario) {
            Ok(steps) => {
                self.world.lines.say(format!("control: steps added: {}", scenario.steps.len()));
                text(StatusCode::OK, format!("steps: {steps}\n"))
            }
            Err(error) => text(StatusCode::BAD_REQUEST, format!("{error}\n")),
        }
    }
}

fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(text.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}
