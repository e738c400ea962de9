//! Connections to the marketplaces: TLS or not, told apart by the first byte, one port for all of them.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::net::sockopt::set_socket_linger;
use rustls::server::Acceptor;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::LazyConfigAcceptor;

use super::arrivals::Arrivals;
use super::ask::{Ask, bare};
use super::certificates::{Certificates, Kind};
use super::delivery::{Body, Delivery, Shape};
use super::reply::Reply;
use super::scenario::Scene;
use super::world::{World, varied};

/// How many connections are open at once; the next one waits.
pub(super) const CONNECTIONS: usize = 256;

/// How long a client may take for the head of a request, and so for TLS, and how long a connection stays idle.
const HEAD_TIMEOUT: Duration = Duration::from_mins(1);

/// The largest head of a request.
const HEAD_BYTES: usize = 32 << 10;

/// The largest body of a request: what presets send is a few hundred bytes.
const BODY_BYTES: usize = 64 << 10;

/// How long a body may take.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The first byte of TLS: the type of a record that holds a handshake (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 22;

/// What is no TLS, no HTTP and no text.
const GARBAGE: &[u8] = b"\xff\xfe\x00\x80\x01\x02\xc3\x28 no TLS here \xff\x00\r\n\r\n";

/// Where connections come in.
pub(super) struct Door {
    pub(super) world: Arc<World>,
    pub(super) certificates: Arc<Certificates>,
}

impl Door {
    /// Takes connections until told to stop.
    pub(super) async fn keep(self, arrivals: Arrivals) {
        arrivals
            .attend(|stream, client| {
                let (world, certificates) = (self.world.clone(), self.certificates.clone());
                let visitor = Visitor { number: world.connection(), world, certificates, client };
                async move { visitor.welcome(stream).await }
            })
            .await;
    }
}

/// Who has connected.
struct Visitor {
    number: u64,
    world: Arc<World>,
    certificates: Arc<Certificates>,
    client: SocketAddr,
}

impl Visitor {
    async fn welcome(&self, stream: TcpStream) {
        if let Err(error) = self.attend(stream).await {
            self.world.lines.say(format!("connection #{} ended early: {error}", self.number));
        }
    }

    async fn attend(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        // Through it the connection is told how to end while others own it.
        let socket = stream.as_fd().try_clone_to_owned()?;
        let mut first = [0];
        match timeout(HEAD_TIMEOUT, stream.peek(&mut first)).await?? {
            0 => return Ok(()),
            _ if first == [HANDSHAKE] => {}
            _ => return self.converse(stream, None, socket).await,
        }
        let hello = LazyConfigAcceptor::new(Acceptor::default(), &mut stream);
        let hello = timeout(HEAD_TIMEOUT, hello).await??;
        let server = hello.client_hello().server_name().map(bare);
        let greeting = self.world.greeting(server.as_deref());
        let (delay, jitter) = greeting.delay;
        sleep(varied(delay, jitter, self.number)).await;
        let kind = match greeting.scene {
            Some(Scene::GarbageTls) => {
                drop(hello);
                self.world.lines.say(format!("connection #{} garbage_tls", self.number));
                return stream.write_all(GARBAGE).await;
            }
            Some(Scene::UntrustedCertificate) => Kind::Untrusted,
            Some(Scene::ExpiredCertificate) => Kind::Expired,
            _ => Kind::Good,
        };
        let config = self.certificates.server(server.as_deref(), kind).map_err(io::Error::other)?;
        let stream = timeout(HEAD_TIMEOUT, hello.into_stream(config)).await??;
        self.converse(stream, server, socket).await
    }

    async fn converse(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        server: Option<String>,
        socket: OwnedFd,
    ) -> io::Result<()> {
        let (server, socket) = (server.as_deref(), &socket);
        let service = service_fn(move |request| self.answer(request, server, socket));
        let ended = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(HEAD_BYTES)
            .serve_connection(TokioIo::new(stream), service)
            .await;
        match ended {
            // What the scenario broke off, and clients that had enough, are no news.
            Err(error) if !error.is_parse() => Ok(()),
            ended => ended.map_err(io::Error::other),
        }
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        server: Option<&str>,
        socket: &OwnedFd,
    ) -> io::Result<Response<Body>> {
        let (parts, body) = request.into_parts();
        let Ok(body) = timeout(BODY_TIMEOUT, Limited::new(body, BODY_BYTES).collect()).await? else {
            let reply = Reply::objection("the body is larger than 64 KiB, or broke off");
            let (processing, transfer) = (Duration::ZERO, Duration::ZERO);
            let delivery = Delivery { reply: Some(reply), processing, transfer, shape: Shape::Whole };
            return delivery.response().await.ok_or_else(|| io::ErrorKind::InvalidData.into());
        };
        let ask = Ask::new(parts, server, body.to_bytes());
        let (number, delivery) = self.world.take(&ask, self.number, self.client.ip());
        if let Some(response) = delivery.response().await {
            self.world.answered(number);
            return Ok(response);
        }
        // With nothing to linger for, the kernel ends the connection by a reset.
        set_socket_linger(socket, Some(Duration::ZERO))?;
        Err(io::ErrorKind::ConnectionReset.into())
    }
}
