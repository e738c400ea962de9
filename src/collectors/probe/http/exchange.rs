//! One request and its answer, on a connection of its own.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::http::response::Parts;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::journey::Journey;
use super::settings::Page;
use super::visited as visited_of;
use crate::collectors::probe::ending::{Ending, Trouble};
use crate::collectors::probe::findings::Findings;
use crate::collectors::probe::handshake::{Encrypted, Means, agree};
use crate::net::http::{broken, carried};
use crate::net::phases::Phase;
use crate::tls::server_name;

/// The most bytes of an answer's header.
const HEADER_BYTES: usize = 64 << 10;

/// What a request brought.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) head: Parts,
    /// The body, where somebody is to look at it.
    pub(super) body: Vec<u8>,
}

/// What an exchange needs to know.
pub(super) struct Exchange<'a> {
    pub(super) page: &'a Page,
    pub(super) journey: &'a Journey<'a>,
    pub(super) means: &'a Means<'a>,
}

impl Exchange<'_> {
    /// Asks over a connection to this address, with TLS where the page wants it.
    pub(super) async fn over(
        &self,
        stream: TcpStream,
        address: SocketAddr,
        found: &mut Findings,
    ) -> Result<Answer, Trouble> {
        found.inspection = None;
        visited_of(found).phases.end();
        if !self.journey.is_encrypted() {
            visited_of(found).phases.skip(Phase::Tls);
            return self.http1(stream, found).await;
        }
        let settings = self.journey.tls();
        let name = server_name(settings.server_name.as_deref(), &self.journey.host())?;
        if self.journey.is_at_home() {
            found.encrypted = Some(Encrypted { address, name: name.clone() });
        }
        let alpn: &[&[u8]] = if self.page.http2 { &[b"h2", b"http/1.1"] } else { &[b"http/1.1"] };
        let trust = self.means.trust(&settings)?;
        visited_of(found).phases.begin(Phase::Tls);
        let (stream, http2) = agree(stream, address, &name, alpn, &trust, self.means.deadline, found).await?;
        visited_of(found).phases.end();
        if http2 { self.http2(stream, found).await } else { self.http1(stream, found).await }
    }

    async fn http1<S>(&self, stream: S, found: &mut Findings) -> Result<Answer, Trouble>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let request = self.request(false, found)?;
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(HEADER_BYTES)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| broken(&error))?;
        carried(self.converse(sender.send_request(request), found), connection).await
    }

    async fn http2<S>(&self, stream: S, found: &mut Findings) -> Result<Answer, Trouble>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let request = self.request(true, found)?;
        let end = CancellationToken::new();
        let _end_of_all = end.clone().drop_guard();
        let tasks = Tasks { tracker: self.means.context.tasks.clone(), end };
        let (mut sender, connection) = http2::Builder::new(tasks)
            .max_header_list_size(u32::try_from(HEADER_BYTES).unwrap_or(u32::MAX))
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| broken(&error))?;
        carried(self.converse(sender.send_request(request), found), connection).await
    }

    fn request(&self, http2: bool, found: &mut Findings) -> Result<Request<Full<Bytes>>, Trouble> {
        let request = self.journey.request(http2)?;
        found.doing("waiting for the answer");
        visited_of(found).phases.begin(Phase::Processing);
        Ok(request)
    }

    async fn converse(
        &self,
        response: impl Future<Output = hyper::Result<Response<Incoming>>>,
        found: &mut Findings,
    ) -> Result<Answer, Trouble> {
        let (head, body) = response.await.map_err(|error| broken(&error))?.into_parts();
        let visited = visited_of(found);
        visited.phases.end();
        visited.answered(&head, !body.is_end_stream(), self.journey.is_encrypted());
        // The body of a redirect says nothing that its header does not.
        let follows = self.journey.redirect(head.status, &head.headers).is_some();
        let body = if follows { Vec::new() } else { self.read(body, found).await? };
        Ok(Answer { head, body })
    }

    async fn read(&self, mut body: Incoming, found: &mut Findings) -> Result<Vec<u8>, Trouble> {
        found.doing("reading the body");
        visited_of(found).phases.begin(Phase::Transfer);
        let expected = &self.page.expected;
        let is_wanted = expected.body.is_some() || expected.not_body.is_some();
        let mut kept = Vec::new();
        let mut bytes = 0;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| broken(&error))?;
            let Some(data) = frame.data_ref() else { continue };
            bytes += data.len() as u64;
            if bytes > self.page.body_limit.0 {
                return Err(Trouble::new(Ending::Limit, format!("the body is larger than {}", self.page.body_limit)));
            }
            visited_of(found).read(bytes);
            if is_wanted {
                kept.extend_from_slice(data);
            }
        }
        visited_of(found).read(bytes);
        visited_of(found).phases.end();
        Ok(kept)
    }
}

/// Runs what HTTP/2 does beside a conversation, for as long as that lasts.
#[derive(Clone, Debug)]
struct Tasks {
    tracker: TaskTracker,
    end: CancellationToken,
}

impl<F> hyper::rt::Executor<F> for Tasks
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        let end = self.end.clone();
        self.tracker.spawn(async move {
            end.run_until_cancelled(future).await;
        });
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, ReadBuf, duplex};
    use tokio::time::Instant;

    use super::super::journey::tests::page;
    use super::*;
    use crate::collector::Paths;

    /// A connection that is gone when we hang up, as one by TLS is after a reset.
    struct Gone(DuplexStream);

    impl AsyncRead for Gone {
        fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_read(cx, out)
        }
    }

    impl AsyncWrite for Gone {
        fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            Pin::new(&mut self.0).poll_write(cx, bytes)
        }

        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_flush(cx)
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
        }
    }

    #[tokio::test]
    async fn a_whole_answer_is_one_though_the_connection_is_torn_down_behind_it() {
        let page = page("http = 'http://shop.example/'\nexpect_body = '^shop$'");
        let (client, mut server) = duplex(4096);
        let (context, journey) = (crate::collector::Context::new(Paths::default()), Journey::begin(&page));
        let means = Means { deadline: Instant::now() + Duration::from_mins(1), context: &context, trust: None };
        let exchange = Exchange { page: &page, journey: &journey, means: &means };
        let mut found = Findings::default();
        let answers = async {
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                server.read_buf(&mut asked).await.unwrap();
            }
            server.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nshop").await.unwrap();
        };
        let (answer, ()) = tokio::join!(exchange.http1(Gone(client), &mut found), answers);
        assert_eq!(answer.unwrap().body, b"shop");
    }
}
