//! When the bytes of an answer come, which hyper does not tell.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// When bytes came over a connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Arrivals(Arc<Mutex<Times>>);

#[derive(Debug, Default)]
struct Times {
    /// The first that may be the answer's.
    first: Option<Instant>,
    last: Option<Instant>,
}

impl Arrivals {
    /// When the first byte came; `None` while there is none.
    pub(super) fn first(&self) -> Option<Instant> {
        self.change(|times| times.first)
    }

    /// When the first byte came of an answer whose header is here.
    pub(super) fn of_answer(&self) -> Option<Instant> {
        // With none since the interim answer, both came together.
        self.change(|times| times.first.or(times.last))
    }

    /// What has come was not yet the answer.
    pub(super) fn was_interim(&self) {
        self.change(|times| times.first = None);
    }

    fn note(&self) {
        let now = Instant::now();
        self.change(|times| {
            times.first.get_or_insert(now);
            times.last = Some(now);
        });
    }

    fn change<T>(&self, how: impl FnOnce(&mut Times) -> T) -> T {
        how(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A connection whose arrivals are noted.
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    arrivals: Arrivals,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, arrivals: Arrivals) -> Self {
        Self { stream, arrivals }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = out.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, out))?;
        if out.filled().len() > before {
            self.arrivals.note();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
