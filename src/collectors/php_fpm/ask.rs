//! Asking an FPM address one thing, within a time of its own.

use std::path::Path;
use std::time::Duration;

use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use super::fastcgi::{self, Answer};
use super::source::inside;
use crate::collector::{Context, Failure, Reason};
use crate::config::types::Address;

/// One connection, for a pool at which requests wait already: each one more would only lengthen its queue, in which it
/// stays when we have gone.
pub(super) const ONCE: &[Duration] = &[Duration::from_secs(1)];

/// Two connections, one after the other. FPM answers a status request in well under a millisecond.
///
/// A request that reaches an `ondemand` pool while FPM ends an idle worker can stay unanswered until the next
/// connection comes (measured: 1 in 100 near the race). The listeners of `pm.status_listen` are such pools inside FPM,
/// with an idle timeout of 10 s: scrapes every 10 to 15 s are near the race all the time.
pub(super) const TWICE: &[Duration] = &[Duration::from_millis(500), Duration::from_secs(1)];

/// The same limits, or, where there is not that much time, shorter ones that are within it together.
pub(super) fn within(time: Duration, limits: &[Duration]) -> Vec<Duration> {
    let all: Duration = limits.iter().sum();
    let share = (time.as_secs_f64() / all.as_secs_f64()).min(1.0);
    limits.iter().map(|limit| limit.mul_f64(share)).collect()
}

/// What an address is asked.
#[derive(Clone, Copy, Debug)]
pub(super) enum Question<'a> {
    /// Whether a worker is there. Its answer is empty.
    Ping,
    /// A request with these parameters, whose answer may have `limit` bytes.
    Request { params: &'a [(&'a str, &'a str)], limit: usize },
}

/// Asks on one connection after the other, each as long as `limits` says, until a whole answer comes.
pub(super) async fn ask(
    context: &Context,
    address: &Address,
    question: Question<'_>,
    limits: &[Duration],
) -> Result<Answer, Failure> {
    let gate = context.gate(&address.to_string());
    let _permit = gate.scrape.acquire().await.map_err(|closed| Failure::new(Reason::Bug, closed))?;
    let root = &context.paths.root;
    let mut last = Err(Failure::message(Reason::Bug, "asked on no connection"));
    for limit in limits {
        last = attempt(root, address, question, *limit).await;
        match &last {
            Ok(answer) if answer.is_poor() && matches!(question, Question::Request { .. }) => {}
            Err(failure) if matches!(failure.reason, Reason::Timeout | Reason::Protocol) => {}
            _ => break,
        }
    }
    last
}

impl Answer {
    /// Whether another may be better.
    fn is_poor(&self) -> bool {
        self.body.is_empty() || self.status >= 500
    }

    /// Whether FPM did not look at its numbers, because somebody else did at that instant: the status page tries their
    /// lock once, and answers 503 or, in newer versions, 500 when it is held (`fpm_status_handle_request` of php-src).
    fn is_busy(&self) -> bool {
        self.status >= 500 && (self.body.starts_with(b"Internal error") || self.body.starts_with(b"Server busy"))
    }
}

/// How often an FPM that is busy with itself is asked on one connection after the other, and the pause between: the lock
/// is held for microseconds.
const BUSY: (usize, Duration) = (5, Duration::from_millis(2));

async fn attempt(root: &Path, address: &Address, question: Question<'_>, limit: Duration) -> Result<Answer, Failure> {
    let one = async || match address {
        Address::Tcp { host, port } => {
            let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(unreachable)?;
            put(stream, question).await
        }
        Address::Unix(path) => {
            let stream = UnixStream::connect(inside(root, path)).await.map_err(unreachable)?;
            put(stream, question).await
        }
    };
    let asked = async {
        let mut answer = one().await?;
        for _ in 1..BUSY.0 {
            if !answer.is_busy() {
                break;
            }
            tokio::time::sleep(BUSY.1).await;
            answer = one().await?;
        }
        Ok(answer)
    };
    let late = || Failure::message(Reason::Timeout, "no answer in time; perhaps all its workers are busy");
    timeout(limit, asked).await.unwrap_or_else(|_| Err(late()))
}

async fn put(
    stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    question: Question<'_>,
) -> Result<Answer, Failure> {
    match question {
        Question::Request { params, limit } => fastcgi::request(stream, params, limit).await,
        Question::Ping => {
            fastcgi::ping(stream).await?;
            Ok(Answer { status: 200, body: Vec::new(), stderr: String::new() })
        }
    }
}

/// A connection that was not made.
fn unreachable(error: std::io::Error) -> Failure {
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => Failure::io(error)
            .context("the socket is not ours to open; add Vitrin's user to its group (`listen.group`)"),
        // What a Unix socket says whose queue is full.
        std::io::ErrorKind::WouldBlock => Failure::io(error).context("the queue of waiting requests is full"),
        _ => Failure::io(error),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::collector::Paths;

    /// What FPM says on its standard output, and the end of the request.
    fn wire(said: &str) -> Vec<u8> {
        let length = u8::try_from(said.len()).unwrap();
        let mut wire = [&[1, 6, 0, 1, 0, length, 0, 0], said.as_bytes()].concat();
        wire.extend([1, 3, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        wire
    }

    #[tokio::test]
    async fn an_fpm_that_is_busy_with_itself_is_asked_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = Address::Tcp { host: "127.0.0.1".to_owned(), port: listener.local_addr().unwrap().port() };
        let fpm = async {
            let busy = [
                "Status: 503 Service Unavailable\r\n\r\nServer busy. Please try again later.",
                "Status: 500 Internal Server Error\r\n\r\nInternal error. Please review log file for errors.",
            ];
            for said in busy.into_iter().chain(["\r\n\r\n{}"]) {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut asked = [0; 64];
                assert_ne!(stream.read(&mut asked).await.unwrap(), 0);
                stream.write_all(&wire(said)).await.unwrap();
            }
        };
        let question = Question::Request { params: &[], limit: 1_000 };
        let context = Context::new(Paths::default());
        let limits = [Duration::from_mins(1)];
        let (answer, ()) = tokio::join!(ask(&context, &address, question, &limits), fpm);
        assert_eq!(answer.unwrap().body, b"{}");
    }

    #[test]
    fn limits_are_shortened_to_the_time_there_is_and_never_lengthened() {
        let milliseconds = |time| within(time, TWICE).iter().map(Duration::as_millis).collect::<Vec<_>>();
        assert_eq!(milliseconds(Duration::MAX), [500, 1_000]);
        assert_eq!(milliseconds(Duration::from_millis(300)), [100, 200]);
        assert_eq!(milliseconds(Duration::ZERO), [0, 0]);
    }
}
