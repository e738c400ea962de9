//! One request to a marketplace and its answer, on a connection of its own, with the time of each phase.
//!
//! What a phase can show, and what it cannot:
//!
//! * `connect` is the way there and back, over all addresses that were tried. It is the other side's kernel that makes a
//!   connection: a program that is late to accept it shows in the phase that waits for its first byte, which is `tls`, or
//!   `processing` without TLS.
//! * `tls` ends with the server's last word. In TLS 1.3 the client has the last one (RFC 8446, section 2): what a server
//!   does about that shows in `processing`.
//! * `processing` begins when the request is about to be written, and ends with the first byte of the answer, of which
//!   `100 Continue` and the like are no part. The rest of the answer, its header included, is `transfer`.
//! * What this machine does between phases belongs to none, and takes microseconds.
//!
//! Nobody is asked twice: no redirect is followed, no session is resumed, no cookie is kept, no proxy is used.

mod arrivals;
mod course;
mod outgoing;
mod skew;
#[cfg(test)]
mod tests;
mod way;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{HeaderMap, Request, StatusCode};
use tokio::time::{Instant, timeout_at};

use super::result::Outcome;
use crate::collector::{Failure, Reason};
use crate::tls::trust::Trust;
use course::Course;

pub use crate::net::phases::Phase;
pub use outgoing::Outgoing;
pub use way::{Limits, Timeouts, Way};

/// What is to be asked: `request` has an absolute URI, all its headers but `Host`, and a body that is sent as it is.
pub type Question = Request<Full<Bytes>>;

/// What an exchange brought, and how long it took.
#[derive(Debug)]
pub struct Exchanged {
    /// How long each phase took that was finished, and the one that it failed in until then; by `Phase as usize`.
    pub phases: [Option<Duration>; Phase::ALL.len()],
    /// All of it together.
    pub total: Duration,
    /// When the first certificate expires of those that were shown, in seconds since 1970; known also when they are not
    /// to be trusted.
    pub certificate_expiry: Option<f64>,
    /// By how much the other clock was ahead at least, in whole seconds.
    pub clock_skew: Option<f64>,
    /// The answer, or what came in the way.
    pub answer: Result<Answer, Fault>,
}

/// An answer, whatever it says.
#[derive(Clone)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, all of it.
    pub body: Vec<u8>,
}

/// Says how much there is, not what: it is somebody's orders, and may well repeat the request.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status.as_u16())
            .field("headers", &self.headers.len())
            .field("body", &self.body.len())
            .finish()
    }
}

/// Why there is no answer: of the outcomes those of the way there (`dns_error`, `connect_error`, `tls_error`, `timeout`),
/// `invalid_response` for what is no HTTP, breaks off, or is too large, and `config_error` for what cannot be asked.
#[derive(Debug)]
pub struct Fault {
    /// How the probe ends.
    pub outcome: Outcome,
    /// Why, for the log; with no header, no path, no query and no body in it. Its reason is `limit` for what is too large.
    pub failure: Failure,
}

impl Fault {
    fn new(outcome: Outcome, message: impl Into<String>) -> Self {
        Self { outcome, failure: Failure::message(outcome.reason(), message.into()) }
    }

    /// What a step of the way failed with, which is a `timeout` when it says so itself.
    fn of(outcome: Outcome, failure: Failure) -> Self {
        let outcome = if failure.reason == Reason::Timeout { Outcome::Timeout } else { outcome };
        Self { outcome, failure }
    }

    /// Says what was being done, and to what.
    fn context(self, doing: impl fmt::Display + Send + Sync + 'static) -> Self {
        Self { failure: self.failure.context(doing), ..self }
    }
}

/// What fails in a conversation.
impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Self::of(Outcome::InvalidResponse, failure)
    }
}

/// Asks once, and tells everything that was learned until it was done or went wrong.
///
/// Takes no longer than [`Timeouts::whole`], and can be dropped at any time.
pub async fn exchange(question: Question, way: &Way) -> Exchanged {
    let prepared = prepare(question, way);
    let begun = Instant::now();
    let deadline = begun + way.timeouts.whole;
    let mut course = Course::default();
    let answer = match prepared {
        Ok((outgoing, trust)) => {
            let origin = outgoing.origin();
            // On the heap, while it lasts: whoever waits between two requests would have room for one all the time.
            let run = Box::pin(course.run(outgoing, trust.as_ref(), way, deadline));
            let ended = timeout_at(deadline, run).await;
            let answer = ended.unwrap_or_else(|_| Err(course.late(way.timeouts.whole)));
            answer.map_err(|fault| fault.context(format!("asking {origin}")))
        }
        Err(fault) => Err(fault),
    };
    course.end(begun, answer)
}

/// What can be done before the clock runs.
fn prepare(question: Question, way: &Way) -> Result<(Outgoing, Option<Trust>), Fault> {
    let outgoing = Outgoing::new(question)?;
    let trust = outgoing.is_encrypted().then(|| way.trust()).transpose();
    let trust = trust.map_err(|failure| Fault { outcome: Outcome::ConfigError, failure })?;
    Ok((outgoing, trust))
}
