//! One request of a server's API, with a limit to time and size.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout};
use url::{Position, Url};

use super::super::verdict::{Cause, Known, Unknown};
use crate::collector::{Failure, Reason};
use crate::net::connect::{Family, connect, resolve};
use crate::net::http::{broken, carried};
use crate::net::threads::Threads;
use crate::tls::handshake::handshake;
use crate::tls::trust::Trust;
use crate::tls::{Settings, server_name};

/// How long an answer may take, and how large it may be.
const TIME: Duration = Duration::from_secs(5);
const BYTES: usize = 4 << 20;

/// What a server answers to a GET of this address.
pub(super) async fn get(url: &Url, threads: &Threads) -> Known<Bytes> {
    let answer = match timeout(TIME, fetch(url, threads)).await {
        Ok(answer) => answer.map_err(|failure| (cause(failure.reason), failure.to_string())),
        Err(_) => Err((Cause::Timeout, format!("no answer in {TIME:?}"))),
    };
    answer.map_err(|(cause, why)| Unknown::new(cause, format!("asking {}: {why}", shown(url))))
}

/// The same over a connection that is there already.
pub(super) async fn get_over(stream: impl AsyncRead + AsyncWrite + Unpin, url: &Url) -> Result<Bytes, Failure> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
    let request = Request::get(&url[Position::BeforePath..Position::AfterQuery])
        .header("host", &url[Position::BeforeHost..Position::AfterPort])
        .header("user-agent", "vitrin")
        .header("connection", "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| Failure::new(Reason::Bug, error))?;
    let exchange = async {
        let answer = sender.send_request(request).await.map_err(|error| broken(&error))?;
        match answer.status() {
            StatusCode::OK => {}
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                return Err(Failure::message(Reason::Permission, format!("it answers {status}")));
            }
            status => return Err(Failure::message(Reason::Protocol, format!("it answers {status}"))),
        }
        let body = Limited::new(answer.into_body(), BYTES).collect().await;
        // Its error does not tell a broken connection from one that says too much.
        body.map(http_body_util::Collected::to_bytes)
            .map_err(|error| Failure::message(Reason::Protocol, error.to_string()))
    };
    carried(exchange, connection).await
}

async fn fetch(url: &Url, threads: &Threads) -> Result<Bytes, Failure> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = url.port_or_known_default().unwrap_or(80);
    let addresses = resolve(host, port, Family::Any, threads).await?;
    let (stream, _) = connect(&addresses, Instant::now() + TIME).await?;
    if url.scheme() != "https" {
        return get_over(stream, url).await;
    }
    let trust = Trust::load(&Settings::default())?;
    let name = server_name(None, host)?;
    let (stream, inspection) =
        handshake(stream, &name, &[b"http/1.1"], &trust).await.map_err(|refusal| refusal.failure)?;
    trust.judge(&inspection)?;
    get_over(stream, url).await
}

/// An address without what may be secret in it.
fn shown(url: &Url) -> &str {
    &url[..Position::AfterPath]
}

fn cause(reason: Reason) -> Cause {
    match reason {
        Reason::Timeout => Cause::Timeout,
        Reason::Connect | Reason::Tls => Cause::Unreachable,
        Reason::Permission | Reason::Auth => Cause::Permission,
        _ => Cause::Unparsable,
    }
}
