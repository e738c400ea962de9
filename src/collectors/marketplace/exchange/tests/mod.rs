//! Exchanges with servers of every manner.
//!
//! What happens once there is a connection is tried over a pipe, with time that stands still unless somebody waits: what
//! a phase shows is then exact on any machine. What the kernel and the resolver do is tried with real connections.

mod faults;
mod identity;
mod secrets;
mod timing;
mod tls;
mod wire;

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt as _, DuplexStream, duplex};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// Asks for this.
fn get(uri: &str) -> Question {
    Request::get(uri).body(Full::default()).unwrap()
}

/// Asks what is at the other end of a pipe, where this runs meanwhile.
async fn piped<F>(question: Question, way: &Way, server: impl FnOnce(DuplexStream) -> F) -> Exchanged
where
    F: Future<Output = ()>,
{
    let (client, far) = duplex(64 << 10);
    let (outgoing, trust) = prepare(question, way).unwrap();
    let mut course = Course::default();
    let begun = Instant::now();
    let ours = async {
        let ended = timeout_at(begun + way.timeouts.whole, course.over(client, outgoing, trust.as_ref(), way)).await;
        let answer = ended.unwrap_or_else(|_| Err(course.late(way.timeouts.whole)));
        course.end(begun, answer)
    };
    let mut theirs = std::pin::pin!(server(far));
    // A server that still has something to say, or hangs, keeps nobody waiting.
    tokio::select! {
        biased;
        exchanged = ours => exchanged,
        () = async { theirs.as_mut().await; std::future::pending().await } => unreachable!("pends"),
    }
}

/// Reads a request without a body, as it is.
async fn heard(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0, "the client has gone");
    }
    String::from_utf8(request).unwrap()
}

/// A port of this machine, and the listener behind it.
async fn listening() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Takes one connection.
async fn taken(listener: &TcpListener) -> TcpStream {
    listener.accept().await.unwrap().0
}

/// Asks, while somebody does this.
async fn meanwhile(question: Question, way: &Way, server: impl Future<Output = ()>) -> Exchanged {
    let mut server = std::pin::pin!(server);
    tokio::select! {
        biased;
        exchanged = exchange(question, way) => exchanged,
        () = async { server.as_mut().await; std::future::pending().await } => unreachable!("pends"),
    }
}

#[test]
fn an_exchange_may_go_on_in_another_thread() {
    fn moves<T: Send>(_: &T) {}
    let way = Way::default();
    moves(&exchange(get("http://api.example/"), &way));
}

/// What went wrong: the outcome and the message.
fn fault(exchanged: &Exchanged) -> String {
    match &exchanged.answer {
        Ok(answer) => format!("answered: {answer:?}"),
        Err(fault) => {
            assert_eq!(fault.outcome == Outcome::Timeout, fault.failure.reason == Reason::Timeout, "{fault:?}");
            format!("{}: {}", fault.outcome, fault.failure)
        }
    }
}

/// The phases that there were.
fn seen(exchanged: &Exchanged) -> Vec<&'static str> {
    Phase::ALL.into_iter().filter(|phase| exchanged.phases[*phase as usize].is_some()).map(Phase::as_str).collect()
}
