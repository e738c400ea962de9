//! How an answer gets to whoever asked: late, slowly, in part, or not at all.

use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::Response;
use hyper::body::Frame;
use hyper::header::CONTENT_LENGTH;
use tokio::task::yield_now;
use tokio::time::sleep;

use super::reply::Reply;
use super::scenario::Scene;

/// A body on its way.
pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// How much of a huge body is sent at a time.
const CHUNK: usize = 64 << 10;

/// An answer, and what happens to it.
#[derive(Debug)]
pub(super) struct Delivery {
    /// `None` where there is none.
    pub(super) reply: Option<Reply>,
    /// How long before its first byte.
    pub(super) processing: Duration,
    /// How long between its head and its body.
    pub(super) transfer: Duration,
    pub(super) shape: Shape,
}

/// What arrives of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// All of it.
    Whole,
    /// Half of its body.
    Truncated,
    /// Its head, and a body without measure.
    Huge,
    /// Nothing, and the connection is reset.
    Reset,
    /// Nothing, for as long as the client waits.
    Never,
}

impl Delivery {
    /// The answer, when it is time for it; `None` when the connection is to be reset.
    pub(super) async fn response(self) -> Option<Response<Body>> {
        sleep(self.processing).await;
        if self.shape == Shape::Never {
            pending::<Infallible>().await;
        }
        let reply = self.reply.filter(|_| self.shape != Shape::Reset)?;
        let whole = reply.body.len();
        let (length, body) = match self.shape {
            Shape::Truncated => (whole.max(2), truncated(reply.body.slice(..whole / 2))),
            Shape::Huge => (usize::try_from(Scene::HUGE_BYTES).unwrap_or(usize::MAX), huge()),
            _ if self.transfer.is_zero() => {
                (whole, Full::from(reply.body).map_err(|never| match never {}).boxed_unsync())
            }
            _ => (whole, late(reply.body, self.transfer)),
        };
        let mut response = Response::builder().status(reply.status);
        // RFC 9110, section 8.6: there is none with 204.
        if reply.status != 204 {
            response = response.header(CONTENT_LENGTH, length);
        }
        for (name, value) in reply.headers {
            response = response.header(name, value);
        }
        // What scenarios have for headers was looked at when they were read.
        response.body(body).ok()
    }
}

/// The whole of it, after some time.
fn late(body: Bytes, after: Duration) -> Body {
    let once = stream::once(async move {
        sleep(after).await;
        Ok(Frame::data(body))
    });
    StreamBody::new(once).boxed_unsync()
}

/// This, and then the connection ends.
fn truncated(half: Bytes) -> Body {
    let broken = stream::once(async {
        // What was said before is sent while this waits; without it, head and all would be lost with the connection.
        yield_now().await;
        Err(io::Error::other("truncated, as the scenario has it"))
    });
    StreamBody::new(stream::once(async { Ok(Frame::data(half)) }).chain(broken)).boxed_unsync()
}

/// One text of JSON, as long as it was told.
fn huge() -> Body {
    let chunk = Bytes::from(vec![b'x'; CHUNK]);
    let sent = stream::unfold(0_u64, move |sent| {
        let left = Scene::HUGE_BYTES - sent;
        let part = match (sent, left) {
            (_, 0) => None,
            (0, _) | (_, 1) => Some(Bytes::from_static(b"\"")),
            _ => Some(chunk.slice(..CHUNK.min(usize::try_from(left - 1).unwrap_or(CHUNK)))),
        };
        async move { part.map(|part| (Ok(Frame::data(part.clone())), sent + part.len() as u64)) }
    });
    StreamBody::new(sent).boxed_unsync()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(shape: Shape, transfer: Duration) -> Delivery {
        let reply = Some(Reply::text(200, "0123456789"));
        Delivery { reply, processing: Duration::from_millis(80), transfer, shape }
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_byte_waits_for_one_time_and_the_body_for_the_other() {
        let begun = tokio::time::Instant::now();
        let response = delivery(Shape::Whole, Duration::from_millis(150)).response().await.unwrap();
        assert_eq!(begun.elapsed(), Duration::from_millis(80));
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "0123456789");
        assert_eq!(begun.elapsed(), Duration::from_millis(230));
    }

    #[tokio::test(start_paused = true)]
    async fn a_truncated_body_promises_more_than_comes() {
        let response = delivery(Shape::Truncated, Duration::ZERO).response().await.unwrap();
        assert_eq!(response.headers()[CONTENT_LENGTH], "10");
        let mut body = response.into_body();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "01234");
        assert!(body.frame().await.unwrap().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_huge_body_is_as_long_as_it_says() {
        let response = delivery(Shape::Huge, Duration::ZERO).response().await.unwrap();
        assert_eq!(response.headers()[CONTENT_LENGTH], Scene::HUGE_BYTES.to_string());
        let (mut body, mut length, mut last) = (response.into_body(), 0, None);
        while let Some(frame) = body.frame().await {
            let part = frame.unwrap().into_data().unwrap();
            length += part.len() as u64;
            last = part.last().copied();
        }
        assert_eq!((length, last), (Scene::HUGE_BYTES, Some(b'"')));
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_comes_of_a_reset_and_never_of_a_stall() {
        assert!(delivery(Shape::Reset, Duration::ZERO).response().await.is_none());
        let stalled = delivery(Shape::Never, Duration::ZERO).response();
        assert!(tokio::time::timeout(Duration::from_hours(1), stalled).await.is_err());
    }
}
