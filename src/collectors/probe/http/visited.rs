//! What a probe has learned of a page, and how it is shown.

use std::time::{SystemTime, UNIX_EPOCH};

use hyper::header::{CONTENT_LENGTH, LAST_MODIFIED};
use hyper::http::response::Parts;
use hyper::{HeaderMap, Version};

use crate::net::phases::{Phase, Phases};
use crate::snapshot::Snapshot;

crate::metrics! {
    DropIn as METRICS;
    /// Time of the parts of the last probe, in seconds, summed over its redirects: resolve, connect, tls, processing (until the first byte of the answer) and transfer (of the body).
    DURATION = Gauge("probe_http_duration_seconds", Seconds, ["phase"]);
    /// Status of the last answer, at the end of all redirects.
    STATUS_CODE = Gauge("probe_http_status_code", None, []);
    /// Bytes of the body that the last answer announced, -1 when it did not.
    CONTENT_LENGTH_BYTES = Gauge("probe_http_content_length", None, []);
    /// Bytes of the body that were read.
    BODY_LENGTH = Gauge("probe_http_uncompressed_body_length", None, []);
    /// Redirects that the last probe was sent on.
    REDIRECTS = Gauge("probe_http_redirects", None, []);
    /// Whether the last answer came by TLS, 1 or 0.
    SSL = Gauge("probe_http_ssl", None, []);
    /// Version of HTTP that the last answer was in: 1.1 or 2.
    HTTP_VERSION = Gauge("probe_http_version", None, []);
    /// When the page was changed last, as its header `Last-Modified` says, in seconds since 1970.
    LAST_MODIFIED_TIME = Gauge("probe_http_last_modified_timestamp_seconds", Seconds, []);
}

/// What was learned of a page.
#[derive(Debug, Default)]
pub(crate) struct Visited {
    /// Over all hops.
    pub(super) phases: Phases,
    redirects: u8,
    answer: Option<Answer>,
}

/// The last answer.
#[derive(Debug)]
struct Answer {
    status: u16,
    version: Version,
    /// What its header announces; `None` when it does not.
    length: Option<u64>,
    encrypted: bool,
    modified: Option<SystemTime>,
    /// How much of the body has been read; `None` when it is nobody's concern.
    body: Option<u64>,
}

impl Visited {
    /// Notes a redirect that is followed.
    pub(super) fn redirected(&mut self) {
        self.redirects += 1;
    }

    /// How many redirects were followed.
    pub(super) fn redirects(&self) -> u8 {
        self.redirects
    }

    /// Notes an answer, whose body is still to come if it has one.
    pub(super) fn answered(&mut self, head: &Parts, has_body: bool, encrypted: bool) {
        let length = number(&head.headers).or((!has_body).then_some(0));
        let modified =
            head.headers.get(LAST_MODIFIED).and_then(|value| httpdate::parse_http_date(value.to_str().ok()?).ok());
        let (status, version) = (head.status.as_u16(), head.version);
        self.answer = Some(Answer { status, version, length, encrypted, modified, body: None });
    }

    /// Notes how much of the answer's body has been read.
    pub(super) fn read(&mut self, bytes: u64) {
        if let Some(answer) = &mut self.answer {
            answer.body = Some(bytes);
        }
    }

    /// Turns it into samples.
    pub(crate) fn report(&self, out: &mut Snapshot) {
        for phase in Phase::ALL {
            if let Some(time) = self.phases.time(phase) {
                out.push(&DURATION, [phase.as_str()], time.as_secs_f64());
            }
        }
        out.push(&REDIRECTS, [], self.redirects);
        let Some(answer) = &self.answer else { return };
        out.push(&STATUS_CODE, [], answer.status);
        out.push(&SSL, [], answer.encrypted);
        let version = match answer.version {
            Version::HTTP_09 => 0.9,
            Version::HTTP_10 => 1.0,
            Version::HTTP_2 => 2.0,
            Version::HTTP_3 => 3.0,
            _ => 1.1,
        };
        out.push(&HTTP_VERSION, [], version);
        match answer.length {
            Some(length) => out.push(&CONTENT_LENGTH_BYTES, [], length),
            None => out.push(&CONTENT_LENGTH_BYTES, [], -1),
        }
        if let Some(body) = answer.body {
            out.push(&BODY_LENGTH, [], body);
        }
        if let Some(modified) = answer.modified {
            let seconds = modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            out.push(&LAST_MODIFIED_TIME, [], seconds);
        }
    }
}

/// What `Content-Length` says.
fn number(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
