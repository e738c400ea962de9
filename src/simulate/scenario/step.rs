//! One step of a scenario.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use hyper::StatusCode;

use super::{Scene, Whom};
use crate::simulate::limits::Limit;

/// Something that happens, where, when and for how long.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::simulate) struct Step {
    /// When it begins, counted from the start.
    pub(in crate::simulate) at: Duration,
    /// For how long; without end when `None`.
    pub(in crate::simulate) lasts: Option<Duration>,
    /// For how many requests, or connections where it is about these; for all when `None`.
    pub(in crate::simulate) times: Option<u32>,
    /// Where.
    pub(in crate::simulate) whom: Whom,
    /// For which paths: one, or with `*` at its end those that begin so.
    pub(in crate::simulate) path: Option<String>,
    /// What happens.
    pub(in crate::simulate) effect: Effect,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::simulate) enum Effect {
    /// Answers take longer.
    Latency(Latency),
    /// This is the answer.
    Answer(Canned),
    /// One of the scenarios that have a name.
    Scene(Play),
    /// This is the limit, for all requests together, in place of the marketplace's own.
    Limit(Limit),
    /// Access tokens that are given out live so long.
    TokenLife(Duration),
    /// The key ends so long after the step begins; at once when there is no time left.
    KeyLife(Duration),
}

/// How much longer something takes, in each phase.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::simulate) struct Latency {
    /// Before the answer to the first word of TLS.
    pub(in crate::simulate) tls: Duration,
    /// Before the answer's first byte.
    pub(in crate::simulate) processing: Duration,
    /// Between its head and the end of its body.
    pub(in crate::simulate) body: Duration,
    /// By what part of itself each of them varies, either way.
    pub(in crate::simulate) jitter: f64,
}

/// An answer that was written down.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::simulate) struct Canned {
    pub(in crate::simulate) status: StatusCode,
    pub(in crate::simulate) headers: Vec<(String, String)>,
    pub(in crate::simulate) body: Bytes,
}

/// A scenario with a name, and what it is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::simulate) struct Play {
    pub(in crate::simulate) scene: Scene,
    /// Which of the forms that the marketplace has for it.
    pub(in crate::simulate) variant: Option<&'static str>,
    /// When to come back.
    pub(in crate::simulate) retry_after: Option<RetryAfter>,
    /// By how much the clock is wrong, in seconds; ahead when positive.
    pub(in crate::simulate) skew: f64,
}

/// When to come back, and how that is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::simulate) enum RetryAfter {
    /// Whole seconds, rounded up.
    Seconds(Duration),
    /// Seconds with a fraction: `2.5`.
    Decimal(Duration),
    /// A date (RFC 9110, section 5.6.7).
    Date(Duration),
}

impl RetryAfter {
    /// The header's value at this time.
    pub(in crate::simulate) fn written(self, now: SystemTime) -> String {
        match self {
            Self::Seconds(after) => whole_seconds(after).to_string(),
            Self::Decimal(after) => format!("{:?}", after.as_secs_f64()),
            Self::Date(after) => httpdate::fmt_http_date(now + after),
        }
    }
}

/// Seconds, with a begun one as a whole one.
pub(in crate::simulate) fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

impl Step {
    /// Whether it is about this path.
    pub(in crate::simulate) fn is_for(&self, path: &str) -> bool {
        self.path.as_deref().is_none_or(|wanted| match wanted.strip_suffix('*') {
            Some(beginning) => path.starts_with(beginning),
            None => path == wanted,
        })
    }
}
