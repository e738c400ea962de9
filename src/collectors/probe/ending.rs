//! How a probe ends: the values of `result`, and the reason that a failed one is counted under.

use crate::collector::{Failure, Reason};

/// How a probe ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    /// All was as expected.
    Ok,
    /// No connection: nothing listens there, or there is no way to it.
    Connect,
    /// The answer is not what was expected: a header, the body, a line, or what a name stands for.
    Content,
    /// The name does not resolve, or the name server that is probed answers with an error.
    Dns,
    /// More was answered than we are ready to read.
    Limit,
    /// What the probe needs of this machine is not there: a secret, a certificate of ours.
    Local,
    /// The answer is none of the protocol, or breaks off.
    Protocol,
    /// A redirect leads in a circle, or where we do not go.
    Redirect,
    /// Another HTTP status than expected.
    Status,
    /// It was not over in time.
    Timeout,
    /// TLS could not be agreed on, or the certificate is not to be trusted.
    Tls,
}

impl Ending {
    /// All of them, in the order of their names but for the good one.
    pub(crate) const ALL: [Self; 11] = [
        Self::Ok,
        Self::Connect,
        Self::Content,
        Self::Dns,
        Self::Limit,
        Self::Local,
        Self::Protocol,
        Self::Redirect,
        Self::Status,
        Self::Timeout,
        Self::Tls,
    ];

    /// The label value.
    #[must_use]
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Connect => "connect",
            Self::Content => "content",
            Self::Dns => "dns",
            Self::Limit => "limit",
            Self::Local => "local",
            Self::Protocol => "protocol",
            Self::Redirect => "redirect",
            Self::Status => "status",
            Self::Timeout => "timeout",
            Self::Tls => "tls",
        }
    }
}

/// A probe that has failed: how, and why.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) ending: Ending,
    pub(super) failure: Failure,
}

impl Trouble {
    /// Trouble of this kind, under the reason that all collectors call it by.
    pub(super) fn new(ending: Ending, message: impl Into<String>) -> Self {
        let reason = match ending {
            Ending::Ok => Reason::Bug,
            Ending::Connect | Ending::Dns => Reason::Connect,
            Ending::Content | Ending::Protocol | Ending::Redirect | Ending::Status => Reason::Protocol,
            Ending::Limit => Reason::Limit,
            Ending::Local => Reason::Permission,
            Ending::Timeout => Reason::Timeout,
            Ending::Tls => Reason::Tls,
        };
        Self::because(ending, reason, message)
    }

    /// The same under another reason.
    pub(super) fn because(ending: Ending, reason: Reason, message: impl Into<String>) -> Self {
        Self { ending, failure: Failure::message(reason, message.into()) }
    }

    /// That something of this machine is missing.
    pub(super) fn local(failure: Failure) -> Self {
        Self { ending: Ending::Local, failure }
    }

    /// That a name does not lead anywhere.
    pub(super) fn of_a_name(failure: Failure) -> Self {
        if failure.reason == Reason::Connect { Self { ending: Ending::Dns, failure } } else { failure.into() }
    }

    /// Says what was being done, and to what.
    #[must_use]
    pub(super) fn context(self, doing: String) -> Self {
        Self { failure: self.failure.context(doing), ..self }
    }
}

/// What failed on the wire, by its reason.
impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        let ending = match failure.reason {
            Reason::Connect => Ending::Connect,
            Reason::Limit => Ending::Limit,
            Reason::Timeout => Ending::Timeout,
            Reason::Tls => Ending::Tls,
            Reason::Permission | Reason::Bug | Reason::Stale => Ending::Local,
            Reason::Protocol | Reason::Auth => Ending::Protocol,
        };
        Self { ending, failure }
    }
}
