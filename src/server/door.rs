//! Connections, from their arrival to their end: a seat, encryption, and a limit on all that a client can draw out.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_rustls::TlsAcceptor;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::App;
use super::listener::{Listener, Stream};
use super::peer::Peer;
use super::seats::{Seat, Seats};
use super::web::{Refusal, Web};

/// How long a new connection may take to come to the end of its first request's head, with the TLS handshake: who
/// connects has something to ask.
const FIRST_HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection may take to send a later request's head, and so also how long it may stay idle: above the
/// longest scrape interval that is in use, or Prometheus would have to reconnect for each scrape.
const HEAD_TIMEOUT: Duration = Duration::from_mins(2);

/// The largest head of a request; above it the answer is 431 or 414.
const HEAD_BYTES: usize = 16 << 10;

/// How long no connection is taken after one could not be: out of file descriptors, most likely.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The first byte of a TLS connection: the type of a record that holds a handshake (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 22;

/// What a client hears that speaks HTTP where TLS is spoken.
const PLAIN: &[u8] = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 31\r\n\r\nTLS is spoken here: use https.\n";

/// A listening socket and the connections that came through it.
pub(super) struct Door {
    pub(super) listener: Listener,
    pub(super) seats: Arc<Seats>,
    pub(super) web: Arc<Web>,
    pub(super) connections: TaskTracker,
    pub(super) stop: CancellationToken,
}

impl Door {
    pub(super) async fn keep(self, app: Arc<App>) {
        while let Some((stream, peer)) = self.stop.run_until_cancelled(self.next()).await {
            let Some((seat, made_room)) = self.stop.run_until_cancelled(self.seats.take(peer)).await else { return };
            if made_room {
                self.web.refused(Refusal::Crowd);
            }
            let visit = Visit {
                app: app.clone(),
                web: self.web.clone(),
                seat,
                peer,
                until: Instant::now() + FIRST_HEAD_TIMEOUT,
            };
            let stop = self.stop.clone();
            self.connections.spawn(async move {
                let leave = visit.seat.leave.clone();
                match leave.run_until_cancelled(visit.welcome(stream, stop)).await {
                    Some(Ok(())) => {}
                    Some(Err(error)) => debug!("a connection from {peer} ended early: {error}"),
                    None => debug!("a connection from {peer} was closed to make room"),
                }
            });
        }
    }

    async fn next(&self) -> (Stream, Peer) {
        let mut told = String::new();
        loop {
            match self.listener.accept().await {
                Ok(arrived) => return arrived,
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

/// One connection.
struct Visit {
    app: Arc<App>,
    web: Arc<Web>,
    seat: Seat,
    peer: Peer,
    /// When the first request must have been made.
    until: Instant,
}

/// What bytes go over: a socket, with or without TLS around it.
trait Transport: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Transport for T {}

impl Visit {
    async fn welcome(self, stream: Stream, stop: CancellationToken) -> io::Result<()> {
        let transport = timeout_at(self.until, self.transport(stream));
        match stop.run_until_cancelled(transport).await {
            Some(transport) => match transport?? {
                Some(transport) => self.attend(transport, stop).await,
                None => Ok(()),
            },
            None => Ok(()),
        }
    }

    /// The connection, encrypted where it has to be; `None` when the client speaks no TLS and was told so.
    async fn transport(&self, stream: Stream) -> io::Result<Option<Box<dyn Transport>>> {
        let tls = self.web.settings().await.tls();
        match (tls, stream) {
            (None, Stream::Tcp(stream)) => Ok(Some(Box::new(stream))),
            (None, Stream::Unix(stream)) => Ok(Some(Box::new(stream))),
            (Some(_), Stream::Tcp(stream)) if !speaks_tls(&stream).await? => {
                self.web.refused(Refusal::Tls);
                turn_away(stream).await.map(|()| None)
            }
            (Some(tls), Stream::Tcp(stream)) => self.encrypted(tls, stream).await.map(Some),
            (Some(tls), Stream::Unix(stream)) => self.encrypted(tls, stream).await.map(Some),
        }
    }

    async fn encrypted(
        &self,
        tls: Arc<ServerConfig>,
        stream: impl Transport + 'static,
    ) -> io::Result<Box<dyn Transport>> {
        match TlsAcceptor::from(tls).accept(stream).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => {
                self.web.refused(Refusal::Tls);
                Err(error)
            }
        }
    }

    /// Answers the requests of one connection, until the client has had enough or the program stops.
    async fn attend(self, transport: Box<dyn Transport>, stop: CancellationToken) -> io::Result<()> {
        let asked = CancellationToken::new();
        let (visit, first) = (&self, &asked);
        let service = service_fn(move |request| async move {
            first.cancel();
            visit.answer(request).await
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(HEAD_BYTES)
            .serve_connection(TokioIo::new(transport), service);
        let mut connection = pin!(connection);
        tokio::select! {
            ended = connection.as_mut() => return ended.map_err(io::Error::other),
            first = timeout_at(self.until, asked.cancelled()) => first?,
            () = stop.cancelled() => {}
        }
        if let Some(ended) = stop.run_until_cancelled(connection.as_mut()).await {
            return ended.map_err(io::Error::other);
        }
        connection.as_mut().graceful_shutdown();
        connection.await.map_err(io::Error::other)
    }

    async fn answer(&self, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
        let Some(busy) = self.seat.busy() else { return Err(io::Error::other("closed to make room")) };
        let settings = self.web.settings().await;
        let mut answer = if let Some(refusal) = self.web.refusal(&settings, request.headers(), self.peer).await {
            refusal
        } else {
            busy.is_welcome();
            self.app.answer(request).await
        };
        settings.dress(answer.headers_mut());
        Ok(answer)
    }
}

/// Whether the first byte is that of a TLS record.
async fn speaks_tls(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    match stream.peek(&mut first).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(first == [HANDSHAKE]),
    }
}

async fn turn_away(mut stream: TcpStream) -> io::Result<()> {
    // What is left unread would make the kernel reset the connection, and the answer be lost.
    let mut request = [0; 1 << 10];
    let read = stream.read(&mut request).await?;
    debug!("{read} bytes of a request came without TLS");
    stream.write_all(PLAIN).await
}
